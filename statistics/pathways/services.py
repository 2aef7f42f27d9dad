"""A region enters its limits, its cancer cases and its lead times; the rules of what can be."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from organisations.access import Actor, as_product
from organisations.errors import DomainError, InvalidInput, NotAllowed, WrongState
from organisations.models import Region, Role
from referral.pathways import FirstTreatment, pathway_names
from statistics.pathways.halves import HalfYear
from statistics.pathways.models import (
    MOST_MEDIAN,
    TOLD,
    InclusionCount,
    LeadTimeCount,
    OwnStep,
    PathwayLimit,
    Told,
)

MOST_DAYS = 365
MOST_CASES = 100_000
LONGEST_SOURCE = 160


class NotTold(DomainError):
    """The region has told no such thing."""

    status = 404
    code = "not_told"


def enter_limit(
    *, pathway: str, treatment: str, days: int, actor: Actor, now: datetime
) -> PathwayLimit:
    """Say the region's maximum lead time, in calendar days. Raises :class:`InvalidInput`."""
    region = region_of(actor)
    told = {"pathway": pathway, "treatment": treatment, "days": days}
    _refuse(limit_problems(**told))  # type: ignore[arg-type]
    with transaction.atomic(), as_product("pathway limit"):
        return PathwayLimit.objects.create(region=locked(region), **told, **signed(actor, now=now))


def enter_inclusion(
    *,
    period: str,
    new_cases: int,
    included: int,
    source: str,
    actor: Actor,
    now: datetime,
    pathway: str = "",
) -> InclusionCount:
    """Say the region's new cancer cases and how many of them were in a pathway.

    Without ``pathway`` all of them together. Raises :class:`InvalidInput`.
    """
    region = region_of(actor)
    told: dict[str, Any] = {
        "period": period,
        "pathway": pathway,
        "new_cases": new_cases,
        "included": included,
        "source": source.strip(),
    }
    _refuse(inclusion_problems(**told, today=timezone.localdate(now)))
    with transaction.atomic(), as_product("inclusion"):
        return InclusionCount.objects.create(
            region=locked(region), **told, **signed(actor, now=now)
        )


def enter_lead_time(
    *,
    period: str,
    patients: int,
    within: int | None,
    source: str,
    actor: Actor,
    now: datetime,
    pathway: str = "",
    step: str = OwnStep.TO_TREATMENT,
    median_days: Decimal | None = None,
) -> LeadTimeCount:
    """Say how many of all the region's patients kept the lead time.

    Raises :class:`InvalidInput`.
    """
    region = region_of(actor)
    told: dict[str, Any] = {
        "period": period,
        "pathway": pathway,
        "step": step,
        "patients": patients,
        "within": within,
        "median_days": median_days,
        "source": source.strip(),
    }
    _refuse(lead_time_problems(**told, today=timezone.localdate(now)))
    with transaction.atomic(), as_product("lead times"):
        return LeadTimeCount.objects.create(region=locked(region), **told, **signed(actor, now=now))


@transaction.atomic
def withdraw(what: str, pk: int, *, actor: Actor, now: datetime) -> Told:
    """Take back what holds, until it is told anew; what was told stays, and who took it back.

    ``what`` is a name in ``TOLD``. Raises :class:`NotTold` for what the region has not told and
    :class:`WrongState` for what holds no longer.
    """
    region = region_of(actor)
    with as_product("pathway withdrawal"):
        rows = TOLD[what].objects.of(locked(region).code)
        row: Told | None = rows.filter(pk=pk).first()
        if row is None:
            raise NotTold(_("Uppgiften finns inte."))
        if not rows.holding().filter(pk=pk).exists():
            raise WrongState(_("Uppgiften gäller inte längre: återtagen eller angiven på nytt."))
        row.pk, row.file, row.is_withdrawn = None, None, True
        for name, value in signed(actor, now=now).items():
            setattr(row, name, value)
        row.save(force_insert=True)
        return row


def limit_problems(*, pathway: str, treatment: str, days: int) -> dict[str, str]:
    """What of a maximum lead time does not hold, by field."""
    problems = {}
    if pathway not in pathway_names():
        problems["pathway"] = _("Okänt val.")
    if treatment not in FirstTreatment.values:
        problems["treatment"] = _("Okänt val.")
    if not 1 <= days <= MOST_DAYS:
        problems["days"] = _("Ange ett antal dagar mellan 1 och 365.")
    return problems


def inclusion_problems(
    *, period: str, pathway: str, new_cases: int, included: int, source: str, today: date
) -> dict[str, str]:
    """What of a half-year's inclusion does not hold, by field."""
    problems = _common_problems(period=period, pathway=pathway, source=source, today=today)
    if not 1 <= new_cases <= MOST_CASES:
        problems["new_cases"] = _("Ange ett antal mellan 1 och 100 000.")
    if not 0 <= included <= MOST_CASES:
        problems["included"] = _("Ange ett antal mellan 0 och 100 000.")
    return problems


def lead_time_problems(
    *,
    period: str,
    pathway: str,
    step: str,
    patients: int,
    within: int | None,
    median_days: Decimal | None,
    source: str,
    today: date,
) -> dict[str, str]:
    """What of a half-year's own lead time does not hold, by field."""
    problems = _common_problems(period=period, pathway=pathway, source=source, today=today)
    if step not in OwnStep.values:
        problems["step"] = _("Okänt val.")
    if not 1 <= patients <= MOST_CASES:
        problems["patients"] = _("Ange ett antal mellan 1 och 100 000.")
    if within is None:
        if step == OwnStep.TO_TREATMENT:
            problems["within"] = _("Ange hur många som behandlades inom längsta ledtid.")
    elif not 0 <= within <= patients:
        problems["within"] = _("Ange högst så många som alla patienter.")
    if median_days is not None and not (
        median_days.is_finite() and 0 <= median_days <= MOST_MEDIAN
    ):
        problems["median_days"] = _("Ange ett antal dagar mellan 0 och 3650.")
    return problems


def _common_problems(*, period: str, pathway: str, source: str, today: date) -> dict[str, str]:
    problems = {}
    half = HalfYear.parse(period)
    if half is None:
        problems["period"] = _("Skriv halvåret som 2026H1.")
    elif half.first_day > today:
        problems["period"] = _("Halvåret har inte varit än.")
    if pathway and pathway not in pathway_names():
        problems["pathway"] = _("Okänt val.")
    if not source.strip() or len(source) > LONGEST_SOURCE or "\x00" in source:
        problems["source"] = _("Ange källan, högst 160 tecken.")
    return problems


def region_of(actor: Actor) -> str:
    """The region that the actor tells of; raises :class:`NotAllowed` for others."""
    if actor.role != Role.REGION_ADMIN or not actor.region:
        raise NotAllowed(_("Bara regionens administratör anger ledtider och antal."))
    return actor.region


def locked(code: str) -> Region:
    """The region, for one who tells at a time, so that none misses what another has just told."""
    return Region.objects.select_for_update(no_key=True).get(code=code)


def signed(actor: Actor, *, now: datetime) -> dict[str, Any]:
    return {"entered_at": now, "entered_by": actor.name[:120]}


def _refuse(problems: dict[str, str]) -> None:
    if problems:
        raise InvalidInput(_("Uppgifterna kan inte sparas."), fields=problems)
