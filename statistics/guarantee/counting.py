"""The counts, from the dates on the rows: any month's end in the past can be counted again.

A case waits at the end of a day when it had come in, its clock had started, and it was neither
treated nor closed. It is done on its day of treatment. The days of the wait go from
``guarantee_start`` (the referral for a first visit, the decision for a treatment) to that day. A
pause takes away its days, from its first to the day after its last, as in ``referral.guarantee``.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from django.db import connection
from django.utils import timezone

from statistics.guarantee.columns import SIZE, WITHIN, Basis, Count, Kind
from statistics.months import Month

_DAYS = {
    Basis.ALL: "days",
    Basis.MEDICAL: "days - patient",
    Basis.PATIENT: "days - medical",
    Basis.WITHOUT: "days - patient - medical",
}
_WITHIN = ", ".join(
    f"count(*) FILTER (WHERE {_DAYS[Basis(column.basis)]} <= {column.limit})" for column in WITHIN
)
_OWN = ", ".join(
    f"count(*) FILTER (WHERE {days} <= guarantee_days)" for days in (_DAYS[b] for b in Basis)
)
# Those who waited are open still or closed since: two ways into one index.
_WAITING = """
    SELECT 'waiting' AS kind, id, sending_unit_id, phase, guarantee_days, guarantee_start AS start,
        %(day)s::date AS till
    FROM referral_case
    WHERE region_id = %(region)s AND received_at < %(day_end)s AND guarantee_start <= %(day)s
        AND (clock_stopped_on IS NULL OR clock_stopped_on > %(day)s)
"""
_SQL = f"""
WITH chosen AS (
    {_WAITING} AND closed_at IS NULL
    UNION ALL
    {_WAITING} AND closed_at >= %(day_end)s
    UNION ALL
    SELECT 'done', c.id, c.sending_unit_id, c.phase, c.guarantee_days, c.guarantee_start,
        r.treated_on
    FROM referral_referral r
    JOIN referral_offer o ON o.id = r.offer_id
    JOIN referral_case c ON c.id = o.case_id
    WHERE c.region_id = %(region)s AND r.treated_on BETWEEN %(first_day)s AND %(day)s
), lengths AS (
    SELECT w.kind, w.id, p.reason, greatest(0,
        least(w.till, p.last_day + 1) - greatest(p.first_day, w.start)) AS length
    FROM chosen w JOIN referral_pause p ON p.case_id = w.id AND p.first_day <= w.till
), paused AS (
    SELECT kind, id, coalesce(sum(length) FILTER (WHERE reason = 'patient'), 0) AS patient,
        coalesce(sum(length) FILTER (WHERE reason = 'medical'), 0) AS medical
    FROM lengths GROUP BY kind, id
), waits AS (
    SELECT w.*, till - start AS days, coalesce(p.patient, 0) AS patient,
        coalesce(p.medical, 0) AS medical
    FROM chosen w LEFT JOIN paused p USING (kind, id)
)
SELECT kind, sending_unit_id, phase, min(guarantee_days), max(guarantee_days),
    count(*) FILTER (WHERE patient > 0), count(*) FILTER (WHERE medical > 0), count(*),
    {_WITHIN}, {_OWN}
FROM waits
GROUP BY kind, sending_unit_id, phase
"""  # noqa: S608 – built of the columns alone; values are given beside it  # nosec B608


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
    """The month's counts of each kind, in one query. The caller acts as the product."""
    day = last_counted_day(month, today=today)
    values: dict[str, str | date] = {
        "region": region,
        "first_day": month.first_day,
        "day": day,
        "day_end": _end_of(day),
    }
    found: dict[str, Cells] = {kind: {} for kind in Kind.values}
    with connection.cursor() as cursor:
        cursor.execute(_SQL, values)
        for kind, clinic, phase, least, most, patient, medical, n, *rest in cursor:
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
