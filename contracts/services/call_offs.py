"""Call-offs: reserve, release, use and settle places under a contract's cap (design 5.5)."""

from datetime import date, datetime
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from contracts.models import CallOff, ContractLine, ContractVersion
from contracts.services.alerts import watch_level
from contracts.services.openings import Room
from organisations.errors import CapReached, WrongState
from organisations.events import emit
from organisations.models import Region

# How the constraints that hold a cap end, on line, contract and period alike.
_WITHIN_CAP = "_within_cap"


@transaction.atomic
def reserve(line: ContractLine, *, case_number: str, region: Region, now: datetime) -> CallOff:
    """Take one place on the line for a case.

    Raises :class:`CapReached` when line, contract or a period has no room; the database is the
    judge, so two who fight for the last place get one place between them. The call-off counts in
    the periods of today and keeps the contract's version that it was made under.
    """
    version = ContractVersion.objects.filter(contract=line.contract_id).first()
    try:
        with transaction.atomic():
            call_off = CallOff.objects.create(
                line=line,
                region=region,
                case_number=case_number,
                amount_sek=line.price_sek,
                reserved_at=now,
                counts_on=timezone.localdate(now),
                version=version,
            )
    except IntegrityError as error:
        raise _explained(error) from error
    watch_level(line.pk, now=now)
    return call_off


@transaction.atomic
def release(call_off: CallOff, *, now: datetime) -> CallOff:
    """Give the place back: declined, expired, rejected or withdrawn before treatment."""
    call_off = _locked(call_off)
    if call_off.state == CallOff.State.RELEASED:
        return call_off
    if call_off.state != CallOff.State.RESERVED:
        raise WrongState(_("Ett använt avrop kan inte återlämnas."), code="calloff_used")
    room = Room(call_off.line_id, now=now)
    call_off.state = CallOff.State.RELEASED
    call_off.released_at = now
    call_off.save(update_fields=["state", "released_at"])
    watch_level(call_off.line_id, now=now)
    room.tell_if_opened()
    return call_off


@transaction.atomic
def use(call_off: CallOff, *, now: datetime, on: date | None = None) -> CallOff:
    """The patient was treated ``on`` a day (today, unless told): the reserved place is used.

    From now on the place counts in the periods of that day. Where those are full it stays in the
    periods it was reserved in: a treatment that has taken place is a fact and is never refused,
    and no period passes its cap. The owner is told by ``contract.period_full``.
    """
    call_off = _locked(call_off)
    if call_off.state != CallOff.State.RESERVED:
        raise WrongState(_("Avropet är inte reserverat."), code="calloff_not_reserved")
    reserved_for = call_off.counts_on
    call_off.state = CallOff.State.USED
    call_off.used_at = now
    call_off.counts_on = on or timezone.localdate(now)
    fields = ["state", "used_at", "counts_on"]
    try:
        with transaction.atomic():
            call_off.save(update_fields=fields)
    except IntegrityError as error:
        if _WITHIN_CAP not in str(error):
            raise
        emit(
            "contract.period_full",
            now=now,
            case_number=call_off.case_number,
            payload={"line": call_off.line_id, "day": call_off.counts_on.isoformat()},
        )
        call_off.counts_on = reserved_for
        call_off.save(update_fields=fields)
    return call_off


@transaction.atomic
def settle(call_off: CallOff, *, amount_sek: Decimal, now: datetime) -> CallOff:
    """The invoice is approved: the used place costs ``amount_sek`` from now on.

    Raises :class:`CapReached` when the amount does not fit under a cap in SEK.
    """
    call_off = _locked(call_off)
    if call_off.state != CallOff.State.USED:
        raise WrongState(_("Bara använda avrop kan slutregleras."), code="calloff_not_used")
    room = Room(call_off.line_id, now=now)
    call_off.state = CallOff.State.SETTLED
    call_off.amount_sek = amount_sek
    call_off.settled_at = now
    try:
        with transaction.atomic():
            call_off.save(update_fields=["state", "amount_sek", "settled_at"])
    except IntegrityError as error:
        raise _explained(error) from error
    watch_level(call_off.line_id, now=now)
    room.tell_if_opened()
    _tell("call_off.settled", call_off, now=now)
    return call_off


@transaction.atomic
def reopen(call_off: CallOff, *, amount_sek: Decimal, now: datetime) -> CallOff:
    """The invoice is credited in whole: the place is used, and waits for a new invoice.

    It stands for ``amount_sek`` again, what was agreed. Where that no longer fits under a cap in
    SEK it goes on standing for what was credited: the care has been given, and no cap is passed.
    """
    call_off = _locked(call_off)
    if call_off.state != CallOff.State.SETTLED:
        raise WrongState(_("Avropet är inte slutreglerat."), code="calloff_not_settled")
    room = Room(call_off.line_id, now=now)
    settled_sek = call_off.amount_sek
    call_off.state = CallOff.State.USED
    call_off.settled_at = None
    fields = ["state", "amount_sek", "settled_at"]
    try:
        with transaction.atomic():
            call_off.amount_sek = amount_sek
            call_off.save(update_fields=fields)
    except IntegrityError as error:
        if _WITHIN_CAP not in str(error):
            raise
        call_off.amount_sek = settled_sek
        call_off.save(update_fields=fields)
    watch_level(call_off.line_id, now=now)
    room.tell_if_opened()
    _tell("call_off.reopened", call_off, now=now)
    return call_off


@transaction.atomic
def lower(call_off: CallOff, *, amount_sek: Decimal, now: datetime) -> CallOff:
    """The invoice is credited in part: the settled place costs ``amount_sek``, which is less."""
    call_off = _locked(call_off)
    if call_off.state != CallOff.State.SETTLED or amount_sek > call_off.amount_sek:
        raise WrongState(_("Avropet kan inte sänkas till beloppet."), code="calloff_not_settled")
    room = Room(call_off.line_id, now=now)
    call_off.amount_sek = amount_sek
    call_off.save(update_fields=["amount_sek"])
    watch_level(call_off.line_id, now=now)
    room.tell_if_opened()
    _tell("call_off.settled", call_off, now=now)
    return call_off


def _tell(kind: str, call_off: CallOff, *, now: datetime) -> None:
    emit(
        kind,
        now=now,
        case_number=call_off.case_number,
        payload={"amount_sek": str(call_off.amount_sek)},
    )


def _locked(call_off: CallOff) -> CallOff:
    return CallOff.objects.select_for_update().get(pk=call_off.pk)


def _explained(error: IntegrityError) -> Exception:
    """The domain error that a refusal by the database means."""
    text = str(error)
    if "periodcount" in text and _WITHIN_CAP in text:
        return CapReached(
            _("Taket för perioden är nått. Välj en annan vårdgivare eller ett annat avtal."),
            code="period_cap_reached",
        )
    if _WITHIN_CAP in text:
        return CapReached(_("Takvolymen är nådd. Välj en annan vårdgivare eller ett annat avtal."))
    if "calloff_one_live_per_case" in text:
        return WrongState(_("Ärendet har redan ett avrop."), code="calloff_exists")
    return error
