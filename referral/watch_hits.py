"""Finds watched cases again when somebody may now take them (Region Kronoberg).

Each event names the contract lines that may have opened. Cases are chosen by region, code, ASA and
age in SQL; what is left goes through matching's hard filters one by one. The hits and the event
that tells of them are written together; one event makes at most one hit for each case.
"""

from collections.abc import Iterable
from datetime import date, datetime

from django.db.models import BooleanField, Exists, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models import Case as Choice
from django.utils import timezone

from capacity.matching import Need, refusals
from capacity.models import FreeCapacity
from capacity.slots.selectors import covers, lines_at, slot_refusals
from contracts.codes import covering_codes
from contracts.models import ContractLine
from contracts.selectors import with_current_periods
from organisations.access import as_product
from organisations.events import emit, subscribe
from organisations.models import DomainEvent, Region
from referral.models import Case, CaseState, Consent, Offer, WatchHit, WatchKind
from referral.selectors.matching import need_of

BATCH = 500
SEALED = ("identity_number", "street", "postal_code", "town", "phone")
FOUND = "watch.found"
# Whose waiting a shorter waiting time may end: the others' line was open to them before.
WAITS_FOR_TIME = (WatchKind.WAIT, WatchKind.OTHER)
_CAUSES = {"terms": WatchHit.Cause.CONTRACT, "day": WatchHit.Cause.CONTRACT}


def subscribe_all() -> None:
    for kind in ("free_capacity.posted", "free_capacity.raised"):
        subscribe(kind, "referral.watch", on_capacity)
    for kind in ("offer.declined", "offer.withdrawn", "offer.expired", "referral.rejected"):
        subscribe(kind, "referral.watch", on_place_back)
    subscribe("contract.opened", "referral.watch", on_contract)
    subscribe("waiting_times.shorter", "referral.watch", on_shorter_wait)
    subscribe("unit.opened", "referral.watch", on_unit)


@as_product("watch list")
def on_capacity(event: DomainEvent, now: datetime) -> None:
    """Places were posted, or there are more of them."""
    slot = FreeCapacity.objects.select_related("care_unit").get(pk=event.payload["slot"])
    _find_for_slot(event, slot, now=now)


@as_product("watch list")
def on_place_back(event: DomainEvent, now: datetime) -> None:
    """A place of a slot came back. Those who have had a hit on the slot have had it."""
    offer = Offer.objects.select_related("call_off__place__slot__care_unit").get(
        case__number=event.case_number, serial=event.payload["offer"]
    )
    place = getattr(offer.call_off, "place", None)
    if place is not None:
        _find_for_slot(event, place.slot, now=now, once=True)


@as_product("watch list")
def on_contract(event: DomainEvent, now: datetime) -> None:
    """A contract or a line is new, has other terms, begins, or has room again."""
    cause = _CAUSES.get(event.payload["why"], WatchHit.Cause.ROOM)
    _find(event, _lines(pk__in=event.payload["lines"]), cause=cause, now=now)


@as_product("watch list")
def on_shorter_wait(event: DomainEvent, now: datetime) -> None:
    lines = _lines(pk__in=event.payload["lines"])
    _find(event, lines, cause=WatchHit.Cause.WAIT, now=now, kinds=WAITS_FOR_TIME)


@as_product("watch list")
def on_unit(event: DomainEvent, now: datetime) -> None:
    _find(event, _lines(care_unit=event.payload["unit"]), cause=WatchHit.Cause.UNIT, now=now)


def _lines(**chosen: object) -> QuerySet[ContractLine]:
    return (
        ContractLine.objects.filter(is_active=True, **chosen)
        .select_related("contract__owner_region", "care_unit")
        .prefetch_related("contract__regions_allowed")
        .order_by("price_sek", "pk")
    )


def _find_for_slot(
    event: DomainEvent, slot: FreeCapacity, *, now: datetime, once: bool = False
) -> None:
    lines = lines_at([slot]).filter(is_active=True)
    _find(event, lines, cause=WatchHit.Cause.CAPACITY, now=now, slot=slot, once=once)


