"""From a quarter's true numbers to the figures that may be published."""

from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal

from referral.models import ReferralCause
from statistics.open_data.counting import Counted
from statistics.open_data.disclosure import (
    LEAST,
    Cell,
    Column,
    hidden_counts,
    hidden_shares,
    may_correct,
)
from statistics.open_data.measures import MEASURES, PATIENTS
from statistics.open_data.models import NATION, Border, Status
from statistics.periods import period_tells_of_small

Key = tuple[str, str, str]
Columns = dict[Key, Column]
Regions = Mapping[str, Counted]

WAIT = ReferralCause.WAITING_TIME.value
MEDIANS = frozenset(code for code, one in MEASURES.items() if one.kind in {"median", "p80"})
SIDES = (Border.WITHIN.value, Border.ACROSS.value)


def key_of(measure: str) -> Key:
    """The key of a measure that is not told apart by cause and border."""
    return measure, WAIT, Border.ALL.value


def columns_of(counted: Regions, *, before: Columns | None = None) -> Columns:
    """Every column of an edition; ``before`` holds those of the version that it corrects.

    What is told of the same patients, referrals or answers is corrected together or not at all.
    """
    groups = [
        _treated(counted, before or {}),
        _decided(counted, before or {}),
        _answers(counted, before or {}),
        *(
            {(PATIENTS, cause, side): _patients(counted, cause, side, before or {})}
            for cause in ReferralCause.values
            if cause != WAIT
            for side in SIDES
        ),
    ]
    columns: Columns = {}
    for group in groups:
        if before and not _may_replace(before, group):
            group = {
                key: {area: before.get(key, {}).get(area, Cell.hidden()) for area in column}
                for key, column in group.items()
            }
        columns |= group
    return columns


def _may_replace(before: Columns, group: Columns) -> bool:
    """Medians are no counts and follow the counts of their group."""
    return all(
        may_correct(before.get(key, {}), column)
        for key, column in group.items()
        if key[0] not in MEDIANS
    )


def _treated(counted: Regions, before: Columns) -> Columns:
    columns = {(PATIENTS, WAIT, side): _patients(counted, WAIT, side, before) for side in SIDES}
    bases = {area: one.treated for area, one in counted.items()}
    away = {area for column in columns.values() for area, cell in column.items() if cell.is_hidden}

    def share(measure: str, of: Callable[[Counted], int]) -> None:
        columns[key_of(measure)] = _share(measure, counted, of, bases, away, before)

    share("within_guarantee", lambda one: one.in_time)
    share("back_referred", lambda one: one.back_referred)
    columns |= _quantiles(
        counted,
        {
            "wait_median": (lambda one: one.waited, 0.5),
            "wait_p80": (lambda one: one.waited, 0.8),
            "days_gained": (lambda one: one.gained, 0.5),
            "back_referral_days": (lambda one: one.to_back_referral, 0.5),
        },
        away,
        before,
    )
    total, mean = key_of("cost_total"), key_of("cost_per_patient")
    columns[total], columns[mean] = {}, {}
    for area, base in (*bases.items(), (NATION, sum(bases.values()))):
        cost = sum((one.cost for one in _of(counted, area)), Decimal(0))
        if area in away:
            columns[total][area] = columns[mean][area] = Cell.hidden()
        elif not base:
            columns[total][area] = columns[mean][area] = Cell.none()
        else:
            columns[total][area] = _shown(cost, base=base)
            columns[mean][area] = _shown(cost / base, base=base)
    return columns


def _decided(counted: Regions, before: Columns) -> Columns:
    bases = {area: one.decided for area, one in counted.items()}
    away = hidden_counts(bases, _base_before(before, "rejected"))
    share = _share("rejected", counted, lambda one: one.rejected, bases, away, before)
    median = _quantiles(counted, {"handling_days": (lambda one: one.handling, 0.5)}, away, before)
    return {key_of("rejected"): share} | median


