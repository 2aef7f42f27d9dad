"""The product's own file: the region's cases as the national model wants them."""

import csv
import io
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from organisations.models import Region
from patients.models import Patient
from referral import services
from referral.models import Case, CaseState, CloseReason, Pause, Referral
from statistics.months import Month
from statistics.waiting_times.layout import Model, columns
from statistics.waiting_times.own_file import written
from statistics.waiting_times.validation import Verdict, validate
from tests.factories import (
    CareUnitFactory,
    ContractLineFactory,
    MunicipalityFactory,
    RegionFactory,
    advance,
    make_case,
    stockholm,
)

pytestmark = pytest.mark.django_db

OCTOBER = Month(2026, 10)
IN_OCTOBER = stockholm(2026, 10, 12, 9)
# What the product does not know, and must therefore be said to be missing.
UNKNOWN_OF_ALL = {"bokningssatt", "vardkontakt", "yrkesgrupp"}
UNKNOWN_OF_DONE = UNKNOWN_OF_ALL | {"vardenhet1", "vardenhet1_namn"}


def rows(region: str, month: Month = OCTOBER) -> list[dict[str, str]]:
    return list(
        csv.DictReader(io.StringIO(written(region, month).decode("utf-8-sig")), delimiter=";")
    )


def treated(now: datetime = IN_OCTOBER, **where):
    return make_case(CaseState.TREATED, now=now, **where)


def test_a_case_treated_in_the_month_is_done_and_one_in_work_waits():
    region = RegionFactory()
    done = treated(region=region)
    waits = make_case(CaseState.IN_PROGRESS, region=region, now=IN_OCTOBER)
    assert [(row["vardkontakt_id"], row["status"]) for row in rows(region.code)] == [
        (done.case.number, "G"),
        (waits.case.number, "V"),
    ]
    row = rows(region.code)[0]
    assert row["start"] == "2026-10-12"
    assert row["beslut"] == str(done.case.decision_date)
    assert row["vardenhet2"] == done.line.care_unit.hsa_id
    assert row["vardgivare"] == done.line.care_unit.provider.organisation_number
    assert row["remittent"] == done.unit.hsa_id
    assert (row["fas"], row["aktivitet"], row["atgard"]) == ("2", "NGB49", "NGB49")


def test_who_is_sent_to_another_region_stays_in_the_home_regions_file():
    home, away = RegionFactory(), RegionFactory(code="14")
    unit = CareUnitFactory(region=away, receives=True)
    line = ContractLineFactory(kva="NGB49", care_unit=unit, contract__owner_region=home)
    made = treated(region=home, line=line)
    assert [row["vardenhet2"] for row in rows(home.code)] == [unit.hsa_id]
    assert rows(away.code) == []
    assert rows(home.code)[0]["huvudman"] == home.code == made.case.region_id


@pytest.mark.parametrize(
    ("state", "month", "status"),
    [
        # In work in October and in November; treated on 3 November.
        (CaseState.TREATED, Month(2026, 9), []),
        (CaseState.TREATED, Month(2026, 10), ["V"]),
        (CaseState.TREATED, Month(2026, 11), ["G"]),
        (CaseState.TREATED, Month(2026, 12), []),
        (CaseState.CLOSED, Month(2026, 11), ["G"]),
        (CaseState.CLOSED, Month(2026, 12), []),
        (CaseState.IN_PROGRESS, Month(2026, 12), ["V"]),
    ],
)
def test_a_contact_is_in_the_month_where_it_waits_or_is_done(state, month, status):
    made = make_case(CaseState.IN_PROGRESS, now=IN_OCTOBER)
    advance(made, state, now=stockholm(2026, 11, 3, 10))
    assert [row["status"] for row in rows(made.case.region_id, month)] == status


def test_who_gets_the_care_at_home_waits_until_then_and_is_left_out_after():
    made = make_case(CaseState.IN_PROGRESS, now=IN_OCTOBER)
    services.end(
        made.case,
        reason=CloseReason.HOME_CLINIC,
        comment="Tid hemma.",
        actor=made.navigator,
        now=stockholm(2026, 11, 3),
    )
    assert [row["status"] for row in rows(made.case.region_id)] == ["V"]
    assert rows(made.case.region_id, Month(2026, 11)) == []


