"""The registry: make, change, stop and complete contracts (Region Stockholm's contract database).

Only the contract owner of the owner region changes a contract. Every change keeps the contract as
it then reads in a :class:`ContractVersion`; call-offs name the version they were made under.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import IntegrityError, models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from contracts.models import (
    ChecklistItem,
    Contract,
    ContractContact,
    ContractLine,
    ContractVersion,
    Period,
    PeriodCap,
)
from contracts.services.alerts import watch_contract
from contracts.services.openings import tell_terms
from contracts.versions import content_of
from organisations.access import Actor
from organisations.errors import InvalidInput, NotAllowed, WrongState
from organisations.events import emit
from organisations.models import Role

# Free choice or not: figures tell them apart.
TYPE_CHANGED = "contract.type_changed"

CONTRACT_FIELDS = (
    *("number", "title", "provider", "contract_type", "reimbursement_principle", "reimbursement"),
    *("valid_from", "valid_to", "option_years", "notice_months", "included", "alert_percents"),
    *("cap_volume", "cap_sek", "is_stopped"),
)
LINE_FIELDS = (
    *("care_unit", "kva", "price_sek", "included", "asa_ceiling", "age_min", "age_max"),
    *("cap_volume", "cap_sek", "is_active"),
)


@dataclass(frozen=True)
class PeriodFigures:
    """A period cap as it is agreed; both ``None`` means that there is none."""

    volume: int | None = None
    sek: Decimal | None = None


PeriodCaps = Mapping[Period, PeriodFigures]


def may_change(actor: Actor, contract: Contract) -> bool:
    """Whether the actor is the contract owner of the contract's owner region."""
    return actor.role == Role.CONTRACT_OWNER and actor.region == contract.owner_region_id


@transaction.atomic
def create_contract(
    values: Mapping[str, Any],
    *,
    actor: Actor,
    now: datetime,
    period_caps: PeriodCaps | None = None,
) -> Contract:
    """Make a contract of the actor's region, with its checklist open.

    ``values`` holds :data:`CONTRACT_FIELDS`, ``regions_allowed`` and ``medical_areas``. Raises
    :class:`InvalidInput` with the fields at fault.
    """
    if actor.role != Role.CONTRACT_OWNER or not actor.region:
        raise NotAllowed(_("Bara regionens avtalsägare lägger upp avtal."))
    contract = Contract(owner_region_id=actor.region)
    _fill(contract, values, CONTRACT_FIELDS)
    _set_relations(contract, values)
    set_period_caps(contract, period_caps or {}, today=timezone.localdate(now))
    ChecklistItem.objects.bulk_create(
        ChecklistItem(contract=contract, question=question) for question in ChecklistItem.Question
    )
    _keep_version(contract, why=_("Avtalet lades upp."), actor=actor, now=now)
    return contract


@transaction.atomic
def change_contract(
    contract: Contract,
    values: Mapping[str, Any],
    *,
    why: str,
    actor: Actor,
    now: datetime,
    seen_version: int | None = None,
    period_caps: PeriodCaps | None = None,
) -> Contract:
    """Change what is agreed; the reason goes with the version.

    Raises :class:`WrongState` when somebody else has changed the contract since ``seen_version``,
    and :class:`InvalidInput` when a cap would be lower than what is taken.
    """
    reason = why.strip()[:300]
    if not reason:
        text = _("Skriv varför avtalet ändras.")
        raise InvalidInput(text, fields={"why": text})
    locked = _locked(contract, actor=actor, seen_version=seen_version)
    type_before = locked.contract_type
    _fill(locked, values, CONTRACT_FIELDS)
    _set_relations(locked, values)
    if locked.contract_type != type_before:
        emit(TYPE_CHANGED, now=now, payload={"contract": locked.pk})
    if period_caps is not None:
        set_period_caps(locked, period_caps, today=timezone.localdate(now))
    return _changed(locked, why=reason, actor=actor, now=now)


@transaction.atomic
def save_line(
    contract: Contract,
    line: ContractLine | None,
    values: Mapping[str, Any],
    *,
    actor: Actor,
    now: datetime,
    period_caps: PeriodCaps | None = None,
) -> ContractLine:
    """Add a line (``None``) or change one.

    A line is made inactive, never taken away; offers made keep the price they were made at.
    """
    locked = _locked(contract, actor=actor)
    why = _("Avropsrad %(kva)s ändrades.") if line else _("Avropsrad %(kva)s lades till.")
    line = put_line(locked, line, values)
    if period_caps is not None:
        set_period_caps(line, period_caps, today=timezone.localdate(now))
    _changed(locked, why=why % {"kva": line.kva}, actor=actor, now=now)
    return line


def put_line(
    locked: Contract, line: ContractLine | None, values: Mapping[str, Any]
) -> ContractLine:
    """Store a line of a contract that is locked; the caller records the change."""
    line = ContractLine(contract=locked) if line is None else locked.lines.get(pk=line.pk)
    unit = values.get("care_unit")
    if unit is not None and unit.provider_id != locked.provider_id:
        text = _("Enheten hör inte till avtalets vårdgivare.")
        raise InvalidInput(text, fields={"care_unit": text})
    _fill(line, values, LINE_FIELDS)
    return line


@transaction.atomic
def add_contact(
    contract: Contract, values: Mapping[str, Any], *, actor: Actor, now: datetime
) -> ContractContact:
    """Name somebody to ask, reachable by e-mail or phone."""
    locked = _locked(contract, actor=actor)
    contact = ContractContact(contract=locked)
    _fill(contact, values, ("name", "side", "about", "email", "phone"))
    why = _("Kontaktpersonen %(name)s lades till.") % {"name": contact.name}
    _changed(locked, why=why, actor=actor, now=now)
    return contact


