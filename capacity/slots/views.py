"""Lediga platser: the provider's page to post, change and withdraw, the navigator's to find."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from capacity.models import FreeCapacity
from capacity.slots.files import COLUMNS, REQUIRED, import_slots
from capacity.slots.filters import FIRST_ORDER, ORDERS, SlotFilter
from capacity.slots.forms import ChangeSlotForm, SlotFileForm, SlotForm
from capacity.slots.selectors import bookable, lines_for, open_slots, slots_of, units_of
from capacity.slots.services import change_slot, post_slot, withdraw_slot
from contracts.selectors import procedure_names
from organisations.errors import DomainError, InvalidInput
from organisations.models import Region, Role
from organisations.pages import actor_of, page_of, pager, roles_required, sorting_column
from organisations.plain_forms import PlainForm

FAULTS = 500


@roles_required(Role.NAVIGATOR, Role.PROVIDER)
def slots_page(request: HttpRequest) -> HttpResponse:
    """A provider's own places; for a navigator everybody's that can be booked."""
    if actor_of(request).role == Role.PROVIDER:
        return _own_page(request)
    today = timezone.localdate()
    filters = SlotFilter(
        request.GET, queryset=named(open_slots(today=today)).order_by(FIRST_ORDER, "pk")
    )
    valid = filters.form.is_valid()
    page = page_of(filters.qs if valid else filters.queryset, request)
    names = procedure_names(slot.kva for slot in page)
    region = get_object_or_404(Region, pk=actor_of(request).region)
    lines = lines_for(page, region=region, today=today)
    sort = request.GET.get("sort") or FIRST_ORDER
    context = {
        "rows": [(slot, names[slot.kva], lines.get(slot.pk)) for slot in page],
        "filters": filters.form,
        "filtered": any(request.GET.get(name) for name in filters.form.fields),
        "columns": [
            sorting_column(request, name, label, sort=sort, page="")
            for name, _column, label in ORDERS
            if name != "region"
        ],
    } | pager(page, request)
    return render(request, "capacity/slots.html", context, status=200 if valid else 422)


def _own_page(request: HttpRequest) -> HttpResponse:
    """What can be booked, or with ``?past=1`` what was withdrawn, is full or is over."""
    today, past = timezone.localdate(), request.GET.get("past") == "1"
    own = slots_of(actor_of(request))
    standing = own.filter(withdrawn_at__isnull=True, book_by__gte=today)
    shown = own.exclude(pk__in=standing) if past else standing
    page = page_of(shown.order_by("-last_day" if past else "first_day", "pk"), request)
    names = procedure_names(slot.kva for slot in page)
    context = {
        "rows": [(slot, names[slot.kva]) for slot in page],
        "past": past,
        "today": today,
        "left": sum(slot.left for slot in bookable(own, today=today)),
    } | pager(page, request)
    return render(request, "capacity/own_slots.html", context)


@roles_required(Role.PROVIDER)
def slot_new(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    units = units_of(actor).filter(is_active=True, receives=True)
    form = SlotForm(request.POST or None, units=units)

    def post() -> None:
        unit = form.cleaned_data["care_unit"]
        post_slot(form.values(), care_unit=unit, actor=actor, now=timezone.now())

    return _form_page(request, form, post, title=_("Nya lediga platser"), done=_("upplagda"))


@roles_required(Role.PROVIDER)
def slot_edit(request: HttpRequest, pk: int) -> HttpResponse:
    actor = actor_of(request)
    slot = get_object_or_404(slots_of(actor), pk=pk)
    form = ChangeSlotForm(request.POST or None, slot=slot)

    def change() -> None:
        change_slot(slot, form.values(), actor=actor, now=timezone.now())

    return _form_page(
        request, form, change, title=_("Ändra lediga platser"), done=_("ändrade"), slot=slot
    )


def _form_page(
    request: HttpRequest,
    form: PlainForm,
    do: Callable[[], None],
    *,
    title: str,
    done: str,
    slot: FreeCapacity | None = None,
) -> HttpResponse:
    """The form, or what it asks for and back to the list."""
    if form.is_bound and form.is_valid():
        try:
            do()
        except InvalidInput as error:
            form.add_refusal(error)
        except DomainError as error:
            form.add_error(None, str(error.message))
        else:
            messages.success(request, _("Platserna är %(done)s.") % {"done": done})
            return redirect("free-capacity")
    context = {"form": form, "title": title, "slot": slot}
    return render(request, "capacity/slot_form.html", context, status=422 if form.errors else 200)


@roles_required(Role.PROVIDER)
@require_POST
def slot_withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    actor = actor_of(request)
    slot = get_object_or_404(slots_of(actor), pk=pk)
    try:
        withdraw_slot(slot, actor=actor, now=timezone.now())
    except DomainError as error:
        messages.error(request, str(error.message))
    else:
        messages.success(request, _("Platserna är återtagna. De som redan är tagna gäller."))
    return redirect("free-capacity")


@roles_required(Role.PROVIDER)
def slots_import(request: HttpRequest) -> HttpResponse:
    """A file of places; its bad rows with number and reason, and then nothing is stored."""
    actor = actor_of(request)
    form = SlotFileForm(request.POST or None, request.FILES or None)
    context: dict[str, Any] = {"form": form, "columns": COLUMNS, "required": REQUIRED}
    if request.method == "POST" and form.is_valid():
        try:
            made = import_slots(form.cleaned_data["file"].read(), actor=actor, now=timezone.now())
        except InvalidInput as error:
            form.add_refusal(error)
        else:
            if not made.faults:
                text = _("Filen är inläst: %(posted)s nya rader, %(changed)s ändrade.")
                counts = {"posted": made.posted, "changed": made.changed}
                messages.success(request, text % counts)
                return redirect("free-capacity")
            context |= {"made": made, "faults": made.faults[:FAULTS]}
    status = 422 if form.errors or "made" in context else 200
    return render(request, "capacity/slots_import.html", context, status=status)


def named(slots: Any) -> Any:
    """With what the list is ordered by."""
    return slots.annotate(
        unit_name=F("care_unit__name"),
        region_name=F("care_unit__region__short_name"),
        n_left=F("offered") - F("taken"),
    )
