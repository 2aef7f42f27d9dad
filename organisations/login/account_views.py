"""The account page: log out everywhere, and API tokens."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from organisations.errors import InvalidInput
from organisations.login import oidc
from organisations.login.forms import TokenForm
from organisations.login.sessions import end_everywhere
from organisations.login.tokens import grants_for, issue_token, revoke_token, visible_tokens
from organisations.models import User
from organisations.pages import actor_of, roles_required


@never_cache
@roles_required()
def account_page(request: HttpRequest) -> HttpResponse:
    """The user's logins and keys; POST issues a key and shows it, this once."""
    actor, now = actor_of(request), timezone.now()
    grants = grants_for(actor, now=now)
    form = TokenForm(request.POST or None, grants=grants)
    secret = ""  # nosec B105 # a name or an empty text, no password
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            _token, secret = issue_token(
                form.grants[data["grant"]].assignment,
                name=data["name"],
                scopes=data["scopes"],
                days=data["days"],
                actor=actor,
                now=now,
            )
        except InvalidInput as error:
            for name, text in error.fields.items() or [(None, error.message)]:
                form.add_error(name, str(text))
        else:
            form = TokenForm(grants=grants)
    context = {
        "form": form,
        "grants": grants,
        "tokens": list(visible_tokens(actor).filter(expiry__gt=now)),
        "secret": secret and f"{settings.REST_KNOX['AUTH_HEADER_PREFIX']} {secret}",
    }
    return render(
        request, "organisations/account.html", context, status=422 if form.errors else 200
    )


@roles_required()
@require_POST
def token_revoke(request: HttpRequest, token_key: str) -> HttpResponse:
    actor = actor_of(request)
    token = get_object_or_404(visible_tokens(actor), token_key=token_key)
    revoke_token(token, actor=actor)
    messages.success(request, _("Nyckeln är återkallad."))
    return redirect("account")


@require_POST
def logout_everywhere(request: HttpRequest) -> HttpResponse:
    onward = None
    if isinstance(request.user, User):
        onward = oidc.end_of_session(request.session)
        end_everywhere(request.user)
        logout(request)
        messages.success(request, _("Du är utloggad överallt och dina nycklar är återkallade."))
    return redirect(onward or "login")
