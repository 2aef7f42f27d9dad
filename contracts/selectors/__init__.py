"""Reads of the contract registry that pages, API and services share."""

from contracts.selectors.ledger import (
    Forecast,
    Point,
    Share,
    current_periods,
    curve,
    forecast,
    open_alerts,
    shares_of,
)
from contracts.selectors.usage import (
    Usage,
    contracts_of,
    full_periods,
    procedure_name,
    procedure_names,
    procedures_with,
    usage_of,
    visible_contracts,
    with_current_periods,
)

__all__ = [
    "Forecast",
    "Point",
    "Share",
    "Usage",
    "contracts_of",
    "current_periods",
    "curve",
    "forecast",
    "full_periods",
    "open_alerts",
    "procedure_name",
    "procedure_names",
    "procedures_with",
    "shares_of",
    "usage_of",
    "visible_contracts",
    "with_current_periods",
]
