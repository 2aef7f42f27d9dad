"""The actor behind an API token. Apart from api.py, which DRF loads these settings to import."""

from typing import TYPE_CHECKING, Any

from django.utils import timezone
from django.utils.translation import gettext as _
from knox.auth import TokenAuthentication
from rest_framework import exceptions
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from organisations.access import Actor, act_as, actor_for

if TYPE_CHECKING:
    from rest_framework.views import APIView


class ActorTokenAuthentication(TokenAuthentication):
    """Knox tokens; the request gets its actor as a session's does in the middleware."""

    def authenticate(self, request: Request) -> Any:
        try:
            found = super().authenticate(request)
        except UnicodeDecodeError as error:  # knox reads the token as UTF-8
            raise exceptions.AuthenticationFailed(_("Biljetten gäller inte.")) from error
        if found is not None:
            actor = actor_for(found[0], now=timezone.now())
            request._request.actor = actor  # type: ignore[attr-defined]
            act_as(actor)
        return found


class HasActor(BasePermission):
    """The user has a live assignment; which of its data it sees is decided by selectors."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return isinstance(getattr(request._request, "actor", None), Actor)
