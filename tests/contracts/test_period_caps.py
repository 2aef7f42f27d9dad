"""Caps per week, month and year hold in the database as the cap itself does (design 5.5)."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial

import pytest
from django.db import Error, IntegrityError, connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.matching import refusals
from contracts.models import CallOff, ContractLine, Period, PeriodCap, PeriodCount
from contracts.selectors import full_periods
from contracts.services import release, reserve, settle, use
from organisations.errors import CapReached
from organisations.models import DomainEvent
from referral.selectors.matching import need_of
from tests.concurrency import together
from tests.factories import ContractLineFactory, RegionFactory, make_case, stockholm

pytestmark = pytest.mark.django_db

MONDAY = stockholm(2026, 3, 9, 9)
SUNDAY = stockholm(2026, 3, 15, 23, 30)
NEXT_MONDAY = stockholm(2026, 3, 16, 0, 30)
PRICE = Decimal(80_000)


def line_with(period: str | None = None, *, on_contract: bool = False, **figures) -> ContractLine:
    line = ContractLineFactory(cap_volume=None, contract__cap_volume=None, price_sek=PRICE)
    if period:
        where = {"contract": line.contract} if on_contract else {"line": line}
        PeriodCap.objects.create(period=period, applies_from=date(2026, 1, 1), **where, **figures)
    return line


def take(line: ContractLine, n: int, now: datetime = MONDAY) -> CallOff:
    return reserve(line, case_number=f"13-26-{n:06d}-0", region=RegionFactory(), now=now)


def run(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def counts(line: ContractLine) -> dict[date, int]:
    return {
        count.starts_on: count.taken_volume
        for count in PeriodCount.objects.filter(period_cap__line=line)
    }


@pytest.mark.parametrize("on_contract", [False, True])
@pytest.mark.parametrize("figures", [{"cap_volume": 2}, {"cap_sek": 2 * PRICE}])
def test_nobody_gets_a_place_past_the_weeks_cap(figures, on_contract):
    line = line_with("week", on_contract=on_contract, **figures)
    take(line, 1, MONDAY)
    take(line, 2, SUNDAY)
    with pytest.raises(CapReached) as refused:
        take(line, 3, SUNDAY)
    assert refused.value.code == "period_cap_reached"


def test_the_next_week_begins_on_monday_in_sweden_with_new_places():
    line = line_with("week", cap_volume=1)
    take(line, 1, SUNDAY)
    take(line, 2, NEXT_MONDAY)
    assert counts(line) == {date(2026, 3, 9): 1, date(2026, 3, 16): 1}


@pytest.mark.parametrize(
    ("period", "last", "first"),
    [
        ("month", stockholm(2026, 3, 31, 23, 59), stockholm(2026, 4, 1)),
        ("year", stockholm(2026, 12, 31, 23, 59), stockholm(2027, 1, 1)),
    ],
)
def test_months_and_years_are_of_the_calendar(period, last, first):
    line = line_with(period, cap_volume=1)
    take(line, 1, last)
    take(line, 2, first)
    with pytest.raises(CapReached):
        take(line, 3, first)


def test_a_released_place_is_given_back_to_its_period():
    line = line_with("week", cap_volume=1)
    release(take(line, 1), now=NEXT_MONDAY)
    take(line, 2)
    assert counts(line) == {date(2026, 3, 9): 1}


def test_a_treatment_moves_the_place_to_the_week_it_was_given_in():
    line = line_with("week", cap_volume=1)
    call_off = take(line, 1)
    use(call_off, now=NEXT_MONDAY, on=date(2026, 3, 17))
    assert counts(line) == {date(2026, 3, 9): 0, date(2026, 3, 16): 1}
    take(line, 2)  # the first week has its place again


def test_a_treatment_in_a_full_week_is_recorded_and_counts_where_it_was_reserved():
    line = line_with("week", cap_volume=1)
    early = take(line, 1, MONDAY)
    take(line, 2, NEXT_MONDAY)
    done = use(early, now=NEXT_MONDAY, on=date(2026, 3, 17))
    assert done.state == CallOff.State.USED
    assert done.counts_on == date(2026, 3, 9)
    assert counts(line) == {date(2026, 3, 9): 1, date(2026, 3, 16): 1}
    assert DomainEvent.objects.filter(kind="contract.period_full").count() == 1


def test_a_settled_amount_counts_in_the_period():
    line = line_with("month", cap_sek=Decimal(200_000))
    settle(use(take(line, 1), now=MONDAY), amount_sek=Decimal(130_000), now=MONDAY)
    with pytest.raises(CapReached):
        take(line, 2)


def test_a_cap_set_later_counts_what_was_called_off_before():
    line = line_with()
    take(line, 1)
    take(line, 2)
    PeriodCap.objects.create(line=line, period="week", cap_volume=3, applies_from=date(2026, 3, 10))
    assert counts(line) == {date(2026, 3, 9): 2}
    take(line, 3)
    with pytest.raises(CapReached):
        take(line, 4)


def test_a_cap_set_later_leaves_ended_periods_alone():
    line = line_with()
    take(line, 1)
    take(line, 2)
    cap = PeriodCap.objects.create(
        line=line, period="week", cap_volume=1, applies_from=date(2026, 3, 16)
    )
    assert cap.counts.get().cap_volume is None
    take(line, 3, NEXT_MONDAY)
    with pytest.raises(CapReached):
        take(line, 4, NEXT_MONDAY)


def test_a_cap_cannot_be_lowered_below_what_the_period_has():
    line = line_with("week", cap_volume=3)
    take(line, 1)
    take(line, 2)
    cap = PeriodCap.objects.filter(line=line)
    with pytest.raises(IntegrityError, match="periodcount_volume_within_cap"), transaction.atomic():
        cap.update(cap_volume=1)
    cap.update(cap_volume=1, applies_from=date(2026, 3, 16))  # from the next week on it can
    take(line, 3)  # this week keeps its three


def test_a_cap_taken_away_holds_nobody_back():
    line = line_with("week", cap_volume=1)
    take(line, 1)
    PeriodCap.objects.filter(line=line).delete()
    take(line, 2)
    assert PeriodCount.objects.count() == 0


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE contracts_periodcount SET taken_volume = 0",
        "UPDATE contracts_periodcount SET cap_volume = 99",
        "DELETE FROM contracts_periodcount",
        "INSERT INTO contracts_periodcount (period_cap_id, starts_on, taken_volume, taken_sek)"
        " SELECT id, '2020-01-06', 0, 0 FROM contracts_periodcap",
    ],
)
def test_the_counts_of_a_period_follow_the_call_offs_only(statement):
    take(line_with("week", cap_volume=1), 1)
    with pytest.raises(Error, match="follow the call-offs only"):
        run(statement)


@pytest.mark.parametrize("change", ["period = 'year'", "line_id = NULL, contract_id = {contract}"])
def test_a_period_cap_stays_where_it_is(change):
    line = line_with("week", cap_volume=1)
    sql = "UPDATE contracts_periodcap SET " + change.format(contract=line.contract_id)
    with pytest.raises(Error, match="stays where it is"):
        run(sql)


def test_the_database_refuses_a_call_off_moved_into_a_full_week():
    line = line_with("week", cap_volume=1)
    early = take(line, 1)
    take(line, 2, NEXT_MONDAY)
    with pytest.raises(IntegrityError, match="periodcount_volume_within_cap"), transaction.atomic():
        CallOff.objects.filter(pk=early.pk).update(counts_on=date(2026, 3, 18))


def test_the_full_period_is_told_and_keeps_the_line_out_of_the_matching():
    made = make_case()
    line = made.line
    today = date(2026, 3, 9)
    PeriodCap.objects.create(
        contract=line.contract, period="week", cap_volume=1, applies_from=today
    )
    take(line, 1)
    assert [cap.period for cap in full_periods(line, day=today)] == ["week"]
    assert full_periods(line, day=date(2026, 3, 16)) == []
    need = need_of(made.case, today=today)
    assert "Taket per vecka är nått." in refusals(line, need, today=today)


@pytest.mark.django_db(transaction=True)
def test_many_who_fight_for_the_weeks_last_places_get_exactly_those():
    line = line_with("week", cap_volume=3)
    RegionFactory()
    results = together(partial(take, line, n) for n in range(12))
    assert sum(isinstance(result, CallOff) for result in results) == 3
    assert sum(isinstance(result, CapReached) for result in results) == 9
    assert counts(line) == {date(2026, 3, 9): 3}


@settings(max_examples=200)
@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.sampled_from(Period))
def test_a_period_holds_its_days_and_begins_like_the_databases(day: date, period: Period):
    start = period.start(day)
    assert start <= day
    assert period.start(start) == start
    if period == Period.WEEK:
        assert start.weekday() == 0
        assert day - start < timedelta(days=7)
