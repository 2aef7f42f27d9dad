"""The daily files of waiting times: what is stored, what is refused, and nothing twice."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from capacity.files import COLUMNS
from capacity.models import OWN_SOURCE, WaitingTime, WaitingTimeFile
from capacity.services import import_waiting_times
from organisations.errors import InvalidInput
from organisations.models import CareUnit
from tests.factories import CareUnitFactory, stockholm

pytestmark = pytest.mark.django_db

NOW = stockholm(2026, 3, 10, 6)
HEAD = ";".join(column.heading for column in COLUMNS)


@pytest.fixture
def unit() -> CareUnit:
    return CareUnitFactory.create(hsa_id="SE2321000016-AB12")


def read(*rows: str, source: str = "SPOR", name: str = "dag.csv") -> WaitingTimeFile:
    content = "\r\n".join([HEAD, *rows]).encode()
    return import_waiting_times(content, name=name, source=source, made_by="test", now=NOW)


def faults(made: WaitingTimeFile) -> dict[int, str]:
    return {fault["row"]: " ".join(fault["errors"]) for fault in made.faults}


def test_a_row_is_a_unit_a_code_and_a_day(unit):
    made = read("SE2321000016-AB12;ngb;2026-03-09;12;41;63;18,5;;")
    assert (made.rows, made.added, made.faults) == (1, 1, [])
    row = WaitingTime.objects.get()
    assert (row.care_unit, row.kva, row.day, row.source) == (unit, "NGB", date(2026, 3, 9), "SPOR")
    assert (row.done, row.median_days, row.p80_days) == (12, 41, 63)
    assert (row.asa34_percent, row.general_anaesthesia_percent) == (Decimal("18.5"), None)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("SE2321000016-XX99;NGB;2026-03-09;12;41;63;;;", "ingen enhet har HSA-id"),
        ("SE2321000016-AB12;N1;2026-03-09;12;41;63;;;", "KVÅ-kod"),
        ("SE2321000016-AB12;NGB;9 mars;12;41;63;;;", "ÅÅÅÅ-MM-DD"),
        ("SE2321000016-AB12;NGB;2026-03-11;12;41;63;;;", "inte varit än"),
        ("SE2321000016-AB12;NGB;1999-03-11;12;41;63;;;", "för länge sedan"),
        ("SE2321000016-AB12;NGB;2026-03-09;0;41;63;;;", "mellan 1 och"),
        ("SE2321000016-AB12;NGB;2026-03-09;-4;41;63;;;", "inget heltal"),
        ("SE2321000016-AB12;NGB;2026-03-09;4;64;63;;;", "Medianen är större"),
        ("SE2321000016-AB12;NGB;2026-03-09;4;6;63;101;;", "mellan 0 och 100"),
        ("SE2321000016-AB12;NGB;2026-03-09;4;6;63;NaN;;", "inget tal"),
        ("SE2321000016-AB12;NGB;2026-03-09;4;;63;;;", "median saknas"),
    ],
)
def test_a_row_that_does_not_hold_is_reported_and_the_others_stored(unit, row, said):
    made = read("SE2321000016-AB12;NFB;2026-03-09;12;41;63;;;", row)
    assert said in faults(made)[3]
    assert [time.kva for time in WaitingTime.objects.all()] == ["NFB"]


def test_the_same_key_twice_in_a_file_is_a_fault(unit):
    row = "SE2321000016-AB12;NGB;2026-03-09;12;41;63;;;"
    assert "redan på rad 2" in faults(read(row, row))[3]


def test_the_same_file_again_changes_nothing_even_after_a_newer_one(unit):
    row = "SE2321000016-AB12;NGB;2026-03-09;12;{};63;;;"
    first = read(row.format(41))
    corrected = read(row.format(40))
    assert (corrected.added, corrected.changed) == (0, 1)
    assert read(row.format(41), name="once more.csv") == first
    assert WaitingTime.objects.get().median_days == 40


def test_another_file_with_the_same_row_leaves_it_as_it_is(unit):
    row = "SE2321000016-AB12;NGB;2026-03-09;12;41;63;;;"
    read(row)
    again = read(row, "SE2321000016-AB12;NGB;2026-03-08;12;41;63;;;")
    assert (again.added, again.changed, again.unchanged) == (1, 0, 1)


def test_needs_and_sources_stand_beside_each_other(unit):
    read(
        "SE2321000016-AB12;NGB;2026-03-09;12;41;63;;;",
        "SE2321000016-AB12;NGB;2026-03-09;5;20;30;;;30",
    )
    read("SE2321000016-AB12;NGB;2026-03-09;12;44;63;;;", source="Annat register")
    assert WaitingTime.objects.count() == 3


@pytest.mark.parametrize("source", ["", " ", "x" * 61, OWN_SOURCE, OWN_SOURCE.upper()])
def test_the_source_is_named_and_never_the_products_own(unit, source):
    with pytest.raises(InvalidInput) as refused:
        read("SE2321000016-AB12;NGB;2026-03-09;12;41;63;;;", source=source)
    assert set(refused.value.fields) == {"source"}


def test_a_file_without_its_columns_is_refused_whole(unit):
    with pytest.raises(InvalidInput, match="Kolumner saknas"):
        import_waiting_times(b"a;b\n1;2\n", name="x", source="SPOR", made_by="t", now=NOW)


cells = st.sampled_from(
    [
        *("SE2321000016-AB12", "NGB", "AU006", "2026-03-09", "12", "41", "63", "0", "-1", ""),
        *("1e9", "9" * 30, "=1+1", "\x00", "nan", "12,5", "\ufeff", '"', "²", "å" * 300),
    ]
) | st.text(max_size=12)


@given(rows=st.lists(st.lists(cells, max_size=11), max_size=6))
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_file_does_anything_but_store_good_rows_and_report_the_rest(unit, rows):
    WaitingTime.objects.all().delete()
    WaitingTimeFile.objects.all().delete()
    try:
        made = read(*(";".join(row) for row in rows))
    except InvalidInput:
        assert not WaitingTime.objects.exists()
        return
    assert made.rows == made.added + made.changed + made.unchanged + len(made.faults)
    assert WaitingTime.objects.count() == made.added
    oldest = NOW.date() - timedelta(days=5 * 366)
    assert all(oldest <= time.day <= NOW.date() for time in WaitingTime.objects.all())
