"""Units, providers, regions' settings and integration clients."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from stdnum import luhn

from organisations.access import Actor
from organisations.administration.authority import Place, require_rule_over
from organisations.administration.checks import hsa_id_text, is_hsa_id, refuse
from organisations.administration.log import Verb, changes_of, record
from organisations.administration.services.assignments import assign, described
from organisations.errors import InvalidInput, NotAllowed, WrongState
from organisations.events import emit
from organisations.languages import language_names
from organisations.models import (
    MOST_UNREAD_DAYS,
    Assignment,
    CareUnit,
    Equipment,
    Funding,
    MedicalArea,
    Municipality,
    Provider,
    Region,
    Role,
    TravelPaid,
    User,
)

DEAREST_MESSAGE_SEK = 1_000


@dataclass(frozen=True, kw_only=True)
class UnitDetails:
    """What is known of a care unit. Its municipality decides its region and, at first, its place
    on the map."""

    hsa_id: str
    name: str
    provider: Provider
    municipality: Municipality
    medical_area: MedicalArea | None = None
    email: str = ""
    phone: str = ""
    sends: bool = False
    receives: bool = False
    languages: Sequence[str] = ()
    equipment: Sequence[str] = ()
    latitude: Decimal | None = None
    longitude: Decimal | None = None

    def as_fields(self) -> dict[str, Any]:
        town = self.municipality
        here = self.latitude is not None and self.longitude is not None
        return {
            "hsa_id": self.hsa_id,
            "name": self.name.strip(),
            "provider": self.provider,
            "region": town.region,
            "municipality": town,
            "medical_area": self.medical_area,
            "email": self.email.strip(),
            "phone": self.phone.strip(),
            "sends": self.sends,
            "receives": self.receives,
            "languages": sorted(set(self.languages)),
            "equipment": sorted(set(self.equipment)),
            "latitude": self.latitude if here else town.latitude,
            "longitude": self.longitude if here else town.longitude,
        }


def create_unit(details: UnitDetails, *, actor: Actor, now: datetime) -> CareUnit:
    """A new unit in the actor's region."""
    require_rule_over(actor, Place(region=details.municipality.region))
    _check_unit(details)
    try:
        with transaction.atomic():
            unit = CareUnit.objects.create(**details.as_fields())
            _record_unit(Verb.UNIT_CREATED, unit, actor=actor, now=now)
    except IntegrityError as error:
        raise _hsa_id_taken() from error
    return unit


def change_unit(unit: CareUnit, details: UnitDetails, *, actor: Actor, now: datetime) -> CareUnit:
    """New particulars. A unit stays in its region, whose cases and people it has."""
    _check_unit(details)
    try:
        with transaction.atomic():
            locked = _locked_unit(unit, actor=actor)
            if details.municipality.region_id != locked.region_id:
                text = _("Enheten ligger kvar i sin region. Lägg upp en ny i den andra.")
                raise InvalidInput(text, fields={"municipality": text})
            new = details.as_fields()
            changes = changes_of(locked, new)
            for name, value in new.items():
                setattr(locked, name, value)
            locked.save(update_fields=list(new))
            if changes:
                _record_unit(Verb.UNIT_CHANGED, locked, actor=actor, now=now, details=changes)
    except IntegrityError as error:
        raise _hsa_id_taken() from error
    return locked


@transaction.atomic
def close_unit(unit: CareUnit, *, actor: Actor, now: datetime) -> CareUnit:
    """The unit sends and receives no new cases; those it has are worked to their end.

    An offer that is with the patient stands: it is a promise, with a place reserved.
    """
    locked = _locked_unit(unit, actor=actor)
    if not locked.is_active:
        raise WrongState(_("Enheten är redan stängd."), code="unit_closed")
    locked.is_active = False
    locked.save(update_fields=["is_active"])
    _record_unit(Verb.UNIT_CLOSED, locked, actor=actor, now=now)
    return locked


@transaction.atomic
def open_unit(unit: CareUnit, *, actor: Actor, now: datetime) -> CareUnit:
    locked = _locked_unit(unit, actor=actor)
    if locked.is_active:
        raise WrongState(_("Enheten är öppen."), code="unit_open")
    locked.is_active = True
    locked.save(update_fields=["is_active"])
    _record_unit(Verb.UNIT_OPENED, locked, actor=actor, now=now)
    emit("unit.opened", now=now, payload={"unit": locked.pk})
    return locked


