"""Reads of deliveries and of how far each variable is reported, as far as the actor may see them.

Those who read here see figures only, so counts of contacts from 1 to 4 are hidden; a share is
rounded to whole per cent and hidden when it rests on fewer than five contacts, or tells of so few.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from math import sqrt
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from organisations.access import Actor
from organisations.models import Role
from organisations.suppression import SMALL, suppress
from statistics.guarantee.withheld import is_withheld
from statistics.months import Month
from statistics.waiting_times.codes import SEVERITY_LABELS, reason_of, severity_of
from statistics.waiting_times.layout import (
    DONE,
    Requirement,
    Variable,
    columns,
    label_of,
)
from statistics.waiting_times.models import WaitingTimeDegree, WaitingTimeDelivery
from statistics.waiting_times.validation import Fault

MAY_SEE = frozenset({Role.REGION_ADMIN, Role.MANAGER})
EARLIER = 6  # months shown beside the chosen one
COMPARED = 3  # months that a drop is measured from
# A drop is clear when it is of so many percentage points, and so many standard errors.
DROP_POINTS, DROP_ERRORS = 5, 3.0


def deliveries_of(actor: Actor) -> QuerySet[WaitingTimeDelivery]:
    """The region's deliveries, the latest first; for its administrator and manager."""
    if actor.role not in MAY_SEE or not actor.region:
        return WaitingTimeDelivery.objects.none()
    return WaitingTimeDelivery.objects.filter(region_id=actor.region).order_by("-pk")


def current_of(region: str, model: str, month: Month | None) -> WaitingTimeDelivery | None:
    """The month's present version: the latest that was not refused."""
    if not model or month is None:
        return None
    return (
        WaitingTimeDelivery.objects.filter(
            region_id=region, model=model, month=month.first_day, version__isnull=False
        )
        .order_by("-version")
        .first()
    )


def is_current(delivery: WaitingTimeDelivery) -> bool:
    """Whether the delivery is what the region has reported for its month."""
    current = current_of(delivery.region_id, delivery.model, delivery.reported_month)
    return current is not None and current.pk == delivery.pk


@dataclass(frozen=True)
class Degree:
    """How far a variable was reported in a month."""

    values: int = 0
    missing: int = 0
    not_applicable: int = 0

    @property
    def applicable(self) -> int:
        return self.values + self.missing

    @property
    def total(self) -> int:
        return self.applicable + self.not_applicable

    @property
    def is_hidden(self) -> bool:
        """Whether it would tell of fewer than five contacts."""
        return any(count in SMALL for count in (self.values, self.applicable))

    @property
    def share(self) -> int | None:
        """Per cent of the contacts that the variable applies to; unknown without any, or hidden."""
        return None if self.is_hidden else _percent(self.values, self.applicable)

    @property
    def share_of_all(self) -> int | None:
        """Per cent of all contacts: the reporting degree as Socialstyrelsen counts it."""
        if self.is_hidden or self.not_applicable in SMALL:
            return None
        return _percent(self.values, self.total)


@dataclass(frozen=True)
class VariableDegrees:
    """A variable's degree in the chosen month and in those before, the latest first."""

    variable: Variable
    requirement: str
    now: Degree | None
    earlier: list[Degree | None]

    @property
    def has_dropped(self) -> bool:
        """Whether the month lies clearly below the months before it, chance set aside."""
        before = [one for one in self.earlier[:COMPARED] if one]
        if self.now is None or self.now.is_hidden or any(one.is_hidden for one in before):
            return False
        return _dropped(self.now, before)


@dataclass(frozen=True)
class Reporting:
    """The page of a model, a status and a month."""

    month: Month
    months: list[Month]
    delivery: WaitingTimeDelivery | None
    rows: list[VariableDegrees]

    @property
    def dropped(self) -> list[VariableDegrees]:
        return [one for one in self.rows if one.has_dropped]


def reporting(actor: Actor, *, model: str, status: str, month: Month) -> Reporting:
    """The degree of each variable of the model, by the present version of each month."""
    months = [month.back(back) for back in range(EARLIER + 1)]
    days = {one.first_day: one for one in months}
    versions = deliveries_of(actor).filter(model=model, month__in=list(days), version__isnull=False)
    current: dict[Month, WaitingTimeDelivery] = {}
    for delivery in versions.order_by("version"):
        current[Month.of(delivery.month)] = delivery  # type: ignore[arg-type]
    counted = _degrees(current, status)
    rows = [
        VariableDegrees(
            variable=one,
            requirement=one.requirement_labels[0 if status == DONE else 1],
            now=counted.get((month, one.name)),
            earlier=[counted.get((before, one.name)) for before in months[1:]],
        )
        for one in columns(model)
        if (one.done if status == DONE else one.waiting) != Requirement.EXCLUDED
    ]
    return Reporting(month, months[1:], current.get(month), rows)


