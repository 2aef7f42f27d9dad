"""A file of figures is checked row by row, and the page tells what it gives."""

import base64
import csv
import io
import re
from datetime import date
from decimal import Decimal
from html import unescape
from typing import Any

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from time_machine import travel

from organisations.access import Actor, acting_as
from organisations.errors import InvalidInput, NotAllowed
from organisations.models import Region
from statistics.months import Month
from statistics.performance.calculator import Outcome
from statistics.performance.files import read_figures
from statistics.performance.models import PerformanceFigure, PerformanceImport
from statistics.performance.rules import Measure
from statistics.performance.selectors import Source, performance_for
from statistics.performance.services import import_figures
from tests.factories import (
    ContractLineFactory,
    RegionFactory,
    clinic_actor,
    make_case,
    manager_actor,
    navigator_actor,
    region_admin_actor,
    stockholm,
    user_of,
)

pytestmark = pytest.mark.django_db
NOW = stockholm(2022, 4, 5, 12)
MARCH = Month(2022, 3)
HEAD = "region;månad;mått;täljare;nämnare;pott"


@pytest.fixture
def region() -> Region:
    return RegionFactory()


def rows_of(region: Region) -> list[str]:
    return [
        f"{region.code};2022-03;first_visit_60;430;1000;1000000",
        f"{region.name};2021-03;Väntande på första besök i högst 60 dagar;400;1000;",
        f"{region.code};2022-03;medical_assessment;8 300;10 000;500000,50",
    ]


def content_of(*rows: str) -> bytes:
    return "\r\n".join([HEAD, *rows]).encode()


def take_in(region: Region, content: bytes, **how: Any) -> Any:
    actor = how.pop("actor", None) or manager_actor(region)
    return import_figures(
        content,
        name="mått.csv",
        good_rows_only=how.pop("good_rows_only", False),
        actor=actor,
        now=NOW,
    )


def client_of(actor: Actor) -> Client:
    client = Client()
    client.force_login(user_of(actor))
    return client


def test_a_file_that_holds_gives_the_months_results(region: Region) -> None:
    assert take_in(region, content_of(*rows_of(region))).made.stored == 3
    found = performance_for(
        navigator_actor(region), month=MARCH, source=Source.FILE, today=NOW.date()
    )
    results = {result.measure: result for result in found.results}
    visit = results[Measure.VISIT_60]
    assert (visit.outcome, visit.improvement, visit.pot_share, visit.money) == (
        Outcome.IMPROVED,
        Decimal("3.00"),
        Decimal("0.6"),
        Decimal("600000.00"),
    )
    level = results[Measure.ASSESSMENT]
    assert (level.outcome, level.money) == (Outcome.LEVEL, Decimal("500000.50"))
    assert results[Measure.BUP_VISIT].outcome == Outcome.NO_FIGURE


def test_a_spreadsheet_is_read_as_a_csv_is(region: Region) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(HEAD.split(";"))
    sheet.append([region.code, date(2022, 3, 1), "treatment_60", 72, 100, 10.5])
    out = io.BytesIO()
    book.save(out)
    take_in(region, out.getvalue())
    figure = PerformanceFigure.objects.get()
    assert (figure.month, figure.numerator, figure.pot_sek) == (
        date(2022, 3, 1),
        72,
        Decimal("10.50"),
    )


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("99;2022-03;first_visit_60;1;2;", "annan region"),
        ("{r};2022-13;first_visit_60;1;2;", "ÅÅÅÅ-MM"),
        ("{r};2022-03-17;first_visit_60;1;2;", "ÅÅÅÅ-MM"),
        ("{r};2022-06;first_visit_60;1;2;", "har inte varit"),
        ("{r};2022-03;väntetid;1;2;", "är inget mått"),
        ("{r};2022-03;first_visit_60;3;2;", "större än nämnaren"),
        ("{r};2022-03;first_visit_60;1,5;2;", "inget heltal"),
        ("{r};2022-03;first_visit_60;;2;", "saknas"),
        ("{r};2022-03;first_visit_60;1;2;-5", "belopp"),
        ("{r};2022-03;first_visit_60;1;2;0,001", "belopp"),
        ("{r};2022-03;first_visit_60;1;2;1e99", "belopp"),
        ("{r};2022-03;medical_assessment;1;2;", "redan på rad 4"),
    ],
)
def test_a_row_that_does_not_hold_is_handed_back_and_nothing_stored(
    region: Region, row: str, reason: str
) -> None:
    content = content_of(*rows_of(region), row.format(r=region.code))
    outcome = take_in(region, content)
    assert outcome.made is None
    assert [faulty.number for faulty in outcome.faulty] == [5]
    assert reason in " ".join(outcome.faulty[0].errors)
    assert not PerformanceFigure.objects.exists()
    assert take_in(region, content, good_rows_only=True).made.stored == 3


