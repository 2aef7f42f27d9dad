"""The standardised cancer pathways (SVF) by name, from ``reference/cancer_pathways.csv``.

The codes are the product's own: the sources give names only. No source at hand gives the pathways'
maximum lead times, which differ by treatment too; each region enters its own (statistics.pathways).
"""

import csv
from collections.abc import Callable, Collection, Mapping
from functools import cache
from pathlib import Path

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

FILE = Path(__file__).parent / "reference" / "cancer_pathways.csv"


class FirstTreatment(models.TextChoices):
    """What the lead time runs to; each has a limit of its own in most pathways."""

    SURGERY = "surgery", _("Kirurgi")
    DRUGS = "drugs", _("Läkemedel")
    RADIATION = "radiation", _("Strålbehandling")
    OTHER = "other_treatment", _("Annan behandling")


@cache
def pathway_names() -> dict[str, str]:
    """Swedish names by code, in the order of the list."""
    with FILE.open(encoding="utf-8", newline="") as file:
        return {row["code"]: row["name"] for row in csv.DictReader(file)}


def pathway_choices() -> list[tuple[str, str]]:
    """For forms; a function, so that no migration follows the list."""
    return list(pathway_names().items())


def pathway_code(text: str) -> str:
    """The code of a pathway given by code or name. Raises ``ValueError`` in words."""
    codes = {name.casefold(): code for code, name in pathway_names().items()}
    code = codes.get(text.casefold(), text.casefold())
    if code not in pathway_names():
        raise ValueError(gettext("okänt vårdförlopp."))
    return code


# Region, pathway and treatment.
LimitKey = tuple[str, str, str]
# The maximum lead times in days of those for which one is known.
LimitsOf = Callable[[Collection[LimitKey]], Mapping[LimitKey, int]]
_limits: list[LimitsOf] = []


def register_limits(limits_of: LimitsOf) -> None:
    """Where the regions' maximum lead times are kept; the app above says in ``ready``."""
    _limits[:] = [limits_of]


def limits_of(keys: Collection[LimitKey]) -> Mapping[LimitKey, int]:
    """The regions' maximum lead times from suspicion to treatment, calendar days; in one query."""
    return _limits[0](keys) if _limits and keys else {}
