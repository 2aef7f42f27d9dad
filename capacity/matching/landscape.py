"""All that is known of lines, waits, quality, caps and weights on a day, read once.

``Landscape.load`` asks a fixed number of questions of the database, whatever the number of codes;
after that everything is counted in memory. ``ranked`` is the fast answer for one need, of use for
a whole waiting list; ``match`` puts words to the same answer for a page.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import JSONObject

from capacity.distance import great_circle_km
from capacity.matching.filters import asked_of, fails_for_all
from capacity.matching.need import Need
from capacity.matching.scores import NATIONAL, Weights, distance_tenths, shares, tenths
from capacity.matching.terms import Option, Quality, Terms, Wait
from capacity.matching.weights import all_weights
from capacity.models import OWN_SOURCE, QualityMeasure, WaitingTime
from capacity.selectors import FRESH_DAYS
from contracts.codes import covering_codes
from contracts.models import Contract, ContractLine, PeriodCap
from organisations.models import CareUnit

# Up to so many codes the newest wait is looked up for each unit by itself.
FEW_CODES = 4
# Contracts that ended longer ago are no longer told of.
ENDED_DAYS = 365


class Ranked(NamedTuple):
    """A line that can take the patient. The score stands in tenths of a point."""

    tenths: int
    km: int
    option: Option

    @property
    def line(self) -> ContractLine:
        return self.option.line

    @property
    def score(self) -> float:
        return self.tenths / 10


class Landscape:
    """What matching knows on a day. Nothing here asks the database but :meth:`load`."""

    def __init__(
        self,
        *,
        today: date,
        terms: Iterable[Terms],
        waits: Mapping[tuple[int, str], Wait],
        quality: Mapping[tuple[int, str], Quality],
        weights: Mapping[str, Weights] | None = None,
        units: Iterable[CareUnit] = (),
    ) -> None:
        self.today = today
        self._waits, self._quality = waits, quality
        self._weights = weights or {}
        # Units that receive patients and have a fresh wait; of use for those without contract.
        self.units = tuple(units)
        self._all = tuple(terms)
        self._terms: dict[str, list[Terms]] = defaultdict(list)
        for one in self._all:
            self._terms[one.line.kva].append(one)
        self._options: dict[str, tuple[Option, ...]] = {}
        self._usable: dict[tuple[str, str], list[tuple[Option, int]]] = {}
        self._km: dict[tuple[Decimal, Decimal], dict[int, int]] = defaultdict(dict)

    @classmethod
    @transaction.atomic
    def load(
        cls, codes: Collection[str] | None, *, today: date, with_units: bool = False
    ) -> "Landscape":
        """The landscape for some requested codes, or for all of them, in at most seven queries
        within one transaction.

        ``with_units`` also reads the units that have a wait for the codes and no line.
        """
        wanted = None if codes is None else {c for kva in codes for c in covering_codes(kva)}
        lines = list(_lines(wanted, today=today))
        waits = _newest_waits(wanted, today=today)
        return cls(
            today=today,
            terms=_terms(lines, today=today),
            waits=waits,
            quality=_newest_quality(wanted, today=today),
            weights=all_weights(),
            units=_units(waits, lines) if with_units else (),
        )

    def reweighed(self, region: str, weights: Weights) -> "Landscape":
        """The same landscape, had the region these weights."""
        return Landscape(
            today=self.today,
            terms=self._all,
            waits=self._waits,
            quality=self._quality,
            weights={**self._weights, region: weights},
            units=self.units,
        )

    def options(self, kva: str) -> tuple[Option, ...]:
        """All lines that cover the code, beside their figures; usable or not."""
        if kva not in self._options:
            terms = [one for code in covering_codes(kva) for one in self._terms.get(code, ())]
            reference = _median([one.line.price_sek for one in terms])
            self._options[kva] = tuple(
                Option(
                    one,
                    self.wait(one.line.care_unit_id, kva),
                    self.quality(one.line.care_unit_id, kva),
                    float(one.line.price_sek / reference),
                )
                for one in terms
            )
        return self._options[kva]

    def ranked(self, need: Need) -> list[Ranked]:
        """The lines that pass every hard filter, best first; without words and thus fast."""
        weight = self.weights(need.region).distance
        filters = asked_of(need)
        found = []
        for option, points in self._usable_for(need):
            km = self.km(need, option.line.care_unit)
            for fails in filters:
                if fails(option.terms, need, km):
                    break
            else:
                found.append(Ranked(points + distance_tenths(weight, km), km, option))
        found.sort(key=_order)
        return found

    def weights(self, region: str) -> Weights:
        return self._weights.get(region, NATIONAL)

    def wait(self, unit_id: int, kva: str) -> Wait | None:
        """The newest of code and group; of the same day the code's own."""
        found = [w for code in covering_codes(kva) if (w := self._waits.get((unit_id, code)))]
        return max(found, key=lambda w: (w.day, w.kva), default=None)

    def quality(self, unit_id: int, kva: str) -> Quality | None:
        found = [q for code in covering_codes(kva) if (q := self._quality.get((unit_id, code)))]
        return max(found, key=lambda q: (q.year, q.kva), default=None)

    def km(self, need: Need, unit: CareUnit) -> int:
        """Kilometres as the crow flies; counted once for each place and unit."""
        known = self._km[need.latitude, need.longitude]
        key = unit.pk
        if key not in known:
            known[key] = great_circle_km(
                need.latitude, need.longitude, unit.latitude, unit.longitude
            )
        return known[key]

    def _usable_for(self, need: Need) -> list[tuple[Option, int]]:
        """What the region may use for the code now, with all points but those of the distance."""
        key = (need.kva, need.region)
        if key not in self._usable:
            weights = self.weights(need.region)
            self._usable[key] = [
                (option, sum(tenths(weights.of(name), lost) for name, lost in parts.items()))
                for option in self.options(need.kva)
                if not fails_for_all(option.terms, need)
                for parts in [shares(option, need.region)]
            ]
        return self._usable[key]