def test_who_had_taken_the_case_at_the_months_end_is_named():
    made = make_case(CaseState.IN_PROGRESS, now=IN_OCTOBER)
    advance(made, CaseState.ACCEPTED, now=stockholm(2026, 11, 3))
    (october,), (november,) = (rows(made.case.region_id, Month(2026, m)) for m in (10, 11))
    assert (october["vardenhet2"], october["remittent"]) == (made.unit.hsa_id, "")
    assert november["vardenhet2"] == made.line.care_unit.hsa_id
    assert november["remittent"] == made.unit.hsa_id


def test_pauses_are_deviations_once_they_have_begun():
    made = make_case(CaseState.IN_PROGRESS, now=IN_OCTOBER)
    assert rows(made.case.region_id)[0]["avvikelse"] == "EA"
    Pause.objects.create(
        case=made.case,
        reason=Pause.Reason.MEDICAL,
        first_day=date(2026, 10, 20),
        last_day=date(2026, 10, 25),
    )
    Pause.objects.create(
        case=made.case, reason=Pause.Reason.PATIENT, first_day=date(2026, 11, 2), last_day=None
    )
    assert rows(made.case.region_id)[0]["avvikelse"] == "2"
    assert rows(made.case.region_id, Month(2026, 11))[0]["avvikelse"] == "1"


def test_what_is_not_known_is_missing_and_what_cannot_be_is_not_applicable():
    made = make_case(CaseState.IN_PROGRESS, now=IN_OCTOBER)
    Patient.objects.filter(pk=made.patient.pk).update(birth_date=None, sex="", municipality=None)
    (row,) = rows(made.case.region_id)
    assert (row["fodelsear"], row["kon"], row["kommunkod"]) == ("", "3", "")
    assert row["bokningssatt"] == row["listning"] == row["remittenttyp"] == ""
    assert row["start"] == row["diagnos"] == row["akut_start"] == row["akutverksamhet"] == "EA"


def test_the_own_file_passes_its_own_validator_but_for_what_is_truly_missing():
    region = RegionFactory()
    home = MunicipalityFactory(region=region)
    for phase in ("first_visit", "treatment"):
        for state in (CaseState.TREATED, CaseState.IN_PROGRESS, CaseState.ACCEPTED):
            made = make_case(state, region=region, now=IN_OCTOBER, phase=phase)
            Patient.objects.filter(pk=made.patient.pk).update(municipality=home)
    result = validate(io.BytesIO(written(region.code, OCTOBER)), owner=region.code, month=OCTOBER)
    assert (result.rows, result.done, result.waiting) == (6, 2, 4)
    # Days are known but not the time of day, and that is a remark.
    expected = {(name, "VT201"): 6 for name in UNKNOWN_OF_ALL}
    expected |= {(name, "VT201"): 2 for name in UNKNOWN_OF_DONE - UNKNOWN_OF_ALL}
    expected |= {("beslut", "VT303"): 6, ("start", "VT303"): 2}
    assert dict(result.faults) == expected
    assert result.verdict == Verdict.INCOMPLETE


@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from([CaseState.TREATED, CaseState.IN_PROGRESS, CaseState.BOOKED]),
            st.integers(0, 70),
            st.sampled_from(["NGB49", "NGB", "AA029"]),
            st.sampled_from(["first_visit", "treatment"]),
        ),
        max_size=5,
    ),
    back=st.integers(0, 2),
)
@settings(max_examples=15)
def test_whatever_the_cases_the_file_is_never_wrong_and_counts_them_all(steps, back):
    """Written, read and judged: no error but lacks, and each case at most once a month."""
    Referral.objects.update(treated_on=None)
    Case.objects.update(received_at=stockholm(2030, 1, 1))
    region: Region = RegionFactory()
    for state, days, kva, phase in steps:
        line = ContractLineFactory(kva=kva, contract__owner_region=region)
        make_case(
            state,
            region=region,
            line=line,
            now=IN_OCTOBER - timedelta(days=days),
            kva=kva,
            phase=phase,
        )
    month = OCTOBER.back(back)
    content = written(region.code, month)
    result = validate(io.BytesIO(content), owner=region.code, month=month)
    found = rows(region.code, month)
    assert list(found[0]) == [one.name for one in columns(Model.SPECIALISED)] if found else True
    treated_then = Referral.objects.filter(
        treated_on__gte=month.first_day, treated_on__lt=month.back(-1).first_day
    )
    if found:
        assert result.verdict != Verdict.REFUSED
        assert (result.done, result.rows) == (treated_then.count(), len(found))
    else:
        assert {code for _name, code in result.faults} == {"VT111"}
