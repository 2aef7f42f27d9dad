"""Why a patient gets care elsewhere follows the form, the API and the waiting list to the case."""

import pytest
from rest_framework.test import APIClient

from organisations.models import ApiToken
from organisations.scopes import Scope
from referral.forms.intake import IntakeFormPage
from referral.models import ReferralCause
from referral.submission import check
from referral.waiting_list_file.columns import FIELDS
from tests.factories import make_case, submission, user_of

pytestmark = pytest.mark.django_db


def test_the_wait_is_the_reason_unless_the_clinic_says_otherwise():
    assert make_case().case.referral_cause == ReferralCause.WAITING_TIME
    made = make_case(referral_cause=ReferralCause.FREE_CHOICE)
    assert made.refresh().referral_cause == ReferralCause.FREE_CHOICE


def test_an_unknown_reason_is_refused():
    form = submission(referral_cause="whim")
    assert set(check(form, today=form.decision_date)) == {"referral_cause"}


def test_the_page_offers_the_reasons_and_takes_none_for_the_wait():
    form = IntakeFormPage({"referral_cause": ""})
    form.is_valid()
    assert "referral_cause" not in form.errors
    assert [code for code, _label in form.fields["referral_cause"].choices] == ReferralCause.values


@pytest.mark.parametrize(
    ("word", "cause"),
    [
        ("Väntetiden", "waiting_time"),
        ("fritt vårdval", "free_choice"),
        ("Högspecialiserad vård", "highly_specialised"),
        ("other", "other"),
    ],
)
def test_the_waiting_list_knows_the_reasons_in_words(word, cause):
    (field,) = (one for one in FIELDS if one.column.key == "referral_cause")
    assert field.read(word) == cause
    with pytest.raises(ValueError, match="välj"):
        field.read("slump")


def test_the_api_takes_and_tells_the_reason():
    made = make_case(referral_cause=ReferralCause.HIGHLY_SPECIALISED)
    api = APIClient()
    _row, token = ApiToken.objects.create(user_of(made.navigator), scopes=Scope.values)
    api.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    answer = api.get(f"/api/v1/cases/{made.case.number}/")
    assert answer.json()["referral_cause"] == "highly_specialised"
