"""Reads of the contract registry that pages, API and services share."""

from contracts.selectors.costs import costs_per_contract
from contracts.selectors.invoices import (
    deviating_lines,
    invoice_lines_of,
    invoices_of,
    open_lines_count,
)
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
    "costs_per_contract",
    "current_periods",
    "curve",
    "deviating_lines",
    "forecast",
    "full_periods",
    "invoice_lines_of",
    "invoices_of",
    "open_alerts",
    "open_lines_count",
    "procedure_name",
    "procedure_names",
    "procedures_with",
    "shares_of",
    "usage_of",
    "visible_contracts",
    "with_current_periods",
]
