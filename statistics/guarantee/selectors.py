"""The page's figures: a month's waiting and done by clinic, medical area and phase.

Those who see figures only get small numbers hidden. What is hidden is worked out over the whole
month's table, the same whatever is chosen, so that no two choices give a number back.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

from django.db import models
from django.db.models import Count as CountOf
from django.db.models import Q, prefetch_related_objects
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notices.texts.comparing import Share, wilson
from organisations.access import Actor, as_product
from organisations.models import CareUnit, Region, Role
from referral.models import Case, CloseReason, Phase
from statistics.facts.models import CaseFact
from statistics.frozen.hiding import Hiding
from statistics.guarantee.columns import COUNTS, LIMITS, SIZE, Basis, Column, Count, Kind
from statistics.guarantee.counting import Cells, Group, counted, last_counted_day
from statistics.guarantee.hiding import Family, hide
from statistics.guarantee.withheld import region_told, withheld_clinics
from statistics.hiding import hiding_of
from statistics.kept import each_case_once
from statistics.months import Month
from statistics.selectors import SEES_CASES, clinics_of

TOTAL = "total"
MOST_KEPT = 600
# The cells that are not shown.
Hidden = AbstractSet[tuple[str, Count]]


class Dimension(models.TextChoices):
    CLINIC = "clinic", gettext_lazy("Klinik")
    AREA = "mvo", gettext_lazy("Medicinskt verksamhetsområde (MVO)")
    PHASE = "phase", gettext_lazy("Vårdgarantins del")


DEFINITIONS = (
    (
        gettext_lazy("Väntande"),
        gettext_lazy(
            "Ärenden som vid månadens slut (för pågående månad: i dag) hade kommit in och varken "
            "var behandlade eller avslutade."
        ),
    ),
    (
        gettext_lazy("Genomförda"),
        gettext_lazy("Ärenden med behandlingsdatum hos mottagande vårdgivare under månaden."),
    ),
    (
        gettext_lazy("Väntan"),
        gettext_lazy(
            "Dagar från remissen (första besök) eller beslutet (behandling) till dagen ovan. "
            "Högst 30 dagar räknas som inom 30 dagar."
        ),
    ),
    (
        gettext_lazy("Utan pauser"),
        gettext_lazy(
            "Dagar med patientvald eller medicinskt orsakad väntan räknas inte, som i "
            "vårdgarantins klocka. Med pauser räknas alla kalenderdagar."
        ),
    ),
    (
        gettext_lazy("Egen gräns"),
        gettext_lazy(
            "Den vårdgaranti i dagar som regionen lovade när blanketten kom in; den kan vara "
            "kortare än lagens 90 dagar."
        ),
    ),
    (
        gettext_lazy("Osäkerhet"),
        gettext_lazy("95 procents konfidensintervall för andelen (Wilson)."),
    ),
)


@dataclass(frozen=True)
class Cell:
    """A count and its share of the group. ``None``: hidden."""

    count: int | None
    share: Share | None = None

    @property
    def is_hidden(self) -> bool:
        return self.count is None


@dataclass
class Line:
    """A row of the page's table: a group with its counts by basis."""

    key: str
    label: str
    size: int | None
    within: dict[str, dict[int, Cell]]
    own: dict[str, Cell]
    own_limit: int | None
    paused: dict[str, int | None] = field(default_factory=dict)


@dataclass
class Guarantee:
    """A month of a region or a clinic. ``lines`` and ``totals`` by kind of wait."""

    month: Month
    day: date
    region: str
    region_name: str
    dimension: str
    basis: str
    clinic: CareUnit | None
    lines: dict[str, list[Line]]
    totals: dict[str, Line]
    ended: list[tuple[str, int | None]]
    suppressed: bool


