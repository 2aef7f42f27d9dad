"""Problem details (RFC 9457): every refusal by the API in one shape."""

import math
from typing import Any

from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from organisations.errors import DomainError
from organisations.masking import masked

PROBLEM_JSON = "application/problem+json"
# As the OpenAPI schema describes it.
PROBLEM_SCHEMA = {
    "type": "object",
    "description": "RFC 9457. ``errors`` finns när enskilda fält behöver rättas.",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "instance": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"field": {"type": "string"}, "detail": {"type": "string"}},
                "required": ["field", "detail"],
            },
        },
    },
    "required": ["type", "title", "status", "detail", "code"],
}


def problem_details(error: Exception, context: dict[str, Any]) -> Response | None:
    """Every refusal as ``application/problem+json`` with field errors under ``errors``."""
    if isinstance(error, DomainError):
        set_rollback()
        found = problem(error.status, str(error.message), error.code)
        found["errors"] = [
            {"field": name, "detail": str(text)} for name, text in error.fields.items()
        ]
        return _answer(found, context)
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, DjangoPermissionDenied):
        error = exceptions.PermissionDenied()
    if not isinstance(error, exceptions.APIException):
        return None
    set_rollback()
    if isinstance(error, exceptions.ValidationError):
        found = problem(error.status_code, _("Det som skickades behöver rättas."), "invalid")
        found["errors"] = list(_field_errors(error.detail))
    else:
        found = problem(error.status_code, str(error.detail), error.default_code)
    response = _answer(found, context)
    if getattr(error, "wait", None):
        response["Retry-After"] = str(math.ceil(error.wait))  # type: ignore[attr-defined]
    if getattr(error, "auth_header", None):
        response["WWW-Authenticate"] = error.auth_header  # type: ignore[attr-defined]
    return response


def problem(status: int, detail: str, code: str) -> dict[str, Any]:
    titles = {
        400: _("Felaktiga uppgifter"),
        401: _("Inloggning krävs"),
        403: _("Inte behörig"),
        404: _("Finns inte"),
        405: _("Metoden finns inte"),
        409: _("Går inte i nuvarande läge"),
        429: _("För många förfrågningar"),
    }
    return {
        "type": f"urn:vardlots:problem:{code}",
        "title": titles.get(status, _("Förfrågan avvisades")),
        "status": status,
        "detail": detail,
        "code": code,
    }


def _answer(found: dict[str, Any], context: dict[str, Any]) -> Response:
    """The refusal; what it quotes of what was sent may hold an identity number, which is masked."""
    request = context.get("request")
    if request is not None:
        found["instance"] = masked(request.path)
    found["detail"] = masked(found["detail"])
    for error in found.get("errors", ()):
        error["detail"] = masked(error["detail"])
    return Response(found, status=found["status"], content_type=PROBLEM_JSON)


def _field_errors(detail: Any, at: str = "") -> Any:
    """Field errors as (field, detail), nested ones with dots."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            place = at if name == "non_field_errors" else f"{at}.{name}" if at else str(name)
            yield from _field_errors(inner, place)
    elif isinstance(detail, list):
        for inner in detail:
            yield from _field_errors(inner, at)
    else:
        # A refused value is quoted; half of a surrogate pair in it cannot be sent back.
        yield {"field": at, "detail": str(detail).encode(errors="replace").decode()}
