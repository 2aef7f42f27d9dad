"""The measures of a month: what each is called, its unit and exactly what it counts.

The definitions are shown wherever the figures are. ``kind``:

- ``count``: ``n`` and ``value`` are the number;
- ``duration``: ``n`` observations, ``value`` is their median, with the 80th percentile;
- ``sum``: ``value`` is the sum of ``n`` observations, with median and 80th percentile of each;
- ``mean``: as ``sum``, but ``value`` is the mean;
- ``share``: ``value`` is per cent of ``n``, with Wilson's 95 % interval as ``low`` and ``high``.
"""

from dataclasses import dataclass
from typing import Literal

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from referral.models import CloseReason, DeclineReason

Kind = Literal["count", "duration", "sum", "mean", "share"]


@dataclass(frozen=True)
class Measure:
    """``unit`` is empty for a plain number of cases or offers."""

    label: str | Promise
    unit: str | Promise
    definition: str | Promise
    kind: Kind


DAYS, HOURS, KRONOR, PER_CENT, KM = _("dagar"), _("timmar"), _("kr"), _("%"), _("km")


def _count(label: str | Promise, definition: str | Promise) -> Measure:
    return Measure(label, "", definition, "count")


def _days(label: str | Promise, definition: str | Promise) -> Measure:
    return Measure(label, DAYS, definition, "duration")


def _share(label: str | Promise, definition: str | Promise) -> Measure:
    return Measure(label, PER_CENT, definition, "share")


