"""How the installation does: for the operator, without a patient in sight."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from organisations.access import as_product
from organisations.administration import selectors, services
from organisations.models import EventDelivery, Role
from organisations.pages import actor_of, roles_required


@roles_required(Role.OPERATOR)
def operations_page(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    context = {
        "health": selectors.health(now=now),
        "regions_without": [
            region
            for region in selectors.regions_with_administrators(now=now)
            if not region.administrators  # type: ignore[attr-defined]
        ],
        "now": now,
    }
    return render(request, "organisations/operations.html", context)


@require_POST
@roles_required(Role.OPERATOR)
def delivery_retry(request: HttpRequest, pk: int) -> HttpResponse:
    with as_product("retry of a delivery"):
        delivery = get_object_or_404(EventDelivery, pk=pk)
    services.retry_delivery(delivery, actor=actor_of(request), now=timezone.now())
    messages.success(request, _("Händelsen försöks igen."))
    return redirect("operations")
