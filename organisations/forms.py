"""Login form; only shown in a demonstration installation."""

from django.contrib.auth.forms import AuthenticationForm
from django.forms import PasswordInput, TextInput
from django.utils.translation import gettext_lazy as _


class LoginForm(AuthenticationForm):
    """User name and password; one text for every failure, so that nobody learns who exists."""

    error_messages = {
        "invalid_login": _("Användarnamnet eller lösenordet stämmer inte."),
        "inactive": _("Användarnamnet eller lösenordet stämmer inte."),
    }

    def __init__(self, *args, **kwargs):  # type: ignore[no-untyped-def]
        super().__init__(*args, **kwargs)
        self.fields["username"].label = _("Användarnamn")
        self.fields["username"].widget = TextInput(
            attrs={"class": "ds-input", "autocomplete": "username", "autofocus": True}
        )
        self.fields["password"].label = _("Lösenord")
        self.fields["password"].widget = PasswordInput(
            attrs={"class": "ds-input", "autocomplete": "current-password"}
        )

    def clean_username(self) -> str:
        """PostgreSQL cannot hold NUL; such a name is simply not a user's."""
        return str(self.cleaned_data["username"]).replace("\x00", "")
