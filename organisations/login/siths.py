"""From verified claims to a user and the assignments it may work in (docs/operations.md).

The commission's care unit must be one that Vårdlots knows, and its care provider the unit's, where
the operator has entered the provider's HSA-id. An assignment that an administrator has
prepared for the person counts when it belongs to that unit: the unit's own, its provider's, or its
region's. Without one the unit itself gives the role, if the commission is for care: a clinic where
the unit sends patients, a receiving provider where it receives them.
"""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from organisations.access import live_assignments
from organisations.administration.services import invited_user
from organisations.login.claims import SithsIdentity
from organisations.login.openid import LoginRefused
from organisations.models import Assignment, CareUnit, Role, User

REGION_ROLES = frozenset({Role.NAVIGATOR, Role.CONTRACT_OWNER, Role.MANAGER, Role.REGION_ADMIN})


@dataclass(frozen=True)
class SithsLogin:
    user: User
    assignments: tuple[int, ...]


@transaction.atomic
def log_in(identity: SithsIdentity, *, now: datetime) -> SithsLogin:
    """Find or create the user, and the assignments that this login lets it work in.

    Whoever has an open invitation comes in without any, to take it up. Raises
    :class:`LoginRefused` when there is none, and leaves nothing behind.
    """
    unit = _unit(identity)
    user = _user(identity)
    prepared = [
        assignment.pk
        for assignment in live_assignments(user, now=now)
        if not assignment.from_login and belongs_to(assignment, unit)
    ]
    if prepared:
        return SithsLogin(user, tuple(prepared))
    _refuse_if_ended(user, unit, now=now)
    roles = _roles_of(unit) if identity.gives_care else []
    if not roles:
        if invited_user(identity.hsa_id, name=identity.name, now=now) is not None:
            return SithsLogin(user, ())  # may take up the invitation, and nothing else
        raise LoginRefused(
            _(
                "Du har inget uppdrag i Vårdlots för %(unit)s. Be regionadministratören om ett "
                "uppdrag och uppge ditt HSA-id %(hsa_id)s. Har du flera uppdrag i HSA kan du logga "
                "in igen och välja ett annat."
            )
            % {"unit": unit.name, "hsa_id": identity.hsa_id},
            code="no_assignment",
        )
    given = [_give(user, role, unit, now=now).pk for role in roles]
    return SithsLogin(user, tuple(given))


def belongs_to(assignment: Assignment, unit: CareUnit) -> bool:
    """Whether someone who works at ``unit`` now may work in the assignment."""
    if assignment.role == Role.OPERATOR:
        return True
    if assignment.role in REGION_ROLES:
        return assignment.region_id == unit.region_id
    if assignment.care_unit_id:
        return assignment.care_unit_id == unit.pk
    if assignment.role == Role.PROVIDER:
        return assignment.provider_id == unit.provider_id
    return False


def _unit(identity: SithsIdentity) -> CareUnit:
    unit = (
        CareUnit.objects.select_related("provider", "region")
        .filter(hsa_id=identity.commission_hsa_id)
        .first()
    )
    if unit is None:
        raise LoginRefused(
            _(
                "Vårdenheten i ditt uppdrag, %(hsa_id)s, finns inte i Vårdlots. Välj ett annat "
                "uppdrag när du loggar in, eller be regionadministratören lägga upp enheten."
            )
            % {"hsa_id": identity.commission_hsa_id},
            code="unknown_unit",
        )
    if not unit.is_active:
        raise LoginRefused(
            _(
                "%(unit)s är avslutad i Vårdlots. Välj ett annat uppdrag när du loggar in, eller "
                "vänd dig till regionadministratören."
            )
            % {"unit": unit.name},
            code="unit_closed",
        )
    if unit.provider.hsa_id and unit.provider.hsa_id != identity.care_provider_hsa_id:
        raise LoginRefused(
            _(
                "Ditt uppdrag gäller vårdgivaren %(hsa_id)s, men %(unit)s hör i Vårdlots till en "
                "annan vårdgivare. Välj ett annat uppdrag när du loggar in, eller be den som "
                "driver Vårdlots se över enhetens vårdgivare."
            )
            % {"hsa_id": identity.care_provider_hsa_id, "unit": unit.name},
            code="other_care_provider",
        )
    return unit


def _user(identity: SithsIdentity) -> User:
    user, created = User.objects.get_or_create(
        hsa_id=identity.hsa_id, defaults={"login": identity.hsa_id, "name": identity.name}
    )
    if created:
        user.set_unusable_password()
        user.save()
    if not user.is_active:
        raise LoginRefused(
            _("Din användare i Vårdlots är avstängd. Vänd dig till regionadministratören."),
            code="user_shut_off",
        )
    if user.name != identity.name != identity.hsa_id:
        user.name = identity.name
        user.save(update_fields=["name"])
    return user


def _refuse_if_ended(user: User, unit: CareUnit, *, now: datetime) -> None:
    """An administrator who ended the person's assignment here is not overruled by the unit."""
    ended = (
        Assignment.objects.filter(user=user, care_unit=unit, from_login=False, ends_at__lte=now)
        .order_by("-ends_at")
        .first()
    )
    if ended is not None and ended.ends_at is not None:
        raise LoginRefused(
            _(
                "Ditt uppdrag vid %(unit)s avslutades %(day)s. Ska du fortsätta arbeta där, be "
                "regionadministratören om ett nytt uppdrag."
            )
            % {"unit": unit.name, "day": timezone.localdate(ended.ends_at)},
            code="assignment_ended",
        )


def _roles_of(unit: CareUnit) -> list[Role]:
    return [
        role for role, holds in ((Role.CLINIC, unit.sends), (Role.PROVIDER, unit.receives)) if holds
    ]


def _give(user: User, role: Role, unit: CareUnit, *, now: datetime) -> Assignment:
    """The unit's assignment for as long as this login may last; a live one is made longer."""
    ends_at = now + settings.SESSION_LONGEST
    live = (
        Assignment.objects.live(now=now)
        .filter(user=user, role=role, care_unit=unit, from_login=True)
        .select_for_update(of=("self",))
        .first()
    )
    if live is not None:
        live.ends_at = ends_at
        live.save(update_fields=["ends_at"])
        return live
    return Assignment.objects.create(
        user=user,
        role=role,
        region=unit.region,
        care_unit=unit,
        provider=unit.provider if role == Role.PROVIDER else None,
        starts_at=now,
        ends_at=ends_at,
        from_login=True,
    )
