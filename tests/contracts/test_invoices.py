"""Invoices: read, checked against what was agreed and done, settled once (design 5.5)."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest
from django.db import Error, IntegrityError, connection, transaction
from django.test import TestCase

from contracts.models import CallOff, Deviation, Invoice, InvoiceFile, InvoiceLine, InvoiceLog
from contracts.services import (
    approve_line,
    await_credit,
    dispute_line,
    process_treated,
    receive_invoices,
)
from organisations.case_numbers import CaseNumber
from organisations.errors import CapReached, InvalidInput, NotAllowed, WrongState
from organisations.masking import MASK
from organisations.retention import rules, thin
from organisations.rotation import rotate
from referral.models import CaseState
from tests.concurrency import together
from tests.factories import (
    ContractLineFactory,
    MadeCase,
    ProviderFactory,
    RegionFactory,
    advance,
    contract_owner_actor,
    identity_number,
    integration_actor,
    make_case,
    manager_actor,
    navigator_actor,
    stockholm,
)
from tests.invoices import NOW, Bill, bill_for, only_line, receive, row_for

pytestmark = pytest.mark.django_db

S = InvoiceLine.State
D = Deviation
OTHER_CASE = CaseNumber.build(county="13", year=2026, running=999).value


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


DEVIATING = {
    "no case number": ({"case": "", "certificate": ""}, {D.CASE_MISSING}),
    "a case number with a wrong check digit": ({"case": "13-26-000001-0"}, {D.CASE_WRONG}),
    "a case without a call-off": ({"case": OTHER_CASE}, {D.NO_CALL_OFF}),
    "another price": ({"amount": Decimal("80000.01")}, {D.PRICE}),
    "a lower price": ({"amount": Decimal(70_000)}, {D.PRICE}),
    "no day": ({"treated_on": None}, {D.DATE_MISSING}),
    "another day": ({"treated_on": NOW.date() - timedelta(days=1)}, {D.DATE}),
    "no certificate": ({"certificate": ""}, {D.CERTIFICATE_MISSING}),
    "another certificate": ({"certificate": "13-26-000001-9/7"}, {D.CERTIFICATE_OTHER}),
    "VAT": ({"vat": Decimal(25)}, {D.VAT}),
    "two of it": ({"quantity": Decimal(2)}, {D.QUANTITY}),
    "a negative amount": ({"amount": Decimal(-80_000)}, {D.PRICE, D.NEGATIVE}),
    "an identity number": ({"note": f"Avser {identity_number(3)}"}, {D.IDENTITY}),
}


@pytest.mark.parametrize("name", DEVIATING)
def test_what_deviates_waits_for_a_person_and_settles_nothing(name):
    changes, expected = DEVIATING[name]
    made = treated()
    line = the_line(bill_for(made, **changes), made)
    assert (line.state, set(line.deviations)) == (S.DEVIATES, expected)
    assert call_off_of(made).state == CallOff.State.USED
    assert line.log.get().verb == InvoiceLog.Verb.DEVIATE


def test_an_identity_number_is_masked_before_it_is_stored():
    made = treated()
    number = identity_number(3)
    line = the_line(bill_for(made, note=f"Avser {number}"), made)
    assert MASK in line.text
    assert number not in line.text + line.quoted + line.line_id


def test_care_over_several_days_holds_the_day_of_treatment():
    made = treated()
    row = row_for(made, treated_on=NOW.date() - timedelta(days=1), ends_on=NOW.date())
    assert the_line(replace(bill_for(made), rows=[row]), made).state == S.SETTLED


def test_a_certificate_that_was_not_valid_that_day_deviates():
    made = treated()
    made.case.certificates.update(valid_to=NOW.date() - timedelta(days=1))
    assert the_line(bill_for(made), made).deviations == [D.CERTIFICATE_INVALID]


def test_another_provider_than_the_call_offs_deviates():
    made = treated()
    other = ProviderFactory(organisation_number="5561234567")
    bill = replace(bill_for(made), seller=other.organisation_number)
    assert the_line(bill, made).deviations == [D.OTHER_PROVIDER]


def test_the_price_is_the_one_when_the_offer_was_made():
    made = treated()
    type(made.line).objects.filter(pk=made.line.pk).update(price_sek=99_000)
    assert the_line(bill_for(made), made).state == S.SETTLED


@pytest.mark.parametrize("place", ["object", "order", "buyers item", "property", "note"])
def test_the_case_number_is_found_wherever_the_standard_lets_it_stand(place):
    made = treated()
    assert the_line(bill_for(made, place=place), made).state == S.SETTLED


def test_a_case_number_written_without_hyphens_is_read():
    made = treated()
    plain = made.case.number.replace("-", "")
    assert the_line(bill_for(made, case=plain), made).state == S.SETTLED


def test_the_certificates_number_alone_names_the_case():
    made = treated()
    certificate = made.certificate.number
    line = the_line(bill_for(made, case=certificate, certificate=""), made)
    assert (line.state, line.case_number) == (S.SETTLED, made.case.number)


@pytest.mark.parametrize("second", ["F-1001", "F-1002"])
def test_a_case_billed_twice_is_settled_once(second):
    made = treated()
    bill = bill_for(made)
    if second == bill.number:  # twice in one invoice
        receive(replace(bill, rows=[*bill.rows, *bill.rows]), made.navigator)
    else:
        receive(bill, made.navigator)
        receive(replace(bill, number=second), made.navigator)
    first, again = InvoiceLine.objects.order_by("pk")
    assert (first.state, again.state) == (S.SETTLED, S.DEVIATES)
    assert again.deviations == [D.DOUBLE]
    with pytest.raises(WrongState):
        approve_line(again, reason="Ändå.", actor=made.navigator, now=NOW)


def test_a_line_that_came_before_the_treatment_is_settled_when_it_is_reported():
    line = ContractLineFactory(
        kva="NGB49", price_sek=80_000, contract__owner_region=RegionFactory()
    )
    made = make_case(CaseState.BOOKED, now=NOW, line=line)
    bill = bill_for(made, treated_on=NOW.date())
    assert the_line(bill, made).deviations == [D.NOT_TREATED]
    assert process_treated(now=NOW) == 0
    advance(made, CaseState.TREATED, now=NOW)
    assert process_treated(now=NOW) == 1
    assert process_treated(now=NOW) == 0
    assert call_off_of(made).state == CallOff.State.SETTLED


def test_a_line_that_came_before_any_call_off_is_settled_once_there_is_one_that_is_used():
    made = treated()
    call_off = call_off_of(made)
    CallOff.objects.filter(pk=call_off.pk).update(state="released", released_at=NOW)
    line = the_line(bill_for(made), made)
    assert line.deviations == [D.NO_CALL_OFF]
    assert process_treated(now=NOW) == 0
    CallOff.objects.filter(pk=call_off.pk).update(state="used", released_at=None)
    assert process_treated(now=NOW) == 1
    line.refresh_from_db()
    assert line.state == S.SETTLED


def test_the_same_file_twice_changes_nothing():
    made = treated()
    first = receive(bill_for(made), made.navigator)
    again = receive(bill_for(made), made.navigator)
    assert (again.is_known, again.invoices) == (True, first.invoices)
    assert InvoiceLine.objects.count() == 1
    assert InvoiceFile.objects.count() == 1


def test_another_invoice_with_a_used_number_is_refused():
    made = treated()
    receive(bill_for(made), made.navigator)
    with pytest.raises(InvalidInput, match="samma nummer"):
        receive(replace(bill_for(made), due=None), made.navigator)
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO contracts_invoice (file_id, region_id, provider_id, kind, number,"
            " credits_number, issued_on, total_sek, received_at) SELECT file_id, region_id,"
            " provider_id, kind, number, '', issued_on, 1, now() FROM contracts_invoice"
        )


def test_the_list_says_the_same_as_the_invoice():
    made = treated()
    received = receive_invoices(
        bill_for(made).csv(), name="lista.csv", actor=made.navigator, now=NOW
    )
    assert only_line(received).state == S.SETTLED


def test_bad_rows_of_a_list_are_named_and_nothing_is_stored():
    made = treated()
    bill = bill_for(made)
    text = bill.csv().decode() + "\r\n5590000011;F-2;kredit;;2026-13-01;;x;;;;mycket;;"
    with pytest.raises(InvalidInput) as caught:
        receive_invoices(text.encode(), name="lista.csv", actor=made.navigator, now=NOW)
    assert "Rad 3:" in str(caught.value.message)
    assert "mycket" in str(caught.value.message)
    assert not Invoice.objects.exists()


# Decisions


def deviating(**changes) -> tuple[MadeCase, InvoiceLine]:
    made = treated()
    changes = changes or {"amount": Decimal(75_000)}
    return made, the_line(bill_for(made, **changes), made)


def test_a_person_approves_with_a_reason_and_the_invoiced_amount_counts():
    made, line = deviating()
    owner = contract_owner_actor(made.unit.region)
    approved = approve_line(line, reason="Rabatt enligt avtal.", actor=owner, now=NOW)
    assert (approved.state, approved.deviations) == (S.SETTLED, [D.PRICE])
    found = call_off_of(made)
    assert (found.state, found.amount_sek) == (CallOff.State.SETTLED, 75_000)
    entry = line.log.latest("pk")
    assert (entry.verb, entry.why, entry.user_id) == (
        "approve",
        "Rabatt enligt avtal.",
        owner.user_id,
    )


@pytest.mark.parametrize(
    ("verb", "state"), [(dispute_line, S.DISPUTED), (await_credit, S.AWAITS_CREDIT)]
)
def test_a_line_that_is_not_paid_stays_in_view_with_its_reason(verb, state):
    made, line = deviating()
    assert verb(line, reason="Fel pris.", actor=made.navigator, now=NOW).state == state
    assert call_off_of(made).state == CallOff.State.USED
    assert approve_line(line, reason="Rätt ändå.", actor=made.navigator, now=NOW).state == S.SETTLED


def test_a_decision_needs_a_reason_and_the_region_that_pays():
    made, line = deviating()
    with pytest.raises(InvalidInput) as caught:
        approve_line(line, reason=" \n", actor=made.navigator, now=NOW)
    assert "reason" in caught.value.fields
    for actor in (
        navigator_actor(RegionFactory(code="14")),
        contract_owner_actor(RegionFactory(code="14")),
        integration_actor(made.unit.region),
        made.clinic,
        made.provider,
    ):
        with pytest.raises(NotAllowed):
            approve_line(line, reason="x", actor=actor, now=NOW)


def test_what_is_decided_is_decided():
    made, line = deviating()
    approve_line(line, reason="x", actor=made.navigator, now=NOW)
    for verb in (approve_line, dispute_line, await_credit):
        with pytest.raises(WrongState):
            verb(line, reason="x", actor=made.navigator, now=NOW)


def test_a_line_without_a_call_off_cannot_be_approved():
    made, line = deviating(case=OTHER_CASE)
    with pytest.raises(WrongState):
        approve_line(line, reason="x", actor=made.navigator, now=NOW)


def test_an_amount_past_a_cap_in_sek_waits_until_the_cap_has_room():
    made = treated(cap_sek=90_000)
    line = the_line(bill_for(made, amount=Decimal(95_000)), made)
    with pytest.raises(CapReached):
        approve_line(line, reason="x", actor=made.navigator, now=NOW)
    assert call_off_of(made).amount_sek == 80_000
    type(made.line).objects.filter(pk=made.line.pk).update(cap_sek=100_000)
    approve_line(line, reason="Taket höjt.", actor=made.navigator, now=NOW)
    assert call_off_of(made).amount_sek == 95_000


@pytest.mark.parametrize("who", ["clinic", "provider", "unit integration", "manager"])
def test_others_receive_no_invoices(who):
    made = treated()
    actors = {
        "clinic": made.clinic,
        "provider": made.provider,
        "unit integration": integration_actor(made.unit.region, made.unit),
        "manager": manager_actor(made.unit.region),
    }
    with pytest.raises(NotAllowed):
        receive(bill_for(made), actors[who])


def test_an_invoice_of_another_regions_cases_is_that_regions_to_receive():
    made = treated()
    with pytest.raises(InvalidInput, match="annan region"):
        receive(bill_for(made), navigator_actor(RegionFactory(code="14")))


# Credit notes


def credit_of(made: MadeCase, number: str = "K-1", **changes) -> Bill:
    return bill_for(made, number=number, credited="F-1001", **changes)


def test_a_credit_note_takes_the_settlement_back():
    made = treated()
    line = the_line(bill_for(made), made)
    credit = the_line(credit_of(made), made)
    line.refresh_from_db()
    assert (line.state, line.credited_sek) == (S.CREDITED, 80_000)
    assert (credit.state, credit.credits) == (S.SETTLED, line)
    found = call_off_of(made)
    assert (found.state, found.amount_sek, found.settled_at) == (CallOff.State.USED, 80_000, None)
    again = the_line(bill_for(made, number="F-1002"), made)
    assert again.state == S.SETTLED


def test_a_credited_call_off_stands_for_the_agreed_price_again():
    made, line = deviating()
    approve_line(line, reason="x", actor=made.navigator, now=NOW)
    the_line(credit_of(made, amount=Decimal(75_000)), made)
    assert call_off_of(made).amount_sek == 80_000


def test_a_credit_never_passes_a_cap():
    made, line = deviating()
    approve_line(line, reason="x", actor=made.navigator, now=NOW)
    type(made.line).objects.filter(pk=made.line.pk).update(cap_sek=77_000)
    the_line(credit_of(made, amount=Decimal(75_000)), made)
    found = call_off_of(made)
    assert (found.state, found.amount_sek) == (CallOff.State.USED, 75_000)


def test_a_credit_closes_a_line_that_waits_for_it_without_touching_the_ledger():
    made, line = deviating()
    await_credit(line, reason="Fel pris.", actor=made.navigator, now=NOW)
    the_line(credit_of(made, amount=Decimal(75_000)), made)
    line.refresh_from_db()
    assert line.state == S.CREDITED
    assert call_off_of(made).state == CallOff.State.USED


def test_a_credit_of_a_part_waits_for_a_person_and_then_lowers_the_amount():
    made = treated()
    line = the_line(bill_for(made), made)
    credit = the_line(credit_of(made, amount=Decimal(5_000)), made)
    assert credit.deviations == [D.CREDIT_AMOUNT]
    assert call_off_of(made).amount_sek == 80_000
    approve_line(credit, reason="Prisnedsättning.", actor=made.navigator, now=NOW)
    line.refresh_from_db()
    assert (line.state, line.left_sek) == (S.SETTLED, 75_000)
    assert call_off_of(made).amount_sek == 75_000


def test_a_credit_of_more_than_the_line_is_refused_to_everyone():
    made = treated()
    the_line(bill_for(made), made)
    credit = the_line(credit_of(made, amount=Decimal(80_001)), made)
    with pytest.raises(WrongState):
        approve_line(credit, reason="x", actor=made.navigator, now=NOW)
    assert call_off_of(made).amount_sek == 80_000


def test_a_line_is_credited_once():
    made = treated()
    the_line(bill_for(made), made)
    the_line(credit_of(made), made)
    again = the_line(credit_of(made, number="K-2"), made)
    assert again.deviations == [D.CREDIT_UNKNOWN]


def test_a_credit_that_comes_before_its_invoice_finds_it_later():
    made = treated()
    credit = the_line(credit_of(made), made)
    assert credit.deviations == [D.CREDIT_UNKNOWN]
    line = the_line(bill_for(made), made)
    credit.refresh_from_db()
    assert (line.state, credit.state) == (S.CREDITED, S.SETTLED)
    assert call_off_of(made).state == CallOff.State.USED


def test_a_credit_that_came_before_a_line_without_call_off_closes_that_line():
    made = treated()
    credit = the_line(credit_of(made, case=OTHER_CASE), made)
    line = the_line(bill_for(made, case=OTHER_CASE), made)
    credit.refresh_from_db()
    line.refresh_from_db()
    assert (line.state, credit.state) == (S.CREDITED, S.SETTLED)


def test_a_double_is_settled_once_the_first_is_credited():
    made = treated()
    the_line(bill_for(made), made)
    double = the_line(bill_for(made, number="F-1002"), made)
    the_line(credit_of(made), made)
    double.refresh_from_db()
    assert double.state == S.SETTLED
    assert call_off_of(made).state == CallOff.State.SETTLED


# Many at once


@pytest.mark.django_db(transaction=True)
def test_one_file_read_by_many_is_stored_and_settled_once():
    made = treated()
    results = together(partial(receive, bill_for(made), made.navigator) for _n in range(6))
    assert not [one for one in results if isinstance(one, Exception)]
    assert InvoiceLine.objects.get().state == S.SETTLED
    assert InvoiceLog.objects.filter(verb="settle").count() == 1


@pytest.mark.django_db(transaction=True)
def test_invoices_for_the_same_cases_at_once_settle_each_once():
    first, second = treated(), treated()
    type(second.line).objects.filter(pk=second.line.pk).update(care_unit=first.line.care_unit)
    one, two = row_for(first), row_for(second)
    bill = bill_for(first)
    works = [
        partial(receive, replace(bill, number=f"F-{n}", rows=rows), first.navigator)
        for n, rows in enumerate([[one, two], [two, one]] * 3)
    ]
    results = together(works)
    assert not [one for one in results if isinstance(one, Exception)]
    settled = InvoiceLine.objects.filter(state=S.SETTLED)
    assert {line.call_off_id for line in settled} <= {
        first.offer.call_off_id,
        second.offer.call_off_id,
    }
    assert settled.count() == len({line.call_off_id for line in settled})
    assert call_off_of(first).state == CallOff.State.SETTLED


# What the database holds


def refused(statement: str, **values) -> str:
    with pytest.raises(Error) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values or None)
    return str(caught.value)


@pytest.mark.parametrize(
    "change",
    ["amount_sek = 1", "case_number = ''", "quantity = 2", "is_credit = true", "text = 'annat'"],
)
def test_what_was_invoiced_never_changes(change):
    made = treated()
    the_line(bill_for(made, amount=Decimal(3)), made)
    assert "stays as it came" in refused(f"UPDATE contracts_invoiceline SET {change}")
    assert "stays as it came" in refused("UPDATE contracts_invoice SET total_sek = 1")


def test_the_log_is_only_added_to():
    made = treated()
    the_line(bill_for(made), made)
    assert "append-only" in refused("UPDATE contracts_invoicelog SET why = 'x'")
    assert "append-only" in refused("DELETE FROM contracts_invoicelog")


def test_the_file_is_kept_encrypted_and_as_it_came():
    made = treated()
    bill = bill_for(made)
    stored = receive(bill, made.navigator).file
    with open(stored.file.path, "rb") as file:
        assert made.case.number.encode() not in file.read()
    assert stored.file.open("rb").read() == bill.xml()


# How long they are kept


def test_files_and_words_go_seven_years_after_the_year_and_the_figures_stay():
    made = treated()
    received = receive(bill_for(made), made.navigator)
    rule = {rule.name: rule for rule in rules()}["invoices"]
    path = Path(received.file.file.path)
    assert thin(rule, now=stockholm(2033, 12, 31, 12)) == 0
    with TestCase.captureOnCommitCallbacks(execute=True):
        assert thin(rule, now=stockholm(2034, 1, 1, 12)) == 1
    line = only_line(received)
    assert (line.text, line.amount_sek, line.state) == ("", 80_000, S.SETTLED)
    assert not path.exists()
    assert thin(rule, now=stockholm(2034, 1, 1, 12)) == 0
    assert all(done.missing == 0 for done in rotate(dry_run=True))
