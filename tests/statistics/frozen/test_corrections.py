"""What changes after the freezing is told as a correction: which figure, from what to what, why."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from organisations.errors import InvalidInput, NotAllowed, WrongState
from organisations.models import Region
from referral import services as referral
from referral.models import CaseState
from statistics.frozen import services
from statistics.frozen.models import FigureCorrection, FrozenFigure, FrozenMonth, Recount
from statistics.frozen.picture import (
    Cell,
    corrected,
    correction_row,
    differences,
    known_picture,
    picture_of,
)
from statistics.frozen.selectors import Choice, month_page, months_of
from statistics.months import Month
from tests.factories import (
    CareUnitFactory,
    RegionFactory,
    clinic_actor,
    make_case,
    manager_actor,
    navigator_actor,
    stockholm,
)
from tests.statistics.frozen.parts import FREEZES, MARCH, Counted, days, frozen_march, number

pytestmark = pytest.mark.django_db
NIGHT = stockholm(2026, 4, 8, 2, 30)


def told() -> list[tuple[Any, ...]]:
    return [
        (one.dimension, one.measure, one.n_before, one.n_after)
        for one in FigureCorrection.objects.all()
    ]


def test_a_night_without_changes_writes_nothing() -> None:
    counted = Counted(number(7), days(7, 0.1 + 0.2))
    frozen_march(counted)
    services.run_months(now=NIGHT, count=counted)
    assert not Recount.objects.exists()


def test_the_month_is_recounted_each_night_and_not_before() -> None:
    counted = Counted(number(7))
    region = frozen_march(counted)
    asked = [counted.asked[region.pk, MARCH]]
    for now in (NIGHT - timedelta(minutes=1), NIGHT, NIGHT + timedelta(hours=9)):
        services.run_months(now=now, count=counted)
        asked.append(counted.asked[region.pk, MARCH])
    assert asked == [1, 1, 2, 2]


def test_a_changed_figure_says_from_what_to_what_and_the_frozen_one_stays() -> None:
    counted = Counted(number(7), number(30, measure="treated"), days(7, 3))
    frozen_march(counted)
    counted.now(number(7), number(31, measure="treated"), days(7, 3.5))
    services.run_months(now=NIGHT, count=counted)
    assert told() == [("region", "handling_days", 7, 7), ("region", "treated", 30, 31)]
    days_row = FigureCorrection.objects.get(measure="handling_days")
    assert (days_row.median_before, days_row.median_after) == (3, Decimal("3.5"))
    assert Recount.objects.get().counted_at == NIGHT
    assert FrozenFigure.objects.get(measure="treated").n == 30


def test_a_correction_is_told_once_and_the_next_one_from_there() -> None:
    counted = Counted(number(7))
    frozen_march(counted)
    for night, n in enumerate((8, 8, 9, 7)):
        counted.now(number(n))
        services.run_months(now=NIGHT + timedelta(days=night), count=counted)
    assert [row[2:] for row in told()] == [(7, 8), (8, 9), (9, 7)]


def test_a_figure_that_comes_and_one_that_goes_are_corrections_from_and_to_nought() -> None:
    counted = Counted(number(7, key="5", dimension="clinic"))
    frozen_march(counted)
    counted.now(number(6, key="6", dimension="clinic"))
    services.run_months(now=NIGHT, count=counted)
    found = [(one.key, one.n_before, one.n_after) for one in FigureCorrection.objects.all()]
    assert found == [("5", 7, 0), ("6", 0, 6)]
    assert FigureCorrection.objects.get(key="5").label == "Grupp 5"


figures = st.dictionaries(
    st.tuples(st.sampled_from(["region", "clinic"]), st.sampled_from("ab")),
    st.integers(0, 9),
)


@given(st.lists(figures, min_size=2, max_size=5))
def test_frozen_with_its_corrections_is_always_what_is_known(stages: list[Any]) -> None:
    pictures = [
        picture_of([number(n, dimension=d, key=k) for (d, k), n in stage.items()])
        for stage in stages
    ]
    known = pictures[0]
    recount = Recount()
    for after in pictures[1:]:
        rows = [correction_row(recount, *change) for change in differences(known, after)]
        assert len(rows) == sum(
            known.get(place, Cell()) != after.get(place, Cell()) for place in known.keys() | after
        )
        known = corrected(known, rows)
        assert known == after
        assert not list(differences(known, after))


def test_a_figure_counted_twice_is_a_fault_and_not_frozen() -> None:
    with pytest.raises(ValueError, match="twice"):
        picture_of([number(1), number(1)])


def why() -> list[str]:
    return Recount.objects.latest("pk").why


def test_a_treatment_reported_late_is_told_as_that() -> None:
    march = stockholm(2026, 3, 20, 12)
    made = make_case(CaseState.BOOKED, now=march, region=RegionFactory())
    counted = Counted(number(7, measure="treated"))
    services.run_months(now=FREEZES, count=counted)
    late = FREEZES + timedelta(hours=5)
    referral.treat(made.case, treated_on=march.date(), actor=made.provider, now=late)
    counted.now(number(8, measure="treated"))
    services.run_months(now=NIGHT, count=counted)
    assert why() == ["late_treatment"]


def test_a_treatment_of_another_month_is_no_reason() -> None:
    march = stockholm(2026, 3, 20, 12)
    made = make_case(CaseState.BOOKED, now=march, region=RegionFactory())
    counted = Counted(number(7))
    services.run_months(now=FREEZES, count=counted)
    late = FREEZES + timedelta(hours=5)
    referral.treat(made.case, treated_on=late.date(), actor=made.provider, now=late)
    counted.now(number(8))
    services.run_months(now=NIGHT, count=counted)
    assert why() == ["unknown"]


def test_a_pause_noted_late_is_told_as_that() -> None:
    made = make_case(CaseState.IN_PROGRESS, now=stockholm(2026, 3, 10, 12))
    counted = Counted(number(7))
    services.run_months(now=FREEZES, count=counted)
    referral.pause(
        made.case,
        reason="patient",
        first_day=stockholm(2026, 3, 15).date(),
        comment="",
        until=None,
        actor=made.navigator,
        now=FREEZES + timedelta(hours=5),
    )
    counted.now(number(8))
    services.run_months(now=NIGHT, count=counted)
    assert why() == ["late_pause"]


def test_other_rules_are_told_as_that(monkeypatch: Any) -> None:
    counted = Counted(number(7))
    frozen_march(counted)
    other = services.CURRENT.__class__("2027-1", FREEZES.date(), "x", "")
    for module in ("services", "why"):
        monkeypatch.setattr(f"statistics.frozen.{module}.CURRENT", other)
    counted.now(number(8))
    services.run_months(now=NIGHT, count=counted)
    assert why() == ["rules"]
    assert (Recount.objects.get().rules, FrozenMonth.objects.get().rules) == ("2027-1", "2026-1")


def test_it_is_followed_for_twelve_months_and_then_left() -> None:
    counted = Counted(number(7))
    region = frozen_march(counted)
    for now in (stockholm(2027, 3, 31, 9), stockholm(2027, 4, 9, 9), stockholm(2027, 5, 9, 9)):
        services.run_months(now=now, count=counted, limit=100)
    asked = counted.asked[region.pk, MARCH]
    services.run_months(now=stockholm(2027, 6, 9, 9), count=counted, limit=100)
    assert counted.asked[region.pk, MARCH] == asked
    with pytest.raises(WrongState):
        services.recount_month(
            MARCH, actor=manager_actor(region), now=stockholm(2027, 6, 9, 9), count=counted
        )


# On demand, and a new version


def with_correction() -> tuple[Region, Counted]:
    counted = Counted(number(7))
    region = frozen_march(counted)
    counted.now(number(9))
    return region, counted


def test_on_demand_finds_the_same_as_the_night() -> None:
    region, counted = with_correction()
    now = FREEZES + timedelta(hours=1)
    actor = navigator_actor(region)
    assert services.recount_month(MARCH, actor=actor, now=now, count=counted) == 1
    assert told() == [("region", "received", 7, 9)]
    assert services.recount_month(MARCH, actor=actor, now=now, count=counted) == 0
    services.run_months(now=NIGHT, count=counted)
    assert len(told()) == 1


def test_a_new_version_has_what_is_known_and_the_first_stays() -> None:
    region, counted = with_correction()
    manager = manager_actor(region)
    services.run_months(now=NIGHT, count=counted)
    made = services.publish_version(
        MARCH, reason=" Sena svar. ", actor=manager, now=NIGHT, count=counted
    )
    assert (made.version, made.reason, made.actor_name) == (2, "Sena svar.", manager.name)
    values = {
        n: [row.frozen.n for row in month_page(manager, MARCH, Choice(version=n)).rows]
        for n in (1, 2)
    }
    assert values == {1: [7], 2: [9]}
    first = month_page(manager, MARCH, Choice(version=1))
    assert [(row.frozen.n, row.known.n) for row in first.rows] == [(7, 9)]
    assert [(one.before.n, one.after.n) for one in first.corrections] == [(7, 9)]
    assert months_of(manager)[-1].corrections == 0


def test_later_corrections_are_of_the_latest_version() -> None:
    region, counted = with_correction()
    manager = manager_actor(region)
    made = services.publish_version(MARCH, reason="x", actor=manager, now=FREEZES, count=counted)
    counted.now(number(12))
    services.run_months(now=NIGHT, count=counted)
    assert told() == [("region", "received", 9, 12)]
    assert Recount.objects.get().frozen == made
    assert {cell.n for cell in known_picture(made).values()} == {12}
    assert FrozenMonth.objects.count() == 2


def test_no_version_without_a_change_or_a_reason() -> None:
    counted = Counted(number(7))
    region = frozen_march(counted)
    manager = manager_actor(region)
    with pytest.raises(WrongState):
        services.publish_version(MARCH, reason="x", actor=manager, now=NIGHT, count=counted)
    counted.now(number(8))
    for reason in ("", "   ", "x" * 301):
        with pytest.raises(InvalidInput):
            services.publish_version(MARCH, reason=reason, actor=manager, now=NIGHT, count=counted)
    assert FrozenMonth.objects.count() == 1


def test_a_version_is_published_by_a_manager_of_the_region_alone() -> None:
    region, counted = with_correction()
    unit = CareUnitFactory(region=region, sends=True)
    for actor in (navigator_actor(region), clinic_actor(unit)):
        with pytest.raises(NotAllowed):
            services.publish_version(MARCH, reason="x", actor=actor, now=NIGHT, count=counted)
    with pytest.raises(NotAllowed):
        services.recount_month(MARCH, actor=clinic_actor(unit), now=NIGHT, count=counted)
    elsewhere = manager_actor(RegionFactory(code="14"))
    with pytest.raises(services.MonthNotFound):
        services.publish_version(MARCH, reason="x", actor=elsewhere, now=NIGHT, count=counted)
    with pytest.raises(services.MonthNotFound):
        services.publish_version(
            Month(2026, 4), reason="x", actor=manager_actor(region), now=NIGHT, count=counted
        )
