"""The letter as PDF: what stands on it is read back out of it. Nothing is stored."""

import hashlib
import re
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader

from notices import pdf
from notices.models import Notice
from notices.pdf import LetterRefused, letter_pdf
from organisations import typesetting
from patients.models import Patient
from referral.models import DeclineReason
from tests.notices.letter_parts import NUMBER, letter, text


def printed(made: Notice) -> str:
    return text(letter_pdf(made)[0])


def test_it_says_who_writes_to_whom_when_and_about_what():
    page = printed(letter())
    for part in (
        "Åsa Öberg",
        "Ängsvägen 4",
        "Ortopedmottagningen Halmstad",
        "Region Halland",
        "24 mars 2026",
        "Erbjudande om vård",
        "Du kan få vård tidigare hos Ortopedkliniken i Åre.",
        NUMBER,
    ):
        assert part in page
    assert re.search(r"302 ?32 Halmstad", page)


def test_the_last_page_is_a_slip_with_yes_no_every_reason_and_the_number():
    content, pages = letter_pdf(letter())
    slip = " ".join(PdfReader(BytesIO(content)).pages[pages - 1].extract_text().split())
    for part in ("Svarstalong", "Ja", "Nej", "035-13 10 00", NUMBER, *DeclineReason.labels):
        assert str(part) in slip


@pytest.mark.parametrize(
    ("given", "family"),
    [
        ("Åke Ärlig", "Öström"),
        ("åäö", "éèüÉÜ"),
        ("Özgür", "Şahin"),
        ("Łukasz", "Żółć"),
        ("Sinéad", "O'Brien"),
        ("Ελένη", "Παπαδοπούλου"),
        ("Дмитрий", "Щербаков"),
    ],
)
def test_names_in_latin_greek_and_cyrillic_can_be_read_back(given, family):
    assert f"{given} {family}" in printed(letter(given_name=given, family_name=family))


@pytest.mark.parametrize("markup", ["#panic()", "*fet*", "$x$", r"\ \u{41}", "= Rubrik", "#d.qr"])
def test_markup_in_what_people_wrote_is_printed_as_it_stands(markup):
    page = printed(letter(given_name=markup, subject=f"Om {markup}", body=f"Text {markup} slut."))
    assert f"{markup} Öberg" in page
    assert f"Om {markup}" in page
    assert f"Text {markup} slut." in page


def test_the_count_of_pages_is_the_files_own_and_stands_on_each_page():
    content, pages = letter_pdf(
        letter(body="\n\n".join(["Ett långt stycke om vården. " * 20] * 12))
    )
    reader = PdfReader(BytesIO(content))
    assert pages == len(reader.pages)
    assert 3 <= pages <= 4
    for number, page in enumerate(reader.pages, start=1):
        assert f"Sida {number} av {pages}" in " ".join(page.extract_text().split())


def test_a_usual_letter_is_one_page_and_its_slip():
    assert letter_pdf(letter())[1] == 2


def test_all_of_a_long_text_is_there():
    marks = [f"Stycke nummer {n}." for n in range(60)]
    page = printed(letter(body="\n\n".join(marks)))
    assert [mark for mark in marks if mark not in page] == []


@pytest.mark.parametrize("protection", sorted(Patient.PROTECTED))
def test_a_protected_identity_shows_neither_name_nor_address(protection):
    page = printed(letter(protection=protection, street="", postal_code="", town=""))
    assert "Förmedlas av Skatteverket" in page
    assert NUMBER in page
    assert "Åsa" not in page
    assert "Öberg" not in page


def test_no_address_leaves_the_name_alone_in_the_window():
    page = printed(letter(street="", postal_code="", town=""))
    assert "Åsa Öberg" in page
    assert "None" not in page


def test_a_region_without_a_telephone_still_has_a_whole_letter():
    made = letter()
    made.case.region.navigator_phone = ""
    page = printed(made)
    assert "ringa Vårdlotsarna." in page
    assert "None" not in page


