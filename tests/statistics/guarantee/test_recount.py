"""Each figure equals a slow recount in plain Python, by the guarantee clock itself."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import product
from random import Random
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from organisations.access import as_product
from organisations.errors import NotAllowed
from organisations.models import MedicalArea
from referral.guarantee import GuaranteeClock, last_day
from referral.models import Case, CaseState, CloseReason, Pause, Phase, Referral
from statistics.facts.upkeep import mark_stale
from statistics.guarantee.columns import LIMITS, Basis, Kind
from statistics.guarantee.selectors import Dimension, Line, guarantee_for
from statistics.kept import changed_cases
from statistics.models import CaseFact, OfferFact
from statistics.months import Month
from tests.factories import (
    CareUnitFactory,
    ContractLineFactory,
    RegionFactory,
    clinic_actor,
    contract_owner_actor,
    make_case,
    navigator_actor,
    stockholm,
)
from tests.shared_world import shared
from tests.statistics.facts.sweep import put_in_facts

pytestmark = pytest.mark.django_db

TODAY = date(2026, 5, 20)
NEXT_MONTH = stockholm(2026, 6, 1)
MONTHS = [Month(2026, 1), Month(2026, 3), Month(2026, 4), Month(2026, 5)]
KEPT_AWAY = {
    Basis.ALL: frozenset[str](),
    Basis.PATIENT: frozenset({"medical"}),
    Basis.MEDICAL: frozenset({"patient"}),
    Basis.WITHOUT: frozenset({"patient", "medical"}),
}
Span = tuple[str, date, date | None]


def kept(*, start: date, till: date, stopped: bool, limit: int, pauses: list[Span]) -> bool:
    """Whether ``limit`` days were kept on ``till``, by the clock that the case pages show."""
    finished = [(first, last) for _r, first, last in pauses if last and last < till]
    running = [first for _r, first, last in pauses if first <= till and (not last or last >= till)]
    clock = GuaranteeClock(
        start=start,
        days=limit,
        last_day=last_day(start=start, days=limit, pauses=finished),
        paused_from=running[0] if running else None,
        stopped_on=till if stopped else None,
        today=till,
    )
    return not clock.is_breached


def pauses_of(case: Case, basis: str) -> list[Span]:
    return [
        (pause.reason, pause.first_day, pause.last_day)
        for pause in case.pauses.all()
        if pause.reason in KEPT_AWAY[Basis(basis)]
    ]


def day_of(month: Month) -> date:
    return min(month.back(-1).first_day - timedelta(days=1), TODAY)


def chosen(month: Month, kind: str, cases: list[Case]) -> list[tuple[Case, date]]:
    """The cases of a kind, each with the day that its wait is counted to."""
    day, found = day_of(month), []
    treated = {
        r.offer.case_id: r.treated_on
        for r in Referral.objects.select_related("offer")
        if r.treated_on
    }
    for case in cases:
        if kind == Kind.DONE:
            on = treated.get(case.pk)
            if on and Month.of(on) == month and on <= day:
                found.append((case, on))
            continue
        came = timezone.localdate(case.received_at) <= day and case.guarantee_start <= day
        closed = case.closed_at and timezone.localdate(case.closed_at) <= day
        stopped = case.clock_stopped_on and case.clock_stopped_on <= day
        if came and not closed and not stopped:
            found.append((case, day))
    return found


def same(line: Line, cases: list[tuple[Case, date]], kind: str) -> None:
    stopped = kind == Kind.DONE
    assert line.size == len(cases), line.label
    for basis in Basis.values:
        for limit in LIMITS:
            expected = sum(
                kept(
                    start=c.guarantee_start,
                    till=till,
                    stopped=stopped,
                    limit=limit,
                    pauses=pauses_of(c, basis),
                )
                for c, till in cases
            )
            assert line.within[basis][limit].count == expected, (line.label, basis, limit)
        own = sum(
            kept(
                start=c.guarantee_start,
                till=till,
                stopped=stopped,
                limit=c.guarantee_days,
                pauses=pauses_of(c, basis),
            )
            for c, till in cases
        )
        assert line.own[basis].count == own, (line.label, basis)
    for reason in ("patient", "medical"):
        counted = [
            (c, till)
            for c, till in cases
            if any(
                p.reason == reason and max(p.first_day, c.guarantee_start) < till
                for p in c.pauses.all()
            )
        ]
        assert line.paused[reason] == len(counted)


def some_cases(region: Any, *, many: int = 40) -> None:
    """Waiting, done and ended cases of three clinics around the months' borders, with pauses."""
    random = Random(20260331)
    line = ContractLineFactory(kva="NGB", contract__owner_region=region, contract__cap_volume=None)
    areas = [
        MedicalArea.objects.get_or_create(mvo=mvo, defaults={"name": mvo, "group": group})[0]
        for mvo, group in (("311", "Kirurgi"), ("901", "Barn- och ungdomspsykiatri"))
    ]
    units = [
        CareUnitFactory(region=region, sends=True, medical_area=area)
        for area in (areas[0], areas[0], None)
    ]
    border = [date(2026, 1, 31), date(2026, 3, 1), date(2026, 3, 31), date(2026, 4, 1)]
    navigator = navigator_actor(region)
    for number in range(many):
        state = random.choice([CaseState.RECEIVED, CaseState.IN_PROGRESS, CaseState.CLOSED])
        day = random.choice(border) + timedelta(days=random.choice([-1, 0, 1]))
        back = random.choice([1, 29, 30, 31, 59, 60, 61, 90, 91, 179, 180, 181, 250])
        phase = random.choice(Phase.values)
        made = make_case(
            state,
            now=stockholm(day.year, day.month, day.day, random.choice([0, 12, 23]), 30),
            unit=random.choice(units),
            line=line,
            navigator=navigator,
            phase=phase,
            referral_date=day - timedelta(days=back + 5),
            decision_date=day - timedelta(days=back),
        )
        Case.objects.filter(pk=made.case.pk).update(guarantee_days=random.choice([90, 60]))
        at = made.case.guarantee_start
        for _pause in range(random.choice([0, 0, 1, 2])):
            first = at + timedelta(days=random.randrange(0, 60))
            last = first + timedelta(days=random.randrange(0, 50))
            open_end = number % 5 == 0 and state != CaseState.CLOSED
            Pause.objects.create(
                case=made.case,
                reason=random.choice(Pause.Reason.values),
                first_day=first,
                last_day=None if open_end else last,
            )
            if open_end:
                Case.objects.filter(pk=made.case.pk).update(paused_from=first)
                break
            at = last + timedelta(days=1)


