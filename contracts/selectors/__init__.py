"""Reads of the contract registry that pages, API and services share."""

from contracts.selectors.usage import (
    Usage,
    call_offs_by_region,
    full_periods,
    procedure_name,
    usage_of,
    visible_contracts,
    with_current_periods,
)

__all__ = [
    "Usage",
    "call_offs_by_region",
    "full_periods",
    "procedure_name",
    "usage_of",
    "visible_contracts",
    "with_current_periods",
]
