"""Reads of cases that pages, API and tasks share. They take the actor and return only what the
actor may see."""

from referral.selectors.cases import (
    find_by_number,
    get_case,
    running_case,
    timeline,
    visible_cases,
)
from referral.selectors.matching import matching_for, need_of
from referral.selectors.worklist import VIEWS, WorklistView, worklist, worklist_counts

__all__ = [
    "VIEWS",
    "WorklistView",
    "find_by_number",
    "get_case",
    "matching_for",
    "need_of",
    "running_case",
    "timeline",
    "visible_cases",
    "worklist",
    "worklist_counts",
]
