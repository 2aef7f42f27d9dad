"""The situation view: waiting times per KVÅ group by unit or region, as the national view has it.

Figures are put together from what each source has reported for each day. The median over a period
is the middle one when every procedure stands for its day's median, the 80th percentile likewise:
near the true value, which only the single waits would give. At fewer than five procedures nothing
but that is shown; a region's number is rounded to fives, so that no unit's small number can be
worked out from it.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import connection
from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from capacity.models import OWN_SOURCE, WaitingTime
from contracts.codes import covering_codes
from organisations.models import CareUnit

FEWEST = 5
PERIODS = (30, 90, 365)
SHARES_OVER_DAYS = 365
CHART_MONTHS = 18

DEFINITIONS = (
    (
        _("Väntetid"),
        _(
            "Dagar från beslut om åtgärd till utförd åtgärd, för patienter vars åtgärd är utförd i "
            "perioden. Den säger inget om dem som ännu väntar."
        ),
    ),
    (
        _("Median"),
        _(
            "Hälften har väntat kortare. Varje åtgärd räknas med sin dags median; det ligger nära "
            "den sanna medianen."
        ),
    ),
    (_("80:e percentilen"), _("Åtta av tio har väntat kortare, räknat på samma sätt.")),
    (
        _("ASA 3–4 och narkos"),
        _(
            "Andel av åtgärderna det senaste året: ett tecken på att enheten tar emot patienter "
            "med högre risk eller som behöver sövas."
        ),
    ),
    (
        _("Små tal"),
        _(
            "Färre än fem åtgärder visas inte närmare, inte heller en andel av så få. Regioners "
            "antal är avrundat till jämna fem."
        ),
    ),
)


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What is asked of the situation view."""

    kva: str
    days: int = 90
    by_region: bool = False
    need_within_days: int | None = None
    asa34_least: int = 0
    general_anaesthesia_least: int = 0


@dataclass(frozen=True, kw_only=True)
class Situation:
    """One unit's or region's waiting time by one source. ``None``: too few, or not reported."""

    key: str  # HSA-id or county code
    name: str
    region: str
    source: str
    done: int | None
    median_days: int | None
    p80_days: int | None
    asa34_percent: float | None
    general_anaesthesia_percent: float | None
    newest: date


# Rows of a finer code count only where the source has none of the group for the unit and day.
_EACH_ONCE = """
      time.need_within_days IS NOT DISTINCT FROM %(need)s AND time.kva LIKE %(like)s
      AND (time.kva = %(kva)s OR NOT EXISTS (
          SELECT 1 FROM capacity_waitingtime AS whole
          WHERE whole.kva = %(kva)s AND whole.care_unit_id = time.care_unit_id
            AND whole.day = time.day AND whole.source = time.source
            AND whole.need_within_days IS NOT DISTINCT FROM time.need_within_days))
"""
# Every row of a day stands for as many procedures as were done then.
_TABLE = """
WITH chosen AS (
    SELECT time.*
    FROM capacity_waitingtime AS time
    WHERE time.day > %(year_ago)s AND time.day <= %(today)s AND {each_once}
), placed AS (
    SELECT {key} AS key, {name} AS name, region.short_name AS region, chosen.*
    FROM chosen
    JOIN organisations_careunit AS unit ON unit.id = chosen.care_unit_id
    JOIN organisations_region AS region ON region.code = unit.region_id
), summed AS (
    SELECT key, source,
           sum(done * asa34_percent) / nullif(sum(done) FILTER (WHERE asa34_percent IS NOT NULL), 0)
               AS asa34,
           sum(done * general_anaesthesia_percent)
               / nullif(sum(done) FILTER (WHERE general_anaesthesia_percent IS NOT NULL), 0)
               AS general_anaesthesia,
           sum(done) AS done
    FROM placed GROUP BY key, source
), shares AS (
    SELECT key, source, {asa34} AS asa34, {general_anaesthesia} AS general_anaesthesia FROM summed
)
SELECT placed.key, placed.name, placed.region, placed.source, count(*) AS done,
       percentile_disc(0.5) WITHIN GROUP (ORDER BY placed.median_days),
       percentile_disc(0.5) WITHIN GROUP (ORDER BY placed.p80_days),
       shares.asa34, shares.general_anaesthesia, max(placed.day)
FROM placed
JOIN shares USING (key, source)
CROSS JOIN LATERAL generate_series(1, placed.done)
WHERE placed.day > %(since)s
  AND coalesce(shares.asa34, 0) >= %(asa34)s
  AND coalesce(shares.general_anaesthesia, 0) >= %(general_anaesthesia)s
GROUP BY placed.key, placed.name, placed.region, placed.source,
         shares.asa34, shares.general_anaesthesia
"""
# A share of so many done is not shown where it is of one to four of them, or of all but so few.
_SHARE = """CASE WHEN done >= %(fewest)s
        AND round(done * {share} / 100) NOT BETWEEN 1 AND %(fewest)s - 1
        AND round(done * (100 - {share}) / 100) NOT BETWEEN 1 AND %(fewest)s - 1
        THEN {share} END"""
