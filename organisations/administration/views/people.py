"""Pages of people and their assignments."""

from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from organisations.access import CHOSEN_ASSIGNMENT
from organisations.administration import selectors, services
from organisations.administration.authority import (
    assignments_ruled,
    invitations_ruled,
    people_ruled,
)
from organisations.administration.forms import (
    EndForm,
    GiveForm,
    InviteForm,
    PeopleFilter,
    PersonForm,
    ShutOffForm,
)
from organisations.administration.views.shared import try_service
from organisations.models import Role, User
from organisations.pages import actor_of, page_of, pager, query, roles_required

ADMINISTRATORS = (Role.REGION_ADMIN, Role.OPERATOR)


@roles_required(*ADMINISTRATORS)
def people_page(request: HttpRequest) -> HttpResponse:
    actor, now = actor_of(request), timezone.now()
    filters = PeopleFilter(request.GET)
    chosen = filters.cleaned_data if filters.is_valid() else {}
    found = selectors.people(
        actor,
        now=now,
        search=chosen.get("q", ""),
        role=chosen.get("role", ""),
        state=chosen.get("state", ""),
    )
    page = page_of(found, request)
    context = {
        "people": page,
        "filters": filters,
        "invitations": selectors.open_invitations(actor),
        "now": now,
    }
    return render(request, "organisations/people.html", context | pager(page, request))


@roles_required(*ADMINISTRATORS)
def invite_page(request: HttpRequest) -> HttpResponse:
    actor, now = actor_of(request), timezone.now()
    form = InviteForm(
        request.POST or None,
        actor=actor,
        hsa_id_required=not settings.DEMO,
        initial={"role": request.GET.get("role", "")},
    )
    if request.method == "POST":
        made = try_service(
            form,
            lambda: services.invite(
                name=form.cleaned_data["name"],
                email=form.cleaned_data["email"],
                hsa_id=form.cleaned_data["hsa_id"],
                role=form.cleaned_data["role"],
                place=form.place(),
                actor=actor,
                now=now,
            ),
        )
        if made:
            messages.success(request, _("Inbjudan skickas till %(email)s.") % {"email": made.email})
            return redirect("people")
    title = _("Bjud in en person")
    return _form_page(request, form, title=title, button=_("Bjud in"), crumb=_("Personer"))


@roles_required(*ADMINISTRATORS)
def person_page(request: HttpRequest, pk: int) -> HttpResponse:
    actor, now = actor_of(request), timezone.now()
    person = get_object_or_404(people_ruled(actor), pk=pk)
    assignments = list(selectors.assignments_of(person, actor=actor))
    context = {
        "person": person,
        "assignments": [(one, not one.ends_at or one.ends_at > now) for one in assignments],
        "history": selectors.history(actor, person=person)[: selectors.HISTORY_ROWS],
        "is_self": person.pk == actor.user_id,
    }
    return render(request, "organisations/person.html", context)


@roles_required(*ADMINISTRATORS)
def person_edit_page(request: HttpRequest, pk: int) -> HttpResponse:
    actor, now = actor_of(request), timezone.now()
    person = get_object_or_404(people_ruled(actor), pk=pk)
    form = PersonForm(request.POST) if request.method == "POST" else PersonForm.of(person)
    if request.method == "POST":
        made = try_service(
            form,
            lambda: services.change_person(person, **form.cleaned_data, actor=actor, now=now),
        )
        if made:
            messages.success(request, _("Uppgifterna är sparade."))
            return redirect("person", pk=pk)
    return _form_page(request, form, title=_("Ändra uppgifter"), button=_("Spara"), person=person)


@roles_required(*ADMINISTRATORS)
def give_page(request: HttpRequest, pk: int) -> HttpResponse:
    actor, now = actor_of(request), timezone.now()
    person = get_object_or_404(people_ruled(actor), pk=pk)
    form = GiveForm(request.POST or None, actor=actor)
    if request.method == "POST":
        made = try_service(
            form,
            lambda: services.give_assignment(
                person,
                role=form.cleaned_data["role"],
                place=form.place(),
                last_day=form.cleaned_data["last_day"],
                actor=actor,
                now=now,
            ),
        )
        if made:
            messages.success(request, _("Uppdraget är givet."))
            return redirect("person", pk=pk)
    title = _("Ge ett uppdrag till")
    return _form_page(request, form, title=title, button=_("Ge uppdraget"), person=person)


