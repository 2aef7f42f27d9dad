"""The form that pages of all apps build on, and fields they share."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from organisations.errors import DomainError, InvalidInput


class PlainForm(forms.Form):
    """Gives every control the base's class and puts refusals by a service at their fields."""

    # Fields that an answer to another field makes needed: not marked as optional.
    needed_by_answer: frozenset[str] = frozenset()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs.setdefault("class", "ds-input")
            field.error_messages["required"] = _what_is_missing(field)

    def add_refusal(self, error: InvalidInput) -> None:
        """Show what the service refused at its field, else above the form."""
        placed = False
        for name, text in error.fields.items():
            if name in self.fields:
                self.add_error(name, text)
                placed = True
        if not placed:
            self.add_error(None, str(error.message))


def attempt(form: PlainForm, do: Callable[[], Any]) -> tuple[Any, int | None]:
    """Do what a valid form asks for: what came of it, and no status.

    Refused, nothing came of it: the refusal stands on the form, to be shown with the status.
    """
    try:
        return do(), None
    except InvalidInput as error:
        form.add_refusal(error)
        return None, 422
    except DomainError as error:
        form.add_error(None, str(error.message))
        return None, error.status


def _what_is_missing(field: forms.Field) -> Any:
    """What to do about an empty field, in words that fit its kind."""
    if isinstance(field, forms.ChoiceField):
        return _("Välj ett svar.")
    if isinstance(field, forms.DateTimeField):
        return _("Ange datum och klockslag.")
    if isinstance(field, forms.DateField):
        return _("Ange ett datum.")
    return _("Fyll i fältet.")


def date_field(label: Any, *, required: bool = True, help_text: Any = "") -> forms.DateField:
    return forms.DateField(
        label=label,
        required=required,
        help_text=help_text,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d", "%Y%m%d"],
        error_messages={"invalid": _("Skriv datumet som ÅÅÅÅ-MM-DD.")},
    )
