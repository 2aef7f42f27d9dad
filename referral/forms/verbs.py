"""Forms of the verbs. They parse; the rules stand in the services."""

from collections.abc import Collection, Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from capacity.models import FreeCapacity
from organisations.errors import InvalidInput
from organisations.languages import language_names
from organisations.plain_forms import PlainForm, date_field
from referral.models import (
    TOLD_TO_STAFF,
    CloseReason,
    DeclineReason,
    Pause,
    RejectionReason,
    WatchKind,
)
from referral.texts import Wishes


def text_area(
    label: Any, *, rows: int = 4, required: bool = True, help_text: Any = ""
) -> forms.CharField:
    return forms.CharField(
        label=label,
        required=required,
        help_text=help_text,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": rows}),
    )


class ConfirmForm(PlainForm):
    """A verb that needs nothing but the will."""


class ReturnForm(PlainForm):
    missing = text_area(_("Vad saknas?"), help_text=_("Kliniken ser texten och kompletterar."))


class NoteForm(PlainForm):
    text = text_area(_("Anteckning"), rows=3)


class ParkForm(PlainForm):
    kind = forms.ChoiceField(
        label=_("Vad saknas?"), choices=WatchKind.choices, widget=forms.RadioSelect
    )
    waits_for = forms.CharField(
        label=_("Väntar på"),
        max_length=200,
        help_text=_("Till exempel: vårdgivare som tar emot ASA 3."),
    )
    review_on = date_field(_("Ses över senast"), help_text=_("Högst 30 dagar framåt."))


class ReviewForm(PlainForm):
    review_on = date_field(_("Ses över igen senast"), help_text=_("Högst 30 dagar framåt."))
    waits_for = forms.CharField(
        label=_("Väntar nu på"),
        max_length=200,
        required=False,
        help_text=_("Lämna tomt om det är som förut."),
    )
    comment = forms.CharField(label=_("Kommentar"), required=False, max_length=300)


class DismissForm(PlainForm):
    reason = text_area(_("Varför passar den inte?"), rows=2)


class EndForm(PlainForm):
    reason = forms.ChoiceField(
        label=_("Varför avslutas ärendet?"),
        choices=[c for c in CloseReason.choices if c[0] != CloseReason.TREATED],
        widget=forms.RadioSelect,
    )
    comment = text_area(_("Kommentar"), required=False, rows=3)


class PauseForm(PlainForm):
    reason = forms.ChoiceField(
        label=_("Orsak"), choices=Pause.Reason.choices, widget=forms.RadioSelect
    )
    first_day = date_field(_("Från och med"))
    until = date_field(
        _("Till och med"), required=False, help_text=_("Lämna tomt om pausen pågår.")
    )
    comment = forms.CharField(label=_("Kommentar"), required=False, max_length=300)


class EndPauseForm(PlainForm):
    last = date_field(_("Sista dagen i pausen"))

    def add_refusal(self, error: InvalidInput) -> None:
        if "last_day" in error.fields:
            self.add_error("last", error.fields["last_day"])
        else:
            super().add_refusal(error)


class AcceptForm(PlainForm):
    channel = forms.ChoiceField(
        label=_("Hur kom svaret?"),
        choices=TOLD_TO_STAFF,
        widget=forms.RadioSelect,
    )
    comment = text_area(_("Vad sade patienten?"), required=False, rows=3)


class DeclineForm(AcceptForm):
    reason = forms.ChoiceField(
        label=_("Varför tackar patienten nej?"),
        choices=DeclineReason.choices,
        widget=forms.RadioSelect,
    )
    field_order = ("channel", "reason", "comment")


class WithdrawForm(PlainForm):
    why = text_area(_("Varför återtas erbjudandet?"), rows=3)


class RejectForm(PlainForm):
    reason = forms.ChoiceField(
        label=_("Varför avvisas remissen?"),
        choices=RejectionReason.choices,
        widget=forms.RadioSelect,
    )
    comment = text_area(
        _("Kommentar"), rows=3, help_text=_("Vårdlotsen och den avsändande kliniken ser texten.")
    )