@roles_required(*ADMINISTRATORS)
def end_page(request: HttpRequest, pk: int) -> HttpResponse:
    actor, now = actor_of(request), timezone.now()
    assignment = get_object_or_404(assignments_ruled(actor).select_related("user"), pk=pk)
    person = assignment.user
    form = EndForm(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        made = try_service(
            form,
            lambda: services.end_assignment(
                assignment, last_day=form.cleaned_data["last_day"], actor=actor, now=now
            ),
        )
        if made:
            messages.success(request, _("Uppdraget slutar."))
            if person.pk == actor.user_id:
                return redirect("start")
            return redirect("person", pk=person.pk)
    title = _("Avsluta uppdraget %(role)s, %(place)s") % {
        "role": assignment.get_role_display().lower(),
        "place": assignment.place,
    }
    return _form_page(
        request, form, title=title, button=_("Avsluta uppdraget"), person=person, danger=True
    )


@roles_required(*ADMINISTRATORS)
def shut_off_page(request: HttpRequest, pk: int) -> HttpResponse:
    actor, now = actor_of(request), timezone.now()
    person = get_object_or_404(people_ruled(actor), pk=pk)
    form = ShutOffForm(request.POST or None)
    if request.method == "POST":
        made = try_service(
            form, lambda: services.shut_off(person, **form.cleaned_data, actor=actor, now=now)
        )
        if made:
            messages.success(request, _("Personen är avstängd och utloggad."))
            return redirect("person", pk=pk)
    title = _("Stäng av personen")
    return _form_page(request, form, title=title, button=_("Stäng av"), person=person, danger=True)


@require_POST
@roles_required(*ADMINISTRATORS)
def let_in(request: HttpRequest, pk: int) -> HttpResponse:
    actor = actor_of(request)
    person = get_object_or_404(people_ruled(actor), pk=pk)
    services.let_in(person, actor=actor, now=timezone.now())
    messages.success(request, _("Personen kan logga in igen."))
    return redirect("person", pk=pk)


@require_POST
@roles_required(*ADMINISTRATORS)
def invitation_again(request: HttpRequest, pk: int) -> HttpResponse:
    actor = actor_of(request)
    invitation = get_object_or_404(invitations_ruled(actor), pk=pk)
    services.invite_again(invitation, actor=actor, now=timezone.now())
    messages.success(request, _("Inbjudan skickas igen med en ny länk."))
    return redirect("people")


@require_POST
@roles_required(*ADMINISTRATORS)
def invitation_withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    actor = actor_of(request)
    invitation = get_object_or_404(invitations_ruled(actor), pk=pk)
    services.withdraw_invitation(invitation, actor=actor, now=timezone.now())
    messages.success(request, _("Inbjudan är återtagen."))
    return redirect("people")


@roles_required(*ADMINISTRATORS)
def history_page(request: HttpRequest) -> HttpResponse:
    before = request.GET.get("before", "")
    known = before.isascii() and before.isdigit() and len(before) < 19
    rows = list(
        selectors.history(actor_of(request), before=int(before) if known else None)[
            : selectors.HISTORY_ROWS + 1
        ]
    )
    more = len(rows) > selectors.HISTORY_ROWS
    rows = rows[: selectors.HISTORY_ROWS]
    context = {
        "history": rows,
        "next_query": query(request, before=rows[-1].pk) if more else "",
        "first_query": "?" if before else "",
    }
    return render(request, "organisations/history.html", context)


@require_POST
@roles_required()
def choose(request: HttpRequest) -> HttpResponse:
    """Work in another of the user's assignments from now on; kept in the session."""
    wanted = request.POST.get("assignment", "")
    known = wanted.isascii() and wanted.isdigit() and len(wanted) < 19
    chosen = services.choose_assignment(
        cast("User", request.user), assignment_id=int(wanted) if known else 0, now=timezone.now()
    )
    request.session[CHOSEN_ASSIGNMENT] = chosen.pk
    return redirect("start")


def _form_page(request: HttpRequest, form: Any, **context: Any) -> HttpResponse:
    """One form alone on its page; a refused one is answered 422."""
    refused = request.method == "POST"
    return render(
        request,
        "organisations/form.html",
        {"form": form} | context,
        status=422 if refused else 200,
    )
