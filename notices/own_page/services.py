"""Code and identity: who gets in on the patient's own page, and how tries are counted.

A try is counted and judged while the number's row is held, in a transaction of its own: a hundred
tries at once get no further than a hundred in a row, and no error of the page takes one back. The
count lies in the database, so that losing the cache opens nothing.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from notices.models import Notice
from notices.own_page.codes import is_code
from notices.own_page.models import AnswerCode
from organisations.access import Actor, as_product, record_access
from organisations.errors import DomainError, NotAllowed, WrongState
from organisations.events import wake
from organisations.models import Role
from patients.identity import IdentityNumber
from patients.selectors import identity_hashes
from referral.machine import CaseNotFound
from referral.models import Case
from referral.numbers import CaseNumber

logger = logging.getLogger(__name__)

CHANNEL = "Patienten på egna sidan"
# So many wrong tries lock the code for a while, and so many in all until a person makes a new one.
TRIES = 5
LOCKED = timedelta(minutes=15)
MOST_TRIES = 20
# What a closed case has to tell is soon told.
OPEN_AFTER_CLOSING = timedelta(days=90)


class WrongCode(DomainError):
    """Case number and code do not belong together, or no longer do; which, is not said."""

    status = 422
    code = "wrong_code"


class CodeLocked(DomainError):
    """Too many wrong tries; ``until`` is ``None`` when only a new code helps."""

    status = 429
    code = "code_locked"

    def __init__(self, until: datetime | None) -> None:
        super().__init__(_("För många försök."))
        self.until = until


def open_with_code(number: CaseNumber, typed: str, *, now: datetime) -> tuple[Case, int]:
    """The case that the code is for, and the code's serial.

    Raises :class:`CodeLocked` without judging the code, and :class:`WrongCode`.
    """

    def judge(row: AnswerCode) -> Case | None:
        case = _open_case(number.value, now=now)
        right = is_code(typed, number.value, serial=row.serial)
        return case if right else None

    return _judged(number.value, judge, now=now)


def prove_identity(
    number: str, *, serial: int, identity: IdentityNumber | None, now: datetime
) -> Case:
    """The case, when the person who has its code is its patient; forgets the wrong tries.

    Another person counts as a wrong try and stands in the access log, without who it was.
    Raises :class:`CodeLocked` and :class:`WrongCode`.
    """
    hashes = identity_hashes(identity) if identity else []

    def judge(row: AnswerCode) -> Case | None:
        case = _open_case(number, now=now)
        if case is None or row.serial != serial:
            return None
        if case.patient.identity_hash not in hashes:
            logger.warning("somebody else identified at the own page of case %s", number)
            someone = Actor.patient("Annan person på egna sidan")
            shown = [(case.number, case.patient_id)]
            record_access(someone, what="own_page_refused", now=now, cases=shown)
            return None
        row.wrong, row.locked_until = 0, None
        return case

    return _judged(number, judge, now=now)[0]


def new_code(case: Case, *, actor: Actor, now: datetime) -> AnswerCode:
    """Give the case another code and send it; the old one opens nothing any more.

    Raises :class:`WrongState` while a message that bears the old one is on its way: the gateway
    takes no other text under the same key.
    """
    if actor.role != Role.NAVIGATOR:
        raise NotAllowed(_("Din roll får inte göra detta."), code="wrong_role")
    if not Case.objects.visible_to(actor).filter(pk=case.pk).exists():
        raise CaseNotFound(_("Ärendet finns inte."))
    if case.patient.has_departed:
        raise WrongState(case.patient.departure, code="patient_departed")
    with transaction.atomic(), as_product("new answer code"):
        if _on_its_way(case, now=now):
            raise WrongState(
                _("Ett meddelande med koden är på väg till patienten. Försök igen om en stund."),
                code="code_on_its_way",
            )
        row = _locked(case.number, now=now)
        row.serial += 1
        row.wrong, row.locked_until, row.barred_at = 0, None, None
        row.save()
        Notice.objects.create(
            idempotency_key=f"{case.number}/code/{row.serial}",
            case=case,
            kind=Notice.Kind.ANSWER_CODE,
            channel=Notice.Channel.INBOX,
            sender=case.sending_unit,
            subject=_("Ny svarskod"),
            body=_(
                "Här är din nya svarskod. Den förra gäller inte längre. "
                "Lämna inte ut koden till någon.\n"
            ),
            created_at=now,
            due_at=now,
        )
        transaction.on_commit(wake)
    record_access(actor, what="new_answer_code", now=now, cases=[(case.number, case.patient_id)])
    return row


def _on_its_way(case: Case, *, now: datetime) -> bool:
    """Whether a waiting message may have left already; those that may not are held until then."""
    waiting = Notice.objects.select_for_update(of=("self",)).filter(
        case=case, channel__in=Notice.CHOSEN, state=Notice.State.WAITING
    )
    return any(notice.attempts or notice.due_at <= now for notice in waiting.order_by("pk"))


def _judged(
    number: str, judge: Callable[[AnswerCode], Case | None], *, now: datetime
) -> tuple[Case, int]:
    with transaction.atomic(durable=True), as_product("answer code"):
        row = _locked(number, now=now)
        if row.is_locked(now):
            # A refused try is not judged: it says nothing and makes the wait no longer.
            refusal: DomainError = CodeLocked(None if row.barred_at else row.locked_until)
        elif found := judge(row):
            row.tried_at = now
            row.save()
            return found, row.serial
        else:
            _count_wrong(row, now=now)
            refusal = WrongCode(
                _("Ärendenumret och koden hör inte ihop, eller så gäller koden inte längre.")
            )
    raise refusal


def _count_wrong(row: AnswerCode, *, now: datetime) -> None:
    row.wrong += 1
    row.tried_at = now
    if row.wrong % TRIES == 0:
        row.locked_until = now + LOCKED
        logger.warning("the answer code of case %s is locked", row.case_number)
    if row.wrong >= MOST_TRIES:
        row.barred_at = now
    row.save()


def _locked(number: str, *, now: datetime) -> AnswerCode:
    """The number's row, held; made when there is none."""
    AnswerCode.objects.bulk_create(
        [AnswerCode(case_number=number, tried_at=now)], ignore_conflicts=True
    )
    return AnswerCode.objects.select_for_update().get(case_number=number)


def _open_case(number: str, *, now: datetime) -> Case | None:
    """The case, as long as its page is open; one whose patient has departed has none."""
    case = Case.objects.select_related("patient", "region").filter(number=number).first()
    if case is None or case.patient.has_departed:
        return None
    closed = case.closed_at is not None and now >= case.closed_at + OPEN_AFTER_CLOSING
    return None if closed else case
