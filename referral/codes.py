"""ICD-10-SE codes: shape only; the shipped list gives names (referral/reference)."""

import re

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

# A letter, two digits, and up to three more characters after a dot; a Swedish fifth position
# may be a letter (M17.1F, C50.9W).
ICD10_PATTERN = r"^[A-Z][0-9]{2}(\.[0-9A-Z-]{1,3})?$"


def validate_icd10(value: str) -> None:
    if not re.fullmatch(ICD10_PATTERN, value):
        raise ValidationError(
            _("En diagnoskod har en bokstav och två siffror, till exempel M17.1."), code="icd10"
        )


def normalise_icd10(text: str) -> str:
    """``m171`` and ``M17,1`` become ``M17.1``."""
    compact = re.sub(r"[\s.,]", "", text).upper()
    return compact if len(compact) <= 3 else f"{compact[:3]}.{compact[3:]}"
