"""Invoices, credit notes, treatments and decisions in any order: the ledger is right throughout."""

import contextlib
from decimal import Decimal

import pytest
from django.db import transaction
from django.db.models import Q, Sum
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from contracts.models import CallOff, ContractLine, Invoice, InvoiceLine
from contracts.services import (
    approve_line,
    await_credit,
    dispute_line,
    process_treated,
    release,
    reserve,
    use,
)
from organisations.case_numbers import CaseNumber
from organisations.errors import CapReached, InvalidInput, WrongState
from tests.factories import ContractLineFactory, RegionFactory, navigator_actor
from tests.invoices import NOW, Bill, Row, receive

pytestmark = pytest.mark.django_db

S = InvoiceLine.State
PRICE = Decimal(80_000)
CASES = st.integers(0, 2)
AMOUNTS = st.sampled_from([PRICE, PRICE, PRICE, Decimal(60_000), Decimal(95_000)])
NUMBERS = st.integers(1, 3).map("F-{}".format)


class Invoicing(RuleBasedStateMachine):
    """Three cases on one line with a cap in SEK that not everything fits under."""

    def __init__(self) -> None:
        super().__init__()
        self.savepoint = transaction.atomic()
        self.savepoint.__enter__()
        self.region = RegionFactory()
        self.line = ContractLineFactory(
            price_sek=PRICE,
            contract__owner_region=self.region,
            contract__cap_volume=None,
            cap_volume=None,
            cap_sek=Decimal(250_000),
        )
        self.actor = navigator_actor(self.region)
        self.numbers = [
            CaseNumber.build(county="13", year=2026, running=n + 1).value for n in range(3)
        ]
        self.sent = 0

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.savepoint.__exit__(None, None, None)

    def live(self, case: int) -> CallOff | None:
        rows = CallOff.objects.filter(case_number=self.numbers[case])
        return rows.exclude(state=CallOff.State.RELEASED).first()

    @rule(case=CASES)
    def a_place_is_reserved(self, case: int) -> None:
        try:
            reserve(self.line, case_number=self.numbers[case], region=self.region, now=NOW)
        except (CapReached, WrongState):
            return

    @rule(case=CASES)
    def a_place_is_used(self, case: int) -> None:
        call_off = self.live(case)
        if call_off and call_off.state == CallOff.State.RESERVED:
            use(call_off, now=NOW)

    @rule(case=CASES)
    def a_place_is_given_back(self, case: int) -> None:
        call_off = self.live(case)
        if call_off and call_off.state == CallOff.State.RESERVED:
            release(call_off, now=NOW)

    @rule()
    def the_sweep_runs(self) -> None:
        process_treated(now=NOW)

    def send(self, number: str, rows: list[Row], credited: str = "") -> None:
        seller = self.line.care_unit.provider.organisation_number
        bill = Bill(number, rows, seller=seller, credits=credited)
        if Invoice.objects.filter(number=number).exists():
            with contextlib.suppress(InvalidInput):  # unless it is the same file
                receive(bill, self.actor)
        else:
            receive(bill, self.actor)

    @rule(number=NUMBERS, cases=st.lists(CASES, min_size=1, max_size=3), amount=AMOUNTS)
    def an_invoice_comes(self, number: str, cases: list[int], amount: Decimal) -> None:
        self.send(number, [Row(self.numbers[case], amount) for case in cases])

    @rule(credited=NUMBERS, case=CASES, amount=AMOUNTS)
    def a_credit_note_comes(self, credited: str, case: int, amount: Decimal) -> None:
        self.sent += 1
        self.send(f"K-{self.sent}", [Row(self.numbers[case], amount)], credited)

    @rule(verb=st.sampled_from([approve_line, approve_line, dispute_line, await_credit]), n=CASES)
    def somebody_decides(self, verb, n: int) -> None:
        lines = list(InvoiceLine.objects.select_related("invoice").order_by("-pk"))
        if n < len(lines):
            try:
                verb(lines[n], reason="x", actor=self.actor, now=NOW)
            except (WrongState, CapReached):
                return

    @invariant()
    def the_counters_are_the_sum_of_what_is_live_and_within_the_cap(self) -> None:
        line = ContractLine.objects.get(pk=self.line.pk)
        live = CallOff.objects.filter(line=line).filter(~Q(state=CallOff.State.RELEASED))
        assert line.taken_sek == (live.aggregate(sum=Sum("amount_sek"))["sum"] or 0)
        assert line.taken_volume == live.count()
        assert line.taken_sek <= 250_000

    @invariant()
    def a_call_off_is_settled_by_exactly_one_line_and_costs_what_is_left_of_it(self) -> None:
        settled = InvoiceLine.objects.filter(state=S.SETTLED, is_credit=False)
        paid = {line.call_off_id: line.left_sek for line in settled}
        assert len(paid) == settled.count()
        call_offs = CallOff.objects.filter(state=CallOff.State.SETTLED)
        assert paid == dict(call_offs.values_list("pk", "amount_sek"))

    @invariant()
    def what_is_credited_is_what_credits_took(self) -> None:
        for line in InvoiceLine.objects.filter(is_credit=False):
            taken = line.credited_by.filter(state=S.SETTLED).aggregate(sum=Sum("amount_sek"))
            assert line.credited_sek == (taken["sum"] or 0)
            assert line.credited_sek <= max(line.amount_sek, Decimal(0))


def test_no_call_off_is_paid_twice_whatever_comes_in_whatever_order():
    run_state_machine_as_test(
        Invoicing, settings=settings(max_examples=12, stateful_step_count=22, deadline=None)
    )
