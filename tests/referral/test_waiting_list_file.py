"""A clinic's waiting list from a file: each good row a case, as if the form had been sent in."""

import io
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from contracts.files.writing import xlsx_file
from organisations.access import acting_as, as_product
from organisations.errors import InvalidInput, NotAllowed, WrongState
from organisations.events import deliver_events, subscribe
from organisations.models import AccessLog, DomainEvent, EventDelivery
from organisations.retention import rules, thin
from patients.models import Patient
from referral import services
from referral.models import (
    Case,
    CaseLog,
    Consent,
    IntakeForm,
    IntakeFormVersion,
    WaitingListFile,
)
from referral.submission import Submission
from referral.waiting_list_file import services as lists
from referral.waiting_list_file.columns import COLUMNS, FIELDS, REQUIRED
from referral.waiting_list_file.selectors import outcomes_of
from referral.waiting_list_file.services import hand_in, read_in, run_waiting_lists
from referral.waiting_list_file.writing import template_csv, template_xlsx
from tests.concurrency import together
from tests.factories import (
    CareUnitFactory,
    MunicipalityFactory,
    RegionFactory,
    clinic_actor,
    integration_actor,
    make_case,
    manager_actor,
    navigator_actor,
    stockholm,
    submission,
    user_of,
)
from tests.waiting_lists import HEADINGS, cells_of, csv_list

pytestmark = pytest.mark.django_db

NOW = stockholm(2026, 3, 10, 9)
TODAY = NOW.date()
Outcome = WaitingListFile.Outcome


def form(**overrides: Any) -> Submission:
    return submission(today=TODAY, **overrides)


def row(**cells: str) -> dict[str, str]:
    return cells_of(form()) | cells


@pytest.fixture
def unit():
    return CareUnitFactory(sends=True)


def read(unit, rows, *, actor=None, to_store=True, good_rows_only=False, now=NOW):
    content = rows if isinstance(rows, bytes) else csv_list(rows)
    made = hand_in(
        content,
        name="lista.csv",
        sending_unit=unit,
        to_store=to_store,
        good_rows_only=good_rows_only,
        actor=actor or clinic_actor(unit),
        now=now,
    )
    run_waiting_lists(now=now)
    made.refresh_from_db()
    return made


def faults(made):
    return [(f.row, f.key, f.text) for one in outcomes_of(made) for f in one.faults]


# What the columns are


def test_the_file_has_every_field_of_the_form():
    assert {field.column.key for field in FIELDS} == set(Submission.field_names())
    assert len({column.heading for column in COLUMNS}) == len(COLUMNS)


def test_english_names_serve_as_headings(unit):
    content = csv_list([row()], headings=[column.key for column in COLUMNS])
    assert read(unit, content).stored == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_swedish_letters_come_through_in_any_encoding(unit, encoding):
    content = csv_list([row(family_name="Åström")]).decode("utf-8-sig").encode(encoding)
    read(unit, content)
    assert Patient.objects.get().family_name == "Åström"


def test_a_workbook_reads_as_csv_does(unit):
    cells = row()
    content = xlsx_file([HEADINGS, [cells.get(c.key, "") for c in COLUMNS]], sheet="x")
    assert read(unit, content).stored == 1


@pytest.mark.parametrize(
    "text",
    [
        *("2026-02-01", "20260201", "2026/2/1", "2026.02.01", "1/2/2026", "01.02.2026", "46054"),
        *("2026-02-01 00:00:00", "2026-02-01T00:00"),
    ],
)
def test_a_date_may_be_written_in_the_common_ways(unit, text):
    read(unit, [row(referral_date=text, decision_date="2026-02-02")])
    assert Case.objects.get().referral_date == date(2026, 2, 1)


@pytest.mark.parametrize(
    ("column", "text", "stored"),
    [
        *(("svf", word, True) for word in ("ja", "J", "1", "true", "x")),
        *(("svf", word, False) for word in ("nej", "N", "0", "False", "")),
        ("phase", "Första besök", "first_visit"),
        ("phase", "operation", "treatment"),
        ("kva", "ngb49 Primär totalprotes", "NGB49"),
        ("icd10", "m171", "M17.1"),
    ],
)
def test_what_a_cell_means(unit, column, text, stored):
    read(unit, [row(**{column: text})])
    assert getattr(Case.objects.get(), column) == stored


