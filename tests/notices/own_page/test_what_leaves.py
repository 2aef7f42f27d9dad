"""The link and the code stand in what leaves, and nowhere that staff look."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from notices.models import Notice
from notices.outgoing import answer_place, body_of
from notices.sending import send_emails, send_inbox_notices
from organisations.access import as_product
from referral.models import CaseState
from tests.factories import MadeCase, advance, make_case, user_of
from tests.notices.own_page.conftest import code_of

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)


@pytest.fixture
def made(deliver: Any) -> MadeCase:
    made = make_case(CaseState.OFFERED, now=NOW)
    deliver(NOW)
    return made


def notice_of(made: MadeCase, kind: str) -> Notice:
    with as_product("test"):
        return Notice.objects.select_related("case").get(case=made.case, kind=kind)


@pytest.mark.parametrize("kind", ["offer", "offer_letter", "offer_reminder"])
def test_message_letter_and_reminder_bear_link_and_code(made, kind, settings):
    settings.BASE_URL = "https://vardlots.example"
    notice = notice_of(made, kind)
    body = body_of(notice)
    assert body.startswith(notice.body.rstrip())
    assert f"https://vardlots.example/svar/{made.case.number}/" in body
    assert code_of(made) in body
    assert code_of(made) not in answer_place(notice).url
    assert code_of(made) not in notice.body
    assert body == body_of(notice)


def test_an_english_text_says_it_in_english(made):
    notice = notice_of(made, "offer")
    notice.language = "en"
    assert "How to answer online" in body_of(notice)
    notice.language = "ar"
    assert "Så svarar du på nätet" in body_of(notice)


def test_the_gateway_gets_the_code_and_a_second_try_the_same_text(made, gateway):
    gateway.faults.change({"lose_answer_next": 1})
    send_inbox_notices(now=NOW)
    with as_product("test"):
        Notice.objects.filter(state=Notice.State.WAITING, kind="offer").update(due_at=NOW)
    send_inbox_notices(now=NOW)
    (message,) = gateway.messages
    assert code_of(made) in message["content"]["body"]
    assert notice_of(made, "offer").state == Notice.State.SENT


def test_staff_see_no_code_and_get_none_by_e_mail(made, deliver, mailoutbox):
    client = Client()
    client.force_login(user_of(made.navigator))
    page = client.get(f"/cases/{made.case.number}/notices/").content.decode()
    assert "Ny svarskod" in page
    assert code_of(made) not in page
    advance(made, CaseState.ACCEPTED, now=NOW)
    deliver(NOW)
    send_emails(now=NOW)
    assert mailoutbox
    assert not [mail for mail in mailoutbox if code_of(made) in mail.body]
