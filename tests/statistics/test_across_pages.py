"""No small number can be worked out by one who reads all pages of a month side by side.

Random small months are counted by the product's own counting and shown as the frozen month, its
corrected version and the statistics page (also dashboard, files and API) show them to those who see
figures only. The attacker is ``tests.statistics.attacker``.
"""

import copy
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from organisations.suppression import SMALL
from statistics.frozen.hidden import SPLITS, columns_of, hidden_places
from statistics.frozen.hiding import Hiding, Within
from statistics.periods import period_tells_of_small
from statistics.selectors import _counts, _hide
from tests.statistics.across import (
    AREAS,
    CLINICS,
    PROVIDERS,
    REGION,
    Happening,
    counted,
    happenings,
    know_the_sums,
    page_row,
    picture,
    read_month,
    read_statistics,
)
from tests.statistics.attacker import Attacker

WITHIN = (
    Within("procedure", "mvo", AREAS),
    Within("contract", "provider", {str(c): str(p) for c, p in PROVIDERS.items()}),
)
months = st.lists(happenings, min_size=1, max_size=30)
slow = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))


def reader_of(*versions: list[Happening]) -> Attacker:
    """One who reads every version of the frozen month, and the statistics page as of now."""
    tables = [counted(found) for found in versions]
    pictures = [picture(table) for table in tables]
    attacker = Attacker()
    hidden = hidden_places(pictures, within=WITHIN)
    for number, seen in enumerate(pictures):
        read_month(attacker, seen, hidden, mark=number)
    last = len(tables) - 1
    truth, declines = page_row(tables[last])
    shown = copy.deepcopy(truth)
    hiding = Hiding(
        [*map(columns_of, pictures), _counts(REGION, truth, declines)],
        SPLITS,
        groups=[("clinic", str(clinic)) for clinic in CLINICS],
    )
    seen_declines = _hide(REGION, shown, list(declines), hiding)
    read_statistics(attacker, truth, shown, (declines, seen_declines), mark=last)
    for number in range(len(tables)):
        know_the_sums(attacker, mark=number)
    return attacker


@slow
@given(months)
def test_no_small_number_follows_from_a_months_pages(found: list[Happening]) -> None:
    attacker = reader_of(found)
    assert not attacker.shows_small()
    assert not attacker.finds_out()


def test_the_page_hides_beside_the_same_numbers_as_the_versions_before_it() -> None:
    """The smallest larger one was another clinic's in the first version than in the second."""
    same = [happened("sent", 2, 3), happened("sent", 3, 8)]
    first = [happened("sent", 1, 11), *same]
    second = [happened("sent", 1, 6), *same, happened("sent", 4, 8)]
    assert not reader_of(first, second).finds_out()
    assert not reader_of(second, first).finds_out()


@slow
@given(months, st.lists(happenings, max_size=4), st.integers(0, 6))
def test_nor_from_two_versions_and_the_page(
    found: list[Happening], later: list[Happening], gone: int
) -> None:
    attacker = reader_of(found, [*found[gone:], *later])
    assert not attacker.shows_small()
    assert not attacker.finds_out()


def happened(kind: str, clinic: int, many: int, **more: Any) -> Happening:
    said: dict[str, Any] = {
        "kva": "NGB",
        "sex": "m",
        "contract": 1,
        "a": True,
        "b": False,
        "reason": "",
    }
    return Happening(kind=kind, clinic=clinic, many=many, **(said | more))


def test_the_attacker_finds_what_only_the_small_ones_hide() -> None:
    found = [happened("treated", 1, 9), happened("treated", 2, 3)]
    seen = picture(counted(found))
    attacker = Attacker()
    read_month(attacker, seen, [place for place, cell in seen.items() if cell.n in SMALL])
    know_the_sums(attacker)
    assert (("", "treated", "clinic", "2"), 3) in attacker.finds_out()


def test_the_attacker_knows_which_procedures_an_area_has() -> None:
    """Three of one area and nine of another hide each other only if the areas are hidden too."""
    found = [
        happened("treated", 1, 3),
        happened("treated", 1, 7, kva="NFB"),
        happened("treated", 1, 9, kva="QAB"),
    ]
    seen = picture(counted(found))
    away = [place for place in seen if place[:2] in {("procedure", "NGB"), ("procedure", "QAB")}]
    attacker = Attacker()
    read_month(attacker, seen, away)
    know_the_sums(attacker)
    assert (("", "treated", "procedure", "NGB"), 3) in attacker.finds_out()
    # The rule takes the other procedure of the same area.
    hidden = hidden_places([seen], within=WITHIN)
    assert ("procedure", "NFB", "treated") in hidden
    assert ("procedure", "QAB", "treated") not in hidden