@as_product("statistics")
def guarantee_for(
    actor: Actor,
    *,
    month: Month,
    today: date,
    dimension: str = Dimension.CLINIC,
    basis: str = Basis.WITHOUT,
    clinic: CareUnit | None = None,
    phase: str = "",
) -> Guarantee:
    """The figures of a month. Raises :class:`NotAllowed` for roles without statistics.

    ``phase`` narrows the figures for those who see the cases; others choose it as the dimension.
    """
    clinics = clinics_of(actor)
    region = Region.objects.get(code=actor.region)
    hides = actor.role not in SEES_CASES
    if actor.role == Role.CLINIC:
        clinic = clinics[0] if clinics else None
    prefetch_related_objects(clinics, "medical_area")
    mine = {unit.pk for unit in clinics}
    found = counted(region.code, month=month, today=today)
    ended = _ended(region.code, month, clinics={clinic.pk} if clinic and not hides else mine)
    done = {key: group for key, group in found[Kind.DONE].items() if key[0] in mine}
    hiding = _hiding(region.code, month, ended, done, mine) if hides else None
    result = Guarantee(
        month=month,
        day=last_counted_day(month, today=today),
        region=region.code,
        region_name=region.name,
        dimension=dimension,
        basis=basis,
        clinic=clinic,
        lines={},
        totals={},
        ended=_ended_elsewhere(ended, region.code, hiding),
        suppressed=hides,
    )
    for kind in Kind.values:
        cells = {
            key: group
            for key, group in found[kind].items()
            if key[0] in mine and (hides or not phase or key[1] == phase)
        }
        if not hides and clinic:
            cells = {key: group for key, group in cells.items() if key[0] == clinic.pk}
        table = _Groups.of(cells, clinics)
        hidden: Hidden = frozenset()
        if hides and kind == Kind.DONE:
            hidden = table.hidden(hiding)
        elif hides:
            hidden = table.hidden(
                None,
                withheld=withheld_clinics(region.code, month, mine),
                total_withheld=not region_told(region.code, month),
            )
        chosen = f"clinic:{clinic.pk}" if clinic and hides else TOTAL
        keys = table.keys_of(dimension)
        if chosen != TOTAL:
            keys = [chosen] if dimension == Dimension.CLINIC else []
        result.lines[kind] = [table.line(key, hidden, hides=hides) for key in keys]
        result.totals[kind] = table.line(chosen, hidden, hides=hides)
    return result


@dataclass
class _Groups:
    """Every group that a page can show, each with what it is the sum of."""

    groups: dict[str, Group]
    labels: dict[str, str]
    families: list[Family]

    @classmethod
    def of(cls, cells: Cells, clinics: Iterable[CareUnit]) -> "_Groups":
        groups: dict[str, Group] = defaultdict(Group)
        labels = {TOTAL: _("Totalt")}
        areas: dict[str, list[str]] = defaultdict(list)
        labels |= {f"phase:{part}": str(part.label) for part in Phase}
        area_of = {}
        for unit in clinics:
            key, area = f"clinic:{unit.pk}", f"mvo:{unit.medical_area_id or ''}"
            labels[key] = unit.name
            labels[area] = str(unit.medical_area) if unit.medical_area else _("Utan MVO")
            areas[area].append(key)
            area_of[unit.pk] = area
        for key in labels:
            groups[key]
        for (clinic, phase), group in cells.items():
            for name in (f"clinic:{clinic}", area_of[clinic], f"phase:{phase}", TOTAL):
                groups[name].add(group)
        families: list[Family] = [(area, tuple(units)) for area, units in areas.items()]
        phases = tuple(f"phase:{part}" for part in Phase.values)
        families += [(TOTAL, tuple(areas)), (TOTAL, phases)]
        return cls(dict(groups), labels, families)

    def keys_of(self, dimension: str) -> list[str]:
        """The rows of a dimension, by name."""
        keys = [key for key in self.groups if key.startswith(f"{dimension}:")]
        if dimension == Dimension.PHASE:
            return keys
        return sorted(keys, key=lambda key: self.labels[key])

    def hidden(
        self,
        hiding: Hiding | None,
        *,
        withheld: Collection[int] = (),
        total_withheld: bool = False,
    ) -> Hidden:
        """What is not shown. The done are the treated of other pages (``hiding``): clinics and
        the region are hidden here as there. Of these and of ``withheld`` clinics nothing is shown,
        nor of the areas that they are in: those within 180 days can be all of them. With the total
        hidden or withheld nothing is shown of the phases that make it up."""
        values = tuple(
            (key, tuple(group.counts[count] for count in COUNTS))
            for key, group in self.groups.items()
        )
        elsewhere: dict[str, bool] = {}
        if hiding:
            elsewhere = {
                key: hiding.is_hidden("treated", ("clinic", key.removeprefix("clinic:")))
                for key in self.groups
                if key.startswith("clinic:")
            }
        away = {f"clinic:{clinic}" for clinic in withheld}
        away |= {key for key, is_hidden in elsewhere.items() if is_hidden}
        if hiding:
            elsewhere[TOTAL] = "treated" in hiding.everywhere
            total_withheld = elsewhere[TOTAL]
        away |= {
            total for total, parts in self.families if total != TOTAL and not away.isdisjoint(parts)
        }
        if total_withheld:
            away |= {TOTAL, *self.keys_of(Dimension.PHASE)}
        return _hidden(
            values,
            tuple(self.families),
            tuple(elsewhere.items()),
            frozenset(away.intersection(self.groups)),
        )

    def line(self, key: str, hidden: Hidden, *, hides: bool) -> Line:
        group = self.groups[key]

        def shown(count: Count) -> int | None:
            return None if (key, count) in hidden else group.counts[count]

        size = shown(SIZE)
        own = {basis: self._own(key, basis, hidden, hides=hides) for basis in Basis.values}
        return Line(
            key=key,
            label=self.labels[key],
            size=size,
            within={
                basis: {limit: _cell(shown(Column(basis, limit)), size) for limit in LIMITS}
                for basis in Basis.values
            },
            own={basis: _cell(count, size) for basis, count in own.items()},
            own_limit=group.own_limit,
            paused={name: None if hides else group.paused[name] for name in ("patient", "medical")},
        )

    def _own(self, key: str, basis: str, hidden: Hidden, *, hides: bool) -> int | None:
        """Those within their own limit, told only by what is shown anyway.

        One limit for all that stands among the columns is that column; else the sum of the parts,
        where each of them is told.
        """
        group = self.groups[key]
        if not hides:
            return group.own[basis]
        if not group.limits:
            return 0
        if group.own_limit in LIMITS:
            count = Column(basis, group.own_limit)
            return None if (key, count) in hidden else group.counts[count]
        parts = next((parts for total, parts in self.families if total == key), ())
        told = [self._own(part, basis, hidden, hides=True) for part in parts]
        known = [count for count in told if count is not None]
        return sum(known) if told and len(known) == len(told) else None


