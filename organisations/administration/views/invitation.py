"""The page that an invitation's link leads to. Open to anyone who has the link; no patient data."""

from django.conf import settings
from django.contrib.auth import get_user_model, login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from organisations.access import CHOSEN_ASSIGNMENT
from organisations.administration import services
from organisations.administration.forms import AcceptForm
from organisations.administration.views.shared import try_service
from organisations.login.sessions import LOGIN_ASSIGNMENTS
from organisations.models import Assignment, Invitation, User


@never_cache
@sensitive_post_parameters("password", "again")
def invitation_page(request: HttpRequest, token: str) -> HttpResponse:
    """Take up the assignment: logged in, or in a demonstration with a new name and password."""
    now = timezone.now()
    found = Invitation.objects.with_token(token).select_related(
        "region", "care_unit", "provider", "invited_by"
    )
    invitation = found.first()
    if invitation is None or not Invitation.objects.open(now=now).filter(pk=invitation.pk).exists():
        return render(request, "organisations/invitation_closed.html", status=404)
    user = request.user if isinstance(request.user, User) else None
    form = AcceptForm(
        request.POST if request.method == "POST" and user is None else None,
        initial={"login": invitation.email[:60]},
    )
    if request.method == "POST":
        made = None
        if user is not None:
            made = services.accept_invitation(invitation, user=user, now=now)
        elif settings.DEMO:
            made = try_service(
                form,
                lambda: services.accept_as_new(
                    invitation,
                    login=form.cleaned_data["login"],
                    password=form.cleaned_data["password"],
                    now=now,
                ),
            )
        if made is not None:
            return _begin(request, made, logged_in=user is not None)
    context = {
        "invitation": invitation,
        "form": form,
        "visitor": user,
        "here": request.path,
    }
    refused = request.method == "POST"
    return render(request, "organisations/invitation.html", context, status=422 if refused else 200)


def _begin(request: HttpRequest, assignment: Assignment, *, logged_in: bool) -> HttpResponse:
    """Into the new assignment at once."""
    if not logged_in:
        user = get_user_model().objects.get(pk=assignment.user_id)
        login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    request.session[CHOSEN_ASSIGNMENT] = assignment.pk
    if LOGIN_ASSIGNMENTS in request.session:
        request.session[LOGIN_ASSIGNMENTS] = [*request.session[LOGIN_ASSIGNMENTS], assignment.pk]
    return redirect("start")