def test_equipment_mobility_and_bmi_are_read(unit):
    cells = {"equipment": "Personlyft, mri_implant", "mobility": "rullstol", "bmi": "31,5"}
    read(unit, [row(**cells)])
    kept = IntakeForm.objects.get()
    assert kept.equipment == ["lift", "mri_implant"]
    assert (kept.mobility, kept.bmi) == ("wheelchair", Decimal("31.5"))


@pytest.mark.parametrize("written", ["19121212-1212", "191212121212", "121212+1212"])
def test_an_identity_number_is_read_as_on_the_form(unit, written):
    read(unit, [row(identity_number=written)])
    assert Patient.objects.get().identity_number == "191212121212"


def test_a_lost_leading_zero_is_told_and_not_guessed(unit):
    made = read(unit, [row(identity_number="101011234"), row(identity_number="1,9E+11")])
    assert [key for _row, key, _text in faults(made)] == ["identity_number"] * 2
    assert "Formatera kolumnen som text" in faults(made)[0][2]


# What becomes of the rows


def test_a_good_row_becomes_a_case_with_its_number_and_its_form(unit):
    actor = clinic_actor(unit)
    made = read(unit, [row(medications="Alvedon")], actor=actor)
    case = Case.objects.get()
    assert (made.state, made.stored) == ("done", 1)
    assert outcomes_of(made)[0].case_number == case.number
    assert case.form.medications == "Alvedon"
    assert case.log.get().user_id == actor.user_id
    assert AccessLog.objects.filter(case_number=case.number, what="submit").count() == 1


def test_one_fault_keeps_every_row_out(unit):
    made = read(unit, [row(), row(asa="6")])
    assert (made.state, made.stored, made.faulty, made.new) == ("checked", 0, 1, 1)
    assert faults(made) == [(3, "asa", "Patienter i ASA-klass 5 och 6 kan inte förmedlas.")]
    assert not Case.objects.exists()
    assert not Patient.objects.exists()


def test_the_good_rows_are_stored_when_that_is_asked(unit):
    made = read(unit, [row(), row(asa="6")], good_rows_only=True)
    assert (made.state, made.stored, made.faulty) == ("done", 1, 1)
    assert Case.objects.count() == 1


def test_a_check_stores_nothing_and_can_be_read_in_afterwards(unit):
    actor = clinic_actor(unit)
    made = read(unit, [row(), row(asa="6")], actor=actor, to_store=False)
    assert (made.state, made.new, Case.objects.count()) == ("checked", 1, 0)
    made = read_in(made, good_rows_only=True, actor=actor, now=NOW)
    assert (made.state, made.stored, Case.objects.count()) == ("done", 1, 1)
    with pytest.raises(WrongState):
        read_in(made, good_rows_only=True, actor=actor, now=NOW)


def test_every_fault_of_every_row_is_told_with_row_and_column(unit):
    bad = row(kva="x", phase="snart", referral_date="i går", postal_code="1", family_name="")
    made = read(unit, [bad, row(), row(asa="", svf="kanske")])
    told = {(number, key) for number, key, _text in faults(made)}
    assert told == {
        *((2, key) for key in ("kva", "phase", "referral_date", "postal_code", "family_name")),
        *((4, "asa"), (4, "svf")),
    }


@pytest.mark.parametrize("key", [column.key for column in COLUMNS if column.key in REQUIRED])
def test_a_missing_cell_is_one_fault_and_brings_no_others(unit, key):
    assert [found for _row, found, _text in faults(read(unit, [row(**{key: ""})]))] == [key]


def test_the_same_patient_and_procedure_twice_is_refused(unit):
    twice = row()
    made = read(unit, [twice, row(), twice])
    assert faults(made) == [(4, "kva", "Samma patient och åtgärd står redan på rad 2.")]


