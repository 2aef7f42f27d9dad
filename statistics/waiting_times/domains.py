"""What a value must be, by the domain that the layout's table names.

A check takes the stripped value and returns the code of what is wrong, or nothing. Codes are
compared with the lists that the product ships; a well-shaped KVÅ code that is not among them may be
right, and is a remark only (contracts/reference/README.md).
"""

import csv
import re
from collections.abc import Callable, Iterator
from datetime import date
from functools import cache
from pathlib import Path

from stdnum import luhn

import contracts.reference
import organisations.reference
from organisations.models.places import HSA_ID_PATTERN
from statistics.waiting_times.layout import Variable

Check = Callable[[str], str]

MOST_LISTED = 50  # codes in one field
LONGEST_TEXT, LONGEST_ID = 120, 64
OLDEST_BIRTH, OLDEST_DATE = 1880, 1990
_KEPT = 50_000  # values whose answer is remembered; more of them are worked out anew

_HSA_ID = re.compile(HSA_ID_PATTERN)
_ORGANISATION = re.compile(r"[0-9]{6}-?[0-9]{4}")
# KKÅ97: three letters and two digits; the rest of KVÅ: two letters and three digits (appendix 5).
KKA = re.compile(r"[A-Z]{3}[0-9]{2}")
_KVA = re.compile(r"[A-Z]{3}[0-9]{2}|[A-Z]{2}[0-9]{3}")
# ICD-10-SE with or without dot; KSH97 of primary care ends with a letter after a hyphen.
_DIAGNOSIS = re.compile(r"[A-Z][0-9]{2}(?:\.?[0-9A-Z]{1,3}|-?[A-Z]?)")
_PROFESSION = re.compile(r"[A-ZÅÄÖ0-9]{1,8}")
_ID = re.compile(r"[0-9A-Za-zÅÄÖåäö._:/#-]+")
_IDENTITY = re.compile(
    r"(?:18|19|20)?[0-9]{2}(?:0[1-9]|1[0-2])(?:[0-2][0-9]|3[01]|[6-8][0-9]|9[01])[-+]?[0-9]{4}"
)
_DATE = re.compile(r"([0-9]{4})-?([0-9]{2})-?([0-9]{2})")
_TIME = re.compile(r"[T ]([01][0-9]|2[0-3]):?([0-5][0-9])(?::?[0-5][0-9])?")
_LIST = re.compile(r"[\s,]+")


@cache
def _listed(package: str, name: str, column: str) -> frozenset[str]:
    with (Path(package) / name).open(encoding="utf-8", newline="") as file:
        return frozenset(row[column] for row in csv.DictReader(file))


def _places(name: str, column: str) -> frozenset[str]:
    return _listed(organisations.reference.__path__[0], name, column)


def known_procedures() -> frozenset[str]:
    """The KVÅ codes that have a name in the product."""
    return _listed(contracts.reference.__path__[0], "procedures.csv", "kva")


def counties() -> frozenset[str]:
    return _places("regions.csv", "county_code")


@cache
def child_psychiatry() -> frozenset[str]:
    """The medical areas of child psychiatry, whose activities may be outside KKÅ97."""
    with (Path(organisations.reference.__path__[0]) / "mvo.csv").open(encoding="utf-8") as file:
        return frozenset(
            row["mvo_code"]
            for row in csv.DictReader(file)
            if row["group"] == "Barn- och ungdomspsykiatri"
        )


def split(value: str) -> list[str]:
    """The codes of a field that holds several, with space or comma between."""
    return [code for code in _LIST.split(value) if code]


class Moments:
    """Times as numbers that compare: ``day * 2048 + minute + 1``, or without the minute.

    Days and times of the day come again and again in a file, so they are remembered.
    """

    def __init__(self) -> None:
        self._days: dict[str, int] = {}
        self._times: dict[str, int] = {}

    def of(self, value: str) -> int:
        """The number, or 0 for what is no time."""
        split_at = 8 if value[4:5] != "-" else 10
        day, time = value[:split_at], value[split_at:]
        known = self._days.get(day)
        if known is None:
            known = _remember(self._days, day, _day_of(day))
        if not known or not time:
            return known
        minute = self._times.get(time)
        if minute is None:
            minute = _remember(self._times, time, _minute_of(time))
        return known + minute if minute else 0


