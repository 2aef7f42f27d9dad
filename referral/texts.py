"""The offer as the patient reads it: its facts are here, its words in the app above.

What patients need to know is taken from pilot 3 (cataracts): provider and place, expected wait
against the wait at home, that it costs nothing extra, travel, escort, what a no means, whom to
call and how to answer. The texts live with the notices, which register their writer in
``AppConfig.ready``, as they do their sweeps.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Protocol, Self

from django.utils import timezone

from capacity.models import FreeCapacity
from capacity.selectors import median_wait_days
from organisations.models import CareUnit, Region
from referral.models import Case, Offer


@dataclass(frozen=True)
class Wishes:
    """What the navigator adds to an offer, or knows better than the registers.

    ``language`` is a code, else the patient's own is taken; ``expected_wait_days`` and
    ``home_wait_days`` stand in where nothing else is known; ``same_day`` is ``yes``, ``no`` or
    empty when nobody knows whether the patient can go home the same day.
    """

    message: str = ""
    language: str = ""
    easy: bool = False
    expected_wait_days: int | None = None
    home_wait_days: int | None = None
    same_day: str = ""


@dataclass(frozen=True)
class OfferFacts:
    """What an offer tells of. What is unknown is ``None``, and then it cannot be sent."""

    case: Case
    unit: CareUnit
    today: date
    answer_by: date
    wait_days: int | None
    home_wait_days: int | None
    weeks: tuple[date, date] | None = None
    message: str = ""
    same_day: str = ""

    @classmethod
    def gather(
        cls,
        case: Case,
        unit: CareUnit,
        *,
        today: date,
        wishes: Wishes,
        slot: FreeCapacity | None = None,
    ) -> Self:
        """As of ``today``; a free place that is taken gives the weeks."""
        wait_days = median_wait_days(unit, kva=case.kva, today=today)
        home_days = remaining_home_wait(case, today=today)
        return cls(
            case=case,
            unit=unit,
            today=today,
            answer_by=today + timedelta(days=case.region.offer_stands_days),
            wait_days=wishes.expected_wait_days if wait_days is None else wait_days,
            home_wait_days=wishes.home_wait_days if home_days is None else home_days,
            weeks=(max(slot.first_day, today), slot.last_day) if slot else None,
            message=wishes.message,
            same_day=wishes.same_day,
        )

    @classmethod
    def of(cls, offer: Offer) -> Self:
        """Of an offer that was made, as far as its row tells."""
        return cls(
            case=offer.case,
            unit=offer.care_unit,
            today=timezone.localdate(offer.sent_at),
            answer_by=timezone.localdate(offer.due_at - timedelta(microseconds=1)),
            wait_days=offer.expected_wait_days,
            home_wait_days=offer.home_wait_days,
        )

    @property
    def expected(self) -> date | tuple[date, date] | None:
        """The weeks of the place, else the day that the usual wait ends."""
        if self.weeks is not None:
            return self.weeks
        return None if self.wait_days is None else self.today + timedelta(days=self.wait_days)

    @property
    def home_expected(self) -> date | None:
        """The day the wait at home ends; ``None`` when unknown or when it should have ended."""
        return self.today + timedelta(days=self.home_wait_days) if self.home_wait_days else None


def remaining_home_wait(case: Case, *, today: date) -> int | None:
    """Days the patient would still wait at home, never below zero; ``None`` when unknown.

    The expected wait at home is counted from the decision.
    """
    if case.home_wait_days is None:
        return None
    return max(0, case.home_wait_days - (today - case.decision_date).days)


@dataclass(frozen=True)
class Draft:
    """An offer's text, and what keeps with the offer, once there is one, how it was written."""

    text: str
    language: str
    easy: bool
    keep: Callable[[Offer], None]


class Writer(Protocol):
    """Who writes the offers."""

    def write(
        self, facts: OfferFacts, *, wishes: Wishes, now: datetime, chance: Random | None
    ) -> Draft: ...

    def languages(self, region: Region) -> list[str]:
        """The codes of the languages that the region can offer in."""
        ...


_writers: list[Writer] = []


def register_writer(writer: Writer) -> None:
    """Have ``writer`` write the offers."""
    _writers[:] = [writer]


def write_offer(
    facts: OfferFacts, *, wishes: Wishes, now: datetime, chance: Random | None = None
) -> Draft:
    """The text of the offer, shown to the navigator before it is sent.

    Raises :class:`InvalidInput` when something it must tell is missing. ``chance`` draws among
    the variants of the text.
    """
    return _writers[0].write(facts, wishes=wishes, now=now, chance=chance)


def offer_languages(region: Region) -> list[str]:
    """The codes of the languages that an offer of the region can be written in."""
    return _writers[0].languages(region)