def test_windows_line_ends_part_paragraphs_too():
    unix = letter_pdf(letter(body="Ett.\n\nTvå."))[0]
    assert letter_pdf(letter(body="Ett.\r\n\r\nTvå."))[0] == unix


def test_the_same_letter_has_the_same_checksum():
    first, second = (hashlib.sha256(letter_pdf(letter())[0]).hexdigest() for _ in range(2))
    assert first == second


def test_it_is_the_same_from_every_thread_and_compiler(monkeypatch):
    first = letter_pdf(letter())[0]
    monkeypatch.setattr(typesetting, "_idle", lambda template: [])
    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(lambda _turn: letter_pdf(letter())[0], range(8)))
    assert set(made) == {first}


def test_it_declares_pdf_a_2a_and_pdf_ua_1():
    metadata = PdfReader(BytesIO(letter_pdf(letter())[0])).root_object["/Metadata"].get_data()
    assert b"<pdfaid:part>2</pdfaid:part>" in metadata
    assert b"<pdfaid:conformance>A</pdfaid:conformance>" in metadata
    assert b"<pdfuaid:part>1</pdfuaid:part>" in metadata


def test_it_tells_its_language_title_and_author_and_is_tagged():
    reader = PdfReader(BytesIO(letter_pdf(letter())[0]))
    root: Any = reader.root_object
    assert (root["/Lang"], reader.metadata.author) == ("sv", "Region Halland")
    assert reader.metadata.title == f"Erbjudande om vård {NUMBER}"
    assert root["/MarkInfo"]["/Marked"]
    assert root["/StructTreeRoot"]["/K"]
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert not reader.is_encrypted


def test_every_font_in_it_is_embedded_with_the_signs_it_maps_to():
    body = "Hej مرحبا ሰላም สวัสดี 您好"
    pages: Any = PdfReader(BytesIO(letter_pdf(letter(body=body))[0])).pages
    fonts = {
        str(font["/BaseFont"]): font
        for page in pages
        for font in (entry.get_object() for entry in page["/Resources"]["/Font"].values())
    }
    assert len(fonts) >= 6
    for font in fonts.values():
        assert "/ToUnicode" in font
        described = font["/DescendantFonts"][0]["/FontDescriptor"]
        assert {"/FontFile2", "/FontFile3"} & set(described)


@pytest.mark.parametrize("paragraphs", [0, 1, 12, 25, 45])
def test_the_pages_that_the_metadata_tell_are_those_that_are_there(paragraphs):
    content, pages = letter_pdf(
        letter(body="\n\n".join(["Ett stycke om vården. " * 5] * paragraphs))
    )
    assert pages == len(PdfReader(BytesIO(content)).pages)


# What is refused


def test_four_pages_are_printed_and_five_are_not():
    part = "Ett långt stycke om vården. " * 20
    assert letter_pdf(letter(body="\n\n".join([part] * 18)))[1] == 4
    with pytest.raises(LetterRefused, match="Brevet blir 5 sidor, och ett brev får ha högst 4"):
        letter_pdf(letter(body="\n\n".join([part] * 22)))


@pytest.mark.parametrize("sign", ["å", "\n\nå", "å ", "W"])
def test_a_text_past_all_measure_is_refused_at_once(sign):
    with pytest.raises(LetterRefused, match="längre än de fyra sidor"):
        letter_pdf(letter(body=sign * 60_001))


def test_more_than_the_printer_takes_is_refused(monkeypatch):
    monkeypatch.setattr(pdf, "MAX_BYTES", 10_000)
    with pytest.raises(LetterRefused, match="3 MB"):
        letter_pdf(letter())


@pytest.mark.parametrize("body", ["", " \n\n \n", "Erbjudande om vård"])
def test_a_letter_without_text_of_its_own_is_still_a_letter(body):
    content, pages = letter_pdf(letter(body=body))
    assert pages == 2
    assert text(content).count("Erbjudande om vård") == 1
