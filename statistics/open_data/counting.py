"""A quarter's true numbers per home region, counted from the cases; never shown as they are."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from referral.models import PATIENTS_OWN, Case, Offer, Referral, ReferralCause
from statistics.hiding import treated_after_few
from statistics.open_data.models import Border
from statistics.open_data.quarters import Quarter

SECONDS_A_DAY, SECONDS_AN_HOUR = 86_400, 3_600


@dataclass
class Counted:
    """One region's quarter. Lists hold one value for each patient, answer or referral."""

    patients: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    # By month, within the region and across its border.
    by_month: dict[int, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    # Whether the region's own pages hide the treated of a month for the sake of the one before.
    after_few: bool = False
    waited: list[float] = field(default_factory=list)
    gained: list[float] = field(default_factory=list)
    to_back_referral: list[float] = field(default_factory=list)
    handling: list[float] = field(default_factory=list)
    answering: list[float] = field(default_factory=list)
    cost: Decimal = Decimal(0)
    in_time: int = 0
    back_referred: int = 0
    decided: int = 0
    rejected: int = 0
    answers: int = 0
    accepted: int = 0
    digital: int = 0

    @property
    def treated(self) -> int:
        """Patients who came because of the wait."""
        return sum(
            count
            for (cause, _border), count in self.patients.items()
            if cause == ReferralCause.WAITING_TIME
        )


def count_quarter(quarter: Quarter, *, until: datetime) -> dict[str, Counted]:
    """By the code of each region that takes part; what was registered ``until`` then counts."""
    taking_part = Case.objects.filter(received_at__lt=quarter.end).order_by()
    counted = {
        code: Counted() for code in sorted(taking_part.values_list("region", flat=True).distinct())
    }
    for code, one in counted.items():
        one.after_few = treated_after_few(code, quarter.months)
    _count_treated(counted, quarter, until=until)
    _count_decided(counted, quarter)
    _count_answers(counted, quarter)
    return counted


# The region's own hospitals are one provider: moving between its clinics is not another provider.
_ANOTHER = ~Q(care_unit__provider=F("case__sending_unit__provider"))
_BECAUSE_OF_THE_WAIT = Q(case__referral_cause=ReferralCause.WAITING_TIME)


def _offers() -> QuerySet[Offer]:
    return Offer.objects.filter(_ANOTHER).order_by()


def _count_treated(counted: dict[str, Counted], quarter: Quarter, *, until: datetime) -> None:
    rows = (
        _offers()
        .filter(
            referral__treated_on__range=(quarter.first_day, quarter.last_day),
            referral__rejected_at__isnull=True,
        )
        .order_by("case_id", "serial")
        .values_list(
            *("case_id", "case__region_id", "case__referral_cause", "care_unit__region_id"),
            *("referral__treated_on", "case__decision_date", "case__last_day"),
            *("sent_at", "home_wait_days", "call_off__amount_sek", "referral__back_referred_at"),
        )
    )
    seen = set()
    for case, region, cause, place, treated, decided, last, sent, home, cost, back in rows:
        if case in seen or region not in counted:
            continue
        seen.add(case)
        mine = counted[region]
        border = Border.WITHIN if place == region else Border.ACROSS
        mine.patients[cause, border.value] += 1
        mine.by_month[treated.month][border == Border.ACROSS] += 1
        if cause != ReferralCause.WAITING_TIME:
            continue
        mine.waited.append((treated - decided).days)
        mine.in_time += treated <= last
        mine.cost += cost or 0
        if home is not None:
            mine.gained.append(home - (treated - timezone.localdate(sent)).days)
        if back is not None and back <= until:
            mine.back_referred += 1
            mine.to_back_referral.append((timezone.localdate(back) - treated).days)


def _count_decided(counted: dict[str, Counted], quarter: Quarter) -> None:
    """Confirmed or rejected by the provider within the quarter."""
    span = (quarter.start, quarter.end)
    offers = _offers().filter(_BECAUSE_OF_THE_WAIT)
    confirmed = offers.filter(
        referral__confirmed_at__gte=span[0], referral__confirmed_at__lt=span[1]
    )
    for region, received, at in confirmed.values_list(
        "case__region_id", "case__received_at", "referral__confirmed_at"
    ):
        if region in counted and at is not None:
            mine = counted[region]
            mine.decided += 1
            mine.handling.append((at - received).total_seconds() / SECONDS_A_DAY)
    # One that was confirmed first and rejected later has its later word.
    rejected = Referral.objects.filter(
        rejected_at__gte=span[0], rejected_at__lt=span[1], offer__in=offers
    )
    for region, was_confirmed in rejected.order_by().values_list(
        "offer__case__region_id", "confirmed_at"
    ):
        if region in counted:
            mine = counted[region]
            mine.rejected += 1
            if was_confirmed is None or not span[0] <= was_confirmed < span[1]:
                mine.decided += 1


def _count_answers(counted: dict[str, Counted], quarter: Quarter) -> None:
    rows = (
        _offers()
        .filter(
            _BECAUSE_OF_THE_WAIT,
            answered_at__gte=quarter.start,
            answered_at__lt=quarter.end,
            answer_channel__gt="",
        )
        .values_list(
            "case__region_id", "sent_at", "answered_at", "answer_channel", "decline_reason"
        )
    )
    for region, sent, answered, channel, reason in rows:
        if region not in counted or answered is None:
            continue
        mine = counted[region]
        mine.answers += 1
        mine.accepted += not reason
        mine.digital += channel in PATIENTS_OWN
        mine.answering.append((answered - sent).total_seconds() / SECONDS_AN_HOUR)
