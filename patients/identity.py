"""Identity numbers: personnummer, samordningsnummer and reserve numbers as a type that parses.

Forms follow HL7 Sweden's base profiles (``PatientIdentifierConformancePatternSE``): twelve
characters without separator. A number is checked for form, date and check digit. What reserve
numbers hold is told by Inera ("Nationellt ReservID, specifikation 1.0"; "Lokala reservidn"): the
check digit of Stockholm's, Halland's and Västra Götaland's is public, that of the national ones is
not, so those are checked for form and date.
"""

import re
from dataclasses import dataclass
from datetime import date
from typing import Literal

from django.utils.translation import gettext as _
from stdnum import luhn

Kind = Literal["personnummer", "samordningsnummer", "reservnummer"]
Sex = Literal["F", "M", ""]

_SEPARATORS = re.compile(r"[\s\u2010-\u2015\u2212]")
# The national one: date, two letters (never I, O, Q, V, W), sex as digit or letter, check digit.
_NATIONAL_RESERVE = re.compile(r"^[0-9]{8}([A-HJ-NPR-UX-Z]{2}[0-9]{2}|[A-HJ-NPR-UX-Z]{3}[0-9])$")
_STOCKHOLM_RESERVE = re.compile(r"^99(19|20)[0-9]{8}$")
# Halland and Inera: a day from 32 to 59, which no personnummer has.
_HALLAND_RESERVE = re.compile(r"^(19|20)[0-9]{2}(0[1-9]|1[0-2])(3[2-9]|[45][0-9])[0-9]{4}$")
_VGR_RESERVE = re.compile(r"^[0-9]{8}[KMX](0[6-9]|[1-8][0-9])[0-9]$")
# Letters count as the last digit of their ASCII code.
_VGR_LETTERS = str.maketrans("KMX", "578")


class InvalidIdentityNumber(ValueError):
    """The text is no valid identity number; the message says why, in Swedish."""


@dataclass(frozen=True)
class IdentityNumber:
    """A valid identity number, twelve characters."""

    value: str
    kind: Kind
    birth_date: date | None
    sex: Sex

    @classmethod
    def parse(cls, text: str, *, today: date) -> "IdentityNumber":
        """Read a number with ten or twelve digits, with or without separator.

        ``today`` settles the century of a ten-digit number (``+`` means a hundred years or more)
        and refuses dates to come. Raises :class:`InvalidIdentityNumber`.
        """
        compact = _SEPARATORS.sub(lambda m: "-" if m.group().strip() else "", text).upper()
        if not compact:
            raise InvalidIdentityNumber(_("Ange ett personnummer."))
        if re.fullmatch(r"[0-9]{6}[-+]?[0-9]{4}", compact):
            compact = _with_century(compact, today=today)
        compact = compact.replace("-", "")
        if _STOCKHOLM_RESERVE.match(compact) or _HALLAND_RESERVE.match(compact):
            return cls._dateless_reserve(compact, today=today)
        if re.fullmatch(r"[0-9]{12}", compact):
            return cls._civic(compact, today=today)
        return cls._lettered_reserve(compact, today=today)

    @classmethod
    def _civic(cls, digits: str, *, today: date) -> "IdentityNumber":
        day = int(digits[6:8])
        kind: Kind = "samordningsnummer" if day > 60 else "personnummer"
        if kind == "samordningsnummer":
            day -= 60
        birth_date = _date(int(digits[:4]), int(digits[4:6]), day, today=today)
        _require_check_digit(digits[2:])
        return cls(digits, kind, birth_date, "M" if int(digits[10]) % 2 else "F")

    @classmethod
    def _dateless_reserve(cls, digits: str, *, today: date) -> "IdentityNumber":
        stockholm = digits.startswith("99")
        year = int(digits[2:6]) if stockholm else int(digits[:4])
        if year > today.year:
            raise InvalidIdentityNumber(_("Reservnumrets år ligger i framtiden."))
        _require_check_digit(digits[4:] if stockholm else digits[2:])
        return cls(digits, "reservnummer", None, "")

    @classmethod
    def _lettered_reserve(cls, compact: str, *, today: date) -> "IdentityNumber":
        if _VGR_RESERVE.match(compact):
            birth_date = _date_of(compact[:8], today=today)
            _require_check_digit(compact[2:].translate(_VGR_LETTERS))
            sexes: dict[str, Sex] = {"K": "F", "M": "M", "X": ""}
            return cls(compact, "reservnummer", birth_date, sexes[compact[8]])
        if _NATIONAL_RESERVE.match(compact):
            sex: Sex = ""
            if compact[10].isdigit():
                sex = "M" if int(compact[10]) % 2 else "F"
            return cls(compact, "reservnummer", _national_date(compact, today=today), sex)
        raise InvalidIdentityNumber(
            _("Skriv numret med tio eller tolv siffror, till exempel 19121212-1212.")
        )

    @property
    def formatted(self) -> str:
        """The number as people write it: ``19121212-1212``."""
        return f"{self.value[:8]}-{self.value[8:]}"

    def __str__(self) -> str:
        return self.value


def _require_check_digit(digits: str) -> None:
    if not luhn.is_valid(digits):
        raise InvalidIdentityNumber(
            _("Kontrollsiffran stämmer inte. Kontrollera att numret är rätt skrivet.")
        )


def _national_date(compact: str, *, today: date) -> date | None:
    """The birth date in a national reserve number, whose century is raised by 3, 6 … 78.

    ``00`` with a month from 20 and a day from 40 to 59 tells that the date is not known.
    """
    prefix, month, day = int(compact[:2]), int(compact[4:6]), int(compact[6:8])
    if prefix == 0 and month >= 20 and 40 <= day <= 59:
        return None
    century = 18 + prefix % 3 if prefix >= 22 else prefix
    return _date_of(f"{century:02d}{compact[2:8]}", today=today)


def _date_of(digits: str, *, today: date) -> date:
    return _date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]), today=today)


def _date(year: int, month: int, day: int, *, today: date) -> date:
    try:
        found = date(year, month, day)
    except ValueError as error:
        raise InvalidIdentityNumber(_("Datumet i numret finns inte.")) from error
    if found > today:
        raise InvalidIdentityNumber(_("Datumet i numret ligger i framtiden."))
    if year < 1880:
        raise InvalidIdentityNumber(_("Årtalet i numret är orimligt."))
    return found


def _with_century(compact: str, *, today: date) -> str:
    """Folkbokföringslagen (1991:481) 18 §: ``+`` from the year the person turns a hundred."""
    hundred_or_more = "+" in compact
    digits = compact.replace("-", "").replace("+", "")
    year = today.year // 100 * 100 + int(digits[:2])
    day = int(digits[4:6]) % 60 or 1
    try:
        candidate = date(year, int(digits[2:4]), day)
    except ValueError:
        candidate = date(year, 1, 1)
    if candidate > today:
        year -= 100
    if hundred_or_more and today.year - year < 100:
        year -= 100
    return f"{year:04d}{digits[2:]}"