def test_a_row_of_another_unit_is_refused(unit):
    made = read(unit, [row(care_unit="SE0000000000-X"), row(care_unit=unit.hsa_id.lower())])
    assert faults(made) == [(2, "care_unit", "Raden gäller en annan enhet.")]


def test_a_running_case_at_the_clinic_is_left_alone(unit):
    known = form()
    services.submit(known, sending_unit=unit, actor=clinic_actor(unit), now=NOW)
    before = Case.objects.get()
    changed = replace(known, home_wait_days=1, street="Nygatan 1", family_name="Annan")
    made = read(unit, [cells_of(changed), row()])
    assert (made.known, made.stored, Case.objects.count()) == (1, 1, 2)
    assert outcomes_of(made)[0].case_number == before.number
    after = Case.objects.get(pk=before.pk)
    assert after.home_wait_days == before.home_wait_days
    assert after.patient.family_name == known.family_name


def test_a_running_case_elsewhere_is_a_fault_without_its_number(unit):
    elsewhere = make_case(now=NOW, unit=CareUnitFactory(sends=True))
    made = read(unit, [cells_of(elsewhere.submission)])
    assert faults(made) == [
        (2, "kva", "Patienten har redan ett pågående ärende för åtgärden hos en annan enhet.")
    ]
    assert outcomes_of(made)[0].case_number == ""


def test_the_same_file_again_makes_nothing_new(unit):
    actor, content = clinic_actor(unit), csv_list([row()])
    first = read(unit, content, actor=actor)
    case = Case.objects.get()
    services.end(case, reason="home_clinic", comment="x", actor=actor, now=NOW)
    assert read(unit, content, actor=actor) == first
    assert Case.objects.count() == 1


def test_the_next_weeks_list_adds_only_what_is_new(unit):
    rows = [row(), row()]
    read(unit, rows)
    made = read(unit, [*rows, row()])
    assert (made.known, made.new, made.stored, Case.objects.count()) == (2, 1, 1, 3)


def test_a_protected_identity_gets_no_address(unit):
    cells = {"protection": "sekretessmarkering", "street": "Storgatan 1", "postal_code": "302 31"}
    read(unit, [row(**cells)])
    patient = Patient.objects.get()
    assert (patient.is_protected, patient.street) == (True, "")
    assert "Storgatan" not in str(IntakeForm.objects.get().typed)
    assert "Storgatan" not in str(IntakeFormVersion.objects.get().content)


def test_consent_becomes_a_row_of_its_own(unit):
    cells = {
        "share_consent": "nej",
        "share_consent_how": "Telefon",
        "share_consent_on": str(TODAY),
    }
    read(unit, [row(**cells), row()])
    said = Consent.objects.get()
    assert (said.given, said.how, said.given_on) == (False, "phone", TODAY)


# Bulk and one by one


MODELS = (
    *(Patient, Case, IntakeForm, IntakeFormVersion, CaseLog, Consent),
    *(DomainEvent, EventDelivery, AccessLog),
)
# A keyed hash over the row's own key.
BY_ITS_KEY = {"mac"}


def written(unit) -> dict[str, list[dict[str, Any]]]:
    """What stands in the tables, each key by its place among those of its table."""
    places: dict[type, dict[int, int]] = {}
    told: dict[str, list[dict[str, Any]]] = {}
    for model in MODELS:
        rows = list(model._base_manager.order_by("pk"))
        places[model] = {one.pk: place for place, one in enumerate(rows)}
        told[model.__name__] = [_told(one, places) for one in rows]
    return told


def _told(one: Any, places: dict[type, dict[int, int]]) -> dict[str, Any]:
    values = {}
    for column in one._meta.concrete_fields:
        value = getattr(one, column.attname)
        target: Any = Patient if column.name == "patient_id" else column.related_model
        if column.primary_key or column.name in BY_ITS_KEY:
            continue
        values[column.name] = places[target].get(value) if target in places else value
    return values


def words(alphabet="aåöé X-1"):
    return st.text(alphabet, max_size=12).map(str.strip)