def save_provider(
    provider: Provider | None,
    *,
    name: str,
    organisation_number: str,
    hsa_id: str,
    kind: str,
    region: Region | None,
    actor: Actor,
    now: datetime,
) -> Provider:
    """A new provider, or new particulars of one; the operator alone."""
    _require_operator(actor)
    problems = {}
    if not (len(organisation_number) == 10 and luhn.is_valid(organisation_number)):
        problems["organisation_number"] = _("Organisationsnumret har tio siffror och stämmer inte.")
    if hsa_id and not is_hsa_id(hsa_id):
        problems["hsa_id"] = hsa_id_text()
    if kind not in Provider.Kind.values:
        problems["kind"] = _("Okänt val.")
    if kind == Provider.Kind.REGION and region is None:
        problems["region"] = _("Välj regionen som driver vårdgivaren.")
    refuse(problems)
    new = {
        "name": name.strip(),
        "organisation_number": organisation_number,
        "hsa_id": hsa_id,
        "kind": kind,
        "region": region,
    }
    try:
        with transaction.atomic():
            changes = changes_of(provider, new) if provider else {}
            saved = _save(provider or Provider(), new)
            if changes or provider is None:
                verb = Verb.PROVIDER_CHANGED if provider else Verb.PROVIDER_CREATED
                record(
                    verb,
                    actor=actor,
                    now=now,
                    subject=saved.name,
                    region=saved.region_id,
                    details=changes,
                )
    except IntegrityError as error:
        if "provider_hsa_id_once" in str(error):
            text = _("En annan vårdgivare har det HSA-id:t.")
            raise InvalidInput(text, fields={"hsa_id": text}) from error
        text = _("En annan vårdgivare heter så.")
        raise InvalidInput(text, fields={"name": text}) from error
    return saved


def change_region(region: Region, new: dict[str, Any], *, actor: Actor, now: datetime) -> Region:
    """A region's settings; the operator alone. ``new`` names the fields of ``RegionForm``.

    Running cases keep the guarantee and the offers they were given.
    """
    _require_operator(actor)
    problems = {}
    for name in ("guarantee_days", "child_psychiatry_days"):
        if not 1 <= new[name] <= 90:
            # Hälso- och sjukvårdsförordningen (2017:80) 6 kap. 1 §.
            problems[name] = _("Vårdgarantin är mellan 1 och 90 dagar.")
    if not 1 <= new["letter_after_days"] < new["offer_stands_days"] <= 365:
        problems["offer_stands_days"] = _(
            "Erbjudandet ska stå längre än till brevet, högst 365 dagar."
        )
    if new.get("funding", "") not in {"", *Funding.values}:
        problems["funding"] = _("Välj vem som betalar.")
    problems |= _reminder_problem({"reminder_after_days": region.reminder_after_days} | new)
    refuse(problems)
    return _change_region(region, new, actor=actor, now=now)


def change_notice_days(
    region: Region,
    *,
    reminder_after_days: int | None,
    letter_after_days: int,
    actor: Actor,
    now: datetime,
    **unread_days: int | None,
) -> Region:
    """When an unanswered offer is reminded of, ``None`` for never, and when it goes as a letter.

    ``unread_days``, by the names in ``UNREAD_DAYS``: when other messages that are not read in 1177
    go as letters. Calendar days from the message; the region's own administrator. What is out
    keeps the days it was sent with.
    """
    if actor.role != Role.REGION_ADMIN or actor.region != region.code:
        raise NotAllowed(_("Bara regionens administratör ändrar dagarna."))
    new: dict[str, Any] = {
        "reminder_after_days": reminder_after_days,
        "letter_after_days": letter_after_days,
    } | unread_days
    problems = _reminder_problem(new)
    for name, days in unread_days.items():
        if days is not None and not 1 <= days <= MOST_UNREAD_DAYS:
            problems[name] = _("Brevet går efter 1–%(most)s dagar.") % {"most": MOST_UNREAD_DAYS}
    if not 1 <= letter_after_days < region.offer_stands_days:
        problems["letter_after_days"] = _(
            "Brevet ska gå medan erbjudandet står: högst %(days)s dagar."
        ) % {"days": region.offer_stands_days - 1}
    refuse(problems)
    return _change_region(region, new, actor=actor, now=now)


def change_notice_prices(
    region: Region, *, letter_sek: Decimal, digital_sek: Decimal, actor: Actor, now: datetime
) -> Region:
    """What a letter and a digital message cost the region, for the estimates of campaigns.

    Those that are approved keep the prices they were approved with.
    """
    if actor.role != Role.REGION_ADMIN or actor.region != region.code:
        raise NotAllowed(_("Bara regionens administratör ändrar priserna."))
    new: dict[str, Any] = {"letter_sek": letter_sek, "digital_sek": digital_sek}
    text = _("Priset är 0–%(most)s kronor.") % {"most": DEAREST_MESSAGE_SEK}
    refuse({name: text for name, price in new.items() if not 0 <= price <= DEAREST_MESSAGE_SEK})
    return _change_region(region, new, actor=actor, now=now)


