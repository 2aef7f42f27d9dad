"""The letter as PDF: what stands on it is read back out of it. Nothing is stored."""

import hashlib
import re
from io import BytesIO

import pytest
from pypdf import PdfReader

from notices.models import Notice
from notices.pdf import letter_pdf
from organisations.models import CareUnit, Region
from patients.models import Patient
from referral.models import Case, DeclineReason
from tests.factories import stockholm

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


def test_it_declares_pdf_a_2a_and_pdf_ua_1():
    metadata = PdfReader(BytesIO(letter_pdf(letter())[0])).root_object["/Metadata"].get_data()
    assert b"<pdfaid:part>2</pdfaid:part>" in metadata
    assert b"<pdfaid:conformance>A</pdfaid:conformance>" in metadata
    assert b"<pdfuaid:part>1</pdfuaid:part>" in metadata