@pytest.fixture(scope="module")
def region(django_db_setup: None, django_db_blocker: object) -> Iterator[Any]:
    with shared(django_db_blocker):
        region = RegionFactory()
        some_cases(region)
        yield region


def let_some_facts_be_wrong(region: Any) -> None:
    """Every third case's, which are to be made anew."""
    with as_product("test"):
        stale = list(Case.objects.order_by("pk").values_list("pk", flat=True))[::3]
        mark_stale(stale, now=NEXT_MONTH)
        wrong = CaseFact.objects.filter(pk__in=stale)
        wrong.update(guarantee_start=date(2020, 1, 1), closed_at=None, close_reason="")
        OfferFact.objects.filter(case__in=stale).update(treated_on=date(2026, 3, 1))
        assert changed_cases(region.pk) == stale


@pytest.mark.parametrize("counted", ["cases", "facts", "both"])
def test_every_figure_equals_the_recount(region: Any, counted: str) -> None:
    if counted != "cases":
        put_in_facts(now=NEXT_MONTH)
    if counted == "both":
        let_some_facts_be_wrong(region)
    cases = list(Case.objects.select_related("sending_unit").prefetch_related("pauses"))
    groups = {
        Dimension.CLINIC: lambda c: f"clinic:{c.sending_unit_id}",
        Dimension.AREA: lambda c: f"mvo:{c.sending_unit.medical_area_id or ''}",
        Dimension.PHASE: lambda c: f"phase:{c.phase}",
    }
    actor = navigator_actor(region)
    for month, (dimension, group_of) in product(MONTHS, groups.items()):
        found = guarantee_for(actor, month=month, today=TODAY, dimension=dimension)
        for kind in Kind.values:
            expected = chosen(month, kind, cases)
            same(found.totals[kind], expected, kind)
            assert found.lines[kind]
            for line in found.lines[kind]:
                own = [(c, d) for c, d in expected if group_of(c) == line.key]
                same(line, own, kind)
        ended = Counter(
            str(CloseReason(c.close_reason).label)
            for c in cases
            if c.closed_at and Month.of(timezone.localdate(c.closed_at)) == month
        )
        assert found.ended == [(reason, ended[reason]) for reason, _count in found.ended]


