"""Code and identity: who comes in on the patient's own page, and who does not."""

import re
from datetime import timedelta
from typing import Any

import httpx
import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from notices.models import AnswerCode
from organisations.access import as_product
from organisations.models import AccessLog
from referral.models import CaseState
from referral.numbers import CaseNumber
from tests.factories import make_case, user_of
from tests.notices.own_page.conftest import (
    back_from,
    code_of,
    give_code,
    identify,
    to_the_provider,
    walk_in,
)

pytestmark = pytest.mark.django_db
ANOTHER = "191212121212"


@pytest.fixture
def made() -> Any:
    return make_case(CaseState.OFFERED)


def looks() -> list[tuple[str, str]]:
    with as_product("test"):
        rows = AccessLog.objects.filter(what__startswith="own_page").order_by("pk")
        return list(rows.values_list("what", "role"))


def test_code_and_identity_lead_to_the_case(made, provider):
    page = walk_in(made).get("/svar/case/")
    text = page.content.decode()
    assert page.status_code == 200
    assert made.line.care_unit.name in text
    assert made.case.number in text
    assert ("own_page", "patient") in looks()


def test_no_page_of_the_case_opens_before_the_identity_is_proved(made, provider):
    client = Client()
    give_code(client, made)
    for page in ("", "accept/", "decline/", "receipt/", "call/"):
        assert client.get(f"/svar/case/{page}")["Location"] == "/svar/"


def test_a_code_is_read_however_it_is_typed(made, provider):
    typed = code_of(made).lower().replace("-", " ").replace("0", "o").replace("1", "l")
    number = made.case.number.replace("-", " ")
    assert give_code(Client(), made, code=typed, number=number).status_code == 302


def test_another_person_is_refused_and_counted_and_logged_without_who(made, provider):
    client = Client()
    give_code(client, made)
    refused = identify(client, ANOTHER)
    assert refused.status_code == 403
    assert made.line.care_unit.name not in refused.content.decode()
    assert client.get("/svar/case/").status_code == 302
    with as_product("test"):
        assert AnswerCode.objects.get(case_number=made.case.number).wrong == 1
        row = AccessLog.objects.get(what="own_page_refused")
    assert (row.case_number, row.role, row.user_id) == (made.case.number, "patient", None)
    assert ANOTHER not in row.actor_name


def test_who_gives_up_at_the_provider_may_try_again(made, provider):
    client = Client()
    give_code(client, made)
    refused = identify(client, "191212121212", answer="cancel")
    assert refused.status_code == 403
    assert "/svar/identify/" in refused.content.decode()
    with as_product("test"):
        assert AnswerCode.objects.get(case_number=made.case.number).wrong == 0
    assert identify(client, made.patient.identity_number).status_code == 302


def test_the_way_back_works_once(made, provider):
    client = Client()
    give_code(client, made)
    back = back_from(to_the_provider(client), number=made.patient.identity_number)
    assert client.get(back)["Location"] == "/svar/case/"
    again = client.get(back)
    assert again.status_code == 403
    assert "bekräftas" in again.content.decode()


def test_the_way_back_of_another_browser_leads_nowhere(made, provider):
    mine, other = Client(), Client()
    give_code(mine, made)
    give_code(other, made)
    back = back_from(to_the_provider(mine), number=made.patient.identity_number)
    assert other.get(back).status_code == 403
    assert other.get("/svar/case/").status_code == 302


@pytest.mark.parametrize("level", ["", "http://id.elegnamnden.se/loa/1.0/loa2"])
def test_a_weaker_identification_is_none(made, provider, settings, level):
    settings.IDENTITY_ASSURANCE = [level]
    client = Client()
    give_code(client, made)
    assert identify(client, made.patient.identity_number).status_code == 403


def test_a_provider_that_is_away_is_no_error_of_ours(made, provider, gateway):
    client = Client()
    give_code(client, made)
    gateway.stop()
    answer = client.post("/svar/identify/")
    gateway.stop = lambda: None
    assert answer.status_code == 503
    assert "Försök igen" in answer.content.decode()


def test_without_a_provider_the_page_says_whom_to_call(made, settings):
    settings.IDENTITY_ISSUER = ""
    client = Client()
    give_code(client, made)
    page = client.get("/svar/identify/").content.decode()
    assert "Det går inte att legitimera sig här" in page
    assert client.post("/svar/identify/").status_code == 200


def test_the_provider_asks_for_proof_key_and_nonce_and_known_ways_back(provider):
    asked = {
        "client_id": "vardlots-demo",
        "response_type": "code",
        "scope": "openid",
        "redirect_uri": "http://testserver/svar/identified/",
        "state": "s",
    }
    whole = asked | {"nonce": "n", "code_challenge": "a" * 43, "code_challenge_method": "S256"}
    assert httpx.get(f"{provider}/authorize", params=asked).status_code == 400
    assert httpx.get(f"{provider}/authorize", params=whole).status_code == 200
    for wrong in ({"redirect_uri": "https://evil.example/svar/identified/"}, {"client_id": "x"}):
        assert httpx.get(f"{provider}/authorize", params=whole | wrong).status_code == 400
    given = httpx.post(
        f"{provider}/authorize", params=whole, data={"identity_number": ANOTHER, "answer": "yes"}
    )
    code = httpx.URL(given.headers["Location"]).params["code"]
    taken = httpx.post(
        f"{provider}/token",
        data={
            "grant_type": "authorization_code",
            "code": code,
            "client_id": "vardlots-demo",
            "redirect_uri": asked["redirect_uri"],
        },
    )
    assert taken.status_code == 400


