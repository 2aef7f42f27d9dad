"""All tables of the app; each part keeps its own."""

from statistics.performance.models import PerformanceFigure, PerformanceImport
from statistics.waiting_times.models import WaitingTimeDegree, WaitingTimeDelivery

__all__ = ["PerformanceFigure", "PerformanceImport", "WaitingTimeDegree", "WaitingTimeDelivery"]
