"""A request that ends with an error takes back what it changed, and never the row of its look."""

from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from organisations.access import acting_as, record_access
from organisations.access_log.kept import remembered_looks, write_what_was_taken_back
from organisations.access_log.verifying import verify
from organisations.access_log.writing import Shown, Who, write_rows
from organisations.models import AccessLog
from referral.models import CaseState
from tests.factories import MadeCase, make_case, user_of

pytestmark = pytest.mark.django_db


def client_of(actor: Any) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user_of(actor))
    return client


def fail(*args: Any, **kwargs: Any) -> None:
    raise RuntimeError


def done(made: MadeCase, verb: str, **body: Any) -> tuple[int, list[str]]:
    """The navigator tries the verb over the API: the status, and what the log then says."""
    before = AccessLog.objects.latest("pk").pk
    address = reverse(f"api-case-{verb}", args=[made.case.number])
    answer = client_of(made.navigator).post(address, body, content_type="application/json")
    written = AccessLog.objects.filter(pk__gt=before, case_number=made.case.number)
    assert {row.user_id for row in written} == {made.navigator.user_id}
    return answer.status_code, sorted(row.what for row in written)


@pytest.mark.parametrize(("verb", "status"), [("unpark", 409), ("end", 400), ("treat", 403)])
def test_a_refusal_over_the_api_leaves_the_look_and_no_change(verb, status):
    assert done(make_case(), verb, treated_on="2026-01-01") == (status, ["case"])


def test_what_is_done_over_the_api_leaves_the_look_and_the_change_once_each():
    made = make_case()
    assert done(made, "take") == (200, ["case", "take"])
    assert done(made, "take") == (409, ["case"])


def test_a_page_that_fails_after_the_look_leaves_the_look(monkeypatch):
    made = make_case()
    monkeypatch.setattr("referral.views.case.diagnosis_name", fail)
    before = AccessLog.objects.latest("pk").pk
    client = client_of(made.navigator)
    assert client.get(reverse("case", args=[made.case.number])).status_code == 500
    row = AccessLog.objects.get(pk__gt=before)
    assert (row.what, row.case_number) == ("case", made.case.number)
    assert verify(now=timezone.now()).holds


def test_a_change_that_is_taken_back_takes_its_row_with_it(monkeypatch):
    made = make_case()
    monkeypatch.setattr("referral.api.actions_for", fail)
    assert done(made, "take") == (500, ["case"])
    assert made.refresh().state == CaseState.RECEIVED


def test_an_answer_of_422_that_was_not_taken_back_has_one_row():
    made = make_case(CaseState.IN_PROGRESS)
    before = AccessLog.objects.latest("pk").pk
    answer = client_of(made.navigator).post(
        reverse("case-action", args=[made.case.number, "pause"]), {}
    )
    assert answer.status_code == 422
    assert AccessLog.objects.filter(pk__gt=before).count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_look_is_kept_when_the_requests_own_transaction_is_taken_back():
    made = make_case(CaseState.IN_PROGRESS)
    assert done(made, "take") == (409, ["case"])


def test_a_person_writes_rows_in_the_own_name_and_role_alone():
    made = make_case()
    shown = [Shown(made.case.number, made.patient.pk)]
    mine = Who(made.navigator.user_id, "N", made.navigator.role, "", "13")
    with acting_as(made.navigator):
        write_rows(mine, what="case", at=timezone.now(), shown=shown)
        for other in (
            mine._replace(user_id=made.clinic.user_id),
            mine._replace(user_id=None),
            mine._replace(role="clinic"),
        ):
            with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
                write_rows(other, what="case", at=timezone.now(), shown=shown)
    refused = pytest.raises(DatabaseError, match="row-level security")
    with acting_as(None), refused, transaction.atomic():
        write_rows(mine, what="case", at=timezone.now(), shown=shown)


def test_only_looks_are_remembered_and_those_in_the_log_are_not_written_again():
    made = make_case(CaseState.IN_PROGRESS)
    with remembered_looks() as looks, acting_as(made.navigator):
        record_access(made.navigator, what="case", now=timezone.now(), cases=[("13", 1)])
        record_access(
            made.navigator, what="take", now=timezone.now(), cases=[("13", 1)], of_change=True
        )
    assert [look.what for look in looks] == ["case"]
    assert write_what_was_taken_back(looks) == 0
