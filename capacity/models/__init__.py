"""Waiting times, quality and delivery plans."""

from capacity.models.plans import DeliveryPlan, PlannedWeek, PlanVersion
from capacity.models.waiting import OWN_SOURCE, QualityMeasure, WaitingTime, WaitingTimeFile

__all__ = [
    "OWN_SOURCE",
    "DeliveryPlan",
    "PlanVersion",
    "PlannedWeek",
    "QualityMeasure",
    "WaitingTime",
    "WaitingTimeFile",
]
