"""What is done to patients."""

from dataclasses import asdict, dataclass
from datetime import datetime

from django.db import transaction

from organisations.access import as_product
from organisations.models import Municipality
from patients.identity import IdentityNumber
from patients.models import Patient
from patients.selectors import identity_hashes


@dataclass(frozen=True, kw_only=True)
class ContactDetails:
    """How the patient is called and reached, as the clinic knows it now."""

    given_name: str
    family_name: str
    municipality: Municipality | None = None
    protection: str = Patient.Protection.NONE
    street: str = ""
    postal_code: str = ""
    town: str = ""
    phone: str = ""
    language: str = ""


@transaction.atomic
@as_product("patient register")
def register_patient(
    identity: IdentityNumber, *, contact: ContactDetails, now: datetime
) -> Patient:
    """Find or create the patient and take over the newest contact details.

    A protected identity loses its address and municipality (design 5.6), and stays protected
    when a later form does not mention it: only a region administrator may lift protection.
    """
    hashes = identity_hashes(identity)
    known = Patient.objects.select_for_update().filter(identity_hash__in=hashes).first()
    details = asdict(contact) | {"municipality": contact.municipality}
    if known and known.is_protected and contact.protection == Patient.Protection.NONE:
        details["protection"] = known.protection
    if details["protection"] != Patient.Protection.NONE:
        details |= {"street": "", "postal_code": "", "town": "", "municipality": None}
    patient, _created = Patient.objects.update_or_create(
        identity_hash=known.identity_hash if known else hashes[0],
        defaults=details,
        create_defaults=details
        | {
            "identity_number": identity.value,
            "identity_kind": identity.kind,
            "birth_date": identity.birth_date,
            "sex": identity.sex,
            "created_at": now,
        },
    )
    return patient
