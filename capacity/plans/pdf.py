"""The report to the supplier as PDF/A: plan against deliveries, no patients in it."""

from datetime import datetime

from django.utils import timezone

from capacity.models import DeliveryPlan, PlanVersion
from capacity.plans.figures import DEFINITIONS, PlanFigures
from contracts.selectors import procedure_name
from organisations.typesetting import compile_pdf

TEMPLATE = "capacity/plans/report.typ"
HIDDEN = "dolt"


def report_pdf(
    plan: DeliveryPlan, version: PlanVersion, figures: PlanFigures, *, at: datetime
) -> bytes:
    """A page or two of A4 for the supplier."""
    data = {
        "region": plan.region.name,
        "provider": plan.provider.name,
        "place": plan.place,
        "kva": plan.kva,
        "procedure": procedure_name(plan.kva),
        "year": plan.year,
        "contract": plan.contract.number,
        "version": version.number,
        "agreed": _day(version.agreed_at),
        "agreed_with": version.agreed_with,
        "made": _day(at),
        "planned": figures.planned,
        "planned_so_far": figures.planned_so_far,
        "delivered": _figure(figures.delivered_so_far),
        "percent": _percent(figures.delivered_percent),
        "adherence": _percent(figures.adherence),
        "booked": _figure(figures.booked),
        "without_time": _figure(figures.without_time),
        "limit": f"{plan.behind_percent} % över {plan.behind_weeks} veckor",
        "window": plan.behind_weeks,
        "highest": max(1, *(max(row.planned, row.delivered or 0) for row in figures.weeks)),
        "weeks": [
            {
                "number": row.week.number,
                "monday": f"{row.week.monday:%Y-%m-%d}",
                "planned": row.planned,
                "delivered": _figure(row.delivered) if row.has_ended else "",
                "bar": (row.delivered or 0) if row.has_ended else 0,
                "booked": "" if row.has_ended else _figure(row.booked),
                "behind": row.is_behind,
                "percent": _percent(row.window_percent) if row.has_ended else "",
            }
            for row in figures.weeks
        ],
        "definitions": [[str(word), str(text)] for word, text in DEFINITIONS],
    }
    return compile_pdf(TEMPLATE, data, at=at)


def _day(at: datetime | None) -> str:
    return f"{timezone.localdate(at):%Y-%m-%d}" if at else ""


def _figure(value: int | None) -> str:
    return HIDDEN if value is None else str(value)


def _percent(value: int | None) -> str:
    return "–" if value is None else f"{value} %"
