"""The tables of the app's parts."""

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
    "Recount",
    "StaleCase",
    "Subscription",
]
