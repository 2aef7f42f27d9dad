"""The tables of the parts of statistics."""

from statistics.open_data.models import Edition, PublishedFigure

__all__ = ["Edition", "PublishedFigure"]
