"""The tables of the app's parts."""

from statistics.performance.models import PerformanceFigure, PerformanceImport

__all__ = ["PerformanceFigure", "PerformanceImport"]
