"""What is done to patients."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from organisations.access import as_product
from organisations.errors import InvalidInput
from organisations.models import Municipality
from patients.identity import IdentityNumber
from patients.models import Patient
from patients.selectors import identity_hashes, patient_with

# What may be put right about a known patient; the identity number is another patient's or none's.
CORRECTABLE = (
    *("given_name", "family_name", "municipality", "street", "postal_code", "town", "phone"),
    "language",
)


DEPARTURES = ("deceased_on", "emigrated_on")


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


CONTACT_FIELDS = tuple(field.name for field in fields(ContactDetails))
# Whoever comes at the same moment has been registered at the second try.
REGISTER_TRIES = 3


def register_patient(
    identity: IdentityNumber, *, contact: ContactDetails, now: datetime
) -> Patient:
    """Find or create the patient and take over the newest contact details.

    A protected identity loses its address and municipality (design 5.6), and stays protected
    when a later form does not mention it: only a region administrator may lift protection.
    """
    return register_patients([(identity, contact)], now=now)[0]


@transaction.atomic
@as_product("patient register")
def register_patients(
    wanted: Sequence[tuple[IdentityNumber, ContactDetails]], *, now: datetime
) -> list[Patient]:
    """As :func:`register_patient` for each in turn, in a few statements however many they are."""
    for _try in range(REGISTER_TRIES - 1):
        try:
            with transaction.atomic():
                return _register(wanted, now=now)
        except IntegrityError as error:  # somebody else registered one of them meanwhile
            if "identity_hash" not in str(error):
                raise
    return _register(wanted, now=now)


def _register(
    wanted: Sequence[tuple[IdentityNumber, ContactDetails]], *, now: datetime
) -> list[Patient]:
    hashes = {identity.value: identity_hashes(identity) for identity, _contact in wanted}
    by_hash = {
        patient.identity_hash: patient
        for patient in Patient.objects.select_for_update(of=("self",))
        .filter(identity_hash__in=[digest for known in hashes.values() for digest in known])
        .order_by("pk")
    }
    patients = {
        number: by_hash[digest]
        for number, known in hashes.items()
        for digest in known
        if digest in by_hash
    }
    new: dict[str, Patient] = {}
    changed: dict[str, Patient] = {}
    for identity, contact in wanted:
        if identity.value not in patients:
            patients[identity.value] = new[identity.value] = Patient(
                identity_number=identity.value,
                identity_kind=identity.kind,
                birth_date=identity.birth_date,
                sex=identity.sex,
                created_at=now,
            )
        patient, current = patients[identity.value], hashes[identity.value][0]
        stale = patient.identity_hash != current  # under an older key
        patient.identity_hash = current
        if (_take_details(patient, contact) or stale) and identity.value not in new:
            changed[identity.value] = patient
    Patient.objects.bulk_create(new.values())
    if changed:
        Patient.objects.bulk_create(
            changed.values(),
            update_conflicts=True,
            unique_fields=["id"],
            update_fields=[*CONTACT_FIELDS, "identity_hash", "neighbourhood_hash"],
        )
    return [patients[identity.value] for identity, _contact in wanted]


def _take_details(patient: Patient, contact: ContactDetails) -> bool:
    """Take over what the clinic knows now; whether anything is another than before."""
    details = {name: getattr(contact, name) for name in CONTACT_FIELDS}
    if patient.is_protected and contact.protection == Patient.Protection.NONE:
        details["protection"] = patient.protection
    if details["protection"] != Patient.Protection.NONE:
        details |= {"street": "", "postal_code": "", "town": "", "municipality": None}
    columns = {"municipality_id" if n == "municipality" else n: v for n, v in details.items()}
    municipality = columns["municipality_id"]
    columns["municipality_id"] = municipality.pk if municipality else None
    before = {name: getattr(patient, name) for name in columns}
    for name, value in columns.items():
        setattr(patient, name, value)
    return before != columns


@transaction.atomic
@as_product("patient register")
def correct_details(
    patient: Patient, *, contact: ContactDetails
) -> tuple[Patient, dict[str, list[Any]]]:
    """Put the patient's details right; returns what changed as ``{field: [before, after]}``.

    Protection is not changed here, and a protected identity gets no address. Raises
    :class:`InvalidInput` by field for what the columns cannot hold.
    """
    locked = Patient.objects.select_for_update(of=("self",)).get(pk=patient.pk)
    if locked.is_protected:
        contact = ContactDetails(
            given_name=contact.given_name,
            family_name=contact.family_name,
            phone=contact.phone,
            language=contact.language,
        )
    changes: dict[str, list[Any]] = {}
    for name in CORRECTABLE:
        column = "municipality_id" if name == "municipality" else name
        before = getattr(locked, column)
        value = getattr(contact, name)
        after = (value.pk if value else None) if name == "municipality" else value.strip()
        if before != after:
            changes[name] = [before, after]
            setattr(locked, column, after)
    _refuse_what_columns_cannot_hold(locked, changes)
    locked.save(update_fields=[*changes, "neighbourhood_hash"])
    return locked, changes


def _refuse_what_columns_cannot_hold(patient: Patient, changes: dict[str, list[Any]]) -> None:
    if not re.fullmatch(r"(?:[0-9]{5})?", patient.postal_code):
        text = _("Postnumret har fem siffror.")
        raise InvalidInput(text, fields={"postal_code": text})
    fields = {field.name for field in patient._meta.fields}
    try:
        patient.clean_fields(exclude=fields - set(changes))
    except ValidationError as error:
        problems = {name: " ".join(texts) for name, texts in error.message_dict.items()}
        raise InvalidInput(_("Uppgifterna behöver rättas."), fields=problems) from error


@transaction.atomic
@as_product("patient register")
def protect_identity(patient: Patient, *, protection: str) -> Patient:
    """Mark the identity as protected: the address goes, and the name leaves every list."""
    if protection not in Patient.PROTECTED:
        text = _("Välj sekretessmarkering eller skyddad folkbokföring.")
        raise InvalidInput(text, fields={"protection": text})
    locked = Patient.objects.select_for_update(of=("self",)).get(pk=patient.pk)
    locked.protection = protection
    locked.street = locked.postal_code = locked.town = ""
    locked.municipality = None
    locked.save(
        update_fields=[
            *("protection", "street", "postal_code", "town", "municipality", "neighbourhood_hash")
        ]
    )
    return locked


@transaction.atomic
@as_product("patient register")
def lift_protection(patient: Patient) -> Patient:
    """Take the mark away. The address does not come back by itself."""
    locked = Patient.objects.select_for_update(of=("self",)).get(pk=patient.pk)
    locked.protection = Patient.Protection.NONE
    locked.save(update_fields=["protection"])
    return locked


@transaction.atomic
@as_product("patient register")
def record_departure(patient: Patient, *, kind: str, on: date, today: date) -> Patient:
    """The patient has died or moved abroad, which stops everything that would be sent.

    ``kind`` is ``deceased_on`` or ``emigrated_on``. Raises :class:`InvalidInput` for a day to
    come or before birth.
    """
    if kind not in DEPARTURES:
        text = _("Välj avliden eller utflyttad.")
        raise InvalidInput(text, fields={"kind": text})
    locked = Patient.objects.select_for_update(of=("self",)).get(pk=patient.pk)
    if on > today:
        text = _("Dagen har inte varit än.")
        raise InvalidInput(text, fields={"on": text})
    if locked.birth_date and on < locked.birth_date:
        text = _("Dagen ligger före patientens födelse.")
        raise InvalidInput(text, fields={"on": text})
    setattr(locked, kind, on)
    locked.save(update_fields=[kind])
    return locked


@transaction.atomic
@as_product("patient register")
def take_back_departure(patient: Patient) -> Patient:
    """The patient lives in Sweden after all, or has moved home."""
    locked = Patient.objects.select_for_update(of=("self",)).get(pk=patient.pk)
    locked.deceased_on = locked.emigrated_on = None
    locked.save(update_fields=[*DEPARTURES])
    return locked


@transaction.atomic
@as_product("patient register")
def find_or_register(
    identity: IdentityNumber, *, given_name: str, family_name: str, now: datetime
) -> Patient:
    """The patient with this number as known, else a new one under the name given."""
    known = patient_with(identity)
    if known is not None:
        return known
    contact = ContactDetails(given_name=given_name.strip(), family_name=family_name.strip())
    _refuse_what_columns_cannot_hold(
        Patient(given_name=contact.given_name, family_name=contact.family_name),
        {"given_name": [], "family_name": []},
    )
    return register_patient(identity, contact=contact, now=now)