@st.composite
def forms(draw):
    """Forms that hold, of every kind: with and without each of what may be left out."""
    transferable = draw(st.booleans())
    said = draw(st.sampled_from(["", "yes", "no"]))
    return form(
        kva=draw(st.sampled_from(["NGB49", "NFB49", "JKA21", "AA001"])),
        phase=draw(st.sampled_from(["treatment", "first_visit"])),
        protection=draw(st.sampled_from(["none", "none", "sekretessmarkering"])),
        street=draw(words()),
        postal_code=draw(st.sampled_from(["", "30231"])),
        town=draw(words()),
        municipality=draw(st.sampled_from(["", "1380"])),
        phone=draw(words()),
        language=draw(words()),
        asa=draw(st.integers(1, 4)),
        **draw(
            st.sampled_from(
                [
                    {"svf": False},
                    {"svf": True},
                    {
                        "svf": True,
                        "svf_pathway": "lungcancer",
                        "suspicion_date": date(2026, 1, 2),
                        "svf_treatment": "surgery",
                        "referral_cause": "other",
                    },
                ]
            )
        ),
        home_wait_days=draw(st.none() | st.integers(0, 3650)),
        medical_target_date=draw(st.none() | st.just(TODAY + timedelta(days=30))),
        medications=draw(words()),
        anticoagulants=draw(st.booleans()),
        bmi=draw(st.none() | st.decimals(8, 99, places=1)),
        interpreter=draw(words()),
        equipment=draw(st.lists(st.sampled_from(["lift", "dialysis"]), unique=True).map(tuple)),
        max_distance_km=draw(st.none() | st.integers(1, 2000)),
        mobility=draw(st.sampled_from(["", "walks", "stretcher"])),
        escort=draw(st.booleans()),
        transferable=transferable,
        not_transferable_reason="" if transferable else "Skör",
        free_text=draw(words()),
        share_consent=said,
        share_consent_how="phone" if said else "",
        share_consent_on=TODAY if said else None,
    )


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(filled=st.lists(forms(), min_size=1, max_size=5), again=st.booleans())
def test_many_rows_in_a_file_write_what_as_many_forms_would(filled, again):
    """Row by row and column by column, but for the keys that the database gives."""
    with transaction.atomic():
        MunicipalityFactory(code="1380", region=RegionFactory(code="13"))
        unit = CareUnitFactory(sends=True)
        actor = clinic_actor(unit)
        subscribe("case.submitted", "test", lambda event, now: None)
        if again:  # the same patient for another procedure, from an older form
            changed = {"kva": "UJD02", "family_name": "Äldre", "phone": "1", "share_consent": ""}
            older = replace(filled[0], **changed, share_consent_on=None)
            services.submit(older, sending_unit=unit, actor=actor, now=NOW - timedelta(days=9))
        before = transaction.savepoint()
        for one in filled:
            services.submit(one, sending_unit=unit, actor=actor, now=NOW)
        by_form = written(unit)
        transaction.savepoint_rollback(before)
        made = read(unit, [cells_of(one) for one in filled], actor=actor)
        assert (made.state, faults(made)) == ("done", [])
        by_file = written(unit)
        for name, rows in by_form.items():
            assert by_file[name] == rows, name
        transaction.set_rollback(True)


