"""The kinds of text to patients, the fields each has, and what each must tell."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _


class TextKind(models.TextChoices):
    OFFER = "offer", _("Erbjudande")
    OFFER_REMINDER = "offer_reminder", _("Påminnelse om erbjudande")
    CONFIRM_TRANSFERABLE = "confirm_transfer", _("Remissbekräftelse, kan förmedlas")
    CONFIRM_AT_HOME = "confirm_home", _("Remissbekräftelse, kan inte förmedlas")
    BOOKED_TIME = "booked_time", _("Bokad tid")
    GUARANTEE = "guarantee", _("Om vårdgarantin, tidigt i vårdkedjan")
    CAMPAIGN = "campaign", _("Utskick till många")


class Sort(models.TextChoices):
    """What a field's value is, so that it can be written in any language."""

    TEXT = "text", _("text")
    NUMBER = "number", _("antal")
    DAY = "day", _("datum")
    SPAN = "span", _("datum eller veckor")
    CLOCK = "clock", _("klockslag")
    FACT = "fact", _("ja eller nej; bara för villkor")


@dataclass(frozen=True)
class Field:
    """A named field: what it is, an example for previews, and where a missing one is filled in.

    A required field must have a value or nothing is sent. An optional one may be empty: the lines
    with it fall away, and lines can be made to depend on it.
    """

    name: str
    label: Any
    example: Any
    sort: Sort = Sort.TEXT
    required: bool = True
    where: Any = ""
    # What the input is called where a person fills it in; the field's name when that is the same.
    typed_as: str = ""


def _optional(name: str, label: Any, example: Any, sort: Sort = Sort.TEXT) -> Field:
    return Field(name, label, example, sort, required=False)


def _fact(name: str, label: Any, example: bool, **more: Any) -> Field:
    return Field(name, label, example, Sort.FACT, **more)


IN_NOTICES = _("Fylls i av regionens administratör under Utskick.")
BY_OPERATOR = _("Fylls i av driften under Regioner.")
ON_OFFER_PAGE = _("Skriv den på sidan för erbjudandet.")

COMMON = (
    Field("case_number", _("ärendets nummer"), "13-26-000001-8"),
    Field("procedure", _("vården patienten väntar på"), "Operation av grå starr"),
    Field("clinic", _("kliniken som skickat ärendet"), "Ögonkliniken Sundsvall"),
    Field("region", _("regionen"), "Region Västernorrland"),
    Field("navigator_unit", _("vårdlotsarnas enhet"), "Vårdlotsen", where=BY_OPERATOR),
    Field("navigator_phone", _("telefon till vårdlots"), "060-18 10 00", where=IN_NOTICES),
    _optional("interpreter", _("språk som patienten behöver tolk i"), "arabiska"),
)
_PROVIDER = (
    Field("provider", _("enheten som ger vården"), "Uppsala Ögonklinik"),
    Field("town", _("orten dit patienten åker"), "Uppsala"),
    _optional("provider_phone", _("telefon till enheten som ger vården"), "018-12 34 56"),
)
_TRAVEL = (
    Field("travel_phone", _("telefon för att boka sjukresa"), "0771-25 10 25", where=IN_NOTICES),
    _fact(
        "travel_booked",
        _("regionen bokar och betalar resan; annars lägger patienten ut"),
        True,
        where=IN_NOTICES,
    ),
    _fact("escort", _("patienten behöver ledsagare"), True, required=False),
)
_OFFER = (
    *_PROVIDER,
    Field(
        "expected",
        _("när vården väntas kunna ges där"),
        (date(2026, 12, 7), date(2026, 12, 20)),
        Sort.SPAN,
        where=ON_OFFER_PAGE,
        typed_as="expected_wait_days",
    ),
    _optional("home_expected", _("när vården väntas hemma"), date(2027, 6, 14), Sort.DAY),
    Field(
        "home_days",
        _("dagar som väntan hemma väntas vara till; 0 när den tiden har gått"),
        199,
        Sort.NUMBER,
        where=ON_OFFER_PAGE,
        typed_as="home_wait_days",
    ),
    *_TRAVEL,
    _fact("first_visit", _("erbjudandet gäller ett första besök"), False, required=False),
    _fact("home_same_day", _("patienten kan åka hem samma dag"), True, required=False),
    _fact("stays_overnight", _("patienten stannar över natten"), False, required=False),
    _optional("message", _("vårdlotsens egen rad"), "Du kan välja tid på förmiddagen."),
    Field("answer_by", _("sista dag att svara"), date(2026, 12, 27), Sort.DAY),
)

