"""Reads for the pages of administration. All take the actor; none touches a patient's data."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, Min, OuterRef, Prefetch, Q, QuerySet
from django.utils.translation import gettext as _

from organisations.access import Actor, as_product
from organisations.administration.authority import (
    assignments_ruled,
    invitations_ruled,
    people_ruled,
    units_ruled,
)
from organisations.administration.signs import Sign, signs
from organisations.models import (
    AdministrationLog,
    Assignment,
    CareUnit,
    EventDelivery,
    Invitation,
    Provider,
    Region,
    Role,
    SweepRun,
    User,
)
from organisations.sweeps import sweep_names

HISTORY_ROWS = 50
STUCK_AFTER = timedelta(minutes=10)
WORKING, LEFT, SHUT_OFF = "working", "left", "shut_off"


def people(
    actor: Actor, *, now: datetime, search: str = "", role: str = "", state: str = ""
) -> QuerySet[User]:
    """The people the actor rules over, each with those of their assignments that it rules over."""
    ruled = assignments_ruled(actor)
    living = ruled.unended(now=now).filter(user=OuterRef("pk"))  # type: ignore[attr-defined]
    found = people_ruled(actor)
    if search:
        found = found.filter(
            Q(name__icontains=search)
            | Q(login__icontains=search)
            | Q(email__icontains=search)
            | Q(hsa_id__icontains=search)
        )
    if role:
        found = found.filter(Exists(living.filter(role=role)))
    if state == WORKING:
        found = found.filter(Exists(living), is_active=True)
    elif state == LEFT:
        found = found.filter(~Exists(living))
    elif state == SHUT_OFF:
        found = found.filter(is_active=False)
    shown = ruled.unended(now=now)  # type: ignore[attr-defined]
    return found.order_by("name", "pk").prefetch_related(
        Prefetch("assignments", queryset=_with_places(shown), to_attr="shown_assignments")
    )


def assignments_of(person: User, *, actor: Actor) -> QuerySet[Assignment]:
    """The person's assignments that the actor rules over, ended ones too, newest first."""
    return _with_places(assignments_ruled(actor).filter(user=person)).order_by("-pk")


def open_invitations(actor: Actor) -> QuerySet[Invitation]:
    """Neither accepted nor withdrawn; those that have expired too, so that none is forgotten."""
    return (
        invitations_ruled(actor)
        .filter(accepted_at__isnull=True, withdrawn_at__isnull=True)
        .select_related("region", "care_unit", "provider", "invited_by")
    )


def units(actor: Actor, *, search: str = "", state: str = "") -> QuerySet[CareUnit]:
    found = units_ruled(actor)
    if search:
        found = found.filter(
            Q(name__icontains=search)
            | Q(hsa_id__icontains=search)
            | Q(provider__name__icontains=search)
        )
    if state:
        found = found.filter(is_active=state == "open")
    return found.order_by("name", "pk")


def history(
    actor: Actor,
    *,
    person: User | None = None,
    unit: CareUnit | None = None,
    verb: str = "",
    before: int | None = None,
) -> QuerySet[AdministrationLog]:
    """What was done, newest first: a region's own for its administrator, all for the operator."""
    rows = AdministrationLog.objects.all()
    if actor.role == Role.REGION_ADMIN and actor.region:
        rows = rows.filter(region_id=actor.region)
    elif actor.role != Role.OPERATOR:
        rows = rows.none()
    if person:
        rows = rows.filter(person=person)
    if unit:
        rows = rows.filter(care_unit=unit)
    if verb:
        rows = rows.filter(verb=verb)
    if before:
        rows = rows.filter(pk__lt=before)
    return rows.order_by("-pk")


def regions_with_administrators(*, now: datetime) -> QuerySet[Region]:
    """All regions, each with the number of its administrators."""
    live = Assignment.objects.live(now=now).filter(role=Role.REGION_ADMIN, user__is_active=True)
    return Region.objects.order_by("code").annotate(
        administrators=Count("assignment", filter=Q(assignment__in=live.values("pk")))
    )


