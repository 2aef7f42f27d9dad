"""Regions, providers, care units, users and what they may see; events and append-only logs."""

from organisations.models.access import (
    AccessLog,
    AccessLogSeal,
    AccessReview,
    AccessSample,
    AccessSampleRow,
)
from organisations.models.events import DomainEvent, EventDelivery
from organisations.models.places import (
    HSA_ID_PATTERN,
    CareUnit,
    MedicalArea,
    Municipality,
    Provider,
    Region,
)
from organisations.models.users import Assignment, Role, User

__all__ = [
    "HSA_ID_PATTERN",
    "AccessLog",
    "AccessLogSeal",
    "AccessReview",
    "AccessSample",
    "AccessSampleRow",
    "Assignment",
    "CareUnit",
    "DomainEvent",
    "EventDelivery",
    "MedicalArea",
    "Municipality",
    "Provider",
    "Region",
    "Role",
    "User",
]
