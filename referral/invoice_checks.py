"""What an invoice says of a case against what was reported (contracts.invoice_checks)."""

from collections.abc import Collection, Iterator
from datetime import date

from django.utils import timezone
from django.utils.translation import gettext as _

from contracts.invoice_checks import Facts, register_check, register_facts, register_patients
from contracts.models import CallOff, Deviation, InvoiceLine
from organisations.access import as_product
from referral import patient_extract
from referral.models import Case, Certificate, Offer, Referral
from referral.patient_extract import Part


def register_all() -> None:
    register_check("referral", deviations_of)
    register_facts(facts_of)
    register_patients(patients_of)
    patient_extract.register_part("invoices", part_of)


def deviations_of(line: InvoiceLine, call_off: CallOff) -> Iterator[Deviation]:
    """The day of treatment and the certificate of the offer that the call-off was made for."""
    offer = _offer_of(call_off)
    if offer is None:
        return
    treated_on = _treated_on(offer)
    # Inpatient care is invoiced as a period; the treatment is one day of it.
    if (
        treated_on
        and line.treated_from
        and line.treated_to
        and not line.treated_from <= treated_on <= line.treated_to
    ):
        yield Deviation.DATE
    certificate: Certificate | None = getattr(offer, "certificate", None)
    if not line.certificate_number:
        yield Deviation.CERTIFICATE_MISSING
    elif certificate is None or certificate.number != line.certificate_number:
        yield Deviation.CERTIFICATE_OTHER
    elif treated_on and not _held_on(certificate, treated_on):
        yield Deviation.CERTIFICATE_INVALID


def facts_of(call_off: CallOff) -> Facts | None:
    """Of the offer that the call-off was made for. Names nobody."""
    with as_product("invoices"):
        offer = _offer_of(call_off)
    if offer is None:
        return None
    certificate: Certificate | None = getattr(offer, "certificate", None)
    return Facts(_treated_on(offer), certificate.number if certificate else "")


def _offer_of(call_off: CallOff) -> Offer | None:
    offers = Offer.objects.select_related("referral", "certificate")
    return offers.filter(call_off=call_off).first()


def _treated_on(offer: Offer) -> date | None:
    referral: Referral | None = getattr(offer, "referral", None)
    return referral.treated_on if referral else None


@as_product("access log")
def patients_of(numbers: Collection[str]) -> dict[str, int]:
    """The patient of each case, also of one that the patient keeps from the person who looks."""
    return dict(Case.objects.filter(number__in=numbers).values_list("number", "patient_id"))


def _held_on(certificate: Certificate, day: date) -> bool:
    issued_on = timezone.localdate(certificate.issued_at)
    return certificate.revoked_at is None and issued_on <= day <= certificate.valid_to


def part_of(case: Case) -> Part:
    """What was invoiced for the case, in the patient's extract."""
    names = ("invoice", "text", "certificate_number", "treated_from", "treated_to", "quantity")
    lines = InvoiceLine.objects.filter(case_number=case.number, invoice__region_id=case.region_id)
    rows = [
        patient_extract.facts_of(line, *names, "amount_sek", "state")
        for line in lines.select_related("invoice").order_by("pk")
    ]
    return Part("invoices", _("Fakturor"), rows)
