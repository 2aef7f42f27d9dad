"""Which of a month's figures are hidden: what each rests on, and how the counts hang together."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from django.db.models import Max

from organisations.access import as_product
from organisations.suppression import SMALL
from referral.models import CloseReason, DeclineReason
from statistics.frozen.hiding import Equation, Node, hidden_counts, sums_of
from statistics.frozen.models import FrozenMonth, Recount
from statistics.frozen.picture import (
    Cell,
    Picture,
    Place,
    cells_of,
    corrected,
    corrections_of,
    frozen_picture,
    place_of,
)
from statistics.monthly.measures import MEASURES

# Counts of one group that add up to another, by what ``columns_of`` calls them.
ADD_UP: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("answered", ("accepted", "declined")),
    ("declined", tuple(f"declined_{reason}" for reason in DeclineReason.values)),
    ("closed", tuple(f"closed_{reason}" for reason in CloseReason.values)),
    ("treated", ("treated_own", "treated_others", "treated_free_choice")),
    ("treated", ("treated_elsewhere",)),
    ("treated", ("funding_central", "funding_clinic")),
    ("treated", ("breaches_not_avoided",)),
    ("kept_share.yes", ("breaches_avoided",)),
    ("answered_share.of", ("answered", "expired")),
    *((f"{share}.of", (f"{share}.yes", f"{share}.no")) for share in MEASURES),
    # Those of the group that a time or sum is known of.
    ("in_work", ("open_age.n",)),
    ("answered", ("answer_hours.n",)),
    ("confirmed", ("handling_days.n",)),
    ("confirmed", ("confirm_days.n",)),
    ("closed", ("close_days.n",)),
    *(
        ("treated", (f"{name}.n",))
        for name in (
            "treat_days",
            "wait_days",
            "days_gained",
            "cost",
            "cost_per_patient",
            "distance_km",
        )
    ),
)

Column = dict[tuple[str, str], int]


def hidden_places(
    pictures: Sequence[Picture], *, passing: Iterable[tuple[Place, Cell]] = ()
) -> frozenset[Place]:
    """The figures hidden in all of the pictures, which are of one region's month.

    ``passing`` are figures as they were between two pictures; they are hidden when they were small
    then. Counts are known by their numbers: two measures that count alike everywhere are one, so
    that the one never shows what the other hides.
    """
    counted = [columns_of(picture) for picture in pictures]
    same = _alike(counted)
    tables = []
    for columns in counted:
        renamed = {same[name]: column for name, column in columns.items()}
        counts = {
            (name, *place): count
            for name, column in renamed.items()
            for place, count in column.items()
        }
        tables.append((counts, [*sums_of(renamed), *_add_up(renamed, same)]))
    small = {
        (same[name], place[0], place[1])
        for place, cell in passing
        for name, count in zip(rests_on(place[2]), _counts(place[2], cell), strict=True)
        if count in SMALL and name in same
    }
    hidden = hidden_counts(tables, also=small)
    places = {place for picture in pictures for place in picture}
    return frozenset(
        place
        for place in places
        if any(
            (same[name], place[0], place[1]) in hidden
            for name in rests_on(place[2])
            if name in same
        )
    )


def rests_on(measure: str) -> tuple[str, ...]:
    """The columns that a figure tells something of."""
    kind = MEASURES[measure].kind if measure in MEASURES else "duration"
    if kind == "count":
        return (measure,)
    if kind == "share":
        return (f"{measure}.of", f"{measure}.yes", f"{measure}.no")
    return (f"{measure}.n",)


def columns_of(picture: Picture) -> dict[str, Column]:
    """Each count of the picture, by group; what is nought is left out."""
    columns: dict[str, Column] = defaultdict(dict)
    for (dimension, key, measure), cell in picture.items():
        for name, count in zip(rests_on(measure), _counts(measure, cell), strict=True):
            if count:
                columns[name][dimension, key] = count
    return dict(columns)


def _counts(measure: str, cell: Cell) -> tuple[int, ...]:
    if measure in MEASURES and MEASURES[measure].kind == "share":
        yes = round(cell.n * (cell.value or 0) / 100)
        return cell.n, yes, cell.n - yes
    return (cell.n,)


def _alike(counted: Sequence[Mapping[str, Column]]) -> dict[str, str]:
    """Each column's name to that of the first one with the same counts in all pictures."""
    names = sorted({name for columns in counted for name in columns})
    first: dict[tuple[frozenset[tuple[tuple[str, str], int]], ...], str] = {}
    return {
        name: first.setdefault(
            tuple(frozenset(columns.get(name, {}).items()) for columns in counted), name
        )
        for name in names
    }


def _add_up(columns: Mapping[str, Column], same: Mapping[str, str]) -> list[Equation]:
    found = []
    for whole, parts in ADD_UP:
        total_column = columns.get(same.get(whole, ""), {})
        for (dimension, key), count in total_column.items():
            nodes: list[Node] = []
            left = count
            for part in parts:
                name = same.get(part, "")
                if n := columns.get(name, {}).get((dimension, key), 0):
                    nodes.append((name, dimension, key))
                    left -= n
            total = (same[whole], dimension, key)
            if nodes and left >= 0 and total not in nodes:
                found.append(Equation(total, tuple(nodes), left))
    return found


def hidden_of(versions: Sequence[FrozenMonth]) -> frozenset[Place]:
    """The figures hidden in every version of a month and in what is known of it now."""
    with as_product("small numbers"):
        last = Recount.objects.filter(frozen__in=versions).aggregate(last=Max("pk"))["last"]
        return _hidden_of(tuple(sorted(one.pk for one in versions)), last)


@lru_cache(maxsize=64)
def _hidden_of(versions: tuple[int, ...], _last_recount: int | None) -> frozenset[Place]:
    """Versions and corrections never change; a new one gives other arguments."""
    pictures: list[Picture] = []
    passing: list[tuple[Place, Cell]] = []
    for frozen in FrozenMonth.objects.filter(pk__in=versions):
        picture, rows = frozen_picture(frozen), corrections_of(frozen)
        pictures += [picture, corrected(picture, rows)]
        passing += [(place_of(row), cell) for row in rows for cell in cells_of(row)]
    return hidden_places(pictures, passing=passing)
