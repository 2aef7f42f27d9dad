"""Reads of patients that other apps share."""

from typing import cast

from django.db.models.expressions import RawSQL
from django.utils.translation import gettext as _

from organisations.encrypted import KeyedHashField
from patients.identity import IdentityNumber
from patients.models import Patient


def label_of(field: str) -> str:
    """The Swedish name of a patient's column, with a capital letter."""
    if field == "municipality":
        return str(_("Hemkommun"))
    label = str(getattr(Patient._meta.get_field(field), "verbose_name", field))
    return label[:1].upper() + label[1:]


def identity_hashes(identity: IdentityNumber) -> list[str]:
    """What to look for in ``identity_hash__in``: the number is stored encrypted."""
    field = cast(KeyedHashField, Patient._meta.get_field("identity_hash"))
    return field.digests(identity.value)


def patients_named(words: list[str]) -> RawSQL:
    """Keys of patients whose names hold every word, for ``patient__in``; at most five words.

    Never a protected identity, whose name lists do not show. See
    patients/migrations/0002_search_by_name.py.
    """
    return RawSQL("SELECT patients_named(%s)", [words[:5]])


def patient_with(identity: IdentityNumber) -> Patient | None:
    """The patient who has this identity number, as far as the caller may see."""
    return Patient.objects.filter(identity_hash__in=identity_hashes(identity)).first()
