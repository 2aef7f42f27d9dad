"""Login and logout, and what the page's script asks about its session."""

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import authenticate, login
from django.contrib.auth.views import LogoutView
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST

from organisations.errors import DomainError
from organisations.login import kept, oidc, siths
from organisations.login.claims import read_claims
from organisations.login.forms import LoginForm
from organisations.login.lockout import attempt
from organisations.login.sessions import LOGIN_ASSIGNMENTS, SessionClock, touch
from organisations.models import User
from organisations.pages import actor_of, roles_required
from organisations.throttling import LOGIN_PAGES, client_address, limited_by_address, too_many

SITHS_BACKEND = "organisations.login.backends.SithsBackend"
NEXT = "login_next"


@never_cache
@sensitive_post_parameters("password")
@transaction.non_atomic_requests
@limited_by_address(LOGIN_PAGES)
def login_page(request: HttpRequest) -> HttpResponseBase:
    """Where one logs in with SITHS; in a demonstration installation with a password too."""
    if not settings.DEMO and request.method not in {"GET", "HEAD"}:
        return HttpResponseNotAllowed(["GET", "HEAD"])
    if request.user.is_authenticated:
        return redirect(_next(request))
    return _password_page(request) if settings.DEMO else _login_page(request)


def _password_page(request: HttpRequest) -> HttpResponse:
    """The password form, which exists in a demonstration installation only (design 4)."""
    if request.method != "POST":
        return _login_page(request, form=LoginForm())
    form = LoginForm(request.POST)
    if not form.is_valid():
        return _login_page(request, form=form)
    name = form.cleaned_data["username"]
    tried = attempt(login=name, address=client_address(request), now=timezone.now())
    if tried.wait_seconds:
        return too_many(request, seconds=tried.wait_seconds)
    user = authenticate(request, username=name, password=form.cleaned_data["password"])
    if user is None:
        form.add_error(None, _("Användarnamnet eller lösenordet stämmer inte."))
        return _login_page(request, form=form)
    tried.succeeded()
    login(request, user)
    return redirect(_next(request))


class Logout(LogoutView):
    """Ends the session here, and the identity provider's own: the next person logs in anew."""

    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        onward = oidc.end_of_session(request.session)
        answer = super().post(request, *args, **kwargs)
        return redirect(onward) if onward else answer


@never_cache
@require_GET
@limited_by_address(LOGIN_PAGES)
def siths_start(request: HttpRequest) -> HttpResponseBase:
    """Off to the region's identity provider."""
    try:
        answer = oidc.begin(request)
    except DomainError as error:
        return _refused(request, error)
    request.session[NEXT] = _next(request)
    return answer


@never_cache
@require_GET
@transaction.non_atomic_requests
@limited_by_address(LOGIN_PAGES)
def siths_callback(request: HttpRequest) -> HttpResponseBase:
    """Back from the identity provider, with a code or a refusal."""
    now = timezone.now()
    tried = attempt(login="", address=client_address(request), now=now)
    if tried.wait_seconds:
        return too_many(request, seconds=tried.wait_seconds)
    try:
        verified = oidc.finish(request)
        done = siths.log_in(read_claims(verified.claims), now=now)
    except DomainError as error:
        if error.code != "not_verified":
            tried.was_no_guess()
        return _refused(request, error)
    tried.was_no_guess()
    goal = request.session.pop(NEXT, None) or reverse("start")
    login(request, done.user, backend=SITHS_BACKEND)
    request.session[LOGIN_ASSIGNMENTS] = list(done.assignments)
    request.session[oidc.ID_TOKEN] = verified.id_token
    return redirect(goal)


@never_cache
@require_GET
def session_status(request: HttpRequest) -> JsonResponse:
    """Seconds left of the session; asking prolongs nothing."""
    return JsonResponse({"seconds_left": _seconds_left(request)})


@never_cache
@require_POST
def session_keep(request: HttpRequest) -> JsonResponse:
    """The person is here: prolong the session, and keep the fields of the form to ``action``."""
    if not request.user.is_authenticated:
        return JsonResponse({"seconds_left": 0}, status=401)
    now = timezone.now()
    touch(request.session, now=now)
    action = request.POST.get("action", "")
    actor = getattr(request, "actor", None)
    was_kept = False
    if action and actor is not None:
        was_kept = kept.keep(actor, action=action, fields=request.POST.dict(), now=now)
    return JsonResponse({"seconds_left": _seconds_left(request), "kept": was_kept})


@never_cache
@roles_required()
@require_GET
def session_kept(request: HttpRequest) -> JsonResponse:
    """What was kept of the forms that go to the addresses in ``action``."""
    actions = request.GET.getlist("action")
    found = kept.kept_for(actor_of(request), actions=actions, now=timezone.now())
    return JsonResponse({"forms": found})


@roles_required()
@require_POST
def session_forget(request: HttpRequest) -> JsonResponse:
    kept.forget(actor_of(request), action=request.POST.get("action", ""))
    return JsonResponse({})


def _seconds_left(request: HttpRequest) -> int:
    clock = SessionClock.of(request.session)
    if clock is None or not isinstance(request.user, User):
        return 0
    return clock.seconds_left(timezone.now())


def _login_page(request: HttpRequest, *, form: LoginForm | None = None) -> HttpResponse:
    goal = _next(request, default="")
    context: dict[str, Any] = {"form": form, "next": goal, "ended": "ended" in request.GET}
    if oidc.is_configured():
        query = f"?{urlencode({'next': goal})}" if goal else ""
        context["siths_url"] = reverse("siths-start") + query
    return render(request, "organisations/login.html", context)


def _next(request: HttpRequest, *, default: str | None = None) -> str:
    """Where to go after login: an address of ours, or the start page."""
    goal = request.POST.get("next") or request.GET.get("next") or ""
    if goal and url_has_allowed_host_and_scheme(
        goal, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        return goal
    return reverse(settings.LOGIN_REDIRECT_URL) if default is None else default


def _refused(request: HttpRequest, error: DomainError) -> HttpResponse:
    response = render(
        request, "organisations/login_refused.html", {"error": error}, status=error.status
    )
    if error.status == 503:
        response["Retry-After"] = "60"
    return response
