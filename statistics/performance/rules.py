"""The rules of the agreement's block 1 in 2022, in one table.

Source: Socialstyrelsen's report on the agreement of 2022, chapter ”Regionernas uppfyllnadsgrad för
kortare väntetider”: the text before table 1, notes 4 and 6, and table 1 with notes 7-13. Each rule
names its notes. The agreement itself is not in the report, and two things are not said there:

* how the scale rises between the smallest improvement that counts and the one that gives the whole
  pot. Here it rises in proportion: 1.0 of 5.0 points is a fifth of the pot.
* what level and improvement follow-up visits ask for (note 12 tells what the target date is, no
  more). That measure is shown with its figures and not judged.
"""

from dataclasses import dataclass
from decimal import Decimal

from django.db import models
from django.utils.translation import gettext_lazy as _

# Months that count: February to November (”Analysperioden”). December is not in the model.
FIRST_MONTH, LAST_MONTH = 2, 11
# Above this many waiting children the waiting must be at the level too (notes 4, 6 and 13).
WAITING_CHILDREN = 20


class Measure(models.TextChoices):
    """The nine measures, in the order of table 1."""

    ASSESSMENT = "medical_assessment", _("Medicinsk bedömning inom 3 dagar i primärvården")
    VISIT_60 = "first_visit_60", _("Väntande på första besök i högst 60 dagar")
    TREATMENT_60 = "treatment_60", _("Väntande på operation/åtgärd i högst 60 dagar")
    VISIT_180 = "first_visit_over_180", _("Väntat över 180 dagar på besök")
    TREATMENT_180 = "treatment_over_180", _("Väntat över 180 dagar på operation/åtgärd")
    FOLLOW_UP = "follow_up", _("Återbesök inom medicinskt måldatum")
    BUP_VISIT = "bup_visit_30", _("BUP: besök inom 30 dagar")
    BUP_INVESTIGATION = "bup_investigation_30", _("BUP: utredningar inom 30 dagar")
    BUP_TREATMENT = "bup_treatment_30", _("BUP: behandlingar inom 30 dagar")


# Those waiting within 30 days of all waiting, which BUP's level asks for too: not measures of
# their own, but figures of the file.
WAITING_OF = {
    Measure.BUP_VISIT: "bup_visit_waiting_30",
    Measure.BUP_INVESTIGATION: "bup_investigation_waiting_30",
    Measure.BUP_TREATMENT: "bup_treatment_waiting_30",
}


@dataclass(frozen=True)
class Rule:
    """What one measure asks for. Levels in per cent, improvements in percentage points.

    ``level``: the share that is enough by itself. With ``lower_is_better`` the share may be at
    most that, and an improvement is a fall. ``least``: the smallest improvement that counts;
    ``whole``: the one that gives the whole pot.
    """

    level: Decimal
    least: Decimal
    whole: Decimal
    reference: str
    lower_is_better: bool = False
    asks_waiting_too: bool = False


_LEAST, _WHOLE = Decimal("1.0"), Decimal("5.0")
_WAITING = Rule(Decimal(72), _LEAST, _WHOLE, "tabell 1 not 10")
_OVER_180 = Rule(Decimal(5), _LEAST, _WHOLE, "tabell 1 not 11", lower_is_better=True)
_BUP = Rule(
    Decimal(72),
    Decimal("5.0"),
    Decimal("10.0"),
    "tabell 1 not 13, noterna 4 och 6",
    asks_waiting_too=True,
)
RULES: dict[Measure, Rule | None] = {
    Measure.ASSESSMENT: Rule(Decimal(82), _LEAST, _WHOLE, "tabell 1 not 9"),
    Measure.VISIT_60: _WAITING,
    Measure.TREATMENT_60: _WAITING,
    Measure.VISIT_180: _OVER_180,
    Measure.TREATMENT_180: _OVER_180,
    Measure.FOLLOW_UP: None,
    Measure.BUP_VISIT: _BUP,
    Measure.BUP_INVESTIGATION: _BUP,
    Measure.BUP_TREATMENT: _BUP,
}
NO_RULE_REFERENCE = "tabell 1 not 12, som inte anger någon nivå"


def reference_of(measure: Measure) -> str:
    rule = RULES[measure]
    return rule.reference if rule else NO_RULE_REFERENCE


# Every key that a file may have in its column of measures.
FIGURES = (*Measure.values, *WAITING_OF.values())
