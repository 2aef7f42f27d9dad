"""OpenID Connect with the region's identity provider: code flow with PKCE, by Authlib.

Authlib makes and checks state, nonce and the code challenge, fetches the provider's metadata and
keys, and verifies the ID token's signature and times. Which issuer, audience and algorithms hold is
said here.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.django_client import DjangoOAuth2App, OAuth
from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from joserfc.errors import JoseError

from organisations.errors import DomainError
from organisations.login.claims import REQUIRED_ASSURANCE, LoginRefused, lacks_any

TIMEOUT_SECONDS = 10
# Where the session holds the login's ID token.
ID_TOKEN = "login_id_token"  # noqa: S105  # nosec B105 # a name or an empty text, no password
# Only signatures that the provider alone can make.
ALGORITHMS = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384"})
LEEWAY_SECONDS = 30


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


def is_configured() -> bool:
    return bool(settings.OIDC_ISSUER and settings.OIDC_CLIENT_ID)


def begin(request: HttpRequest) -> HttpResponse:
    """Send the browser to the provider."""
    client = _client()
    try:
        _load_metadata(client)
        return client.authorize_redirect(
            request, _callback_address(), acr_values=REQUIRED_ASSURANCE
        )
    except (requests.RequestException, AuthlibBaseError, ValueError, KeyError) as error:
        raise ProviderAway(_away()) from error


def finish(request: HttpRequest) -> Verified:
    """The verified claims of the person who came back with a code.

    Raises :class:`LoginRefused` when the person cancelled or anything does not hold, and
    :class:`ProviderAway` when the provider does not answer.
    """
    error = request.GET.get("error")
    if error == "access_denied":
        raise LoginRefused(_("Inloggningen avbröts."), code="cancelled")
    client = _client()
    try:
        _load_metadata(client)
        token = client.authorize_access_token(
            request,
            claims_options={
                "iss": {"essential": True, "value": settings.OIDC_ISSUER},
                "aud": {"essential": True, "value": settings.OIDC_CLIENT_ID},
            },
            leeway=LEEWAY_SECONDS,
        )
        claims = dict(token.get("userinfo") or {})
        if claims and lacks_any(claims) and client.server_metadata.get("userinfo_endpoint"):
            claims = _with_userinfo(claims, dict(client.userinfo(token=token)))
    except requests.RequestException as error:
        raise ProviderAway(_away()) from error
    except (AuthlibBaseError, JoseError, ValueError, KeyError, TypeError) as error:
        raise LoginRefused(
            _("Inloggningen kunde inte bekräftas. Försök igen från början."),
            code="not_verified",
        ) from error
    if not claims:
        raise LoginRefused(
            _("Inloggningen kunde inte bekräftas. Försök igen från början."), code="not_verified"
        )
    return Verified(claims, str(token.get("id_token", "")))


def end_of_session(session: SessionBase) -> str | None:
    """Where the browser ends the provider's own session (OpenID Connect RP-Initiated Logout 1.0).

    None when it did not begin there, and when the provider offers no such address or does not
    answer: the session here ends anyway.
    """
    id_token = session.get(ID_TOKEN)
    if not (id_token and is_configured()):
        return None
    client = _client()
    try:
        _load_metadata(client)
        if not client.server_metadata.get("end_session_endpoint"):
            return None
        told = client.create_logout_url(
            id_token_hint=id_token,
            client_id=settings.OIDC_CLIENT_ID,
            post_logout_redirect_uri=str(settings.BASE_URL) + reverse("login"),
        )
    except (requests.RequestException, AuthlibBaseError, ValueError, KeyError):
        return None
    return str(told["url"])


def _with_userinfo(claims: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """More claims about the same person. What is signed counts before what is not."""
    if more.get("sub") != claims["sub"]:
        raise ValueError("the userinfo is of another person")
    more.pop("acr", None)
    return more | claims


def _callback_address() -> str:
    return str(settings.BASE_URL) + reverse("siths-callback")


def _away() -> str:
    return _("Regionens identitetstjänst svarar inte. Försök igen om en stund.")


def _client() -> Any:
    return _client_for(settings.OIDC_ISSUER, settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET)


@lru_cache(maxsize=4)
def _client_for(issuer: str, client_id: str, secret: str) -> Any:
    return OAuth().register(
        "siths",
        client_cls=_Provider,
        client_id=client_id,
        client_secret=secret or None,
        server_metadata_url=f"{issuer.rstrip('/')}/.well-known/openid-configuration",
        client_kwargs={
            "scope": settings.OIDC_SCOPES,
            "code_challenge_method": "S256",
            "token_endpoint_auth_method": "client_secret_basic" if secret else "none",
            "default_timeout": TIMEOUT_SECONDS,
        },
    )


def _load_metadata(client: Any) -> None:
    """Fetch the provider's metadata once; it may not widen what signatures count.

    Raises :class:`ValueError` when it names no place to log in, or one less safe than the issuer's
    own address; it is then fetched anew the next time.
    """
    metadata = client.load_server_metadata()
    scheme = urlsplit(str(settings.OIDC_ISSUER)).scheme
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        if urlsplit(str(metadata.get(name, ""))).scheme not in {"https", scheme}:
            metadata.pop("_loaded_at", None)
            raise ValueError(f"the provider's metadata has no usable {name}")
    listed = metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
    metadata["id_token_signing_alg_values_supported"] = [
        name for name in listed if name in ALGORITHMS
    ]
