"""Forms of phone times and calls. They parse; the rules stand in the services."""

from collections.abc import Iterable
from itertools import groupby
from typing import Any, cast

from django import forms
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from notices.callbacks.models import PhoneTime
from notices.callbacks.times import Series
from organisations.plain_forms import PlainForm, date_field

WEEKDAYS = (
    ("0", _("Måndag")),
    ("1", _("Tisdag")),
    ("2", _("Onsdag")),
    ("3", _("Torsdag")),
    ("4", _("Fredag")),
)


def _clock_field(label: Any) -> forms.TimeField:
    return forms.TimeField(
        label=label,
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        input_formats=["%H:%M", "%H.%M"],
        error_messages={"invalid": _("Skriv klockslaget som TT:MM.")},
    )


class TimesForm(PlainForm):
    first_day = date_field(_("Första dagen"))
    last_day = date_field(
        _("Sista dagen"), required=False, help_text=_("Lämna tomt för en enda dag.")
    )
    weekdays = forms.MultipleChoiceField(
        label=_("Veckodagar"),
        choices=WEEKDAYS,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Utan val: alla måndagar till fredagar. Helgdagar får aldrig några tider."),
    )
    start = _clock_field(_("Från klockan"))
    end = _clock_field(_("Till klockan"))
    minutes = forms.IntegerField(label=_("Minuter per tid"), min_value=1, max_value=240, initial=15)

    def series(self) -> Series:
        data = self.cleaned_data
        return Series(
            first_day=data["first_day"],
            last_day=data["last_day"] or data["first_day"],
            start=data["start"],
            end=data["end"],
            minutes=data["minutes"],
            weekdays=frozenset(map(int, data["weekdays"])) or frozenset(range(5)),
        )


class _ChoosesTime(PlainForm):
    time_id = forms.TypedChoiceField(label=_("Tid"), coerce=int)

    def __init__(self, *args: Any, times: Iterable[PhoneTime], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = cast("forms.ChoiceField", self.fields["time_id"])
        field.choices = [
            (
                date_format(day, "l j F"),
                [(str(one.pk), f"{one.clock}, {one.navigator.name}") for one in of_day],
            )
            for day, of_day in groupby(times, lambda one: timezone.localdate(one.starts_at))
        ]
        field.error_messages["invalid_choice"] = _("Tiden är inte längre ledig. Välj en annan.")


class BookForm(_ChoosesTime):
    phone = forms.CharField(label=_("Telefon"), max_length=30)
    about = forms.CharField(
        label=_("Gäller"),
        max_length=200,
        help_text=_("Syns i arbetslistan. Skriv inte namn eller personnummer."),
    )


class RebookForm(_ChoosesTime):
    """The same call on another time."""


class AskForm(PlainForm):
    phone = forms.CharField(label=_("Telefon"), max_length=30)
    about = forms.CharField(label=_("Gäller"), max_length=200)


class DoneForm(PlainForm):
    outcome = forms.CharField(label=_("Vad ledde samtalet till?"), max_length=300)


class MissedForm(PlainForm):
    comment = forms.CharField(
        label=_("Kommentar"),
        max_length=300,
        required=False,
        help_text=_("Patienten står kvar bland dem som ska ringas upp, med antalet försök."),
    )


class CancelForm(PlainForm):
    reason = forms.CharField(label=_("Skäl"), max_length=300, required=False)