def test_a_later_file_takes_the_place_of_an_earlier(region: Region) -> None:
    take_in(region, content_of(*rows_of(region)))
    take_in(region, content_of(f"{region.code};2022-03;first_visit_60;500;1000;"))
    figure = PerformanceFigure.objects.get(measure="first_visit_60", month=date(2022, 3, 1))
    assert (figure.numerator, figure.pot_sek) == (500, None)
    assert PerformanceFigure.objects.count() == 3
    assert PerformanceImport.objects.count() == 2


@pytest.mark.parametrize("content", [b"", b"PK", b"\x00\x01", HEAD.encode(), b"a;b\n1;2"])
def test_what_is_no_such_file_is_refused(region: Region, content: bytes) -> None:
    with pytest.raises(InvalidInput):
        take_in(region, content)


@given(st.lists(st.lists(st.text(max_size=12), min_size=6, max_size=6), max_size=4))
def test_no_text_in_a_cell_breaks_the_reading(rows: list[list[str]]) -> None:
    out = io.StringIO()
    csv.writer(out, delimiter=";").writerows([HEAD.split(";"), *rows])
    region = Region(code="10", name="Region Blekinge", short_name="Blekinge")
    try:
        found = read_figures(
            out.getvalue().encode("utf-8", "replace"), region=region, today=NOW.date()
        )
    except InvalidInput:
        return
    assert all(row.errors or row.month for row in found)


def test_only_the_region_s_manager_and_administrator_read_in(region: Region) -> None:
    content = content_of(*rows_of(region))
    take_in(region, content, actor=region_admin_actor(region))
    with pytest.raises(NotAllowed):
        take_in(region, content, actor=navigator_actor(region))
    assert (
        client_of(navigator_actor(region)).get("/statistics/performance/import/").status_code == 403
    )


def test_another_region_gets_nothing_even_from_the_database(region: Region) -> None:
    take_in(region, content_of(*rows_of(region)))
    with acting_as(manager_actor(region)):
        assert PerformanceFigure.objects.count() == 3
    other = manager_actor(RegionFactory(code="12", name="Region Skåne", short_name="Skåne"))
    with acting_as(other):
        assert not PerformanceFigure.objects.exists()
        assert not PerformanceImport.objects.exists()
    found = performance_for(other, month=MARCH, source=Source.FILE, today=NOW.date())
    assert not found.figures


