"""Which providers are proposed, in which order and why (design 1, pilot 1)."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity import matching
from capacity.distance import great_circle_km
from capacity.matching import WEIGHTS, Match, Need, match, refusals
from capacity.selectors import FRESH_DAYS, median_wait_days
from contracts.models import CallOff, Contract, ContractLine
from contracts.services import reserve
from organisations.models import CareUnit, Municipality, Provider, Region
from referral.models import CaseState
from referral.selectors import matching_for, need_of
from tests.factories import (
    CareUnitFactory,
    ContractFactory,
    ContractLineFactory,
    MunicipalityFactory,
    QualityMeasureFactory,
    RegionFactory,
    WaitingTimeFactory,
    make_case,
    stockholm,
)

NOW = stockholm(2026, 3, 10, 9)
TODAY = NOW.date()
HOME = (Decimal("56.6745"), Decimal("12.8578"))

NEED = Need(
    region="13",
    kva="NGB49",
    asa=2,
    age=70,
    latitude=HOME[0],
    longitude=HOME[1],
    origin="Halmstad",
)

# Rules that hold for any set of lines. They need no database: the lines are built in memory with
# what the one query would have brought.

values = st.fixed_dictionaries(
    {
        "wait": st.none() | st.integers(0, 400),
        "km": st.integers(0, 1500),
        "price": st.integers(1_000, 300_000),
        "reoperation": st.none() | st.integers(0, 1000).map(lambda n: Decimal(n) / 100),
    }
)
filters = st.fixed_dictionaries(
    {
        "is_stopped": st.booleans(),
        "is_active": st.booleans(),
        "receives": st.booleans(),
        "allowed": st.booleans(),
        "valid_from": st.integers(-5, 5),
        "valid_to": st.integers(-5, 400),
        "cap_volume": st.none() | st.integers(0, 3),
        "asa_ceiling": st.integers(1, 4),
        "age_min": st.none() | st.integers(0, 100),
        "age_max": st.none() | st.integers(0, 100),
    }
)
OPEN: dict[str, Any] = {
    "is_stopped": False,
    "is_active": True,
    "receives": True,
    "allowed": True,
    "valid_from": -100,
    "valid_to": 100,
    "cap_volume": None,
    "asa_ceiling": 4,
    "age_min": None,
    "age_max": None,
}


def built(pk: int, value: dict[str, Any], hard: dict[str, Any] = OPEN) -> ContractLine:
    contract = Contract(
        pk=pk,
        number=f"A{pk}",
        is_stopped=hard["is_stopped"],
        valid_from=TODAY + timedelta(days=hard["valid_from"]),
        valid_to=TODAY + timedelta(days=hard["valid_to"]),
    )
    allowed = [Region(code="13")] if hard["allowed"] else []
    contract._prefetched_objects_cache = {"regions_allowed": allowed}  # type: ignore[attr-defined]
    unit = CareUnit(
        pk=pk,
        name=f"Enhet {pk}",
        provider=Provider(name=f"V{pk}"),
        municipality=Municipality(name="Orten"),
        latitude=HOME[0] + Decimal(value["km"]) / Decimal("111.195"),
        longitude=HOME[1],
        receives=hard["receives"],
    )
    line = ContractLine(
        pk=pk,
        contract=contract,
        care_unit=unit,
        kva="NGB49",
        price_sek=Decimal(value["price"]),
        **{name: hard[name] for name in ("is_active", "cap_volume", "asa_ceiling")},
        **{name: hard[name] for name in ("age_min", "age_max")},
    )
    line.current_periods = contract.current_periods = hard.get("periods", [])
    line.wait_days = value["wait"]  # type: ignore[attr-defined]
    line.reoperation_percent = value["reoperation"]  # type: ignore[attr-defined]
    return line


def ranking(lines: list[ContractLine]) -> matching.Matching:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(matching, "_lines", lambda need, *, today: lines)
        return match(NEED, today=TODAY)


def rank_of(lines: list[ContractLine], pk: int) -> int:
    return next(m.rank for m in ranking(lines).matches if m.line.pk == pk)


@given(
    st.lists(values, min_size=2, max_size=6),
    st.sampled_from(["wait", "km", "price", "reoperation"]),
    st.data(),
)
def test_a_better_value_never_lowers_a_rank(all_values, criterion, data):
    chosen = data.draw(st.integers(0, len(all_values) - 1))
    value = all_values[chosen][criterion]
    if value is None:
        return
    share = data.draw(st.integers(0, 100))
    least = 1 if criterion == "price" else 0
    better = max(least, value * share // 100)
    improved = list(all_values)
    improved[chosen] = improved[chosen] | {criterion: better}

    before = rank_of([built(pk, v) for pk, v in enumerate(all_values, 1)], chosen + 1)
    after = rank_of([built(pk, v) for pk, v in enumerate(improved, 1)], chosen + 1)
    assert after <= before


@given(st.lists(st.tuples(values, filters), max_size=6))
def test_every_line_is_either_ranked_or_left_out_with_a_reason(drawn):
    lines = [built(pk, value, hard) for pk, (value, hard) in enumerate(drawn, 1)]
    answer = ranking(lines)
    ranked, left_out = [m.line for m in answer.matches], [o.line for o in answer.left_out]
    assert sorted(line.pk for line in ranked + left_out) == [line.pk for line in lines]
    assert all(out.reasons and all(out.reasons) for out in answer.left_out)


@given(st.lists(st.tuples(values, filters), max_size=6))
def test_nothing_that_fails_a_hard_filter_is_ranked(drawn):
    lines = [built(pk, value, hard) for pk, (value, hard) in enumerate(drawn, 1)]
    for found in ranking(lines).matches:
        _, hard = drawn[found.line.pk - 1]
        assert hard["allowed"]
        assert hard["is_active"]
        assert hard["receives"]
        assert not hard["is_stopped"]
        assert hard["valid_from"] <= 0 <= hard["valid_to"]
        assert hard["cap_volume"] != 0
        assert hard["asa_ceiling"] >= NEED.asa
        assert (hard["age_min"] or 0) <= NEED.age <= (hard["age_max"] or 200)


@given(st.lists(values, max_size=6))
def test_ranks_run_from_one_and_scores_never_rise_down_the_list(all_values):
    found = ranking([built(pk, v) for pk, v in enumerate(all_values, 1)]).matches
    assert [m.rank for m in found] == list(range(1, len(all_values) + 1))
    scores = [m.score for m in found]
    assert scores == sorted(scores, reverse=True)


@given(values)
def test_each_part_gives_between_no_points_and_its_weight(value):
    [found] = ranking([built(1, value)]).matches
    assert [part.possible for part in found.parts] == list(WEIGHTS.values())
    assert all(0 <= part.points <= part.possible for part in found.parts)
    assert sum(WEIGHTS.values()) == 100


def one(**value: Any) -> Match:
    known = {"wait": 30, "km": 100, "price": 80_000, "reoperation": Decimal(1)}
    return ranking([built(1, known | value)]).matches[0]


def test_an_unknown_wait_counts_less_than_a_short_one_and_more_than_a_very_long_one():
    assert one(wait=10).score > one(wait=None).score > one(wait=180).score


def test_unknown_quality_counts_less_than_good_and_more_than_bad():
    assert one(reoperation=Decimal(1)).score > one(reoperation=None).score
    assert one(reoperation=None).score > one(reoperation=Decimal(6)).score


def test_every_part_says_its_value_in_words():
    parts = {part.name: part.value for part in one().parts}
    assert parts["Väntetid"] == "30 dagar (median)"
    assert parts["Avstånd"] == "100 km fågelvägen"
    assert "100 % av medianpriset" in parts["Pris"]
    assert parts["Kvalitet"] == "1,0 % reopererade inom två år"


def test_equal_scores_are_settled_by_distance_then_price_then_age_of_the_line():
    same = {"wait": 30, "km": 100, "price": 80_000, "reoperation": None}
    found = ranking([built(2, same), built(1, same)]).matches
    assert [m.line.pk for m in found] == [1, 2]


@pytest.mark.parametrize(
    ("hard", "reason"),
    [
        ({"is_stopped": True}, "Avtalet är stoppat"),
        ({"valid_from": 1}, "gäller först från"),
        ({"valid_to": -1}, "gick ut"),
        ({"is_active": False}, "tar inte emot patienter"),
        ({"receives": False}, "tar inte emot patienter"),
        ({"allowed": False}, "får inte avropa"),
        ({"cap_volume": 0}, "Takvolymen på avropsraden"),
        ({"asa_ceiling": 1}, "ASA-klass 1 som högst, patienten har ASA 2"),
        ({"age_min": 71}, "från 71 år"),
        ({"age_max": 69}, "till och med 69 år"),
    ],
)
def test_a_line_is_left_out_for_the_right_reason(hard, reason):
    value = {"wait": 30, "km": 100, "price": 80_000, "reoperation": None}
    [left_out] = ranking([built(1, value, OPEN | hard)]).left_out
    assert len(left_out.reasons) == 1
    assert reason in left_out.reasons[0]


@pytest.mark.parametrize("hard", [{"valid_from": 0}, {"valid_to": 0}, {"asa_ceiling": 2}])
def test_limits_are_included(hard):
    value = {"wait": 30, "km": 100, "price": 80_000, "reoperation": None}
    assert refusals(built(1, value, OPEN | hard), NEED, today=TODAY) == []


def test_an_unknown_age_is_no_reason_to_leave_a_line_out():
    line = built(1, {"wait": 1, "km": 1, "price": 1, "reoperation": None}, OPEN | {"age_min": 18})
    assert refusals(line, replace(NEED, age=None), today=TODAY) == []


def test_the_distance_between_stockholm_and_gothenburg_is_some_400_km():
    stockholms = (Decimal("59.3293"), Decimal("18.0686"))
    gothenburg = (Decimal("57.7089"), Decimal("11.9746"))
    assert great_circle_km(*stockholms, *gothenburg) == pytest.approx(398, abs=2)
    assert great_circle_km(*stockholms, *stockholms) == 0


# What the database brings


@pytest.mark.django_db
class TestFromTheDatabase:
    def found(self, kva: str = "NGB49") -> matching.Matching:
        return match(replace(NEED, kva=kva), today=TODAY)

    def test_a_line_covers_its_own_code_and_the_codes_of_its_group(self):
        ContractLineFactory(kva="NGB")
        assert len(self.found("NGB49").matches) == len(self.found("NGB").matches) == 1

    def test_a_finer_code_does_not_cover_its_group_or_its_neighbour(self):
        ContractLineFactory(kva="NGB49")
        assert self.found("NGB").matches == self.found("NGB09").matches == ()

    def test_codes_of_two_letters_have_no_group(self):
        ContractLineFactory(kva="AA123")
        assert len(self.found("AA123").matches) == 1
        assert self.found("AA124").matches == ()

    def test_a_full_contract_leaves_out_all_its_lines(self):
        line = ContractLineFactory(contract=ContractFactory(cap_volume=1), cap_volume=None)
        region = RegionFactory()
        reserve(line, case_number="13-26-000001-0", region=region, now=NOW)
        [left_out] = self.found().left_out
        assert left_out.reasons == ("Takvolymen på avtalet är nådd.",)

    def test_a_region_that_is_let_in_may_use_anothers_contract(self):
        owner, other = RegionFactory(code="14"), RegionFactory(code="13")
        contract = ContractFactory(owner_region=owner, regions_allowed=[owner, other])
        ContractLineFactory(contract=contract)
        assert len(self.found().matches) == 1

    def test_the_newest_wait_counts(self):
        line = ContractLineFactory()
        for days_ago, median in [(40, 90), (10, 20), (70, 5)]:
            day = TODAY - timedelta(days=days_ago)
            WaitingTimeFactory(care_unit=line.care_unit, day=day, median_days=median)
        assert self.found().matches[0].wait_days == 20

    def test_the_wait_of_the_code_itself_goes_before_that_of_its_group(self):
        line = ContractLineFactory()
        for kva, median in [("NGB49", 20), ("NGB", 50)]:
            WaitingTimeFactory(care_unit=line.care_unit, day=TODAY, kva=kva, median_days=median)
        assert self.found().matches[0].wait_days == 20
        assert median_wait_days(line.care_unit, kva="NGB49", today=TODAY) == 20

    @pytest.mark.parametrize(("age", "known"), [(FRESH_DAYS, True), (FRESH_DAYS + 1, False)])
    def test_an_old_wait_says_nothing_about_today(self, age, known):
        line = ContractLineFactory()
        WaitingTimeFactory(care_unit=line.care_unit, day=TODAY - timedelta(days=age))
        assert (self.found().matches[0].wait_days is not None) == known

    def test_a_wait_reported_for_a_day_to_come_does_not_count(self):
        line = ContractLineFactory()
        WaitingTimeFactory(care_unit=line.care_unit, day=TODAY + timedelta(days=1))
        assert self.found().matches[0].wait_days is None

    def test_the_newest_quality_measure_counts(self):
        line = ContractLineFactory()
        for year, percent in [(2024, "1.0"), (2025, "2.0"), (2027, "9.0")]:
            QualityMeasureFactory(
                care_unit=line.care_unit, year=year, reoperation_percent=Decimal(percent)
            )
        assert self.found().matches[0].reoperation_percent == Decimal("2.00")

    def test_the_number_of_queries_does_not_grow_with_the_lines(
        self, django_assert_max_num_queries
    ):
        for _ in range(8):
            line = ContractLineFactory()
            WaitingTimeFactory(care_unit=line.care_unit)
        with django_assert_max_num_queries(5):
            answer = self.found()
            assert all(m.line.care_unit.provider.name for m in answer.matches)

    def test_distance_is_counted_from_the_home_municipality(self):
        region = RegionFactory()
        home = MunicipalityFactory(code="1383", name="Varberg", latitude=Decimal("57.1056"))
        case = make_case(now=NOW, region=region, municipality="1383").case
        need = need_of(case, today=TODAY)
        assert (need.origin, need.latitude) == ("Varberg", home.latitude)

    def test_without_a_home_municipality_distance_is_counted_from_the_regions_seat(self):
        case = make_case(now=NOW, protection="sekretessmarkering").case
        assert need_of(case, today=TODAY).origin == "Halmstad"

    def test_a_case_finds_the_lines_that_it_may_be_offered(self):
        made = make_case(CaseState.IN_PROGRESS, now=NOW)
        assert [m.line for m in matching_for(made.case, today=TODAY).matches] == [made.line]

    def test_a_unit_that_has_closed_is_left_out(self):
        ContractLineFactory(care_unit=CareUnitFactory(is_active=False))
        [left_out] = self.found().left_out
        assert "tar inte emot" in left_out.reasons[0]

    def test_matching_reserves_nothing(self):
        ContractLineFactory()
        self.found()
        assert not CallOff.objects.exists()


def test_the_middle_price_is_what_a_price_is_held_against():
    lines = [
        built(pk, {"wait": 30, "km": 100, "price": price, "reoperation": None})
        for pk, price in enumerate([60_000, 80_000, 100_000], 1)
    ]
    shares = {m.line.pk: m.parts[2].value for m in ranking(lines).matches}
    assert "75 % av" in shares[1]
    assert "100 % av" in shares[2]
    assert "125 % av" in shares[3]


def test_a_need_on_a_day_is_answered_for_that_day():
    value = {"wait": 30, "km": 100, "price": 80_000, "reoperation": None}
    line = built(1, value, OPEN | {"valid_to": 10})
    assert refusals(line, NEED, today=date(2026, 3, 20)) == []
    assert refusals(line, NEED, today=date(2026, 3, 21)) != []
