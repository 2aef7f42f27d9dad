"""Suggestions of codes: by code, by official name and by the words people use."""

import pytest
from django.test import Client
from django.urls import reverse

from organisations.models import User
from referral.selectors.codes import (
    diagnosis_label,
    procedure_label,
    suggest_diagnoses,
    suggest_procedures,
)
from tests.factories import (
    CareUnitFactory,
    ProcedureFactory,
    RegionFactory,
    clinic_actor,
    navigator_actor,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def procedures():
    rows = (
        ("NGB", "Primära ledprotesoperationer i knäled", "ortopedi", ["M17.0", "M17.1"]),
        ("NGB49", "Primär totalprotes i knäled med cement", "ortopedi", ["M17.1"]),
        ("CJE", "Extrakapsulära kataraktoperationer", "ögon", ["H25.1"]),
        ("CJE20", "Fakoemulsifikation med implantation av linsprotes", "ögon", ["H25.1"]),
        ("UJF32", "Koloskopi", "endoskopi", ["K92.1"]),
    )
    for kva, name, category, listed in rows:
        ProcedureFactory(kva=kva, name=name, category=category, diagnoses=listed)


def codes(found):
    return [suggestion.code for suggestion in found]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("knä", ["NGB", "NGB49"]),
        ("KNÄ totalprotes", ["NGB49"]),
        ("ngb", ["NGB", "NGB49"]),
        ("katarakt", ["CJE", "CJE20"]),
        ("koloskopi", ["UJF32"]),
        ("finns inte", []),
        ("  ", []),
    ],
)
def test_a_procedure_is_found_by_code_name_group_or_diagnosis(text, found):
    assert codes(suggest_procedures(text)) == found


def test_the_procedures_own_diagnoses_come_first_and_alone_without_text():
    assert codes(suggest_diagnoses("", kva="NGB49")) == ["M17.1"]
    found = codes(suggest_diagnoses("gonartros", kva="NGB49"))
    assert found[0] == "M17.1"
    assert len(found) > 1
    assert codes(suggest_diagnoses("")) == []


def test_a_diagnosis_is_found_without_its_dot():
    assert codes(suggest_diagnoses("m171")) == ["M17.1"]


def test_the_name_of_a_chosen_code_is_shown_and_unknown_codes_have_none():
    assert procedure_label("ngb49") == "Primär totalprotes i knäled med cement"
    assert procedure_label("NGB99") == "Primära ledprotesoperationer i knäled"
    assert diagnosis_label("m171") == "Annan primär gonartros"
    assert procedure_label("") == procedure_label("knä") == diagnosis_label("") == ""


def test_everyone_gets_procedures_and_clinics_diagnoses_too():
    client = Client()
    clinic = clinic_actor(CareUnitFactory(sends=True))
    client.force_login(User.objects.get(pk=clinic.user_id))
    answer = client.get(reverse("suggest-procedures"), {"q": "knä\x00" + "x" * 5000})
    assert answer.json()["results"] == []
    answer = client.get(reverse("suggest-procedures"), {"q": "koloskopi"})
    assert answer.json() == {
        "results": [{"code": "UJF32", "name": "Koloskopi"}],
        "told": "1 förslag",
    }
    client.force_login(User.objects.get(pk=navigator_actor(RegionFactory()).user_id))
    assert client.get(reverse("suggest-procedures"), {"q": "knä"}).status_code == 200
    assert client.get(reverse("suggest-diagnoses"), {"q": "knä"}).status_code == 403