class BookForm(PlainForm):
    booked_for = forms.DateTimeField(
        label=_("Datum och klockslag"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"],
        error_messages={"invalid": _("Skriv tiden som ÅÅÅÅ-MM-DD TT:MM.")},
    )


class TreatForm(PlainForm):
    treated_on = date_field(_("Behandlingsdatum"))


class CloseForm(PlainForm):
    back_referral = text_area(
        _("Återremiss till hemkliniken"),
        rows=6,
        help_text=_("Vad som gjorts, resultat och vad hemkliniken ska följa upp."),
    )


class OfferForm(PlainForm):
    slot = forms.TypedChoiceField(
        label=_("Ledig plats"), required=False, coerce=int, empty_value=None
    )
    language = forms.ChoiceField(label=_("Språk"), required=False)
    easy = forms.BooleanField(label=_("Lättläst"), required=False)
    expected_wait_days = forms.IntegerField(
        label=_("Väntan hos vårdgivaren, dagar"),
        required=False,
        min_value=0,
        max_value=1500,
        help_text=_("Vårdgivarens väntetid är inte känd. Fråga vårdgivaren."),
    )
    home_wait_days = forms.IntegerField(
        label=_("Väntan hemma härifrån, dagar"),
        required=False,
        min_value=0,
        max_value=3650,
        help_text=_("Kliniken har inte angett väntan. Fråga kliniken."),
    )
    same_day = forms.ChoiceField(
        label=_("Åker patienten hem samma dag?"),
        required=False,
        choices=[("", _("Vet inte")), ("yes", _("Ja")), ("no", _("Nej, stannar över natten"))],
    )
    message = text_area(
        _("Egen rad till patienten"),
        required=False,
        rows=2,
        help_text=_("Läggs in i erbjudandets text."),
    )

    def __init__(
        self,
        *args: Any,
        slots: Iterable[FreeCapacity] = (),
        languages: Iterable[str] = (),
        unknown: Collection[str] = (),
        **kwargs: Any,
    ) -> None:
        """``unknown`` names the waits that nobody knows and the navigator has to find out."""
        super().__init__(*args, **kwargs)
        choices = [(slot.pk, f"{slot.weeks}, {_('kvar')}: {slot.left}") for slot in slots]
        if choices:
            self.fields["slot"].choices = [("", _("Ingen av de upplagda")), *choices]  # type: ignore[attr-defined]
        else:
            del self.fields["slot"]
        names = language_names()
        self.fields["language"].choices = [  # type: ignore[attr-defined]
            ("", _("Patientens eget, annars svenska")),
            *((code, names.get(code, code).capitalize()) for code in languages),
        ]
        for name in {"expected_wait_days", "home_wait_days"} - set(unknown):
            del self.fields[name]

    def wishes(self) -> Wishes:
        """What the navigator chose; nothing while the form does not hold."""
        data = dict(self.cleaned_data) if self.is_bound and self.is_valid() else {}
        data.pop("slot", None)
        return Wishes(**data)


FORMS: dict[str, type[PlainForm]] = {
    "return_to_clinic": ReturnForm,
    "note": NoteForm,
    "park": ParkForm,
    "review": ReviewForm,
    "end": EndForm,
    "leave_list": AcceptForm,
    "pause": PauseForm,
    "end_pause": EndPauseForm,
    "accept": AcceptForm,
    "decline": DeclineForm,
    "withdraw_offer": WithdrawForm,
    "reject": RejectForm,
    "book": BookForm,
    "treat": TreatForm,
    "close": CloseForm,
}

# Verbs that are done with one click from the case page.
ONE_CLICK = frozenset({"take", "assign", "confirm", "unpark"})

# Verbs whose way is a page of its own, not the general form.
OWN_PAGES = {"offer": "case-matching", "resubmit": "case-form"}


def form_for(verb: str, data: Any = None) -> PlainForm:
    return FORMS.get(verb, ConfirmForm)(data)
