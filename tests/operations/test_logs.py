"""One record, one line, no identity number; one id for all that a request sets going."""

import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from celery import current_app
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from notices.models import Notice
from notices.sending import send_inbox_notices
from organisations import events
from organisations.events import deliver_events, emit, subscribe
from organisations.masking import MASK, MaskingFormatter, MaskingJsonFormatter
from organisations.models import DomainEvent
from organisations.request_log import shown_path
from organisations.tracing import current_request_id, has_sane_shape, request_id
from referral.models import CaseState
from tests.factories import identity_number, make_case, user_of

NUMBER = identity_number(5)
GIVEN = "0b0c8a3e-5a0f-4c83-9d3a-2f7c5d1e9b40"
LOGGING: dict[str, Any] = settings.LOGGING


def json_formatter() -> MaskingJsonFormatter:
    options = {name: value for name, value in LOGGING["formatters"]["json"].items() if name != "()"}
    return MaskingJsonFormatter(**options)


def text_formatter() -> MaskingFormatter:
    return MaskingFormatter("%(levelname)s %(name)s %(message)s")


def a_record(message: str, *args: object, error: str = "", **extra: object) -> logging.LogRecord:
    trace = None
    if error:
        try:
            raise ValueError(error)
        except ValueError:
            trace = sys.exc_info()
    return logging.getLogger().makeRecord(
        "a", logging.ERROR, "f", 1, message, args, trace, extra=extra
    )


@pytest.fixture
def lines() -> Iterator[list[dict]]:
    """What the product logs, as production writes it."""
    written: list[dict] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            written.append(json.loads(self.format(record)))

    from organisations.tracing import RequestIdFilter

    handler = Keep(logging.INFO)
    handler.setFormatter(json_formatter())
    handler.addFilter(RequestIdFilter())
    logging.getLogger().addHandler(handler)
    yield written
    logging.getLogger().removeHandler(handler)


def of_requests(lines: list[dict]) -> list[dict]:
    return [line for line in lines if line["logger"] == "vardlots.request"]


# Formats


def test_a_json_line_has_time_level_logger_message_and_request_id():
    line = json.loads(json_formatter().format(a_record("hello %s", "you", request_id=GIVEN)))
    assert line["message"] == "hello you"
    assert (line["level"], line["logger"], line["request_id"]) == ("ERROR", "a", GIVEN)
    assert line["time"].endswith("+00:00")


def test_a_number_is_masked_wherever_it_stands_in_a_json_line():
    written = json_formatter().format(
        a_record(
            "failed for\n%s",
            NUMBER,
            error=f"Key (x)=({NUMBER})",
            seen={"deep": [f"\t{NUMBER}"], NUMBER: 1},
            as_int=int(NUMBER),
        )
    )
    assert NUMBER not in written
    assert written.count(MASK) >= 5
    json.loads(written)


@given(st.text(), st.text())
def test_whatever_is_logged_a_json_record_is_one_line(message, value):
    written = json_formatter().format(a_record("%s", message, error=value, value=value))
    assert len(written.splitlines()) == 1
    json.loads(written)


@given(st.text(), st.text())
def test_whatever_is_logged_nothing_but_the_record_begins_a_line_for_people(message, error):
    record = a_record("%s", message, error=error + " ")
    first, *rest = text_formatter().format(record).splitlines()
    assert first.startswith("ERROR a ")
    assert all(line.startswith("    ") for line in rest)


@given(st.sampled_from(["\n", "\r\n", "\x85", "\u2028", "\x1b", "\t", " "]))
def test_a_number_after_a_control_character_is_masked(before):
    for formatter in (text_formatter(), json_formatter()):
        written = formatter.format(a_record("%s", f"x{before}{NUMBER}", error=f"y{before}{NUMBER}"))
        assert NUMBER not in written


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/cases/13-26-000001-7/", "/cases/13-26-000001-7/"),
        ("/invitation/" + "a1B2" * 12 + "/", "/invitation/…/"),
        ("/invitation/" + "a1B2" * 12, "/invitation/…"),
    ],
)
def test_a_path_is_logged_without_an_invitations_token(path, shown):
    assert shown_path(path) == shown


# One id


@pytest.mark.parametrize("given_id", [GIVEN, GIVEN.upper(), GIVEN.replace("-", "")])
@pytest.mark.django_db
def test_an_id_of_sane_shape_is_taken_logged_and_returned(given_id, lines):
    answer = Client().get(reverse("login"), headers={"X-Request-ID": given_id})
    assert answer["X-Request-ID"] == given_id
    [line] = of_requests(lines)
    assert line["request_id"] == given_id


