"""Vårdlots as the client of an OpenID provider: code flow with PKCE, by Authlib.

Authlib makes and checks state, nonce and the code challenge, fetches the provider's metadata and
keys, and verifies the ID token's signature and times. Which issuer, audience and algorithms hold is
said here, for staff and for patients alike.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.django_client import DjangoOAuth2App, OAuth
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from joserfc.errors import JoseError

from organisations.errors import DomainError

TIMEOUT_SECONDS = 10
# Only signatures that the provider alone can make.
ALGORITHMS = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384"})
LEEWAY_SECONDS = 30


class LoginRefused(DomainError):
    """The login holds as such, but gives no way in; the text says what to do."""

    status = 403
    code = "login_refused"


class ProviderAway(DomainError):
    """The identity provider does not answer, or not as one."""

    status = 503
    code = "provider_away"


@dataclass(frozen=True)
class Verified:
    """What the provider has said of a person, and the ID token that it said it in."""

    claims: dict[str, Any]
    id_token: str


class _Session(DjangoOAuth2App.client_cls):
    """Asks the addresses that the settings and the provider's metadata name, and no others."""

    def request(self, method: str, url: str, **options: Any) -> Any:
        return super().request(method, url, **options | {"allow_redirects": False})


class _Provider(DjangoOAuth2App):
    client_cls = _Session


@dataclass(frozen=True, kw_only=True)
class RelyingParty:
    """One provider and what is asked of it.

    ``callback`` names the route that it sends the browser back to, ``assurance`` the levels of
    assurance to ask for. ``lacks`` says of the ID token's claims whether it is worth asking the
    provider for more.
    """

    name: str
    issuer: str
    client_id: str
    client_secret: str
    scopes: str
    callback: str
    assurance: str
    lacks: Callable[[dict[str, Any]], bool]
    away: Any

    @property
    def is_configured(self) -> bool:
        return bool(self.issuer and self.client_id)

    def begin(self, request: HttpRequest) -> HttpResponse:
        """Send the browser to the provider. Raises :class:`ProviderAway`."""
        try:
            back = str(settings.BASE_URL) + reverse(self.callback)
            return self._client().authorize_redirect(request, back, acr_values=self.assurance)
        except (requests.RequestException, AuthlibBaseError, ValueError, KeyError) as error:
            raise ProviderAway(self.away) from error

    def finish(self, request: HttpRequest) -> Verified:
        """The verified claims of the person who came back with a code.

        Raises :class:`LoginRefused` when the person cancelled or anything does not hold, and
        :class:`ProviderAway` when the provider does not answer.
        """
        if request.GET.get("error") == "access_denied":
            raise LoginRefused(_("Inloggningen avbröts."), code="cancelled")
        not_verified = LoginRefused(
            _("Inloggningen kunde inte bekräftas. Försök igen från början."), code="not_verified"
        )
        try:
            token, claims = self._token(request)
        except requests.RequestException as error:
            raise ProviderAway(self.away) from error
        except (AuthlibBaseError, JoseError, ValueError, KeyError, TypeError) as error:
            raise not_verified from error
        if not claims:
            raise not_verified
        return Verified(claims, str(token.get("id_token", "")))

    def logout_address(self, id_token: str, *, back: str) -> str | None:
        """Where the browser ends the provider's own session (OpenID Connect RP-Initiated Logout
        1.0); ``None`` when the provider offers no such address or does not answer."""
        try:
            client = self._client()
            if not client.server_metadata.get("end_session_endpoint"):
                return None
            told = client.create_logout_url(
                id_token_hint=id_token, client_id=self.client_id, post_logout_redirect_uri=back
            )
        except (requests.RequestException, AuthlibBaseError, ValueError, KeyError):
            return None
        return str(told["url"])

    def _token(self, request: HttpRequest) -> tuple[dict[str, Any], dict[str, Any]]:
        client = self._client()
        token = client.authorize_access_token(
            request,
            claims_options={
                "iss": {"essential": True, "value": self.issuer},
                "aud": {"essential": True, "value": self.client_id},
            },
            leeway=LEEWAY_SECONDS,
        )
        claims = dict(token.get("userinfo") or {})
        if claims and self.lacks(claims) and client.server_metadata.get("userinfo_endpoint"):
            claims = _with_userinfo(claims, dict(client.userinfo(token=token)))
        return token, claims

    def _client(self) -> Any:
        """The client, with the provider's metadata."""
        client = client_for(self.name, self.issuer, self.client_id, self.client_secret, self.scopes)
        _load_metadata(client, issuer=self.issuer)
        return client


@lru_cache(maxsize=8)
def client_for(name: str, issuer: str, client_id: str, secret: str, scopes: str) -> Any:
    return OAuth().register(
        name,
        client_cls=_Provider,
        client_id=client_id,
        client_secret=secret or None,
        server_metadata_url=f"{issuer.rstrip('/')}/.well-known/openid-configuration",
        client_kwargs={
            "scope": scopes,
            "code_challenge_method": "S256",
            "token_endpoint_auth_method": "client_secret_basic" if secret else "none",
            "default_timeout": TIMEOUT_SECONDS,
        },
    )


def _with_userinfo(claims: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """More claims about the same person. What is signed counts before what is not."""
    if more.get("sub") != claims["sub"]:
        raise ValueError("the userinfo is of another person")
    more.pop("acr", None)
    return more | claims


def _load_metadata(client: Any, *, issuer: str) -> None:
    """Fetch the provider's metadata once; it may not widen what signatures count.

    Raises :class:`ValueError` when it names no place to log in, or one less safe than the issuer's
    own address; it is then fetched anew the next time.
    """
    metadata = client.load_server_metadata()
    scheme = urlsplit(issuer).scheme
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        if urlsplit(str(metadata.get(name, ""))).scheme not in {"https", scheme}:
            metadata.pop("_loaded_at", None)
            raise ValueError(f"the provider's metadata has no usable {name}")
    listed = metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
    metadata["id_token_signing_alg_values_supported"] = [
        name for name in listed if name in ALGORITHMS
    ]