def test_the_months_hold_both_kinds_and_pauses(region: Any) -> None:
    """The recount would prove nothing over empty months."""
    seen: Counter[str] = Counter()
    for month in MONTHS:
        found = guarantee_for(navigator_actor(region), month=month, today=TODAY)
        for kind in Kind.values:
            total = found.totals[kind]
            seen[kind] += total.size or 0
            for basis in (Basis.ALL, Basis.PATIENT, Basis.MEDICAL):
                seen[basis] += any(
                    total.within[basis][n].count != total.within[Basis.WITHOUT][n].count
                    for n in LIMITS
                )
    assert all(seen[key] for key in (*Kind.values, Basis.ALL, Basis.PATIENT, Basis.MEDICAL))


def test_a_month_is_the_same_when_it_is_counted_again_later(region: Any) -> None:
    actor = navigator_actor(region)
    then = guarantee_for(actor, month=Month(2026, 3), today=date(2026, 4, 1))
    later = guarantee_for(actor, month=Month(2026, 3), today=date(2027, 1, 1))
    assert (then.totals, then.lines) == (later.totals, later.lines)


def test_phase_and_clinic_narrow_for_those_who_see_the_cases(region: Any) -> None:
    cases = list(Case.objects.prefetch_related("pauses"))
    unit = cases[0].sending_unit
    found = guarantee_for(
        navigator_actor(region),
        month=Month(2026, 3),
        today=TODAY,
        clinic=unit,
        phase=Phase.TREATMENT,
    )
    for kind in Kind.values:
        expected = [
            (c, d)
            for c, d in chosen(Month(2026, 3), kind, cases)
            if c.phase == Phase.TREATMENT and c.sending_unit == unit
        ]
        same(found.totals[kind], expected, kind)


def test_a_clinic_sees_its_own_and_a_contract_owner_none(region: Any) -> None:
    unit = Case.objects.order_by("pk")[0].sending_unit
    found = guarantee_for(clinic_actor(unit), month=Month(2026, 3), today=TODAY)
    assert [line.key for line in found.lines[Kind.WAITING]] == [f"clinic:{unit.pk}"]
    with pytest.raises(NotAllowed):
        guarantee_for(contract_owner_actor(region), month=Month(2026, 3), today=TODAY)


@st.composite
def waits(draw: st.DrawFn) -> tuple[date, date, list[Span]]:
    start = date(2026, 1, 1)
    pauses: list[Span] = []
    at = 0
    for _n in range(draw(st.integers(0, 3))):
        first = at + draw(st.integers(0, 40))
        last = first + draw(st.integers(0, 40))
        pauses.append(("patient", start + timedelta(days=first), start + timedelta(days=last)))
        at = last + 1
    if pauses and draw(st.booleans()):
        pauses[-1] = (*pauses[-1][:2], None)
    return start, start + timedelta(days=draw(st.integers(0, 200))), pauses


@given(waits(), st.sampled_from(LIMITS), st.booleans())
def test_days_less_pauses_say_the_same_as_the_clock(
    wait: tuple[date, date, list[Span]], limit: int, stopped: bool
) -> None:
    """What the query reckons with: days, less each pause's up to the day after its last."""
    start, till, pauses = wait
    away = sum(
        max(0, (min(till, (last or till) + timedelta(days=1)) - first).days)
        if last
        else max(0, (till - first).days)
        for _reason, first, last in pauses
    )
    assert ((till - start).days - away <= limit) == kept(
        start=start, till=till, stopped=stopped, limit=limit, pauses=pauses
    )
