"""What the data set tells, in the four dimensions of the national plan.

Socialstyrelsen and E-hälsomyndigheten want nationell vårdförmedling followed up by its frequency
and what it does to access, its quality, its cost and its ways of working (final report S2022/01372,
"Uppföljning av nationell vårdförmedling"). All measures but ``patients`` are of patients who came
to another provider because of the wait.
"""

from dataclasses import dataclass
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

RULES_VERSION = 1


class Dimension(models.TextChoices):
    FREQUENCY = "frequency", _("Hur ofta, och vad det gör för tillgängligheten")
    QUALITY = "quality", _("Kvalitet")
    COST = "cost", _("Kostnad")
    WAYS = "ways_of_working", _("Arbetssätt")


@dataclass(frozen=True)
class Measure:
    """``kind``: count, share (per cent), median, p80, sum or mean."""

    code: str
    dimension: Dimension
    kind: str
    unit: Any
    label: Any
    definition: Any


PATIENTS = "patients"

MEASURES = {
    measure.code: measure
    for measure in (
        Measure(
            PATIENTS,
            Dimension.FREQUENCY,
            "count",
            _("patienter"),
            _("Patienter som fått vård hos en annan vårdgivare"),
            _(
                "Patienter som behandlats under kvartalet hos en annan vårdgivare än den som "
                "remitterade, räknade en gång per ärende. Hemregionen är den som har ärendet."
            ),
        ),
        Measure(
            "wait_median",
            Dimension.FREQUENCY,
            "median",
            _("dagar"),
            _("Väntan från beslut till vård, median"),
            _("Kalenderdagar från beslutsdatum till behandlingsdatum."),
        ),
        Measure(
            "wait_p80",
            Dimension.FREQUENCY,
            "p80",
            _("dagar"),
            _("Väntan från beslut till vård, 80:e percentilen"),
            _("Så många dagar, eller färre, väntade fyra av fem patienter."),
        ),
        Measure(
            "days_gained",
            Dimension.FREQUENCY,
            "median",
            _("dagar"),
            _("Vunna dagar, median"),
            _(
                "Förväntad väntan på hemkliniken när erbjudandet skickades, minus dagarna från "
                "erbjudande till behandling. Bara patienter för vilka väntan var känd."
            ),
        ),
        Measure(
            "within_guarantee",
            Dimension.FREQUENCY,
            "share",
            _("procent"),
            _("Andel behandlade inom vårdgarantin"),
            _("Behandlade senast vårdgarantins sista dag, med pauser borträknade."),
        ),
        Measure(
            "back_referred",
            Dimension.QUALITY,
            "share",
            _("procent"),
            _("Andel med återremiss"),
            _("Behandlade vars återremiss hade kommit till hemkliniken när kvartalet frystes."),
        ),
        Measure(
            "back_referral_days",
            Dimension.QUALITY,
            "median",
            _("dagar"),
            _("Tid till återremiss, median"),
            _("Kalenderdagar från behandlingsdatum till återremiss."),
        ),
        Measure(
            "rejected",
            Dimension.QUALITY,
            "share",
            _("procent"),
            _("Andel remisser som vårdgivaren avvisat"),
            _("Av remisser som vårdgivaren bekräftade eller avvisade under kvartalet."),
        ),
        Measure(
            "cost_total",
            Dimension.COST,
            "sum",
            _("kronor"),
            _("Kostnad för vården"),
            _("Avropens belopp för kvartalets behandlade patienter, utan resor."),
        ),
        Measure(
            "cost_per_patient",
            Dimension.COST,
            "mean",
            _("kronor"),
            _("Kostnad per patient"),
            _("Kostnaden för vården delad med antalet behandlade patienter."),
        ),
        Measure(
            "handling_days",
            Dimension.WAYS,
            "median",
            _("dagar"),
            _("Handläggningstid, median"),
            _("Dagar från mottagen blankett till vårdgivarens remissbekräftelse i kvartalet."),
        ),
        Measure(
            "answer_hours",
            Dimension.WAYS,
            "median",
            _("timmar"),
            _("Patientens svarstid, median"),
            _("Timmar från skickat erbjudande till svar, för svar under kvartalet."),
        ),
        Measure(
            "accepted",
            Dimension.WAYS,
            "share",
            _("procent"),
            _("Andel som tackat ja"),
            _("Av patienternas svar på erbjudanden under kvartalet."),
        ),
        Measure(
            "answered_digitally",
            Dimension.WAYS,
            "share",
            _("procent"),
            _("Andel digitala svar"),
            _("Svar i 1177 eller på patientens egen sida, av kvartalets svar."),
        ),
    )
}
