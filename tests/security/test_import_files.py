"""Contract files that attack the reader: every one is refused in words, and in bounded work."""

import contextlib
import re
import time
import zipfile
from io import BytesIO

import openpyxl
import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import settings as example_settings
from hypothesis import strategies as st

from capacity.models import WaitingTime
from capacity.services import import_waiting_times
from contracts.files import reading
from contracts.files.columns import COLUMNS, REQUIRED
from contracts.files.reading import read_rows
from contracts.files.writing import xlsx_file
from contracts.models import ContractLine
from contracts.services import import_contracts
from organisations.errors import InvalidInput
from tests.factories import (
    CareUnitFactory,
    ProviderFactory,
    RegionFactory,
    contract_owner_actor,
    stockholm,
)

NOW = stockholm(2026, 3, 10, 9)
HEADINGS = [column.heading for column in COLUMNS]
VALUES = {
    "number": "AVT-1",
    "title": "Knä",
    "provider": "5590000011",
    "contract_type": "procurement",
    "valid_from": "2026-01-01",
    "valid_to": "2027-12-31",
    "regions_allowed": "13",
    "care_unit": "SE5590000011-A1",
    "kva": "NGB49",
    "price_sek": "80000",
    "asa_ceiling": "3",
}
GOOD = [VALUES.get(column.key, "") for column in COLUMNS]


def csv_of(*rows: list[str]) -> bytes:
    return "\r\n".join(";".join(row) for row in (HEADINGS, *rows)).encode()


def xlsx_of(*rows: list[str]) -> bytes:
    return xlsx_file([HEADINGS, *rows], sheet="avtal")


