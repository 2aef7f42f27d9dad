"""No identity numbers in logs, URLs, e-mail, error pages and traces."""

import logging

import pytest
from django.core import mail
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone
from django.views.debug import ExceptionReporter

from notices.sending import send_emails
from organisations.access import Actor
from organisations.events import deliver_events
from organisations.masking import MASK, MaskingFormatter, holds_identity_number, masked
from organisations.models import User
from referral.models import CaseState
from tests.factories import RegionFactory, identity_number, make_case, navigator_actor

NUMBER = identity_number(5)


def client_of(actor: Actor) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(User.objects.get(pk=actor.user_id))
    return client


@pytest.mark.parametrize(
    "text", [NUMBER, NUMBER[2:], f"{NUMBER[:8]}-{NUMBER[8:]}", f"{NUMBER[2:8]}+{NUMBER[8:]}"]
)
def test_anything_of_its_shape_is_masked_in_a_log_line_and_its_traceback(text):
    try:
        raise ValueError(f"Key (x)=({text})")
    except ValueError:
        record = logging.getLogger().makeRecord(
            "a", logging.ERROR, "f", 1, "failed for %s", (text,), __import__("sys").exc_info()
        )
    line = MaskingFormatter("%(message)s").format(record)
    assert text not in line
    assert line.count(MASK) >= 2


@pytest.mark.parametrize(
    "text", ["13-26-000001-7", "2026-03-10T09:15:00+0100", "k1.1234567890", "5599000014"]
)
def test_case_numbers_and_times_stay_readable(text):
    assert masked(text) == text


@pytest.mark.django_db
def test_a_search_by_identity_number_leads_to_the_case_without_the_number_in_any_url():
    made = make_case()
    client = client_of(made.navigator)
    answer = client.post(reverse("case-search"), {"q": made.patient.identity_number})
    assert answer.url == reverse("case", kwargs={"number": made.case.number})


@pytest.mark.django_db
def test_several_cases_and_none_are_shown_without_the_number_in_any_url():
    made = make_case()
    number = made.patient.identity_number
    again = make_case(identity_number=number, kva="CJE20", unit=made.case.sending_unit)
    for actor, shown in (
        (made.navigator, True),
        (navigator_actor(RegionFactory(code="14")), False),
    ):
        client = client_of(actor)
        answer = client.post(reverse("case-search"), {"q": number})
        assert not holds_identity_number(answer.url)
        page = client.get(answer.url).content.decode()
        assert (made.case.number in page and again.case.number in page) is shown
        assert f'value="{number}"' not in page


@pytest.mark.django_db
@pytest.mark.number_in_address
@pytest.mark.parametrize("typed", [NUMBER, NUMBER[:-1] + "0", f"{NUMBER[2:8]}-{NUMBER[8:]}"])
def test_a_mistyped_number_or_one_in_an_old_link_is_taken_out_of_the_url(typed):
    client = client_of(navigator_actor(RegionFactory(code="14")))
    for answer in (
        client.post(reverse("case-search"), {"q": typed}),
        client.get(reverse("worklist"), {"q": typed}),
    ):
        assert answer.status_code == 302
        assert not holds_identity_number(answer.url)


@pytest.mark.django_db
def test_the_whole_way_leaves_no_number_in_logs_and_emails(caplog):
    caplog.set_level(logging.DEBUG)
    made = make_case(CaseState.ACCEPTED)
    client = client_of(made.navigator)
    client.get(reverse("case", kwargs={"number": made.case.number}))
    client.post(reverse("case-search"), {"q": made.patient.identity_number})
    deliver_events(now=timezone.now())
    send_emails(now=timezone.now())
    written = caplog.text + "".join(m.subject + m.body + str(m.extra_headers) for m in mail.outbox)
    assert mail.outbox
    assert made.patient.identity_number[2:] not in written.replace("-", "")


def test_an_error_report_shows_no_value(settings):
    settings.DEBUG = True
    request = RequestFactory().post("/forms/1/", {"identity_number": NUMBER})
    number = NUMBER
    try:
        raise ValueError("failed")
    except ValueError:
        reporter = ExceptionReporter(request, *__import__("sys").exc_info())
    assert number not in reporter.get_traceback_html() + reporter.get_traceback_text()


@pytest.mark.django_db
@pytest.mark.number_in_address
def test_the_api_searches_by_identity_number_in_the_body_only():
    made = make_case()
    number = made.patient.identity_number
    client = client_of(made.navigator)
    address = "/api/v1/cases/"
    assert client.get(address, {"search": number}).status_code == 400
    found = client.post(f"{address}search/", {"identity_number": number}, "application/json")
    assert [case["number"] for case in found.json()] == [made.case.number]
    stranger = client_of(navigator_actor(RegionFactory(code="14")))
    found = stranger.post(f"{address}search/", {"identity_number": number}, "application/json")
    assert found.json() == []
    bad = client.post(f"{address}search/", {"identity_number": "1912"}, "application/json")
    assert bad.status_code == 400
