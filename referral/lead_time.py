"""The lead time of a cancer pathway, from well-founded suspicion to the start of treatment.

Socialstyrelsen on standardised cancer pathways: the time from suspicion to treatment is measured
alike in the whole country; the maximum differs by diagnosis and treatment. Calendar days; nothing
pauses it.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from referral.guarantee import Urgency
from referral.models import Case, CaseState, Offer, Phase, Referral
from referral.pathways import FirstTreatment, LimitKey, limits_of

SOON_DAYS = 7


@dataclass(frozen=True)
class LeadTime:
    """The lead time of one case on one day."""

    pathway: str
    suspicion: date
    treatment: str  # in words; empty when it is not decided
    limit_days: int | None  # the region's; ``None`` when it is not told
    started_on: date | None  # treatment, by the provider that the case went to
    is_closed: bool
    today: date

    @property
    def last_day(self) -> date | None:
        """The last day on which treatment may start within the limit."""
        if self.limit_days is None:
            return None
        return self.suspicion + timedelta(days=self.limit_days)

    @property
    def days(self) -> int:
        """Days since the suspicion, to the start of treatment when it has come."""
        return ((self.started_on or self.today) - self.suspicion).days

    @property
    def days_left(self) -> int | None:
        """Negative past the last day; ``None`` without a limit and where no treatment came here."""
        if self.limit_days is None or (self.is_closed and self.started_on is None):
            return None
        return self.limit_days - self.days

    @property
    def urgency(self) -> str:
        left = self.days_left
        if left is None:
            return Urgency.CALM
        if self.started_on:
            return Urgency.MISSED if left < 0 else Urgency.KEPT
        if left < 0:
            return Urgency.BREACHED
        return Urgency.SOON if left <= SOON_DAYS else Urgency.CALM

    @property
    def words(self) -> str:
        """How long is left, as the page says it beside the last day; empty when it cannot."""
        left = self.days_left
        if left is None:
            return ""
        over = -left
        match self.urgency:
            case Urgency.BREACHED:
                return ngettext("%d dag över gränsen", "%d dagar över gränsen", over) % over
            case Urgency.MISSED:
                return ngettext("bröts med %d dag", "bröts med %d dagar", over) % over
            case Urgency.KEPT:
                return ngettext("hölls, %d dag kvar", "hölls, %d dagar kvar", left) % left
            case _ if left == 0:
                return _("sista dagen i dag")
            case _:
                return ngettext("%d dag kvar", "%d dagar kvar", left) % left


def lead_time_of(case: Case, offers: Iterable[Offer], *, today: date) -> LeadTime | None:
    """The case's lead time; ``None`` for one without a pathway.

    ``offers`` are those of the case that the reader may see. A first visit is no treatment.
    """
    referrals = (getattr(offer, "referral", None) for offer in offers)
    days = [r.treated_on for r in referrals if r and r.treated_on and not r.rejected_at]
    limits = limits_of(_keys([case]))
    return _lead_time(case, limits, min(days, default=None), today=today)


def lead_times_of(cases: Iterable[Case], *, today: date) -> dict[int, LeadTime]:
    """Those of a list's cases by key, as :func:`lead_time_of` tells them; two queries at most.

    As the actor, who sees the treatments of the cases that it sees.
    """
    followed = [case for case in cases if case.svf_pathway]
    limits = limits_of(_keys(followed))
    ended = [case.pk for case in followed if case.state in _AFTER_TREATMENT]
    started = _treated(ended) if ended else {}
    found = {
        case.pk: _lead_time(case, limits, started.get(case.pk), today=today) for case in followed
    }
    return {key: lead for key, lead in found.items() if lead is not None}


_AFTER_TREATMENT = frozenset({CaseState.TREATED, CaseState.CLOSED})


def _treated(cases: Collection[int]) -> dict[int, date]:
    rows = Referral.objects.filter(offer__case__in=cases, rejected_at__isnull=True)
    days = rows.order_by("-treated_on").values_list("offer__case", "treated_on")
    # The earliest of a case comes last and stays.
    return {case: day for case, day in days if day}


def _keys(cases: Iterable[Case]) -> set[LimitKey]:
    """What the limits are of; a case whose treatment is not decided has none."""
    return {_key(case) for case in cases if case.svf_pathway and case.svf_treatment}


def _key(case: Case) -> LimitKey:
    return (case.region_id, case.svf_pathway, case.svf_treatment)


def _lead_time(
    case: Case, limits: Mapping[LimitKey, int], started_on: date | None, *, today: date
) -> LeadTime | None:
    if not case.svf_pathway or case.suspicion_date is None:
        return None
    return LeadTime(
        pathway=case.pathway_name,
        suspicion=case.suspicion_date,
        treatment=str(FirstTreatment(case.svf_treatment).label) if case.svf_treatment else "",
        limit_days=limits.get(_key(case)),
        started_on=started_on if case.phase == Phase.TREATMENT else None,
        is_closed=not case.is_open,
        today=today,
    )
