"""What happens to a case or an offer that a month counts, and when.

A source is one kind of happening: the day or moment that places it in a month, what it is divided
by, and the values that are counted. Both the counting of a month and the finding of the months
that a change touches read ``SOURCES``.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import (
    DurationField,
    ExpressionWrapper,
    F,
    FloatField,
    Model,
    Q,
    QuerySet,
)
from django.db.models.functions import Coalesce, Extract, TruncDate
from django.utils import timezone

from statistics.facts.models import CaseFact, OfferFact
from statistics.months import Month

SECONDS_A_DAY, SECONDS_AN_HOUR = 86_400, 3_600

# In the order of statistics.monthly.dimensions.DIMENSIONS, the region apart.
_OF_CASE = ("clinic_id", "mvo", "kva", "municipality_id", "age_group", "sex", "svf")
CASE_DIMENSIONS = ("clinic", "mvo", "procedure", "municipality", "age", "sex", "svf")
PLACE_DIMENSIONS = ("provider", "contract")


def _between(first: Any, last: Any, seconds: int) -> Any:
    wrapped = ExpressionWrapper(last - first, output_field=DurationField())
    return ExpressionWrapper(
        Extract(wrapped, "epoch", output_field=FloatField()) / float(seconds),
        output_field=FloatField(),
    )


def days(first: Any, last: Any) -> Any:
    """Days between two moments or two days, with their part of a day."""
    return _between(first, last, SECONDS_A_DAY)


@dataclass(frozen=True)
class Source:
    """``values`` are columns or expressions of the model, by the name that counting knows."""

    name: str
    model: type[Model]
    at: str
    values: dict[str, Any]
    # A calendar day; otherwise a moment.
    is_day: bool = False
    # Whether a receiving provider and a contract belong to it.
    with_place: bool = True

    @property
    def dimensions(self) -> tuple[str, ...]:
        return CASE_DIMENSIONS + (PLACE_DIMENSIONS if self.with_place else ())

    def rows(self, where: Q, *more: str) -> "QuerySet[Any, tuple[Any, ...]]":
        """When, the dimensions and the values of the happenings."""
        of_offer = self.model is OfferFact
        case = [f"case__{name}" if of_offer else name for name in _OF_CASE]
        place = ["provider_id", "contract_id"] if self.with_place else []
        columns = {f"v_{name}": value for name, value in self.values.items()}
        found: QuerySet[Any] = self.model._default_manager.filter(where).order_by()
        return found.annotate(**columns).values_list(self.at, *case, *place, *columns, *more)

    def in_month(self, region: str, month: Month) -> "QuerySet[Any, tuple[Any, ...]]":
        first, after = (
            (month.first_day, month.back(-1).first_day) if self.is_day else (month.start, month.end)
        )
        return self.rows(Q(**{f"{self.at}__gte": first, f"{self.at}__lt": after}, region_id=region))

    def of_cases(self, cases: Iterable[int]) -> Iterator[tuple[int, tuple[Any, ...]]]:
        """The happenings in the cases, each with its case and all that a month counts of it."""
        there = Q(**{f"{self.at}__isnull": False}, case__in=list(cases))
        for *row, case in self.rows(there, "case_id"):
            yield case, tuple(row)


def month_of(at: date | datetime) -> Month:
    """The calendar month in Europe/Stockholm."""
    return Month.of(timezone.localdate(at) if isinstance(at, datetime) else at)


SOURCES: tuple[Source, ...] = (
    Source("received", CaseFact, "received_at", {}, with_place=False),
    Source(
        "taken",
        CaseFact,
        "taken_at",
        {"take_days": days(F("received_at"), F("taken_at"))},
        with_place=False,
    ),
    Source(
        "first_offer",
        CaseFact,
        "first_offer_at",
        {"first_offer_days": days(Coalesce(F("taken_at"), F("received_at")), F("first_offer_at"))},
        with_place=False,
    ),
    Source("booked", CaseFact, "booked_at", {"book_days": days(F("confirmed_at"), F("booked_at"))}),
    Source(
        "closed",
        CaseFact,
        "closed_at",
        {
            "reason": F("close_reason"),
            "close_days": days(F("treated_on"), TruncDate("closed_at")),
        },
    ),
    Source(
        "stopped",
        CaseFact,
        "stopped_on",
        {
            "pause_patient_days": F("pause_patient_days"),
            "pause_medical_days": F("pause_medical_days"),
        },
        is_day=True,
    ),
    Source("sent", OfferFact, "sent_at", {}),
    Source(
        "answered",
        OfferFact,
        "answered_at",
        {
            "reason": F("decline_reason"),
            "answer_hours": _between(F("sent_at"), F("answered_at"), SECONDS_AN_HOUR),
        },
    ),
    Source("lapsed", OfferFact, "lapsed_at", {"state": F("state")}),
    Source(
        "confirmed",
        OfferFact,
        "confirmed_at",
        {
            "handling_days": days(F("case__received_at"), F("confirmed_at")),
            "confirm_days": days(F("answered_at"), F("confirmed_at")),
        },
    ),
    Source("rejected", OfferFact, "rejected_at", {}),
    Source(
        "treated",
        OfferFact,
        "treated_on",
        {
            "wait_days": days(F("case__decided_on"), F("treated_on")),
            "treat_days": days(TruncDate("confirmed_at"), F("treated_on")),
            "days_gained": F("days_gained"),
            "distance_km": F("distance_km"),
            "ore": ExpressionWrapper(F("amount_sek") * 100, output_field=FloatField()),
            "contract_kind": F("contract_kind"),
            "provider_region": F("provider_region_id"),
            "breached": F("breached"),
            "breach_avoided": F("breach_avoided"),
            "funding": F("case__funding"),
        },
        is_day=True,
    ),
)

# Open cases belong to every month's end from receipt to closing.
OPEN = Source(
    "open",
    CaseFact,
    "received_at",
    {"received_on": TruncDate("received_at"), "closed_at": F("closed_at")},
    with_place=False,
)


def open_at_end(region: str, month: Month) -> "QuerySet[Any, tuple[Any, ...]]":
    """The cases that had come in and were not closed when the month ended."""
    came = Q(region_id=region, received_at__lt=month.end)
    return OPEN.rows(came & (Q(closed_at__isnull=True) | Q(closed_at__gte=month.end)))
