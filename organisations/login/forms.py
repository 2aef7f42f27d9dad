"""The demonstration's login form, and the form for a new API token."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from organisations.login.tokens import DAYS_TO_CHOOSE, Grant
from organisations.scopes import Scope


class LoginForm(forms.Form):
    """User name and password; shown in a demonstration installation only."""

    username = forms.CharField(
        label=_("Användarnamn"),
        max_length=200,
        error_messages={"required": _("Skriv ditt användarnamn.")},
        widget=forms.TextInput(
            attrs={"class": "ds-input", "autocomplete": "username", "autofocus": True}
        ),
    )
    password = forms.CharField(
        label=_("Lösenord"),
        max_length=200,
        strip=False,
        error_messages={"required": _("Skriv ditt lösenord.")},
        widget=forms.PasswordInput(attrs={"class": "ds-input", "autocomplete": "current-password"}),
    )


class TokenForm(forms.Form):
    """Whose key, what it is called, what it may do and for how long."""

    grant = forms.ChoiceField(
        label=_("Nyckeln gäller för"), widget=forms.Select(attrs={"class": "ds-input"})
    )
    name = forms.CharField(
        label=_("Namn"),
        help_text=_("Vad nyckeln används till, till exempel ”Journalsystemet, test”."),
        max_length=80,
        widget=forms.TextInput(attrs={"class": "ds-input", "autocomplete": "off"}),
    )
    scopes = forms.MultipleChoiceField(
        label=_("Behörigheter"),
        choices=lambda: [(scope.value, f"{scope.value} – {scope.label}") for scope in Scope],
        error_messages={"required": _("Välj minst en behörighet.")},
        widget=forms.CheckboxSelectMultiple,
    )
    days = forms.TypedChoiceField(
        label=_("Gäller i"),
        coerce=int,
        choices=lambda: [(days, _("%d dagar") % days) for days in DAYS_TO_CHOOSE],
        initial=90,
        widget=forms.Select(attrs={"class": "ds-input"}),
    )

    def __init__(self, *args: Any, grants: list[Grant], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.grants = {str(grant.assignment.pk): grant for grant in grants}
        self.fields["grant"].choices = [  # type: ignore[attr-defined]
            (key, grant.label) for key, grant in self.grants.items()
        ]

    def clean_name(self) -> str:
        return str(self.cleaned_data["name"]).replace("\x00", "")
