"""Which providers can take a patient, in which order, and why (pilot 1, knee prostheses).

Hard filters leave a contract line out and say why. What is left is scored 0–100 from waiting
time, distance, price, quality and whose the contract is, by weights that each region may choose.
"""

from capacity.matching.answer import LeftOut, Match, Matching, Uncontracted, answer, match
from capacity.matching.filters import age_refusals, reasons, refusals, warnings
from capacity.matching.landscape import Landscape, Ranked
from capacity.matching.need import Need
from capacity.matching.preview import codes_of, preview
from capacity.matching.scores import CRITERIA, NATIONAL, NO_POINTS, UNKNOWN_SHARE, Part, Weights
from capacity.matching.terms import Option, Quality, Terms, Wait
from capacity.matching.weights import (
    Moved,
    all_weights,
    history_of,
    weights_in_force,
    weights_of,
)

__all__ = [
    "CRITERIA",
    "NATIONAL",
    "NO_POINTS",
    "UNKNOWN_SHARE",
    "Landscape",
    "LeftOut",
    "Match",
    "Matching",
    "Moved",
    "Need",
    "Option",
    "Part",
    "Quality",
    "Ranked",
    "Terms",
    "Uncontracted",
    "Wait",
    "Weights",
    "age_refusals",
    "all_weights",
    "answer",
    "codes_of",
    "history_of",
    "match",
    "preview",
    "reasons",
    "refusals",
    "warnings",
    "weights_in_force",
    "weights_of",
]
