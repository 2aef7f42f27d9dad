"""Prometheus is told how the product does, and nothing of anybody."""

from datetime import timedelta

import pytest
from django.db import DatabaseError
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from config.monitoring import metrics
from notices.models import Notice
from organisations.access import acting_as
from organisations.events import deliver_events, emit, subscribe
from organisations.models import SweepRun
from organisations.sweeps import register_sweep, run_due, sweep_names
from referral.models import CaseState
from tests.factories import make_case

pytestmark = pytest.mark.django_db

TOKEN = "a token that Prometheus has"
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture(autouse=True)
def _token(settings):
    settings.METRICS_TOKEN = TOKEN


def scrape() -> Samples:
    with acting_as(None):  # whoever asks is nobody
        answer = Client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }


def value(found: Samples, name: str, **labels: str) -> float | None:
    return found.get((name, frozenset(labels.items())))


@pytest.mark.parametrize("header", [None, "Bearer wrong", f"Token {TOKEN}", "Bearer å"])
def test_without_the_token_there_is_no_such_page(header):
    headers = {"Authorization": header} if header else {}
    assert Client().get("/metrics", headers=headers).status_code == 404


def test_without_a_token_in_the_settings_there_is_none(settings):
    settings.METRICS_TOKEN = ""
    assert Client().get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


@pytest.mark.number_in_address
def test_requests_are_counted_by_route_and_status_never_by_path():
    before = scrape()
    Client().get(reverse("login"))
    Client().get("/nowhere/19121212-1212/")
    found = scrape()
    labels = {"method": "GET", "route": "login", "status": "200"}
    name = "vardlots_http_requests_total"
    assert value(found, name, **labels) == (value(before, name, **labels) or 0) + 1
    assert value(found, name, method="GET", route="unknown", status="404")
    assert value(found, "vardlots_http_request_seconds_count", route="login", status="2xx")
    assert not [labels for _name, labels in found if "1212" in str(labels)]


def test_due_and_overdue_work_is_told_by_kind_with_the_age_of_the_oldest():
    subscribe("test.due", "tests", lambda event, now: None)
    now = timezone.now()
    emit("test.due", now=now - timedelta(minutes=30))
    emit("test.due", now=now - timedelta(minutes=1))
    emit("test.due", now=now + timedelta(minutes=30))
    found = scrape()
    labels = {"sweep": "events", "kind": "test.due"}
    assert value(found, "vardlots_due", **labels) == 2
    assert value(found, "vardlots_overdue", **labels) == 1
    assert 1800 <= (value(found, "vardlots_oldest_due_seconds", **labels) or 0) < 1860


def test_the_gateways_state_and_what_was_given_up_is_told():
    make_case(CaseState.OFFERED)
    now = timezone.now()
    deliver_events(now=now)
    found = scrape()
    assert value(found, "vardlots_gateway_queue") == 1
    assert value(found, "vardlots_gateway_last_success_timestamp_seconds") is None
    inbox = Notice.objects.filter(kind=Notice.Kind.OFFER)
    inbox.update(state=Notice.State.SENT, sent_at=now)
    found = scrape()
    assert value(found, "vardlots_gateway_queue") == 0
    last = value(found, "vardlots_gateway_last_success_timestamp_seconds")
    assert last == pytest.approx(now.timestamp())
    inbox.update(state=Notice.State.FAILED)
    assert value(scrape(), "vardlots_failed", kind="notice 1177") == 1


def test_caps_are_told_by_region_and_contract_number():
    made = make_case(CaseState.OFFERED)
    line, contract = made.line, made.line.contract
    type(line).objects.filter(pk=line.pk).update(cap_volume=1)
    type(contract).objects.filter(pk=contract.pk).update(cap_volume=4)
    found = scrape()
    region = contract.owner_region_id
    assert value(found, "vardlots_cap_lines", region=region, level="100") == 1
    shares = {
        state: value(
            found,
            "vardlots_contract_cap_ratio",
            contract=contract.number,
            cap="volume",
            state=state,
        )
        for state in ("reserved", "used", "left")
    }
    assert shares == {"reserved": 0.25, "used": 0, "left": 0.75}


def test_a_line_just_under_a_level_is_not_over_it():
    made = make_case(CaseState.OFFERED)
    type(made.line).objects.filter(pk=made.line.pk).update(cap_volume=3, cap_sek=None)
    region = made.line.contract.owner_region_id
    assert value(scrape(), "vardlots_cap_lines", region=region, level="80") == 0


def test_sweeps_tell_how_long_they_took_and_how_often_they_failed():
    def fails(*, now: object) -> int:
        raise ValueError("no")

    register_sweep("test", fails)
    try:
        with pytest.raises(ValueError, match="no"):
            run_due(now=timezone.now())
        with pytest.raises(ValueError, match="no"):
            run_due(now=timezone.now())
    finally:
        from organisations import sweeps

        sweeps._sweeps[:] = [one for one in sweeps._sweeps if one.name != "test"]
    found = scrape()
    assert value(found, "vardlots_sweep_runs_total", sweep="events") == 2
    assert value(found, "vardlots_sweep_failures_total", sweep="events") == 0
    assert value(found, "vardlots_sweep_failures_total", sweep="test") == 2
    assert (value(found, "vardlots_sweep_seconds_total", sweep="events") or 0) > 0
    assert set(sweep_names()) < set(SweepRun.objects.values_list("name", flat=True))


def test_no_label_holds_anything_of_a_case_or_a_patient():
    made = make_case(CaseState.ACCEPTED)
    deliver_events(now=timezone.now())
    labels = str([labels for _name, labels in scrape()])
    for secret in (made.case.number, made.patient.identity_number, made.patient.family_name):
        assert secret not in labels


def test_a_scrape_asks_few_questions_however_much_there_is(django_assert_max_num_queries):
    for _number in range(3):
        make_case(CaseState.OFFERED)
    with django_assert_max_num_queries(30):
        scrape()


def test_without_the_database_the_processes_counts_are_still_told(monkeypatch):
    def away(now: object) -> list:
        raise DatabaseError("secret")

    monkeypatch.setattr(metrics, "READINGS", (away,))
    found = scrape()
    assert value(found, "vardlots_database_up") == 0
    assert [name for name, _labels in found if name == "vardlots_http_requests_total"]
