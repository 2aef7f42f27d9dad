"""Invented patients with identity numbers from the series meant for testing.

organisations/reference/identity_test_series.md: Skatteverket's published test numbers use birth
numbers 980 and 981 for dates of birth 1890-1909 and 238 and 239 for 1990-2019. Hence the ages.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any

from stdnum import luhn

from organisations.models import Municipality
from patients.models import Patient

WOMEN = [
    "Anna",
    "Åsa",
    "Birgitta",
    "Elsa",
    "Märta",
    "Gunnel",
    "Ingrid",
    "Kerstin",
    "Siv",
    "Ulla",
    "Britt",
    "Solveig",
    "Viola",
    "Majken",
    "Astrid",
    "Linnéa",
    "Saga",
    "Freja",
    "Alva",
    "Ebba",
    "Zainab",
    "Fatima",
    "Ewa",
    "Özlem",
]
MEN = [
    "Lars",
    "Åke",
    "Börje",
    "Gösta",
    "Håkan",
    "Karl",
    "Nils",
    "Olof",
    "Per",
    "Rune",
    "Sten",
    "Tage",
    "Ulf",
    "Verner",
    "Östen",
    "Göran",
    "Elis",
    "Hugo",
    "Lucas",
    "Emil",
    "Omar",
    "Ibrahim",
    "Łukasz",
    "Jörgen",
]
FAMILIES = [
    "Åberg",
    "Ahlström",
    "Bäckman",
    "Claesson",
    "Dahlqvist",
    "Edlund",
    "Fält",
    "Grönberg",
    "Hällström",
    "Isaksson",
    "Jönsson",
    "Källström",
    "Löfgren",
    "Mårtensson",
    "Näslund",
    "Öberg",
    "Pålsson",
    "Qvist",
    "Rönnqvist",
    "Sjöström",
    "Törnqvist",
    "Ulfsson",
    "Vålberg",
    "Wikström",
    "Yılmaz",
    "Zetterlund",
    "Çelik",
    "Nowak",
    "Özdemir",
    "Haddad",
    "Åkerblom",
    "Stålhandske",
]
STREETS = ("Björkvägen", "Storgatan", "Ängsstigen", "Kyrkogatan", "Sjövägen", "Åkervägen")


@dataclass(frozen=True)
class Person:
    identity_number: str
    given_name: str
    family_name: str
    sex: str


def published_number(born: date, *, birth_number: int, coordination: bool) -> str:
    """Twelve digits for a date of birth and birth number, with Luhn's check digit."""
    day = born.day + (60 if coordination else 0)
    digits = f"{born.year:04d}{born.month:02d}{day:02d}{birth_number:03d}"
    return digits + luhn.calc_check_digit(digits[2:])


class People:
    """Draws persons, each identity number once."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self._used: set[str] = set()

    def draw(self, *, child: bool = False) -> Person:
        while True:
            number = self._number(child=child)
            if number not in self._used:
                break
        self._used.add(number)
        man = int(number[10]) % 2 == 1
        return Person(
            number,
            self.random.choice(MEN if man else WOMEN),
            self.random.choice(FAMILIES),
            "M" if man else "F",
        )

    def _number(self, *, child: bool) -> str:
        if child:
            return self._in_years(2010, 2017, (238, 239))
        if self.random.random() < 0.4:
            return self._in_years(1990, 2005, (238, 239))
        if self.random.random() < 0.03:
            born = self._date(1994, 2003)
            return published_number(born, birth_number=238, coordination=True)
        return self._in_years(1890, 1909, (980, 981))

    def _in_years(self, first: int, last: int, numbers: tuple[int, int]) -> str:
        return published_number(
            self._date(first, last), birth_number=self.random.choice(numbers), coordination=False
        )

    def _date(self, first: int, last: int) -> date:
        days = (date(last, 12, 31) - date(first, 1, 1)).days
        return date(first, 1, 1) + timedelta(days=self.random.randint(0, days))


def contact_of(
    person: Person, home: Municipality, random: Random, *, protection: str
) -> dict[str, Any]:
    """Form fields for where the person lives; none for a protected identity."""
    fields = {
        "given_name": person.given_name,
        "family_name": person.family_name,
        "protection": protection,
        "phone": f"070-174 06 {random.randint(5, 99):02d}",  # nosec B311 # demonstration data
    }
    if protection != Patient.Protection.NONE:
        return fields
    return fields | {
        "street": f"{random.choice(STREETS)} {random.randint(1, 80)}",  # nosec B311 # demonstration data
        "postal_code": f"{random.randint(10, 98)}{random.randint(0, 999):03d}",  # nosec B311 # demonstration data
        "town": home.name,
        "municipality": home.code,
    }
