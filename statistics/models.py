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
from statistics.performance.models import PerformanceFigure, PerformanceImport
from statistics.waiting_times.models import WaitingTimeDegree, WaitingTimeDelivery

__all__ = [
    "AgeGroup",
    "CaseFact",
    "ContractKind",
    "Funding",
    "MonthRow",
    "MonthState",
    "OfferFact",
    "PerformanceFigure",
    "PerformanceImport",
    "StaleCase",
    "WaitingTimeDegree",
    "WaitingTimeDelivery",
]
