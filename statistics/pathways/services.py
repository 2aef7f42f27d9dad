"""A region enters its limits and its cancer cases."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from organisations.access import Actor, as_product
from organisations.errors import InvalidInput, NotAllowed
from organisations.models import Role
from referral.pathways import FirstTreatment, pathway_names
from statistics.pathways.halves import HalfYear
from statistics.pathways.models import InclusionCount, PathwayLimit

MOST_DAYS = 365
MOST_CASES = 100_000
LONGEST_SOURCE = 160


def enter_limit(
    *, pathway: str, treatment: str, days: int, actor: Actor, now: datetime
) -> PathwayLimit:
    """Say the region's maximum lead time, in calendar days. Raises :class:`InvalidInput`."""
    region = _region_of(actor)
    problems = {}
    if pathway not in pathway_names():
        problems["pathway"] = _("Okänt val.")
    if treatment not in FirstTreatment.values:
        problems["treatment"] = _("Okänt val.")
    if not 1 <= days <= MOST_DAYS:
        problems["days"] = _("Ange ett antal dagar mellan 1 och 365.")
    _refuse(problems)
    with transaction.atomic(), as_product("pathway limit"):
        return PathwayLimit.objects.create(
            region_id=region,
            pathway=pathway,
            treatment=treatment,
            days=days,
            entered_at=now,
            entered_by=actor.name[:120],
        )


def enter_inclusion(
    *, period: str, new_cases: int, included: int, source: str, actor: Actor, now: datetime
) -> InclusionCount:
    """Say the region's new cancer cases and how many of them were in a pathway."""
    region = _region_of(actor)
    problems = {}
    if HalfYear.parse(period) is None:
        problems["period"] = _("Skriv halvåret som 2026H1.")
    if not 1 <= new_cases <= MOST_CASES:
        problems["new_cases"] = _("Ange ett antal mellan 1 och 100 000.")
    if not 0 <= included <= MOST_CASES:
        problems["included"] = _("Ange ett antal mellan 0 och 100 000.")
    if not source.strip() or len(source) > LONGEST_SOURCE or "\x00" in source:
        problems["source"] = _("Ange källan, högst 160 tecken.")
    _refuse(problems)
    with transaction.atomic(), as_product("inclusion"):
        return InclusionCount.objects.create(
            region_id=region,
            period=period,
            new_cases=new_cases,
            included=included,
            source=source.strip(),
            entered_at=now,
            entered_by=actor.name[:120],
        )


def _region_of(actor: Actor) -> str:
    if actor.role != Role.REGION_ADMIN or not actor.region:
        raise NotAllowed(_("Bara regionens administratör anger ledtider och antal."))
    return actor.region


def _refuse(problems: dict[str, str]) -> None:
    if problems:
        raise InvalidInput(_("Uppgifterna kan inte sparas."), fields=problems)
