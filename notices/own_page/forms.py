"""What the patient types and chooses. Forms parse; the rules stand in the services."""

from collections.abc import Iterable
from itertools import groupby
from typing import Any, cast

from django import forms
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from notices.callbacks.models import PhoneTime
from notices.campaigns.models import Answer
from notices.own_page.codes import MOST_TYPED
from organisations.plain_forms import PlainForm
from referral.models import DeclineReason
from referral.numbers import CaseNumber, InvalidCaseNumber


class CodeForm(PlainForm):
    number = forms.CharField(
        label=_("Ärendenummer"),
        max_length=30,
        help_text=_("Elva siffror, till exempel 13-26-000001-9."),
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )
    code = forms.CharField(
        label=_("Svarskod"),
        max_length=MOST_TYPED,
        help_text=_("Tio tecken, till exempel 7K2M9-QXA4T. Stora och små bokstäver går lika bra."),
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}
        ),
    )

    def clean_number(self) -> CaseNumber:
        try:
            return CaseNumber.parse(self.cleaned_data["number"])
        except InvalidCaseNumber as error:
            raise forms.ValidationError(str(error)) from error


class AcceptForm(PlainForm):
    """The yes; ``serial`` says to which offer."""

    serial = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=32767)


class DeclineForm(AcceptForm):
    reason = forms.ChoiceField(
        label=_("Varför tackar du nej?"), choices=DeclineReason.choices, widget=forms.RadioSelect
    )
    comment = forms.CharField(
        label=_("Vill du säga något mer?"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
    )


class NeedForm(PlainForm):
    """What a campaign asks: whether the care is needed, and how the patient wants it."""

    answer = forms.ChoiceField(
        label=_("Vad vill du?"), choices=Answer.choices, widget=forms.RadioSelect
    )


class CallForm(PlainForm):
    """A time to be called at, or none: then the navigators choose."""

    time_id = forms.TypedChoiceField(label=_("När?"), coerce=int, required=False, empty_value=None)
    phone = forms.CharField(
        label=_("Telefonnummer"),
        max_length=30,
        required=False,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
    )
    about = forms.CharField(
        label=_("Vad vill du prata om?"),
        max_length=200,
        help_text=_("Skriv kort. Skriv inte ditt namn eller personnummer."),
    )

    def __init__(
        self, *args: Any, times: Iterable[PhoneTime], has_number: bool, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        field = cast("forms.ChoiceField", self.fields["time_id"])
        field.choices = [("", _("Så snart det går")), *_by_day(times)]
        field.error_messages["invalid_choice"] = _("Tiden är inte längre ledig. Välj en annan.")
        if has_number:
            self.fields["phone"].help_text = _("Tomt: vi ringer numret som står i ditt ärende.")
        else:
            self.fields["phone"].required = True


class MoveForm(PlainForm):
    """The same call at another time."""

    time_id = forms.TypedChoiceField(label=_("Ny tid"), coerce=int)

    def __init__(self, *args: Any, times: Iterable[PhoneTime], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = cast("forms.ChoiceField", self.fields["time_id"])
        field.choices = list(_by_day(times))
        field.error_messages["invalid_choice"] = _("Tiden är inte längre ledig. Välj en annan.")


def _by_day(times: Iterable[PhoneTime]) -> Iterable[tuple[str, list[tuple[str, str]]]]:
    """The times by day, each clock once: whose of the navigators' it is, is not the patient's."""
    for day, of_day in groupby(times, lambda one: timezone.localdate(one.starts_at)):
        first_of_each = {one.clock: str(one.pk) for one in reversed(list(of_day))}
        in_order = sorted((clock, key) for clock, key in first_of_each.items())
        yield date_format(day, "l j F"), [(key, clock) for clock, key in in_order]
