"""All tables of the app; each part keeps its own."""

from statistics.facts.models import (
    AgeGroup,
    CaseFact,
    ContractKind,
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
from statistics.guarantee.models import WithheldWaiting
from statistics.open_data.models import Border, Edition, PublishedFigure, Status
from statistics.pathways.models import InclusionCount, LeadTimeCount, PathwayFile, PathwayLimit
from statistics.performance.models import PerformanceFigure, PerformanceImport
from statistics.waiting_times.models import WaitingTimeDegree, WaitingTimeDelivery

__all__ = [
    "AgeGroup",
    "Border",
    "CaseFact",
    "ContractKind",
    "Edition",
    "FigureCorrection",
    "FrozenFigure",
    "FrozenMonth",
    "InclusionCount",
    "LeadTimeCount",
    "MonthDue",
    "MonthRow",
    "MonthState",
    "OfferFact",
    "PathwayFile",
    "PathwayLimit",
    "PerformanceFigure",
    "PerformanceImport",
    "PublishedFigure",
    "Recount",
    "StaleCase",
    "Status",
    "Subscription",
    "WaitingTimeDegree",
    "WaitingTimeDelivery",
    "WithheldWaiting",
]