@lru_cache(maxsize=MOST_KEPT)
def _hidden(
    values: tuple[tuple[str, tuple[int, ...]], ...],
    families: tuple[Family, ...],
    elsewhere: tuple[tuple[str, bool], ...],
    withheld: frozenset[str],
) -> Hidden:
    """By all counts, in the order of ``COUNTS``: most months are asked for again unchanged."""
    table = {key: dict(zip(COUNTS, counts, strict=True)) for key, counts in values}
    return frozenset(hide(table, families, elsewhere=dict(elsewhere), withheld=withheld))


def _cell(count: int | None, size: int | None) -> Cell:
    return Cell(count, wilson(count, size) if count is not None and size else None)


def _ended(region: str, month: Month, *, clinics: set[int]) -> dict[str, int]:
    """Cases that ended in the month, by reason."""
    ended = Q(region_id=region, closed_at__gte=month.start, closed_at__lt=month.end)
    parts = each_case_once(
        CaseFact.objects.filter(ended, clinic_id__in=clinics),
        Case.objects.filter(ended, sending_unit_id__in=clinics),
        region=region,
    )
    found: Counter[str] = Counter()
    for part in parts:
        counts = part.order_by().values_list("close_reason").annotate(n=CountOf("*"))
        found.update(dict(counts))
    return found


def _ended_elsewhere(
    counts: Mapping[str, int], region: str, hiding: Hiding | None
) -> list[tuple[str, int | None]]:
    """Those that ended without treatment elsewhere, as they may be shown."""
    return [
        (
            str(reason.label),
            None
            if hiding and hiding.is_hidden(f"closed_{reason}", ("region", region))
            else counts.get(reason, 0),
        )
        for reason in CloseReason
        if reason != CloseReason.TREATED
    ]


def _hiding(
    region: str, month: Month, ended: Mapping[str, int], cells: Cells, clinics: set[int]
) -> Hiding:
    """What all pages hide of the month's treated and ended."""
    here = ("region", region)
    treated: dict[tuple[str, str], int] = {("clinic", str(pk)): 0 for pk in clinics}
    for (clinic, _phase), group in cells.items():
        treated["clinic", str(clinic)] += group.counts[SIZE]
    treated[here] = sum(treated.values())
    table = {"treated": treated, "closed": {here: sum(ended.values())}}
    table |= {f"closed_{reason}": {here: ended.get(reason, 0)} for reason in CloseReason}
    return hiding_of(region, {month: table}, groups=treated)[month]
