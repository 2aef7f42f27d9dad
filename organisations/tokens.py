"""The actor behind an API token, and what the token may be used for.

Apart from api.py, which DRF loads these settings to import.
"""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from knox.auth import TokenAuthentication
from rest_framework import exceptions
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from organisations.access import Actor, act_as, actor_for
from organisations.models import ApiToken
from organisations.scopes import required_scope
from organisations.throttling import BAD_TOKENS, client_address

if TYPE_CHECKING:
    from rest_framework.views import APIView

# When a token was used is told to the minute, so that not every call writes a row.
LAST_USED_STEP = timedelta(minutes=1)


class ActorTokenAuthentication(TokenAuthentication):
    """Knox tokens; the request gets its actor as a session's does in the middleware."""

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
            actor = actor_for(user, now=now, within=within)
            request._request.actor = actor  # type: ignore[attr-defined]
            act_as(actor)
            ApiToken.objects.filter(
                Q(last_used_at__isnull=True) | Q(last_used_at__lt=now - LAST_USED_STEP),
                pk=token.pk,
            ).update(last_used_at=now)
        return found


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
