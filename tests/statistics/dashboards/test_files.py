"""The dashboard as CSV, XLSX and PDF: the page's figures, and none that the page hides."""

import csv
import io
import re
from collections.abc import Iterator
from typing import Any

import openpyxl
import pytest
from django.test import Client
from pypdf import PdfReader
from time_machine import travel

from organisations.models import CareUnit, Region
from statistics.dashboards.board import board_of, tables_of
from statistics.dashboards.forms import Choice
from statistics.dashboards.pdf import _parts
from statistics.dashboards.pictures import flow_map, funnel_picture
from tests.factories import RegionFactory, manager_actor, navigator_actor, user_of
from tests.shared_world import shared
from tests.statistics.dashboards.parts import MONTH, NOW, TODAY, busy_region

pytestmark = pytest.mark.django_db


def made_region() -> Any:
    region = RegionFactory()
    made = busy_region(region)
    CareUnit.objects.filter(pk=made[0].unit.pk).update(name="Åsögatans öronklinik – ÅÄÖ åäö")
    return region


@pytest.fixture(scope="module")
def region(django_db_setup: None, django_db_blocker: object) -> Iterator[Any]:
    with shared(django_db_blocker):
        yield made_region()


def download(actor: Any, kind: str) -> bytes:
    client = Client()
    client.force_login(user_of(actor))
    with travel(NOW, tick=False):
        answer = client.get(f"/statistics/dashboard/export.{kind}?month=2026-03")
    assert answer.status_code == 200
    assert f"2026-03.{kind}" in answer["Content-Disposition"]
    return bytes(answer.content)


def test_files_hold_the_same_numbers_as_the_page(region: Any) -> None:
    actor = navigator_actor(region)
    board = board_of(actor, Choice(MONTH), today=TODAY)
    tables = tables_of(board)
    book = openpyxl.load_workbook(io.BytesIO(download(actor, "xlsx")))
    assert book.sheetnames == [table.name for table in tables]
    for table in tables:
        sheet = book[table.name]
        found = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=4)]
        assert found == [[None if cell == "" else cell for cell in row] for row in table.rows]
    rows = list(csv.reader(io.StringIO(download(actor, "csv").decode("utf-8-sig")), delimiter=";"))
    received = [row for row in rows if row[1:3] == ["Inkomna", "Värde"]]
    assert [row[3] for row in received] == [str(board.statistics.total.received)]
    cells = sum(len(row) - 1 for table in tables for row in table.rows)
    assert len(rows) == 1 + cells


def test_files_show_a_manager_no_small_number(region: Any) -> None:
    actor = manager_actor(region)
    for table in tables_of(board_of(actor, Choice(MONTH), today=TODAY)):
        counts = [
            cell
            for row in table.rows
            for heading, cell in zip(table.headings[1:], row[1:], strict=True)
            if isinstance(cell, int) and not heading.startswith("Mot ")
        ]
        assert not set(counts) & {1, 2, 3, 4}, table.title
    assert b"dolt" in download(actor, "csv")


def test_a_manager_who_chooses_a_clinic_is_told_what_is_of_the_whole_region(region: Any) -> None:
    clinic = CareUnit.objects.get(name__startswith="Åsögatan")
    titles = {
        table.name: table.title
        for table in tables_of(
            board_of(manager_actor(region), Choice(MONTH, clinic=clinic), today=TODAY)
        )
    }
    of_region = {name for name, title in titles.items() if title.endswith("hela regionen")}
    assert of_region == {"Tratt", "Avslutade, skäl", "Avtal saknas"}


def test_the_report_has_the_pages_pictures_each_with_its_words(region: Any) -> None:
    """By the document's own structure, as a screen reader takes it."""
    board = board_of(navigator_actor(region), Choice(MONTH), today=TODAY)
    reader = PdfReader(io.BytesIO(download(navigator_actor(region), "pdf")))
    words = list(alternative_texts(reader.trailer["/Root"]["/StructTreeRoot"]))  # type: ignore[index]
    assert words == [
        *(trend.chart.title for trend in board.trends),
        funnel_picture(board.funnel).title,
        flow_map(board.flows, Region.objects.all()).title,
    ]


def alternative_texts(element: Any) -> Iterator[str]:
    element = element.get_object()
    if isinstance(element, list):
        for child in element:
            yield from alternative_texts(child)
    elif isinstance(element, dict):
        if "/Alt" in element:
            yield str(element["/Alt"])
        if "/K" in element:
            yield from alternative_texts(element["/K"])


def test_a_picture_brings_its_looks_into_the_report(region: Any) -> None:
    """All classes that the pictures use have a look in the sheet that the report takes in."""
    board = board_of(navigator_actor(region), Choice(MONTH), today=TODAY)
    pictures = [part["picture"] for part in _parts(board) if part["picture"]]
    assert len(pictures) == 6
    for picture in pictures:
        style, drawn = picture.split("</style>")
        used = {name for names in re.findall(r'class="([^"]*)"', drawn) for name in names.split()}
        assert used
        assert all(f".{name}" in style for name in used)


def test_the_report_is_pdf_a_and_ua_and_reads_back(region: Any) -> None:
    content = download(navigator_actor(region), "pdf")
    reader = PdfReader(io.BytesIO(content))
    text = " ".join(" ".join(page.extract_text().split()) for page in reader.pages)
    for words in (
        "Vårdförmedling mars 2026",
        "Från blankett till behandling, inkomna 2026",
        "Åsögatans öronklinik – ÅÄÖ åäö",
        "Väntande utan avtal: klinik mot åtgärd",
    ):
        assert words in text
    metadata = reader.trailer["/Root"]["/Metadata"].get_data()  # type: ignore[index]
    assert b"<pdfuaid:part>1</pdfuaid:part>" in metadata
    assert b"<pdfaid:part>2</pdfaid:part>" in metadata
    assert reader.trailer["/Root"]["/Lang"] == "sv"  # type: ignore[index]
