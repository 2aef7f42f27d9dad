"""Who is acting and what they may see: the one place that decides (design 5.6)."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from organisations.acting import act_as, acting_as
from organisations.models import AccessLog, Assignment, Role, User

__all__ = [
    "PATIENT",
    "PATIENT_DATA_ROLES",
    "SYSTEM",
    "Actor",
    "act_as",
    "acting_as",
    "actor_for",
    "as_product",
    "current_assignment",
    "live_assignments",
    "record_access",
]

SYSTEM = "system"
PATIENT = "patient"

# Roles that may ever see data about a single patient. Contract owners, managers and operators
# see volumes and figures only.
PATIENT_DATA_ROLES = frozenset(
    {Role.CLINIC, Role.NAVIGATOR, Role.PROVIDER, Role.INTEGRATION, SYSTEM}
)


@dataclass(frozen=True, kw_only=True)
class Actor:
    """The person or system that does something, in one role at one place."""

    role: str
    name: str
    user_id: int | None = None
    region: str | None = None
    care_unit_id: int | None = None
    provider_id: int | None = None
    place: str = ""

    @classmethod
    def system(cls, reason: str) -> "Actor":
        """The product itself, with the reason it acts (a sweep, a command)."""
        return cls(role=SYSTEM, name=reason)

    @classmethod
    def patient(cls, channel: str) -> "Actor":
        """The patient, who answers through a channel and sees nothing here."""
        return cls(role=PATIENT, name=channel)

    @property
    def is_system(self) -> bool:
        return self.role == SYSTEM

    @property
    def role_label(self) -> str:
        if self.role in Role.values:
            return str(Role(self.role).label)
        return {SYSTEM: "Systemet", PATIENT: "Patienten"}.get(self.role, self.role)


@contextmanager
def as_product(reason: str) -> Iterator[None]:
    """Let the product itself act, for a named reason: sweeps, figures, and what services write.

    A service uses it once it has seen that the person may do what it is about to do. Serves as a
    decorator too.
    """
    with acting_as(Actor.system(reason)):
        yield


def live_assignments(
    user: User, *, now: datetime, within: Collection[int] | None = None
) -> QuerySet[Assignment]:
    """The user's live assignments; only those in ``within``, when a login or token names some."""
    found = (
        Assignment.objects.select_related("region", "care_unit", "provider")
        .filter(user=user, starts_at__lte=now)
        .filter(Q(ends_at__isnull=True) | Q(ends_at__gt=now))
        .order_by("pk")
    )
    return found if within is None else found.filter(pk__in=within)


def current_assignment(
    user: User, *, now: datetime, within: Collection[int] | None = None
) -> Assignment | None:
    """The assignment the user works in now: the first that is live, or ``None``."""
    return live_assignments(user, now=now, within=within).first()


def actor_for(user: User, *, now: datetime, within: Collection[int] | None = None) -> Actor | None:
    """The actor a logged-in user is, or ``None`` when no assignment is live."""
    assignment = current_assignment(user, now=now, within=within)
    if assignment is None or not user.is_active:
        return None
    place = assignment.care_unit or assignment.provider or assignment.region
    return Actor(
        role=assignment.role,
        name=user.name,
        user_id=user.pk,
        region=assignment.region_id,
        care_unit_id=assignment.care_unit_id,
        provider_id=assignment.provider_id,
        place=str(place) if place else "",
    )


def record_access(
    actor: Actor,
    *,
    what: str,
    now: datetime,
    cases: Iterable[tuple[str, int | None]],
) -> None:
    """Write one access-log row for each (case number, patient id) that was shown or changed."""
    rows = [
        AccessLog(
            at=now,
            user_id=actor.user_id,
            actor_name=actor.name,
            role=actor.role,
            unit=actor.place,
            case_number=number,
            patient_id=patient_id,
            what=what,
        )
        for number, patient_id in cases
    ]
    with as_product("access log"):
        AccessLog.objects.bulk_create(rows)
