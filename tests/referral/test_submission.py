"""The standardised form: each fault at its field, and what becomes of a whole form."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from organisations.errors import InvalidInput, NotAllowed, WrongState
from patients.models import Patient
from referral import services
from referral.models import Case, CaseState, IntakeForm, IntakeFormVersion
from referral.selectors import running_case
from referral.submission import Submission, check
from tests.factories import (
    CareUnitFactory,
    MunicipalityFactory,
    ProcedureFactory,
    RegionFactory,
    WaitingTimeFactory,
    clinic_actor,
    identity_number,
    integration_actor,
    make_case,
    manager_actor,
    navigator_actor,
    stockholm,
    submission,
)

NOW = stockholm(2026, 3, 10, 9)
TODAY = NOW.date()


def form(**overrides: Any) -> Submission:
    return submission(today=TODAY, **overrides)


def faults(**overrides: Any) -> list[str]:
    return sorted(check(form(**overrides), today=TODAY))


def test_a_whole_form_has_no_faults():
    assert faults() == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("identity_number", ""),
        ("identity_number", "19121212-1213"),
        ("given_name", " "),
        ("given_name", "x" * 81),
        ("family_name", ""),
        ("family_name", "Nul\x00"),
        ("protection", "secret"),
        ("street", "x" * 121),
        ("postal_code", "1234"),
        ("postal_code", "123 45"),
        ("postal_code", "١٢٣٤٥"),
        ("town", "x" * 61),
        ("municipality", "x\x00"),
        ("phone", "0" * 31),
        ("language", "x" * 41),
        ("kva", ""),
        ("kva", "NGB4"),
        ("kva", "ngb49"),
        ("kva", "NGB49\n"),
        ("icd10", ""),
        ("icd10", "M171"),
        ("icd10", "17.1"),
        ("phase", "someday"),
        ("mobility", "flies"),
        ("referral_date", TODAY - timedelta(days=4000)),
        ("decision_date", TODAY + timedelta(days=1)),
        ("decision_date", TODAY - timedelta(days=21)),
        ("medical_target_date", TODAY - timedelta(days=11)),
        ("asa", 0),
        ("asa", 5),
        ("asa", 6),
        ("asa", 7),
        ("bmi", Decimal("7.9")),
        ("bmi", Decimal("99.1")),
        ("bmi", Decimal("NaN")),
        ("bmi", Decimal("Infinity")),
        ("home_wait_days", -1),
        ("home_wait_days", 3651),
        ("interpreter", "x" * 41),
        ("equipment", ["spoon"]),
        ("equipment", "lift"),
        ("max_distance_km", 0),
        ("max_distance_km", 2001),
        ("clinician", "x" * 121),
        ("medications", "x" * 10_001),
        ("free_text", "\x00"),
    ],
)
@pytest.mark.django_db
def test_a_fault_is_told_at_its_field(field, value):
    assert faults(**{field: value}) == [field]


def test_a_referral_to_come_is_told_at_its_field():
    tomorrow = TODAY + timedelta(days=1)
    assert faults(referral_date=tomorrow, decision_date=tomorrow) == [
        "decision_date",
        "referral_date",
    ]


@pytest.mark.django_db
def test_a_municipality_must_exist():
    assert faults(municipality="1380") == ["municipality"]
    MunicipalityFactory()
    assert faults(municipality="1380") == []


def test_the_clinician_says_why_a_patient_cannot_be_transferred():
    assert faults(transferable=False) == ["not_transferable_reason"]
    assert faults(transferable=False, not_transferable_reason="Hjärtsvikt") == []


@pytest.mark.parametrize("asa", [5, 6])
def test_asa_5_and_6_are_told_apart_from_what_is_no_class(asa):
    assert "kan inte förmedlas" in check(form(asa=asa), today=TODAY)["asa"]


@pytest.mark.parametrize("same_day", [{"decision_date": TODAY}, {"medical_target_date": TODAY}])
def test_limits_of_dates_are_included(same_day):
    assert faults(**same_day) == []


def test_all_faults_are_told_at_once():
    assert faults(identity_number="x", kva="x", icd10="x", asa=9, bmi=Decimal(1)) == [
        "asa",
        "bmi",
        "icd10",
        "identity_number",
        "kva",
    ]


texts = {
    name: st.text(max_size=30)
    for name in ("identity_number", "given_name", "kva", "icd10", "phase", "postal_code", "phone")
}
numbers = {
    "asa": st.integers(-5, 10),
    "bmi": st.none() | st.decimals(),
    "home_wait_days": st.none() | st.integers(),
    "max_distance_km": st.none() | st.integers(),
    "equipment": st.lists(st.text(max_size=9), max_size=3),
}
dates = {
    name: st.dates(date(1900, 1, 1), date(2200, 1, 1))
    for name in ("referral_date", "decision_date", "medical_target_date")
}


@given(st.fixed_dictionaries({}, optional=texts | numbers | dates))
def test_no_input_makes_the_check_fail(overrides):
    found = check(form(**overrides), today=TODAY)
    assert set(found) <= set(Submission.field_names())
    assert all(found.values())


@pytest.mark.django_db
class TestSubmitting:
    def test_the_date_of_receipt_is_kept(self):
        assert make_case(now=NOW).case.received_at == NOW

    def test_faults_are_answered_and_nothing_is_stored(self):
        unit = CareUnitFactory(sends=True)
        with pytest.raises(InvalidInput) as caught:
            services.submit(
                form(asa=5, bmi=Decimal(3)), sending_unit=unit, actor=clinic_actor(unit), now=NOW
            )
        assert sorted(caught.value.fields) == ["asa", "bmi"]
        assert (Case.objects.count(), Patient.objects.count()) == (0, 0)

    def test_the_form_is_kept_as_it_was_submitted_each_time(self):
        made = make_case(CaseState.RETURNED, now=NOW, bmi=Decimal("31.5"))
        mended = form(
            identity_number=made.submission.identity_number, bmi=Decimal("29.0"), free_text="Nytt"
        )
        services.resubmit(made.case, mended, actor=made.clinic, now=NOW)
        versions = IntakeFormVersion.objects.filter(form__case=made.case).order_by("version")
        assert [v.content["bmi"] for v in versions] == ["31.5", "29.0"]
        assert made.refresh().form.free_text == "Nytt"

    def test_a_mended_form_belongs_to_the_same_patient(self):
        made = make_case(CaseState.RETURNED, now=NOW)
        with pytest.raises(InvalidInput) as caught:
            services.resubmit(made.case, form(), actor=made.clinic, now=NOW)
        assert list(caught.value.fields) == ["identity_number"]

    def test_a_mended_form_takes_over_case_and_patient(self):
        made = make_case(CaseState.RETURNED, now=NOW)
        mended = form(
            identity_number=made.submission.identity_number, kva="NGB09", family_name="Nysson"
        )
        services.resubmit(made.case, mended, actor=made.clinic, now=NOW)
        case = made.refresh()
        assert (case.state, case.kva, case.patient.family_name) == ("received", "NGB09", "Nysson")

    def test_the_procedure_has_its_name_or_its_groups_or_its_code(self):
        ProcedureFactory(kva="NGB49", name="Knäprotes")
        ProcedureFactory(kva="CJE", name="Kataraktoperation")
        names = [
            make_case(now=NOW, kva=kva).case.procedure_name for kva in ("NGB49", "CJE20", "AA123")
        ]
        assert names == ["Knäprotes", "Kataraktoperation", "AA123"]

    def test_the_wait_at_home_is_the_units_own_when_the_form_does_not_tell(self):
        unit = CareUnitFactory(sends=True)
        WaitingTimeFactory(care_unit=unit, day=TODAY, median_days=140)
        cases = [make_case(now=NOW, unit=unit, home_wait_days=days).case for days in (None, 99)]
        assert [case.home_wait_days for case in cases] == [140, 99]

    def test_only_the_sending_clinic_submits(self):
        unit = CareUnitFactory(sends=True)
        for actor in (
            clinic_actor(CareUnitFactory(sends=True)),
            navigator_actor(unit.region),
            manager_actor(unit.region),
            integration_actor(RegionFactory(code="14")),
            integration_actor(unit.region, CareUnitFactory(sends=True)),
        ):
            with pytest.raises(NotAllowed):
                services.submit(form(), sending_unit=unit, actor=actor, now=NOW)

    def test_an_integration_submits_for_the_units_of_its_region(self):
        unit = CareUnitFactory(sends=True)
        for actor in (integration_actor(unit.region), integration_actor(unit.region, unit)):
            assert services.submit(form(), sending_unit=unit, actor=actor, now=NOW).pk

    @pytest.mark.parametrize("changes", [{"sends": False}, {"is_active": False}])
    def test_a_unit_that_does_not_send_patients_submits_nothing(self, changes):
        unit = CareUnitFactory(**({"sends": True} | changes))
        with pytest.raises(NotAllowed):
            services.submit(form(), sending_unit=unit, actor=clinic_actor(unit), now=NOW)

    def test_a_form_is_submitted_once(self):
        unit = CareUnitFactory(sends=True)
        clinic = clinic_actor(unit)
        draft = services.create_draft(actor=clinic, sending_unit=unit, now=NOW)
        services.submit(form(), sending_unit=unit, actor=clinic, now=NOW, form=draft)
        with pytest.raises(WrongState):
            services.submit(form(), sending_unit=unit, actor=clinic, now=NOW, form=draft)
        assert Case.objects.count() == 1

    def test_a_running_case_is_pointed_to_instead_of_a_second_one(self):
        made = make_case(now=NOW)
        with pytest.raises(WrongState) as caught:
            services.submit(made.submission, sending_unit=made.unit, actor=made.clinic, now=NOW)
        assert caught.value.code == "case_running"
        assert made.case.number in str(caught.value.fields["kva"])

    def test_another_procedure_for_the_same_patient_is_another_case(self):
        made = make_case(now=NOW)
        other = form(identity_number=made.submission.identity_number, kva="CJE20")
        services.submit(other, sending_unit=made.unit, actor=made.clinic, now=NOW)
        assert made.patient.cases.count() == 2

    def test_a_running_case_is_found_as_soon_as_patient_and_procedure_are_typed(self):
        made = make_case(now=NOW)
        typed = made.patient.identity_formatted
        found = running_case(made.clinic, identity_number=typed, kva=" ngb49", today=TODAY)
        assert found == made.case

    @pytest.mark.parametrize(
        ("number", "kva"), [(identity_number(3), "NGB49"), ("", "NGB49"), ("19", "")]
    )
    def test_no_running_case_is_found_for_others(self, number, kva):
        made = make_case(now=NOW)
        assert running_case(made.clinic, identity_number=number, kva=kva, today=TODAY) is None

    def test_another_clinics_running_case_is_not_shown(self):
        made = make_case(now=NOW)
        other = clinic_actor(CareUnitFactory(sends=True))
        number = made.patient.identity_number
        assert running_case(other, identity_number=number, kva="NGB49", today=TODAY) is None

    def test_a_closed_case_is_not_running(self):
        made = make_case(CaseState.CLOSED, now=NOW)
        number = made.patient.identity_number
        assert running_case(made.clinic, identity_number=number, kva="NGB49", today=TODAY) is None

    def test_a_protected_patients_address_is_not_kept_on_the_patient(self):
        made = make_case(now=NOW, protection="sekretessmarkering", street="Provgatan 1")
        assert (made.patient.street, made.patient.display_name) == ("", "Skyddad identitet")

    def test_a_protected_patients_address_is_not_kept_with_the_form(self):
        made = make_case(
            now=NOW, protection="sekretessmarkering", street="Provgatan 1", town="Orten"
        )
        kept = [made.case.form.typed, made.case.form.versions.get().content]
        assert not any("Provgatan" in str(k) or "Orten" in str(k) for k in kept)

    def test_a_mended_form_that_tells_of_protection_keeps_no_address(self):
        made = make_case(CaseState.RETURNED, now=NOW, street="Provgatan 1")
        mended = form(
            identity_number=made.submission.identity_number,
            protection="skyddadFolkbokforing",
            street="Provgatan 1",
        )
        services.resubmit(made.case, mended, actor=made.clinic, now=NOW)
        assert made.refresh().patient.street == ""
        assert "Provgatan" not in str(made.case.form.typed)
        assert "Provgatan" not in str(made.case.form.versions.latest("version").content)

    def test_a_patient_known_as_protected_stays_so_when_a_form_forgets_it(self):
        first = make_case(now=NOW, protection="sekretessmarkering")
        number = first.submission.identity_number
        made = make_case(now=NOW, identity_number=number, kva="CJE20", street="Provgatan 1")
        assert made.patient.is_protected
        assert "Provgatan" not in str(made.case.form.versions.get().content)


@pytest.mark.django_db
class TestDrafts:
    def draft(self):
        unit = CareUnitFactory(sends=True)
        clinic = clinic_actor(unit)
        return services.create_draft(actor=clinic, sending_unit=unit, now=NOW), clinic

    def test_what_is_typed_is_kept_valid_or_not(self):
        draft, clinic = self.draft()
        typed = {"identity_number": "1912", "asa": "nio", "free_text": "påbörjat"}
        services.save_draft(draft, typed=typed, actor=clinic, now=NOW)
        assert IntakeForm.objects.get().typed == typed

    def test_what_is_not_of_the_form_is_not_kept(self):
        draft, clinic = self.draft()
        services.save_draft(draft, typed={"csrf": "x", "kva": "N"}, actor=clinic, now=NOW)
        assert IntakeForm.objects.get().typed == {"kva": "N"}

    def test_the_address_of_a_protected_identity_is_not_kept(self):
        draft, clinic = self.draft()
        typed = {"protection": "sekretessmarkering", "street": "Provgatan 1", "kva": "N"}
        services.save_draft(draft, typed=typed, actor=clinic, now=NOW)
        assert IntakeForm.objects.get().typed == {"protection": "sekretessmarkering", "kva": "N"}

    def test_no_field_grows_without_end(self):
        draft, clinic = self.draft()
        services.save_draft(draft, typed={"free_text": "x" * 50_000}, actor=clinic, now=NOW)
        assert len(IntakeForm.objects.get().typed["free_text"]) == 20_000

    def test_another_clinic_cannot_write_in_the_draft(self):
        draft, _clinic = self.draft()
        other = clinic_actor(CareUnitFactory(sends=True))
        with pytest.raises(NotAllowed):
            services.save_draft(draft, typed={}, actor=other, now=NOW)

    def test_a_submitted_form_cannot_be_written_in(self):
        made = make_case(now=NOW)
        with pytest.raises(WrongState):
            services.save_draft(made.case.form, typed={}, actor=made.clinic, now=NOW)

    def test_a_returned_form_can_be_written_in(self):
        made = make_case(CaseState.RETURNED, now=NOW)
        services.save_draft(made.case.form, typed={"bmi": "2"}, actor=made.clinic, now=NOW)
        assert IntakeForm.objects.get().typed == {"bmi": "2"}

    def test_a_draft_can_be_thrown_away(self):
        draft, clinic = self.draft()
        services.discard_draft(draft, actor=clinic, now=NOW)
        assert not IntakeForm.objects.exists()

    def test_a_returned_form_cannot_be_thrown_away(self):
        made = make_case(CaseState.RETURNED, now=NOW)
        with pytest.raises(WrongState):
            services.discard_draft(made.case.form, actor=made.clinic, now=NOW)

    def test_a_navigator_makes_no_draft(self):
        unit = CareUnitFactory(sends=True)
        with pytest.raises(NotAllowed):
            services.create_draft(actor=navigator_actor(unit.region), sending_unit=unit, now=NOW)
