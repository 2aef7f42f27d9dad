"""The registry: who may change what, what is refused, and that what was agreed can be read."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from rest_framework.test import APIClient

from contracts import services
from contracts.models import ChecklistItem, Contract, Period, PeriodCap
from contracts.services import PeriodFigures
from organisations.errors import InvalidInput, NotAllowed, WrongState
from organisations.models import ApiToken
from organisations.scopes import Scope
from tests.factories import (
    CareUnitFactory,
    ContractFactory,
    ContractLineFactory,
    MedicalAreaFactory,
    ProviderFactory,
    RegionFactory,
    contract_owner_actor,
    make_case,
    manager_actor,
    navigator_actor,
    provider_actor,
    stockholm,
    user_of,
)

pytestmark = pytest.mark.django_db

NOW = stockholm(2026, 3, 10, 9)


def terms(**changes) -> dict:
    return {
        "number": "AVT-1",
        "title": "Knäproteser",
        "provider": ProviderFactory(),
        "contract_type": "procurement",
        "reimbursement_principle": "per_episode",
        "reimbursement": "",
        "valid_from": date(2026, 1, 1),
        "valid_to": date(2027, 12, 31),
        "option_years": 2,
        "notice_months": 6,
        "included": "Operation och ett återbesök.",
        "alert_percents": [80, 90, 100],
        "cap_volume": 50,
        "cap_sek": None,
        "is_stopped": False,
        "regions_allowed": [RegionFactory(), RegionFactory(code="14")],
        "medical_areas": [MedicalAreaFactory()],
    } | changes


def made(**changes) -> tuple[Contract, object]:
    owner = contract_owner_actor(RegionFactory())
    return services.create_contract(terms(**changes), actor=owner, now=NOW), owner


def line_values(contract: Contract, **changes) -> dict:
    return {
        "care_unit": CareUnitFactory(provider=contract.provider),
        "kva": "NGB49",
        "price_sek": Decimal(80_000),
        "included": "",
        "asa_ceiling": 3,
        "age_min": 18,
        "age_max": None,
        "cap_volume": None,
        "cap_sek": None,
        "is_active": True,
    } | changes


def test_a_contract_is_the_owners_regions_and_begins_with_an_open_checklist():
    contract, owner = made()
    assert contract.owner_region_id == owner.region
    assert {item.status for item in contract.checklist.all()} == {"open"}
    assert contract.checklist.count() == len(ChecklistItem.Question)
    assert contract.versions.get().content["regions_allowed"] == ["13", "14"]


@pytest.mark.parametrize("who", [navigator_actor, manager_actor])
def test_only_a_contract_owner_makes_contracts(who):
    with pytest.raises(NotAllowed):
        services.create_contract(terms(), actor=who(RegionFactory()), now=NOW)


def test_nobody_but_the_owner_changes_a_contract():
    contract, _owner = made()
    others = [
        contract_owner_actor(RegionFactory(code="14")),
        navigator_actor(contract.owner_region),
        provider_actor(contract.provider),
    ]
    for actor in others:
        with pytest.raises(NotAllowed):
            services.change_contract(contract, {"title": "X"}, why="y", actor=actor, now=NOW)
        with pytest.raises(NotAllowed):
            services.save_line(contract, None, line_values(contract), actor=actor, now=NOW)
    contract.refresh_from_db()
    assert contract.title == "Knäproteser"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"valid_to": date(2025, 12, 31)}, None),
        ({"option_years": 21}, "option_years"),
        ({"notice_months": 61}, "notice_months"),
        ({"title": ""}, "title"),
        ({"contract_type": "x"}, "contract_type"),
        ({"alert_percents": [101]}, "alert_percents"),
    ],
)
def test_terms_that_do_not_hold_are_refused_at_their_field(changes, field):
    with pytest.raises(InvalidInput) as refused:
        made(**changes)
    assert field is None or field in refused.value.fields
    assert Contract.objects.count() == 0


def test_two_contracts_have_not_the_same_number():
    made()
    with pytest.raises(InvalidInput) as refused:
        made()
    assert "number" in refused.value.fields


def test_a_change_says_why_and_keeps_what_was():
    contract, owner = made()
    services.change_contract(contract, {"title": "Nya"}, why="Nytt namn", actor=owner, now=NOW)
    newest, first = contract.versions.all()
    assert (newest.number, newest.why, newest.content["title"]) == (2, "Nytt namn", "Nya")
    assert first.content["title"] == "Knäproteser"
    with pytest.raises(InvalidInput) as refused:
        services.change_contract(contract, {"title": "X"}, why=" ", actor=owner, now=NOW)
    assert "why" in refused.value.fields


def test_two_who_change_at_once_do_not_overwrite_each_other():
    contract, owner = made()
    seen = contract.version
    services.change_contract(
        contract, {"title": "En"}, why="a", actor=owner, now=NOW, seen_version=seen
    )
    with pytest.raises(WrongState) as refused:
        services.change_contract(
            contract, {"title": "Två"}, why="b", actor=owner, now=NOW, seen_version=seen
        )
    assert refused.value.code == "contract_changed"


def test_an_offer_keeps_the_version_and_the_price_it_was_made_under():
    contract, owner = made()
    line = services.save_line(contract, None, line_values(contract), actor=owner, now=NOW)
    case = make_case("offered", line=line, now=NOW)
    services.save_line(
        contract, line, {"price_sek": Decimal(99_000)}, actor=owner, now=NOW + timedelta(days=1)
    )
    offer = case.offer
    offer.refresh_from_db()
    agreed = offer.call_off.version.content["lines"][0]
    assert offer.price_sek == Decimal(80_000)
    assert Decimal(agreed["price_sek"]) == Decimal(80_000)
    assert contract.versions.first().content["lines"][0]["price_sek"] == "99000.00"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kva": "N1"}, "kva"),
        ({"price_sek": Decimal(0)}, None),
        ({"asa_ceiling": 5}, None),
        ({"age_min": 70, "age_max": 60}, None),
    ],
)
def test_a_line_that_does_not_hold_is_refused(changes, field):
    contract, owner = made()
    with pytest.raises(InvalidInput) as refused:
        services.save_line(contract, None, line_values(contract, **changes), actor=owner, now=NOW)
    assert field is None or field in refused.value.fields
    assert contract.lines.count() == 0


def test_a_line_is_at_one_of_the_providers_own_units():
    contract, owner = made()
    with pytest.raises(InvalidInput) as refused:
        services.save_line(
            contract,
            None,
            line_values(contract, care_unit=CareUnitFactory()),
            actor=owner,
            now=NOW,
        )
    assert "care_unit" in refused.value.fields


def test_a_unit_and_a_code_stand_once_on_a_contract():
    contract, owner = made()
    values = line_values(contract)
    services.save_line(contract, None, values, actor=owner, now=NOW)
    with pytest.raises(InvalidInput):
        services.save_line(contract, None, values, actor=owner, now=NOW)


def test_a_cap_is_not_lowered_below_what_is_taken():
    contract, owner = made()
    line = services.save_line(contract, None, line_values(contract), actor=owner, now=NOW)
    for n in range(2):
        services.reserve(line, case_number=f"13-26-00000{n}-0", region=RegionFactory(), now=NOW)
    with pytest.raises(InvalidInput, match="redan är avropat"):
        services.change_contract(contract, {"cap_volume": 1}, why="x", actor=owner, now=NOW)
    services.change_contract(contract, {"cap_volume": 2}, why="x", actor=owner, now=NOW)


def test_period_caps_are_set_changed_and_taken_away():
    contract, owner = made()

    def change(figures: PeriodFigures) -> None:
        services.change_contract(
            contract,
            {},
            why="tak",
            actor=owner,
            now=NOW,
            period_caps={Period.MONTH: figures},
        )

    change(PeriodFigures(volume=5))
    assert PeriodCap.objects.get(contract=contract).cap_volume == 5
    change(PeriodFigures(sek=Decimal(100)))
    assert PeriodCap.objects.get(contract=contract).cap_volume is None
    change(PeriodFigures())
    assert not PeriodCap.objects.exists()


def test_a_question_of_the_checklist_is_settled_with_an_answer_by_somebody():
    contract, owner = made()
    item = contract.checklist.get(question="results")
    with pytest.raises(InvalidInput) as refused:
        services.settle_question(item, status="agreed", answer=" ", actor=owner, now=NOW)
    assert "answer" in refused.value.fields
    services.settle_question(item, status="agreed", answer="Ni gör det.", actor=owner, now=NOW)
    item.refresh_from_db()
    assert (item.status, item.settled_by, item.settled_at) == ("agreed", owner.name, NOW)
    services.settle_question(item, status="open", answer="", actor=owner, now=NOW)
    item.refresh_from_db()
    assert item.settled_at is None


def test_a_contact_can_be_reached():
    contract, owner = made()
    values = {"name": "A", "side": "owner", "about": "cap", "email": "", "phone": ""}
    with pytest.raises(InvalidInput):
        services.add_contact(contract, values, actor=owner, now=NOW)
    contact = services.add_contact(contract, values | {"phone": "1"}, actor=owner, now=NOW)
    services.remove_contact(contact, actor=owner, now=NOW)
    assert contract.contacts.count() == 0
    assert [c["name"] for c in contract.versions.get(number=2).content["contacts"]] == ["A"]


def test_a_document_is_known_by_its_content_and_put_aside_not_lost():
    contract, owner = made()
    for content in (b"", b"<html>", b"MZ" + b"x" * 100):
        with pytest.raises(InvalidInput):
            services.add_document(contract, name="a.pdf", content=content, actor=owner, now=NOW)
    found = services.add_document(
        contract, name="../../avtal.pdf", content=b"%PDF-1.7 x", actor=owner, now=NOW
    )
    assert found.name == "avtal.pdf"
    services.remove_document(found, actor=owner, now=NOW)
    found.refresh_from_db()
    assert found.removed_at == NOW
    assert found.file.open("rb").read() == b"%PDF-1.7 x"
    assert contract.versions.first().content["documents"] == []


@pytest.mark.parametrize(
    ("valid_to", "years", "latest"),
    [
        (date(2026, 12, 31), 2, date(2028, 12, 31)),
        (date(2028, 2, 29), 1, date(2029, 2, 28)),
        (date(2026, 6, 30), 0, date(2026, 6, 30)),
    ],
)
def test_the_latest_end_counts_every_option_year(valid_to, years, latest):
    assert ContractFactory.build(valid_to=valid_to, option_years=years).latest_end == latest


def test_the_counters_survive_a_change_of_the_terms():
    line = ContractLineFactory()
    owner = contract_owner_actor(line.contract.owner_region)
    services.reserve(line, case_number="13-26-000001-0", region=RegionFactory(), now=NOW)
    services.change_contract(line.contract, {"title": "Ny"}, why="x", actor=owner, now=NOW)
    line.contract.refresh_from_db()
    assert line.contract.taken_volume == 1


def test_other_systems_read_checklist_and_documents_from_the_same_source():
    contract, owner = made()
    document = services.add_document(
        contract, name="avtal.pdf", content=b"%PDF-1.7 x", actor=owner, now=NOW
    )
    services.remove_document(
        services.add_document(
            contract, name="gammalt.pdf", content=b"%PDF-1.7 y", actor=owner, now=NOW
        ),
        actor=owner,
        now=NOW,
    )
    _row, token = ApiToken.objects.create(user_of(owner), scopes=[Scope.CONTRACTS_READ])
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    answer = client.get(reverse("api-contract-detail", args=[contract.pk])).json()
    assert [one["sha256"] for one in answer["documents"]] == [document.sha256]
    assert {one["question"] for one in answer["checklist"]} == set(ChecklistItem.Question)
