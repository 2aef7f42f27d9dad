"""The cap holds, whoever asks, however many ask at once (design 5.5)."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Count, Q, Sum
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from contracts.models import CallOff, Contract, ContractLine, PeriodCap, PeriodCount
from contracts.services import release, reserve, settle, use
from organisations.errors import CapReached, WrongState
from tests.concurrency import together
from tests.factories import ContractFactory, ContractLineFactory, RegionFactory, stockholm

pytestmark = pytest.mark.django_db

NOW = stockholm(2026, 3, 10, 9)
PRICE = Decimal(80_000)


def number(n: int) -> str:
    return f"13-26-{n:06d}-0"


def take(line: ContractLine, n: int, now: datetime = NOW) -> CallOff:
    return reserve(line, case_number=number(n), region=RegionFactory(), now=now)


def line_with(**caps) -> ContractLine:
    """A line of 80 000 SEK a place; caps of the line, or ``contract__…`` of its contract."""
    unlimited = {"cap_volume": None, "contract__cap_volume": None}
    return ContractLineFactory(price_sek=PRICE, **(unlimited | caps))


def counters(row: Contract | ContractLine) -> tuple[int, Decimal]:
    row.refresh_from_db()
    return row.taken_volume, row.taken_sek


def ledger(row: Contract | ContractLine) -> tuple[int, Decimal]:
    """The sum of live call-offs, counted anew."""
    of_row = {"line__contract": row} if isinstance(row, Contract) else {"line": row}
    live = CallOff.objects.filter(**of_row).filter(~Q(state=CallOff.State.RELEASED))
    sums = live.aggregate(volume=Count("pk"), sek=Sum("amount_sek"))
    return sums["volume"], sums["sek"] or Decimal(0)


def assert_counters_equal_ledger(line: ContractLine) -> None:
    assert counters(line) == ledger(line)
    assert counters(line.contract) == ledger(line.contract)


def test_a_reservation_takes_a_place_and_its_price_of_line_and_contract():
    line = line_with()
    take(line, 1)
    assert counters(line) == counters(line.contract) == (1, PRICE)


@pytest.mark.parametrize(
    "cap",
    [
        {"cap_volume": 2},
        {"cap_sek": 2 * PRICE},
        {"contract__cap_volume": 2},
        {"contract__cap_sek": 2 * PRICE},
        {"cap_sek": 3 * PRICE - Decimal("0.01")},
    ],
)
def test_nobody_gets_a_place_past_the_cap(cap):
    line = line_with(**cap)
    take(line, 1)
    take(line, 2)
    with pytest.raises(CapReached):
        take(line, 3)
    assert counters(line) == (2, 2 * PRICE)
    assert_counters_equal_ledger(line)


def test_a_cap_of_nothing_gives_no_place():
    with pytest.raises(CapReached):
        take(line_with(cap_volume=0), 1)


def test_a_line_without_cap_is_held_by_its_contract_and_its_other_lines():
    line = line_with(contract__cap_volume=2)
    other = ContractLineFactory(contract=line.contract, kva="NGB09", cap_volume=None)
    take(line, 1)
    take(other, 2)
    with pytest.raises(CapReached):
        take(line, 3)


def test_a_released_place_can_be_taken_again():
    line = line_with(cap_volume=1)
    release(take(line, 1), now=NOW)
    take(line, 2)
    assert_counters_equal_ledger(line)


def test_a_place_released_twice_is_given_back_once():
    line = line_with(cap_volume=2)
    call_off = take(line, 1)
    take(line, 2)
    release(call_off, now=NOW)
    release(call_off, now=NOW)
    assert counters(line) == (1, PRICE)


def test_a_used_place_stays_taken_and_cannot_be_released():
    line = line_with(cap_volume=1)
    call_off = take(line, 1)
    use(call_off, now=NOW)
    with pytest.raises(WrongState):
        release(call_off, now=NOW)  # as read before it was used
    assert counters(line) == (1, PRICE)


@pytest.mark.parametrize("state", ["released", "used", "settled"])
def test_only_a_reserved_place_is_used(state):
    call_off = take(line_with(), 1)
    if state == "released":
        release(call_off, now=NOW)
    else:
        use(call_off, now=NOW)
    if state == "settled":
        settle(call_off, amount_sek=PRICE, now=NOW)
    with pytest.raises(WrongState):
        use(call_off, now=NOW)


def test_only_a_used_place_is_settled():
    with pytest.raises(WrongState):
        settle(take(line_with(), 1), amount_sek=PRICE, now=NOW)


@pytest.mark.parametrize("amount", [Decimal(70_000), Decimal(90_000), Decimal(0)])
def test_a_settled_place_costs_what_the_invoice_says(amount):
    line = line_with(cap_sek=Decimal(100_000))
    settle(use(take(line, 1), now=NOW), amount_sek=amount, now=NOW)
    assert counters(line) == (1, amount)
    assert_counters_equal_ledger(line)


@pytest.mark.parametrize("where", ["cap_sek", "contract__cap_sek"])
def test_an_invoice_past_the_cap_is_refused_and_changes_nothing(where):
    line = line_with(**{where: Decimal(100_000)})
    call_off = use(take(line, 1), now=NOW)
    with pytest.raises(CapReached):
        settle(call_off, amount_sek=Decimal("100000.01"), now=NOW)
    call_off.refresh_from_db()
    assert (call_off.state, call_off.amount_sek) == (CallOff.State.USED, PRICE)
    assert_counters_equal_ledger(line)


def test_a_case_has_one_live_call_off():
    line = line_with()
    take(line, 1)
    with pytest.raises(WrongState):
        take(line, 1)
    assert counters(line) == (1, PRICE)


def test_a_case_may_have_another_call_off_after_the_first_is_released():
    line = line_with()
    release(take(line, 1), now=NOW)
    take(line, 1)
    assert counters(line) == (1, PRICE)


def insert_past_the_services(line: ContractLine, n: int, state: str = "reserved") -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO contracts_calloff"
            " (line_id, region_id, case_number, state, amount_sek, reserved_at, released_at)"
            " VALUES (%s, '13', %s, %s, 80000, now(), %s)",
            [line.pk, number(n), state, NOW if state == "released" else None],
        )


def test_the_database_refuses_a_call_off_past_the_cap_when_the_code_is_wrong():
    line = line_with(cap_volume=1)
    insert_past_the_services(line, 1)
    with pytest.raises(IntegrityError, match="line_volume_within_cap"), transaction.atomic():
        insert_past_the_services(line, 2)
    assert_counters_equal_ledger(line)


def test_the_database_refuses_to_bring_a_released_call_off_back_past_the_cap():
    line = line_with(cap_volume=1)
    insert_past_the_services(line, 1, state="released")
    insert_past_the_services(line, 2)
    back = CallOff.objects.filter(case_number=number(1))
    with pytest.raises(IntegrityError, match="line_volume_within_cap"), transaction.atomic():
        back.update(state="reserved", released_at=None)


def test_a_call_off_deleted_past_the_services_gives_its_place_back():
    line = line_with(cap_volume=1)
    insert_past_the_services(line, 1)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM contracts_calloff")
    assert_counters_equal_ledger(line)


@pytest.mark.parametrize("cap", [{"cap_volume": 1}, {"cap_sek": PRICE}])
def test_a_cap_cannot_be_lowered_below_what_is_taken(cap):
    line = line_with()
    take(line, 1)
    take(line, 2)
    with pytest.raises(IntegrityError, match="within_cap"), transaction.atomic():
        ContractLine.objects.filter(pk=line.pk).update(**cap)


@pytest.mark.parametrize(
    ("caps", "left"),
    [
        ({}, None),
        ({"cap_volume": 5}, 5),
        ({"cap_volume": 5, "contract__cap_volume": 3}, 3),
        ({"cap_volume": 5, "contract__cap_sek": 2 * PRICE + 1}, 2),
        ({"cap_sek": PRICE - 1}, 0),
    ],
)
def test_the_places_left_are_those_that_fit_under_every_cap(caps, left):
    assert line_with(**caps).places_left == left


# Many at once, each with a connection of its own and real commits


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "cap", [{"cap_volume": 3}, {"contract__cap_volume": 3}, {"cap_sek": 3 * PRICE}]
)
def test_many_who_fight_for_the_last_places_get_exactly_those(cap):
    line = line_with(**cap)
    RegionFactory()
    results = together(partial(take, line, n) for n in range(12))
    assert sum(isinstance(result, CallOff) for result in results) == 3
    assert sum(isinstance(result, CapReached) for result in results) == 9
    assert_counters_equal_ledger(line)


@pytest.mark.django_db(transaction=True)
def test_two_lines_share_the_last_places_of_their_contract():
    lines = [line_with(contract__cap_volume=5)]
    lines.append(ContractLineFactory(contract=lines[0].contract, kva="NGB09", price_sek=PRICE))
    RegionFactory()
    results = together(partial(take, lines[n % 2], n) for n in range(12))
    assert sum(isinstance(result, CallOff) for result in results) == 5
    assert counters(lines[0].contract) == (5, 5 * PRICE)
    for line in lines:
        assert_counters_equal_ledger(line)


@pytest.mark.django_db(transaction=True)
def test_a_place_that_is_released_and_fought_for_at_once_is_taken_at_most_once():
    line = line_with(cap_volume=2)
    held = [take(line, n) for n in range(2)]
    works = [partial(release, call_off, now=NOW) for call_off in held]
    works += [partial(take, line, n) for n in range(10, 18)]
    results = together(works)
    assert all(isinstance(result, CallOff | CapReached) for result in results)
    assert counters(line)[0] <= 2
    assert_counters_equal_ledger(line)


@pytest.mark.django_db(transaction=True)
def test_a_place_released_and_used_at_once_has_one_fate():
    line = line_with(cap_volume=1)
    call_off = take(line, 1)
    releasing, using = partial(release, call_off, now=NOW), partial(use, call_off, now=NOW)
    results = together([releasing, using] * 3)
    call_off.refresh_from_db()
    refused = [isinstance(result, WrongState) for result in results]
    if call_off.state == CallOff.State.USED:
        assert (refused[::2], sorted(refused[1::2])) == ([True] * 3, [False, True, True])
    else:
        assert (refused[::2], refused[1::2]) == ([False] * 3, [True] * 3)
    assert_counters_equal_ledger(line)


# Any order of what may be done


class Ledger(RuleBasedStateMachine):
    """Reservations, releases, expiries, uses and invoices in any order and over the weeks, held
    against a plain count. The contract has a cap per week as well.
    """

    call_offs = Bundle("call_offs")

    def __init__(self) -> None:
        super().__init__()
        self.savepoint = transaction.atomic()
        self.savepoint.__enter__()
        contract = ContractFactory(cap_volume=4, cap_sek=4 * PRICE)
        self.lines = [
            ContractLineFactory(contract=contract, price_sek=PRICE, cap_volume=3, cap_sek=None),
            ContractLineFactory(
                contract=contract, price_sek=PRICE / 2, cap_volume=None, cap_sek=2 * PRICE
            ),
        ]
        self.drawn = 0
        self.now = NOW
        PeriodCap.objects.create(
            contract=contract, period="week", cap_volume=2, applies_from=self.now.date()
        )
        self.live: dict[int, tuple[int, Decimal]] = {}
        self.weeks: dict[int, date] = {}  # the Monday of the week that each live one counts in
        self.reserved: dict[int, tuple[CallOff, datetime]] = {}

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.savepoint.__exit__(None, None, None)

    def fits(self, which: int, volume: int, sek: Decimal) -> bool:
        """Whether so much more stays under every cap."""
        on_line = [amount for line, amount in self.live.values() if line == which]
        everywhere = [amount for _, amount in self.live.values()]
        line = self.lines[which]
        this_week = list(self.weeks.values()).count(monday_of(self.now))
        return (
            this_week + volume <= 2
            and (line.cap_volume is None or len(on_line) + volume <= line.cap_volume)
            and (line.cap_sek is None or sum(on_line) + sek <= line.cap_sek)
            and len(everywhere) + volume <= 4
            and sum(everywhere) + sek <= 4 * PRICE
        )

    @rule(target=call_offs, which=st.integers(0, 1))
    def somebody_reserves(self, which: int) -> CallOff | None:
        line = self.lines[which]
        self.drawn += 1
        fits = self.fits(which, 1, line.price_sek)
        try:
            call_off = take(line, self.drawn, self.now)
        except CapReached:
            assert not fits
            return None
        assert fits
        self.live[call_off.pk] = (which, line.price_sek)
        self.weeks[call_off.pk] = monday_of(self.now)
        self.reserved[call_off.pk] = (call_off, self.now)
        return call_off

    @rule(days=st.integers(1, 10))
    def time_goes_by(self, days: int) -> None:
        self.now += timedelta(days=days)

    @rule()
    def what_nobody_answered_expires(self) -> None:
        """As the sweep does with offers that have stood for fourteen days."""
        for call_off, since in list(self.reserved.values()):
            if self.now - since >= timedelta(days=14):
                release(call_off, now=self.now)
                self.forget(call_off)

    def forget(self, call_off: CallOff) -> None:
        for kept in (self.live, self.weeks, self.reserved):
            kept.pop(call_off.pk, None)

    @rule(call_off=call_offs)
    def somebody_releases(self, call_off: CallOff | None) -> None:
        if call_off is None:
            return
        try:
            release(call_off, now=self.now)
        except WrongState:
            return
        self.forget(call_off)

    @rule(call_off=call_offs)
    def somebody_is_treated(self, call_off: CallOff | None) -> None:
        if call_off is None:
            return
        try:
            use(call_off, now=self.now)
        except WrongState:
            return
        assert call_off.pk in self.live
        self.reserved.pop(call_off.pk, None)
        others = [week for pk, week in self.weeks.items() if pk != call_off.pk]
        if others.count(monday_of(self.now)) < 2:  # else it stays in the week it was reserved in
            self.weeks[call_off.pk] = monday_of(self.now)

    @rule(call_off=call_offs, amount=st.integers(0, 100_000).map(Decimal))
    def an_invoice_comes(self, call_off: CallOff | None, amount: Decimal) -> None:
        if call_off is None:
            return
        which, before = self.live.get(call_off.pk, (0, Decimal(0)))
        fits = self.fits(which, 0, amount - before)
        try:
            settle(call_off, amount_sek=amount, now=self.now)
        except WrongState:
            return
        except CapReached:
            assert not fits
            return
        assert fits
        self.live[call_off.pk] = (which, amount)

    @invariant()
    def counters_are_the_ledgers_sums_and_the_plain_counts(self) -> None:
        for which, line in enumerate(self.lines):
            assert_counters_equal_ledger(line)
            mine = [amount for on, amount in self.live.values() if on == which]
            assert counters(line) == (len(mine), sum(mine, Decimal(0)))

    @invariant()
    def the_weeks_have_what_was_called_off_in_them_and_never_more_than_their_cap(self) -> None:
        found = {
            count.starts_on: count.taken_volume
            for count in PeriodCount.objects.filter(period_cap__contract=self.lines[0].contract)
            if count.taken_volume
        }
        weeks = list(self.weeks.values())
        assert found == {week: weeks.count(week) for week in weeks}
        assert all(taken <= 2 for taken in found.values())


def monday_of(now: datetime) -> date:
    return now.date() - timedelta(days=now.date().weekday())


def test_the_cap_holds_whatever_is_done_in_whatever_order():
    run_state_machine_as_test(
        Ledger, settings=settings(max_examples=10, stateful_step_count=20, deadline=None)
    )
