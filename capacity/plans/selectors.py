"""Who may see and who may change which delivery plans (design 5.6)."""

from datetime import date, timedelta

from django.db.models import Count, Prefetch, Q, QuerySet

from capacity.models import DeliveryPlan, PlanVersion
from contracts.models import CallOff, Contract, ContractLine
from organisations.access import Actor
from organisations.models import Role

EDITORS = frozenset({Role.CONTRACT_OWNER, Role.NAVIGATOR})
MAY_SEE = (Role.CONTRACT_OWNER, Role.NAVIGATOR, Role.MANAGER, Role.PROVIDER)
# See figures only: small numbers are hidden from them.
FIGURES_ONLY = frozenset({Role.MANAGER})


def may_plan(actor: Actor) -> bool:
    """Whether the actor makes plans at all: for the own region."""
    return actor.role in EDITORS and bool(actor.region)


def may_change(actor: Actor, plan: DeliveryPlan) -> bool:
    return may_plan(actor) and actor.region == plan.region_id


def sees_small(actor: Actor) -> bool:
    return actor.role not in FIGURES_ONLY


def plans_of(actor: Actor) -> QuerySet[DeliveryPlan]:
    """The plans the actor may see, with their versions.

    A region's contract owner, navigators, managers and systems see the region's; the contract owner
    also others' plans on the contracts it owns, once agreed. A provider sees its own, once agreed;
    someone at one unit those for the unit and for the whole provider.
    """
    plans = DeliveryPlan.objects.all()
    agreed = Q(versions__agreed_at__isnull=False)
    if actor.role == Role.CONTRACT_OWNER and actor.region:
        others = DeliveryPlan.objects.filter(agreed, contract__owner_region_id=actor.region)
        plans = plans.filter(Q(region_id=actor.region) | Q(pk__in=others.values("pk")))
    elif actor.role in {Role.NAVIGATOR, Role.MANAGER, Role.INTEGRATION} and actor.region:
        plans = plans.filter(region_id=actor.region)
    elif actor.role == Role.PROVIDER and actor.provider_id:
        own = DeliveryPlan.objects.filter(agreed, provider_id=actor.provider_id)
        if actor.care_unit_id:
            own = own.filter(Q(care_unit=None) | Q(care_unit_id=actor.care_unit_id))
        plans = plans.filter(pk__in=own.values("pk"))
    elif not actor.is_system:
        plans = plans.none()
    return plans.select_related("region", "provider", "care_unit", "contract").prefetch_related(
        Prefetch("versions", queryset=PlanVersion.objects.order_by("-number"))
    )


def versions_seen(actor: Actor, plan: DeliveryPlan) -> list[PlanVersion]:
    """The newest first; drafts are seen by the plan's own region only."""
    versions = list(plan.versions.all())
    if actor.is_system or (actor.region == plan.region_id and actor.role != Role.PROVIDER):
        return versions
    return [version for version in versions if version.is_agreed]


def agreed_version(plan: DeliveryPlan) -> PlanVersion | None:
    """What holds: the newest agreed version."""
    return next((version for version in plan.versions.all() if version.is_agreed), None)


def draft_version(plan: DeliveryPlan) -> PlanVersion | None:
    return next((version for version in plan.versions.all() if not version.is_agreed), None)


def lines_to_plan(actor: Actor) -> QuerySet[ContractLine]:
    """Active lines that the actor's region may call off on."""
    usable = Contract.regions_allowed.through.objects.filter(region_id=actor.region or "")
    return (
        ContractLine.objects.filter(
            is_active=True, contract__is_stopped=False, contract__in=usable.values("contract_id")
        )
        .select_related("contract__provider", "care_unit")
        .order_by("contract__provider__name", "kva", "care_unit__name", "pk")
    )


def share_of(plan: DeliveryPlan, *, today: date) -> int:
    """How much of the region's treated patients of the code the place took in a year, per cent.

    100 where nobody has been treated anywhere, 1 where the place has had nobody.
    """
    place = Q(line__contract__provider_id=plan.provider_id)
    if plan.care_unit_id:
        place &= Q(line__care_unit_id=plan.care_unit_id)
    counts = CallOff.objects.filter(
        region_id=plan.region_id,
        line__kva__startswith=plan.kva,
        state__in=[CallOff.State.USED, CallOff.State.SETTLED],
        counts_on__gt=today - timedelta(days=365),
        counts_on__lte=today,
    ).aggregate(all=Count("pk"), place=Count("pk", filter=place))
    if not counts["all"]:
        return 100
    return max(1, round(100 * counts["place"] / counts["all"]))
