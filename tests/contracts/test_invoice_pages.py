"""The pages and the API of invoices: who comes in, what is shown, what a decision does."""

from dataclasses import replace
from decimal import Decimal
from io import StringIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from contracts.models import CallOff, Contract, Invoice, InvoiceLine
from organisations.access import Actor
from organisations.models import AccessLog, ApiToken
from referral.models import CaseState
from referral.patient_extract import extract_for_case
from tests.factories import (
    ContractLineFactory,
    MadeCase,
    RegionFactory,
    contract_owner_actor,
    identity_number,
    integration_actor,
    make_case,
    manager_actor,
    navigator_actor,
    user_of,
)
from tests.invoices import bill_for, only_line, receive

pytestmark = pytest.mark.django_db

PAGES = ("invoices", "invoice-new", "invoice-deviations", "contract-costs")


def treated() -> MadeCase:
    return make_case(CaseState.TREATED)


def client_of(actor: Actor) -> Client:
    client = Client()
    client.force_login(user_of(actor))
    return client


def deviating(made: MadeCase, **changes: object) -> InvoiceLine:
    changes = changes or {"vat": Decimal(25)}
    return only_line(receive(bill_for(made, **changes), made.navigator, now=timezone.now()))


def addresses(line: InvoiceLine) -> list[str]:
    return [
        *map(reverse, PAGES),
        reverse("invoice", args=[line.invoice_id]),
        reverse("invoice-line", args=[line.pk]),
    ]


def test_navigators_and_contract_owners_of_the_region_see_invoices():
    made = treated()
    line = deviating(made)
    for actor in (made.navigator, contract_owner_actor(made.unit.region)):
        client = client_of(actor)
        for address in addresses(line):
            assert client.get(address).status_code == 200, address


def test_others_do_not():
    made = treated()
    line = deviating(made)
    others = [made.clinic, made.provider, manager_actor(made.unit.region)]
    for actor in others:
        client = client_of(actor)
        assert {client.get(address).status_code for address in addresses(line)} == {403}
    elsewhere = client_of(navigator_actor(RegionFactory(code="14")))
    for name, key in (("invoice", line.invoice_id), ("invoice-line", line.pk)):
        assert elsewhere.get(reverse(name, args=[key])).status_code == 404
    assert made.case.number not in elsewhere.get(reverse("invoice-deviations")).content.decode()


def test_a_contract_owner_sees_neither_the_providers_words_nor_the_file():
    made = treated()
    line = deviating(made, vat=Decimal(25), name="Undrar över Karlsson")
    owner = client_of(contract_owner_actor(made.unit.region))
    page = owner.get(reverse("invoice-line", args=[line.pk])).content.decode()
    assert made.case.number in page
    assert "Karlsson" not in page
    assert reverse("case", args=[made.case.number]) not in page
    file = reverse("invoice-file", args=[line.invoice_id])
    assert owner.get(file).status_code == 403
    answer = client_of(made.navigator).get(file)
    assert b"Karlsson" in b"".join(answer.streaming_content)
    assert answer["Content-Disposition"].startswith("attachment")


def test_a_file_is_read_on_the_page_and_its_faults_shown_at_the_field():
    made = treated()
    client = client_of(made.navigator)
    bill = bill_for(made)

    def send(content: bytes) -> object:
        file = SimpleUploadedFile("faktura.xml", content)
        return client.post(reverse("invoice-new"), {"file": file})

    answer = send(replace(bill, profile="x").xml())
    assert (answer.status_code, Invoice.objects.count()) == (422, 0)
    assert "BT-23" in answer.content.decode()
    assert send(bill.xml()).url == reverse("invoice", args=[Invoice.objects.get().pk])
    assert send(bill.xml()).url == reverse("invoice", args=[Invoice.objects.get().pk])
    assert CallOff.objects.get(case_number=made.case.number).state == CallOff.State.SETTLED


def test_a_decision_without_reason_is_asked_for_and_one_with_it_is_done():
    made = treated()
    line = deviating(made)
    client = client_of(contract_owner_actor(made.unit.region))
    address = reverse("invoice-line", args=[line.pk])
    answer = client.post(address, {"decision": "approve", "reason": ""})
    assert (answer.status_code, "Fyll i fältet" in answer.content.decode()) == (422, True)
    assert client.post(address, {"decision": "approve", "reason": "Ok."}).status_code == 302
    again = client.post(address, {"decision": "dispute", "reason": "Nej."})
    assert (again.status_code, "redan avgjord" in again.content.decode()) == (409, True)
    line.refresh_from_db()
    assert line.state == InvoiceLine.State.SETTLED


def test_the_list_of_deviations_is_found_by_kind_and_words():
    made = treated()
    line = deviating(made)
    client = client_of(made.navigator)
    for asked, found in (
        ({"deviation": "vat"}, True),
        ({"deviation": "price"}, False),
        ({"q": made.case.number}, True),
        ({"q": "finns inte"}, False),
        ({"state": "disputed"}, False),
        ({"state": "x", "q": "\x00"}, True),
    ):
        page = client.get(reverse("invoice-deviations"), asked).content.decode()
        assert (reverse("invoice-line", args=[line.pk]) in page) == found, asked


def test_the_list_costs_as_many_queries_for_many_lines(django_assert_max_num_queries):
    cases = [treated()]
    cases += [
        make_case(CaseState.TREATED, unit=cases[0].unit, line=cases[0].line) for _n in range(3)
    ]
    receive(bill_for(*cases, vat=Decimal(25)), cases[0].navigator, now=timezone.now())
    client = client_of(cases[0].navigator)
    with django_assert_max_num_queries(14):
        assert client.get(reverse("invoice-deviations")).status_code == 200


# Cost and visits


