"""The cases behind a figure, as many as the figure says."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from organisations.access import Actor, as_product
from organisations.errors import DomainError, NotAllowed
from organisations.models import Region
from referral.models import CloseReason
from referral.selectors import visible_cases
from statistics.counted import counted
from statistics.dashboards import flows, funnel, gaps
from statistics.dashboards.forms import Choice, Period
from statistics.dashboards.funnel import conditions_of
from statistics.selectors import SEES_CASES

MONTHLY = {
    "received": gettext_lazy("Inkomna"),
    "offered": gettext_lazy("Erbjudanden"),
    "answered": gettext_lazy("Svar"),
    "accepted": gettext_lazy("Tackade ja"),
    "confirmed": gettext_lazy("Bekräftade remisser"),
    "treated": gettext_lazy("Behandlade"),
}


class NoSuchFigure(DomainError):
    """The address names no figure of the dashboard."""

    status = 404
    code = "not_found"


@dataclass(frozen=True)
class Behind:
    """``keys``: of the cases that the actor sees, one for each that was counted (a case with two
    offers stands twice). ``counted`` is the figure; what is more than the keys is blocked."""

    title: str
    keys: list[int]
    counted: int

    @property
    def blocked(self) -> int:
        return self.counted - len(self.keys)


def cases_behind(actor: Actor, choice: Choice, asked: Mapping[str, str], *, today: date) -> Behind:
    """The cases that a figure of the dashboard is counted on, by what its link asks for.

    Raises :class:`NotAllowed` for those who see figures only, :class:`NoSuchFigure` for no figure.
    """
    if actor.role not in SEES_CASES or not actor.region:
        raise NotAllowed(_("Din roll ser siffror men inga ärenden."))
    with as_product("statistics"):
        title, found = _asked(actor, choice, asked, today=today)
        keys = list(found)
    seen = set(visible_cases(actor).filter(pk__in=set(keys)).values_list("pk", flat=True))
    return Behind(title, [key for key in keys if key in seen], len(keys))


def _asked(
    actor: Actor, choice: Choice, asked: Mapping[str, str], *, today: date
) -> tuple[str, "QuerySet[Any, int]"]:
    """The heading and the keys of the cases, in the order of their numbers."""
    conditions, period = conditions_of(actor, choice), choice.period
    figure = asked.get("figure", "")
    if figure in MONTHLY:
        event = counted(conditions, first=choice.month, last=choice.month)[figure]
        return (
            f"{MONTHLY[figure]} {choice.month.label}",
            event.rows.order_by(f"{event.case}number").values_list(f"{event.case}pk", flat=True),
        )
    if figure == "flow":
        away = Region.objects.filter(code=asked.get("to", "")).first()
        event = counted(conditions, first=period.first, last=period.last)["treated"]
        rows = event.rows.filter(**{flows.AWAY: away.code}) if away else event.rows
        place = away.name if away else _("alla regioner")
        return (
            _("Behandlade %(period)s hos vårdgivare i %(place)s")
            % {"period": period, "place": place},
            rows.order_by(f"{event.case}number").values_list(f"{event.case}pk", flat=True),
        )
    if figure == "gap":
        kva = asked.get("kva", "")
        cases = gaps.behind(conditions, actor=actor, today=today, kva=kva)
        return _("Väntande utan avtal %(kva)s") % {"kva": kva}, _keys(cases)
    return _of_funnel(funnel.cohort(conditions, period), asked, period)


def _of_funnel(
    cohort: "QuerySet[Any]", asked: Mapping[str, str], period: Period
) -> tuple[str, "QuerySet[Any, int]"]:
    stage, what, reason = asked.get("stage", ""), asked.get("what", ""), asked.get("reason", "")
    if asked.get("figure") == "funnel" and stage in funnel.STAGES:
        words = {
            "reached": _("%(stage)s eller längre, inkomna %(period)s"),
            "still": _("Kvar i steget ”%(stage)s”, inkomna %(period)s"),
            "left": _("Avslutade i steget ”%(stage)s”, inkomna %(period)s"),
        }
        if what in words:
            title = words[what] % {"stage": funnel.STAGES[stage], "period": period}
            return title, _keys(funnel.of_stage(cohort, stage, what))
    if asked.get("figure") == "left" and reason in CloseReason.values:
        title = _("%(reason)s, inkomna %(period)s") % {
            "reason": CloseReason(reason).label,
            "period": period,
        }
        return title, _keys(funnel.of_reason(cohort, reason))
    raise NoSuchFigure(_("Det finns ingen sådan siffra."))


def _keys(cases: "QuerySet[Any]") -> "QuerySet[Any, int]":
    return cases.order_by("number").values_list("pk", flat=True)