# Sessions


def test_the_visit_ends_after_fifteen_minutes_of_nothing(made, provider):
    start = timezone.now()
    client = walk_in(made)
    with time_machine.travel(start + timedelta(minutes=14)):
        assert client.get("/svar/case/").status_code == 200
    with time_machine.travel(start + timedelta(minutes=30)):
        assert client.get("/svar/case/")["Location"] == "/svar/?ended"
        assert "Du loggades ut" in client.get("/svar/?ended").content.decode()
        assert client.get("/svar/case/")["Location"] == "/svar/"


def test_logging_out_leaves_nothing(made, provider):
    client = walk_in(made)
    before = client.session.session_key
    assert client.post("/svar/leave/").status_code == 200
    assert client.session.session_key != before
    assert client.get("/svar/case/").status_code == 302


def test_each_step_gives_the_session_a_new_key(made, provider):
    client = Client()
    give_code(client, made)
    first = client.session.session_key
    identify(client, made.patient.identity_number)
    assert client.session.session_key != first


def test_the_code_ends_the_session_that_staff_had_in_the_browser(made, provider):
    client = Client()
    client.force_login(user_of(made.navigator))
    assert "inloggad som personal" in client.get("/svar/").content.decode()
    walk_in(made, client)
    assert client.get("/cases/").status_code == 302


def test_a_login_of_staff_ends_the_visit(made, provider):
    client = walk_in(made)
    client.force_login(user_of(made.navigator))
    assert client.get("/svar/case/").status_code == 302
    assert client.get("/cases/").status_code == 200


def test_a_deceased_patients_page_is_closed(made, provider):
    client = walk_in(made)
    with as_product("test"):
        type(made.patient).objects.update(deceased_on=timezone.localdate())
    assert client.get("/svar/case/").status_code == 404
    assert give_code(Client(), made).status_code == 422


def test_a_closed_case_is_shown_for_ninety_days(made, provider):
    now = timezone.now()
    closed = make_case(CaseState.CLOSED, now=now - timedelta(days=89))
    assert "avslutat" in walk_in(closed).get("/svar/case/").content.decode()
    old = make_case(CaseState.CLOSED, now=now - timedelta(days=91))
    assert give_code(Client(), old).status_code == 422


# What answers say


def test_no_answer_tells_whether_number_or_code_was_wrong(made):
    other = make_case(CaseState.IN_PROGRESS)
    wrong_code = give_code(Client(), made, code="0000000000")
    no_case = give_code(
        Client(),
        made,
        number=CaseNumber.build(county="99", year=2026, running=7).value,
        code=code_of(made),
    )
    others_code = give_code(Client(), made, code=code_of(other))
    shown = {
        re.sub(r'value="[^"]*"', "", answer.content.decode())
        for answer in (wrong_code, others_code, no_case)
    }
    assert len(shown) == 1
    assert {wrong_code.status_code, others_code.status_code, no_case.status_code} == {422}


@pytest.mark.parametrize(
    "typed",
    [
        {"number": "13-26-000001-0", "code": "x"},
        {"number": "", "code": ""},
        {"number": "\x00", "code": "\x00"},
        {"number": "9" * 5000, "code": "9" * 5000},
        {"code": "ÅÄÖ🙂"},
    ],
)
def test_bad_input_is_answered_at_the_field(made, typed):
    answer = Client().post("/svar/", typed)
    assert answer.status_code == 422
    assert "error-summary" in answer.content.decode()


def test_half_a_character_is_answered_too(made):
    sent = "application/x-www-form-urlencoded"
    answer = Client().post("/svar/", b"number=%ED%A0%80&code=%ED%A0%80", content_type=sent)
    assert answer.status_code == 422


def test_the_link_fills_in_the_number_and_nothing_else(made):
    page = Client().get(f"/svar/{made.case.number}/").content.decode()
    assert f'value="{made.case.number}"' in page
    assert 'value="&quot;' not in Client().get('/svar/"><script>/').content.decode()


def test_the_pages_have_no_scripts_and_are_kept_by_nobody(made, provider):
    client = walk_in(made)
    for path in ("/svar/", "/svar/case/", "/svar/case/accept/", "/svar/case/call/"):
        answer = client.get(path)
        assert "script-src 'none'" in answer["Content-Security-Policy"]
        assert "<script" not in answer.content.decode()
        assert answer["Cache-Control"] == "no-store"
        assert answer["Referrer-Policy"] == "same-origin"