@transaction.atomic
def remove_contact(contact: ContractContact, *, actor: Actor, now: datetime) -> None:
    locked = _locked(contact.contract, actor=actor)
    name = contact.name
    contact.delete()
    why = _("Kontaktpersonen %(name)s togs bort.") % {"name": name}
    _changed(locked, why=why, actor=actor, now=now)


@transaction.atomic
def settle_question(
    item: ChecklistItem, *, status: str, answer: str, actor: Actor, now: datetime
) -> ChecklistItem:
    """Settle or reopen a question of the checklist; one that is settled has an answer."""
    locked = _locked(item.contract, actor=actor)
    item = locked.checklist.get(pk=item.pk)
    if status not in ChecklistItem.Status.values:
        text = _("Välj en status.")
        raise InvalidInput(text, fields={"status": text})
    if status != ChecklistItem.Status.OPEN and not answer.strip():
        text = _("Skriv vad ni har kommit överens om.")
        raise InvalidInput(text, fields={"answer": text})
    settled = status != ChecklistItem.Status.OPEN
    item.status, item.answer = status, answer.strip()[:2000]
    item.settled_at = now if settled else None
    item.settled_by = actor.name[:120] if settled else ""
    item.save()
    why = _("Checklistan: %(question)s") % {"question": item.get_question_display()}
    _changed(locked, why=why, actor=actor, now=now)
    return item


def record_change(contract: Contract, *, why: str, actor: Actor, now: datetime) -> None:
    """Keep the contract as it now reads; for services beside this module, in their transaction."""
    _changed(contract, why=why, actor=actor, now=now)


def lock_to_change(contract: Contract, *, actor: Actor) -> Contract:
    """The contract under its row lock; raises :class:`NotAllowed` for all but its owner."""
    return _locked(contract, actor=actor)


def _locked(contract: Contract, *, actor: Actor, seen_version: int | None = None) -> Contract:
    if not may_change(actor, contract):
        raise NotAllowed(_("Bara avtalsägaren i den region som äger avtalet kan ändra det."))
    # NO KEY UPDATE is what the ledger takes too; a stronger lock would hold up its foreign keys.
    locked = Contract.objects.select_for_update(no_key=True).get(pk=contract.pk)
    if seen_version is not None and seen_version != locked.version:
        raise WrongState(
            _("Avtalet har ändrats av någon annan. Läs in sidan på nytt och gör om ändringen."),
            code="contract_changed",
        )
    return locked


def _fill(row: models.Model, values: Mapping[str, Any], fields: tuple[str, ...]) -> None:
    """Set the fields that ``values`` names, check the row as the database would, and store it.

    Only those fields are written: the counters belong to the ledger.
    """
    chosen = [name for name in fields if name in values]
    for name in chosen:
        setattr(row, name, values[name])
    try:
        row.full_clean()
        with transaction.atomic():
            row.save(update_fields=chosen if row.pk else None)
    except ValidationError as error:
        raise invalid(error) from error
    except IntegrityError as error:  # lost a race that full_clean could not see
        raise InvalidInput(_("Uppgifterna strider mot något som redan finns.")) from error


def invalid(error: ValidationError) -> InvalidInput:
    """What the model refused, as the refusal that pages and API know how to show."""
    fields = {
        name: " ".join(texts)
        for name, texts in error.message_dict.items()
        if name != NON_FIELD_ERRORS
    }
    return InvalidInput(" ".join(error.messages), fields=fields)


def _set_relations(contract: Contract, values: Mapping[str, Any]) -> None:
    if "regions_allowed" in values:
        contract.regions_allowed.set(values["regions_allowed"])
    if "medical_areas" in values:
        contract.medical_areas.set(values["medical_areas"])


def set_period_caps(capped: Contract | ContractLine, caps: PeriodCaps, *, today: date) -> None:
    """Make the period caps what is given; a changed figure holds from the current period on.

    For services beside this module, on what they have locked.
    """
    existing = {Period(cap.period): cap for cap in capped.period_caps.all()}
    for period, figures in caps.items():
        cap = existing.get(period)
        if figures.volume is None and figures.sek is None:
            if cap is not None:
                cap.delete()
            continue
        if cap is None:
            cap = PeriodCap(period=period)
            setattr(cap, "line" if isinstance(capped, ContractLine) else "contract", capped)
        elif (cap.cap_volume, cap.cap_sek) == (figures.volume, figures.sek):
            continue
        cap.cap_volume, cap.cap_sek, cap.applies_from = figures.volume, figures.sek, today
        try:
            with transaction.atomic():
                cap.save()
        except IntegrityError as error:
            text = _("Taket per %(period)s är lägre än det som redan är avropat.") % {
                "period": period.label
            }
            raise InvalidInput(text, fields={f"{period}_volume": text}) from error


def _changed(contract: Contract, *, why: str, actor: Actor, now: datetime) -> Contract:
    _keep_version(contract, why=why, actor=actor, now=now)
    watch_contract(contract.pk, now=now)
    return contract


def _keep_version(contract: Contract, *, why: str, actor: Actor, now: datetime) -> None:
    """A version of what has changed. What reads as before is none: a file may be read in again."""
    before = contract.versions.first()
    content = json.loads(json.dumps(content_of(contract.pk), cls=DjangoJSONEncoder))
    if before is not None and before.content == content:
        return
    contract.version += 1
    contract.save(update_fields=["version"])
    ContractVersion.objects.create(
        contract=contract,
        number=contract.version,
        made_at=now,
        made_by=actor.name[:120],
        why=why[:300],
        content=content,
    )
    tell_terms(contract, before=before.content if before else None, after=content, now=now)
