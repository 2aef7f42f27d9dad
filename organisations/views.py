"""The start page that leads each role to its work."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from organisations.models import Role
from organisations.pages import actor_of, roles_required

HOME_PAGES = {
    Role.CLINIC: "worklist",
    Role.NAVIGATOR: "worklist",
    Role.PROVIDER: "worklist",
    Role.CONTRACT_OWNER: "contracts",
    Role.MANAGER: "statistics",
    Role.REGION_ADMIN: "people",
    Role.OPERATOR: "operations",
}


@roles_required()
def start(request: HttpRequest) -> HttpResponse:
    """Each role begins where its work is."""
    page = HOME_PAGES.get(Role(actor_of(request).role))
    if page:
        return redirect(page)
    return render(request, "organisations/welcome.html")


def no_assignment(request: HttpRequest) -> HttpResponse:
    return render(request, "organisations/no_assignment.html", status=403)
