"""Loads the shipped list of procedures. Loading again changes nothing."""

from pathlib import Path

from contracts.models import Procedure
from organisations.reference.loader import rows

FOLDER = Path(__file__).parent


def load() -> dict[str, int]:
    """Insert or renew the procedures; returns the number of rows."""
    procedures = [
        Procedure(
            kva=row["kva"],
            name=row["name"],
            medical_area_id=row["mvo"],
            category=row["category"],
            diagnoses=row["diagnoses"].split(),
        )
        for row in rows(FOLDER / "procedures.csv")
    ]
    Procedure.objects.bulk_create(
        procedures,
        update_conflicts=True,
        unique_fields=["kva"],
        update_fields=["name", "medical_area", "category", "diagnoses"],
    )
    return {"procedures": len(procedures)}
