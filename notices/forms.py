"""The filter of what did not get through."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from notices.models import Notice
from notices.selectors import by_reason, reasons_of
from organisations.plain_forms import PlainForm

ANY = ("", _("Alla"))


class UndeliveredFilter(PlainForm):
    """By gateway and by what went wrong; what is not known filters nothing."""

    channel = forms.ChoiceField(
        label=_("Kanal"), required=False, choices=[ANY, *Notice.Channel.choices]
    )
    reason = forms.ChoiceField(label=_("Varför"), required=False)

    def __init__(self, data: Any, *, notices: QuerySet[Notice]) -> None:
        super().__init__(data)
        self.notices = notices
        found = [(name, f"{words} ({n})") for name, words, n in reasons_of(notices)]
        self.fields["reason"].choices = [ANY, *found]  # type: ignore[attr-defined]

    def chosen(self) -> QuerySet[Notice]:
        self.is_valid()
        rows, wanted = self.notices, self.cleaned_data
        if wanted.get("channel"):
            rows = rows.filter(channel=wanted["channel"])
        if wanted.get("reason"):
            rows = by_reason(rows).filter(reason=wanted["reason"])  # type: ignore[misc]
        return rows
