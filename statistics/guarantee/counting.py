"""The counts, from the dates on the rows: any month's end in the past can be counted again.

A case waits at the end of a day when it had come in, its clock had started, and it was neither
treated nor closed. It is done on its day of treatment. The days of the wait go from
``guarantee_start`` (the referral for a first visit, the decision for a treatment) to that day. A
pause takes away its days, from its first to the day after its last, as in ``referral.guarantee``.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from statistics.guarantee.columns import SIZE, WITHIN, Basis, Count, Kind
from statistics.kept import changed_cases
from statistics.months import Month

_DAYS = {
    Basis.ALL: "days",
    Basis.MEDICAL: "days - patient",
    Basis.PATIENT: "days - medical",
    Basis.WITHOUT: "days - patient - medical",
}
_WITHIN = ", ".join(
    f"sum(n) FILTER (WHERE {_DAYS[Basis(column.basis)]} <= {column.limit})" for column in WITHIN
)
_OWN = ", ".join(
    f"sum(n) FILTER (WHERE {days} <= guarantee_days)" for days in (_DAYS[b] for b in Basis)
)
# Cases of which the facts say what they say themselves now, by the facts alone: most have never
# been paused, and need not be asked for it.
_OF_FACTS = {
    "wait": """
        c.case_id AS id, c.clinic_id AS clinic, c.phase, c.guarantee_days,
        c.guarantee_start AS start, (c.paused_from IS NOT NULL OR c.pause_patient_days > 0
            OR c.pause_medical_days > 0) AS paused
    """,
    "cases": "statistics_casefact c",
    "stopped_on": "c.stopped_on",
    "treated": """
        SELECT o.case_id, o.treated_on FROM statistics_offerfact o
        WHERE o.region_id = %(region)s AND o.treated_on BETWEEN %(first_day)s AND %(day)s
    """,
    "key": "c.case_id",
    "which": "c.case_id <> ALL(%(changed)s)",
}
_OF_CASES = {
    "wait": """
        c.id, c.sending_unit_id AS clinic, c.phase, c.guarantee_days, c.guarantee_start AS start,
        true AS paused
    """,
    "cases": "referral_case c",
    "stopped_on": "c.clock_stopped_on",
    "treated": """
        SELECT o.case_id, r.treated_on
        FROM referral_referral r JOIN referral_offer o ON o.id = r.offer_id
        WHERE r.treated_on BETWEEN %(first_day)s AND %(day)s
    """,
    "key": "c.id",
    "which": "c.id = ANY(%(changed)s)",
}
# Those who waited are open still or closed since: two ways into one index.
_CHOSEN = """
    SELECT 'waiting' AS kind, {wait}, %(day)s::date AS till
    FROM {cases}
    WHERE {waited} AND c.closed_at IS NULL
    UNION ALL
    SELECT 'waiting', {wait}, %(day)s::date
    FROM {cases}
    WHERE {waited} AND c.closed_at >= %(day_end)s
    UNION ALL
    SELECT 'done', {wait}, t.treated_on
    FROM ({treated}) t JOIN {cases} ON {key} = t.case_id
    WHERE c.region_id = %(region)s AND {which}
"""
_WAITED = """
    c.region_id = %(region)s AND c.received_at < %(day_end)s AND c.guarantee_start <= %(day)s
    AND ({stopped_on} IS NULL OR {stopped_on} > %(day)s) AND {which}
"""
_SQL = f"""
WITH alike AS (
    SELECT kind, clinic, phase, guarantee_days, start, till, CASE WHEN paused THEN id END AS id,
        count(*)::int AS n
    FROM ({{chosen}}) w
    GROUP BY kind, clinic, phase, guarantee_days, start, till, CASE WHEN paused THEN id END
), waits AS (
    SELECT kind, clinic, phase, guarantee_days, n, till - start AS days, p.patient, p.medical
    FROM alike w CROSS JOIN LATERAL (
        SELECT coalesce(sum(x.length) FILTER (WHERE x.reason = 'patient'), 0)::int AS patient,
            coalesce(sum(x.length) FILTER (WHERE x.reason = 'medical'), 0)::int AS medical
        FROM (
            SELECT p.reason, greatest(0,
                least(w.till, p.last_day + 1) - greatest(p.first_day, w.start)) AS length
            FROM referral_pause p WHERE p.case_id = w.id AND p.first_day <= w.till) x) p
)
SELECT kind, clinic, phase, min(guarantee_days), max(guarantee_days),
    sum(n) FILTER (WHERE patient > 0), sum(n) FILTER (WHERE medical > 0), sum(n),
    {_WITHIN}, {_OWN}
FROM waits
GROUP BY kind, clinic, phase
"""  # noqa: S608 – built of the columns alone; values are given beside it  # nosec B608


def _statement(*sources: dict[str, str]) -> str:
    return _SQL.format(
        chosen=" UNION ALL ".join(
            _CHOSEN.format(waited=_WAITED.format(**source), **source) for source in sources
        )
    )


_ALL_OF_CASES = _statement(_OF_CASES | {"which": "true"})
_BY_FACTS = _statement(_OF_FACTS)
_BY_BOTH = _statement(_OF_FACTS, _OF_CASES)


@dataclass
class Group:
    """Counts of some patients. ``limits`` are the own limits that hold for them, in days."""

    counts: Counter[Count] = field(default_factory=Counter)
    own: Counter[str] = field(default_factory=Counter)
    paused: Counter[str] = field(default_factory=Counter)
    limits: set[int] = field(default_factory=set)

    def add(self, other: "Group") -> None:
        self.counts.update(other.counts)
        self.own.update(other.own)
        self.paused.update(other.paused)
        self.limits |= other.limits

    @property
    def own_limit(self) -> int | None:
        """The limit that holds for all of them, if it is the same."""
        return next(iter(self.limits)) if len(self.limits) == 1 else None


Cells = dict[tuple[int, str], Group]  # by the clinic's key and the phase


def last_counted_day(month: Month, *, today: date) -> date:
    """The day on which the waiting of a month are counted: its last, or today when it runs."""
    return min(month.back(-1).first_day - timedelta(days=1), today)


def counted(region: str, *, month: Month, today: date) -> dict[str, Cells]:
    """The month's counts of each kind, as the cases say now. The caller acts as the product."""
    day = last_counted_day(month, today=today)
    changed = changed_cases(region)
    statement = _BY_BOTH if changed else _BY_FACTS
    if changed is None:
        statement = _ALL_OF_CASES
    values: dict[str, Any] = {
        "region": region,
        "changed": changed,
        "first_day": month.first_day,
        "day": day,
        "day_end": _end_of(day),
    }
    found: dict[str, Cells] = {kind: {} for kind in Kind.values}
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        for kind, clinic, phase, least, most, *numbers in cursor:
            patient, medical, n, *rest = (number or 0 for number in numbers)
            within, own = rest[: len(WITHIN)], rest[len(WITHIN) :]
            counts: Counter[Count] = Counter({SIZE: n})
            counts.update(dict(zip(WITHIN, within, strict=True)))
            found[kind][clinic, phase] = Group(
                counts=counts,
                own=Counter(dict(zip(Basis.values, own, strict=True))),
                paused=Counter({"patient": patient, "medical": medical}),
                limits={least, most},
            )
    return found


def _end_of(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min))