MEASURES: dict[str, Measure] = {
    "received": _count(
        _("Inkomna"), _("Blanketter som kom in under månaden (första inskickningen).")
    ),
    "in_work": _count(
        _("Under arbete"), _("Ärenden som kommit in och inte var avslutade när månaden tog slut.")
    ),
    "open_age": _days(
        _("De öppna ärendenas ålder"),
        _(
            "Dagar från att blanketten kom in till månadens sista dag, för ärenden som inte var "
            "avslutade då. Under en månad som pågår räknas också till dess sista dag."
        ),
    ),
    "take_days": _days(
        _("Inkommet till taget"),
        _("Dagar från mottagen blankett till att en vårdlots först tog ärendet, tagna i månaden."),
    ),
    "first_offer_days": _days(
        _("Taget till första erbjudandet"),
        _(
            "Dagar från att ärendet togs (om det inte togs: kom in) till det första erbjudandet, "
            "för ärenden som fick det i månaden."
        ),
    ),
    "offered": _count(_("Erbjudanden"), _("Erbjudanden som skickades under månaden.")),
    "answered": _count(_("Svar"), _("Erbjudanden som patienten svarade på under månaden.")),
    "answered_share": _share(
        _("Andel besvarade"),
        _("Svar under månaden, av svaren och de erbjudanden som löpte ut utan svar i månaden."),
    ),
    "answer_hours": Measure(
        _("Svarstid"),
        HOURS,
        _(
            "Timmar från erbjudande till patientens svar, besvarade i månaden. Region Halland: "
            "från sex veckor till 66 timmar."
        ),
        "duration",
    ),
    "accepted": _count(_("Ja"), _("Svar under månaden där patienten tackade ja.")),
    "accepted_share": _share(_("Andel ja"), _("Ja, av månadens alla svar.")),
    "declined": _count(_("Nej"), _("Svar under månaden där patienten tackade nej.")),
    **{
        f"declined_{reason.value}": _count(
            format_lazy(_("Nej: {reason}"), reason=reason.label),
            _("Svar under månaden där patienten tackade nej av det skälet."),
        )
        for reason in DeclineReason
    },
    "expired": _count(
        _("Utan svar"), _("Erbjudanden som löpte ut under månaden utan att patienten svarat.")
    ),
    "withdrawn": _count(_("Återtagna"), _("Erbjudanden som återtogs obesvarade under månaden.")),
    "confirmed": _count(
        _("Bekräftade"), _("Remisser som mottagande vårdgivare bekräftade under månaden.")
    ),
    "rejected": _count(
        _("Avvisade av vårdgivaren"),
        _("Remisser som mottagande vårdgivare avvisade under månaden."),
    ),
    "handling_days": _days(
        _("Handläggningstid"),
        _("Dagar från mottagen blankett till remissbekräftelse, bekräftade i månaden."),
    ),
    "confirm_days": _days(
        _("Ja till remissbekräftelse"),
        _("Dagar från patientens ja till vårdgivarens bekräftelse, bekräftade i månaden."),
    ),
    "book_days": _days(
        _("Remissbekräftelse till bokning"),
        _("Dagar från bekräftelse till att vårdgivaren först bokade en tid, bokade i månaden."),
    ),
    "treat_days": _days(
        _("Remissbekräftelse till behandling"),
        _("Dagar från bekräftelse till behandling, behandlade i månaden."),
    ),
    "treated": _count(_("Behandlade"), _("Patienter med behandlingsdatum under månaden.")),
    "wait_days": _days(
        _("Väntan från beslut till behandling"),
        _("Dagar från beslutsdatum till behandling, pauser inräknade, behandlade i månaden."),
    ),
    "kept_share": _share(
        _("Andel inom vårdgarantin"),
        _(
            "Månadens behandlade som fick vården senast vårdgarantins sista dag, som pauser "
            "flyttar fram, av alla månadens behandlade."
        ),
    ),
    "breaches_avoided": _count(
        _("Undvikna brott mot vårdgarantin"),
        _(
            "Månadens behandlade som fick vården i tid, där erbjudandets dag och den förväntade "
            "väntan på hemkliniken tillsammans gick förbi vårdgarantins sista dag."
        ),
    ),
    "breaches_not_avoided": _count(
        _("Brott mot vårdgarantin"),
        _("Månadens behandlade som fick vården efter vårdgarantins sista dag."),
    ),
    "days_gained": Measure(
        _("Vunna dagar"),
        DAYS,
        _(
            "Förväntad väntan på hemkliniken när erbjudandet skickades, minus dagarna från "
            "erbjudande till behandling. Summa för månadens behandlade där väntan var känd."
        ),
        "sum",
    ),
    "pause_patient_days": Measure(
        _("Patientvald väntan"),
        DAYS,
        _(
            "Dagar som klockan stått stilla på patientens önskan, i ärenden vars klocka stannade "
            "för gott i månaden. n är ärenden med sådan paus."
        ),
        "sum",
    ),
    "pause_medical_days": Measure(
        _("Medicinskt orsakad väntan"),
        DAYS,
        _(
            "Dagar som klockan stått stilla av medicinska skäl, i ärenden vars klocka stannade "
            "för gott i månaden. n är ärenden med sådan paus."
        ),
        "sum",
    ),
    "cost": Measure(
        _("Kostnad"),
        KRONOR,
        _("Avropens belopp för månadens behandlade: fakturans när den är godkänd, annars priset."),
        "sum",
    ),
    "cost_per_patient": Measure(
        _("Kostnad per patient"), KRONOR, _("Kostnad delad med månadens behandlade."), "mean"
    ),
    "treated_own": _count(
        _("Behandlade på eget avtal"), _("Månadens behandlade på den egna regionens avtal.")
    ),
    "treated_others": _count(
        _("Behandlade på annans avtal"), _("Månadens behandlade på en annan regions avtal.")
    ),
    "treated_free_choice": _count(
        _("Behandlade i vårdval"), _("Månadens behandlade på avtal inom vårdval.")
    ),
    "own_contract_share": _share(
        _("Andel på eget avtal"),
        _("Månadens behandlade på den egna regionens avtal, av alla månadens behandlade."),
    ),
    "funding_central": _count(
        _("Betalda ur central pott"),
        _("Månadens behandlade som en central pott betalade, där det är känt."),
    ),
    "funding_clinic": _count(
        _("Betalda av kliniken"),
        _("Månadens behandlade som den avsändande kliniken betalade, där det är känt."),
    ),
    "treated_elsewhere": _count(
        _("Behandlade i annan region"), _("Månadens behandlade på en enhet i en annan region.")
    ),
    "other_region_share": _share(
        _("Andel i annan region"),
        _("Månadens behandlade på en enhet i en annan region, av alla månadens behandlade."),
    ),
    "distance_km": Measure(
        _("Avstånd till vården"),
        KM,
        _(
            "Kilometer fågelvägen från hemkommunen (om den saknas: residensorten) till enheten, "
            "månadens behandlade."
        ),
        "duration",
    ),
    "closed": _count(_("Avslutade"), _("Ärenden som avslutades under månaden, av alla skäl.")),
    **{
        f"closed_{reason.value}": _count(
            format_lazy(_("Avslutade: {reason}"), reason=reason.label),
            _("Ärenden som avslutades under månaden av det skälet."),
        )
        for reason in CloseReason
    },
    "close_days": _days(
        _("Behandling till avslut"),
        _("Dagar från behandling till avslutat ärende, avslutade i månaden."),
    ),
}

# Numerator, and the counts whose sum is the denominator.
SHARES: dict[str, tuple[str, tuple[str, ...]]] = {
    "answered_share": ("answered", ("answered", "expired")),
    "accepted_share": ("accepted", ("answered",)),
    "kept_share": ("kept", ("treated",)),
    "own_contract_share": ("treated_own", ("treated",)),
    "other_region_share": ("treated_elsewhere", ("treated",)),
}
