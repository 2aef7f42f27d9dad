"""Regions, providers, care units, users and what they may see; events and append-only logs."""

from organisations.models.access import AccessLog
from organisations.models.events import DomainEvent, EventDelivery
from organisations.models.login import ApiToken, FailedLogin, KeptText
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
    "ApiToken",
    "Assignment",
    "CareUnit",
    "DomainEvent",
    "EventDelivery",
    "FailedLogin",
    "KeptText",
    "MedicalArea",
    "Municipality",
    "Provider",
    "Region",
    "Role",
    "User",
]
