"""Contract registry, caps and the ledger of call-offs."""

from contracts.models.alerts import CapAlert, OpeningDay
from contracts.models.call_offs import CallOff
from contracts.models.caps import Capped, Period, PeriodCap, PeriodCount
from contracts.models.invoices import (
    Deviation,
    Invoice,
    InvoiceFile,
    InvoiceLine,
    InvoiceLog,
)
from contracts.models.papers import (
    ChecklistItem,
    ContractContact,
    ContractDocument,
    ContractImport,
    ContractVersion,
)
from contracts.models.procedures import Procedure
from contracts.models.registry import Contract, ContractLine

__all__ = [
    "CallOff",
    "CapAlert",
    "Capped",
    "ChecklistItem",
    "Contract",
    "ContractContact",
    "ContractDocument",
    "ContractImport",
    "ContractLine",
    "ContractVersion",
    "Deviation",
    "Invoice",
    "InvoiceFile",
    "InvoiceLine",
    "InvoiceLog",
    "OpeningDay",
    "Period",
    "PeriodCap",
    "PeriodCount",
    "Procedure",
]