def later(one: int, other: int) -> bool:
    """Whether ``one`` is after ``other``; on the same day only when both tell the time of it."""
    return one > other and (one >> 11 != other >> 11 or bool(other & 2047))


def day_number(day: date) -> int:
    """The day as :class:`Moments` counts it, without a time."""
    return day.toordinal() << 11


def _remember(known: dict[str, int], text: str, number: int) -> int:
    if len(known) < _KEPT:
        known[text] = number
    return number


def _day_of(text: str) -> int:
    found = _DATE.fullmatch(text)
    if not found:
        return 0
    try:
        day = date(*map(int, found.groups()))
    except ValueError:
        return 0
    return day_number(day) if day.year >= OLDEST_DATE else 0


def _minute_of(text: str) -> int:
    found = _TIME.fullmatch(text)
    return int(found[1]) * 60 + int(found[2]) + 1 if found else 0


def _one_of(allowed: frozenset[str], code: str) -> Check:
    return lambda value: "" if value in allowed else code


def _shape(pattern: re.Pattern[str], code: str) -> Check:
    return lambda value: "" if pattern.fullmatch(value) else code


def _each(check: Check) -> Check:
    """The first error among the codes of a field, else the first remark."""

    def several(value: str) -> str:
        codes = split(value)
        if not codes or len(codes) > MOST_LISTED:
            return "VT315"
        found: Iterator[str] = (wrong for code in codes if (wrong := check(code)))
        return min(found, key=lambda code: code == "VT311", default="")

    return several


def _kva(value: str) -> str:
    if not _KVA.fullmatch(value):
        return "VT310"
    return "" if value in known_procedures() else "VT311"


def _external_cause(value: str) -> str:
    return "" if value[:1] in "VWXY" and _DIAGNOSIS.fullmatch(value) else "VT313"


def _year(value: str) -> str:
    digits = value.isascii() and value.isdigit() and len(value) == 4
    return "" if digits and OLDEST_BIRTH <= int(value) <= 2200 else "VT305"


def _caregiver(value: str) -> str:
    return "" if _ORGANISATION.fullmatch(value) or _HSA_ID.fullmatch(value) else "VT314"


def _text(value: str) -> str:
    return "" if len(value) <= LONGEST_TEXT and value.isprintable() else "VT315"


def contact_id(value: str) -> str:
    """An id that the sender has made; never an identity number."""
    if len(value) > LONGEST_ID or not _ID.fullmatch(value):
        return "VT315"
    if _IDENTITY.fullmatch(value) and luhn.is_valid(re.sub(r"[-+]", "", value)[-10:]):
        return "VT316"
    return ""


def _month(value: str) -> str:
    return "" if re.fullmatch(r"20[0-9]{2}-(?:0[1-9]|1[0-2])", value) else "VT317"


def check_of(variable: Variable, moments: Moments) -> Check:
    """What a value of the variable must hold."""

    def moment(value: str) -> str:
        number = moments.of(value)
        if not number:
            return "VT302"
        return "" if number & 2047 else "VT303"

    checks: dict[str, Callable[[], Check]] = {
        "month": lambda: _month,
        "moment": lambda: moment,
        "date": lambda: lambda value: "" if moments.of(value) else "VT304",
        "year": lambda: _year,
        "code": lambda: _one_of(frozenset(variable.values), "VT301"),
        "municipality": lambda: _one_of(_places("municipalities.csv", "code"), "VT306"),
        "county": lambda: _one_of(counties(), "VT307"),
        "hsa_id": lambda: _shape(_HSA_ID, "VT308"),
        "mvo": lambda: _one_of(_places("mvo.csv", "mvo_code"), "VT309"),
        "activity": lambda: _kva,
        "procedures": lambda: _each(_kva),
        "diagnoses": lambda: _each(_shape(_DIAGNOSIS, "VT312")),
        "diagnosis_types": lambda: _each(_one_of(frozenset(variable.values), "VT301")),
        "external_causes": lambda: _each(_external_cause),
        "caregiver": lambda: _caregiver,
        "profession": lambda: _shape(_PROFESSION, "VT318"),
        "contact_id": lambda: contact_id,
        "text": lambda: _text,
    }
    return checks[variable.domain]()
