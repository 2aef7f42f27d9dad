"""The best allocation of a whole waiting list to the places of contracts, and first come beside it.

Plain data in, plain data out; nothing here knows of cases, contracts or the database.
"""

from capacity.allocation.best import Allocation, allocate
from capacity.allocation.figures import Figures, figures_of
from capacity.allocation.first_come import first_come
from capacity.allocation.problem import Limit, Placed, Problem, Waiting, Way

__all__ = [
    "Allocation",
    "Figures",
    "Limit",
    "Placed",
    "Problem",
    "Waiting",
    "Way",
    "allocate",
    "figures_of",
    "first_come",
]