@pytest.mark.parametrize(
    "given_id",
    ["", "x", "1; DROP", f"{GIVEN} {GIVEN}", "-" * 4000 + GIVEN, "0x" + GIVEN[2:], f"{{{GIVEN}}}"],
)
@pytest.mark.django_db
def test_any_other_id_gives_way_to_a_new_one(given_id):
    answer = Client().get(reverse("login"), headers={"X-Request-ID": given_id})
    assert answer["X-Request-ID"] != given_id
    assert has_sane_shape(answer["X-Request-ID"])


@pytest.mark.django_db
def test_a_request_is_one_line_with_user_route_status_and_time_but_no_query(lines):
    made = make_case()
    client = Client()
    client.force_login(user_of(made.navigator))
    client.get(reverse("worklist"), {"q": "Undansson"})
    [line] = of_requests(lines)
    assert line["path"] == reverse("worklist")
    assert (line["method"], line["route"], line["status"]) == ("GET", "worklist", 200)
    assert line["user_id"] == made.navigator.user_id
    assert line["ms"] > 0
    assert "Undansson" not in json.dumps(lines)


@pytest.mark.django_db
def test_probes_and_static_files_are_not_told_of(lines):
    for path in ("/healthz", "/readyz", "/static/nothing.css"):
        Client().get(path)
    assert of_requests(lines) == []


@pytest.mark.django_db
def test_an_event_keeps_the_id_of_the_request_that_wrote_it_and_its_handling_logs_it(lines):
    seen: list[str] = []
    subscribe("test.traced", "tests", lambda event, now: seen.append(current_request_id()))
    now = timezone.now()
    with request_id(GIVEN):
        emit("test.traced", now=now)
    event = DomainEvent.objects.get(kind="test.traced")
    assert event.request_id == GIVEN
    with request_id("f" * 32):  # of the task that happens to handle it
        deliver_events(now=now)
    assert seen == [GIVEN]


@pytest.mark.django_db
def test_a_failure_in_the_worker_is_logged_under_the_requests_id(lines):
    def fails(event: DomainEvent, now: object) -> None:
        raise ValueError(NUMBER)

    subscribe("test.failing", "tests", fails)
    now = timezone.now()
    with request_id(GIVEN):
        emit("test.failing", now=now)
    deliver_events(now=now)
    [line] = [one for one in lines if "test.failing" in one["message"]]
    assert line["request_id"] == GIVEN
    assert NUMBER not in json.dumps(line)


def test_a_task_is_sent_with_the_id_of_the_request(settings):
    sent: list[dict] = []
    from celery.signals import before_task_publish

    def note(headers: dict, **rest: object) -> None:
        sent.append(dict(headers))

    before_task_publish.connect(note)
    try:
        with request_id(GIVEN), current_app.connection_for_write("memory://") as connection:
            current_app.send_task("config.tasks.run_due_work", connection=connection)
    finally:
        before_task_publish.disconnect(note)
    assert sent[-1]["X-Request-ID"] == GIVEN


@pytest.mark.django_db
def test_a_page_that_fails_leaves_a_line_with_its_id_and_no_number(lines, monkeypatch):
    def fails(*args: object, **kwargs: object) -> None:
        raise ValueError(NUMBER)

    made = make_case()
    client = Client(raise_request_exception=False)
    client.force_login(user_of(made.navigator))
    monkeypatch.setattr("referral.views.worklist.actor_of", fails)
    answer = client.get(reverse("worklist"), headers={"X-Request-ID": GIVEN})
    assert answer.status_code == 500
    failed = [line for line in lines if line["level"] == "ERROR"]
    assert failed
    assert {line["request_id"] for line in failed} == {GIVEN}
    assert NUMBER not in json.dumps(lines)


@pytest.mark.django_db
def test_the_gateway_gets_the_id_of_the_request_that_led_to_the_notice(monkeypatch):
    import httpx

    sent: list[str] = []

    def post(
        client: httpx.Client,
        method: str,
        url: str,
        *,
        headers: dict,
        content: bytes,
        **rest: object,
    ) -> httpx.Response:
        sent.append(headers.get("X-Request-ID", ""))
        asked = json.loads(content).get("identity_numbers", [])
        recipients = [{"identity_number": number, "active": True} for number in asked]
        return httpx.Response(200, json={"recipients": recipients, "message_id": "1"})

    monkeypatch.setattr(httpx.Client, "request", post)
    monkeypatch.setattr(events, "wake", lambda: None)
    with request_id(GIVEN):
        make_case(CaseState.OFFERED)
    now = timezone.now()
    deliver_events(now=now)
    assert Notice.objects.filter(request_id=GIVEN).exists()
    send_inbox_notices(now=now)
    assert sent == ["", GIVEN]  # the question is about many, the message of one
