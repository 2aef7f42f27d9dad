"""The tables of the parts of statistics."""

from statistics.open_data.models import Edition, PublishedFigure
from statistics.pathways.models import InclusionCount, PathwayLimit

__all__ = ["Edition", "InclusionCount", "PathwayLimit", "PublishedFigure"]
