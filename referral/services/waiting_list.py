"""From the cases of a run to a waiting list to allocate, and back to what each case got.

What :func:`referral.services.send_offer` asks of a case and a line is asked here too: that the
clinic has said that the patient can be transferred, that the patient has not said no, and every
hard filter of the matching.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import numpy as np
from django.db.models import Prefetch

from capacity.allocation import Placed, Problem, Waiting, Way
from capacity.allocation.places import limits_of
from capacity.allocation.ways import Ways
from contracts.models import ContractLine
from referral.models import AllocationRow, AllocationRun, BlockReach, Case, Consent
from referral.selectors.matching import need_of
from referral.services.consents import says_no
from referral.texts import remaining_home_wait

Outcome = AllocationRow.Outcome


@dataclass
class WaitingList:
    """The problem, and what is already known of those who are not in it."""

    problem: Problem
    rows: list[AllocationRow]
    numbers: dict[int, str]  # of the cases, by key
    lines: dict[int, ContractLine]
    unknown_home_days: int


def waiting_list_of(run: AllocationRun, *, today: date) -> WaitingList:
    """The run's cases as they stand, with the ways out of each.

    Those who cannot be allocated have their outcome set and stand in no problem.
    """
    cases = {case.pk: case for case in _cases(run)}
    rows = list(run.rows.order_by("position"))
    homes = {key: remaining_home_wait(case, today=today) for key, case in cases.items()}
    unknown = _usual(homes.values(), otherwise=run.region.guarantee_days)
    ways = Ways({case.kva for case in cases.values()}, today=today, max_km=run.max_km)
    waiting: list[Waiting] = []
    for row in rows:
        case = cases.get(row.case_id)
        if case is None or case.state not in run.case_states or case.blocked == BlockReach.UNITS:
            row.outcome = Outcome.MOVED_ON
            continue
        known = homes[case.pk]
        home = unknown if known is None else known
        row.home_is_known, row.home_days = known is not None, home
        row.outcome, open_ways = _open_ways(case, ways, today=today)
        if open_ways:
            waiting.append(_waiting(case, home, open_ways, today=today))
    lines = [line for _key, line in sorted(ways.lines.items())]
    problem = Problem(
        waiting=tuple(waiting),
        prices={line.pk: line.price_sek for line in lines},
        limits=limits_of(lines, day=today),
    )
    numbers = {case.pk: case.number for case in cases.values()}
    return WaitingList(problem, rows, numbers, {line.pk: line for line in lines}, unknown)


def _cases(run: AllocationRun) -> Iterable[Case]:
    """Without what is encrypted, which costs more than the rest and is not asked for."""
    said = Consent.objects.filter(audience=Consent.Audience.PROVIDER).order_by("-pk")
    return (
        Case.objects.filter(pk__in=run.rows.values("case"))
        .select_related("region", "patient__municipality", "form")
        .only(
            *("number", "region", "state", "kva", "asa", "decision_date", "home_wait_days"),
            *("last_day", "clock_stopped_on", "paused_from", "blocked"),
            *("patient__birth_date", "patient__municipality"),
            *("form__transferable", "form__max_distance_km", "form__interpreter"),
            *("sending_unit", "form__equipment"),
        )
        .prefetch_related(Prefetch("consents", queryset=said, to_attr="said"))
    )


def _usual(homes: Iterable[int | None], *, otherwise: int) -> int:
    """What an unknown wait at home counts as: the median of the known, else the guarantee's."""
    known = [days for days in homes if days is not None]
    return round(float(np.median(known))) if known else otherwise


def _open_ways(case: Case, ways: Ways, *, today: date) -> tuple[str, tuple[Way, ...]]:
    """The ways that the case may take, or the outcome when there are none."""
    if not case.form.transferable:
        return Outcome.NOT_TRANSFERABLE, ()
    reach = ways.to(need_of(case, today=today))
    if reach.why_none:
        return Outcome(reach.why_none.value), ()
    said: list[Consent] = case.said  # type: ignore[attr-defined]
    if not said:
        return "", reach.ways
    allowed = tuple(
        way
        for way in reach.ways
        if not says_no(said, ways.lines[way.line].care_unit_id, today=today)
    )
    return ("" if allowed else Outcome.NO_CONSENT), allowed


def _waiting(case: Case, home: int, ways: tuple[Way, ...], *, today: date) -> Waiting:
    running = case.clock_stopped_on is None and case.paused_from is None
    return Waiting(
        number=case.number,
        decided_on=case.decision_date,
        home_days=home,
        ways=ways,
        guarantee_days=(case.last_day - today).days if running else None,
    )


def put_outcomes(listed: WaitingList, *, best: Placed, first: Placed) -> None:
    """Write on each row what its case got."""
    members = {one.number: one for one in listed.problem.waiting}
    for row in listed.rows:
        number = listed.numbers.get(row.case_id)
        if row.outcome or number is None:
            continue
        way = best.get(number)
        row.first_line_id = first[number].line if number in first else None
        if way is None:
            row.outcome = Outcome.FULL if members[number].shorter() else Outcome.NO_SHORTER
        else:
            row.outcome, row.line_id = Outcome.PLACED, way.line
            row.wait_days, row.distance_km = way.wait_days, way.distance_km
