"""One case: by number, the running one, its timeline."""

from datetime import date

from organisations.access import Actor
from organisations.models import Role
from patients.identity import IdentityNumber, InvalidIdentityNumber
from patients.selectors import identity_hashes
from referral.machine import CaseNotFound
from referral.models import Case, CaseLog, LogVerb
from referral.models.cases import CaseQuerySet
from referral.numbers import CaseNumber, InvalidCaseNumber

SHOWN_IN_LISTS = ("patient", "sending_unit", "receiving_unit", "navigator", "region")


def visible_cases(actor: Actor) -> CaseQuerySet:
    """All cases the actor may see, with what lists show, in one query."""
    return Case.objects.visible_to(actor).select_related(*SHOWN_IN_LISTS)


def get_case(actor: Actor, number: str) -> Case:
    """The case with this number. Raises :class:`CaseNotFound`, also when it must stay unknown.

    A number that cannot be one, by shape or check digit, is answered with what is wrong with it.
    """
    try:
        CaseNumber.parse(number)
    except InvalidCaseNumber as error:
        raise CaseNotFound(str(error)) from error
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
        .filter(
            patient__identity_hash__in=identity_hashes(identity),
            kva=kva.strip().upper(),
        )
        .first()
    )


# What a receiving provider sees of the log beside its own notes.
PROVIDER_VERBS = frozenset(
    {
        LogVerb.ACCEPT,
        LogVerb.CONFIRM,
        LogVerb.BOOK,
        LogVerb.TREAT,
        LogVerb.CLOSE,
    }
)


def wrote(entry: CaseLog, actor: Actor) -> bool:
    """Whether the note is the actor's own or its unit's, who alone may mark it as wrong."""
    return entry.verb == LogVerb.NOTE and (
        entry.user_id == actor.user_id or (entry.role == actor.role and entry.place == actor.place)
    )


def timeline(actor: Actor, case: Case) -> list[CaseLog]:
    """What has happened in the case, newest first.

    The home region sees everything; a receiving provider what concerns it, from the patient's
    latest yes on (design 5.6).
    """
    entries = list(case.log.order_by("-at", "-pk"))
    struck = {e.details.get("entry"): e for e in entries if e.verb == LogVerb.STRIKE_NOTE}
    for entry in entries:
        entry.struck = struck.get(entry.pk)
        entry.may_strike = entry.struck is None and wrote(entry, actor)
    if actor.role != Role.PROVIDER:
        return entries
    mine: list[CaseLog] = []
    for entry in entries:
        if entry.verb in PROVIDER_VERBS or entry.role == Role.PROVIDER:
            mine.append(entry)
        if entry.verb == LogVerb.ACCEPT:
            break
    return mine