def ordinary() -> list[Happening]:
    """Every clinic, procedure, sex, contract and outcome with at least five."""
    return [
        happened(kind, clinic, 5, kva=kva, sex=sex, contract=contract, a=a, b=b, reason=reason)
        for kind in ("received", "sent", "answered", "confirmed", "treated", "closed")
        for clinic in CLINICS
        for kva, contract in zip([*AREAS, "NGB"], PROVIDERS, strict=True)
        for sex in "mk"
        for a in (True, False)
        for b in (True, False)
        for reason in ("", "travel", "other")
    ]


def test_a_region_with_ordinary_numbers_sees_all_its_figures() -> None:
    assert hidden_places([picture(counted(ordinary()))], within=WITHIN) == frozenset()


def test_one_small_clinic_hides_itself_and_one_more() -> None:
    found = [*ordinary(), happened("received", 9, 2, kva="NGB")]
    hidden = hidden_places([picture(counted(found))], within=WITHIN)
    assert {place[0] for place in hidden} == {"clinic"}
    assert {place[2] for place in hidden} == {"received"}
    # The four others are as large as each other, and are hidden alike.
    small_and_one = [*found, *(happened("received", clinic, 5 * clinic) for clinic in CLINICS)]
    hidden = hidden_places([picture(counted(small_and_one))], within=WITHIN)
    assert {place[1] for place in hidden} == {"9", "1"}


def test_a_small_part_leaves_the_whole() -> None:
    """Two said no at one clinic: how many answered stands, yes and no are hidden at two."""
    found = [
        happened("answered", 1, 20),
        happened("answered", 1, 2, reason="travel"),
        happened("answered", 2, 30),
        happened("answered", 2, 12, reason="travel"),
        happened("answered", 3, 40),
        happened("answered", 3, 25, reason="travel"),
    ]
    hidden = hidden_places([picture(counted(found))], within=WITHIN)
    clinics = {place[1:] for place in hidden if place[0] == "clinic"}
    assert {key for key, _measure in clinics} == {"1", "2"}
    assert {("1", "accepted"), ("1", "declined"), ("1", "accepted_share")} <= clinics
    assert not {measure for _key, measure in clinics} & {"answered", "answer_hours"}


def test_what_is_in_work_is_told_of_the_region_only() -> None:
    """Last month's and this month's, less the closed, would tell what came in to a clinic."""
    seen = picture(counted(ordinary()))
    cell = seen["clinic", "1", "received"]
    places = [("region", REGION, "in_work"), ("clinic", "1", "in_work")]
    seen |= dict.fromkeys(places, cell)
    assert hidden_places([seen], within=WITHIN, region_told=True) == {places[1]}
    assert hidden_places([seen], within=WITHIN) == set(places)


counts = st.lists(st.lists(st.integers(0, 9), min_size=2, max_size=2), min_size=1, max_size=6)


@given(counts)
@example([[3, 6], [2, 0], [4, 0]])  # all six of the second part are in the first month
def test_no_period_tells_of_a_hidden_month_that_it_is_small(months: list[list[int]]) -> None:
    """Months with a small number show nothing; the period shows each part and so the whole."""
    if period_tells_of_small(months):
        return
    attacker = Attacker()
    for number, parts in enumerate(months):
        away = sum(parts) in SMALL or any(part in SMALL for part in parts)
        names = [(number, part) for part in range(2)]
        # What is nought is known to be.
        truth = dict(zip(names, parts, strict=True)) | {(number, "whole"): sum(parts)}
        known = {name: None if away and count else count for name, count in truth.items()}
        if sum(parts) not in SMALL:
            known[number, "whole"] = sum(parts)
        attacker.read(known, truth)
        attacker.adds_up((number, "whole"), names)
    for part in range(2):
        total = sum(parts[part] for parts in months)
        attacker.read({("period", part): total}, {("period", part): total})
        attacker.adds_up(("period", part), [(number, part) for number in range(len(months))])
    # A sum that is small itself is the period's own to hide.
    if not any(sum(parts[part] for parts in months) in SMALL for part in range(2)):
        assert not [name for name, _most in attacker.finds_out() if name[1] != "whole"]