# Bad cells


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(
    cells=st.dictionaries(
        st.sampled_from([column.key for column in COLUMNS]),
        st.text(max_size=30)
        | st.sampled_from(["9" * 40, "1e999999", "-1", "=1+1", "\x00", "0", "99999999", "nan", "²"])
        | st.sampled_from(["2026-13-40", "0000-00-00", "99999", "70000", "１２", "1,0000001"]),
        min_size=1,
    )
)
@example(cells={"bmi": "1e-999999"})
@example(cells={"kva": "   "})
def test_no_cell_breaks_the_import_and_every_row_has_an_outcome(cells):
    with transaction.atomic():
        unit = CareUnitFactory(sends=True)
        actor = clinic_actor(unit)
        try:
            made = read(unit, [row() | cells, row()], actor=actor, good_rows_only=True)
        except InvalidInput:  # the file as a whole: NUL and the like
            transaction.set_rollback(True)
            return
        assert made.state == "done"
        assert made.rows == len(outcomes_of(made)) >= 1
        for one in outcomes_of(made):
            assert bool(one.case_number) == (one.outcome == Outcome.NEW)
            assert bool(one.faults) == (one.outcome == Outcome.FAULT)
        transaction.set_rollback(True)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "Filen är tom."),
        (b"a;b\n1;2", "Kolumner saknas"),
        (csv_list([]), "inga rader"),
        (b"PK\x03\x04skr\xc3\xa4p", "skadad"),
        (b"\x00\x01\x02", "Kolumner saknas"),
    ],
)
def test_a_file_that_is_no_list_is_refused_and_leaves_nothing(unit, content, text):
    with pytest.raises(InvalidInput) as refusal:
        read(unit, content)
    assert refusal.value.fields.keys() == {"file"}
    assert text in str(refusal.value) or content.startswith(b"\x00")
    assert not WaitingListFile.objects.exists()


# Who


def test_who_may_hand_in_a_units_list(unit):
    region = unit.region
    for actor in (clinic_actor(unit), navigator_actor(region), integration_actor(region, unit)):
        assert read(unit, [row()], actor=actor).stored == 1
        assert Case.objects.latest("pk").log.get().role == actor.role
    colleague = CareUnitFactory(sends=True, region=region)
    for actor in (
        *(
            clinic_actor(colleague),
            navigator_actor(RegionFactory(code="25")),
            manager_actor(region),
        ),
        integration_actor(region, colleague),
    ):
        with pytest.raises(NotAllowed):
            read(unit, [row()], actor=actor)


def test_a_file_that_a_colleague_in_another_role_read_in_is_refused(unit):
    content = csv_list([row()])
    read(unit, content)
    with pytest.raises(WrongState, match="redan inläst"):
        read(unit, content, actor=navigator_actor(unit.region))


def test_a_clinics_own_list_is_not_shown_to_navigators(unit):
    actor, navigator = clinic_actor(unit), navigator_actor(unit.region)
    read(unit, [row()], actor=actor)
    with acting_as(navigator):
        assert not WaitingListFile.objects.exists()
    with acting_as(actor):
        assert WaitingListFile.objects.exists()
    with as_product("test"):
        read(unit, [row()], actor=navigator)
    with acting_as(navigator):
        assert WaitingListFile.objects.get().role == "navigator"


# Large files


@pytest.fixture
def queued(monkeypatch):
    monkeypatch.setattr(lists, "AT_ONCE_BYTES", 0)


def test_a_large_file_waits_for_the_sweep(unit, queued):
    rows = [row() for _n in range(3)]
    made = hand_in(
        csv_list(rows),
        name="x",
        sending_unit=unit,
        to_store=True,
        actor=clinic_actor(unit),
        now=NOW,
    )
    assert (made.state, Case.objects.count()) == ("queued", 0)
    assert run_waiting_lists(now=NOW) == 1
    assert run_waiting_lists(now=NOW) == 0
    made.refresh_from_db()
    assert (made.state, made.stored) == ("done", 3)
    assert all(case.received_at == NOW for case in Case.objects.all())


def test_numbers_follow_each_other_over_the_parts_of_a_file(unit, queued, monkeypatch):
    monkeypatch.setattr(lists, "STORED_AT_A_TIME", 2)
    made = read(unit, [row() for _n in range(5)])
    numbers = [one.case_number for one in outcomes_of(made)]
    assert [int(number[6:12]) for number in numbers] == [1, 2, 3, 4, 5]
    assert numbers == list(Case.objects.order_by("pk").values_list("number", flat=True))


def test_a_large_file_that_cannot_be_read_says_so(unit, queued):
    made = read(unit, b"a;b\n1;2")
    assert (made.state, made.rows) == ("failed", 0)
    assert "Kolumner saknas" in made.refusal


