"""The situation view: what a period's figures are, who is counted, and what is not shown."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from capacity.models import OWN_SOURCE, WaitingTime
from capacity.selectors import median_wait_days
from capacity.situation import Choice, monthly_medians, needs_reported, reported_at, situations
from capacity.views import _sorted
from organisations.models import CareUnit
from organisations.sweeps import run_due
from referral.models import CaseState
from tests.factories import (
    CareUnitFactory,
    RegionFactory,
    WaitingTimeFactory,
    make_case,
    navigator_actor,
    operator_actor,
    stockholm,
    user_of,
)

pytestmark = pytest.mark.django_db

TODAY = date(2026, 3, 10)


@pytest.fixture
def unit() -> CareUnit:
    return CareUnitFactory.create(name="Öhns ortopedi")


def days_ago(unit: CareUnit, days: int, **fields: object) -> WaitingTime:
    return WaitingTimeFactory.create(
        care_unit=unit, day=TODAY - timedelta(days=days), **({"kva": "NGB"} | fields)
    )


def table(**choice: object):
    return situations(Choice(**({"kva": "NGB49"} | choice)), today=TODAY)


def test_each_procedure_counts_with_its_days_median(unit):
    days_ago(unit, 1, done=10, median_days=20, p80_days=30)
    days_ago(unit, 2, done=3, median_days=90, p80_days=100)
    row = table()[0]
    assert (row.name, row.done, row.median_days, row.p80_days) == ("Öhns ortopedi", 13, 20, 30)


@pytest.mark.parametrize(("days", "done"), [(30, 10), (90, 30), (365, 60)])
def test_the_period_is_counted_back_from_today(unit, days, done):
    for ago, number in ((29, 10), (30, 20), (89, 0), (364, 30), (365, 40)):
        if number:
            days_ago(unit, ago, done=number)
    assert table(days=days)[0].done == done


def test_days_to_come_do_not_count(unit):
    days_ago(unit, -1)
    assert table() == []


def test_fewer_than_five_show_no_figures(unit):
    days_ago(unit, 1, done=4)
    row = table()[0]
    assert (row.done, row.median_days, row.p80_days, row.asa34_percent) == (None,) * 4
    days_ago(unit, 2, done=1)
    assert table()[0].done == 5


@pytest.mark.parametrize(
    ("done", "percent", "shown"),
    [(8, 38, None), (8, 0, 0), (10, 50, 50), (8, 100, 100), (20, 90, None), (40, 20, 20)],
)
def test_a_share_of_one_to_four_or_of_all_but_so_few_is_not_shown(unit, done, percent, shown):
    days_ago(unit, 1, done=done, asa34_percent=percent)
    assert table()[0].asa34_percent == shown
    hit = [row.name for row in table(asa34_least=10)]
    assert bool(hit) == (shown is not None and shown >= 10)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=5))
def test_a_region_never_tells_a_units_small_number(numbers):
    WaitingTime.objects.all().delete()
    region = RegionFactory()
    for number in numbers:
        days_ago(CareUnitFactory(region=region), 1, done=number)
    row = table(by_region=True)[0]
    assert row.done is None if sum(numbers) < 5 else row.done % 5 == 0


def test_a_finer_code_counts_only_where_the_group_is_not_told(unit):
    days_ago(unit, 1, done=10)
    days_ago(unit, 1, done=8, kva="NGB49")
    days_ago(unit, 2, done=6, kva="NGB49")
    assert table()[0].done == 16


def test_another_code_is_not_mixed_in(unit):
    days_ago(unit, 1, done=10, kva="NFB")
    assert table() == []


def test_sources_stand_beside_each_other(unit):
    days_ago(unit, 1, done=10, source="SPOR")
    days_ago(unit, 1, done=12, source="Annat")
    assert {(row.source, row.done) for row in table()} == {("SPOR", 10), ("Annat", 12)}


def test_a_need_is_asked_for_by_itself(unit):
    days_ago(unit, 1, done=10, median_days=50)
    days_ago(unit, 1, done=6, median_days=20, need_within_days=30)
    assert table()[0].median_days == 50
    assert table(need_within_days=30)[0].median_days == 20
    assert table(need_within_days=90) == []
    assert needs_reported("NGB49", today=TODAY) == [30]


def test_shares_are_of_the_whole_year_and_filter(unit):
    days_ago(unit, 1, done=10, asa34_percent=Decimal(10))
    days_ago(unit, 200, done=30, asa34_percent=Decimal(30))
    row = table(days=30)[0]
    assert (row.done, row.asa34_percent) == (10, 25.0)
    assert table(days=30, asa34_least=20) == [row]
    assert table(days=30, asa34_least=30) == []
    assert table(days=30, general_anaesthesia_least=5) == []


def test_the_chart_has_eighteen_months_with_the_small_and_empty_ones_blank(unit):
    WaitingTimeFactory(care_unit=unit, kva="NGB", day=date(2026, 3, 2), done=6, median_days=40)
    WaitingTimeFactory(care_unit=unit, kva="NGB", day=date(2026, 1, 2), done=4, median_days=41)
    WaitingTimeFactory(care_unit=unit, kva="NGB", day=date(2024, 10, 1), done=9, median_days=42)
    WaitingTimeFactory(care_unit=unit, kva="NGB", day=date(2024, 9, 30), done=9, median_days=43)
    months = monthly_medians(unit, kva="NGB", source="test", today=TODAY)
    assert (len(months), months[0].first_day) == (18, date(2024, 10, 1))
    assert [m.median_days for m in months if m.median_days] == [42, 40]


def test_what_cannot_be_known_stands_last_whichever_way_it_is_sorted(unit):
    days_ago(unit, 1, done=4, median_days=1)
    days_ago(CareUnitFactory(name="B"), 1, done=10, median_days=20)
    days_ago(CareUnitFactory(name="C"), 1, done=10, median_days=30)
    for order, names in (("median_days", ["B", "C"]), ("-median_days", ["C", "B"])):
        assert [row.name for row in _sorted(table(), order)] == [*names, unit.name]


def test_a_treated_patient_adds_to_the_products_own_figures():
    made = make_case(CaseState.TREATED, now=stockholm(2026, 3, 2, 9))
    run_due(now=stockholm(2026, 3, 20, 9))
    own = WaitingTime.objects.get(source=OWN_SOURCE)
    treated_on = made.offer.referral.treated_on
    assert (own.care_unit, own.day, own.done) == (made.offer.care_unit, treated_on, 1)
    assert own.median_days == (treated_on - made.case.decision_date).days
    assert reported_at(own.care_unit, today=stockholm(2026, 3, 20, 9).date())[0].is_own
    # Too few to promise a patient anything by.
    assert median_wait_days(own.care_unit, kva=made.case.kva, today=treated_on) is None


class TestPages:
    @pytest.fixture
    def client(self, client: Client) -> Client:
        client.force_login(user_of(navigator_actor(RegionFactory())))
        return client

    def test_a_code_gives_the_table_and_words_the_codes(self, client, unit):
        WaitingTimeFactory(care_unit=unit, kva="NGB")
        page = client.get(reverse("situation"), {"q": "NGB49"}).content.decode()
        assert "Öhns ortopedi" in page
        assert client.get(reverse("situation"), {"q": "hittas inte"}).status_code == 200

    @pytest.mark.parametrize(
        "query",
        [
            {"q": "\x00"},
            {"q": "NGB", "sort": "password"},
            {"q": "NGB", "days": "31"},
            {"q": "NGB", "need": "x" * 400},
            {"q": "NGB", "asa34": "-1", "level": "å"},
            {"q": "x" * 5000},
        ],
    )
    def test_an_odd_address_is_answered(self, client, query):
        assert client.get(reverse("situation"), query).status_code in {200, 422}

    def test_a_units_page_shows_what_is_asked_for_or_what_there_is(self, client, unit):
        address = reverse("situation-unit", args=[unit.hsa_id])
        assert "Inga väntetider är rapporterade" in client.get(address).content.decode()
        WaitingTimeFactory(care_unit=unit, kva="NGB")
        for query in ({}, {"kva": "NGB", "source": "test"}, {"kva": "XXX", "source": "\x00"}):
            assert "Medianväntetid" in client.get(address, query).content.decode()
        assert client.get(reverse("situation-unit", args=["SE1-X"])).status_code == 404

    def test_the_operator_reads_files_and_nobody_else(self, client, unit):
        assert client.get(reverse("waiting-time-files")).status_code == 403
        operator = Client()
        operator.force_login(user_of(operator_actor()))
        assert "Ingen fil" in operator.get(reverse("waiting-time-files")).content.decode()