def _order(one: Ranked) -> tuple[int, int, Decimal, int]:
    """Best score first; then the nearest, the cheapest, the oldest line: never a draw."""
    return -one.tenths, one.km, one.option.line.price_sek, one.option.line.pk


def _median(prices: list[Decimal]) -> Decimal:
    """The middle price of all lines for the code: what a price is held against."""
    return sorted(prices)[len(prices) // 2] if prices else Decimal(1)


# What the database brings


def _lines(codes: set[str] | None, *, today: date) -> Iterable[ContractLine]:
    lines = ContractLine.objects.filter(
        contract__valid_to__gte=today - timedelta(days=ENDED_DAYS)
    ).select_related("contract__owner_region", "care_unit__provider", "care_unit__municipality")
    return lines if codes is None else lines.filter(kva__in=codes)


def _terms(lines: list[ContractLine], *, today: date) -> list[Terms]:
    contracts = {line.contract_id for line in lines}
    regions: dict[int, set[str]] = defaultdict(set)
    allowed = Contract.regions_allowed.through.objects.filter(contract_id__in=contracts)
    for contract_id, code in allowed.values_list("contract_id", "region_id"):
        regions[contract_id].add(code)
    sets = {pk: frozenset(codes) for pk, codes in regions.items()}
    caps: dict[tuple[int | None, int | None], list[PeriodCap]] = defaultdict(list)
    of_any = Q(contract_id__in=contracts) | Q(line_id__in=[line.pk for line in lines])
    for cap in PeriodCap.objects.on(today).filter(of_any):
        caps[cap.contract_id, cap.line_id].append(cap)
    return [
        Terms(
            line,
            today,
            sets.get(line.contract_id, frozenset()),
            tuple(
                cap
                for cap in (*caps[None, line.pk], *caps[line.contract_id, None])
                if not cap.has_room_for(line.price_sek)
            ),
        )
        for line in lines
    ]


def _newest_waits(codes: set[str] | None, *, today: date) -> dict[tuple[int, str], Wait]:
    """The newest wait of each unit and code, as registers have it.

    The product's own patients at a unit are too few to promise by.
    """
    fresh = WaitingTime.objects.filter(
        day__range=(today - timedelta(days=FRESH_DAYS), today), need_within_days=None
    ).exclude(source=OWN_SOURCE)
    if codes is None or len(codes) > FEW_CODES:
        rows = fresh if codes is None else fresh.filter(kva__in=codes)
        newest = (
            rows.order_by("care_unit_id", "kva", "-day", "source")
            .distinct("care_unit_id", "kva")
            .values_list("care_unit_id", "kva", "median_days", "day", "source")
        )
        return {(unit, kva): Wait(days, kva, day, by) for unit, kva, days, day, by in newest}
    return {
        (unit, kva): Wait(said["days"], kva, date.fromisoformat(said["day"]), said["source"])
        for unit, *by_code in _newest_of_each_unit(fresh, sorted(codes))
        for kva, said in zip(sorted(codes), by_code, strict=True)
        if said
    }


def _newest_of_each_unit(
    fresh: QuerySet[WaitingTime], codes: list[str]
) -> Iterable[tuple[Any, ...]]:
    """The unit and what is said for each code, by one look into the index for each.

    However many days and sources there are.
    """
    newest = fresh.filter(care_unit=OuterRef("pk")).order_by("-day", "source")
    said = JSONObject(days="median_days", day="day", source="source")
    return (
        CareUnit.objects.filter(receives=True, is_active=True)
        .order_by()
        .values_list(
            "pk", *(Subquery(newest.filter(kva=kva).values(said=said)[:1]) for kva in codes)
        )
    )


def _newest_quality(codes: set[str] | None, *, today: date) -> dict[tuple[int, str], Quality]:
    rows = (
        QualityMeasure.objects.filter(year__lte=today.year)
        .order_by("care_unit_id", "kva", "-year", "source")
        .distinct("care_unit_id", "kva")
        .values_list("care_unit_id", "kva", "reoperation_percent", "year", "source")
    )
    if codes is not None:
        rows = rows.filter(kva__in=codes)
    return {
        (unit, kva): Quality(percent, kva, year, source)
        for unit, kva, percent, year, source in rows
    }


def _units(waits: Mapping[tuple[int, str], Wait], lines: list[ContractLine]) -> Iterable[CareUnit]:
    """Open units that receive patients and have a fresh wait, but no line for the codes."""
    without = {unit for unit, _kva in waits} - {line.care_unit_id for line in lines}
    return CareUnit.objects.filter(pk__in=without, receives=True, is_active=True).select_related(
        "provider", "municipality"
    )
