"""The standardised cancer pathways (SVF) by name, from ``reference/cancer_pathways.csv``.

The codes are the product's own: the sources give names only. No source at hand gives the pathways'
maximum lead times, which differ by treatment too; each region enters its own (statistics.pathways).
"""

import csv
from functools import cache
from pathlib import Path

from django.db import models
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
