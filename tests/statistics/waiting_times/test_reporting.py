"""How far each variable is reported, month by month, and what is a clear drop."""

import pytest

from statistics.months import Month
from statistics.waiting_times.layout import by_name
from statistics.waiting_times.selectors import Degree, VariableDegrees, reporting
from tests.factories import RegionFactory, region_admin_actor
from tests.statistics.waiting_times.files import written
from tests.statistics.waiting_times.test_deliveries import OCTOBER, contacts, deliver, of_month

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin():
    return region_admin_actor(RegionFactory(code="14"))


def test_reporting_degree_by_variable_and_month_with_earlier_months_beside(admin):
    """September 100 % of 40, October 50 %: clearly lower. Missing is told from not applicable."""
    deliver(of_month(Month(2026, 9), 40, avvikelse="1"), admin)
    half = [
        one | {"avvikelse": "1" if n % 4 == 0 else "" if n % 4 == 1 else "EA"}
        for n, one in enumerate(contacts(40))
    ]
    deliver(written(half), admin)
    shown = reporting(admin, model="specialised", status="G", month=OCTOBER)
    row = next(one for one in shown.rows if one.variable.name == "avvikelse")
    assert row.now == Degree(values=10, missing=10, not_applicable=20)
    assert (row.now.share, row.now.share_of_all) == (50, 25)
    assert row.earlier[0] == Degree(40, 0, 0)
    assert row.earlier[1] is None
    assert [one.variable.name for one in shown.dropped] == ["avvikelse"]
    assert "akut_start" in {one.variable.name for one in shown.rows}
    assert "start" not in {
        one.variable.name
        for one in reporting(admin, model="specialised", status="V", month=OCTOBER).rows
    }


def test_the_degree_is_of_the_present_version(admin):
    deliver(of_month(OCTOBER, 10, listning=""), admin)
    deliver(of_month(OCTOBER, 10), admin)
    deliver(of_month(OCTOBER, 10, kon="7"), admin)  # refused
    shown = reporting(admin, model="specialised", status="G", month=OCTOBER)
    row = next(one for one in shown.rows if one.variable.name == "listning")
    assert row.now == Degree(10, 0, 0)


@pytest.mark.parametrize(
    ("now", "before", "dropped"),
    [
        (Degree(90, 10), Degree(100, 0), True),
        (Degree(96, 4), Degree(100, 0), False),  # less than five points
        (Degree(9, 1), Degree(10, 0), False),  # chance
        (Degree(100, 0), Degree(90, 10), False),
        (Degree(0, 50), Degree(0, 0), False),
        (Degree(3, 50), Degree(50, 0), False),  # hidden: tells of three
    ],
)
def test_a_drop_is_flagged_when_it_is_clear(now, before, dropped):
    row = VariableDegrees(by_name("specialised")["kon"], "", now, [before])
    assert row.has_dropped == dropped


def test_small_numbers_are_hidden():
    assert Degree(3, 97).share is None
    assert Degree(2, 1, 97).share is None
    assert Degree(97, 3).share == 97
    assert Degree(50, 50, 2).share_of_all is None
