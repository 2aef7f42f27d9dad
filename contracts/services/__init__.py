"""Verbs of the contract registry and its ledger."""

from contracts.services.call_offs import lower, release, reopen, reserve, settle, use
from contracts.services.documents import add_document, remove_document
from contracts.services.imports import import_contracts
from contracts.services.invoice_lines import (
    approve_line,
    await_credit,
    dispute_line,
    may_decide,
    process_treated,
)
from contracts.services.invoices import Received, receive_invoices
from contracts.services.registry import (
    PeriodFigures,
    add_contact,
    change_contract,
    create_contract,
    may_change,
    remove_contact,
    save_line,
    settle_question,
)

__all__ = [
    "PeriodFigures",
    "Received",
    "add_contact",
    "add_document",
    "approve_line",
    "await_credit",
    "change_contract",
    "create_contract",
    "dispute_line",
    "import_contracts",
    "lower",
    "may_change",
    "may_decide",
    "process_treated",
    "receive_invoices",
    "release",
    "remove_contact",
    "remove_document",
    "reopen",
    "reserve",
    "save_line",
    "settle",
    "settle_question",
    "use",
]
