"""Whom a campaign reaches and what it costs, a sample, and how far it has come.

Figures are asked as the product: the campaign itself is what the actor may see. Names and texts
are read as the actor.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import CharField, Count, Min, Q, QuerySet, Value
from django.db.models.functions import MD5, Cast, Concat
from django.utils import timezone

from notices.campaigns.filters import filter_of
from notices.campaigns.models import Campaign, CampaignRecipient
from notices.models import Notice
from organisations.access import Actor, as_product
from organisations.models import Region, Role
from patients.models import Patient
from referral.models import Case
from referral.models.cases import CaseQuerySet

SAMPLE = 5
MAY_SEE = frozenset({Role.NAVIGATOR, Role.REGION_ADMIN, Role.MANAGER})
# These see the patients behind the figures; the others see figures only.
SEES_PATIENTS = frozenset({Role.NAVIGATOR})


@dataclass(frozen=True)
class Reach:
    """How many patients a filter finds, and between what limits it costs to tell them.

    Who has 1177 or a digital mailbox is known first when each notice is sent; a protected
    identity always gets a letter.
    """

    patients: int
    by_letter: int
    letter_sek: Decimal
    digital_sek: Decimal

    @property
    def least_sek(self) -> Decimal:
        digital = min(self.letter_sek, self.digital_sek)
        return self.by_letter * self.letter_sek + (self.patients - self.by_letter) * digital

    @property
    def most_sek(self) -> Decimal:
        dearest = max(self.letter_sek, self.digital_sek)
        return self.by_letter * self.letter_sek + (self.patients - self.by_letter) * dearest


def campaigns_of(actor: Actor) -> QuerySet[Campaign]:
    """The region's campaigns, the newest first; a manager's are those that have started."""
    if actor.role not in MAY_SEE or not actor.region:
        return Campaign.objects.none()
    found = Campaign.objects.filter(region_id=actor.region)
    if actor.role == Role.MANAGER:
        found = found.filter(state__in=Campaign.STARTED)
    return found.select_related("region", "prepared_by", "changed_by", "approved_by")


def navigators_of(region: str) -> Actor:
    """Any of the region's navigators: whom a campaign reaches does not hang on who asks."""
    return Actor(role=Role.NAVIGATOR, name="", region=region)


def chosen_cases(campaign: Campaign, *, now: datetime) -> CaseQuerySet:
    """One case for each patient the filter finds now: the one that has waited longest."""
    today = timezone.localdate(now)
    filters = filter_of(campaign.criteria, actor=navigators_of(campaign.region_id), today=today)
    cases: CaseQuerySet = filters.qs
    return cases.order_by("patient_id", "decision_date", "pk").distinct("patient_id")


@as_product("campaign")
def reach_of(campaign: Campaign, *, now: datetime) -> Reach:
    """Raises :class:`organisations.errors.InvalidInput` when the filter holds no more."""
    today = timezone.localdate(now)
    filters = filter_of(campaign.criteria, actor=navigators_of(campaign.region_id), today=today)
    return count_reach(filters.qs, campaign.region)


@as_product("campaign")
def count_reach(cases: CaseQuerySet, region: Region) -> Reach:
    hidden = Q(patient__protection__in=Patient.PROTECTED)
    counts = cases.order_by().aggregate(
        patients=Count("patient", distinct=True),
        by_letter=Count("patient", distinct=True, filter=hidden),
    )
    return Reach(**counts, letter_sek=region.letter_sek, digital_sek=region.digital_sek)


def approved_reach(campaign: Campaign) -> Reach | None:
    """As the approver found it; ``None`` when nobody has approved."""
    if campaign.patients is None or campaign.by_letter is None:
        return None
    if campaign.letter_sek is None or campaign.digital_sek is None:
        return None
    return Reach(campaign.patients, campaign.by_letter, campaign.letter_sek, campaign.digital_sek)


