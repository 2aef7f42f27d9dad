"""Staff log in at the region's identity provider for SITHS (organisations.login.openid)."""

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from organisations.login.claims import REQUIRED_ASSURANCE, lacks_any
from organisations.login.openid import RelyingParty, Verified

# Where the session holds the login's ID token.
ID_TOKEN = "login_id_token"  # noqa: S105  # nosec B105 # a name or an empty text, no password


def is_configured() -> bool:
    return _provider().is_configured


def begin(request: HttpRequest) -> HttpResponse:
    """Send the browser to the provider."""
    return _provider().begin(request)


def finish(request: HttpRequest) -> Verified:
    """The verified claims of the person who came back with a code."""
    return _provider().finish(request)


def end_of_session(session: SessionBase) -> str | None:
    """Where the browser ends the provider's own session; ``None`` when it did not begin there, and
    when the provider offers no such place: the session here ends anyway."""
    id_token = session.get(ID_TOKEN)
    if not (id_token and is_configured()):
        return None
    return _provider().logout_address(id_token, back=str(settings.BASE_URL) + reverse("login"))


def _provider() -> RelyingParty:
    return RelyingParty(
        name="siths",
        issuer=settings.OIDC_ISSUER,
        client_id=settings.OIDC_CLIENT_ID,
        client_secret=settings.OIDC_CLIENT_SECRET,
        scopes=settings.OIDC_SCOPES,
        callback="siths-callback",
        assurance=REQUIRED_ASSURANCE,
        lacks=lacks_any,
        away=_("Regionens identitetstjänst svarar inte. Försök igen om en stund."),
    )
