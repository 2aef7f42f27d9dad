"""The certificate as PDF, from what was certified and nothing else."""

from datetime import date
from decimal import Decimal

from django.utils import timezone
from django.utils.formats import number_format

from organisations.typesetting import compile_pdf, qr_svg
from referral.models import Certificate

TEMPLATE = "referral/certificate.typ"


def certificate_pdf(certificate: Certificate) -> bytes:
    """The vårdgarantiintyg, PDF/A; marked as revoked once it is."""
    content = certificate.content
    data = {key: "" if value is None else value for key, value in content.items()} | {
        "number": certificate.number,
        "issued": _day(timezone.localdate(certificate.issued_at)),
        "valid_to": _day(certificate.valid_to),
        "revoked": _day(timezone.localdate(certificate.revoked_at))
        if certificate.revoked_at
        else "",
        "price": number_format(Decimal(content["price_sek"]), 0, force_grouping=True),
        "qr": qr_svg(certificate.number),
    }
    return compile_pdf(TEMPLATE, data, at=certificate.issued_at)


def _day(day: date) -> str:
    return f"{day:%Y-%m-%d}"
