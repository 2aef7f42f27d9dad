"""Forms about secrecy and correctness. They parse; the rules stand in the services."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from organisations.models import Municipality
from organisations.plain_forms import PlainForm, date_field
from patients.models import Patient
from referral.forms.intake import YES_NO
from referral.forms.verbs import text_area
from referral.models import OF_PATHWAY, BlockReach, Case, Consent, EmergencyOpening
from referral.pathways import FirstTreatment, pathway_choices

HOW = Consent.How.choices


def _reason(label: Any, *, help_text: Any = "") -> forms.CharField:
    return text_area(label, rows=3, help_text=help_text)


class ConsentForm(PlainForm):
    audience = forms.ChoiceField(
        label=_("Vem gäller beskedet?"), choices=Consent.Audience.choices, widget=forms.RadioSelect
    )
    given = forms.ChoiceField(
        label=_("Samtycker patienten?"), choices=YES_NO, widget=forms.RadioSelect
    )
    how = forms.ChoiceField(
        label=_("Hur lämnades beskedet?"), choices=HOW, widget=forms.RadioSelect
    )
    given_on = date_field(_("Dag"))
    until = date_field(
        _("Gäller till och med"),
        required=False,
        help_text=_("Lämna tomt om det gäller tills vidare."),
    )

    def clean_given(self) -> bool:
        return self.cleaned_data["given"] == "yes"


class WithdrawConsentForm(PlainForm):
    why = _reason(_("Vad har patienten sagt?"))


class BlockForm(PlainForm):
    reach = forms.ChoiceField(
        label=_("Vilka spärras ute?"), choices=BlockReach.choices, widget=forms.RadioSelect
    )
    asked_by_patient = forms.BooleanField(
        label=_("Patienten själv har begärt spärren"),
        required=False,
        help_text=_("Vårdnadshavare kan inte spärra sitt barns uppgifter."),
    )
    reason = text_area(
        _("Anteckning"), required=False, rows=2, help_text=_("Syns bara på er enhet.")
    )


class LiftBlockForm(PlainForm):
    reason = _reason(_("Vad har patienten begärt?"))


class ProtectForm(PlainForm):
    protection = forms.ChoiceField(
        label=_("Slag av skydd"),
        choices=[c for c in Patient.Protection.choices if c[0] in Patient.PROTECTED],
        widget=forms.RadioSelect,
        help_text=_("Adress och hemkommun tas bort ur systemet och kommer inte tillbaka."),
    )
    reason = _reason(_("Hur är skyddet känt?"))


class DepartForm(PlainForm):
    kind = forms.ChoiceField(
        label=_("Vad har hänt?"),
        choices=[
            ("deceased_on", _("Patienten har avlidit")),
            ("emigrated_on", _("Patienten har flyttat utomlands")),
        ],
        widget=forms.RadioSelect,
        help_text=_("Allt som väntar på att skickas till patienten stoppas, i alla ärenden."),
    )
    on = forms.DateField(
        label=_("Dag"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    reason = _reason(_("Hur är det känt?"))


class UndoDepartForm(PlainForm):
    reason = _reason(
        _("Varför hävs anteckningen?"),
        help_text=_("Det som stoppades skickas inte av sig självt."),
    )


class CorrectPatientForm(PlainForm):
    given_name = forms.CharField(label=_("Förnamn"), max_length=80)
    family_name = forms.CharField(label=_("Efternamn"), max_length=80)
    street = forms.CharField(label=_("Gatuadress"), max_length=120, required=False)
    postal_code = forms.CharField(label=_("Postnummer"), max_length=6, required=False)
    town = forms.CharField(label=_("Postort"), max_length=60, required=False)
    municipality = forms.ModelChoiceField(
        label=_("Hemkommun"),
        queryset=Municipality.objects.order_by("name"),
        required=False,
        empty_label="–",
    )
    phone = forms.CharField(label=_("Telefon"), max_length=30, required=False)
    language = forms.CharField(label=_("Språk"), max_length=40, required=False)
    reason = _reason(_("Vad var fel?"), help_text=_("Det som stod förut finns kvar i historiken."))

    def __init__(self, data: Any = None, *, patient: Patient, **kwargs: Any) -> None:
        names = [name for name in self.base_fields if name != "reason"]
        initial = {name: getattr(patient, name) for name in names}
        super().__init__(data, initial=initial, **kwargs)
        if patient.is_protected:  # no address is kept, so none can be corrected
            for name in ("street", "postal_code", "town", "municipality"):
                del self.fields[name]

    def clean_postal_code(self) -> str:
        return self.cleaned_data["postal_code"].replace(" ", "")


class CorrectPathwayForm(PlainForm):
    needed_by_answer = frozenset({"svf_pathway", "suspicion_date", "svf_treatment"})

    svf = forms.BooleanField(label=_("Standardiserat vårdförlopp (SVF)"), required=False)
    svf_pathway = forms.ChoiceField(
        label=_("Vårdförlopp"),
        required=False,
        choices=lambda: [("", "–"), *pathway_choices()],
        help_text=_("Bara vid SVF."),
    )
    suspicion_date = date_field(_("Välgrundad misstanke"), required=False)
    svf_treatment = forms.ChoiceField(
        label=_("Första behandling"),
        required=False,
        choices=[("", _("inte bestämd")), *FirstTreatment.choices],
        help_text=_("Avgör den längsta ledtiden."),
    )
    reason = _reason(_("Vad var fel?"), help_text=_("Det som stod förut finns kvar i historiken."))

    def __init__(self, data: Any = None, *, case: Case, **kwargs: Any) -> None:
        initial = {name: getattr(case, name) for name in OF_PATHWAY}
        super().__init__(data, initial=initial, **kwargs)


class MovePatientForm(PlainForm):
    identity_number = forms.CharField(
        label=_("Rätt patients personnummer"),
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "numeric"}),
    )
    given_name = forms.CharField(
        label=_("Förnamn"), max_length=80, help_text=_("Används om patienten är ny i systemet.")
    )
    family_name = forms.CharField(label=_("Efternamn"), max_length=80)
    reason = _reason(_("Hur blev det fel?"))


class StrikeNoteForm(PlainForm):
    reason = _reason(_("Vad är fel i anteckningen?"))


class ExportForm(PlainForm):
    reason = _reason(
        _("Varför görs utdraget?"), help_text=_("Till exempel: patientens begäran 3 mars.")
    )
    file_format = forms.ChoiceField(
        label=_("Format"),
        choices=[("pdf", _("PDF att läsa")), ("json", _("JSON, maskinläsbart"))],
        widget=forms.RadioSelect,
        initial="pdf",
    )


class NumberedExportForm(ExportForm):
    number = forms.CharField(label=_("Ärendenummer"), max_length=20)
    field_order = ("number", "reason", "file_format")


class OpenWithConsentForm(PlainForm):
    how = forms.ChoiceField(label=_("Hur lämnades samtycket?"), choices=HOW)
    given_on = date_field(_("Dag"))
    until = date_field(_("Gäller till och med"), required=False)


class EmergencyForm(PlainForm):
    reason = _reason(
        _("Varför måste uppgifterna läsas nu?"),
        help_text=_("Regionens administratör får veta det och följer upp."),
    )
    cannot_consent = forms.BooleanField(
        label=_("Patienten kan inte tillfrågas och behöver oundgängligen vården"),
        required=False,
    )


class FollowUpForm(PlainForm):
    outcome = forms.ChoiceField(
        label=_("Bedömning"), choices=EmergencyOpening.Outcome.choices, widget=forms.RadioSelect
    )
    text = text_area(_("Vad visade uppföljningen?"), rows=3)


class NumberedReasonForm(PlainForm):
    number = forms.CharField(label=_("Ärendenummer"), max_length=20)
    reason = _reason(_("Skäl"))
