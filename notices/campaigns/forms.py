"""Forms of campaigns. They parse; the rules stand in the services."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from notices.campaigns.models import MOST_ANSWER_DAYS, MOST_PER_HOUR, Answer
from notices.campaigns.services import DAYS_TO_ANSWER, LONGEST_MESSAGE
from organisations.plain_forms import PlainForm
from referral.forms.verbs import text_area
from referral.models import TOLD_TO_STAFF


class CampaignForm(PlainForm):
    """What a campaign is called, what it adds to the text, and how fast it goes."""

    name = forms.CharField(label=_("Namn"), max_length=120)
    message = forms.CharField(
        label=_("Egen rad i texten"),
        required=False,
        max_length=LONGEST_MESSAGE,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Samma för alla. Skriv inget om en enskild patient."),
    )
    easy = forms.BooleanField(label=_("Använd den lättlästa texten"), required=False)
    answer_days = forms.IntegerField(
        label=_("Dagar att svara"),
        min_value=1,
        max_value=MOST_ANSWER_DAYS,
        initial=DAYS_TO_ANSWER,
    )
    per_hour = forms.IntegerField(
        label=_("Högst så många meddelanden i timmen"),
        required=False,
        min_value=1,
        max_value=MOST_PER_HOUR,
        help_text=_("Så att ni hinner svara i telefonen. Tomt betyder så fort det går."),
    )


class VersionForm(forms.Form):
    """Which version of the campaign a button stood beside."""

    version = forms.IntegerField(min_value=1, max_value=2**31 - 1)


class AnswerForm(PlainForm):
    answer = forms.ChoiceField(
        label=_("Patientens svar"), choices=Answer.choices, widget=forms.RadioSelect
    )
    channel = forms.ChoiceField(
        label=_("Hur kom svaret?"),
        choices=TOLD_TO_STAFF,
        widget=forms.RadioSelect,
    )
    comment = text_area(_("Vad sade patienten?"), required=False, rows=3)


class NumberForm(PlainForm):
    """The case number on a letter that has come back."""

    number = forms.CharField(label=_("Ärendenummer"), max_length=40)

    def clean_number(self) -> Any:
        return self.cleaned_data["number"].strip()
