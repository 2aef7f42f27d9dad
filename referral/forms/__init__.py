"""Forms of the pages. They parse what was typed; the rules stand in the services."""

from organisations.plain_forms import PlainForm
from referral.forms.intake import IntakeFormPage, initial_from
from referral.forms.verbs import (
    ONE_CLICK,
    OWN_PAGES,
    DismissForm,
    NoteForm,
    OfferForm,
    form_for,
)

__all__ = [
    "ONE_CLICK",
    "OWN_PAGES",
    "DismissForm",
    "IntakeFormPage",
    "NoteForm",
    "OfferForm",
    "PlainForm",
    "form_for",
    "initial_from",
]
