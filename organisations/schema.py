"""How the OpenAPI schema tells which scope a token needs."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.openapi import AutoSchema

from organisations.scopes import required_scope

SCOPE_EXTENSION = "x-required-scope"


class ScopedSchema(AutoSchema):
    """Each operation names its scope: for people in the description, for programs beside it."""

    def get_description(self) -> str:  # type: ignore[override]
        scope = required_scope(self.view, self.method)
        described = str(super().get_description() or "")
        if not scope:
            return described
        needs = _("Kräver behörigheten `%(scope)s`.") % {"scope": scope}
        return f"{described}\n\n{needs}".strip()

    def get_extensions(self) -> dict[str, Any]:
        scope = required_scope(self.view, self.method)
        return {SCOPE_EXTENSION: scope} if scope else {}
