"""Small invented months, counted by the product's own counting, and each page's view of them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from hypothesis import strategies as st

from referral.models import CloseReason, DeclineReason
from statistics.facts.counting import _COUNT, MonthTable, _Happened, _Tally
from statistics.facts.sources import SOURCES
from statistics.frozen.picture import Picture, picture_of
from statistics.kept import _figures as kept_values
from statistics.monthly.figures import _figures_of
from statistics.selectors import Figures
from tests.statistics.attacker import Attacker

REGION = "13"
CLINICS = (1, 2, 3, 4)
# Each procedure belongs to one medical area.
AREAS = {"NFB": "110", "NGB": "110", "QAB": "220"}
PROVIDERS = {1: 10, 2: 10, 3: 20, 4: 30}
KINDS = ("received", "sent", "answered", "confirmed", "treated", "closed")
GROUPS = ("clinic", "mvo", "procedure", "sex", "provider", "contract", "svf", "age")


@dataclass(frozen=True)
class Happening:
    """``many`` alike."""

    kind: str
    clinic: int
    kva: str
    sex: str
    contract: int
    a: bool
    b: bool
    reason: str
    many: int


happenings = st.builds(
    Happening,
    st.sampled_from(KINDS),
    st.sampled_from(CLINICS),
    st.sampled_from(list(AREAS)),
    st.sampled_from("mk"),
    st.sampled_from(list(PROVIDERS)),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["", "", "travel", "other"]),
    st.sampled_from([1, 1, 1, 2, 3, 4, 5, 6, 8, 15]),
)


def counted(found: Iterable[Happening]) -> MonthTable:
    """The month as the product counts it."""
    tally = _Tally(REGION)
    by_kind: dict[str, list[Happening]] = {kind: [] for kind in KINDS}
    for one in found:
        by_kind[one.kind].append(one)
    for source in SOURCES:
        rows = [
            row for one in by_kind.get(source.name, []) for row in [_row(source, one)] * one.many
        ]
        if rows:
            _COUNT[source.name](tally, _Happened(source, rows, REGION))
    return tally.table()


def _row(source: Any, one: Happening) -> tuple[Any, ...]:
    values = {
        "reason": one.reason,
        "answer_hours": 5.0,
        "handling_days": 3.0,
        "confirm_days": 1.0,
        "close_days": 2.0 if one.a else None,
        "wait_days": 40.0,
        "treat_days": 9.0,
        "days_gained": 30.0 if one.a else None,
        "distance_km": 7.0 if one.b else None,
        "ore": 10_000.0,
        "contract_kind": "own" if one.contract < 3 else "others",
        "provider_region": REGION if one.contract in {1, 4} else "14",
        "breached": one.b,
        "breach_avoided": one.a and not one.b,
        "funding": "central" if one.a else "",
    }
    if source.name == "closed":
        values["reason"] = CloseReason.TREATED if one.a else list(CloseReason.values)[1 + one.b]
    case = (one.clinic, AREAS[one.kva], one.kva, "1380", "40-64", one.sex, one.b)
    place = (PROVIDERS[one.contract], one.contract) if source.with_place else ()
    return (date(2026, 3, 10), *case, *place, *(values[name] for name in source.values))


def picture(table: MonthTable) -> Picture:
    return picture_of(
        figure
        for (dimension, key), row in table.items()
        for figure in _figures_of(dimension, key, key, row)
    )


def page_row(table: MonthTable) -> tuple[dict[int | None, Figures], list[int]]:
    """The statistics page's month: figures by clinic, and no by reason."""
    row: dict[int | None, Figures] = {}
    declines = [0] * len(DeclineReason.values)
    for clinic in (None, *CLINICS):
        place = ("region", REGION) if clinic is None else ("clinic", str(clinic))
        values = kept_values(table.get(place, {}))
        reasons = values.pop("declines")
        row[clinic] = Figures(**values)
        if clinic is None:
            declines = reasons
    return row, declines


# What the figures of a month are counts of: by measure the names of its parts.
SHARES = {
    "accepted_share": ("answered", "accepted", "declined"),
    "kept_share": ("treated", "kept", "breaches_not_avoided"),
    "own_contract_share": ("treated", "treated_own", "not own"),
    "other_region_share": ("treated", "treated_elsewhere", "not elsewhere"),
    "answered_share": ("answered or not", "answered", "expired"),
}
SAME = {"handling_days": "confirmed", "answer_hours": "answered", "wait_days": "treated"}
# Sums that hold in every group: the whole, its parts, and whether the parts leave something out.
INSIDE: Sequence[tuple[str, tuple[str, ...], bool]] = (
    ("answered", ("accepted", "declined"), False),
    ("declined", tuple(f"declined_{reason}" for reason in DeclineReason.values), False),
    ("answered or not", ("answered", "expired"), False),
    ("treated", ("treated_own", "treated_others", "treated_free_choice"), False),
    ("treated", ("treated_own", "not own"), False),
    ("treated", ("treated_elsewhere", "not elsewhere"), False),
    ("treated", ("kept", "breaches_not_avoided"), False),
    ("kept", ("breaches_avoided",), True),
    ("treated", ("funding_central", "funding_clinic"), True),
    ("treated", ("days_gained",), True),
    ("treated", ("cost",), True),
    ("treated", ("distance_km",), True),
    ("closed", tuple(f"closed_{reason}" for reason in CloseReason.values), False),
    ("closed", ("close_days",), True),
)
Name = tuple[str, str, str]


