"""The registry's pages: who comes in, what is found, and that what was typed is kept."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from contracts.models import Contract, PeriodCap
from contracts.services.registry import record_change
from organisations.access import Actor
from tests.factories import (
    CareUnitFactory,
    ContractFactory,
    ContractLineFactory,
    MedicalAreaFactory,
    ProcedureFactory,
    ProviderFactory,
    RegionFactory,
    clinic_actor,
    contract_owner_actor,
    make_case,
    navigator_actor,
    provider_actor,
    stockholm,
    user_of,
)

pytestmark = pytest.mark.django_db

NOW = stockholm(2026, 3, 10, 9)


@pytest.fixture
def line():
    return ContractLineFactory(contract__owner_region=RegionFactory())


@pytest.fixture
def owner(line):
    return contract_owner_actor(line.contract.owner_region)


def logged_in(client, actor: Actor):
    client.force_login(user_of(actor))
    return client


def typed(**changes: object) -> dict[str, object]:
    RegionFactory()
    return {
        "number": "AVT-9",
        "title": "Starr",
        "provider": ProviderFactory().pk,
        "contract_type": "procurement",
        "reimbursement_principle": "per_episode",
        "valid_from": "2026-01-01",
        "valid_to": "2027-12-31",
        "option_years": "1",
        "notice_months": "3",
        "regions_allowed": ["13"],
        "alert_percents": "75 100",
        "cap_volume": "10",
        "cap_sek": "1 000 000,50",
        "month_volume": "4",
    } | changes


def read_pages(contract: Contract) -> list[str]:
    return [
        reverse("contract", args=[contract.pk]),
        reverse("contract-ledger", args=[contract.pk]),
        reverse("contract-history", args=[contract.pk]),
    ]


def test_those_concerned_read_and_others_find_nothing(client, line):
    readers = [
        contract_owner_actor(line.contract.owner_region),
        navigator_actor(line.contract.owner_region),
        provider_actor(line.contract.provider),
    ]
    for address in read_pages(line.contract):
        for actor in readers:
            assert logged_in(client, actor).get(address).status_code == 200
        for region in ("14", "01"):
            stranger = contract_owner_actor(RegionFactory(code=region))
            assert logged_in(client, stranger).get(address).status_code == 404
        clinic = clinic_actor(CareUnitFactory(sends=True))
        assert logged_in(client, clinic).get(address).status_code == 403


def test_only_the_owner_sees_and_opens_what_changes(client, line, owner):
    record_change(line.contract, why="x", actor=owner, now=NOW)
    addresses = [
        reverse("contract-edit", args=[line.contract_id]),
        reverse("contract-line-new", args=[line.contract_id]),
        reverse("contract-line", args=[line.contract_id, line.pk]),
        reverse("contract-contact-new", args=[line.contract_id]),
        reverse("contract-document-new", args=[line.contract_id]),
    ]
    page = reverse("contract", args=[line.contract_id])
    assert "Ändra avtalet" in logged_in(client, owner).get(page).content.decode()
    for address in addresses:
        assert client.get(address).status_code == 200
    logged_in(client, navigator_actor(line.contract.owner_region))
    assert "Ändra avtalet" not in client.get(page).content.decode()
    for address in addresses:
        assert client.get(address).status_code == 403
        assert client.post(address).status_code == 403


def test_a_new_contract_is_made_on_the_page(client, owner):
    answer = logged_in(client, owner).post(reverse("contract-new"), typed())
    made = Contract.objects.get(number="AVT-9")
    assert answer.status_code == 302
    assert answer["Location"] == reverse("contract", args=[made.pk])
    assert (str(made.cap_sek), made.alert_percents) == ("1000000.50", [75, 100])
    assert PeriodCap.objects.get(contract=made).cap_volume == 4


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"valid_to": "2025-01-01"}, "Sista dagen ligger före första dagen."),
        ({"alert_percents": "0 150"}, "hela procent mellan 1 och 100"),
        ({"cap_volume": "-1"}, "större än eller lika med 0"),
        ({"valid_from": "igår"}, "ÅÅÅÅ-MM-DD"),
        ({"regions_allowed": []}, "Regioner som får avropa</a>: "),
        ({"cap_volume": "99999999999"}, "mindre än eller lika med"),
        ({"title": "a\x00b"}, "NULL"),
    ],
)
def test_a_form_that_does_not_hold_says_so_and_keeps_what_was_typed(client, owner, changes, text):
    answer = logged_in(client, owner).post(reverse("contract-new"), typed(**changes))
    assert answer.status_code == 422
    page = answer.content.decode()
    assert text.lower() in page.lower()
    assert "AVT-9" in page
    assert not Contract.objects.filter(number="AVT-9").exists()


def test_a_change_made_on_an_old_page_is_refused(client, line, owner):
    logged_in(client, owner)
    address = reverse("contract-edit", args=[line.contract_id])
    sent = typed(seen="0", why="x", provider=line.contract.provider_id)
    assert client.post(address, sent).status_code == 302
    answer = client.post(address, sent)
    assert answer.status_code == 409
    assert "ändrats av någon annan" in answer.content.decode()


def test_the_list_is_filtered_by_area_code_region_provider_text_and_state(client, owner):
    region = RegionFactory()
    knee = ContractLineFactory(contract__owner_region=region, contract__title="Knä i Uddevalla")
    knee.contract.medical_areas.add(MedicalAreaFactory())
    eye = ContractLineFactory(
        contract__owner_region=region, kva="CJE20", contract__is_stopped=True, included="linser"
    )
    eye.contract.regions_allowed.add(RegionFactory(code="14"))
    logged_in(client, owner)

    def found(**query: object) -> set[str]:
        page = client.get(reverse("contracts"), query).content.decode()
        return {c.number for c in (knee.contract, eye.contract) if c.number in page}

    both = {knee.contract.number, eye.contract.number}
    assert found() == both
    assert found(area="311") == {knee.contract.number}
    assert found(kva="ngb49") == found(kva="NGB") == {knee.contract.number}
    assert found(region="14") == {eye.contract.number}
    assert found(provider=eye.contract.provider_id) == {eye.contract.number}
    assert found(q="uddevalla knä") == {knee.contract.number}
    assert found(q="linser") == {eye.contract.number}
    ProcedureFactory(kva=eye.kva, name="Fakoemulsifikation")
    assert found(q="fakoemuls") == {eye.contract.number}
    assert found(state="stopped") == {eye.contract.number}
    for wrong in ({"area": "finns inte"}, {"q": "x\x00"}):
        assert found(**wrong) == both  # said at the field; nothing is hidden meanwhile


def test_a_document_is_put_on_the_contract_and_fetched(client, line, owner):
    logged_in(client, owner)
    file = SimpleUploadedFile("avtal.pdf", b"%PDF-1.7 x")
    address = reverse("contract-document-new", args=[line.contract_id])
    assert client.post(address, {"file": file}).status_code == 302
    document = line.contract.documents.get()
    answer = client.get(reverse("contract-document", args=[line.contract_id, document.pk]))
    assert b"".join(answer.streaming_content) == b"%PDF-1.7 x"
    assert "attachment" in answer["Content-Disposition"]
    stranger = logged_in(client, contract_owner_actor(RegionFactory(code="14")))
    address = reverse("contract-document", args=[line.contract_id, document.pk])
    assert stranger.get(address).status_code == 404


def test_the_number_of_queries_does_not_grow_with_the_contracts(
    client, owner, django_assert_max_num_queries
):
    logged_in(client, owner)
    for _n in range(6):
        ContractLineFactory(contract__owner_region=RegionFactory())
    with django_assert_max_num_queries(16):
        assert client.get(reverse("contracts")).status_code == 200


def test_a_navigator_with_an_open_offer_sees_the_alert_on_the_start_page(client):
    line = ContractLineFactory(cap_volume=1, contract__owner_region=RegionFactory())
    made = make_case("offered", line=line)
    part = logged_in(client, made.navigator).get(reverse("contract-alerts"))
    assert line.contract.number in part.content.decode()
    assert "taket nått" in part.content.decode()
    worklist = client.get(reverse("worklist")).content.decode()
    assert reverse("contract-alerts") in worklist


def test_an_old_version_is_read_as_it_was(client, line, owner):
    record_change(line.contract, why="Först", actor=owner, now=NOW)
    Contract.objects.filter(pk=line.contract_id).update(title="Helt ny")
    page = logged_in(client, owner).get(reverse("contract-version", args=[line.contract_id, 1]))
    text = page.content.decode()
    assert "Knäproteser, version 1" in text
    assert str(Contract.Type(line.contract.contract_type).label) in text
    assert line.contract.contract_type not in text


def test_a_file_is_loaded_on_the_page_and_a_bad_one_refused(client, owner):
    logged_in(client, owner)
    address = reverse("contracts-import")
    bad = SimpleUploadedFile("a.csv", b"x")
    answer = client.post(address, {"file": bad})
    assert answer.status_code == 422
    assert "Kolumner saknas" in answer.content.decode()
    assert client.get(address).status_code == 200
    for kind in ("csv", "xlsx"):
        assert client.get(reverse("contracts-export", args=[kind])).status_code == 200


def test_a_contract_without_lines_or_caps_has_pages_too(client, owner):
    contract = ContractFactory(owner_region=RegionFactory(), cap_volume=None)
    logged_in(client, owner)
    for address in read_pages(contract):
        assert client.get(address).status_code == 200