def _find(
    event: DomainEvent,
    lines: QuerySet[ContractLine],
    *,
    cause: WatchHit.Cause,
    now: datetime,
    slot: FreeCapacity | None = None,
    kinds: Iterable[str] = (),
    once: bool = False,
) -> None:
    """Write a hit for each watched case that one of the lines, cheapest first, can now take."""
    today = timezone.localdate(now)
    watched = Case.objects.filter(state=CaseState.WATCHED, form__transferable=True)
    if kinds:
        watched = watched.filter(watch_kind__in=kinds)
    if once:
        watched = watched.exclude(watch_hits__slot=slot)
    wanted = set(watched.order_by().values_list("kva", flat=True).distinct())
    hits: dict[int, WatchHit] = {}
    for line in with_current_periods(lines, day=today):
        if slot is not None and not covers(line, slot.kva):
            continue
        regions = _regions(line, today=today)
        if not regions or not _may_concern(line, wanted):
            continue
        cases = _candidates(watched, line, slot, regions, today=today)
        for case in cases.exclude(pk__in=list(hits)).iterator(chunk_size=BATCH):
            need = need_of(case, today=today)
            if refusals(line, need, today=today):
                continue
            if slot is not None and slot_refusals(slot, need, today=today):
                continue
            hits[case.pk] = WatchHit(
                case=case, cause=cause, line=line, slot=slot, event_id=event.pk, found_at=now
            )
    WatchHit.objects.bulk_create(hits.values(), batch_size=BATCH, ignore_conflicts=True)
    if hits:
        emit(FOUND, now=now, payload={"event": event.pk})


def _regions(line: ContractLine, *, today: date) -> list[Region]:
    """The regions that may call off on the line now, were the patient anybody."""
    return [
        region
        for region in line.contract.regions_allowed.all()
        if not refusals(line, Need.of_anybody(region, line.kva), today=today)
    ]


def _may_concern(line: ContractLine, wanted: set[str]) -> bool:
    return any(line.kva in covering_codes(kva) for kva in wanted)


def _candidates(
    watched: QuerySet[Case],
    line: ContractLine,
    slot: FreeCapacity | None,
    regions: list[Region],
    *,
    today: date,
) -> QuerySet[Case]:
    """What the database can tell: region, code, ASA, and that the patient has not said no."""
    ceiling = line.asa_ceiling if slot is None else min(line.asa_ceiling, slot.asa_ceiling)
    cases = watched.filter(
        _covered_by(line.kva), region__in=[region.code for region in regions], asa__lte=ceiling
    )
    if slot is not None:
        cases = cases.filter(_covered_by(slot.kva))
    said = (
        Consent.objects.filter(case=OuterRef("pk"), audience=Consent.Audience.PROVIDER)
        .filter(Q(care_unit=None) | Q(care_unit=line.care_unit_id))
        .order_by("-pk")
        .annotate(
            stands=Choice(
                When(
                    Q(given=True, withdrawn_at=None) & (Q(until=None) | Q(until__gte=today)),
                    then=Value(True),
                ),
                default=Value(False),
                output_field=BooleanField(),
            )
        )
    )
    standing = WatchHit.objects.filter(case=OuterRef("pk"), line=line, handled_at__isnull=True)
    return (
        cases.annotate(says=Subquery(said.values("stands")[:1]))
        .filter(~Exists(standing), Q(says=None) | Q(says=True))
        .select_related("patient__municipality", "region")
        # Nobody is shown: what is encrypted stays so.
        .defer(*(f"patient__{name}" for name in SEALED))
        .order_by("pk")
    )


def _covered_by(kva: str) -> Q:
    """Cases whose code is ``kva``, or lies in the group that it names (``covering_codes``)."""
    if len(kva) == 3:
        return Q(kva__startswith=kva)
    return Q(kva=kva)
