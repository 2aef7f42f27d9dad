"""All tables of the app; each part keeps its own."""

from statistics.waiting_times.models import WaitingTimeDegree, WaitingTimeDelivery

__all__ = ["WaitingTimeDegree", "WaitingTimeDelivery"]
