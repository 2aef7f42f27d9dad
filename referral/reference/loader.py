"""The shipped list of diagnoses: names for ICD-10-SE codes."""

import csv
from functools import cache
from pathlib import Path

DIAGNOSES = Path(__file__).parent / "diagnoses.csv"


@cache
def diagnoses() -> dict[str, str]:
    """Swedish names by code, in code order; other well-shaped codes are valid too."""
    with DIAGNOSES.open(encoding="utf-8", newline="") as file:
        return {row["icd10"]: row["name"] for row in csv.DictReader(file)}


def diagnosis_name(icd10: str) -> str:
    """The name of the code or of its three-character category; empty when neither is listed."""
    names = diagnoses()
    return names.get(icd10) or names.get(icd10[:3], "")
