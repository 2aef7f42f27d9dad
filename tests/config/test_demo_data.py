"""The demonstration: whole, true to its ledger, safe in its identity numbers, made once."""

import io
import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from django.core.management import call_command
from django.db import transaction
from django.db.models import Count, Q, Sum
from django.utils import timezone
from django.utils.formats import date_format
from rest_framework.test import APIClient

from capacity.models import FreeCapacity
from contracts.models import CallOff, Contract, ContractLine
from notices.models import CallBack, Notice, PhoneTime
from organisations.access_log.keyed import ROW_FIELDS, key_named, row_mac
from organisations.models import AccessLog, Role
from patients.identity import IdentityNumber
from patients.models import Patient
from referral.models import (
    Case,
    CaseLog,
    CaseState,
    Certificate,
    IntakeFormVersion,
    Offer,
    Referral,
    WatchHit,
)
from tests.factories import stockholm

NUMBER = re.compile(r"\b\d{2}-\d{2}-\d{6}-\d\b")
SENT = ["notice_sent", "letter_sent"]
NOW = stockholm(2026, 11, 24, 10)
PUBLISHED = re.compile(r"^(189\d|190\d)\d{4}98[01]\d$|^(199\d|20[01]\d)\d{4}23[89]\d$")


@pytest.fixture(scope="module")
def demonstration(django_db_setup: None, django_db_blocker: object) -> Iterator[None]:
    """Built once for the module, in a transaction that is rolled back."""
    with django_db_blocker.unblock(), transaction.atomic():  # type: ignore[attr-defined]
        call_command("demo_data", "--at", NOW.isoformat(), stdout=io.StringIO())
        yield
        transaction.set_rollback(True)


# The mark has the test database made even when this module is run alone.
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("demonstration")]


def test_some_three_hundred_cases_in_every_state_over_fourteen_months() -> None:
    assert 280 <= Case.objects.count() <= 340
    assert set(Case.objects.values_list("state", flat=True)) == set(CaseState.values)
    first = Case.objects.earliest("received_at").received_at
    assert timedelta(days=380) < NOW - first < timedelta(days=460)


def test_every_identity_number_is_of_a_series_meant_for_testing() -> None:
    for number in Patient.objects.values_list("identity_number", flat=True):
        assert PUBLISHED.match(number), number
        assert IdentityNumber.parse(number, today=NOW.date()).value == number


def test_fourteen_private_providers_of_knee_prostheses_have_contracts() -> None:
    lines = ContractLine.objects.filter(kva="NGB").exclude(care_unit__provider__kind="region")
    assert lines.values("care_unit__provider").distinct().count() == 14
    for kva in ("CJE", "UJF"):
        assert ContractLine.objects.filter(kva=kva).exists()


def test_the_caps_counters_equal_the_ledger() -> None:
    live = ~Q(call_offs__state=CallOff.State.RELEASED)
    for line in ContractLine.objects.annotate(
        n=Count("call_offs", filter=live), sek=Sum("call_offs__amount_sek", filter=live)
    ):
        assert (line.taken_volume, line.taken_sek) == (line.n, line.sek or Decimal(0))
    assert Contract.objects.filter(taken_volume__gt=0).exists()


def test_users_for_every_role_can_use_the_api_with_what_demo_access_prints() -> None:
    out = io.StringIO()
    call_command("demo_access", "--json", stdout=out)
    users = json.loads(out.getvalue())
    assert {user["role"] for user in users} == set(Role.values)
    assert all(
        set(user) == {"login", "password", "role", "unit", "region", "authorization"}
        for user in users
    )
    navigator = next(user for user in users if user["login"] == "lots.dalarna")
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=navigator["authorization"])
    assert client.get("/api/v1/me/").json()["role"] == "navigator"
    assert client.login(username=navigator["login"], password=navigator["password"])


def test_a_second_run_changes_nothing() -> None:
    before = (Case.objects.count(), Notice.objects.count(), AccessLog.objects.count())
    out = io.StringIO()
    call_command("demo_data", stdout=out)
    assert "finns redan" in out.getvalue()
    assert (Case.objects.count(), Notice.objects.count(), AccessLog.objects.count()) == before


def test_only_fresh_offers_wait_to_be_sent() -> None:
    due = Notice.objects.filter(state=Notice.State.WAITING, due_at__lte=NOW)
    assert due.exists()
    assert not due.filter(due_at__lt=NOW - timedelta(hours=30)).exists()