def test_a_fault_in_the_product_leaves_nothing_and_holds_up_nobody(unit, queued, monkeypatch):
    def broken(*_args: Any, **_options: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(lists, "_finish", broken)
    made = read(unit, [row()])
    assert (made.state, Case.objects.count()) == ("failed", 0)


def test_a_sweep_that_is_killed_leaves_the_file_to_another(unit, queued, monkeypatch):
    def killed(*_args: Any, **_options: Any) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(lists, "_finish", killed)
        with pytest.raises(SystemExit), transaction.atomic():
            read(unit, [row()])
    made = read(unit, [row()])
    WaitingListFile.objects.update(state="queued", done_at=None, stored=0, due_at=NOW + lists.LEASE)
    assert run_waiting_lists(now=NOW) == 0
    assert run_waiting_lists(now=NOW + lists.LEASE) == 1
    made.refresh_from_db()
    assert (made.state, made.known, Case.objects.count()) == ("done", 1, 1)


def test_the_events_of_many_cases_reach_each_consumer_once(unit):
    told: list[str] = []
    subscribe("case.submitted", "test", lambda event, now: told.append(event.case_number))
    read(unit, [row() for _n in range(5)])
    while deliver_events(now=NOW, limit=2):
        pass
    assert sorted(told) == sorted(Case.objects.values_list("number", flat=True))
    assert deliver_events(now=NOW) == 0


# At the same moment


@pytest.mark.django_db(transaction=True)
def test_a_form_that_comes_first_is_found_by_the_file(unit, monkeypatch):
    """The form is stored between the file's check and its cases: the database decides."""
    actor, taken = clinic_actor(unit), form()
    plain = lists.draw_case_numbers
    sent: list[Any] = []

    def drawn(*args: Any, **options: Any) -> Any:
        if not sent:
            sent.append(services.submit(taken, sending_unit=unit, actor=actor, now=NOW).number)
        return plain(*args, **options)

    monkeypatch.setattr(lists, "draw_case_numbers", drawn)
    made = read(unit, [row(), cells_of(taken), row()], actor=actor)
    outcomes = outcomes_of(made)
    assert [one.outcome for one in outcomes] == ["new", "known", "new"]
    assert outcomes[1].case_number == sent[0]
    assert (made.stored, Case.objects.count()) == (2, 3)


@pytest.mark.django_db(transaction=True)
def test_a_form_from_another_clinic_that_comes_first_keeps_the_whole_file_out(unit, monkeypatch):
    other, taken = CareUnitFactory(sends=True), form()
    actor = clinic_actor(other)
    plain = lists.draw_case_numbers
    sent: list[Any] = []

    def drawn(*args: Any, **options: Any) -> Any:
        if not sent:
            sent.append(services.submit(taken, sending_unit=other, actor=actor, now=NOW))
        return plain(*args, **options)

    monkeypatch.setattr(lists, "draw_case_numbers", drawn)
    made = read(unit, [row(), cells_of(taken)])
    assert (made.state, made.stored, made.faulty) == ("checked", 0, 1)
    assert [number for number, _key, _text in faults(made)] == [3]
    assert Case.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_files_with_the_same_patients_make_each_case_once(unit):
    rows = [row() for _n in range(20)]
    clinic, system = clinic_actor(unit), integration_actor(unit.region, unit)
    found = together(
        lambda actor=actor, rows=rows: read(unit, rows, actor=actor)
        for actor, rows in ((clinic, rows), (system, [*rows, row()]))
    )
    assert not [error for error in found if isinstance(error, Exception)], found
    assert Case.objects.count() == 21
    assert Patient.objects.count() == 21
    assert sum(made.stored for made in found) == 21  # type: ignore[union-attr]


# Files in and out


def test_the_template_holds_the_columns_and_explains_them():
    assert template_csv().decode("utf-8-sig").strip().split(";") == HEADINGS
    book = openpyxl.load_workbook(io.BytesIO(template_xlsx()))
    page, words_page = book.worksheets
    assert [cell.value for cell in page[1]] == HEADINGS
    assert page.column_dimensions["B"].width
    assert [line[0].value for line in words_page.iter_rows()] == HEADINGS


def test_the_report_is_the_file_with_outcomes_and_can_be_handed_in_again(unit, client: Client):
    actor = clinic_actor(unit)
    bad = row(family_name="Felsson", asa="6")
    made = read(unit, [row(), bad], actor=actor, good_rows_only=True)
    client.force_login(user_of(actor))
    for kind in ("csv", "xlsx"):
        answer = client.get(reverse("waiting-list-report", args=[made.pk, kind]))
        assert answer.status_code == 200
        assert f"vantelista-{made.pk}" in answer["Content-Disposition"]
    text = client.get(reverse("waiting-list-report", args=[made.pk, "csv"])).content
    lines = text.decode("utf-8-sig").splitlines()
    assert lines[1].startswith(f"2;nytt ärende;{Case.objects.get().number};;")
    assert lines[2].startswith("3;fel;;asa: Patienter i ASA-klass 5")
    assert bad["identity_number"] in lines[2]
    again = read(unit, text.replace(b";6;", b";2;"), actor=actor)
    assert (again.known, again.stored) == (1, 1)
    shown = AccessLog.objects.filter(what="waiting_list_file", case_number=Case.objects.first())
    assert shown.exists()


def test_the_command_reads_a_file_and_a_dry_run_stores_nothing(unit, tmp_path: Path):
    path, out, err = tmp_path / "lista.csv", io.StringIO(), io.StringIO()
    path.write_bytes(csv_list([row(), row(asa="6")]))
    options: dict[str, Any] = {"unit": unit.hsa_id, "stdout": out, "stderr": err}
    call_command("import_waiting_list", path, dry_run=True, **options)
    assert "2 rader: 1 nya, 0 finns redan, 1 fel" in out.getvalue()
    assert "rad 3, asa:" in err.getvalue()
    with pytest.raises(CommandError, match="Inget är inläst"):
        call_command("import_waiting_list", path, **options)
    assert not Case.objects.exists()
    call_command("import_waiting_list", path, good_rows=True, **options)
    assert Case.objects.count() == 1
    with pytest.raises(CommandError, match="Ingen enhet"):
        call_command("import_waiting_list", path, unit="SE-x")


# How long


def test_file_and_outcomes_go_after_30_days_and_the_rest_after_a_year(unit):
    made = read(unit, [row()])
    kept = [rule for rule in rules() if rule.name.startswith("waiting_list")]
    storage, name = made.file.storage, made.file.name
    for rule in kept:
        assert thin(rule, now=NOW + timedelta(days=29)) == 0
        thin(rule, now=NOW + timedelta(days=31))
    made.refresh_from_db()
    assert (made.is_kept, made.report, made.stored) == (False, {}, 1)
    assert storage.exists(name)  # goes when the transaction has ended
    assert [thin(rule, now=NOW + timedelta(days=366)) for rule in kept] == [0, 1]


def test_no_identity_number_is_kept_in_plain(unit):
    cells = row(asa="6")
    read(unit, [cells | {"bmi": cells["identity_number"].replace("-", "")}])
    with connection.cursor() as cursor:
        cursor.execute("SELECT w::text FROM referral_waitinglistfile w")
        ((kept,),) = cursor.fetchall()
    assert cells["identity_number"][-9:].replace("-", "") not in kept


# Over the API


def api_of(actor: Any) -> APIClient:
    client = APIClient()
    client.force_login(user_of(actor))
    return client


def sent(client: APIClient, content: bytes, query: str = "", content_type: str = "text/csv") -> Any:
    return client.post(f"{reverse('api-waiting-lists')}{query}", content, content_type=content_type)


def test_a_system_hands_a_list_in_and_reads_what_became_of_each_row(unit):
    client = api_of(integration_actor(unit.region))
    rows = [cells_of(submission()), cells_of(submission()) | {"asa": "6"}]
    address = f"?sending_unit={unit.hsa_id}"
    assert sent(client, csv_list(rows), "?dry_run=true").status_code == 400
    refused = sent(client, csv_list(rows), address).json()
    assert (refused["state"], refused["stored"], refused["faulty"]) == ("checked", 0, 1)
    assert refused["outcomes"][1]["faults"][0]["column"] == "asa"
    answer = sent(client, csv_list(rows), f"{address}&good_rows_only=true")
    assert answer.status_code == 200
    case = Case.objects.get()
    assert answer.json()["outcomes"][0]["case_number"] == case.number
    again = client.get(reverse("api-waiting-list", args=[answer.json()["id"]]))
    assert again.json() == answer.json()
    assert AccessLog.objects.filter(what="waiting_list", case_number=case.number).count() == 2
    listed = client.get(reverse("api-waiting-lists")).json()["results"]
    assert [one["stored"] for one in listed] == [1]


def test_a_clinic_hands_in_a_file_field_and_a_large_one_is_asked_for_again(unit, queued):
    client = api_of(clinic_actor(unit))
    file = SimpleUploadedFile("lista.csv", csv_list([cells_of(submission())]))
    answer = client.post(reverse("api-waiting-lists"), {"file": file}, format="multipart")
    assert (answer.status_code, answer.json()["state"]) == (202, "queued")
    address = reverse("api-waiting-list", args=[answer.json()["id"]])
    assert client.get(address).status_code == 202
    run_waiting_lists(now=timezone.now())
    assert client.get(address).json()["stored"] == 1


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        (b"", "text/csv", 400),
        (b"\xff\xfe\x00\xd8", "text/csv", 400),
        (b"PK\x03\x04", "text/csv", 400),
        (b"a;b\n1;2", "text/csv", 400),
        (b"x", "multipart/form-data; boundary=x", 400),
        (b"{}", "application/json", 415),
    ],
)
def test_what_is_no_list_is_answered_over_the_api(unit, content, content_type, status):
    client = api_of(clinic_actor(unit))
    assert sent(client, content, content_type=content_type).status_code == status


