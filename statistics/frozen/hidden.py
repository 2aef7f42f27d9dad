"""Which of a month's figures are hidden: what each rests on, and how the counts hang together."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache

from django.db.models import Max

from contracts.models import Contract, Procedure
from organisations.access import as_product
from organisations.suppression import SMALL
from referral.models import CloseReason, DeclineReason
from statistics.frozen.hiding import REGION, Group, Hiding, Node, Split, Within
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

CLOSED_TREATED = f"closed_{CloseReason.TREATED}"
ENDED = tuple(f"closed_{reason}" for reason in CloseReason.values if reason != CloseReason.TREATED)
SPLITS = (
    Split("answered", ("accepted", "declined")),
    Split("declined", tuple(f"declined_{reason}" for reason in DeclineReason.values)),
    # How many ended without treatment elsewhere follows from what waits, in and out.
    Split("closed", (CLOSED_TREATED, "ended")),
    Split("ended", ENDED, counted=False),
    Split("treated", ("treated_own", "treated_others", "treated_free_choice")),
    Split("treated", ("treated_elsewhere",)),
    Split("treated", ("funding_central", "funding_clinic")),
    Split("treated", ("kept", "breaches_not_avoided")),
    Split("kept", ("breaches_avoided",)),
    # Those of whom a time or sum is known.
    Split("in_work", ("open_age.n",)),
    Split("answered", ("answer_hours.n",)),
    Split("confirmed", ("handling_days.n",)),
    Split("confirmed", ("confirm_days.n",)),
    Split("closed", ("close_days.n",)),
    *(
        Split("treated", (f"{name}.n",))
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
# What a share tells of: the whole, the part, and what else makes the whole.
SHARES = {
    "accepted_share": ("answered", "accepted", "declined"),
    "answered_share": ("", "answered", "expired"),
    "kept_share": ("treated", "kept", "breaches_not_avoided"),
    "own_contract_share": ("treated", "treated_own", ""),
    "other_region_share": ("treated", "treated_elsewhere", ""),
}

# This month's less last month's is what came in less what was closed: one of these two would follow
# from the other, in any group. The region's own is told where that gives nothing back (docs/0037).
STOCKS = frozenset({"in_work", "open_age"})

Column = dict[Group, int]


def hidden_places(
    pictures: Sequence[Picture],
    *,
    passing: Iterable[tuple[Place, Cell]] = (),
    within: Iterable[Within] = (),
    region_told: bool = False,
    beside: Iterable[Node] = (),
) -> frozenset[Place]:
    """The figures hidden in all of the pictures, which are of one region's month.

    ``passing`` are figures as they were between two pictures; they are hidden when they were small
    then. Figures that are nought, but hidden beside others, are among them. ``region_told``:
    whether the region's own cases in work are told; ``beside``: what is hidden for the sake of
    what waits (:func:`statistics.hiding.hidden_beside`).
    """
    before = set(beside) | {
        (name, *place[:2])
        for place, cell in passing
        for name, count in counts_told(place[2], cell)
        if count in SMALL
    }
    hiding = Hiding([columns_of(one) for one in pictures], SPLITS, before=before, within=within)
    groups = {place[:2] for picture in pictures for place in picture}
    measures = {*MEASURES, *(place[2] for picture in pictures for place in picture)}
    columns = {measure: rests_on(measure) for measure in measures}
    found = set()
    for group in groups:
        names = {name for names in columns.values() for name in names}
        away = {
            name
            for name in names
            if hiding.is_hidden(name, group) and hiding.may_be_some(name, group)
        }
        if away:
            found |= {
                (*group, measure) for measure, on in columns.items() if not away.isdisjoint(on)
            }
    stocks = {
        place
        for picture in pictures
        for place in picture
        if place[2] in STOCKS and not (region_told and place[0] == REGION)
    }
    return frozenset(found | stocks)


def rests_on(measure: str) -> tuple[str, ...]:
    """The counts that a figure tells something of."""
    if measure in SHARES:
        return tuple(name for name in SHARES[measure] if name)
    return (measure if _kind(measure) == "count" else f"{measure}.n",)


def columns_of(picture: Picture) -> dict[str, Column]:
    """Each count of the picture, by group; what is nought is left out."""
    columns: dict[str, Column] = defaultdict(dict)
    for (dimension, key, measure), cell in picture.items():
        for name, count in counts_told(measure, cell):
            if count:
                columns[name][dimension, key] = count
    return dict(columns)


def counts_told(measure: str, cell: Cell) -> list[tuple[str, int]]:
    """The counts in a figure, each with its name."""
    names = SHARES.get(measure)
    if names is None:
        return [(rests_on(measure)[0], cell.n)]
    yes = round(cell.n * (cell.value or 0) / 100)
    found = zip(names, (cell.n, yes, cell.n - yes), strict=True)
    return [(name, count) for name, count in found if name]


def _kind(measure: str) -> str:
    return MEASURES[measure].kind if measure in MEASURES else "duration"


def groups_within() -> tuple[Within, ...]:
    """A procedure has one medical area, and a contract one provider."""
    with as_product("small numbers"):
        areas = dict(Procedure.objects.values_list("kva", "medical_area"))
        providers = dict(Contract.objects.values_list("pk", "provider"))
    return (
        Within("procedure", "mvo", areas),
        Within("contract", "provider", {str(pk): str(one) for pk, one in providers.items()}),
    )


def hidden_of(
    versions: Sequence[FrozenMonth], *, region_told: bool, beside: Iterable[Node]
) -> frozenset[Place]:
    """The figures hidden in every version of a month and in what is known of it now."""
    with as_product("small numbers"):
        last = Recount.objects.filter(frozen__in=versions).aggregate(last=Max("pk"))["last"]
        keys = tuple(sorted(one.pk for one in versions))
        return _hidden_of(keys, last, region_told, frozenset(beside))


@lru_cache(maxsize=64)
def _hidden_of(
    versions: tuple[int, ...],
    _last_recount: int | None,
    region_told: bool,
    beside: frozenset[Node],
) -> frozenset[Place]:
    """Versions and corrections never change; a new one gives other arguments."""
    pictures: list[Picture] = []
    passing: list[tuple[Place, Cell]] = []
    for frozen in FrozenMonth.objects.filter(pk__in=versions):
        picture, rows = frozen_picture(frozen), corrections_of(frozen)
        pictures += [picture, corrected(picture, rows)]
        passing += [(place_of(row), cell) for row in rows for cell in cells_of(row)]
    return hidden_places(
        pictures,
        passing=passing,
        within=groups_within(),
        region_told=region_told,
        beside=beside,
    )
