"""Loggutdrag: which units have looked at the patient's data and when (patientdatalagen 8 kap. 5 §).

The patient gets unit and time, in words that a patient understands, and not the names of staff.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from organisations.access import SYSTEM, Actor, as_product
from organisations.access_log.reviewing import reviewable
from organisations.models import AccessLog, Role
from patients.identity import IdentityNumber, InvalidIdentityNumber
from patients.selectors import identity_hashes
from referral.access_log import words_for
from referral.machine import CaseNotFound
from referral.models import Case, IntakeForm
from referral.numbers import CaseNumber, InvalidCaseNumber


@dataclass(frozen=True)
class Occasion:
    """What a unit did with one case on one day, with first and last time."""

    day: date
    first: datetime
    last: datetime
    times: int
    unit: str
    role: str
    what: str
    case_number: str


@dataclass(frozen=True)
class Extract:
    number: str
    patient_id: int
    region: str
    cases: list[str]
    occasions: list[Occasion]
    rows: list[AccessLog]


@as_product("log extract")
def case_asked_for(actor: Actor, text: str, *, today: date) -> Case:
    """A case of the region's, by its number or by its patient's identity number.

    Raises :class:`CaseNotFound`; a patient of another region is as unknown as one of none.
    """
    cases = Case.objects.filter(region_id=actor.region or "").order_by("-received_at")
    found = cases.filter(_asked(text, today=today)).first()
    if actor.role != Role.REGION_ADMIN or found is None:
        raise CaseNotFound(_("Regionen har inget ärende med det numret."))
    return found


@as_product("log extract")
def log_extract(actor: Actor, number: str) -> Extract:
    """All that the region has logged about the patient of this case, newest first."""
    wanted = CaseNumber.parse(number).value if _is_number(number) else ""
    cases = Case.objects.select_related("region").filter(region_id=actor.region or "")
    case = cases.filter(number=wanted).first()
    if actor.role != Role.REGION_ADMIN or case is None:
        raise CaseNotFound(_("Regionen har inget ärende med det numret."))
    own = Case.objects.filter(patient_id=case.patient_id, region_id=case.region_id)
    drafts = IntakeForm.objects.filter(case__in=own).values("pk")
    rows = list(
        reviewable(actor)
        .filter(home_region=case.region_id)
        .filter(Q(patient_id=case.patient_id) | Q(form_id__in=drafts))
        .order_by("-at", "-pk")
    )
    return Extract(
        number=case.number,
        patient_id=case.patient_id,
        region=str(case.region),
        cases=list(own.order_by("received_at").values_list("number", flat=True)),
        occasions=_occasions(rows),
        rows=rows,
    )


def unit_of(row: AccessLog) -> str:
    """Where the one who looked works; the product itself, and the patient, have no unit."""
    if row.unit:
        return row.unit
    return _("Vårdlots, automatiskt") if row.role == SYSTEM else _("Patienten själv")


def role_of(row: AccessLog) -> str:
    return str(Role(row.role).label) if row.role in Role.values else ""


def _is_number(text: str) -> bool:
    try:
        CaseNumber.parse(text)
    except InvalidCaseNumber:
        return False
    return True


def _asked(text: str, *, today: date) -> Q:
    if _is_number(text):
        return Q(number=CaseNumber.parse(text).value)
    try:
        identity = IdentityNumber.parse(text, today=today)
        return Q(patient__identity_hash__in=identity_hashes(identity))
    except InvalidIdentityNumber:
        return Q(pk__in=[])


def _occasions(rows: Iterable[AccessLog]) -> list[Occasion]:
    """Rows of the same day, unit, act and case as one: a case page opened twelve times is one."""

    def key(row: AccessLog) -> tuple[date, str, str, str, str]:
        day = timezone.localdate(row.at)
        return day, unit_of(row), role_of(row), words_for(row.what), row.case_number

    found = []
    for (day, unit, role, what, number), same in groupby(sorted(rows, key=key), key=key):
        times = sorted(row.at for row in same)
        found.append(Occasion(day, times[0], times[-1], len(times), unit, role, what, number))
    return sorted(found, key=lambda occasion: occasion.last, reverse=True)
