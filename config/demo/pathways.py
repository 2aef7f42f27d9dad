"""Dalarna's maximum lead times and its own counts of two half-years; all numbers are made up."""

from datetime import datetime

from django.utils import timezone

from organisations.access import Actor
from statistics.pathways.halves import HalfYear
from statistics.pathways.importing import import_file
from statistics.pathways.models import PathwayFile

LIMITS = """vårdförlopp;första behandling;längsta ledtid
tjock-andtarmscancer;surgery;40
tjock-andtarmscancer;drugs;44
lungcancer;surgery;46
lungcancer;drugs;41
prostatacancer;surgery;62
"""
SOURCE = "Exempel, inga verkliga tal"
# Pathway; fell ill, in a pathway; treated, within the limit, median days.
COUNTS = (
    ("alla", 912, 668, 604, 241, 47),
    ("tjock-andtarmscancer", 148, 119, 104, 46, 43),
    ("lungcancer", 131, 92, 71, 24, 49),
    ("prostatacancer", 262, 210, 198, 51, 68),
    ("myelom", 24, 17, 14, 7, 31),
)


def tell_pathways(actor: Actor | None, *, now: datetime) -> int:
    """Read both files in as the region's administrator; returns the number of rows."""
    if actor is None:
        return 0
    last = HalfYear.of(timezone.localdate(now)).before
    rows = ["halvår;vårdförlopp;insjuknade;inkluderade;patienter;inom längsta ledtid;median;källa"]
    for half in (last.before, last, last.next):
        for pathway, *numbers in COUNTS:
            rows.append(";".join([str(half), pathway, *map(str, numbers), SOURCE]))
    return sum(
        import_file(
            content.encode(), kind=kind, name=name, good_rows_only=False, actor=actor, now=now
        ).stored
        for kind, name, content in (
            (PathwayFile.Kind.LIMITS, "längsta ledtider.csv", LIMITS),
            (PathwayFile.Kind.COUNTS, "egna tal.csv", "\n".join(rows)),
        )
    )