def providers(*, search: str = "") -> QuerySet[Provider]:
    found = Provider.objects.select_related("region").annotate(units=Count("care_units"))
    if search:
        found = found.filter(Q(name__icontains=search) | Q(organisation_number__icontains=search))
    return found.order_by("name")


@dataclass(frozen=True)
class Health:
    """How the installation does. Kinds, counts and times; no case, no patient, no error's text."""

    failing: list[dict[str, Any]]
    failing_count: int
    stuck_count: int
    oldest_due: datetime | None
    sweeps: list[SweepRun]
    unsent_invitations: int
    signs: list[Sign]

    @property
    def is_well(self) -> bool:
        late = any(sweep.late or sweep.error for sweep in self.sweeps)  # type: ignore[attr-defined]
        ill = any(not sign.is_well for sign in self.signs)
        return not (self.failing_count or self.stuck_count or late or ill)


@as_product("kinds and counts of deliveries for the operator")
def health(*, now: datetime) -> Health:
    waiting = EventDelivery.objects.filter(done_at__isnull=True)
    failing = waiting.filter(attempts__gt=0)
    stuck = waiting.filter(due_at__lt=now - STUCK_AFTER).aggregate(
        n=Count("pk"), oldest=Min("due_at")
    )
    return Health(
        failing=[_described(row) for row in failing.select_related("event").order_by("pk")[:50]],
        failing_count=failing.count(),
        stuck_count=stuck["n"],
        oldest_due=stuck["oldest"],
        sweeps=_sweeps(now=now),
        signs=signs(now),
        unsent_invitations=Invitation.objects.open(now=now)
        .filter(sent_at__isnull=True, attempts__gt=0)
        .count(),
    )


def sweep_label(name: str) -> str:
    """What the operator reads for a sweep; its own name for one that has none here."""
    labels = {
        "events": _("Händelser"),
        "invitations": _("Inbjudningar"),
        "offers": _("Erbjudanden vars tid går ut"),
        "allocations": _("Fördelning av väntelistor"),
        "waiting_lists": _("Väntelistor från fil"),
        "campaigns": _("Kampanjer"),
        "inbox": _("Meddelanden i 1177"),
        "email": _("E-post"),
        "staff_mail": _(
            "E-post till personal om takvolymer, bevakningslistan, leveransplaner och statistik"
        ),
        "openings": _("Avtal och perioder som börjar"),
        "letters": _("Brev"),
        "print_reports": _("Kvittenser från tryckeriet"),
        "threads": _("Frågor till 1177 om lästa och besvarade meddelanden"),
        "delivery_plans": _("Leveransplaner mot utfall"),
        "access log": _("Försegling av åtkomstloggen"),
        "sessions": _("Inloggningar som gått ut"),
        "failed_logins": _("Gamla inloggningsförsök"),
        "kept_texts": _("Sparad text i formulär"),
        "invoices": _("Fakturarader som väntat på behandlingen"),
        "facts": _("Statistikens underlag"),
        "months": _("Statistikens månader"),
        "frozen_months": _("Frysning och omräkning av månadens statistik"),
        "clinics_waiting": _("Beslut om vilka klinikers väntande som visas"),
        "open_data": _("Öppna data som publiceras efter kvartalets slut"),
    }
    return labels.get(name, name)


def _sweeps(*, now: datetime) -> list[SweepRun]:
    known = {run.name: run for run in SweepRun.objects.all()}
    rows = [known.get(name, SweepRun(name=name)) for name in sweep_names()]
    for row in rows:
        row.label = sweep_label(row.name)  # type: ignore[attr-defined]
        row.late = row.done_at is None or row.done_at < now - STUCK_AFTER  # type: ignore[attr-defined]
    return rows


def _described(row: EventDelivery) -> dict[str, Any]:
    """The error's class alone: its text may quote what a patient's row holds."""
    return {
        "pk": row.pk,
        "kind": row.event.kind,
        "consumer": row.consumer,
        "attempts": row.attempts,
        "due_at": row.due_at,
        "error": row.last_error.split(":", 1)[0][:80],
    }


def _with_places(assignments: QuerySet[Assignment]) -> QuerySet[Assignment]:
    return assignments.select_related("region", "care_unit", "provider")
