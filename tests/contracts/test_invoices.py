"""Invoices: read, checked against what was agreed and done, settled once (design 5.5)."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest
from django.db import Error, IntegrityError, connection, transaction
from django.utils import timezone

from contracts.models import CallOff, Deviation, Invoice, InvoiceFile, InvoiceLine, InvoiceLog
from contracts.services import (
    approve_line,
    await_credit,
    dispute_line,
    process_treated,
    receive_invoices,
)
from organisations.errors import CapReached, InvalidInput, NotAllowed, WrongState
from organisations.masking import MASK
from referral.models import CaseState
from tests.concurrency import together
from tests.factories import (
    ContractLineFactory,
    MadeCase,
    ProviderFactory,
    RegionFactory,
    contract_owner_actor,
    identity_number,
    integration_actor,
    make_case,
    navigator_actor,
    provider_actor,
)
from tests.invoices import NOW, Bill, bill_for, only_line, receive, row_for

pytestmark = pytest.mark.django_db

S = InvoiceLine.State
D = Deviation


def treated(**line) -> MadeCase:
    line = ContractLineFactory(
        kva="NGB49", price_sek=80_000, contract__owner_region=RegionFactory(), **line
    )
    return make_case(CaseState.TREATED, now=NOW, line=line)


def call_off_of(made: MadeCase) -> CallOff:
    return CallOff.objects.get(pk=made.offer.call_off_id)


def the_line(bill: Bill, made: MadeCase) -> InvoiceLine:
    return only_line(receive(bill, made.navigator))


def test_a_line_that_agrees_settles_the_call_off_at_once():
    made = treated()
    line = the_line(bill_for(made), made)
    assert (line.state, line.deviations, line.agreed_sek) == (S.SETTLED, [], 80_000)
    found = call_off_of(made)
    assert (found.state, found.amount_sek) == (CallOff.State.SETTLED, 80_000)
    assert [entry.verb for entry in InvoiceLog.objects.all()] == ["receive", "settle"]
