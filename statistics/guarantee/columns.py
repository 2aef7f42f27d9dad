"""What is counted of each group of patients, and which count holds which.

Limits are in days. Every count is of a set of patients in the group; ``PAIRS`` are the counts of
which one set holds the other, so that their difference is a count of patients too.
"""

from itertools import product
from typing import NamedTuple

from django.db import models
from django.utils.translation import gettext_lazy as _

LIMITS = (30, 60, 90, 180)


class Kind(models.TextChoices):
    """Whose wait is counted."""

    WAITING = "waiting", _("Väntande vid månadens slut")
    DONE = "done", _("Genomförda under månaden")


class Basis(models.TextChoices):
    """How the days of a wait are counted. Pauses stop the clock (referral.guarantee)."""

    WITHOUT = "without", _("Utan pauser (vårdgarantins räkning)")
    ALL = "all", _("Med alla pauser (kalenderdagar)")
    MEDICAL = "medical", _("Med medicinska pauser, utan patientvalda")
    PATIENT = "patient", _("Med patientvalda pauser, utan medicinska")


class Column(NamedTuple):
    """Patients who have waited at most ``limit`` days, counted as ``basis`` says."""

    basis: str
    limit: int


class Size(NamedTuple):
    """All patients of the group."""

    name: str = "n"


Count = Column | Size
SIZE = Size()
WITHIN = tuple(Column(basis, limit) for basis in Basis.values for limit in LIMITS)
COUNTS: tuple[Count, ...] = (SIZE, *WITHIN)

# Fewer of a wait's days are counted the more pauses stand outside it.
_MORE_DAYS = {
    Basis.ALL: frozenset(Basis),
    Basis.MEDICAL: frozenset({Basis.MEDICAL, Basis.WITHOUT}),
    Basis.PATIENT: frozenset({Basis.PATIENT, Basis.WITHOUT}),
    Basis.WITHOUT: frozenset({Basis.WITHOUT}),
}


def lies_within(one: Count, other: Count) -> bool:
    """Whether every patient of ``one`` is counted in ``other`` too."""
    if isinstance(other, Size):
        return True
    if isinstance(one, Size):
        return False
    return one.limit <= other.limit and other.basis in _MORE_DAYS[Basis(one.basis)]


PAIRS: tuple[tuple[Count, Count], ...] = tuple(
    (one, other)
    for one, other in product(COUNTS, COUNTS)
    if one != other and lies_within(one, other)
)
