"""What is done to patients."""

from dataclasses import asdict, dataclass
from datetime import datetime

from django.db import transaction

from organisations.access import as_product
from organisations.models import Municipality
from patients.identity import IdentityNumber
from patients.models import Patient


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
    known = Patient.objects.select_for_update().filter(identity_number=identity.value).first()
    details = asdict(contact) | {"municipality": contact.municipality}
    if known and known.is_protected and contact.protection == Patient.Protection.NONE:
        details["protection"] = known.protection
    if details["protection"] != Patient.Protection.NONE:
        details |= {"street": "", "postal_code": "", "town": "", "municipality": None}
    patient, _created = Patient.objects.update_or_create(
        identity_number=identity.value,
        defaults=details,
        create_defaults=details
        | {
            "identity_kind": identity.kind,
            "birth_date": identity.birth_date,
            "sex": identity.sex,
            "created_at": now,
        },
    )
    return patient
