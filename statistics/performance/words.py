"""Results in words, the same on the page, in the files and over the API."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from statistics.performance.calculator import Missing, Outcome
from statistics.performance.rules import Measure
from statistics.performance.selectors import OF_CASES, Performance, Source

OUTCOMES = {
    Outcome.LEVEL: gettext_lazy("Nivån uppnådd"),
    Outcome.IMPROVED: gettext_lazy("Förbättring uppnådd"),
    Outcome.NOT_MET: gettext_lazy("Inte uppnått"),
    Outcome.UNDECIDED: gettext_lazy("Kan inte avgöras"),
    Outcome.NO_FIGURE: gettext_lazy("Uppgift saknas"),
    Outcome.NO_RULE: gettext_lazy("Bedöms inte: källan anger ingen nivå"),
    Outcome.NOT_COUNTED: gettext_lazy("Månaden ingår inte (februari–november)"),
}
MISSING = {
    Missing.THIS_MONTH: gettext_lazy("månadens värde"),
    Missing.LAST_YEAR: gettext_lazy("samma månad året innan"),
    Missing.WAITING: gettext_lazy("andelen väntande inom 30 dagar"),
}


def outcome_of(found: Performance, measure: Measure, outcome: Outcome) -> str:
    if measure in found.hidden:
        return _("Dolt: vilar på små tal")
    if found.source == Source.CASES and measure not in OF_CASES:
        return _("Kan inte räknas ur ärenden i Vårdlots")
    return str(OUTCOMES[outcome])


def missing_of(missing: tuple[Missing, ...]) -> str:
    return ", ".join(str(MISSING[one]) for one in missing)
