"""Verbs of the contract registry and its ledger."""

from contracts.services.call_offs import release, reserve, settle, use
from contracts.services.documents import add_document, remove_document
from contracts.services.imports import import_contracts
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
    "add_contact",
    "add_document",
    "change_contract",
    "create_contract",
    "import_contracts",
    "may_change",
    "release",
    "remove_contact",
    "remove_document",
    "reserve",
    "save_line",
    "settle",
    "settle_question",
    "use",
]
