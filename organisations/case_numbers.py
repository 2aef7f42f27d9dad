"""Case numbers ``CC-YY-NNNNNN-K`` (design 5.1).

County code, year, running number within region and year, and a Damm check digit over the other
ten digits: every single wrong digit and every swap of neighbours is refused.
"""

import re
from dataclasses import dataclass

from django.utils.translation import gettext as _
from stdnum import damm

NUMBER_PATTERN = r"^[0-9]{2}-[0-9]{2}-[0-9]{6}-[0-9]$"


class InvalidCaseNumber(ValueError):
    """The text is no case number; the message says why, in Swedish."""


@dataclass(frozen=True)
class CaseNumber:
    """A valid case number in its public form."""

    value: str

    @classmethod
    def build(cls, *, county: str, year: int, running: int) -> "CaseNumber":
        """The number for a region's county code, a year (four digits) and a running number."""
        if not 1 <= running <= 999_999:
            raise ValueError(f"running number {running} does not fit in six digits")
        digits = f"{county}{year % 100:02d}{running:06d}"
        return cls(f"{digits[:2]}-{digits[2:4]}-{digits[4:]}-{damm.calc_check_digit(digits)}")

    @classmethod
    def parse(cls, text: str) -> "CaseNumber":
        """Read a number as a person or a file gives it; hyphens and spaces may be left out.

        Raises :class:`InvalidCaseNumber`.
        """
        digits = re.sub(r"[\s\u2010-\u2015\u2212-]", "", text)
        if not re.fullmatch(r"[0-9]{11}", digits):
            raise InvalidCaseNumber(
                _("Ett ärendenummer har elva siffror, till exempel 13-26-000001-9.")
            )
        if not damm.is_valid(digits):
            raise InvalidCaseNumber(
                _("Ärendenumrets kontrollsiffra stämmer inte. Kontrollera siffrorna.")
            )
        return cls(f"{digits[:2]}-{digits[2:4]}-{digits[4:10]}-{digits[10]}")

    def __str__(self) -> str:
        return self.value