def test_what_happened_long_ago_was_told_then_and_not_at_the_first_start() -> None:
    told = Notice.objects.filter(kind__in=["clinic_returned", "clinic_rejected"])
    assert told.exists()
    assert not told.filter(created_at__gte=NOW).exists()


def test_a_parked_case_is_reviewed_within_30_days_as_in_life() -> None:
    today = timezone.localdate(NOW)
    watched = Case.objects.filter(state=CaseState.WATCHED)
    assert watched.exists()
    for case in watched:
        assert today <= case.review_on <= today + timedelta(days=30)
    seen: dict[int, datetime] = {}
    of_watching = CaseLog.objects.filter(verb__in=["park", "review", "unpark"])
    for entry in of_watching.order_by("case", "at", "pk"):
        if entry.verb != "park":
            assert entry.at - seen[entry.case_id] <= timedelta(days=30)
        seen[entry.case_id] = entry.at


def test_free_places_are_there_and_have_given_hits_on_the_watch_list() -> None:
    assert FreeCapacity.objects.filter(book_by__gte=timezone.localdate(NOW)).count() > 5
    assert WatchHit.objects.filter(handled_at__isnull=True).exists()


def test_the_navigator_has_phone_times_and_patients_to_call() -> None:
    assert PhoneTime.objects.filter(starts_at__gt=NOW).count() > 50
    assert CallBack.objects.filter(state="booked", time__starts_at__gt=NOW).count() == 2
    assert CallBack.objects.filter(state="asked").exists()


def test_cases_that_a_person_should_have_handled_are_not_left_lying() -> None:
    waiting = Case.objects.filter(state__in=[CaseState.RECEIVED, CaseState.ACCEPTED])
    assert not waiting.filter(received_at__lt=NOW - timedelta(days=60)).exists()
    booked = Referral.objects.filter(offer__case__state=CaseState.BOOKED)
    assert not booked.filter(booked_for__lt=NOW - timedelta(days=7)).exists()


def test_nothing_has_happened_in_the_future() -> None:
    assert Case.objects.filter(received_at__gt=NOW).count() == 0
    assert CaseLog.objects.filter(at__gt=NOW).count() == 0


def test_certificates_stand_for_what_was_accepted() -> None:
    assert Certificate.objects.count() > 100
    for certificate in Certificate.objects.select_related("case")[:50]:
        assert certificate.number.startswith(f"{certificate.case.number}/")
        assert timezone.localdate(certificate.issued_at) < certificate.valid_to


def test_what_is_written_in_a_case_names_that_case_and_its_patient() -> None:
    for offer in Offer.objects.select_related("case"):
        assert set(NUMBER.findall(offer.text)) == {offer.case.number}
        last_day = timezone.localdate(offer.due_at) - timedelta(days=1)
        assert f"Svara senast {date_format(last_day, 'j F Y')}." in offer.text
    for notice in Notice.objects.exclude(case=None).select_related("case"):
        assert set(NUMBER.findall(notice.body)) == {notice.case.number}
        assert notice.case.number in notice.idempotency_key.split("/")
    for certificate in Certificate.objects.select_related("case__patient"):
        patient = certificate.case.patient
        assert certificate.content["case_number"] == certificate.case.number
        assert certificate.content["identity_number"] == patient.identity_formatted
    for version in IntakeFormVersion.objects.select_related("form__case__patient"):
        assert version.content["identity_number"] == version.form.case.patient.identity_number


def test_the_log_s_days_follow_the_case_s() -> None:
    for case in Case.objects.prefetch_related("log", "offers__referral"):
        log = list(case.log.all())
        told = [entry for entry in log if entry.verb not in SENT]
        assert told[0].at == case.received_at
        assert [entry.at for entry in told] == sorted(entry.at for entry in told)
        assert all(b.from_state == a.to_state for a, b in pairwise(told))
        treated = [e.details["treated_on"] for e in log if e.verb == "treat"]
        dates = [str(o.referral.treated_on) for o in case.offers.all() if hasattr(o, "referral")]
        assert set(treated) <= set(dates)


def test_every_step_is_in_the_access_log_and_the_log_holds() -> None:
    for case in Case.objects.annotate(steps=Count("log", filter=~Q(log__verb__in=SENT))):
        assert AccessLog.objects.filter(case_number=case.number).count() == case.steps
    for row in AccessLog.objects.values_list("key_id", "mac", *ROW_FIELDS):
        key_id, mac, *fields = row
        assert bytes(mac) == row_mac(key_named(key_id), fields)
