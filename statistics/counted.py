"""What a month's figure is counted on: its rows, when they count and whose they are.

The figures and the lists of the cases behind them read the same rows from here.
"""

from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from referral.models import Case, Offer, Referral
from statistics.months import Month

Conditions = dict[str, Any]


@dataclass(frozen=True)
class Counted:
    """``case`` is the way from a row to its case, with ``__`` last; empty for cases themselves."""

    rows: QuerySet[Any]
    at: str
    case: str = ""


def counted(cases: Conditions, *, first: Month, last: Month) -> dict[str, Counted]:
    """The rows behind each figure of the months, for the cases of the conditions."""
    span = (first.start, last.end)
    days = (first.first_day, last.back(-1).first_day)
    of_offer, of_referral = prefixed(cases, "case__"), prefixed(cases, "offer__case__")
    answered = Offer.objects.filter(
        of_offer, answered_at__gte=span[0], answered_at__lt=span[1], answer_channel__gt=""
    )
    return {
        "received": Counted(
            Case.objects.filter(
                prefixed(cases, ""), received_at__gte=span[0], received_at__lt=span[1]
            ),
            "received_at",
        ),
        "offered": Counted(
            Offer.objects.filter(of_offer, sent_at__gte=span[0], sent_at__lt=span[1]),
            "sent_at",
            "case__",
        ),
        "answered": Counted(answered, "answered_at", "case__"),
        "accepted": Counted(answered.filter(decline_reason=""), "answered_at", "case__"),
        "declined": Counted(answered.exclude(decline_reason=""), "answered_at", "case__"),
        "confirmed": Counted(
            Referral.objects.filter(
                of_referral, confirmed_at__gte=span[0], confirmed_at__lt=span[1]
            ),
            "confirmed_at",
            "offer__case__",
        ),
        "treated": Counted(
            Referral.objects.filter(of_referral, treated_on__gte=days[0], treated_on__lt=days[1]),
            "treated_on",
            "offer__case__",
        ),
    }


def prefixed(cases: Conditions, prefix: str) -> Q:
    """The same conditions seen from a related table."""
    return Q(**{prefix + name: value for name, value in cases.items()})
