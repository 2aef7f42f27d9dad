"""Verbs of the contract registry and its ledger."""

from contracts.services.call_offs import release, reserve, settle, use

__all__ = ["release", "reserve", "settle", "use"]
