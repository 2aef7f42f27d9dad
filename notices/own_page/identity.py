"""Who the person at the own page is: the adapter to an e-identification.

An :class:`IdentityCheck` sends the browser away and gives an identity number when it comes back.
The one there is speaks OpenID Connect as the Swedish profile has it (oidc.se), which brokers of
BankID and Freja offer; the demonstration has a simulator of such a provider. BankID's own interface
wants a page that asks again and again, which a page without scripts does badly.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from organisations.login.openid import LoginRefused, RelyingParty
from patients.identity import IdentityNumber, InvalidIdentityNumber


class IdentityCheck(Protocol):
    def begin(self, request: HttpRequest) -> HttpResponse:
        """Send the browser away. Raises a :class:`DomainError` when that cannot be done."""
        ...

    def finish(self, request: HttpRequest) -> IdentityNumber:
        """Who came back. Raises :class:`LoginRefused`, code ``cancelled`` when the person gave up,
        and :class:`ProviderAway`."""
        ...


class OpenIdCheck:
    """By an OpenID provider that tells the identity number and at which level it was proved."""

    def __init__(self, provider: RelyingParty) -> None:
        self.provider = provider

    def begin(self, request: HttpRequest) -> HttpResponse:
        return self.provider.begin(request)

    def finish(self, request: HttpRequest) -> IdentityNumber:
        claims = self.provider.finish(request).claims
        if claims.get("acr") not in settings.IDENTITY_ASSURANCE:
            raise LoginRefused(_("Legitimeringen är inte tillräckligt säker."), code="assurance")
        try:
            return IdentityNumber.parse(_number(claims), today=timezone.localdate())
        except InvalidIdentityNumber as error:
            text = _("Legitimeringen gav inget personnummer.")
            raise LoginRefused(text, code="no_number") from error


def identity_check() -> IdentityCheck | None:
    """The adapter that the settings name; ``None`` when the page cannot identify anybody."""
    provider = RelyingParty(
        name="identity",
        issuer=settings.IDENTITY_ISSUER,
        client_id=settings.IDENTITY_CLIENT_ID,
        client_secret=settings.IDENTITY_CLIENT_SECRET,
        scopes=settings.IDENTITY_SCOPES,
        callback="own-page-identified",
        assurance=" ".join(settings.IDENTITY_ASSURANCE),
        lacks=lambda claims: not _number(claims),
        away=_("Tjänsten för legitimering svarar inte. Försök igen om en stund."),
    )
    return OpenIdCheck(provider) if provider.is_configured else None


def _number(claims: Mapping[str, Any]) -> str:
    """The personal identity number or the coordination number; nobody has both."""
    given = [claims.get(name) for name in settings.IDENTITY_CLAIMS]
    return next((value for value in given if isinstance(value, str)), "")
