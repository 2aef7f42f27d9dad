"""Finished stories happen to other patients too, some weeks later.

Telling a story through the services takes some two hundred statements, writing it again takes
twenty. An echo is the told case row by row, moved by whole weeks and given its own number and
patient; every constraint and trigger of the database holds for it, the caps' ledger included.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any, TypeVar

from django.db import models
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format

from config.demo.people import Person
from contracts.models import CallOff, ContractLine
from contracts.services.alerts import watch_level
from notices.models import Notice
from organisations.access import Actor, record_access
from organisations.models import DomainEvent, EventDelivery
from patients.identity import IdentityNumber
from patients.services import ContactDetails, register_patient
from referral.models import (
    Case,
    CaseLog,
    Certificate,
    Consent,
    IntakeForm,
    IntakeFormVersion,
    Offer,
    Pause,
    Referral,
)
from referral.numbers import draw_case_number

Row = TypeVar("Row", bound=models.Model)

# So that no course of events stands out as repeated.
MOST_ECHOES = 8
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T[\d:.]+(?:Z|[+-]\d{2}:\d{2})")
_DAY = re.compile(r"\b\d{4}-\d{2}-\d{2}\b(?!T)")


class Source:
    """A told case that is closed, with all its rows; read once, when it is first echoed."""

    def __init__(self, case_id: int) -> None:
        self.case = Case.objects.select_related("patient", "sending_unit").get(pk=case_id)
        self.echoes = 0

    def weeks_to(self, at: datetime, *, before: datetime) -> int:
        """Whole weeks that bring the case nearest to ``at``; 0 when it would not end in time."""
        weeks = round((at - self.case.received_at) / timedelta(weeks=1))
        if self.case.closed_at is None or self.echoes >= MOST_ECHOES:
            return 0
        return weeks if self.case.closed_at + timedelta(weeks=weeks, days=1) < before else 0

    @cached_property
    def form(self) -> IntakeForm:
        return self.case.form

    @cached_property
    def offers(self) -> list[Offer]:
        return list(self.case.offers.select_related("call_off", "referral", "certificate"))

    @cached_property
    def children(self) -> list[models.Model]:
        """What hangs on the case alone, in the order it was written."""
        return [*self.case.log.all(), *self.case.pauses.all(), *self.case.consents.all()]

    @cached_property
    def versions(self) -> list[IntakeFormVersion]:
        return list(self.form.versions.all())

    @cached_property
    def notices(self) -> list[Notice]:
        return list(self.case.notices.all())

    @cached_property
    def events(self) -> list[DomainEvent]:
        return list(DomainEvent.objects.filter(case_number=self.case.number).order_by("pk"))

    @cached_property
    def deliveries(self) -> list[EventDelivery]:
        return list(EventDelivery.objects.filter(event__in=self.events).order_by("pk"))

    def has_room(self, *, weeks: int) -> bool:
        """Whether the places that the case took are to be had once more, on a living contract."""
        for offer in self.offers:
            line = ContractLine.objects.select_related("contract").get(pk=offer.line_id)
            day = timezone.localdate(offer.sent_at) + timedelta(weeks=weeks)
            if day > line.contract.valid_to:
                return False
            if offer.call_off.state == CallOff.State.RELEASED:
                continue
            if not (
                line.has_room_for(line.price_sek) and line.contract.has_room_for(line.price_sek)
            ):
                return False
        return True


@dataclass(frozen=True)
class Move:
    """From one case to another: other times, another number, another patient."""

    weeks: int
    words: dict[str, str]  # number, name, identity number and last days, as they stand in texts
    contact: dict[str, Any]

    def value(self, value: Any) -> Any:
        if isinstance(value, datetime):
            return self.moment(value)
        if isinstance(value, date):
            return value + timedelta(weeks=self.weeks)
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            moved = {key: self.value(item) for key, item in value.items()}
            return moved | {key: self.contact[key] for key in moved if key in self.contact}
        return value

    def moment(self, at: datetime) -> datetime:
        """The same clock on the same weekday, also when summer time has begun or ended."""
        clock = timezone.localtime(at).replace(tzinfo=None)
        return timezone.make_aware(clock + timedelta(weeks=self.weeks))

    def text(self, text: str) -> str:
        # All at once: what has been put in is not looked at again.
        text = self._words.sub(lambda found: self.words[found[0]], text)
        text = _MOMENT.sub(lambda found: self._iso_moment(found[0]), text)
        return _DAY.sub(
            lambda found: (date.fromisoformat(found[0]) + timedelta(weeks=self.weeks)).isoformat(),
            text,
        )

    @cached_property
    def _words(self) -> re.Pattern[str]:
        return re.compile("|".join(map(re.escape, self.words)))

    def _iso_moment(self, text: str) -> str:
        at = parse_datetime(text)
        return text if at is None else self.moment(at).isoformat()

    def row(self, row: Row, **given: Any) -> Row:
        """A new, unsaved row like ``row``; ``given`` are the fields that point elsewhere."""
        fields = {
            field.attname: self.value(getattr(row, field.attname))
            for field in row._meta.concrete_fields
            if not field.primary_key
        }
        for name in given:
            fields.pop(f"{name}_id", None)
        return type(row)(**fields | given)


def echo(
    source: Source,
    *,
    weeks: int,
    person: Person,
    contact: dict[str, Any],
    municipality: Any,
    actors: dict[int, Actor],
) -> Case:
    """Write ``source`` once more, ``weeks`` later, for ``person``."""
    source.echoes += 1
    told = source.case
    received_at = Move(weeks, {}, {}).moment(told.received_at)
    today = timezone.localdate(received_at)
    patient = register_patient(
        IdentityNumber.parse(person.identity_number, today=today),
        contact=ContactDetails(**contact | {"municipality": municipality}),
        now=received_at,
    )
    number = draw_case_number(county=told.region_id, year=today.year).value
    move = Move(
        weeks,
        {
            told.number: number,
            told.patient.full_name: patient.full_name,
            told.patient.identity_formatted: patient.identity_formatted,
            told.patient.identity_number: patient.identity_number,
            **_last_days(source.offers, weeks=weeks),
        },
        contact,
    )
    case = move.row(told, patient=patient)
    case.save(force_insert=True)
    form = move.row(source.form, case=case)
    form.save(force_insert=True)
    IntakeFormVersion.objects.bulk_create(move.row(v, form=form) for v in source.versions)
    children = [move.row(child, case=case) for child in source.children]
    log = [row for row in children if isinstance(row, CaseLog)]
    CaseLog.objects.bulk_create(log)
    Pause.objects.bulk_create(row for row in children if isinstance(row, Pause))
    Consent.objects.bulk_create(row for row in children if isinstance(row, Consent))
    offers = _echo_offers(source, move, case)
    _echo_events(source, move, case, offers)
    for entry in log:
        actor = _actor_of(entry, actors)
        record_access(actor, what=entry.verb, now=entry.at, cases=[(number, patient.pk)])
    return case


def _last_days(offers: list[Offer], *, weeks: int) -> dict[str, str]:
    """How long each offer stands, in words as the patient reads it."""
    days = [timezone.localdate(offer.due_at) - timedelta(days=1) for offer in offers]
    return {_answer_by(day): _answer_by(day + timedelta(weeks=weeks)) for day in days}


def _answer_by(day: date) -> str:
    return f"Svara senast {date_format(day, 'j F Y')}."


def _actor_of(entry: CaseLog, actors: dict[int, Actor]) -> Actor:
    known = actors.get(entry.user_id or 0)
    return known or Actor(role=entry.role, name=entry.actor_name, place=entry.place)


def _echo_offers(source: Source, move: Move, case: Case) -> dict[int, Offer]:
    """The offers by their source's key, with call-offs, referrals and certificates."""
    call_offs = CallOff.objects.bulk_create(move.row(o.call_off) for o in source.offers)
    offers = Offer.objects.bulk_create(
        move.row(offer, case=case, call_off=call_off)
        for offer, call_off in zip(source.offers, call_offs, strict=True)
    )
    by_source = dict(zip((offer.pk for offer in source.offers), offers, strict=True))
    Referral.objects.bulk_create(
        move.row(told.referral, offer=by_source[told.pk])
        for told in source.offers
        if hasattr(told, "referral")
    )
    Certificate.objects.bulk_create(
        move.row(told.certificate, offer=by_source[told.pk], case=case)
        for told in source.offers
        if hasattr(told, "certificate")
    )
    for call_off in call_offs:
        if call_off.state != CallOff.State.RELEASED:
            watch_level(call_off.line_id, now=call_off.reserved_at)
    return by_source


def _echo_events(source: Source, move: Move, case: Case, offers: dict[int, Offer]) -> None:
    """The events as delivered, and the notices that came of them."""
    events = DomainEvent.objects.bulk_create(move.row(event) for event in source.events)
    by_source = dict(zip((event.pk for event in source.events), events, strict=True))
    EventDelivery.objects.bulk_create(
        move.row(told, event=by_source[told.event_id]) for told in source.deliveries
    )
    Notice.objects.bulk_create(_echo_notices(source.notices, move, case, offers, by_source))


def _echo_notices(
    told: Iterable[Notice],
    move: Move,
    case: Case,
    offers: dict[int, Offer],
    events: dict[int, DomainEvent],
) -> Iterable[Notice]:
    for one in told:
        notice = move.row(one, case=case, offer=offers.get(one.offer_id or 0))
        notice.idempotency_key = re.sub(
            r"/event/(\d+)/",
            lambda found: f"/event/{events[int(found[1])].pk}/",
            notice.idempotency_key,
        )
        yield notice
