"""Whatever the gateway's callback holds, it is answered, and kept only when it is understood."""

import json
import time
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import transaction
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import settings as example_settings
from hypothesis import strategies as st

from notices.models import GatewayCallback, Notice
from notices.signature import HEADER, sign
from organisations.events import deliver_events
from referral.models import CaseState
from tests.factories import make_case

pytestmark = pytest.mark.django_db


def call(body: bytes) -> Any:
    signature = sign(body, secret=django_settings.GATEWAY_SECRET, at=time.time())
    return Client().post(
        "/gateway/1177/callback/", body, "application/json", headers={HEADER: signature}
    )


GOOD = {
    "delivery_id": "d",
    "type": "message.answered",
    "message_id": "m",
    "thread": "1",
    "reference": "13-26-000001-7",
    "answer": {"accepted": True, "reason": None, "comment": ""},
    "call": {"phone": "070-123 45 67", "about": "Resan"},
}
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=6,
)
changed = st.dictionaries(st.sampled_from(sorted(GOOD)), anything, max_size=4).map(
    lambda changes: GOOD | changes
)


@example_settings(max_examples=60)
@given(payload=changed | anything)
def test_any_json_is_answered_and_kept_only_when_understood(payload):
    with transaction.atomic():
        answer = call(json.dumps(payload).encode())
        assert answer.status_code in {200, 400}
        assert GatewayCallback.objects.count() == (answer.status_code == 200)
        transaction.set_rollback(True)


@example_settings(max_examples=40)
@given(body=st.binary(max_size=200))
def test_any_bytes_are_answered(body):
    assert call(body).status_code in {200, 400}


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 60_000,
        b'{"a":' * 10_000,
        b"1" * 60_000,
        b'{"delivery_id": "\\ud800", "type": "message.read", "message_id": "m"}',
        b'{"delivery_id": "d\\u0000", "type": "message.read", "message_id": "m"}',
        b'{"delivery_id": "d", "type": "message.read", "message_id": "m", "x": "\\udfff"}',
        b'{"\\ud800": 1, "delivery_id": "d", "type": "message.read", "message_id": "m"}',
        b"\xff\xfe{}",
        b"NaN",
    ],
    ids=lambda body: repr(body[:24]),
)
def test_what_cannot_be_read_or_kept_is_refused(body):
    assert call(body).status_code == 400
    assert not GatewayCallback.objects.exists()


@pytest.fixture
def made(db):
    return make_case(CaseState.OFFERED)


@example_settings(max_examples=30)
@given(answer=anything)
def test_no_answer_but_yes_or_no_moves_a_case(made, answer):
    deliver_events(now=timezone.now())
    notice = Notice.objects.get(offer=made.offer, kind=Notice.Kind.OFFER)
    thread = {"thread": str(notice.pk), "reference": made.case.number}
    with transaction.atomic():
        call(json.dumps(GOOD | thread | {"answer": answer}).encode())
        if not (isinstance(answer, dict) and isinstance(answer.get("accepted"), bool)):
            assert made.refresh().state == CaseState.OFFERED
        transaction.set_rollback(True)
