"""Forms of the access log's review."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from organisations.models import AccessReview
from organisations.plain_forms import PlainForm, date_field
from referral.numbers import CaseNumber, InvalidCaseNumber
from referral.selectors.access_review import MARKS, Filters


class ReviewFilterForm(PlainForm):
    """What the list shows; the choice stands in the URL."""

    name = forms.CharField(label=_("Användare"), required=False, max_length=120)
    case = forms.CharField(label=_("Ärendenummer"), required=False, max_length=20)
    first_day = date_field(_("Från"), required=False)
    last_day = date_field(_("Till"), required=False)
    mark = forms.ChoiceField(
        label=_("Avvikelse"),
        required=False,
        choices=[("", _("Alla")), *((mark.key, mark.label) for mark in MARKS)],
        error_messages={"invalid_choice": _("Avvikelsen finns inte att välja.")},
    )
    outcome = forms.ChoiceField(
        label=_("Granskning"),
        required=False,
        choices=[("", _("Alla")), ("none", _("Inte granskade")), *AccessReview.Outcome.choices],
        error_messages={"invalid_choice": _("Utfallet finns inte att välja.")},
    )
    user = forms.IntegerField(
        required=False, min_value=1, max_value=2**31, widget=forms.HiddenInput
    )

    def clean_case(self) -> str:
        text = self.cleaned_data["case"].strip()
        if not text:
            return ""
        try:
            return CaseNumber.parse(text).value
        except InvalidCaseNumber as error:
            raise forms.ValidationError(str(error)) from error

    def filters(self) -> Filters:
        """What could be read; a field with an error asks for nothing."""
        self.is_valid()
        data: dict[str, Any] = getattr(self, "cleaned_data", {})
        return Filters(
            user_id=data.get("user"),
            name=data.get("name") or "",
            case_number=data.get("case") or "",
            first_day=data.get("first_day"),
            last_day=data.get("last_day"),
            mark=data.get("mark") or "",
            outcome=data.get("outcome") or "",
        )


class SampleForm(PlainForm):
    """The period and how many to draw."""

    first_day = date_field(_("Från och med"))
    last_day = date_field(_("Till och med"))
    size = forms.IntegerField(
        label=_("Antal"),
        initial=20,
        min_value=1,
        max_value=200,
        error_messages={"invalid": _("Skriv ett heltal.")},
    )


class ReviewForm(PlainForm):
    """What the reviewer found."""

    outcome = forms.ChoiceField(
        label=_("Utfall"),
        choices=AccessReview.Outcome.choices,
        widget=forms.RadioSelect(attrs={"class": "ds-input"}),
    )
    comment = forms.CharField(
        label=_("Kommentar"),
        required=False,
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3, "class": "ds-input"}),
        help_text=_("Skriv vad som ska följas upp, och hos vem. Skriv inga patientuppgifter."),
    )


class ExtractForm(PlainForm):
    """Whose log the patient asks for."""

    number = forms.CharField(
        label=_("Ärendenummer eller personnummer"),
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "off", "class": "ds-input"}),
    )
