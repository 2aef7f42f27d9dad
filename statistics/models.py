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

__all__ = [
    "AgeGroup",
    "CaseFact",
    "ContractKind",
    "Funding",
    "MonthRow",
    "MonthState",
    "OfferFact",
    "StaleCase",
]
