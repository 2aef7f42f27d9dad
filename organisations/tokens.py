"""The actor behind an API token. Apart from api.py, which DRF loads these settings to import."""

from typing import TYPE_CHECKING, Any

from django.utils import timezone
from django.utils.translation import gettext as _
from knox.auth import TokenAuthentication
from rest_framework import exceptions
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from organisations.access import Actor, act_as, actor_in, chosen_among, live_assignments
from organisations.models import User

if TYPE_CHECKING:
    from rest_framework.views import APIView


class ActorTokenAuthentication(TokenAuthentication):
    """Knox tokens; the request gets its actor as a session's does in the middleware.

    A user with several assignments names one by its id (``/api/v1/me/``) in the header
    ``X-Vardlots-Assignment``; one that is not the user's, or has ended, is refused rather than
    replaced, since a program does not see in which role it was let in.
    """

    def authenticate(self, request: Request) -> Any:
        try:
            found = super().authenticate(request)
        except UnicodeDecodeError as error:  # knox reads the token as UTF-8
            raise exceptions.AuthenticationFailed(_("Biljetten gäller inte.")) from error
        if found is not None:
            actor = _actor(found[0], request)
            request._request.actor = actor  # type: ignore[attr-defined]
            act_as(actor)
        return found


def _actor(user: User, request: Request) -> Actor | None:
    live = live_assignments(user, now=timezone.now())
    wanted = request.headers.get("X-Vardlots-Assignment", "").strip()
    if wanted and wanted not in {str(one.pk) for one in live}:
        raise PermissionDenied(_("Uppdraget i X-Vardlots-Assignment gäller inte."))
    current = chosen_among(live, int(wanted) if wanted else None)
    request._request.assignments = live  # type: ignore[attr-defined]
    return actor_in(user, current) if current else None


class HasActor(BasePermission):
    """The user has a live assignment; which of its data it sees is decided by selectors."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return isinstance(getattr(request._request, "actor", None), Actor)
