"""Letters as PDF in a window envelope; an offer has an answer slip."""

import io

from django.utils import timezone
from django.utils.formats import date_format
from pypdf import PdfReader

from notices.models import Notice
from notices.outgoing import body_of
from organisations.typesetting import compile_pdf, qr_svg
from referral.models import DeclineReason

TEMPLATE = "notices/letter.typ"


def letter_pdf(letter: Notice) -> tuple[bytes, int]:
    """The letter, PDF/A, and its number of pages.

    A patient with protected identity has no address here: Skatteverket forwards the letter, and
    neither name nor address stands on it.
    """
    case = letter.case
    patient, region, clinic = case.patient, case.region, case.sending_unit
    day = timezone.localdate(letter.due_at)
    address = [patient.full_name, patient.street, f"{patient.postal_code} {patient.town}".strip()]
    if patient.is_protected:
        address = ["Förmedlas av Skatteverket", f"Ärende {case.number}"]
    data = {
        "number": case.number,
        "subject": letter.subject,
        "body": [
            part for part in body_of(letter).replace("\r\n", "\n").split("\n\n") if part.strip()
        ],
        "address": [line for line in address if line],
        "clinic": clinic.name,
        "region": region.name,
        "navigator_unit": region.navigator_unit_name,
        "phone": region.navigator_phone,
        "date": date_format(day, "j F Y"),
        "reasons": [str(label) for label in DeclineReason.labels],
        # A booked time that goes by post asks for no answer.
        "answerable": letter.kind == Notice.Kind.OFFER_LETTER,
        "qr": qr_svg(case.number),
    }
    content = compile_pdf(TEMPLATE, data, at=letter.due_at)
    return content, len(PdfReader(io.BytesIO(content)).pages)