def sample_of(campaign: Campaign, actor: Actor, *, now: datetime) -> list[Case]:
    """A few of the patients' cases, the same ones until the campaign is changed.

    Drawn by chance, but not anew for each look: nobody leafs through the patients by it.
    """
    lot = MD5(
        Concat(
            Cast("patient_id", CharField()),
            Value(f"/{campaign.pk}/{campaign.version}"),
            output_field=CharField(),
        )
    )
    with as_product("campaign"):
        drawn = Case.objects.filter(pk__in=chosen_cases(campaign, now=now).values("pk"))
        keys = list(drawn.annotate(lot=lot).order_by("lot").values_list("pk", flat=True)[:SAMPLE])
    return list(
        Case.objects.visible_to(actor)
        .filter(pk__in=keys)
        .select_related("patient", "region", "form", "sending_unit__municipality", "receiving_unit")
        .order_by("pk")
    )


@dataclass(frozen=True)
class Progress:
    """How many of a campaign's patients have come how far."""

    patients: int
    waiting: int
    told: int
    skipped: int
    stopped: int
    unsent: int
    held: int
    cancelled: int
    failed: int
    sent: int

    @property
    def percent(self) -> int:
        """Of all, those who need nothing more written; never 100 before the last."""
        return 100 * (self.patients - self.waiting) // self.patients if self.patients else 0


@as_product("campaign")
def progress_of(campaign: Campaign) -> Progress:
    R, N = CampaignRecipient.State, Notice.State
    rows = dict(_counts(campaign.recipients.order_by(), "state"))
    notices = Notice.objects.filter(recipient__campaign=campaign).order_by()
    by_state = dict(_counts(notices, "state"))
    return Progress(
        patients=sum(rows.values()),
        waiting=rows.get(R.WAITING, 0),
        told=rows.get(R.TOLD, 0),
        skipped=rows.get(R.SKIPPED, 0),
        stopped=rows.get(R.STOPPED, 0),
        unsent=by_state.get(N.WAITING, 0) + by_state.get(N.BATCHED, 0),
        held=by_state.get(N.HELD, 0),
        cancelled=by_state.get(N.CANCELLED, 0),
        failed=by_state.get(N.FAILED, 0),
        sent=notices.filter(sent_at__isnull=False).count(),
    )


def _counts(rows: QuerySet[CampaignRecipient] | QuerySet[Notice], field: str) -> Mapping[str, int]:
    return dict(rows.values_list(field).annotate(n=Count("pk")))


@as_product("campaign")
def reasons_of(campaign: Campaign) -> list[tuple[str, int]]:
    """Why patients were not told, with how many each; the most first."""
    told = (CampaignRecipient.State.SKIPPED, CampaignRecipient.State.STOPPED)
    rows = campaign.recipients.filter(state__in=told).order_by().values_list("why")
    return list(
        rows.annotate(n=Count("pk"), first=Min("pk"))
        .order_by("-n", "first")
        .values_list("why", "n")
    )


def recipients_of(campaign: Campaign, actor: Actor) -> QuerySet[CampaignRecipient]:
    """The campaign's patients whose cases the actor sees."""
    return (
        CampaignRecipient.objects.filter(campaign=campaign)
        .filter(case__in=Case.objects.visible_to(actor))
        .select_related("case__patient", "case__sending_unit", "notice")
        .order_by("pk")
    )


def also_waiting(rows: list[CampaignRecipient], actor: Actor) -> dict[int, list[Case]]:
    """By patient, the other cases in which they wait: the answer was about the one alone."""
    named = {row.case_id for row in rows}
    others = (
        Case.objects.visible_to(actor)
        .open()
        .filter(patient__in={row.patient_id for row in rows})
        .exclude(pk__in=named)
        .order_by("number")
    )
    found: dict[int, list[Case]] = {}
    for case in others:
        found.setdefault(case.patient_id, []).append(case)
    return found


def last_told(case: Case) -> CampaignRecipient | None:
    """The campaign row that the case was last told by."""
    return case.campaigns.filter(state=CampaignRecipient.State.TOLD).order_by("told_at").last()
