"""Waiting times, quality, free places, the weights of matching and delivery plans."""

from capacity.models.plans import DeliveryPlan, PlannedWeek, PlanVersion
from capacity.models.slots import FreeCapacity, TakenPlace
from capacity.models.waiting import OWN_SOURCE, QualityMeasure, WaitingTime, WaitingTimeFile
from capacity.models.weights import MatchingWeights

__all__ = [
    "OWN_SOURCE",
    "DeliveryPlan",
    "FreeCapacity",
    "MatchingWeights",
    "PlanVersion",
    "PlannedWeek",
    "QualityMeasure",
    "TakenPlace",
    "WaitingTime",
    "WaitingTimeFile",
]
