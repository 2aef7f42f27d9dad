"""One case: by number, the running one, its timeline."""

from datetime import date

from organisations.access import Actor
from patients.identity import IdentityNumber, InvalidIdentityNumber
from referral.machine import CaseNotFound
from referral.models import Case, CaseLog
from referral.models.cases import CaseQuerySet
from referral.numbers import CaseNumber, InvalidCaseNumber


def visible_cases(actor: Actor) -> CaseQuerySet:
    """All cases the actor may see, with what lists show, in one query."""
    return Case.objects.visible_to(actor).select_related(
        "patient", "sending_unit", "receiving_unit", "navigator", "region"
    )


def get_case(actor: Actor, number: str) -> Case:
    """The case with this number. Raises :class:`CaseNotFound`, also when it must stay unknown."""
    case = find_by_number(actor, number)
    if case is None:
        raise CaseNotFound("Ärendet finns inte.")
    return case


def find_by_number(actor: Actor, text: str) -> Case | None:
    """The visible case whose number a person wrote, or ``None``."""
    try:
        number = CaseNumber.parse(text)
    except InvalidCaseNumber:
        return None
    return (
        visible_cases(actor)
        .select_related("form", "patient__municipality")
        .filter(number=number.value)
        .first()
    )


def running_case(actor: Actor, *, identity_number: str, kva: str, today: date) -> Case | None:
    """An open case for the same patient and procedure, among those the actor may see."""
    try:
        identity = IdentityNumber.parse(identity_number, today=today)
    except InvalidIdentityNumber:
        return None
    return (
        visible_cases(actor)
        .open()
        .filter(patient__identity_number=identity.value, kva=kva.strip().upper())
        .first()
    )


def timeline(case: Case) -> list[CaseLog]:
    """Everything that has happened in the case, newest first."""
    return list(case.log.order_by("-at", "-pk"))
