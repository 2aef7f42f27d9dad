"""From form to treated: how far the cases of a year's inflow have come, and how many left where."""

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Case as Choose
from django.db.models import CharField, Count, Exists, OuterRef, Q, QuerySet, Value, When
from django.utils.functional import Promise

from organisations.access import Actor, as_product
from organisations.models import Role
from organisations.suppression import suppress
from referral.models import CaseLog, CaseState, CloseReason, LogVerb, Offer, Referral
from statistics.counted import Conditions, counted
from statistics.dashboards.forms import Choice
from statistics.facts.models import CaseFact, Furthest
from statistics.kept import each_case_once, of_facts
from statistics.months import Month
from statistics.selectors import SEES_CASES, statistics_for

STAGES: dict[str, str | Promise] = dict(Furthest.choices)
ORDER = tuple(STAGES)


@dataclass(frozen=True)
class Stage:
    """``reached`` counts the cases that came here or further; ``None``: hidden."""

    key: str
    label: str | Promise
    reached: int | None
    still: int | None
    left: int | None
    share: float | None  # of the inflow, per cent


@dataclass(frozen=True)
class Left:
    key: str
    label: str | Promise
    count: int | None


@dataclass(frozen=True)
class Funnel:
    """``left_out``: months whose inflow is hidden, so that the whole year's is hidden too."""

    year: int
    stages: tuple[Stage, ...]
    reasons: tuple[Left, ...]
    left: int | None
    reasons_withheld: bool = False
    withheld: bool = False


def cohort(conditions: Conditions, *, year: int) -> QuerySet[Any]:
    """The year's inflow, each case with ``furthest``: the last stage that it has reached."""
    first, last = Month(year, 1), Month(year, 12)
    cases: QuerySet[Any] = counted(conditions, first=first, last=last)["received"].rows
    offers = Offer.objects.filter(case=OuterRef("pk"))
    referrals = Referral.objects.filter(offer__case=OuterRef("pk"))
    taken = CaseLog.objects.filter(case=OuterRef("pk"), verb=LogVerb.TAKE)
    steps = (
        ("treated", Exists(referrals.filter(treated_on__isnull=False))),
        ("booked", Exists(referrals.filter(booked_for__isnull=False))),
        ("confirmed", Exists(referrals.filter(confirmed_at__isnull=False))),
        ("accepted", Exists(offers.filter(answer_channel__gt="", decline_reason=""))),
        ("offered", Exists(offers)),
        ("taken", Exists(taken)),
    )
    return cases.annotate(
        furthest=Choose(
            *(When(condition, then=Value(key)) for key, condition in steps),
            default=Value("form"),
            output_field=CharField(),
        )
    )


def funnel_of(actor: Actor, choice: Choice) -> Funnel:
    """The funnel of the year that the chosen month lies in.

    Those who see figures only get the whole region whatever clinic is chosen: years and regions do
    not overlap, and so no two funnels can be subtracted. Raises :class:`NotAllowed`.
    """
    hide = actor.role not in SEES_CASES
    # Asks who may see figures at all.
    inflow_known = _inflow_known(actor, choice.month.year) if hide else True
    conditions = conditions_of(actor, choice)
    with as_product("statistics"):
        rows = _rows(conditions, year=choice.month.year)
    plain = _counted(choice.month.year, rows)
    return hidden(plain, total_known=inflow_known) if hide else plain


def _rows(conditions: Conditions, *, year: int) -> list[dict[str, Any]]:
    """The year's inflow by stage, state and reason; a group may stand twice."""
    came = {"received_at__gte": Month(year, 1).start, "received_at__lt": Month(year, 12).end}
    parts = each_case_once(
        CaseFact.objects.filter(of_facts(conditions), **came),
        cohort(conditions, year=year),
        region=conditions["region_id"],
    )
    return [
        row
        for part in parts
        for row in part.order_by()
        .values("furthest", "state", "close_reason")
        .annotate(n=Count("*"))
    ]


def conditions_of(actor: Actor, choice: Choice) -> Conditions:
    """Which cases the actor's figures are about."""
    conditions: Conditions = {"region_id": actor.region}
    if actor.role == Role.CLINIC:
        conditions["sending_unit_id"] = actor.care_unit_id
    elif actor.role in SEES_CASES:
        conditions |= choice.of_clinic
    return conditions | (choice.only if actor.role in SEES_CASES else {})


