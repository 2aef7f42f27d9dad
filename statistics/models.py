"""All tables of the app; each part keeps its own."""

from statistics.facts.models import (
    AgeGroup,
    CaseFact,
    ContractKind,
    Funding,
    MonthRow,
    MonthState,
    OfferFact,
    StaleCase,
)
from statistics.frozen.models import (
    FigureCorrection,
    FrozenFigure,
    FrozenMonth,
    MonthDue,
    Recount,
    Subscription,
)
from statistics.performance.models import PerformanceFigure, PerformanceImport
from statistics.waiting_times.models import WaitingTimeDegree, WaitingTimeDelivery

__all__ = [
    "AgeGroup",
    "CaseFact",
    "ContractKind",
    "FigureCorrection",
    "FrozenFigure",
    "FrozenMonth",
    "Funding",
    "MonthDue",
    "MonthRow",
    "MonthState",
    "OfferFact",
    "PerformanceFigure",
    "PerformanceImport",
    "Recount",
    "StaleCase",
    "Subscription",
    "WaitingTimeDegree",
    "WaitingTimeDelivery",
]
