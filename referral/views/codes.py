"""Suggestions of codes while one types in the form."""

from django.http import HttpRequest, JsonResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from organisations.models import Role
from organisations.pages import roles_required
from referral.selectors.codes import Suggestion, suggest_diagnoses, suggest_procedures


@roles_required()
@require_safe
def procedures(request: HttpRequest) -> JsonResponse:
    return _answer(suggest_procedures(_text(request, "q")))


@roles_required(Role.CLINIC)
@require_safe
def diagnoses(request: HttpRequest) -> JsonResponse:
    """Those of the procedure in ``with`` stand first."""
    return _answer(suggest_diagnoses(_text(request, "q"), kva=_text(request, "with")))


def _text(request: HttpRequest, name: str) -> str:
    """PostgreSQL cannot hold NUL, and no name is longer."""
    return request.GET.get(name, "").replace("\x00", "")[:60]


def _answer(found: list[Suggestion]) -> JsonResponse:
    """The suggestions, and their number in words for those who hear the page."""
    told = ngettext("%(n)s förslag", "%(n)s förslag", len(found)) % {"n": len(found)}
    return JsonResponse(
        {
            "results": [{"code": s.code, "name": s.name} for s in found],
            "told": told if found else _("Inga förslag i listan. Andra giltiga koder går också."),
        }
    )