def _inflow_known(actor: Actor, year: int) -> bool:
    """Whether the months' page shows the inflow of every month, and so the year's."""
    statistics = statistics_for(actor, month=Month(year, 12), trend_months=12)
    return all(figures.received is not None for _month, figures in statistics.trend)


def _counted(year: int, rows: list[dict[str, Any]]) -> Funnel:
    still: Counter[str] = Counter()
    left: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for row in rows:
        gone = row["state"] == CaseState.CLOSED and row["furthest"] != "treated"
        (left if gone else still)[row["furthest"]] += row["n"]
        if gone:
            reasons[row["close_reason"]] += row["n"]
    total = sum(still.values()) + sum(left.values())
    stages = []
    for place, key in enumerate(ORDER):
        reached = sum(still[later] + left[later] for later in ORDER[place:])
        share = 100 * reached / total if total else None
        stages.append(Stage(key, STAGES[key], reached, still[key], left[key], share))
    return Funnel(
        year,
        tuple(stages),
        tuple(
            Left(str(key), label, reasons[key])
            for key, label in CloseReason.choices
            if key != CloseReason.TREATED or reasons[key]
        ),
        sum(left.values()),
    )


def hidden(funnel: Funnel, *, total_known: bool) -> Funnel:
    """The funnel without small numbers.

    Where each case ended up is one column of counts: left and still there at each stage, and
    treated. It is hidden as such. How many reached a stage is shown where that is a sum of what is
    shown: all that is hidden lies before the stage, or all of it at the stage and after with the
    total known. The reasons are a column of their own, whose sum is all that left.
    """
    ends = [n or 0 for stage in funnel.stages for n in (stage.left, stage.still)]
    away, total_away = suppress(ends, hide_total=not total_known)
    if total_away and total_known:
        # The total is on another page: nothing here can be shown beside it.
        return _withheld(funnel)
    places = [place for place, gone in enumerate(away) if gone]
    stages = []
    total = sum(ends)
    for number, stage in enumerate(funnel.stages):
        start = 2 * number
        before = any(place < start for place in places)
        after = any(place >= start for place in places)
        shown = not after or (not before and not total_away)
        stages.append(
            replace(
                stage,
                left=None if away[start] else stage.left,
                still=None if away[start + 1] else stage.still,
                reached=stage.reached if shown else None,
                share=100 * (stage.reached or 0) / total
                if shown and not total_away and total
                else None,
            )
        )
    return _with_reasons(replace(funnel, stages=tuple(stages)), places, total_away)


def _with_reasons(funnel: Funnel, places: list[int], total_away: bool) -> Funnel:
    """Hide reasons so that they agree with what is known of their sum."""
    left_hidden = any(place % 2 == 0 for place in places)
    others_hidden = any(place % 2 for place in places)
    # Known: a sum of shown numbers, or the total less all others.
    sum_known = not left_hidden or (not others_hidden and not total_away)
    counts = [one.count or 0 for one in funnel.reasons]
    away, sum_away = suppress(counts, hide_total=not sum_known)
    if sum_known and sum_away:
        reasons = tuple(replace(one, count=None) for one in funnel.reasons)
        return replace(funnel, reasons=reasons, reasons_withheld=True, left=sum(counts))
    reasons = tuple(
        replace(one, count=None if gone else one.count)
        for one, gone in zip(funnel.reasons, away, strict=True)
    )
    return replace(funnel, reasons=reasons, left=sum(counts) if sum_known else None)


def _withheld(funnel: Funnel) -> Funnel:
    return replace(
        funnel,
        stages=tuple(
            replace(stage, reached=None, still=None, left=None, share=None)
            for stage in funnel.stages
        ),
        reasons=tuple(replace(one, count=None) for one in funnel.reasons),
        left=None,
        reasons_withheld=True,
        withheld=True,
    )


def of_stage(rows: QuerySet[Any], stage: str, what: str) -> QuerySet[Any]:
    """The cases behind a figure of a stage: ``reached``, ``still`` or ``left``."""
    gone = Q(state=CaseState.CLOSED) & ~Q(furthest="treated")
    if what == "reached":
        return rows.filter(furthest__in=ORDER[ORDER.index(stage) :])
    return rows.filter(gone if what == "left" else ~gone, furthest=stage)


def of_reason(rows: QuerySet[Any], reason: str) -> QuerySet[Any]:
    """The cases that left for a reason."""
    return rows.exclude(furthest="treated").filter(state=CaseState.CLOSED, close_reason=reason)