def change_patient_facts(
    region: Region, new: Mapping[str, Any], *, actor: Actor, now: datetime
) -> Region:
    """What patients are told in every text: whom to call and how the journey is paid; and which
    letters go when a form has come in. The region's own administrator.

    ``new`` holds ``navigator_phone``, ``travel_phone``, ``travel_paid``, ``confirms_referrals``
    and ``informs_of_guarantee``.
    """
    if actor.role != Role.REGION_ADMIN or actor.region != region.code:
        raise NotAllowed(_("Bara regionens administratör ändrar uppgifterna."))
    problems: dict[str, Any] = {}
    for name in ("navigator_phone", "travel_phone"):
        if not new[name].strip():
            problems[name] = _("Utan numret kan inget erbjudande skickas.")
        elif len(new[name]) > 30 or not new[name].isprintable():
            problems[name] = _("Skriv ett telefonnummer, högst 30 tecken.")
    if new["travel_paid"] not in TravelPaid.values:
        problems["travel_paid"] = _("Välj hur resan betalas.")
    refuse(problems)
    return _change_region(region, dict(new), actor=actor, now=now)


def _reminder_problem(new: dict[str, Any]) -> dict[str, Any]:
    days = new["reminder_after_days"]
    if days is None or 1 <= days < new["letter_after_days"]:
        return {}
    return {"reminder_after_days": _("Påminnelsen ska komma före brevet.")}


def _change_region(region: Region, new: dict[str, Any], *, actor: Actor, now: datetime) -> Region:
    with transaction.atomic():
        locked = Region.objects.select_for_update().get(pk=region.pk)
        changes = changes_of(locked, new)
        saved = _save(locked, new)
        if changes:
            record(
                Verb.REGION_CHANGED,
                actor=actor,
                now=now,
                subject=saved.name,
                region=saved.code,
                details=changes,
            )
    return saved


def create_client(
    *, login: str, name: str, place: Place, actor: Actor, now: datetime
) -> Assignment:
    """A system that will use the API for a region, or for one of its units."""
    _require_operator(actor)
    if not place.region:
        refuse({"region": _("Välj region.")})
    if place.care_unit and place.region and place.care_unit.region_id != place.region.code:
        refuse({"care_unit": _("Enheten ligger i en annan region.")})
    try:
        with transaction.atomic():
            user = User.objects.create(login=login.strip(), name=name.strip(), password="!")  # noqa: S106  # nosec B106 # no password can match it
            made = assign(user, role=Role.INTEGRATION, place=place, now=now)
            record(
                Verb.CLIENT_CREATED,
                actor=actor,
                now=now,
                subject=user.name,
                region=place.ruling_region,
                person=user,
                details=described(Role.INTEGRATION, place),
            )
    except IntegrityError as error:
        text = _("Användarnamnet finns redan.")
        raise InvalidInput(text, fields={"login": text}) from error
    return made


def _save(row: Any, new: dict[str, Any]) -> Any:
    for name, value in new.items():
        setattr(row, name, value)
    row.save()
    return row


def _check_unit(details: UnitDetails) -> None:
    problems: dict[str, Any] = {}
    if not is_hsa_id(details.hsa_id):
        problems["hsa_id"] = hsa_id_text()
    if not details.name.strip():
        problems["name"] = _("Skriv enhetens namn.")
    if not (details.sends or details.receives):
        problems["sends"] = _("Enheten avsänder patienter, tar emot dem eller båda.")
    if not set(details.languages) <= set(language_names()):
        problems["languages"] = _("Okänt språk.")
    if not set(details.equipment) <= set(Equipment.values):
        problems["equipment"] = _("Okänt val.")
    for name, limit in (("latitude", 90), ("longitude", 180)):
        value = getattr(details, name)
        if value is not None and not (value.is_finite() and abs(value) <= limit):
            problems[name] = _("Ange grader, till exempel 59,3293.")
    refuse(problems)


def _locked_unit(unit: CareUnit, *, actor: Actor) -> CareUnit:
    locked = CareUnit.objects.select_for_update(of=("self",)).get(pk=unit.pk)
    require_rule_over(actor, Place(care_unit=locked))
    return locked


def _record_unit(
    verb: Verb,
    unit: CareUnit,
    *,
    actor: Actor,
    now: datetime,
    details: dict[str, str] | None = None,
) -> None:
    record(
        verb,
        actor=actor,
        now=now,
        subject=unit.name,
        region=unit.region_id,
        care_unit=unit,
        details={"HSA-id": unit.hsa_id} | (details or {}),
    )


def _hsa_id_taken() -> InvalidInput:
    text = _("En annan enhet har det HSA-id:t.")
    return InvalidInput(text, fields={"hsa_id": text})


def _require_operator(actor: Actor) -> None:
    if actor.role != Role.OPERATOR:
        raise NotAllowed(_("Bara systemoperatören gör detta."))
