"""The editor of a text. It parses; the rules stand in the service."""

from django import forms
from django.utils.translation import gettext_lazy as _

from notices.texts.kinds import TextKind
from notices.texts.models import VARIANT_SHAPE
from notices.texts.syntax import LONGEST
from organisations.languages import language_names
from organisations.plain_forms import PlainForm


class TextForm(PlainForm):
    subject = forms.CharField(label=_("Rubrik"), max_length=200, required=False)
    body = forms.CharField(
        label=_("Text"),
        max_length=LONGEST,
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 26, "spellcheck": "true", "dir": "auto"}),
    )


class NewTextForm(PlainForm):
    """Which text: kind, language, ease and variant."""

    kind = forms.ChoiceField(label=_("Slag"), choices=TextKind.choices)
    language = forms.ChoiceField(label=_("Språk"))
    easy = forms.BooleanField(label=_("Lättläst"), required=False)
    variant = forms.RegexField(
        VARIANT_SHAPE,
        label=_("Variant"),
        initial="A",
        max_length=20,
        help_text=_("Bara erbjudanden har flera: de dras med lika chans och kan jämföras."),
        error_messages={"invalid": _("Bokstäver, siffror och bindestreck.")},
    )

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        names = [(code, name.capitalize()) for code, name in language_names().items()]
        self.fields["language"].choices = names  # type: ignore[attr-defined]
        self.fields["language"].initial = "sv"

    def clean(self) -> dict[str, object]:
        data = super().clean() or {}
        if data.get("kind") != TextKind.OFFER and data.get("variant", "A") != "A":
            self.add_error("variant", _("Bara erbjudanden kan ha flera varianter."))
        return data
