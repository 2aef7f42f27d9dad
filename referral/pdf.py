"""The certificate, the patient's extract and the log extract as PDF."""

from datetime import date, datetime
from decimal import Decimal

from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from organisations.typesetting import compile_pdf, qr_svg
from referral.models import Certificate
from referral.patient_extract import Fact, PatientExtract
from referral.selectors.log_extract import Extract, Occasion

TEMPLATE = "referral/certificate.typ"
LOG_EXTRACT = "referral/log_extract.typ"
EXTRACT_TEMPLATE = "referral/privacy/extract.typ"


def certificate_pdf(certificate: Certificate) -> bytes:
    """The vårdgarantiintyg, PDF/A, from what was certified alone; marked when revoked.

    Of a protected identity it says the number and not the name, as the receiving provider's page
    does. The number is what tells the provider who the patient is (patientdatalagen 3 kap. 6 §)
    and what the region is billed for; a paper that is printed, scanned and filed by people outside
    the patient's care need not carry the name as well (OSL 21 kap. 3 §, 25 kap. 1 §).
    """
    content = certificate.content
    protected = _is_protected(certificate)
    data = {key: "" if value is None else value for key, value in content.items()} | {
        "number": certificate.number,
        "protected": protected,
        "patient_name": _("Skyddad identitet") if protected else content["patient_name"],
        "issued": _day(timezone.localdate(certificate.issued_at)),
        "valid_to": _day(certificate.valid_to),
        "revoked": _day(timezone.localdate(certificate.revoked_at))
        if certificate.revoked_at
        else "",
        "price": number_format(Decimal(content["price_sek"]), 0, force_grouping=True),
        "qr": qr_svg(certificate.number, dark="#12344a"),
    }
    return compile_pdf(TEMPLATE, data, at=certificate.issued_at)


def _is_protected(certificate: Certificate) -> bool:
    """As it is now: the mark may have come after the certificate, or been lifted."""
    if certificate._state.adding:
        return bool(certificate.content["protected"])
    return certificate.case.patient.is_protected


def log_extract_pdf(extract: Extract, *, at: datetime) -> bytes:
    """The loggutdrag that a patient has asked for, PDF/A."""
    data = {
        "region": extract.region,
        "made": _day(timezone.localdate(at)),
        "number": extract.number,
        "cases": extract.cases,
        "rows": [
            [_day(one.day), _hours(one), one.unit, one.role, _what(one)]
            for one in extract.occasions
        ],
    }
    return compile_pdf(LOG_EXTRACT, data, at=at)


def _what(one: Occasion) -> str:
    return f"{one.what} ({one.case_number})" if one.case_number else one.what


def _hours(one: Occasion) -> str:
    first, last = (f"{timezone.localtime(at):%H.%M}" for at in (one.first, one.last))
    if one.times == 1:
        return first
    span = first if first == last else f"{first}–{last}"
    return f"{span}, {one.times} gånger"


def extract_pdf(extract: PatientExtract) -> bytes:
    """All that the region's cases hold on the patient, to be read by the patient."""
    made_at = extract.made[0].value
    data = {
        "number": extract.number,
        "made": _pairs(extract.made),
        "patient": _pairs(extract.patient),
        "cases": [
            {
                "number": number,
                "parts": [
                    {"title": part.title, "rows": [_pairs(row) for row in part.rows]}
                    for part in parts
                ],
            }
            for number, parts in extract.cases
        ],
    }
    return compile_pdf(EXTRACT_TEMPLATE, data, at=made_at)


def _pairs(facts: list[Fact]) -> list[list[str]]:
    return [[fact.label, fact.text] for fact in facts if fact.text != "–"]


def _day(day: date) -> str:
    return f"{day:%Y-%m-%d}"