def counts_of(pic: Picture) -> dict[Name, int]:
    """Every count that a month's figures tell, by measure, dimension and key."""
    found: dict[Name, int] = {}
    for (dimension, key, measure), cell in pic.items():
        if measure in SHARES:
            of, yes, no = SHARES[measure]
            many = round(cell.n * float(cell.value or 0) / 100)
            numbers = {of: cell.n, yes: many, no: cell.n - many}
        else:
            numbers = {SAME.get(measure, measure): cell.n}
        for name, number in numbers.items():
            found[name, dimension, key] = number
    return found


def read_month(
    attacker: Attacker, pic: Picture, hidden: Iterable[tuple[str, str, str]], *, mark: Any = ""
) -> None:
    """What a frozen or preliminary month shows; ``hidden`` as the page hides it.

    What is left out of the page is nought to whoever reads it.
    """
    away = set(hidden)
    truth = {(mark, *name): number for name, number in counts_of(pic).items()}
    page = {
        (mark, *name): number
        for name, number in counts_of(
            {place: cell for place, cell in pic.items() if place not in away}
        ).items()
    }
    attacker.read(page, truth)
    for name, number in truth.items():
        attacker.true.setdefault(name, number)
    for dimension, key, measure in away:
        for told in SHARES.get(measure, (SAME.get(measure, measure),)):
            attacker.true.setdefault((mark, told, dimension, key), 0)


def read_statistics(
    attacker: Attacker,
    truth: Mapping[int | None, Figures],
    shown: Mapping[int | None, Figures],
    declines: tuple[Sequence[int], Sequence[int | None]],
    *,
    mark: Any = "",
) -> None:
    """What the statistics page and the dashboard show of a month."""
    for clinic, figures in shown.items():
        place = ("region", REGION) if clinic is None else ("clinic", str(clinic))
        names = ("received", "offered", "answered", "accepted", "treated")
        more = {"declined": "declined", "confirmed": "confirmed", "days_gained": "gained"}
        page = {(mark, name, *place): getattr(figures, name) for name in names}
        more |= {name: name for name in names}
        true = {(mark, name, *place): getattr(truth[clinic], of) or 0 for name, of in more.items()}
        # Not shown, but a sum is made of them.
        for name, number in true.items():
            attacker.true.setdefault(name, number)
        attacker.read(page, true)
    reasons = [(mark, f"declined_{reason}", "region", REGION) for reason in DeclineReason.values]
    attacker.read(
        dict(zip(reasons, declines[1], strict=True)), dict(zip(reasons, declines[0], strict=True))
    )


def know_the_sums(attacker: Attacker, *, mark: Any = "") -> None:
    """The sums within every group, over the groups, and of groups within groups."""
    names = {name[1:] for name in attacker.true if name[0] == mark}
    places = {place for _measure, *place in names for place in [tuple(place)]}
    for dimension, key in sorted(places):
        for whole, parts, leaves_out in INSIDE:
            if all((part, dimension, key) not in names for part in (whole, *parts)):
                continue
            attacker.adds_up(
                (mark, whole, dimension, key),
                [(mark, part, dimension, key) for part in parts],
                rest=(mark, f"{whole} less {parts}", dimension, key) if leaves_out else None,
            )
    measures = sorted({name[1] for name in attacker.true if name[0] == mark})
    for measure in measures:
        total = (mark, measure, "region", REGION)
        for dimension in GROUPS:
            keys = sorted(key for one, key in places if one == dimension)
            with_place = measure not in {"received"} or dimension not in {"provider", "contract"}
            if keys and with_place:
                attacker.adds_up(total, [(mark, measure, dimension, key) for key in keys])
        for inner, outer, belongs in (
            ("procedure", "mvo", AREAS),
            ("contract", "provider", {str(c): str(p) for c, p in PROVIDERS.items()}),
        ):
            within: dict[str, list[Any]] = {}
            for one, key in places:
                if one == inner:
                    within.setdefault(belongs[key], []).append((mark, measure, inner, key))
            for key, found in within.items():
                if not (measure == "received" and inner == "contract"):
                    attacker.adds_up((mark, measure, outer, key), sorted(found))


def sizes(found: Iterable[Happening]) -> Counter[str]:
    return Counter({kind: sum(o.many for o in found if o.kind == kind) for kind in KINDS})
