"""Dalarna's figures for the agreement, two years of months, read in from a file."""

from datetime import datetime
from random import Random

from django.utils import timezone

from organisations.access import Actor
from statistics.months import Month
from statistics.performance.rules import FIGURES, Measure
from statistics.performance.services import import_figures

MONTHS = 24
HEADINGS = "region;månad;mått;täljare;nämnare;pott"
# Share in per cent two years ago, contacts a month, and the month's pot in SEK.
SIZES = {
    Measure.ASSESSMENT: (78, 21_000, 900_000),
    Measure.VISIT_60: (58, 9_400, 1_300_000),
    Measure.TREATMENT_60: (52, 3_100, 1_300_000),
    Measure.VISIT_180: (14, 9_400, 700_000),
    Measure.TREATMENT_180: (21, 3_100, 700_000),
    Measure.FOLLOW_UP: (66, 14_000, None),
}
BUP = (49, 130, 150_000)


def make_figures(actor: Actor | None, *, chance: Random, now: datetime) -> int:
    """Read the file in as the region's manager; returns the number of rows."""
    if actor is None:
        return 0
    this_month = Month.of(timezone.localdate(now))
    rows = [HEADINGS]
    for back in range(MONTHS, 0, -1):
        for measure in FIGURES:
            share, whole, pot = SIZES.get(measure, BUP)  # type: ignore[call-overload]
            better = (MONTHS - back) * 0.35 + chance.uniform(-2, 2)
            falls = measure in {Measure.VISIT_180, Measure.TREATMENT_180}
            part = round(whole * (share - better * 0.5 if falls else share + better) / 100)
            money = pot if pot and measure in Measure.values else ""
            rows.append(f"20;{this_month.back(back)};{measure};{part};{whole};{money}")
    content = "\r\n".join(rows).encode()
    outcome = import_figures(content, name="mått.csv", good_rows_only=False, actor=actor, now=now)
    if outcome.faulty:
        raise ValueError(outcome.faulty)
    return outcome.rows
