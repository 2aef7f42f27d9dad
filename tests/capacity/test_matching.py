"""Which providers are proposed, in which order and why (design 1, pilot 1)."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from capacity.distance import great_circle_km
from capacity.matching import (
    CRITERIA,
    NATIONAL,
    Landscape,
    Match,
    Matching,
    Need,
    Quality,
    Terms,
    Wait,
    Weights,
    answer,
    match,
    refusals,
)
from capacity.selectors import FRESH_DAYS, median_wait_days
from contracts.models import CallOff, Contract, ContractLine, PeriodCap
from contracts.services import reserve
from organisations.models import CareUnit, Equipment, Municipality, Provider, Region
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
        "standing": st.sampled_from(["own", "others", "free_choice"]),
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
        "languages": st.sets(st.sampled_from(["ar", "so", "fi"])).map(sorted),
        "equipment": st.sets(st.sampled_from(Equipment.values[:3])).map(sorted),
        "has_full_period": st.booleans(),
    }
)
needs = st.builds(
    replace,
    st.just(NEED),
    asa=st.integers(1, 4),
    age=st.none() | st.integers(0, 100),
    max_distance_km=st.none() | st.integers(1, 2000),
    language=st.sampled_from(["", "nej", "arabiska", "Somaliska, tolk", "klingonska", "svenska"]),
    equipment=st.frozensets(st.sampled_from(Equipment.values[:3]), max_size=2),
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
    "languages": [],
    "equipment": [],
    "has_full_period": False,
}
VALUE: dict[str, Any] = {
    "wait": 30,
    "km": 100,
    "price": 80_000,
    "reoperation": None,
    "standing": "own",
}


def built(pk: int, value: dict[str, Any], hard: dict[str, Any] = OPEN) -> ContractLine:
    standing = (VALUE | value)["standing"]
    contract = Contract(
        pk=pk,
        number=f"A{pk}",
        owner_region=Region(code="13" if standing == "own" else "14", short_name="Ägaren"),
        contract_type="free_choice" if standing == "free_choice" else "procurement",
        is_stopped=hard["is_stopped"],
        valid_from=TODAY + timedelta(days=hard["valid_from"]),
        valid_to=TODAY + timedelta(days=hard["valid_to"]),
    )
    unit = CareUnit(
        pk=pk,
        name=f"Enhet {pk}",
        provider=Provider(name=f"V{pk}"),
        municipality=Municipality(name="Orten"),
        latitude=HOME[0] + Decimal(value["km"]) / Decimal("111.195"),
        longitude=HOME[1],
        receives=hard["receives"],
        languages=hard["languages"],
        equipment=hard["equipment"],
    )
    return ContractLine(
        pk=pk,
        contract=contract,
        care_unit=unit,
        kva="NGB49",
        price_sek=Decimal(value["price"]),
        **{name: hard[name] for name in ("is_active", "cap_volume", "asa_ceiling")},
        **{name: hard[name] for name in ("age_min", "age_max")},
    )


Drawn = tuple[dict[str, Any], dict[str, Any]]


def landscape(drawn: list[Drawn], *, weights: Weights = NATIONAL) -> Landscape:
    """What the database would have brought of lines with these values and hard facts."""
    lines = {pk: built(pk, value, hard) for pk, (value, hard) in enumerate(drawn, 1)}
    period = PeriodCap(period="month", cap_volume=0)
    return Landscape(
        today=TODAY,
        terms=[
            Terms(
                lines[pk],
                TODAY,
                frozenset({"13"} if hard["allowed"] else ()),
                (period,) if hard["has_full_period"] else (),
            )
            for pk, (_value, hard) in enumerate(drawn, 1)
        ],
        waits={
            (pk, "NGB49"): Wait(value["wait"], "NGB49", TODAY, "Registret")
            for pk, (value, _hard) in enumerate(drawn, 1)
            if value["wait"] is not None
        },
        quality={
            (pk, "NGB49"): Quality(value["reoperation"], "NGB49", 2025, "Registret")
            for pk, (value, _hard) in enumerate(drawn, 1)
            if value["reoperation"] is not None
        },
        weights={"13": weights},
    )


def ranking(
    all_values: list[dict[str, Any]], *, weights: Weights = NATIONAL, need: Need = NEED
) -> Matching:
    """The answer about open lines with these values."""
    return answer(landscape([(VALUE | value, OPEN) for value in all_values], weights=weights), need)


def rank_of(found: Matching, pk: int) -> int:
    return next(m.rank for m in found.matches if m.line.pk == pk)


weights = (
    st.lists(st.integers(0, 100), min_size=4, max_size=4)
    .map(sorted)
    .map(lambda cuts: [b - a for a, b in zip([0, *cuts], [*cuts, 100], strict=True)])
    .map(lambda shares: Weights(**dict(zip(CRITERIA, shares, strict=True)), version=1))
)
STANDINGS = ["free_choice", "others", "own"]


@given(
    st.lists(values, min_size=2, max_size=6),
    weights,
    st.sampled_from(["wait", "km", "price", "reoperation", "standing"]),
    st.data(),
)
def test_a_better_value_never_lowers_a_rank(all_values, chosen_weights, criterion, data):
    chosen = data.draw(st.integers(0, len(all_values) - 1))
    value = all_values[chosen][criterion]
    if value is None:
        return
    if criterion == "standing":
        better = data.draw(st.sampled_from(STANDINGS[STANDINGS.index(value) :]))
    else:
        share = data.draw(st.integers(0, 100))
        better = max(1 if criterion == "price" else 0, value * share // 100)
    improved = list(all_values)
    improved[chosen] = improved[chosen] | {criterion: better}

    before = rank_of(ranking(all_values, weights=chosen_weights), chosen + 1)
    after = rank_of(ranking(improved, weights=chosen_weights), chosen + 1)
    assert after <= before


drawn_lines = st.lists(st.tuples(values, filters), max_size=6)


@given(drawn_lines, needs)
def test_every_line_is_either_ranked_or_left_out_with_a_reason(drawn, need):
    found = answer(landscape(drawn), need)
    ranked, left_out = [m.line for m in found.matches], [o.line for o in found.left_out]
    assert sorted(line.pk for line in ranked + left_out) == list(range(1, len(drawn) + 1))
    assert all(out.reasons and all(out.reasons) for out in found.left_out)


def may_take(value: dict[str, Any], hard: dict[str, Any], need: Need) -> bool:
    """The hard filters once more, in other words."""
    spoken = {"arabiska": "ar", "Somaliska, tolk": "so"}.get(need.language)
    return bool(
        hard["allowed"]
        and hard["is_active"]
        and hard["receives"]
        and not hard["is_stopped"]
        and hard["valid_from"] <= 0 <= hard["valid_to"]
        and hard["cap_volume"] != 0
        and not hard["has_full_period"]
        and hard["asa_ceiling"] >= need.asa
        and (need.age is None or (hard["age_min"] or 0) <= need.age <= (hard["age_max"] or 200))
        and (spoken is None or not hard["languages"] or spoken in hard["languages"])
        and all(one in hard["equipment"] for one in need.equipment)
        and (need.max_distance_km is None or value["km"] <= need.max_distance_km)
    )


@given(drawn_lines, needs)
@example([(VALUE | {"km": 300}, OPEN)], replace(NEED, max_distance_km=299))
@example([(VALUE, OPEN | {"languages": ["fi"]})], replace(NEED, language="arabiska"))
def test_what_passes_every_hard_filter_is_listed_and_nothing_else(drawn, need):
    listed = {m.line.pk for m in answer(landscape(drawn), need).matches}
    assert listed == {pk for pk, (v, hard) in enumerate(drawn, 1) if may_take(v, hard, need)}


@given(drawn_lines, st.lists(needs, max_size=4), weights)
def test_many_needs_at_once_are_answered_as_each_by_itself(drawn, several, chosen_weights):
    shared = landscape(drawn, weights=chosen_weights)
    for need in several:
        alone = answer(landscape(drawn, weights=chosen_weights), need).matches
        together = shared.ranked(need)
        assert [(r.line.pk, r.score, r.km) for r in together] == [
            (m.line.pk, m.score, m.distance_km) for m in alone
        ]


@given(st.lists(values, max_size=6), st.randoms())
def test_ranks_are_total_and_do_not_hang_on_the_order_of_the_lines(all_values, random):
    found = ranking(all_values).matches
    assert [m.rank for m in found] == list(range(1, len(all_values) + 1))
    scores = [m.score for m in found]
    assert scores == sorted(scores, reverse=True)
    lines = list(enumerate(all_values, 1))
    random.shuffle(lines)
    shuffled = Landscape(
        today=TODAY,
        terms=[Terms(built(pk, VALUE | v), TODAY, frozenset({"13"})) for pk, v in lines],
        waits=landscape([(v, OPEN) for v in all_values])._waits,
        quality=landscape([(v, OPEN) for v in all_values])._quality,
    )
    assert [m.line.pk for m in shuffled.ranked(NEED)] == [m.line.pk for m in found]


@given(values, weights)
def test_the_parts_are_the_score_and_each_lies_between_none_and_its_weight(value, chosen_weights):
    [found] = ranking([value], weights=chosen_weights).matches
    assert [part.key for part in found.parts] == list(CRITERIA)
    assert [part.possible for part in found.parts] == [chosen_weights.of(c) for c in CRITERIA]
    assert all(0 <= part.points <= part.possible for part in found.parts)
    assert found.score == pytest.approx(sum(part.points for part in found.parts))


def test_the_national_weights_sum_to_100():
    assert sum(NATIONAL.of(criterion) for criterion in CRITERIA) == 100


def one(**value: Any) -> Match:
    return ranking([VALUE | {"reoperation": Decimal(1)} | value]).matches[0]


def test_an_unknown_wait_counts_less_than_a_short_one_and_more_than_a_very_long_one():
    assert one(wait=10).score > one(wait=None).score > one(wait=180).score


def test_unknown_quality_counts_less_than_good_and_more_than_bad():
    assert one(reoperation=Decimal(1)).score > one(reoperation=None).score
    assert one(reoperation=None).score > one(reoperation=Decimal(6)).score


def test_own_contracts_go_before_others_and_those_before_others_free_choice():
    found = ranking([{"standing": s} for s in ("free_choice", "own", "others")]).matches
    assert [m.line.pk for m in found] == [2, 3, 1]


def test_every_part_says_value_scale_and_source():
    parts = {part.name: part for part in one().parts}
    assert parts["Väntetid"].value == "30 dagar (median)"
    assert parts["Väntetid"].source == f"Registret, NGB49, {TODAY}"
    assert parts["Avstånd"].value == "100 km fågelvägen"
    assert "100 % av medianpriset" in parts["Pris"].value
    assert parts["Kvalitet"].value == "1,0 % reopererade inom två år"
    assert parts["Kvalitet"].source == "Registret, NGB49, 2025"
    assert parts["Avtal"].value == "eget avtal"
    assert all(part.scale for part in parts.values())


def test_equal_scores_are_settled_by_distance_then_price_then_age_of_the_line():
    found = ranking([VALUE, VALUE]).matches
    assert [m.line.pk for m in found] == [1, 2]


def left_out(hard: dict[str, Any], **need: Any) -> list[str]:
    shown = answer(landscape([(VALUE, OPEN | hard)]), replace(NEED, **need)).left_out
    return [reason for one in shown for reason in one.reasons]


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
        ({"has_full_period": True}, "Taket per månad är nått"),
        ({"asa_ceiling": 1}, "ASA-klass 1 som högst, patienten har ASA 2"),
        ({"age_min": 71}, "från 71 år"),
        ({"age_max": 69}, "till och med 69 år"),
    ],
)
def test_a_line_is_left_out_for_the_right_reason(hard, reason):
    [text] = left_out(hard)
    assert reason in text


@pytest.mark.parametrize(
    ("need", "hard", "reason"),
    [
        ({"max_distance_km": 99}, {}, "100 km bort fågelvägen, patienten reser högst 99 km"),
        ({"language": "Tolk: arabiska"}, {"languages": ["fi", "so"]}, "enheten har finska, somali"),
        ({"equipment": frozenset({"lift"})}, {"equipment": ["overnight"]}, "personlyft"),
    ],
)
def test_a_line_is_left_out_for_what_the_patient_needs(need, hard, reason):
    [text] = left_out(hard, **need)
    assert reason in text


@pytest.mark.parametrize(
    ("language", "hard", "warning"),
    [
        ("klingonska", {"languages": ["ar"]}, "Tolkspråket klingonska är okänt"),
        ("arabiska", {"languages": []}, "har inte sagt vilka språk"),
        ("arabiska", {"languages": ["ar"]}, ""),
        ("arabiska eller finska", {"languages": ["fi"]}, ""),
        ("Nej", {"languages": ["ar"]}, ""),
        ("svenska", {"languages": ["ar"]}, ""),
    ],
)
def test_a_language_that_nobody_knows_of_is_a_warning_and_leaves_no_line_out(
    language, hard, warning
):
    found = answer(landscape([(VALUE, OPEN | hard)]), replace(NEED, language=language))
    [listed] = found.matches
    assert len(listed.warnings) == bool(warning)
    assert warning in " ".join(listed.warnings)


@pytest.mark.parametrize(
    ("hard", "need"),
    [
        ({"valid_from": 0}, {}),
        ({"valid_to": 0}, {}),
        ({"asa_ceiling": 2}, {}),
        ({}, {"max_distance_km": 100}),
        ({"equipment": ["lift", "dialysis"]}, {"equipment": frozenset({"lift"})}),
    ],
)
def test_limits_are_included(hard, need):
    assert left_out(hard, **need) == []


def test_an_unknown_age_is_no_reason_to_leave_a_line_out_but_a_warning():
    found = answer(landscape([(VALUE, OPEN | {"age_min": 18})]), replace(NEED, age=None))
    assert len(found.matches[0].warnings) == 1


def test_the_distance_between_stockholm_and_gothenburg_is_some_400_km():
    stockholms = (Decimal("59.3293"), Decimal("18.0686"))
    gothenburg = (Decimal("57.7089"), Decimal("11.9746"))
    assert great_circle_km(*stockholms, *gothenburg) == pytest.approx(398, abs=2)
    assert great_circle_km(*stockholms, *stockholms) == 0


def test_the_middle_price_is_what_a_price_is_held_against():
    found = ranking([{"price": price} for price in (60_000, 80_000, 100_000)]).matches
    shares = {m.line.pk: m.parts[2].value for m in found}
    assert "75 % av" in shares[1]
    assert "100 % av" in shares[2]
    assert "125 % av" in shares[3]


# What the database brings


@pytest.mark.django_db
class TestFromTheDatabase:
    def found(self, kva: str = "NGB49") -> Matching:
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
        assert self.found().matches[0].option.quality.percent == Decimal("2.00")

    def test_the_number_of_queries_does_not_grow_with_the_lines(
        self, django_assert_max_num_queries
    ):
        for _ in range(8):
            line = ContractLineFactory()
            WaitingTimeFactory(care_unit=line.care_unit)
        with django_assert_max_num_queries(8):
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

    def test_a_contract_that_ended_long_ago_is_no_longer_told_of(self):
        gone = TODAY - timedelta(days=366)
        ContractLineFactory(
            contract=ContractFactory(valid_from=gone - timedelta(days=9), valid_to=gone)
        )
        assert self.found().left_out == ()

    def test_a_unit_without_contract_is_told_of_and_cannot_be_offered(self):
        unit = CareUnitFactory()
        for care_unit in (unit, CareUnitFactory(is_active=False), CareUnitFactory(sends=True)):
            WaitingTimeFactory(care_unit=care_unit, day=TODAY)
        contracted = ContractLineFactory().care_unit
        WaitingTimeFactory(care_unit=contracted, day=TODAY)
        found = self.found()
        assert [one.unit for one in found.uncontracted] == [unit]
        assert [m.line.care_unit for m in found.matches] == [contracted]

    def test_the_form_says_what_the_patient_needs(self):
        made = make_case(
            CaseState.IN_PROGRESS,
            now=NOW,
            interpreter="arabiska",
            equipment=("lift",),
            max_distance_km=120,
        )
        need = need_of(made.case, today=TODAY)
        assert need.languages == {"ar"}
        assert need.equipment == {"lift"}
        assert need.max_distance_km == 120
        [out] = matching_for(made.case, today=TODAY).left_out
        assert len(out.reasons) == 2

    def test_a_line_by_itself_is_refused_for_the_same_reasons(self):
        line = ContractLineFactory(asa_ceiling=1, care_unit__languages=["fi"])
        need = replace(NEED, language="arabiska", equipment=frozenset({"dialysis"}))
        [out] = match(need, today=TODAY).left_out
        assert tuple(refusals(line, need, today=TODAY)) == out.reasons
        assert len(out.reasons) == 3
