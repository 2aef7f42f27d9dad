"""What a person, a place and a unit must hold, said at the field in Swedish."""

import re
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from organisations.administration.authority import Place
from organisations.errors import InvalidInput
from organisations.models import HSA_ID_PATTERN, Role

MAX_NAME = 120
HSA_ID_HELP = "SE2321000016-AB12"


def is_hsa_id(text: str) -> bool:
    return re.fullmatch(HSA_ID_PATTERN, text) is not None


def clean_hsa_id(text: str) -> str:
    """As it is written in the directory: no spaces, capitals."""
    return "".join(text.split()).upper()


def refuse(problems: dict[str, Any]) -> None:
    """Raise what was found, if anything."""
    if problems:
        raise InvalidInput(_("Uppgifterna behöver rättas."), fields=problems)


def check_person(*, name: str, email: str, hsa_id: str) -> None:
    problems = {}
    if not name.strip() or len(name) > MAX_NAME or not name.isprintable():
        problems["name"] = _("Skriv personens namn, högst 120 tecken.")
    try:
        validate_email(email.strip())
    except ValidationError:
        problems["email"] = _("Skriv en e-postadress, till exempel namn@regionen.se.")
    if len(email) > 254:
        problems["email"] = _("E-postadressen är för lång.")
    if hsa_id and not is_hsa_id(hsa_id):
        problems["hsa_id"] = hsa_id_text()
    refuse(problems)


def check_home(*, street: str, postal_code: str) -> dict[str, str]:
    """The home address as it is kept: both parts or neither."""
    street, code = street.strip(), "".join(postal_code.split())
    problems = {}
    if len(street) > MAX_NAME or (street and not street.isprintable()) or (code and not street):
        problems["home_street"] = _("Skriv gatuadressen, högst 120 tecken.")
    if (code or street) and not re.fullmatch(r"[0-9]{5}", code):
        problems["home_postal_code"] = _("Postnumret har fem siffror.")
    refuse(problems)
    return {"home_street": street, "home_postal_code": code}


def hsa_id_text() -> str:
    return _("HSA-id skrivs som %(example)s.") % {"example": HSA_ID_HELP}


def check_place(role: str, place: Place) -> None:
    """The place must be what the role needs, and a unit must be open."""
    problems: dict[str, Any] = {}
    unit = place.care_unit
    if role == Role.CLINIC and not (unit and unit.sends):
        problems["care_unit"] = _("Välj kliniken, en enhet som avsänder patienter.")
    if role == Role.PROVIDER and not place.provider:
        problems["care_unit"] = _("Välj den mottagande enheten eller vårdgivaren.")
    if role == Role.PROVIDER and unit and not unit.receives:
        problems["care_unit"] = _("Välj en enhet som tar emot patienter.")
    if unit and not unit.is_active:
        problems["care_unit"] = _("Enheten är stängd.")
    if role not in {Role.PROVIDER, Role.OPERATOR} and not place.region:
        problems["region"] = _("Välj region.")
    refuse(problems)
