"""KVÅ codes: shape and how a code on a contract covers a requested one.

KVÅ (Socialstyrelsen) has three letters and two digits for procedures of the KKÅ97 part, two
letters and three digits for others. Three characters name a group of the KKÅ97 part.
"""

import re

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

KVA_PATTERN = r"^([A-Z]{3}([0-9]{2})?|[A-Z]{2}[0-9]{3})$"


def validate_kva(value: str) -> None:
    """Refuse what is not shaped like a KVÅ code at three-character level or finer."""
    if not re.fullmatch(KVA_PATTERN, value):
        raise ValidationError(
            _("En KVÅ-kod har tre bokstäver och eventuellt två siffror, till exempel NGB49."),
            code="kva",
        )


def covering_codes(kva: str) -> list[str]:
    """The codes that cover ``kva`` on a contract: itself and its three-character group.

    What is no code, since it is still being typed, is covered by itself alone.
    """
    return [kva] if len(kva) <= 3 or kva[2].isdigit() else [kva, kva[:3]]