def _degrees(
    current: dict[Month, WaitingTimeDelivery], status: str
) -> dict[tuple[Month, str], Degree]:
    months = {delivery.pk: month for month, delivery in current.items()}
    found = WaitingTimeDegree.objects.filter(delivery__in=list(months), status=status)
    return {
        (months[one.delivery_id], one.variable): Degree(one.values, one.missing, one.not_applicable)
        for one in found
    }


def _dropped(now: Degree, before: Iterable[Degree]) -> bool:
    """Two shares compared: far apart, and further than their standard error explains."""
    values = sum(one.values for one in before)
    applicable = sum(one.applicable for one in before)
    if not applicable or not now.applicable:
        return False
    was, is_now = values / applicable, now.values / now.applicable
    if 100 * (was - is_now) < DROP_POINTS:
        return False
    pooled = (values + now.values) / (applicable + now.applicable)
    error = sqrt(pooled * (1 - pooled) * (1 / applicable + 1 / now.applicable))
    return was - is_now > DROP_ERRORS * error


def _percent(part: int, whole: int) -> int | None:
    return round(100 * part / whole) if whole else None


@dataclass(frozen=True)
class FaultLine:
    """How often something is wrong with a variable, in words; ``None`` where that is hidden."""

    variable: str
    label: str
    code: str
    severity: str
    reason: str
    count: int | None

    @property
    def as_json(self) -> dict[str, Any]:
        return {
            "variable": self.variable,
            "code": self.code,
            "severity": severity_of(self.code).value,
            "reason": self.reason,
            "count": self.count,
        }


def fault_line(model: str, name: str, code: str, count: int | None) -> FaultLine:
    """A fault of a file, in words; without a variable it is the file's own."""
    label = label_of(model, name) if model and name else name or str(_("Filen"))
    return FaultLine(
        name, label, code, str(SEVERITY_LABELS[severity_of(code)]), reason_of(code), count
    )


@dataclass(frozen=True)
class Counts:
    """A delivery's counts as those who see figures may see them; ``None`` is hidden."""

    rows: int | None
    done: int | None
    waiting: int | None
    errors: int
    lacks: int | None
    remarks: int | None


def counts_of(delivery: WaitingTimeDelivery) -> Counts:
    """The counts, without what would tell of one to four contacts."""
    rows, done, waiting = _contacts(delivery)
    shown = delivery.version is None or None not in (rows, done, waiting)
    return Counts(
        rows,
        done,
        waiting,
        delivery.errors,
        delivery.lacks if shown else None,
        delivery.remarks if shown else None,
    )


def hides_faults(delivery: WaitingTimeDelivery) -> bool:
    """Whether how often and where something is wrong would give a hidden count away.

    A refused file counts for nothing, and its faults are there to be mended: they are shown.
    """
    return delivery.version is not None and None in _contacts(delivery)


def faults_of(delivery: WaitingTimeDelivery) -> list[FaultLine]:
    """What was wrong with the delivery, the gravest first."""
    hidden = hides_faults(delivery)
    return [
        fault_line(delivery.model, name, code, None if hidden else count)
        for name, code, count in delivery.faults
    ]


def first_faults_of(delivery: WaitingTimeDelivery) -> list[Fault]:
    """The delivery's first faults, row by row."""
    return [] if hides_faults(delivery) else [Fault(*one) for one in delivery.first_faults]


def _contacts(delivery: WaitingTimeDelivery) -> tuple[int | None, int | None, int | None]:
    """Rows, done and waiting. What other pages hide of the region's month, a file of its own cases
    does not tell either (docs/decisions/0037)."""
    own, month = delivery.origin == WaitingTimeDelivery.Origin.OWN, delivery.reported_month
    if own and month and is_withheld(delivery.region_id, month):
        return None, None, None
    parts = [delivery.done, delivery.waiting, delivery.rows - delivery.done - delivery.waiting]
    hidden, total_hidden = suppress(parts)
    return (
        None if total_hidden else delivery.rows,
        None if hidden[0] else delivery.done,
        None if hidden[1] else delivery.waiting,
    )


def receipt_of(delivery: WaitingTimeDelivery) -> dict[str, Any]:
    """The receipt for machines."""
    return {
        "number": delivery.number,
        "region": delivery.region_id,
        "model": delivery.model or None,
        "month": str(delivery.reported_month) if delivery.month else None,
        "version": delivery.version,
        "is_current": is_current(delivery),
        "verdict": delivery.verdict,
        "origin": delivery.origin,
        "file": {
            "name": delivery.name,
            "size": delivery.size,
            "sha256": delivery.sha256,
            "is_kept": delivery.is_kept,
        },
        "counts": asdict(counts_of(delivery)),
        "faults": [one.as_json for one in faults_of(delivery)],
        "delivered_at": delivery.delivered_at.isoformat(),
        "delivered_by": delivery.actor_name,
        "role": delivery.role,
        "place": delivery.place,
    }
