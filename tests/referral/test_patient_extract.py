"""Registerutdrag (GDPR articles 15 and 20): all of one patient, nothing of another."""

import io
import json

import pytest
from django.test import Client
from django.utils import timezone
from pypdf import PdfReader

from organisations.errors import InvalidInput, NotAllowed
from organisations.events import deliver_events
from organisations.models import AccessLog
from referral import services
from referral.models import CaseState
from referral.patient_extract import extract_for_administrator, extract_for_case
from referral.pdf import extract_pdf
from tests.factories import (
    CareUnitFactory,
    RegionFactory,
    identity_number,
    make_case,
    region_admin_actor,
    user_of,
)

pytestmark = pytest.mark.django_db


def data_of(made, actor=None):
    now = timezone.now()
    if actor is None:
        extract = extract_for_case(made.case, reason="Begäran.", actor=made.navigator, now=now)
    else:
        extract = extract_for_administrator(
            made.case.number, reason="Begäran.", actor=actor, now=now
        )
    return extract.as_data()


def test_the_extract_holds_every_kind_of_thing_that_the_case_has():
    made = make_case(CaseState.CLOSED, medications="Waran", clinician="Doktor Prov")
    deliver_events(now=timezone.now())
    data = data_of(made)
    (case,) = data["cases"]
    assert data["patient"]["identity_number"] == made.patient.identity_number
    assert case["number"] == made.case.number
    assert case["form"][0]["medications"] == "Waran"
    assert case["referrals"][0]["back_referral"] == "Åter till er."
    assert {"case", "offers", "certificates", "consents", "log", "notices"} <= set(case)
    assert [entry["verb"] for entry in case["log"]][-2:] == ["close", "export"]


def test_staff_are_told_by_unit_and_not_by_name():
    made = make_case(CaseState.CLOSED)
    text = json.dumps(data_of(made), default=str, ensure_ascii=False)
    for actor in (made.clinic, made.navigator, made.provider):
        assert f'"{actor.name}"' not in text
    assert made.unit.name in text


def test_nothing_of_another_person_comes_along():
    made = make_case(CaseState.IN_PROGRESS, given_name="Fel", family_name="Förväxlad")
    wrong = made.patient
    make_case(unit=made.unit, family_name="Grannsson")
    services.move_patient(
        made.case,
        identity_number=identity_number(91),
        given_name="Rätt",
        family_name="Person",
        reason="Förväxlad med Fel Förväxlad.",
        actor=made.navigator,
        now=timezone.now(),
    )
    made.refresh()
    text = json.dumps(data_of(made)["cases"][0].get("form", []), default=str)
    text += json.dumps(data_of(made)["patient"], default=str)
    for other in ("Förväxlad", wrong.identity_number, "Grannsson"):
        assert other not in text


def test_a_navigators_extract_leaves_out_what_is_blocked_and_says_so():
    made = make_case(CaseState.IN_PROGRESS)
    other = make_case(
        unit=CareUnitFactory(region=made.unit.region, sends=True),
        identity_number=made.patient.identity_number,
        kva="NFB49",
    )
    now = timezone.now()
    services.block(other.case, reach="units", asked_by_patient=True, actor=other.clinic, now=now)
    data = data_of(made)
    assert [case["number"] for case in data["cases"]] == [made.case.number]
    assert data["made"]["blocked_cases"] == 1
    whole = data_of(made, region_admin_actor(made.unit.region))
    assert {case["number"] for case in whole["cases"]} == {made.case.number, other.case.number}


def test_another_regions_cases_are_not_in_it():
    made = make_case(CaseState.IN_PROGRESS)
    make_case(
        region=RegionFactory(code="14"),
        identity_number=made.patient.identity_number,
        kva="NFB49",
    )
    data = data_of(made, region_admin_actor(made.unit.region))
    assert [case["number"] for case in data["cases"]] == [made.case.number]


def test_the_extract_is_logged_with_its_reason_and_needs_one():
    made = make_case()
    now = timezone.now()
    with pytest.raises(InvalidInput):
        extract_for_case(made.case, reason=" ", actor=made.navigator, now=now)
    with pytest.raises(NotAllowed):
        extract_for_case(made.case, reason="x", actor=made.clinic, now=now)
    data_of(made)
    assert made.case.log.get(verb="export").why == "Begäran."
    assert AccessLog.objects.filter(what="export", case_number=made.case.number).exists()


def test_the_pdf_can_be_read():
    made = make_case(CaseState.CLOSED, given_name="Åsa", family_name="Öhrström")
    extract = extract_for_case(
        made.case, reason="Begäran.", actor=made.navigator, now=timezone.now()
    )
    text = "".join(
        page.extract_text() for page in PdfReader(io.BytesIO(extract_pdf(extract))).pages
    )
    for word in ("Registerutdrag", "Öhrström", made.case.number, "Åter till er."):
        assert word in text


def test_both_files_are_downloads_named_by_the_case_number():
    made = make_case(CaseState.IN_PROGRESS)
    client = Client()
    client.force_login(user_of(made.navigator))
    address = f"/cases/{made.case.number}/privacy/export/"
    for kind, mime in (("json", "application/json; charset=utf-8"), ("pdf", "application/pdf")):
        answer = client.post(address, {"reason": "Begäran.", "file_format": kind})
        assert answer["Content-Type"] == mime
        assert answer["Content-Disposition"] == (
            f'attachment; filename="registerutdrag-{made.case.number}.{kind}"'
        )
    assert client.post(address, {"reason": ""}).status_code == 422
    admin = Client()
    admin.force_login(user_of(region_admin_actor(made.unit.region)))
    answer = admin.post(
        "/privacy/export/",
        {"number": made.case.number, "reason": "Begäran.", "file_format": "json"},
    )
    assert json.loads(answer.content)["patient"]["identity_number"] == made.patient.identity_number
    wrong = admin.post("/privacy/export/", {"number": "13-26-1", "reason": "x"})
    assert wrong.status_code == 422
