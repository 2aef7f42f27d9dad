"""Who is acting and what they may see: the one place that decides (design 5.6)."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from organisations.access_log.kept import remember
from organisations.access_log.writing import Shown, Who, write_rows
from organisations.acting import act_as, acting_as, acting_now
from organisations.models import Assignment, Role, User

__all__ = [
    "CHOSEN_ASSIGNMENT",
    "PATIENT",
    "PATIENT_DATA_ROLES",
    "SYSTEM",
    "Actor",
    "act_as",
    "acting_as",
    "actor_for",
    "actor_in",
    "as_product",
    "chosen_among",
    "current_assignment",
    "live_assignments",
    "record_access",
]

SYSTEM = "system"
PATIENT = "patient"

# Key in the session of the assignment that the user chose to work in.
CHOSEN_ASSIGNMENT = "assignment"

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
    assignment_id: int | None = None
    region: str | None = None
    care_unit_id: int | None = None
    provider_id: int | None = None
    # Of a patient on the own page: the one case that it sees.
    case_id: int | None = None
    place: str = ""

    @classmethod
    def system(cls, reason: str) -> "Actor":
        """The product itself, with the reason it acts (a sweep, a command)."""
        return cls(role=SYSTEM, name=reason)

    @classmethod
    def patient(cls, channel: str, *, case_id: int | None = None) -> "Actor":
        """The patient, who answers through a channel; sees ``case_id`` here, or nothing."""
        return cls(role=PATIENT, name=channel, case_id=case_id)

    @property
    def is_system(self) -> bool:
        return self.role == SYSTEM

    @property
    def signature(self) -> dict[str, Any]:
        """Who wrote a row, in the columns of every table that keeps it."""
        return {
            "user_id": self.user_id,
            "actor_name": self.name,
            "role": self.role,
            "place": self.place,
        }

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
) -> list[Assignment]:
    """Everything the user may work as now, the oldest first; nothing for a user shut off.

    ``within`` holds the ids that a login or an API token allows; ``None``: all.
    """
    if not user.is_active:
        return []
    found = Assignment.objects.live(now=now).filter(user=user)
    if within is not None:
        found = found.filter(pk__in=within)
    return list(found.select_related("region", "care_unit", "provider").order_by("pk"))


def chosen_among(assignments: Sequence[Assignment], chosen: object) -> Assignment | None:
    """The one with the chosen id, else the first: a choice that has ended gives way."""
    first = assignments[0] if assignments else None
    return next((one for one in assignments if one.pk == chosen), first)


def current_assignment(
    user: User,
    *,
    now: datetime,
    chosen: int | None = None,
    within: Collection[int] | None = None,
) -> Assignment | None:
    """The assignment the user works in now: the chosen one when it is live, else the first."""
    return chosen_among(live_assignments(user, now=now, within=within), chosen)


def actor_for(
    user: User,
    *,
    now: datetime,
    chosen: int | None = None,
    within: Collection[int] | None = None,
) -> Actor | None:
    """The actor a logged-in user is, or ``None`` when no assignment is live."""
    assignment = current_assignment(user, now=now, chosen=chosen, within=within)
    return actor_in(user, assignment) if assignment else None


def actor_in(user: User, assignment: Assignment) -> Actor:
    """The user at work in one of the assignments that are live."""
    return Actor(
        role=assignment.role,
        name=user.name,
        user_id=user.pk,
        assignment_id=assignment.pk,
        region=assignment.region_id,
        care_unit_id=assignment.care_unit_id,
        provider_id=assignment.provider_id,
        place=assignment.place,
    )


def record_access(
    actor: Actor,
    *,
    what: str,
    now: datetime,
    cases: Iterable[tuple[str, int | None]] = (),
    forms: Iterable[int] = (),
    of_change: bool = False,
) -> None:
    """Write one access-log row for each (case number, patient id) that was shown or changed.

    ``forms`` are the keys of drafts, which hold a patient's data before there is a case. A look is
    kept whatever becomes of the request; ``of_change`` marks a row that tells of a change and is
    taken back with it.
    """
    who = Who(actor.user_id, actor.name, actor.role, actor.place, actor.region or "")
    shown = [Shown(number, patient_id) for number, patient_id in cases]
    shown += [Shown(form_id=form_id) for form_id in forms]
    if not of_change:
        remember(who, what=what, at=now, shown=shown)
    _write(actor, who, what=what, now=now, shown=shown)


def _write(actor: Actor, who: Who, *, what: str, now: datetime, shown: Sequence[Shown]) -> None:
    if _may_write_own_rows(actor):
        write_rows(who, what=what, at=now, shown=shown)
        return
    with as_product("access log"):
        write_rows(who, what=what, at=now, shown=shown)


def _may_write_own_rows(actor: Actor) -> bool:
    """The log takes rows in the acting person's own name, and anyone's from the product."""
    acting = acting_now()
    if acting is None:
        return False
    if acting.role == SYSTEM:
        return True
    return acting.user_id is not None and (acting.user_id, acting.role, acting.region) == (
        actor.user_id,
        actor.role,
        actor.region,
    )
