"""Who rules over which assignments, people and units (docs/decisions/0008)."""

from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from organisations.access import Actor
from organisations.errors import NotAllowed
from organisations.models import Assignment, CareUnit, Invitation, Provider, Region, Role, User
from organisations.models.users import ruled_by

ADMINISTRATORS = frozenset({Role.REGION_ADMIN, Role.OPERATOR})

# An operator gives no role that works with a region's patients; a region's administrator gives
# no access to a machine and none to the installation.
MAY_GIVE: dict[str, tuple[Role, ...]] = {
    Role.REGION_ADMIN: (
        Role.CLINIC,
        Role.NAVIGATOR,
        Role.PROVIDER,
        Role.CONTRACT_OWNER,
        Role.MANAGER,
        Role.REGION_ADMIN,
    ),
    Role.OPERATOR: (Role.REGION_ADMIN, Role.PROVIDER, Role.OPERATOR),
}


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where an assignment holds: what its role needs, and nothing else."""

    region: Region | None = None
    care_unit: CareUnit | None = None
    provider: Provider | None = None

    @classmethod
    def of(cls, row: Assignment | Invitation) -> "Place":
        return cls(region=row.region, care_unit=row.care_unit, provider=row.provider)

    @property
    def ruling_region(self) -> str | None:
        """The region whose administrator answers for it; ``None`` leaves it to the operator."""
        if self.care_unit:
            return self.care_unit.region_id
        if self.provider:
            return self.provider.region_id
        return self.region.code if self.region else None

    def __str__(self) -> str:
        return str(self.care_unit or self.provider or self.region or "")

    def as_fields(self) -> dict[str, Region | CareUnit | Provider | None]:
        return {"region": self.region, "care_unit": self.care_unit, "provider": self.provider}


def rules_over(actor: Actor, place: Place) -> bool:
    if actor.role == Role.REGION_ADMIN:
        return actor.region is not None and place.ruling_region == actor.region
    return actor.role == Role.OPERATOR


def require_administrator(actor: Actor) -> None:
    if actor.role not in ADMINISTRATORS:
        raise NotAllowed(_("Bara regionadministratörer och systemoperatörer gör detta."))


def require_rule_over(actor: Actor, place: Place) -> None:
    if not rules_over(actor, place):
        raise NotAllowed(_("Det råder en annan administratör över."))


def require_may_give(actor: Actor, role: str, place: Place) -> None:
    if role not in MAY_GIVE.get(actor.role, ()):
        raise NotAllowed(_("Den rollen kan du inte ge."))
    require_rule_over(actor, place)


def require_somebody_else(actor: Actor, person: User) -> None:
    """Nobody adds to, or changes, an access of their own: a colleague does it, on record."""
    if actor.user_id == person.pk:
        raise NotAllowed(_("Du kan inte ändra din egen behörighet. Be en annan administratör."))


def assignments_ruled(actor: Actor) -> QuerySet[Assignment]:
    """The assignments, past and present, that the actor rules over."""
    if actor.role == Role.REGION_ADMIN and actor.region:
        return Assignment.objects.ruled_by(actor.region)
    if actor.role == Role.OPERATOR:
        return Assignment.objects.all()
    return Assignment.objects.none()


def invitations_ruled(actor: Actor) -> QuerySet[Invitation]:
    if actor.role == Role.REGION_ADMIN and actor.region:
        return Invitation.objects.filter(ruled_by(actor.region))
    if actor.role == Role.OPERATOR:
        return Invitation.objects.all()
    return Invitation.objects.none()


def people_ruled(actor: Actor) -> QuerySet[User]:
    """Those with an assignment, past or present, that the actor rules over."""
    if actor.role == Role.OPERATOR:
        return User.objects.all()
    return User.objects.filter(Exists(assignments_ruled(actor).filter(user=OuterRef("pk"))))


def units_ruled(actor: Actor) -> QuerySet[CareUnit]:
    """The units that lie in the actor's region; all of them for the operator."""
    units = CareUnit.objects.select_related("provider", "region", "municipality", "medical_area")
    if actor.role == Role.REGION_ADMIN and actor.region:
        return units.filter(region_id=actor.region)
    return units if actor.role == Role.OPERATOR else units.none()


def elsewhere(actor: Actor) -> Q:
    """Assignments that somebody else rules over."""
    return ~Q(pk__in=assignments_ruled(actor).values("pk"))
