"""The actor behind an API token, and what the token may be used for.

Apart from api.py, which DRF loads these settings to import.
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from knox.auth import TokenAuthentication
from rest_framework import exceptions
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from organisations.access import Actor, act_as, actor_in, chosen_among, live_assignments
from organisations.models import ApiToken, User
from organisations.scopes import required_scope
from organisations.throttling import BAD_TOKENS, client_address

if TYPE_CHECKING:
    from rest_framework.views import APIView

# When a token was used is told to the minute, so that not every call writes a row.
LAST_USED_STEP = timedelta(minutes=1)


class ActorTokenAuthentication(TokenAuthentication):
    """Knox tokens; the request gets its actor as a session's does in the middleware.

    A user with several assignments names one by its id (``/api/v1/me/``) in the header
    ``X-Vardlots-Assignment``; one that is not the user's, or has ended, is refused rather than
    replaced, since a program does not see in which role it was let in.
    """

    def authenticate(self, request: Request) -> Any:
        address = client_address(request._request)
        wait = BAD_TOKENS.wait(address)
        if wait:
            raise exceptions.Throttled(wait)
        try:
            found = super().authenticate(request)
        except (exceptions.AuthenticationFailed, UnicodeDecodeError) as error:
            BAD_TOKENS.hit(address)
            raise exceptions.AuthenticationFailed(_("Nyckeln gäller inte.")) from error
        if found is not None:
            user, token = found
            now = timezone.now()
            within = [token.assignment_id] if token.assignment_id else None
            actor = _actor(user, request, within=within, now=now)
            request._request.actor = actor  # type: ignore[attr-defined]
            act_as(actor)
            ApiToken.objects.filter(
                Q(last_used_at__isnull=True) | Q(last_used_at__lt=now - LAST_USED_STEP),
                pk=token.pk,
            ).update(last_used_at=now)
        return found


def _actor(
    user: User, request: Request, *, within: list[int] | None, now: datetime
) -> Actor | None:
    live = live_assignments(user, now=now, within=within)
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


class MissingScope(exceptions.PermissionDenied):
    default_code = "insufficient_scope"


class HasScope(BasePermission):
    """A token may do what its scopes say. A person's session has no scopes: its role decides."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if not isinstance(request.auth, ApiToken):
            return True
        scope = required_scope(view, request.method or "")
        if scope is None:
            raise MissingScope(_("Adressen kan inte anropas med nyckel."))
        if scope and scope not in request.auth.scopes:
            raise MissingScope(_("Nyckeln saknar behörigheten %(scope)s.") % {"scope": scope})
        return True