FIELDS: dict[str, tuple[Field, ...]] = {
    TextKind.OFFER: (*COMMON, *_OFFER),
    TextKind.OFFER_REMINDER: (
        *COMMON,
        *_PROVIDER,
        Field("answer_by", _("sista dag att svara"), date(2026, 12, 27), Sort.DAY),
    ),
    TextKind.CONFIRM_TRANSFERABLE: (
        *COMMON,
        Field("last_day", _("sista dag enligt vårdgarantin"), date(2027, 2, 3), Sort.DAY),
        _fact("first_visit", _("remissen gäller ett första besök"), False, required=False),
    ),
    TextKind.CONFIRM_AT_HOME: (
        *COMMON,
        Field("last_day", _("sista dag enligt vårdgarantin"), date(2027, 2, 3), Sort.DAY),
        _fact("first_visit", _("remissen gäller ett första besök"), False, required=False),
    ),
    TextKind.BOOKED_TIME: (
        *COMMON,
        *_PROVIDER,
        *_TRAVEL,
        Field("booked_day", _("dag för besöket"), date(2026, 12, 14), Sort.DAY),
        Field("booked_time", _("klockslag för besöket"), time(9, 30), Sort.CLOCK),
    ),
    TextKind.GUARANTEE: (
        *COMMON,
        Field("guarantee_days", _("vårdgarantins dagar"), 90, Sort.NUMBER),
        Field("last_day", _("sista dag enligt vårdgarantin"), date(2027, 2, 3), Sort.DAY),
        _fact("first_visit", _("väntan gäller ett första besök"), False, required=False),
    ),
    TextKind.CAMPAIGN: (
        *COMMON,
        Field("decision_day", _("dag då väntan började"), date(2026, 9, 1), Sort.DAY),
        Field("answer_by", _("sista dag att svara"), date(2026, 12, 27), Sort.DAY),
        _optional("message", _("utskickets egen rad"), "Vi har fått fler platser i höst."),
    ),
}


@dataclass(frozen=True)
class Content:
    """What a text must tell, whatever the case: marked ``{#name}``, with these fields in it."""

    name: str
    label: Any
    fields: frozenset[str] = frozenset()


def _content(name: str, label: Any, *fields: str) -> Content:
    return Content(name, label, frozenset(fields))


_CALL = _content("call", _("vem patienten ringer"), "navigator_phone", "case_number")
_ANSWER = _content("answer", _("hur patienten svarar och till när"), "answer_by")
CONTENTS: dict[str, tuple[Content, ...]] = {
    TextKind.OFFER: (
        _content("place", _("vårdgivare och ort"), "provider", "town"),
        _content("wait", _("när vården väntas där"), "expected"),
        _content("home", _("väntan hemma")),
        _content("cost", _("att det inte kostar något extra")),
        _content("travel", _("resan och hur den betalas"), "travel_phone"),
        _content("escort", _("ledsagare")),
        _content("overnight", _("övernattning")),
        _content("same_day", _("om patienten kan åka hem samma dag")),
        _content("no", _("vad som händer vid ett nej"), "clinic"),
        _CALL,
        _content("after", _("vem patienten ringer efter vården")),
        _ANSWER,
    ),
    TextKind.OFFER_REMINDER: (_CALL, _ANSWER),
    TextKind.CONFIRM_TRANSFERABLE: (
        _content("received", _("att remissen är mottagen"), "clinic", "procedure"),
        _content("guarantee", _("vad vårdgarantin ger"), "last_day"),
        _content("transfer", _("att vården kan ges hos en annan vårdgivare")),
        _CALL,
    ),
    TextKind.CONFIRM_AT_HOME: (
        _content("received", _("att remissen är mottagen"), "clinic", "procedure"),
        _content("guarantee", _("vad vårdgarantin ger"), "last_day"),
        _content("transfer", _("att vården inte kan ges hos en annan vårdgivare")),
        _CALL,
    ),
    TextKind.BOOKED_TIME: (
        _content("place", _("vårdgivare och ort"), "provider", "town"),
        _content("time", _("dag och klockslag"), "booked_day", "booked_time"),
        _content("travel", _("resan och hur den betalas"), "travel_phone"),
        _CALL,
    ),
    TextKind.GUARANTEE: (
        _content("guarantee", _("vad vårdgarantin ger"), "guarantee_days"),
        _content("transfer", _("att vården kan ges hos en annan vårdgivare")),
        _content("no", _("vad som händer vid ett nej")),
        _CALL,
    ),
    TextKind.CAMPAIGN: (_CALL, _ANSWER),
}


def fields_of(kind: str) -> dict[str, Field]:
    return {field.name: field for field in FIELDS[kind]}


def example_values(kind: str) -> Mapping[str, Any]:
    """What previews without a case show; the people and places are made up."""
    return {field.name: field.example for field in FIELDS[kind]}
