"""What is kept about patients, and what is never kept about those with protected identity."""

from datetime import date
from typing import Any

import pytest

from patients.identity import IdentityNumber
from patients.models import Patient
from patients.services import ContactDetails, register_patient
from tests.factories import (
    LONG_AGO,
    MunicipalityFactory,
    PatientFactory,
    identity_number,
    stockholm,
)

pytestmark = pytest.mark.django_db

NOW = stockholm(2026, 3, 10, 9)
IDENTITY = IdentityNumber.parse(identity_number(), today=NOW.date())


def details(**changes: Any) -> ContactDetails:
    return ContactDetails(
        **{
            "given_name": "Test",
            "family_name": "Testsson",
            "street": "Provgatan 1",
            "postal_code": "30233",
            "town": "Halmstad",
        }
        | changes
    )


def register(**changes: Any) -> Patient:
    patient = register_patient(IDENTITY, contact=details(**changes), now=NOW)
    return Patient.objects.get(pk=patient.pk)


def test_a_new_patient_gets_kind_birth_date_and_sex_from_the_number():
    patient = register()
    assert (patient.identity_kind, patient.birth_date, patient.sex) == (
        "personnummer",
        date(1940, 1, 1),
        "F",
    )


def test_the_same_number_is_the_same_patient_with_the_newest_details():
    first = register()
    second = register(street="Nya vägen 2")
    assert (second.pk, second.street) == (first.pk, "Nya vägen 2")


def test_a_protected_identity_keeps_no_address_and_no_municipality():
    municipality = MunicipalityFactory()
    patient = register(protection="sekretessmarkering", municipality=municipality)
    assert (patient.street, patient.postal_code, patient.town) == ("", "", "")
    assert patient.municipality is None


def test_a_known_patient_who_becomes_protected_loses_the_address():
    register(municipality=MunicipalityFactory())
    patient = register(protection="skyddadFolkbokforing")
    assert (patient.street, patient.municipality) == ("", None)


def test_protection_stays_when_a_later_form_does_not_mention_it():
    register(protection="sekretessmarkering")
    patient = register(protection="none")
    assert patient.protection == "sekretessmarkering"
    assert patient.street == ""


def test_one_kind_of_protection_may_replace_the_other():
    register(protection="sekretessmarkering")
    assert register(protection="skyddadFolkbokforing").protection == "skyddadFolkbokforing"


def test_lists_show_no_name_of_a_protected_identity():
    patient = PatientFactory.build(protection="sekretessmarkering", family_name="Hemlig")
    assert patient.display_name == "Skyddad identitet"
    assert "Hemlig" not in str(patient)


def test_lists_show_the_name_of_others():
    assert PatientFactory.build(given_name="Anna", family_name="Prov").display_name == "Anna Prov"


@pytest.mark.parametrize(
    ("day", "age"),
    [
        (date(2026, 2, 28), 25),
        (date(2026, 3, 1), 26),
        (date(2028, 2, 28), 27),
        (date(2028, 2, 29), 28),
    ],
)
def test_someone_born_on_a_leap_day_is_a_year_older_once_that_day_has_passed(day, age):
    patient = Patient(birth_date=date(2000, 2, 29), created_at=LONG_AGO)
    assert patient.age_at(day) == age


def test_nobody_guesses_the_age_of_a_patient_without_birth_date():
    assert Patient(birth_date=None).age_at(date(2026, 1, 1)) is None
