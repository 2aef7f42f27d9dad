"""Invoice files that do not hold: refused in words, nothing stored, in bounded work."""

import contextlib
import time
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import settings as example_settings
from hypothesis import strategies as st

from contracts.files.ubl import read_ubl
from contracts.models import InvoiceFile
from contracts.services import receive_invoices
from contracts.services.invoices import read_ubl_or_rows
from organisations.errors import InvalidInput
from tests.factories import RegionFactory, navigator_actor
from tests.invoices import NOW, Bill, Row

BILL = Bill(rows=[Row("13-26-000001-9", certificate="13-26-000001-9/1"), Row("13-26-000002-3")])


def test_a_whole_invoice_is_read():
    read = read_ubl(BILL.xml())
    assert (read.number, read.seller, read.buyer) == ("F-1001", "5599000006", "2321000115")
    assert (read.total_sek, read.is_credit_note) == (Decimal(160_000), False)
    first = read.lines[0]
    assert (first.quoted.case_number, first.quoted.certificate_number) == (
        "13-26-000001-9",
        "13-26-000001-9/1",
    )
    assert (str(first.treated_from), first.quantity, first.vat_percent) == ("2026-03-10", 1, 0)


def test_a_credit_note_names_what_it_credits():
    read = read_ubl(replace(BILL, number="K-1", credits="F-1001").xml())
    assert (read.is_credit_note, read.credits_number) == (True, "F-1001")


WRONG = {
    "another customization": (replace(BILL, customization="urn:cen.eu:en16931:2017"), "BT-24"),
    "another profile": (replace(BILL, profile="urn:x"), "BT-23"),
    "euro": (replace(BILL, currency="EUR"), "SEK"),
    "no lines": (replace(BILL, rows=[]), "inga rader"),
    "a due date before the invoice's": (replace(BILL, due=BILL.issued.replace(day=1)), "Förfallo"),
    "no number": (replace(BILL, number=""), "Fakturanummer saknas"),
    "a number too long": (replace(BILL, number="x" * 51), "längre än 50"),
    "a seller without number": (replace(BILL, seller=""), "organisationsnummer"),
    "another sum of lines": (replace(BILL, totals={"LineExtensionAmount": "1"}), "radernas summa"),
    "another amount to pay": (replace(BILL, totals={"PayableAmount": "1"}), "beloppet att betala"),
    "another sum with tax": (
        replace(BILL, totals={"TaxInclusiveAmount": "160000.01"}),
        "summan med moms",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_invoice_to_us_says_why(name):
    bill, words = WRONG[name]
    with pytest.raises(InvalidInput, match=words) as caught:
        read_ubl(bill.xml())
    assert "file" in caught.value.fields


def test_everything_that_is_wrong_is_said_at_once():
    with pytest.raises(InvalidInput) as caught:
        read_ubl(replace(BILL, profile="x", currency="EUR", number="").xml())
    for word in ("BT-23", "SEK", "BT-1"):
        assert word in str(caught.value.message)


def test_one_ore_off_is_off_and_rounding_is_told_apart():
    rows = [Row("13-26-000001-9", Decimal("0.10"))] * 3
    assert read_ubl(Bill(rows=rows).xml()).total_sek == Decimal("0.30")


LAUGHS = "".join(
    f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' if n else '<!ENTITY a0 "ha">' for n in range(12)
)
NUMBER = b"<cbc:ID>F-1001</cbc:ID>"


def with_doctype(declarations: str, entity: str) -> bytes:
    head, rest = BILL.xml().split(b"\n", 1)
    doctype = f"\n<!DOCTYPE Invoice [{declarations}]>".encode()
    return head + doctype + rest.replace(NUMBER, f"<cbc:ID>{entity}</cbc:ID>".encode())


HOSTILE = {
    "a billion laughs": (with_doctype(LAUGHS, "&a11;"), "DTD"),
    "an entity that reads a file": (
        with_doctype('<!ENTITY x SYSTEM "file:///etc/passwd">', "&x;"),
        "DTD",
    ),
    "an entity that calls out": (
        with_doctype('<!ENTITY % x SYSTEM "http://127.0.0.1:1/x"> %x;', "y"),
        "DTD",
    ),
    "an empty DTD": (with_doctype("", "y"), "DTD"),
    "elements without end": (
        BILL.xml().replace(NUMBER, NUMBER + b"<a/>" * 500_000),
        "för många",
    ),
    "elements in each other without end": (
        BILL.xml().replace(NUMBER, NUMBER + b"<a>" * 200_000 + b"</a>" * 200_000),
        "djupa",
    ),
    "half a file": (BILL.xml()[:-40], "skadad"),
    "another encoding than it says": (BILL.xml().replace(b"UTF-8", b"UTF-99"), "skadad"),
    "another document": (b"<html><body>hej</body></html>", "varken"),
    "a number in exponents": (BILL.xml().replace(b">80000.00<", b">1E+999999<"), "inget tal"),
    "no number": (BILL.xml().replace(b">80000.00<", b">NaN<"), "inget tal"),
    "a zero byte": (BILL.xml().replace(NUMBER, b"<cbc:ID>F\x00</cbc:ID>"), "skadad"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_in_words_and_soon(name):
    content, words = HOSTILE[name]
    began = time.monotonic()
    with pytest.raises(InvalidInput, match=words):
        read_ubl(content)
    assert time.monotonic() - began < 5


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "tom"), (b" " * (InvoiceFile.MAX_BYTES + 1), "10 MB"), (b"\x00\x01", "textfil")],
)
def test_files_too_small_too_big_and_of_no_kind(content, words):
    actor = navigator_actor(RegionFactory())
    with pytest.raises(InvalidInput, match=words):
        receive_invoices(content, name="x", actor=actor, now=NOW)
    assert not InvoiceFile.objects.exists()


@pytest.mark.django_db
def test_an_invoice_of_an_unknown_provider_is_refused():
    with pytest.raises(InvalidInput, match="559900-0006"):
        receive_invoices(BILL.xml(), name="x", actor=navigator_actor(RegionFactory()), now=NOW)


@given(st.binary(max_size=300), st.integers(0, 4000), st.integers(0, 60))
@example_settings(max_examples=60, deadline=None)
def test_whatever_happened_to_a_file_it_is_read_or_refused(noise, at, cut):
    whole = BILL.xml()
    for content in (noise, whole[:at] + noise + whole[at + cut :], b"<" + noise):
        with contextlib.suppress(InvalidInput):
            read_ubl_or_rows(content)
