"""What becomes of an invoice line: checked, settled, decided upon, credited.

Every verb first locks the call-offs of the cases it touches, in the order of their keys, and then
whatever else it changes: two that read invoices for the same case take turns, and the second finds
what the first did. That a call-off is settled by one line at most is held by a constraint.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from contracts.invoice_checks import further_deviations
from contracts.models import CallOff, Contract, ContractLine, Deviation, InvoiceLine, InvoiceLog
from contracts.services.call_offs import lower, reopen, settle
from organisations.access import Actor, as_product
from organisations.errors import CapReached, InvalidInput, NotAllowed, WrongState
from organisations.models import Role

S = InvoiceLine.State
Verb = InvoiceLog.Verb
DECIDES = frozenset({Role.NAVIGATOR, Role.CONTRACT_OWNER})
MAX_REASON = 500


def may_decide(actor: Actor, line: InvoiceLine) -> bool:
    """Whether the actor settles deviations of the region that pays."""
    return actor.role in DECIDES and actor.region == line.invoice.region_id


@transaction.atomic
def approve_line(line: InvoiceLine, *, reason: str, actor: Actor, now: datetime) -> InvoiceLine:
    """Pay the line, or carry the credit out, in spite of what deviates, for a reason.

    Raises :class:`WrongState` when there is nothing to settle (no call-off, not treated, settled
    by another line, no line to credit) and :class:`CapReached` when the amount does not fit.
    """
    why = _checked(line, reason, actor)
    with as_product("invoices"):
        locked, call_off = _lock(line)
        if locked.is_credit:
            _approve_credit(locked, why=why, actor=actor, now=now)
        else:
            if call_off is None:
                raise WrongState(_("Raden hör inte till något avrop och kan inte godkännas."))
            if locked.left_sek < 0:
                raise WrongState(_("Ett negativt belopp ska komma som kreditfaktura."))
            _settle(locked, call_off, verb=Verb.APPROVE, why=why, actor=actor, now=now)
        return locked


def dispute_line(line: InvoiceLine, *, reason: str, actor: Actor, now: datetime) -> InvoiceLine:
    """Do not pay the line, and say why; it stays in view until it is credited or approved."""
    return _put(line, S.DISPUTED, Verb.DISPUTE, reason=reason, actor=actor, now=now)


def await_credit(line: InvoiceLine, *, reason: str, actor: Actor, now: datetime) -> InvoiceLine:
    """The provider has been asked for a credit note, which will close the line."""
    if line.is_credit:
        raise WrongState(_("En kredit väntar inte på en kreditfaktura."))
    return _put(line, S.AWAITS_CREDIT, Verb.AWAIT_CREDIT, reason=reason, actor=actor, now=now)


@transaction.atomic
def _put(
    line: InvoiceLine, state: S, verb: Verb, *, reason: str, actor: Actor, now: datetime
) -> InvoiceLine:
    why = _checked(line, reason, actor)
    with as_product("invoices"):
        locked, _call_off = _lock(line)
        locked.state = state
        locked.save(update_fields=["state"])
        write_log(locked, verb, why=why, actor=actor, now=now)
        return locked


def _checked(line: InvoiceLine, reason: str, actor: Actor) -> str:
    if not may_decide(actor, line):
        raise NotAllowed(
            _("Avvikelser avgörs av vårdlots eller avtalsägare i regionen som betalar.")
        )
    why = " ".join(reason.replace("\x00", "").split())
    if not why:
        text = _("Skriv ett skäl.")
        raise InvalidInput(text, fields={"reason": text})
    return why[:MAX_REASON]


def _lock(line: InvoiceLine) -> tuple[InvoiceLine, CallOff | None]:
    """The line, which must still be open, and its call-off, both locked."""
    call_offs = lock_call_offs([line.case_number])
    locked = (
        InvoiceLine.objects.select_related("invoice")
        .select_for_update(of=("self",))
        .get(pk=line.pk)
    )
    if locked.state not in InvoiceLine.OPEN:
        raise WrongState(
            _("Raden är redan avgjord: %(state)s.") % {"state": locked.get_state_display().lower()}
        )
    return locked, call_offs.get(locked.case_number)


def lock_call_offs(numbers: Iterable[str]) -> dict[str, CallOff]:
    """The live call-off of each case, locked with the counters above it, in one order for all."""
    found = list(
        CallOff.objects.filter(case_number__in={number for number in numbers if number})
        .exclude(state=CallOff.State.RELEASED)
        .select_related("line__contract")
        .order_by("pk")
        .select_for_update(of=("self",))
    )
    lines = {call_off.line_id for call_off in found}
    contracts = {call_off.line.contract_id for call_off in found}
    for model, keys in ((ContractLine, lines), (Contract, contracts)):
        rows: Any = model
        list(
            rows.objects.filter(pk__in=keys)
            .order_by("pk")
            .select_for_update(no_key=True)
            .values_list("pk", flat=True)
        )
    return {call_off.case_number: call_off for call_off in found}


def process_line(
    line: InvoiceLine, call_off: CallOff | None, *, actor: Actor, now: datetime
) -> None:
    """Check an open line and settle it when nothing deviates. Its call-off is locked."""
    if line.is_credit:
        _process_credit(line, actor=actor, now=now)
        return
    deviations = _deviations(line, call_off)
    line.call_off = call_off
    if not deviations and call_off is not None:
        try:
            _settle(line, call_off, verb=Verb.SETTLE, why="", actor=actor, now=now)
            return
        except CapReached:
            deviations = [Deviation.CAP]
    _deviate(line, deviations, actor=actor, now=now)


def _deviate(
    line: InvoiceLine, deviations: list[Deviation], *, actor: Actor, now: datetime
) -> None:
    codes = [code.value for code in deviations]
    changed = line.deviations != codes
    line.deviations = codes
    line.save(update_fields=["deviations", "call_off"])
    if changed:
        write_log(line, Verb.DEVIATE, actor=actor, now=now)


def _deviations(line: InvoiceLine, call_off: CallOff | None) -> list[Deviation]:
    """What differs, in the order that a person wants to read it."""
    found: list[Deviation] = []
    if not line.case_number:
        found.append(Deviation.CASE_WRONG if line.quoted else Deviation.CASE_MISSING)
    elif call_off is None:
        found.append(Deviation.NO_CALL_OFF)
    else:
        found += _of_call_off(line, call_off)
    if line.treated_from is None:
        found.append(Deviation.DATE_MISSING)
    if line.quantity != 1:
        found.append(Deviation.QUANTITY)
    if line.vat_percent > 0:
        found.append(Deviation.VAT)
    if line.amount_sek < 0:
        found.append(Deviation.NEGATIVE)
    if line.has_identity_number:
        found.append(Deviation.IDENTITY)
    return found


def _of_call_off(line: InvoiceLine, call_off: CallOff) -> list[Deviation]:
    found: list[Deviation] = []
    if call_off.state == CallOff.State.RESERVED:
        found.append(Deviation.NOT_TREATED)
    # Billed before, and neither credited nor a later line than this.
    before = InvoiceLine.objects.filter(
        call_off=call_off, is_credit=False, pk__lt=line.pk, state__in=[*InvoiceLine.OPEN, S.SETTLED]
    )
    if call_off.state == CallOff.State.SETTLED or before.exists():
        found.append(Deviation.DOUBLE)
    elif line.left_sek != call_off.amount_sek:
        found.append(Deviation.PRICE)
    if call_off.line.contract.provider_id != line.invoice.provider_id:
        found.append(Deviation.OTHER_PROVIDER)
    return found + further_deviations(line, call_off)


def _settle(
    line: InvoiceLine, call_off: CallOff, *, verb: Verb, why: str, actor: Actor, now: datetime
) -> None:
    agreed = call_off.amount_sek
    settled = settle(call_off, amount_sek=line.left_sek, now=now)
    # Whoever looks at the same call-off next in this transaction sees it settled.
    call_off.state, call_off.amount_sek = settled.state, settled.amount_sek
    line.call_off, line.agreed_sek = call_off, agreed
    line.state, line.settled_at = S.SETTLED, now
    if verb == Verb.SETTLE:
        line.deviations = []
    line.save(update_fields=["call_off", "agreed_sek", "state", "settled_at", "deviations"])
    write_log(line, verb, why=why, actor=actor, now=now)


# Credits


def _original(credit: InvoiceLine) -> InvoiceLine | None:
    """The line that a credit is for: same provider, invoice and case, with something left."""
    if not credit.case_number:
        return None
    found = (
        InvoiceLine.objects.filter(
            invoice__provider=credit.invoice.provider_id,
            invoice__region=credit.invoice.region_id,
            invoice__number=credit.invoice.credits_number,
            is_credit=False,
            case_number=credit.case_number,
            amount_sek__gt=0,
        )
        .exclude(state=S.CREDITED)
        .select_related("invoice")
        .order_by("pk")
    )
    lines = list(found)
    same = [line for line in lines if line.left_sek == credit.amount_sek]
    return next(iter(same or lines), None)


def _process_credit(credit: InvoiceLine, *, actor: Actor, now: datetime) -> None:
    original = _original(credit)
    deviations: list[Deviation] = []
    if not credit.case_number:
        deviations.append(Deviation.CASE_WRONG if credit.quoted else Deviation.CASE_MISSING)
    if original is None:
        deviations.append(Deviation.CREDIT_UNKNOWN)
    elif original.left_sek != credit.amount_sek:
        deviations.append(Deviation.CREDIT_AMOUNT)
    if credit.has_identity_number:
        deviations.append(Deviation.IDENTITY)
    if deviations or original is None:
        _deviate(credit, deviations, actor=actor, now=now)
        return
    _credit(credit, original, why="", actor=actor, now=now)


def _approve_credit(credit: InvoiceLine, *, why: str, actor: Actor, now: datetime) -> None:
    original = _original(credit)
    if original is None:
        raise WrongState(_("Det finns ingen fakturarad att kreditera."))
    if not 0 < credit.amount_sek <= original.left_sek:
        raise WrongState(_("Krediten är större än det som är kvar av fakturaraden."))
    _credit(credit, original, why=why, actor=actor, now=now)


def _credit(
    credit: InvoiceLine, original: InvoiceLine, *, why: str, actor: Actor, now: datetime
) -> None:
    """Take the credit from the line, and from the ledger what the line had settled.

    All lines of the case are this transaction's: it holds the case's call-off, or there is none
    and nothing was settled; the rows are locked as they are written.
    """
    original = (
        InvoiceLine.objects.select_for_update(of=("self",))
        .select_related("invoice", "call_off")
        .get(pk=original.pk)
    )
    was_settled = original.state == S.SETTLED
    original.credited_sek += credit.amount_sek
    whole = original.left_sek == 0
    if whole:
        original.state = S.CREDITED
    original.save(update_fields=["credited_sek", "state"])
    if was_settled and original.call_off is not None:
        if whole:
            agreed = original.agreed_sek or original.amount_sek
            reopen(original.call_off, amount_sek=agreed, now=now)
        else:
            lower(original.call_off, amount_sek=original.left_sek, now=now)
    credit.credits, credit.call_off = original, original.call_off
    credit.state, credit.settled_at = S.SETTLED, now
    if not why:
        credit.deviations = []
    credit.save(update_fields=["credits", "call_off", "state", "settled_at", "deviations"])
    verb = Verb.APPROVE if why else Verb.SETTLE
    write_log(credit, verb, why=why, actor=actor, now=now)
    write_log(original, Verb.CREDIT, why=credit.invoice.number, actor=actor, now=now)
    _process_waiting(original, actor=actor, now=now)


def _process_waiting(original: InvoiceLine, *, actor: Actor, now: datetime) -> None:
    """Look again at lines of the case that a credit may have made right: the oldest first."""
    waiting = (
        InvoiceLine.objects.filter(
            case_number=original.case_number, is_credit=False, state=S.DEVIATES
        )
        .select_related("invoice")
        .order_by("pk")
        .select_for_update(of=("self",))
    )
    for line in waiting:
        call_off = lock_call_offs([line.case_number]).get(line.case_number)
        process_line(line, call_off, actor=actor, now=now)


def process_treated(*, now: datetime, limit: int = 100) -> int:
    """Sweep: look again at lines that came before the treatment was reported; returns how many."""
    treated = CallOff.objects.filter(
        case_number=OuterRef("case_number"), state__in=[CallOff.State.USED, CallOff.State.SETTLED]
    )
    due = InvoiceLine.objects.filter(
        Exists(treated),
        state=S.DEVIATES,
        is_credit=False,
        deviations__overlap=[Deviation.NOT_TREATED, Deviation.NO_CALL_OFF],
    )
    keys = list(due.order_by("pk").values_list("pk", "case_number")[:limit])
    for key, number in keys:
        with transaction.atomic():
            call_off = lock_call_offs([number]).get(number)
            line = due.select_related("invoice").select_for_update(of=("self",)).filter(pk=key)
            for found in line:
                actor = Actor.system(_("Behandlingen rapporterades"))
                process_line(found, call_off, actor=actor, now=now)
    return len(keys)


def write_log(
    line: InvoiceLine, verb: Verb, *, actor: Actor, now: datetime, why: str = ""
) -> InvoiceLog:
    return InvoiceLog.objects.create(
        invoice=line.invoice,
        line=line,
        at=now,
        verb=verb,
        why=why,
        details={"deviations": line.deviations, "state": line.state, "amount_sek": line.left_sek},
        **actor.signature,
    )
