"""The hard filters: what leaves a line out, and why. One that fails is never listed.

Those of the line are the same for all patients of a region; those of the patient are asked for
each. What is merely not known leaves no line out, but is said as a warning.
"""

from collections.abc import Callable
from datetime import date
from typing import NamedTuple

from django.utils.translation import gettext as _

from capacity.distance import great_circle_km
from capacity.matching.need import Need
from capacity.matching.terms import Terms
from contracts.models import ContractLine
from organisations.languages import in_words
from organisations.models import equipment_in_words


class Filter(NamedTuple):
    """``fails(terms, need, km)`` says whether the line is left out, ``why`` the reason.

    ``asked(need)`` is false for a need that no line can fail, which spares most of the asking.
    """

    fails: Callable[[Terms, Need, int], bool]
    why: Callable[[Terms, Need, int], str]
    asked: Callable[[Need], bool] = lambda need: True


def _full_periods(terms: Terms, _need: Need, _km: int) -> str:
    return " ".join(
        _("Taket per %(period)s är nått.") % {"period": cap.get_period_display()}
        for cap in terms.full_periods
    )


OF_LINE: tuple[Filter, ...] = (
    Filter(
        lambda t, n, km: t.line.contract.is_stopped,
        lambda t, n, km: _("Avtalet är stoppat."),
    ),
    Filter(
        lambda t, n, km: t.today < t.line.contract.valid_from,
        lambda t, n, km: (
            _("Avtalet gäller först från %(day)s.") % {"day": t.line.contract.valid_from}
        ),
    ),
    Filter(
        lambda t, n, km: t.today > t.line.contract.valid_to,
        lambda t, n, km: _("Avtalet gick ut %(day)s.") % {"day": t.line.contract.valid_to},
    ),
    Filter(
        lambda t, n, km: not t.line.care_unit.is_active,
        lambda t, n, km: _("Enheten är stängd och tar inte emot nya patienter."),
    ),
    Filter(
        lambda t, n, km: (
            t.line.care_unit.is_active and not (t.line.is_active and t.line.care_unit.receives)
        ),
        lambda t, n, km: _("Enheten tar inte emot patienter på avtalet."),
    ),
    Filter(
        lambda t, n, km: n.region not in t.regions,
        lambda t, n, km: _("Regionen får inte avropa på avtalet."),
    ),
    Filter(
        lambda t, n, km: not t.line.has_room_for(t.line.price_sek),
        lambda t, n, km: _("Takvolymen på avropsraden är nådd."),
    ),
    Filter(
        lambda t, n, km: not t.line.contract.has_room_for(t.line.price_sek),
        lambda t, n, km: _("Takvolymen på avtalet är nådd."),
    ),
    Filter(lambda t, n, km: bool(t.full_periods), _full_periods),
)

OF_PATIENT: tuple[Filter, ...] = (
    Filter(
        lambda t, n, km: n.asa > t.line.asa_ceiling,
        lambda t, n, km: (
            _("Tar emot ASA-klass %(ceiling)s som högst, patienten har ASA %(asa)s.")
            % {"ceiling": t.line.asa_ceiling, "asa": n.asa}
        ),
    ),
    Filter(
        lambda t, n, km: (
            n.age is not None and t.line.age_min is not None and n.age < t.line.age_min
        ),
        lambda t, n, km: _("Tar emot patienter från %(age)s år.") % {"age": t.line.age_min},
    ),
    Filter(
        lambda t, n, km: (
            n.age is not None and t.line.age_max is not None and n.age > t.line.age_max
        ),
        lambda t, n, km: _("Tar emot patienter till och med %(age)s år.") % {"age": t.line.age_max},
    ),
    Filter(
        lambda t, n, km: bool(
            n.language and t.languages and n.languages and not n.languages & t.languages
        ),
        lambda t, n, km: (
            _("Patienten behöver %(language)s, enheten har %(offered)s.")
            % {"language": in_words(n.languages), "offered": in_words(t.languages)}
        ),
        lambda n: bool(n.languages),
    ),
    Filter(
        lambda t, n, km: not n.equipment <= t.equipment,
        lambda t, n, km: (
            _("Enheten har inte: %(missing)s.")
            % {"missing": ", ".join(equipment_in_words(n.equipment - t.equipment)).lower()}
        ),
        lambda n: bool(n.equipment),
    ),
    Filter(
        lambda t, n, km: n.max_distance_km is not None and km > n.max_distance_km,
        lambda t, n, km: (
            _("Ligger %(km)s km bort fågelvägen, patienten reser högst %(most)s km.")
            % {"km": km, "most": n.max_distance_km}
        ),
        lambda n: n.max_distance_km is not None,
    ),
)


def reasons(terms: Terms, need: Need, km: int) -> list[str]:
    """Why the line cannot take the patient, all of it; empty when it can."""
    return [
        one.why(terms, need, km) for one in (*OF_LINE, *OF_PATIENT) if one.fails(terms, need, km)
    ]


def refusals(line: ContractLine, need: Need, *, today: date) -> list[str]:
    """The reasons for a line that no landscape is at hand for."""
    unit = line.care_unit
    km = great_circle_km(need.latitude, need.longitude, unit.latitude, unit.longitude)
    return reasons(Terms.of(line, today=today), need, km)


def fails_for_all(terms: Terms, need: Need) -> bool:
    """Whether the line is left out for every patient of the need's region."""
    return any(one.fails(terms, need, 0) for one in OF_LINE)


def asked_of(need: Need) -> list[Callable[[Terms, Need, int], bool]]:
    """The filters that a line may fail for this patient."""
    return [one.fails for one in OF_PATIENT if one.asked(need)]


def warnings(terms: Terms, need: Need) -> list[str]:
    """What nobody has said and a person must ask about."""
    found = []
    if need.needs_language and not need.languages:
        found.append(
            _("Tolkspråket %(text)s är okänt här: fråga enheten.") % {"text": need.language}
        )
    elif need.languages and not terms.languages:
        found.append(
            _("Enheten har inte sagt vilka språk den klarar: fråga om %(language)s.")
            % {"language": in_words(need.languages)}
        )
    if need.age is None and (terms.line.age_min is not None or terms.line.age_max is not None):
        found.append(_("Patientens ålder är okänd, och avtalet har åldersgräns."))
    return found
