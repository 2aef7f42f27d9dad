"""Regions, providers, care units, users, invitations and what they may see; events and logs."""

from organisations.models.access import (
    AccessLog,
    AccessLogSeal,
    AccessReview,
    AccessSample,
    AccessSampleRow,
)
from organisations.models.administration import AdministrationLog, Invitation
from organisations.models.events import DomainEvent, EventDelivery, SweepRun
from organisations.models.login import ApiToken, FailedLogin, KeptText
from organisations.models.places import (
    HSA_ID_PATTERN,
    MOST_UNREAD_DAYS,
    UNREAD_DAYS,
    CareUnit,
    Equipment,
    Funding,
    MedicalArea,
    Municipality,
    Provider,
    Region,
    TravelPaid,
    equipment_field,
    equipment_in_words,
)
from organisations.models.users import Assignment, Role, User

__all__ = [
    "HSA_ID_PATTERN",
    "MOST_UNREAD_DAYS",
    "UNREAD_DAYS",
    "AccessLog",
    "AccessLogSeal",
    "AccessReview",
    "AccessSample",
    "AccessSampleRow",
    "AdministrationLog",
    "ApiToken",
    "Assignment",
    "CareUnit",
    "DomainEvent",
    "Equipment",
    "EventDelivery",
    "FailedLogin",
    "Funding",
    "Invitation",
    "KeptText",
    "MedicalArea",
    "Municipality",
    "Provider",
    "Region",
    "Role",
    "SweepRun",
    "TravelPaid",
    "User",
    "equipment_field",
    "equipment_in_words",
]