def with_part(content: bytes, name: str, change: object) -> bytes:
    """The workbook with one part exchanged."""
    out = BytesIO()
    with (
        zipfile.ZipFile(BytesIO(content)) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for part in old.infolist():
            data = old.read(part)
            new.writestr(part.filename, change(data) if part.filename == name else data)  # type: ignore[operator]
    return out.getvalue()


SHEET = "xl/worksheets/sheet1.xml"
TEXT = b'<c r="%s" t="inlineStr"><is><t>x</t></is></c>'


def sheet(change: object) -> bytes:
    return with_part(xlsx_of(GOOD), SHEET, change)


def with_doctype(declarations: str, text: str) -> bytes:
    def change(data: bytes) -> bytes:
        head, rest = data.split(b"<worksheet", 1)
        doctype = f"<!DOCTYPE worksheet [{declarations}]>".encode()
        return (
            head
            + doctype
            + b"<worksheet"
            + rest.replace(b"<sheetData>", text.encode() + b"<sheetData>")
        )

    return sheet(change)


LAUGHS = "".join(
    f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' if n else '<!ENTITY a0 "ha">' for n in range(12)
)
HOSTILE = {
    "a billion laughs": with_doctype(LAUGHS, "<c>&a11;</c>"),
    "an entity that reads a file": with_doctype(
        '<!ENTITY x SYSTEM "file:///etc/passwd">', "<c>&x;</c>"
    ),
    "an entity that calls out": with_doctype(
        '<!ENTITY x SYSTEM "http://127.0.0.1:1/x">', "<c>&x;</c>"
    ),
    "a parameter entity that calls out": with_doctype(
        '<!ENTITY % x SYSTEM "http://127.0.0.1:1/x"> %x;', ""
    ),
    "a quadratic blow-up": with_doctype(f'<!ENTITY x "{"x" * 50_000}">', f"<c>{'&x;' * 2_000}</c>"),
    "shared strings with entities": with_part(
        xlsx_of(GOOD),
        "xl/sharedStrings.xml",
        lambda data: b"<!DOCTYPE sst [" + LAUGHS.encode() + b"]><sst><si><t>&a11;</t></si></sst>",
    ),
    "a workbook that unpacks to gigabytes": sheet(lambda data: data + b" " * 140_000_000),
    "a sheet with one cell in its last row": sheet(
        lambda data: data.replace(
            b"</sheetData>", b'<row r="1048576">' + TEXT % b"A1048576" + b"</row></sheetData>"
        )
    ),
    "a workbook without sheets": with_part(
        xlsx_of(GOOD),
        "xl/workbook.xml",
        lambda data: re.sub(rb"<sheets>.*</sheets>", b"<sheets/>", data),
    ),
    "a part that is something else": sheet(lambda data: b"\x00\xff" * 100),
    "twenty-two thousand rows": csv_of(*([GOOD] * 20_001)),
    "a hundred columns": b";".join([b"x"] * 100) + b"\n" + b"y;" * 100,
    "millions of columns": b";".join([b"pris"] * 500_000) + b"\n1;2\n",
    "a cell of megabytes": csv_of([*GOOD[:1], "x" * 2_000_000, *GOOD[2:]]),
    "UTF-16 without its mark": csv_of(GOOD).decode().encode("utf-16-le"),
    "UTF-32": csv_of(GOOD).decode().encode("utf-32"),
    "NUL": csv_of(GOOD).replace(b"Kn", b"K\x00n"),
    "bytes of no encoding": csv_of(GOOD).replace(b"AVT", b"\x81\x8d\xff"),
    "a picture": b"\x89PNG\r\n\x1a\n" + bytes(500),
    "an old spreadsheet": bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600),
    "more than 20 MB": b"x" * (20 * 1024 * 1024 + 1),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_in_words_and_in_bounded_work(name):
    started = time.process_time()
    with pytest.raises(InvalidInput) as caught:
        read_rows(HOSTILE[name])
    assert caught.value.fields.keys() == {"file"}
    assert time.process_time() - started < 10  # unguarded these take minutes, or never end


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_the_encodings_that_spreadsheets_save_in_are_read(encoding):
    ((number, cells),) = read_rows(csv_of(GOOD).decode().encode(encoding))
    assert (number, cells["title"]) == (2, "Knä")


def test_a_wide_or_lying_sheet_costs_no_more_than_its_cells():
    wide = sheet(
        lambda data: data.replace(
            b"</row></sheetData>", TEXT % b"XFD2" + b"</row></sheetData>"
        ).replace(b'ref="A1:W2"', b'ref="A1:XFD1048576"')
    )
    ((_number, cells),) = read_rows(wide)
    assert cells["title"] == "Knä"
    assert len(cells) <= len(COLUMNS)


def test_what_xml_spells_and_the_database_cannot_hold_is_taken_out():
    for spelled in (b"_x0000_", b"_xD800_", b"&#x1F600;"):
        content = with_part(
            xlsx_of(GOOD), "xl/sharedStrings.xml", lambda data, s=spelled: data.replace(b"Kn", s)
        )
        ((_number, cells),) = read_rows(content)
        cells["title"].encode()
        assert "\x00" not in cells["title"]


def test_xml_is_read_by_the_parser_that_refuses_entities():
    assert openpyxl.DEFUSEDXML is True
    assert openpyxl.LXML is False


def _files() -> st.SearchStrategy[bytes]:
    """Any bytes, and good files with something wrong in them."""
    csv_file, xlsx_file = csv_of(GOOD, GOOD), xlsx_of(GOOD, GOOD)

    @st.composite
    def damaged(draw: st.DrawFn) -> bytes:
        content = bytearray(draw(st.sampled_from([csv_file, xlsx_file])))
        for _n in range(draw(st.integers(1, 6))):
            place = draw(st.integers(0, len(content) - 1))
            match draw(st.integers(0, 2)):
                case 0:
                    content[place] = draw(st.integers(0, 255))
                case 1:
                    del content[place : place + draw(st.integers(1, 40))]
                case _:
                    content[place:place] = draw(st.binary(max_size=20))
            content = content or bytearray(b"x")
        return bytes(content)

    cell = st.text(max_size=40).map(lambda text: text.replace(";", "").replace("\n", ""))
    rows = st.lists(
        st.lists(st.one_of(cell, st.sampled_from(GOOD)), min_size=23, max_size=23), max_size=4
    )
    texts = rows.map(
        lambda made: "\r\n".join(";".join(row) for row in (HEADINGS, *made)).encode(
            "utf-8", "replace"
        )
    )
    return st.one_of(st.binary(max_size=300), damaged(), texts)


@pytest.fixture
def owner(db):
    provider = ProviderFactory(organisation_number="5590000011")
    CareUnitFactory(provider=provider, hsa_id="SE5590000011-A1")
    return contract_owner_actor(RegionFactory())


@example_settings(max_examples=50)
@given(content=_files(), good_rows_only=st.booleans())
def test_any_file_gives_a_report_or_a_refusal_and_stores_what_the_report_says(
    owner, content, good_rows_only
):
    with transaction.atomic():
        try:
            made = import_contracts(
                name="a", content=content, good_rows_only=good_rows_only, actor=owner, now=NOW
            )
        except InvalidInput as refusal:
            stored, says = 0, bool(refusal.fields)
        else:
            stored = made.stored
            faults = [row for row in made.report if row["errors"]]
            says = len(made.report) == made.rows and not (faults and stored and not good_rows_only)
        assert says
        assert ContractLine.objects.count() == stored
        transaction.set_rollback(True)


@example_settings(max_examples=30)
@given(content=_files())
def test_a_waiting_time_file_too_gives_a_report_or_a_refusal(owner, content):
    with transaction.atomic():
        with contextlib.suppress(InvalidInput):
            made = import_waiting_times(content, name="a", source="SPOR", made_by="t", now=NOW)
            stored = made.added + made.changed + made.unchanged
            assert stored + len(made.faults) == made.rows
            assert WaitingTime.objects.count() == made.added
        transaction.set_rollback(True)


def test_the_limits_are_below_what_would_hurt():
    assert reading.MAX_UNPACKED <= 128 * 1024 * 1024
    assert {column.key for column in COLUMNS} >= REQUIRED
    with contextlib.suppress(InvalidInput):
        read_rows(b"PK")
