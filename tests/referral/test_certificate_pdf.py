"""The certificate as PDF: all that was certified stands on one page. Nothing is stored."""

from datetime import date, datetime
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader

from patients.models import Patient
from referral.models import CaseState, Certificate
from referral.pdf import certificate_pdf
from tests.factories import make_case, stockholm

NUMBER = "13-26-000001-7/1"
CONTENT = {
    "case_number": "13-26-000001-7",
    "region": "Region Halland",
    "region_code": "13",
    "navigator_unit": "Vårdlotsarna",
    "navigator_phone": "035-13 10 00",
    "patient_name": "Åsa Öberg",
    "identity_number": "19121212-1212",
    "protected": False,
    "kva": "NGB49",
    "procedure": "Primär totalprotes i knäled",
    "icd10": "M17.1",
    "phase": "Behandling",
    "sending_unit": "Ortopedmottagningen Halmstad",
    "sending_unit_hsa_id": "SE2321000115-1001",
    "provider": "Västkustens Ortopedi AB",
    "organisation_number": "5560360793",
    "care_unit": "Ortopedkliniken Göteborg",
    "care_unit_hsa_id": "SE5560360793-2001",
    "contract": "HAL-2025-014",
    "reimbursement": "Fast pris per vårdtillfälle",
    "price_sek": "98500.00",
    "included": "Operation, vård, återbesök",
}


def certificate(*, revoked_at: datetime | None = None, **content: Any) -> Certificate:
    return Certificate(
        serial=1,
        number=NUMBER,
        issued_at=stockholm(2026, 3, 10, 9),
        valid_to=date(2026, 9, 6),
        revoked_at=revoked_at,
        content=CONTENT | content,
    )


def printed(made: Certificate) -> str:
    """All text of the PDF, with every run of white space, hard spaces too, as one space."""
    pages = PdfReader(BytesIO(certificate_pdf(made))).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


def test_all_that_was_certified_stands_on_it():
    page = printed(certificate())
    shown = CONTENT.keys() - {"region_code", "protected", "organisation_number", "price_sek"}
    assert {key for key in shown if str(CONTENT[key]) not in page} == set()
    assert "Vårdgarantiintyg" in page
    assert NUMBER in page
    assert "556036-0793" in page
    assert "2026-03-10" in page
    assert "2026-09-06" in page


def test_a_protected_identity_has_its_number_and_not_its_name():
    page = printed(certificate(protected=True))
    assert "Åsa Öberg" not in page
    assert "Skyddad identitet" in page
    assert "19121212-1212" in page
    assert "Kontakt går genom Vårdlotsarna." in page
    assert "skyddade personuppgifter" not in printed(certificate())


@pytest.mark.django_db
def test_a_mark_that_comes_after_the_certificate_hides_the_name_too():
    made = make_case(CaseState.ACCEPTED, given_name="Hemliga", family_name="Undansson")
    assert "Undansson" in printed(made.certificate)
    Patient.objects.update(protection="sekretessmarkering")
    made.refresh()
    assert "Undansson" not in printed(made.certificate)


def test_the_price_is_written_as_in_sweden():
    assert "98 500 kr" in printed(certificate())


def test_it_says_what_the_invoice_quotes_and_what_the_patient_pays():
    page = printed(certificate())
    assert f"Ange intygets nummer {NUMBER} på fakturan." in page
    assert "patientavgiften" in page


def test_only_a_revoked_one_says_so_and_when():
    assert "ÅTERKALLAT" not in printed(certificate())
    assert "ÅTERKALLAT 2026-04-01" in printed(certificate(revoked_at=stockholm(2026, 4, 1, 10)))


@pytest.mark.parametrize(
    "name",
    [
        "ÅÄÖ åäö éü",
        "Özgür Şahin",
        "Łukasz Żółć",
        "Sinéad O'Brien",
        "Ελένη Παπαδοπούλου",
        "Дмитрий Щербаков",
    ],
)
def test_names_in_latin_greek_and_cyrillic_can_be_read_back(name):
    assert name in printed(certificate(patient_name=name))


@pytest.mark.parametrize("markup", ["#panic()", "*fet*", "$x$", r"\ \u{41}", "= Rubrik"])
def test_markup_in_the_data_is_printed_as_it_stands(markup):
    page = printed(certificate(patient_name=markup, included=f"Vård {markup} slut"))
    assert page.count(markup) == 2


def test_what_is_empty_is_said_in_words_and_never_none():
    page = printed(certificate(reimbursement=None, included="", navigator_phone=""))
    assert page.count("Enligt avtalet") == 2
    assert "None" not in page


@pytest.mark.parametrize("revoked_at", [None, stockholm(2026, 4, 1)])
def test_it_is_one_page(revoked_at):
    made = certificate(revoked_at=revoked_at, included="Operation, vård och återbesök. " * 8)
    assert len(PdfReader(BytesIO(certificate_pdf(made))).pages) == 1


def test_the_same_certificate_is_the_same_bytes():
    assert certificate_pdf(certificate()) == certificate_pdf(certificate())


def test_it_declares_pdf_a_2b():
    root = PdfReader(BytesIO(certificate_pdf(certificate()))).root_object
    metadata = root["/Metadata"].get_data()
    assert b"<pdfaid:part>2</pdfaid:part>" in metadata
    assert b"<pdfaid:conformance>B</pdfaid:conformance>" in metadata
