"""Plan and actual deliveries week by week as bars with marks."""

from django.utils.translation import gettext as _

from capacity.models import DeliveryPlan
from capacity.plans.figures import PlanFigures
from organisations.charts import Chart, bar_chart


def plan_chart(plan: DeliveryPlan, figures: PlanFigures) -> Chart:
    """A bar for what was delivered in weeks that have ended, a mark for what is planned."""
    return bar_chart(
        _("Utfall (staplar) mot plan (streck) per vecka %(year)s") % {"year": plan.year},
        [
            (
                str(row.week.number),
                float(row.delivered) if row.has_ended and row.delivered is not None else None,
                "",
            )
            for row in figures.weeks
        ],
        marks=[float(row.planned) for row in figures.weeks],
    )
