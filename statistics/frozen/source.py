"""What is frozen: the month's figures, given by whoever counts them.

The services take the count as an argument, so that a test may give figures of its own.
"""

from collections.abc import Callable

from statistics.facts.models import MonthState
from statistics.monthly import figures
from statistics.monthly.figures import Figure
from statistics.months import Month

__all__ = ["Count", "Figure", "month_figures"]

# The figures of a region's month as they are known now.
Count = Callable[[str, Month], list[Figure]]


def month_figures(region: str, month: Month) -> list[Figure]:
    """Of the month as the facts tell it now, counted anew when it is due to be."""
    due = MonthState.objects.filter(
        region=region, month=month.first_day, due_at__isnull=False
    ).exists()
    return figures.month_figures(region, month, anew=due)