_SHARES = {name: _SHARE.format(share=name) for name in ("asa34", "general_anaesthesia")}
_BY_UNIT = _TABLE.format(each_once=_EACH_ONCE, key="unit.hsa_id", name="unit.name", **_SHARES)
_BY_REGION = _TABLE.format(each_once=_EACH_ONCE, key="region.code", name="region.name", **_SHARES)
_MONTHS = f"""
SELECT date_trunc('month', time.day)::date, count(*),
       percentile_disc(0.5) WITHIN GROUP (ORDER BY time.median_days)
FROM capacity_waitingtime AS time
CROSS JOIN LATERAL generate_series(1, time.done)
WHERE time.care_unit_id = %(unit)s AND time.source = %(source)s
  AND time.day >= %(first)s AND time.day <= %(today)s AND {_EACH_ONCE}
GROUP BY 1
"""  # noqa: S608 – made of constants  # nosec B608


def situations(choice: Choice, *, today: date) -> list[Situation]:
    """The units or regions with figures for the code in the period, shortest median first."""
    group = covering_codes(choice.kva)[-1]
    parameters: dict[str, Any] = {
        "kva": group,
        "like": f"{group}%",
        "today": today,
        "since": today - timedelta(days=choice.days),
        "year_ago": today - timedelta(days=max(SHARES_OVER_DAYS, choice.days)),
        "need": choice.need_within_days,
        "asa34": choice.asa34_least,
        "general_anaesthesia": choice.general_anaesthesia_least,
        "fewest": FEWEST,
    }
    with connection.cursor() as cursor:
        cursor.execute(_BY_REGION if choice.by_region else _BY_UNIT, parameters)
        found = [_situation(*row, by_region=choice.by_region) for row in cursor.fetchall()]
    return sorted(found, key=lambda s: (s.median_days is None, s.median_days or 0, s.name))


def _situation(
    key: str,
    name: str,
    region: str,
    source: str,
    done: int,
    median: int,
    p80: int,
    asa34: Any,
    general_anaesthesia: Any,
    newest: date,
    *,
    by_region: bool,
) -> Situation:
    few = done < FEWEST
    shown = 5 * round(done / 5) if by_region else done
    return Situation(
        key=key,
        name=name,
        region=region,
        source=source,
        done=None if few else shown,
        median_days=None if few else median,
        p80_days=None if few else p80,
        asa34_percent=None if asa34 is None else float(asa34),
        general_anaesthesia_percent=(
            None if general_anaesthesia is None else float(general_anaesthesia)
        ),
        newest=newest,
    )


@dataclass(frozen=True)
class Month:
    first_day: date
    done: int | None
    median_days: int | None


def monthly_medians(unit: CareUnit, *, kva: str, source: str, today: date) -> list[Month]:
    """The last 18 months' medians at a unit by one source, oldest first; empty months too."""
    firsts, group = _first_days(today), covering_codes(kva)[-1]
    with connection.cursor() as cursor:
        cursor.execute(
            _MONTHS,
            {
                "unit": unit.pk,
                "kva": group,
                "like": f"{group}%",
                "source": source,
                "need": None,
                "first": firsts[0],
                "today": today,
            },
        )
        found = {first: (done, median) for first, done, median in cursor.fetchall()}
    months = []
    for first in firsts:
        done, median = found.get(first, (0, None))
        few = 0 < done < FEWEST
        months.append(Month(first, None if few else done, None if few else median))
    return months


def _first_days(today: date) -> list[date]:
    this = today.year * 12 + today.month - 1
    months = range(this - CHART_MONTHS + 1, this + 1)
    return [date(month // 12, month % 12 + 1, 1) for month in months]


@dataclass(frozen=True)
class Reported:
    """A group of codes that a source reports for a unit."""

    kva: str
    source: str
    newest: date

    @property
    def is_own(self) -> bool:
        return self.source == OWN_SOURCE


def reported_at(unit: CareUnit, *, today: date) -> list[Reported]:
    """The codes and sources with figures for the unit in the chart's months."""
    rows = (
        WaitingTime.objects.filter(care_unit=unit, day__gte=_first_days(today)[0], day__lte=today)
        .values("kva", "source")
        .annotate(newest=Max("day"))
    )
    newest: dict[tuple[str, str], date] = {}
    for row in rows:
        key = (covering_codes(row["kva"])[-1], row["source"])
        newest[key] = max(newest.get(key, row["newest"]), row["newest"])
    return [Reported(*key, day) for key, day in sorted(newest.items())]


def needs_reported(kva: str, *, today: date) -> list[int]:
    """The needs (within days) that sources tell apart for the code."""
    found = WaitingTime.objects.filter(
        kva__startswith=covering_codes(kva)[-1],
        need_within_days__isnull=False,
        day__gt=today - timedelta(days=SHARES_OVER_DAYS),
    ).order_by("need_within_days")
    needs = found.values_list("need_within_days", flat=True).distinct()
    return [days for days in needs if days is not None]
