"""The standardised form as it is typed on the page."""

import re
from typing import Any

from django import forms
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from organisations.models import Equipment, Municipality
from organisations.plain_forms import PlainForm, date_field
from patients.models import Patient
from referral.codes import normalise_icd10
from referral.forms.verbs import text_area
from referral.models import Consent, IntakeForm, Phase, ReferralCause
from referral.models.intake import MAX_DISTANCE_KM
from referral.pathways import FirstTreatment, pathway_choices
from referral.submission import Submission

YES_NO = [("yes", _("Ja")), ("no", _("Nej"))]


class IntakeFormPage(PlainForm):
    """Blanketten. ``submission`` gives the typed values to the service."""

    needed_by_answer = frozenset(
        {"not_transferable_reason", "svf_pathway", "suspicion_date", "svf_treatment"}
    )

    identity_number = forms.CharField(
        label=_("Personnummer"),
        max_length=20,
        help_text=_("Även samordningsnummer eller reservnummer."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "numeric"}),
    )
    given_name = forms.CharField(label=_("Förnamn"), max_length=80)
    family_name = forms.CharField(label=_("Efternamn"), max_length=80)
    protection = forms.ChoiceField(
        label=_("Skyddade personuppgifter"),
        choices=Patient.Protection.choices,
        initial=Patient.Protection.NONE,
        required=False,
        help_text=_("Vid skyddad identitet sparas ingen adress. Brev går genom Skatteverket."),
    )
    street = forms.CharField(label=_("Gatuadress"), max_length=120, required=False)
    postal_code = forms.CharField(label=_("Postnummer"), max_length=6, required=False)
    town = forms.CharField(label=_("Postort"), max_length=60, required=False)
    municipality = forms.ChoiceField(
        label=_("Hemkommun"), required=False, help_text=_("Avstånd räknas härifrån.")
    )
    phone = forms.CharField(label=_("Telefon"), max_length=30, required=False)
    language = forms.CharField(label=_("Språk"), max_length=40, required=False)

    kva = forms.CharField(
        label=_("Begärd åtgärd (KVÅ)"),
        max_length=60,
        help_text=_(
            "Skriv ett ord, till exempel knä eller koloskopi, eller koden: NGB49 eller NGB."
        ),
        widget=forms.TextInput(
            attrs={"data-suggest": reverse_lazy("suggest-procedures"), "autocomplete": "off"}
        ),
    )
    icd10 = forms.CharField(
        label=_("Diagnos (ICD-10-SE)"),
        max_length=60,
        help_text=_(
            "Åtgärdens vanliga diagnoser föreslås först. Skriv ett ord eller koden: M17.1."
        ),
        widget=forms.TextInput(
            attrs={
                "data-suggest": reverse_lazy("suggest-diagnoses"),
                "data-with": "id_kva",
                "autocomplete": "off",
            }
        ),
    )
    phase = forms.ChoiceField(
        label=_("Vårdgarantin gäller"), choices=Phase.choices, widget=forms.RadioSelect
    )
    svf = forms.BooleanField(label=_("Standardiserat vårdförlopp (SVF)"), required=False)
    svf_pathway = forms.ChoiceField(
        label=_("Vårdförlopp"),
        required=False,
        choices=lambda: [("", "–"), *pathway_choices()],
        help_text=_("Bara vid SVF."),
    )
    suspicion_date = date_field(_("Välgrundad misstanke om cancer"), required=False)
    svf_treatment = forms.ChoiceField(
        label=_("Väntad första behandling i vårdförloppet"),
        required=False,
        choices=[("", "–"), *FirstTreatment.choices],
    )
    referral_cause = forms.ChoiceField(
        label=_("Skäl till vård hos annan vårdgivare"),
        choices=ReferralCause.choices,
        initial=ReferralCause.WAITING_TIME,
        required=False,
        help_text=_("Skilj det som beror på väntetiden från det som hade skett ändå."),
    )
    referral_date = date_field(_("Remissdatum"))
    decision_date = date_field(
        _("Beslutsdatum"), help_text=_("Dagen då besök eller behandling beslutades.")
    )
    medical_target_date = date_field(_("Medicinskt måldatum"), required=False)
    home_wait_days = forms.IntegerField(
        label=_("Förväntad väntan hos er, dagar"),
        required=False,
        help_text=_("Från beslutet. Lämna tomt så används er senaste väntetid."),
        widget=forms.NumberInput(attrs={"min": 0, "max": 3650}),
    )

    asa = forms.IntegerField(
        label=_("ASA-klass"),
        help_text=_("1–6. ASA 5 och 6 kan inte förmedlas."),
        widget=forms.NumberInput(attrs={"min": 1, "max": 6}),
    )
    bmi = forms.DecimalField(
        label=_("BMI"), required=False, max_digits=5, decimal_places=1, localize=True
    )
    mobility = forms.ChoiceField(
        label=_("Rörlighet"), choices=[("", "–"), *IntakeForm.Mobility.choices], required=False
    )
    medications = text_area(_("Läkemedel"), rows=3, required=False)
    anticoagulants = forms.BooleanField(label=_("Blodförtunnande läkemedel"), required=False)
    escort = forms.BooleanField(label=_("Behöver ledsagare"), required=False)
    interpreter = forms.CharField(
        label=_("Tolk, språk"),
        max_length=40,
        required=False,
        help_text=_("Språket, till exempel arabiska. Lämna tomt om ingen tolk behövs."),
        widget=forms.TextInput(attrs={"list": "languages"}),
    )
    equipment = forms.MultipleChoiceField(
        label=_("Särskild utrustning som patienten behöver"),
        choices=Equipment.choices,
        required=False,
        help_text=_("Bara enheter som har allt det valda föreslås."),
        widget=forms.CheckboxSelectMultiple,
    )
    max_distance_km = forms.IntegerField(
        label=_("Längsta avstånd som patienten reser, km"),
        required=False,
        help_text=_("Fågelvägen, enkel resa. Tomt om patienten inte har satt någon gräns."),
        widget=forms.NumberInput(attrs={"min": 1, "max": MAX_DISTANCE_KM}),
    )
    transferable = forms.ChoiceField(
        label=_("Kan patienten förmedlas till annan vårdgivare?"),
        choices=YES_NO,
        widget=forms.RadioSelect,
        help_text=_("Läkarens bedömning av allmäntillståndet."),
    )
    not_transferable_reason = text_area(
        _("Varför kan patienten inte förmedlas?"),
        rows=2,
        required=False,
        help_text=_("Behövs när svaret är nej."),
    )
    clinician = forms.CharField(label=_("Bedömande läkare"), max_length=120, required=False)
    free_text = text_area(_("Övrigt"), rows=4, required=False)
    share_consent = forms.ChoiceField(
        label=_("Samtycker patienten till att uppgifter lämnas till annan vårdgivare?"),
        choices=[("", _("Inte tillfrågad")), *YES_NO],
        required=False,
        help_text=_("Ett nej hindrar erbjudanden. Patientens ja till ett erbjudande är samtycke."),
    )
    share_consent_how = forms.ChoiceField(
        label=_("Hur lämnades beskedet?"), choices=[("", "–"), *Consent.How.choices], required=False
    )
    share_consent_on = date_field(_("När lämnades beskedet?"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        municipalities = Municipality.objects.order_by("name").values_list("code", "name")
        self.fields["municipality"].choices = [("", "–"), *municipalities]  # type: ignore[attr-defined]

    def clean_kva(self) -> str:
        """The code of what was typed or chosen: ``NGB49 Primär total…`` becomes ``NGB49``."""
        return _first_word(self.cleaned_data["kva"]).upper()

    def clean_icd10(self) -> str:
        return normalise_icd10(_first_word(self.cleaned_data["icd10"]))

    def clean_postal_code(self) -> str:
        return re.sub(r"\s", "", self.cleaned_data["postal_code"])

    def submission(self) -> Submission:
        """What the service takes; call only when the form is valid."""
        data = dict(self.cleaned_data)
        data["transferable"] = data["transferable"] == "yes"
        data["protection"] = data["protection"] or Patient.Protection.NONE
        data["referral_cause"] = data["referral_cause"] or ReferralCause.WAITING_TIME
        return Submission(**data)


def initial_from(typed: dict[str, Any]) -> dict[str, Any]:
    """What the draft holds, as the page's initial values."""
    initial = dict(typed)
    if isinstance(initial.get("transferable"), bool):
        initial["transferable"] = "yes" if initial["transferable"] else "no"
    for name in ("svf", "anticoagulants", "escort"):
        initial[name] = initial.get(name) in {True, "on", "true"}
    return initial


def _first_word(text: str) -> str:
    return text.strip().split(" ", 1)[0] if text.strip() else ""
