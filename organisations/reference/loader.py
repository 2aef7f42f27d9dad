"""Loads regions, municipalities and medical areas. Loading again changes nothing."""

import csv
from collections.abc import Iterator
from pathlib import Path

from organisations.models import MedicalArea, Municipality, Region

FOLDER = Path(__file__).parent


def load() -> dict[str, int]:
    """Insert or renew the lists; returns the number of rows of each.

    What a region has chosen itself (phone, days until letter) is left alone.
    """
    regions = [
        Region(
            code=row["county_code"],
            name=row["name"],
            short_name=row["short_name"],
            seat_town=row["seat_town"],
            latitude=row["latitude"],
            longitude=row["longitude"],
            guarantee_days=int(row["guarantee_days"]),
            child_psychiatry_days=int(row["child_psychiatry_days"]),
            navigator_unit_name=row["navigator_unit_name"],
        )
        for row in rows(FOLDER / "regions.csv")
    ]
    Region.objects.bulk_create(
        regions,
        update_conflicts=True,
        unique_fields=["code"],
        update_fields=["name", "short_name", "seat_town", "latitude", "longitude"],
    )
    municipalities = [
        Municipality(
            code=row["code"],
            name=row["name"],
            region_id=row["county_code"],
            latitude=row["latitude"],
            longitude=row["longitude"],
        )
        for row in rows(FOLDER / "municipalities.csv")
    ]
    Municipality.objects.bulk_create(
        municipalities,
        update_conflicts=True,
        unique_fields=["code"],
        update_fields=["name", "region", "latitude", "longitude"],
    )
    areas = [
        MedicalArea(mvo=row["mvo_code"], name=row["name"], group=row["group"])
        for row in rows(FOLDER / "mvo.csv")
    ]
    MedicalArea.objects.bulk_create(
        areas, update_conflicts=True, unique_fields=["mvo"], update_fields=["name", "group"]
    )
    return {
        "regions": len(regions),
        "municipalities": len(municipalities),
        "medical areas": len(areas),
    }


def rows(path: Path) -> Iterator[dict[str, str]]:
    """The rows of a shipped CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)
