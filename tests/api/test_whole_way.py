"""A program takes a case from form to closed; each answer tells what may be done now."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from organisations.access import Actor
from organisations.sweeps import run_due
from referral.models import CaseState
from tests.factories import (
    CareUnitFactory,
    ContractLineFactory,
    ProcedureFactory,
    RegionFactory,
    clinic_actor,
    contract_owner_actor,
    identity_number,
    integration_actor,
    make_case,
    manager_actor,
    navigator_actor,
    provider_actor,
)

pytestmark = pytest.mark.django_db

Api = Callable[[Actor], APIClient]


def form(**changes: Any) -> dict[str, Any]:
    today = timezone.localdate()
    return {
        "identity_number": identity_number(3),
        "given_name": "Åsa",
        "family_name": "Öberg",
        "kva": "NGB49",
        "icd10": "M17.1",
        "phase": "treatment",
        "referral_date": str(today - timedelta(days=40)),
        "decision_date": str(today - timedelta(days=30)),
        "asa": 2,
        "transferable": True,
        "home_wait_days": 200,
    } | changes


def post(client: APIClient, number: str, path: str, **body: Any) -> Any:
    answer = client.post(f"/api/v1/cases/{number}/{path}/", body)
    assert answer.status_code in {200, 201}, answer.content.decode()
    return answer.json()


def test_a_case_goes_from_form_to_closed(api: Api) -> None:
    region = RegionFactory()
    unit = CareUnitFactory(region=region, sends=True)
    line = ContractLineFactory(kva="NGB", contract__owner_region=region, contract__cap_volume=5)
    ProcedureFactory()
    clinic, navigator = api(clinic_actor(unit)), api(navigator_actor(region))
    provider = api(provider_actor(line.care_unit.provider))

    created = clinic.post("/api/v1/cases/", form())
    assert created.status_code == 201
    number = created.json()["number"]
    assert created.json()["actions"] == ["end", "note", "pause"]

    assert "offer" in post(navigator, number, "take")["actions"]
    matches = navigator.get(f"/api/v1/cases/{number}/matches/").json()["matches"]
    assert [match["line"]["id"] for match in matches] == [line.pk]
    offer = post(navigator, number, "offers", line=line.pk, expected_wait_days=30)
    assert offer["state"] == "sent"
    assert usage(api(contract_owner_actor(region)))["reserved"] == 1
    assert provider.get(f"/api/v1/cases/{number}/").status_code == 404

    answered = post(navigator, number, "answer", accepted=True, channel="phone")
    assert answered["state"] == CaseState.ACCEPTED
    assert answered["offers"][0]["certificate"] == f"{number}/1"

    inbox = provider.get("/api/v1/cases/").json()["results"]
    assert [case["number"] for case in inbox] == [number]
    assert post(provider, number, "confirm")["actions"] == ["reject", "book", "treat", "note"]
    later = timezone.now() + timedelta(days=5)
    assert post(provider, number, "book", booked_for=later.isoformat())["state"] == "booked"
    today = str(timezone.localdate())
    assert post(provider, number, "treat", treated_on=today)["state"] == "treated"
    closed = post(provider, number, "close", back_referral="Opererad.")
    assert (closed["state"], closed["close_reason"]) == ("closed", "treated")

    assert usage(api(contract_owner_actor(region)))["used"] == 1
    run_due(now=timezone.now())
    kinds = {n["kind"] for n in navigator.get(f"/api/v1/cases/{number}/notices/").json()}
    assert kinds == {"provider_new_case", "booked_time"}
    verbs = [entry["verb"] for entry in navigator.get(f"/api/v1/cases/{number}/log/").json()]
    assert [v for v in reversed(verbs) if v in {"submit", "accept", "close"}] == [
        "submit",
        "accept",
        "close",
    ]
    month = navigator.get("/api/v1/statistics/").json()["total"]
    assert (month["received"], month["accepted"], month["treated"]) == (1, 1, 1)
    pdf = provider.get(f"/api/v1/cases/{number}/certificates/1/")
    assert pdf["Content-Type"] == "application/pdf"


def usage(owner: APIClient) -> dict[str, Any]:
    usage: dict[str, Any] = owner.get("/api/v1/contracts/").json()["results"][0]["usage"]
    return usage


def test_a_returned_form_is_mended_and_is_the_same_case(api: Api) -> None:
    made = make_case(CaseState.IN_PROGRESS)
    navigator, clinic = api(made.navigator), api(made.clinic)
    post(navigator, made.case.number, "return", missing="BMI")
    values = form(identity_number=made.patient.identity_number, bmi="31.5")
    again = post(clinic, made.case.number, "resubmit", **values)
    assert (again["number"], again["state"]) == (made.case.number, "received")
    assert again["form"]["version"] == 2


def test_an_integration_client_submits_for_a_clinic_of_its_region(api: Api) -> None:
    unit = CareUnitFactory(sends=True)
    client = api(integration_actor(unit.region))
    assert client.post("/api/v1/cases/", form(sending_unit=unit.hsa_id)).status_code == 201
    refused = client.post("/api/v1/cases/", form())
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["field"] == "sending_unit"


def test_a_verb_that_the_state_refuses_answers_409_with_the_reason(api: Api) -> None:
    made = make_case(CaseState.RECEIVED)
    answer = api(made.navigator).post(f"/api/v1/cases/{made.case.number}/offers/", {"line": 1})
    assert answer.status_code == 400  # no such line, told at its field
    answer = api(made.navigator).post(
        f"/api/v1/cases/{made.case.number}/offers/", {"line": made.line.pk}
    )
    assert answer.status_code == 409
    assert answer["Content-Type"] == "application/problem+json"
    assert "inkommet" in answer.json()["detail"]


def test_field_errors_are_told_as_a_problem(api: Api) -> None:
    unit = CareUnitFactory(sends=True)
    answer = api(clinic_actor(unit)).post(
        "/api/v1/cases/", form(identity_number="191212121213", asa=5, transferable=False)
    )
    assert answer.status_code == 400
    fields = {error["field"] for error in answer.json()["errors"]}
    assert fields == {"identity_number", "asa", "not_transferable_reason"}


@pytest.mark.parametrize(
    "body",
    ["{", "[]", '"text"', '{"asa": 1e400}', '{"given_name": "\\u0000"}', "\xff"],
)
def test_bad_input_is_answered_and_never_breaks(api: Api, body: str) -> None:
    unit = CareUnitFactory(sends=True)
    answer = api(clinic_actor(unit)).post(
        "/api/v1/cases/", body.encode("latin-1"), content_type="application/json"
    )
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"


def test_a_number_with_a_wrong_digit_is_told_so(api: Api) -> None:
    made = make_case()
    wrong = made.case.number[:-1] + str((int(made.case.number[-1]) + 1) % 10)
    answer = api(made.navigator).get(f"/api/v1/cases/{wrong}/")
    assert answer.status_code == 404
    assert "kontrollsiffra" in answer.json()["detail"]


def test_others_do_not_learn_that_the_case_exists(api: Api) -> None:
    made = make_case(CaseState.ACCEPTED)
    other_unit = CareUnitFactory(region=made.unit.region, sends=True)
    others = [
        navigator_actor(RegionFactory(code="20")),
        clinic_actor(other_unit),
        provider_actor(ContractLineFactory(kva="CJE").care_unit.provider),
    ]
    for actor in others:
        assert api(actor).get(f"/api/v1/cases/{made.case.number}/").status_code == 404
    for actor in (manager_actor(made.unit.region), contract_owner_actor(made.unit.region)):
        assert api(actor).get("/api/v1/cases/").status_code == 403


def test_without_a_token_nothing_is_told(client: Any) -> None:
    for path in ("cases/", "contracts/", "statistics/", "me/"):
        answer = client.get(f"/api/v1/{path}")
        assert answer.status_code == 401
        assert answer["Content-Type"] == "application/problem+json"


def test_an_unknown_address_is_a_problem_too(client: Any) -> None:
    answer = client.get("/api/v1/nothing/here/")
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
