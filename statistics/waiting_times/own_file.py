"""The month's file of specialised care from the region's own cases.

Waiting at the month's end are the cases that had come in, had their decision, were not treated and
not closed; done are those treated in the month, also by a provider in another region. What the
product knows nothing of is left out: patients who never became a case, and cases that were closed
because the care was given elsewhere. A value that the product does not hold is *missing*, one that
cannot be for such a contact is *not applicable*.
"""

import io
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, timedelta

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet

from contracts.models import Procedure
from organisations.access import as_product
from organisations.models import CareUnit
from organisations.spreadsheets import csv_bytes
from patients.models import Patient
from referral.models import Case, Offer, Pause, Phase, Referral
from statistics.months import Month
from statistics.waiting_times.domains import KKA
from statistics.waiting_times.layout import (
    DONE,
    MISSING,
    NOT_APPLICABLE,
    WAITING,
    Model,
    Requirement,
    columns,
    place_of,
)
from statistics.waiting_times.reading import Unreadable
from statistics.waiting_times.reading import rows_of as readable_rows

AT_A_TIME = 2_000
SEXES = {Patient.Sex.MALE: "1", Patient.Sex.FEMALE: "2", Patient.Sex.UNKNOWN: "3"}
# The guarantee's two parts are phases 1 and 2: where a contact could be of several phases, the
# guarantee decides (appendix 5).
PHASES = {Phase.FIRST_VISIT: "1", Phase.TREATMENT: "2"}
DEVIATIONS = {Pause.Reason.PATIENT: "1", Pause.Reason.MEDICAL: "2"}
COVERED = "1"
Cells = dict[str, str]


@as_product("waiting times of own cases")
def written(region: str, month: Month) -> bytes:
    """The file of the region's month; UTF-8 and semicolons, as the layout's table orders it.

    Every value is a code, a date or an id of the layout: none begins as a formula would.
    """
    names = [one.name for one in columns(Model.SPECIALISED)]
    rows = rows_of(region, month)
    return csv_bytes(names, ([cells[name] for name in names] for cells in rows))


def rows_of(region: str, month: Month) -> Iterator[Cells]:
    """The month's contacts: those done, then those waiting."""
    areas = dict(Procedure.objects.values_list("kva", "medical_area_id"))
    for referral in _done(region, month).iterator(AT_A_TIME):
        case, unit = referral.offer.case, referral.offer.care_unit
        cells = _shared(case, unit, month, areas=areas, status=DONE)
        cells |= {
            "start": str(referral.treated_on),
            "diagnos": case.icd10,
            "atgard": case.kva if len(case.kva) > 3 else MISSING,
        }
        yield cells
    for case in _waiting(region, month).iterator(AT_A_TIME):
        taken = case.taken_by  # type: ignore[attr-defined]
        unit = taken[0].care_unit if taken else case.sending_unit
        yield _shared(case, unit, month, areas=areas, status=WAITING)


def cases_in(content: bytes, region: str) -> Iterator[tuple[str, int]]:
    """Number and patient of the region's cases that a delivered file names, for the access log."""
    at, named = -1, set()
    with suppress(Unreadable):
        _encoding, rows = readable_rows(io.BytesIO(content))
        for row in rows:
            if at < 0:
                at = place_of("vardkontakt_id", row)
            elif at < len(row):
                named.add(row[at].strip())
    numbers = sorted(named)
    for start in range(0, len(numbers), AT_A_TIME):
        some = numbers[start : start + AT_A_TIME]
        found = Case.objects.filter(region_id=region, number__in=some)
        yield from found.values_list("number", "patient_id")


def _done(region: str, month: Month) -> QuerySet[Referral]:
    return (
        Referral.objects.filter(
            offer__case__region_id=region,
            treated_on__gte=month.first_day,
            treated_on__lt=month.back(-1).first_day,
        )
        .select_related(
            "offer__case__patient", "offer__case__sending_unit", *_unit("offer__care_unit")
        )
        .prefetch_related(Prefetch("offer__case__pauses", to_attr="all_pauses"))
        .order_by("pk")
    )


def _waiting(region: str, month: Month) -> QuerySet[Case]:
    end = month.back(-1).first_day
    treated = Referral.objects.filter(offer__case=OuterRef("pk"), treated_on__lt=end)
    # Who had taken the case at the month's end.
    taken = Offer.objects.filter(
        Q(referral__rejected_at__isnull=True) | Q(referral__rejected_at__gte=month.end),
        referral__sent_at__lt=month.end,
    )
    return (
        Case.objects.filter(
            Q(closed_at__isnull=True) | Q(closed_at__gte=month.end),
            region_id=region,
            received_at__lt=month.end,
            decision_date__lt=end,
        )
        .exclude(Exists(treated))
        .select_related("patient", *_unit("sending_unit"))
        .prefetch_related(
            Prefetch("pauses", to_attr="all_pauses"),
            Prefetch(
                "offers",
                queryset=taken.select_related(*_unit("care_unit")).order_by("-serial"),
                to_attr="taken_by",
            ),
        )
        .order_by("pk")
    )


def _unit(path: str) -> tuple[str, ...]:
    return path, f"{path}__provider"


def _shared(
    case: Case, unit: CareUnit, month: Month, *, areas: dict[str, str], status: str
) -> Cells:
    """What done and waiting contacts have alike; all else is missing or not applicable."""
    phase, patient = PHASES[Phase(case.phase)], case.patient
    cells = {
        one.name: NOT_APPLICABLE
        if one.requirement(status, phase) == Requirement.EXCLUDED
        else MISSING
        for one in columns(Model.SPECIALISED)
    }
    cells |= {
        "rapportmanad": str(month),
        "status": status,
        "beslut": str(case.decision_date),
        "medicinskt_maldatum": str(case.medical_target_date or MISSING),
        "fodelsear": str(patient.birth_date.year) if patient.birth_date else MISSING,
        "kon": SEXES[Patient.Sex(patient.sex)],
        "kommunkod": patient.municipality_id or MISSING,
        "huvudman": case.region_id,
        "vardgivare": unit.provider.organisation_number,
        "vardenhet2": unit.hsa_id,
        "vardkontakt_id": case.number,
        "vardgaranti": COVERED,
        "fas": phase,
        "mvo": unit.medical_area_id or areas.get(case.kva) or MISSING,
        "avvikelse": _deviation(case, month),
        "remittent": MISSING if unit == case.sending_unit else case.sending_unit.hsa_id,
    }
    if phase == PHASES[Phase.TREATMENT]:
        cells["aktivitet"] = case.kva if KKA.fullmatch(case.kva) else MISSING
    return cells


def _deviation(case: Case, month: Month) -> str:
    """Why the patient last chose, or had, to wait; not applicable when nothing was registered."""
    last: date = month.back(-1).first_day - timedelta(days=1)
    begun = [pause for pause in case.all_pauses if pause.first_day <= last]  # type: ignore[attr-defined]
    if not begun:
        return NOT_APPLICABLE
    return DEVIATIONS[Pause.Reason(max(begun, key=lambda pause: pause.first_day).reason)]