def test_page_file_and_api_tell_the_same(region: Region) -> None:
    take_in(region, content_of(*rows_of(region)))
    client = client_of(manager_actor(region))
    with travel(NOW, tick=False):
        page = client.get("/statistics/performance/?month=2022-03&source=file").content.decode()
        default = client.get("/statistics/performance/").content.decode()
        plain = client.get("/statistics/performance/export.csv?month=2022-03").content
        answer = client.get("/api/v1/statistics/performance/?month=2022-03").json()
    for text in (page, default):
        assert "Förbättring uppnådd" in text
        assert "1\xa0100\xa0001" in text or "1 100 00" in text.replace("\xa0", " ")
    rows = list(csv.reader(io.StringIO(plain.decode("utf-8-sig")), delimiter=";"))
    visit = next(row for row in rows if row[2].startswith("Väntande på första besök"))
    assert visit[4:12] == [
        "430",
        "1000",
        "43,0",
        "40,0",
        "3,0",
        "Förbättring uppnådd",
        "60,0",
        "600000,0",
    ]
    result = next(r for r in answer["results"] if r["measure"] == "first_visit_60")
    assert (result["outcome"], result["pot_share"], result["money"]) == (
        "improved",
        "0.6000",
        "600000.00",
    )
    assert len(answer["results"]) == 9
    assert (result["months_met"], answer["bonus_points"]) == (1, 2)


def test_a_file_with_faults_is_shown_with_rows_and_reasons(region: Region) -> None:
    client = client_of(manager_actor(region))
    with travel(NOW, tick=False):
        bad = content_of(*rows_of(region), f"{region.code};2022-03;treatment_60;9;2;")
        answer = client.post(
            "/statistics/performance/import/", {"file": SimpleUploadedFile("m.csv", bad)}
        )
        assert answer.status_code == 422
        page = answer.content.decode()
        assert "större än nämnaren" in page
        link = re.search(r'download="rader-med-fel.csv" href="data:text/csv;[^,]*,([^"]+)"', page)
        assert link
        file = base64.b64decode(unescape(link[1])).decode("utf-8-sig")
        rows = list(csv.reader(io.StringIO(file), delimiter=";"))
        assert rows == [["Rad", "Fel"], ["5", "täljare: är större än nämnaren."]]
        assert not PerformanceFigure.objects.exists()
        some = client.post(
            "/statistics/performance/import/",
            {"file": SimpleUploadedFile("m.csv", bad), "good_rows_only": "on"},
        )
        assert "3 av 4 rader lästes in" in some.content.decode()
        good = client.post(
            "/statistics/performance/import/",
            {"file": SimpleUploadedFile("m.csv", content_of(*rows_of(region)))},
        )
        assert good.status_code == 302
        none = client.post("/statistics/performance/import/", {})
        assert none.status_code == 422


@pytest.mark.parametrize("query", ["month=abc", "source=x", "month=%00"])
def test_a_choice_that_cannot_be_read_is_told(region: Region, query: str) -> None:
    client = client_of(manager_actor(region))
    page = client.get(f"/statistics/performance/?{query}")
    assert (page.status_code, "ds-validation-message" in page.content.decode()) == (200, True)
    assert client.get(f"/api/v1/statistics/performance/?{query}").status_code == 400


def test_the_cases_here_give_the_four_measures_of_the_waiting() -> None:
    region = RegionFactory()
    line = ContractLineFactory(kva="NGB", contract__owner_region=region, contract__cap_volume=None)
    now, unit = stockholm(2022, 3, 20, 12), None
    for days in (10, 10, 10, 10, 10, 10, 70, 200):
        day = now.date().toordinal() - days
        unit = make_case(
            now=now,
            region=region,
            unit=unit,
            line=line,
            referral_date=date.fromordinal(day),
            decision_date=date.fromordinal(day),
        ).unit
    choice = {"month": MARCH, "source": Source.CASES, "today": date(2022, 3, 20)}
    found = performance_for(navigator_actor(region), **choice)
    figures = {key: (f.numerator, f.denominator) for key, f in found.figures.items()}
    assert figures == {
        "first_visit_60": (0, 0),
        "first_visit_over_180": (0, 0),
        "treatment_60": (6, 8),
        "treatment_over_180": (1, 8),
    }
    seen = performance_for(manager_actor(region), **choice)
    assert {"treatment_60", "treatment_over_180"} <= seen.hidden
    assert not {"treatment_60", "treatment_over_180"} & seen.figures.keys()
    with pytest.raises(NotAllowed):
        performance_for(clinic_actor(unit), **choice)