@pytest.mark.parametrize("query", ["?sending_unit=%00", "?sending_unit=SE-x", "?name=%00%EF"])
def test_odd_words_in_the_address_are_no_fault_of_ours(unit, query):
    client = api_of(clinic_actor(unit))
    assert sent(client, csv_list([row()]), query).status_code in {200, 400}


# The pages


def test_a_clinic_checks_a_file_sees_the_faults_and_reads_in_what_holds(unit, client: Client):
    client.force_login(user_of(clinic_actor(unit)))
    rows = [cells_of(submission()), cells_of(submission()) | {"asa": "6"}]
    file = SimpleUploadedFile("lista.csv", csv_list(rows))
    answer = client.post(reverse("waiting-lists"), {"file": file}, follow=True)
    text = answer.content.decode()
    assert "Patienter i ASA-klass 5 och 6 kan inte förmedlas." in text
    assert "Läs in 1 rad som håller" in text
    made = WaitingListFile.objects.get()
    read_address = reverse("waiting-list-read", args=[made.pk])
    answer = client.post(read_address, {}, follow=True)
    assert "Inget lästes in, eftersom rader har fel." in answer.content.decode()
    answer = client.post(read_address, {"good_rows_only": "on"}, follow=True)
    assert "delvis inläst" in answer.content.decode()
    assert Case.objects.count() == 1


def test_a_navigator_chooses_the_clinic(unit, client: Client):
    CareUnitFactory(sends=True, region=unit.region)
    client.force_login(user_of(navigator_actor(unit.region)))
    content = csv_list([cells_of(submission())])
    for chosen, status in (("", 422), ("SE-x", 422), (unit.hsa_id, 302)):
        file = SimpleUploadedFile("lista.csv", content)
        answer = client.post(reverse("waiting-lists"), {"file": file, "unit": chosen})
        assert answer.status_code == status
    assert WaitingListFile.objects.get().sending_unit == unit


def test_a_file_that_cannot_be_read_is_told_at_the_field(unit, client: Client):
    client.force_login(user_of(clinic_actor(unit)))
    for content in (b"", b"a;b\n1;2", b"PK\x03\x04"):
        file = SimpleUploadedFile("x.csv", content)
        assert client.post(reverse("waiting-lists"), {"file": file}).status_code == 422
    assert client.post(reverse("waiting-lists"), {}).status_code == 422
    assert client.get(reverse("waiting-list-template", args=["pdf"])).status_code == 404