def _answers(counted: Regions, before: Columns) -> Columns:
    bases = {area: one.answers for area, one in counted.items()}
    away = hidden_counts(bases, _base_before(before, "accepted", "answered_digitally"))
    wanted: dict[str, Callable[[Counted], int]] = {
        "accepted": lambda one: one.accepted,
        "answered_digitally": lambda one: one.digital,
    }
    columns = {
        key_of(measure): _share(measure, counted, of, bases, away, before)
        for measure, of in wanted.items()
    }
    return columns | _quantiles(
        counted, {"answer_hours": (lambda one: one.answering, 0.5)}, away, before
    )


def _base_before(before: Columns, *measures: str) -> Column | None:
    """The base's column: hidden where no share of the same base was shown."""
    if not before:
        return None
    columns = [before[key_of(measure)] for measure in measures]
    return {
        area: Cell.hidden() if all(column[area].is_hidden for column in columns) else Cell.none()
        for area in columns[0]
    }


def _patients(counted: Regions, cause: str, side: str, before: Columns) -> Column:
    counts = {area: one.patients.get((cause, side), 0) for area, one in counted.items()}
    also = [
        area
        for area, one in counted.items()
        if one.after_few or period_tells_of_small(one.by_month.values())
    ]
    away = hidden_counts(counts, before.get((PATIENTS, cause, side)), also=also)
    every = counts | {NATION: sum(counts.values())}
    return {
        area: Cell.hidden() if area in away else _shown(Decimal(count), count=count, base=count)
        for area, count in every.items()
    }


def _share(
    measure: str,
    counted: Regions,
    of: Callable[[Counted], int],
    bases: Mapping[str, int],
    away: set[str],
    before: Columns,
) -> Column:
    counts = {area: of(one) for area, one in counted.items()}
    hidden = hidden_shares(counts, bases, away, before.get(key_of(measure)))
    column = {}
    for area in (*counts, NATION):
        count = sum(counts.values()) if area == NATION else counts[area]
        base = sum(bases.values()) if area == NATION else bases[area]
        if area in hidden:
            column[area] = Cell.hidden()
        elif not base:
            column[area] = Cell.none()
        else:
            column[area] = _shown(Decimal(100 * count) / base, count=count, base=base)
    return column


Wanted = Mapping[str, tuple[Callable[[Counted], Sequence[float]], float]]


def _quantiles(counted: Regions, wanted: Wanted, away: set[str], before: Columns) -> Columns:
    """Medians of few say too much of each, and so does one where the number is hidden: it would
    tell a hidden large number from a small. They do not add up, so the nation's may stay."""
    columns: Columns = {}
    for measure, (of, part) in wanted.items():
        column = columns[key_of(measure)] = {}
        known = before.get(key_of(measure), {})
        for area in (*counted, NATION):
            values = sorted(value for one in _of(counted, area) for value in of(one))
            if _is_few(values) or area in away - {NATION} or known.get(area, Cell.none()).is_hidden:
                column[area] = Cell.hidden()
            else:
                column[area] = _shown(_quantile(values, part)) if values else Cell.none()
    return columns


def _is_few(values: Sequence[float]) -> bool:
    return 0 < len(values) < LEAST


def _of(counted: Regions, area: str) -> list[Counted]:
    return list(counted.values()) if area == NATION else [counted[area]]


def _quantile(values: Sequence[float], part: float) -> Decimal:
    """Continuous, as PostgreSQL's ``percentile_cont``; rounded to whole days or hours."""
    place = part * (len(values) - 1)
    low = int(place)
    high = min(low + 1, len(values) - 1)
    value = values[low] + (place - low) * (values[high] - values[low])
    return Decimal(str(value)).quantize(Decimal(1), rounding=ROUND_HALF_UP)


def _shown(value: Decimal, *, count: int | None = None, base: int | None = None) -> Cell:
    places = Decimal("0.1") if count is not None and base and count != value else Decimal(1)
    rounded = value.quantize(places, rounding=ROUND_HALF_UP)
    return Cell(Status.SHOWN, rounded, count, base)
