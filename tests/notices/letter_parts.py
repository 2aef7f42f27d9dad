"""Letters that are not stored, and a reader of their PDF that shares no code with its writer."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy
import pypdfium2

from notices.models import Notice
from organisations.models import CareUnit, Region
from patients.models import Patient
from referral.models import Case
from tests.factories import stockholm

NUMBER = "13-26-000001-7"
LINK = f"http://127.0.0.1:8000/svar/{NUMBER}/"
BODY = "Hej!\n\nDu kan få vård tidigare hos Ortopedkliniken i Åre.\n\nResan ersätts."
MM = 72 / 25.4
A4_HEIGHT = 297.0


def letter(
    *,
    body: str = BODY,
    subject: str = "Erbjudande om vård",
    clinic: str = "Ortopedmottagningen Halmstad",
    number: str = NUMBER,
    **patient: str,
) -> Notice:
    region = Region(
        code="13",
        name="Region Halland",
        navigator_unit_name="Vårdlotsarna",
        navigator_phone="035-13 10 00",
    )
    person = {
        "given_name": "Åsa",
        "family_name": "Öberg",
        "street": "Ängsvägen 4",
        "postal_code": "30232",
        "town": "Halmstad",
    } | patient
    case = Case(
        number=number,
        region=region,
        patient=Patient(identity_number="191212121212", **person),
        sending_unit=CareUnit(name=clinic, region=region),
    )
    made = Notice(
        case=case,
        kind=Notice.Kind.OFFER_LETTER,
        channel=Notice.Channel.LETTER,
        subject=subject,
        body=body,
        due_at=stockholm(2026, 3, 24),
    )
    made.answer_serial = 1
    return made


@contextmanager
def pages_of(content: bytes) -> Iterator[list[pypdfium2.PdfPage]]:
    with pypdfium2.PdfDocument(content) as document:
        yield [document[number] for number in range(len(document))]


def text(content: bytes) -> str:
    """All text of the PDF, with every run of white space as one space."""
    with pages_of(content) as pages:
        return " ".join(" ".join(p.get_textpage().get_text_range() for p in pages).split())


def signs_of(page: pypdfium2.PdfPage) -> list[tuple[str, float, float, float, float]]:
    """Each printed sign with its box: left, top, right, bottom in mm from the left upper corner."""
    read = page.get_textpage()
    found = []
    for at in range(read.count_chars()):
        sign = read.get_text_range(at, 1)
        if sign.strip():
            left, bottom, right, top = (edge / MM for edge in read.get_charbox(at))
            found.append((sign, left, A4_HEIGHT - top, right, A4_HEIGHT - bottom))
    return found


def picture(page: pypdfium2.PdfPage, *, dots_per_mm: int = 4) -> numpy.ndarray:
    """The page in shades of grey, 255 white."""
    return page.render(scale=dots_per_mm / MM, grayscale=True).to_numpy()
