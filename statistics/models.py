"""All tables of the app; each part keeps its own."""

from statistics.frozen.models import (
    FigureCorrection,
    FrozenFigure,
    FrozenMonth,
    MonthDue,
    Recount,
    Subscription,
)

__all__ = [
    "FigureCorrection",
    "FrozenFigure",
    "FrozenMonth",
    "MonthDue",
    "Recount",
    "Subscription",
]
