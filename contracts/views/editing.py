"""Pages where the contract owner makes and changes contracts."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from contracts import services
from contracts.forms import (
    ChecklistForm,
    ContactForm,
    ContractForm,
    DocumentForm,
    LineForm,
    RegistryForm,
    initial_of,
)
from contracts.models import Contract
from contracts.selectors import contracts_of
from organisations.errors import NotAllowed
from organisations.models import Role
from organisations.pages import actor_of, roles_required
from organisations.plain_forms import attempt

owners_only = roles_required(Role.CONTRACT_OWNER)


def _own(request: HttpRequest, pk: int) -> Contract:
    """The contract, which the actor must be able to see and to change."""
    actor = actor_of(request)
    contract = get_object_or_404(contracts_of(actor), pk=pk)
    if not services.may_change(actor, contract):
        raise NotAllowed(_("Bara avtalsägaren i den region som äger avtalet kan ändra det."))
    return contract


def _page(
    request: HttpRequest,
    form: RegistryForm,
    *,
    title: str,
    back: str,
    save: Callable[[dict[str, Any]], Any],
    contract: Contract | None = None,
    **context: Any,
) -> HttpResponse:
    """Show the form, or save what it holds; a refusal is shown at its field with what was typed."""
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            done, refused = attempt(form, lambda: save(form.cleaned_data))
            if refused is None:
                messages.success(request, _("Sparat."))
                made = done if contract is None and isinstance(done, Contract) else contract
                return redirect("contract", pk=made.pk) if made else redirect(back)
            status = refused
    return render(
        request,
        "contracts/form.html",
        {"form": form, "title": title, "back": back, "contract": contract, **context},
        status=status,
    )


@owners_only
def contract_new(request: HttpRequest) -> HttpResponse:
    form = ContractForm(request.POST or None)
    del form.fields["why"]
    actor, now = actor_of(request), timezone.now()
    return _page(
        request,
        form,
        title=_("Nytt avtal"),
        back=reverse("contracts"),
        save=lambda values: services.create_contract(
            values, actor=actor, now=now, period_caps=form.period_caps()
        ),
    )


@owners_only
def contract_edit(request: HttpRequest, pk: int) -> HttpResponse:
    contract = _own(request, pk)
    form = ContractForm(request.POST or None, initial=initial_of(contract))
    actor, now = actor_of(request), timezone.now()
    return _page(
        request,
        form,
        title=_("Ändra avtalet"),
        back=reverse("contract", args=[pk]),
        contract=contract,
        save=lambda values: services.change_contract(
            contract,
            values,
            why=values["why"],
            actor=actor,
            now=now,
            seen_version=values["seen"],
            period_caps=form.period_caps(),
        ),
    )


@owners_only
def line_edit(request: HttpRequest, pk: int, line: int | None = None) -> HttpResponse:
    """A new line, or one that is changed."""
    contract = _own(request, pk)
    existing = get_object_or_404(contract.lines, pk=line) if line is not None else None
    initial = initial_of(existing) if existing else None
    form = LineForm(request.POST or None, initial=initial, contract=contract)
    actor, now = actor_of(request), timezone.now()
    return _page(
        request,
        form,
        title=_("Ändra avropsraden") if existing else _("Ny avropsrad"),
        back=reverse("contract", args=[pk]),
        contract=contract,
        save=lambda values: services.save_line(
            contract, existing, values, actor=actor, now=now, period_caps=form.period_caps()
        ),
    )


@owners_only
def contact_new(request: HttpRequest, pk: int) -> HttpResponse:
    contract = _own(request, pk)
    actor, now = actor_of(request), timezone.now()
    return _page(
        request,
        ContactForm(request.POST or None),
        title=_("Ny kontaktperson"),
        back=reverse("contract", args=[pk]),
        contract=contract,
        save=lambda values: services.add_contact(contract, values, actor=actor, now=now),
    )


@owners_only
@require_POST
def contact_remove(request: HttpRequest, pk: int, contact: int) -> HttpResponse:
    found = get_object_or_404(_own(request, pk).contacts.select_related("contract"), pk=contact)
    services.remove_contact(found, actor=actor_of(request), now=timezone.now())
    return redirect("contract", pk=pk)


@owners_only
def checklist_edit(request: HttpRequest, pk: int, item: int) -> HttpResponse:
    contract = _own(request, pk)
    found = get_object_or_404(contract.checklist.select_related("contract"), pk=item)
    actor, now = actor_of(request), timezone.now()
    initial = {"status": found.status, "answer": found.answer}
    return _page(
        request,
        ChecklistForm(request.POST or None, initial=initial),
        title=str(found.get_question_display()),
        back=reverse("contract", args=[pk]),
        contract=contract,
        save=lambda values: services.settle_question(found, **values, actor=actor, now=now),
    )


@owners_only
def document_new(request: HttpRequest, pk: int) -> HttpResponse:
    contract = _own(request, pk)
    form = DocumentForm(request.POST or None, request.FILES or None)
    actor, now = actor_of(request), timezone.now()

    def save(values: dict[str, Any]) -> Any:
        file = values["file"]
        return services.add_document(
            contract, name=file.name, content=file.read(), actor=actor, now=now
        )

    return _page(
        request,
        form,
        title=_("Nytt dokument"),
        back=reverse("contract", args=[pk]),
        contract=contract,
        save=save,
        has_file=True,
    )


@owners_only
@require_POST
def document_remove(request: HttpRequest, pk: int, document: int) -> HttpResponseBase:
    found = get_object_or_404(_own(request, pk).documents.select_related("contract"), pk=document)
    services.remove_document(found, actor=actor_of(request), now=timezone.now())
    return redirect("contract", pk=pk)