def test_cost_and_visits_per_contract_clinic_and_patient():
    made = treated()
    receive(bill_for(made), made.navigator, now=timezone.now())
    other = make_case(CaseState.TREATED, unit=made.unit, line=made.line)
    client = client_of(made.navigator)
    price = int(made.offer.price_sek)
    for name in ("contract-costs", "clinic-costs"):
        context = client.get(reverse(name)).context
        (cost,) = context["costs"]
        assert (cost.treated, cost.visits, cost.settled_sek, cost.waiting_sek) == (
            *(2, 2, price, int(other.offer.price_sek)),
        )
        text = client.get(reverse(f"{name}-file", args=["csv"])).content.decode("utf-8-sig")
        assert f"{price},00" in text
    assert client.get(reverse("clinic-costs") + "?year=2020").context["costs"] == []
    page = client.get(reverse("case-costs", args=[made.case.number]))
    assert (page.context["visits"], page.context["total"]) == (1, price)
    assert (
        reverse("case-costs", args=[made.case.number])
        in client.get(reverse("case", args=[made.case.number])).content.decode()
    )


def test_small_numbers_are_hidden_from_a_contract_owner():
    made = treated()
    region = made.unit.region
    many = ContractLineFactory(kva="NGB49", contract__owner_region=region, price_sek=1000)
    for _n in range(5):
        make_case(CaseState.TREATED, unit=made.unit, line=many)
    answer = client_of(contract_owner_actor(region)).get(reverse("contract-costs"))
    assert [cost.is_hidden for cost in answer.context["costs"]] == [True, True]
    text = client_of(contract_owner_actor(region)).get(reverse("contract-costs-file", args=["csv"]))
    assert text.content.decode("utf-8-sig").count("dolt") == 10
    elsewhere = client_of(contract_owner_actor(RegionFactory(code="14")))
    assert elsewhere.get(reverse("contract-costs")).context["costs"] == []
    assert Contract.objects.count() == 2


def test_a_patients_extract_holds_what_was_invoiced():
    made = treated()
    receive(bill_for(made), made.navigator, now=timezone.now())
    extract = extract_for_case(
        made.case, reason="Begärt.", actor=made.navigator, now=timezone.now()
    )
    (case,) = extract.as_data()["cases"]
    assert case["invoices"][0]["amount_sek"] == made.offer.price_sek


def test_costs_per_clinic_are_the_navigators_alone():
    made = treated()
    for actor in (contract_owner_actor(made.unit.region), made.clinic, made.provider):
        assert client_of(actor).get(reverse("clinic-costs")).status_code == 403
        address = reverse("case-costs", args=[made.case.number])
        assert client_of(actor).get(address).status_code == 403


# API and command


def api_of(actor: Actor, *scopes: str) -> APIClient:
    client = APIClient()
    _row, token = ApiToken.objects.create(user_of(actor), scopes=list(scopes))
    client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    return client


def test_an_intake_hands_in_a_file_and_reads_what_became_of_it():
    made = treated()
    client = api_of(integration_actor(made.unit.region), "invoices:write", "invoices:read")
    content = bill_for(made).xml()
    answer = client.post(reverse("api-invoices"), content, content_type="application/xml")
    assert (answer.status_code, answer.json()["known"]) == (201, False)
    (line,) = answer.json()["invoices"][0]["lines"]
    assert (line["state"], line["case_number"]) == ("settled", made.case.number)
    again = client.post(reverse("api-invoices"), content, content_type="application/xml")
    assert (again.status_code, again.json()["known"]) == (200, True)
    assert len(client.get(reverse("api-invoices")).json()["results"]) == 1
    assert AccessLog.objects.filter(what="invoice", case_number=made.case.number).count() == 3


def test_the_api_takes_a_list_and_says_what_is_wrong_with_a_file():
    made = treated()
    client = api_of(integration_actor(made.unit.region), "invoices:write")
    answer = client.post(
        reverse("api-invoices"), bill_for(made).csv(), content_type="text/csv; charset=utf-8"
    )
    assert answer.status_code == 201
    bad = client.post(reverse("api-invoices"), b"<x/>", content_type="application/xml")
    assert (bad.status_code, bad.json()["errors"][0]["field"]) == (400, "file")
    assert client.get(reverse("api-invoices")).status_code == 403  # no scope to read
    unit = api_of(integration_actor(made.unit.region, made.unit), "invoices:write")
    refused = unit.post(reverse("api-invoices"), b"<x/>", content_type="application/xml")
    assert refused.status_code == 403


def test_a_folder_of_invoices_is_read_by_command(tmp_path):
    made = treated()
    (tmp_path / "a.xml").write_bytes(bill_for(made).xml())
    (tmp_path / "b.txt").write_text("annat")
    for said in ("1 rader godkända", "redan inläst"):
        out = StringIO()
        call_command("import_invoices", str(tmp_path), region="13", stdout=out)
        assert said in out.getvalue()
    (tmp_path / "c.csv").write_text("fel")
    with pytest.raises(CommandError, match="1 filer"):
        call_command("import_invoices", str(tmp_path), region="13", stderr=StringIO())
    with pytest.raises(CommandError, match="länskoden"):
        call_command("import_invoices", str(tmp_path), region="99")


def test_a_number_in_a_file_name_is_masked():
    made = treated()
    received = receive(bill_for(made), made.navigator, now=timezone.now())
    assert received.file.name == "faktura.xml"
    client = client_of(made.navigator)
    name = f"{identity_number(4)}.xml"
    file = SimpleUploadedFile(name, bill_for(made, number="F-2").xml())
    client.post(reverse("invoice-new"), {"file": file})
    stored = Invoice.objects.get(number="F-2").file
    assert identity_number(4) not in stored.name
