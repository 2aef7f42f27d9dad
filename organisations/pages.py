"""What views of all apps share: the actor of a request, who may come in, lists in the address."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect

from organisations.access import Actor

View = Callable[..., HttpResponseBase]
ROWS = 50
FILE_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def actor_of(request: HttpRequest) -> Actor:
    """The actor whom ``roles_required`` let in."""
    actor = getattr(request, "actor", None)
    if not isinstance(actor, Actor):
        raise PermissionDenied
    return actor


def roles_required(*roles: str) -> Callable[[View], View]:
    """Let in users with a live assignment in one of the roles; any role when none is named."""

    def decorate(view: View) -> View:
        @login_required
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            actor = getattr(request, "actor", None)
            if actor is None:
                return redirect("no-assignment")
            if roles and actor.role not in roles:
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def attachment(content: bytes, name: str) -> HttpResponse:
    """A file to keep, of the type that its name ends with."""
    response = HttpResponse(content, content_type=FILE_TYPES[name.rpartition(".")[2]])
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def query(request: HttpRequest, **changes: Any) -> str:
    """The page's query string with some values changed; empty ones are left out."""
    values = {key: value for key, value in request.GET.items() if value} | changes
    return "?" + urlencode({key: value for key, value in values.items() if value})


def page_of(rows: QuerySet[Any] | Sequence[Any], request: HttpRequest) -> Page[Any]:
    return Paginator(rows, ROWS).get_page(request.GET.get("page"))


def pager(page: Page[Any], request: HttpRequest) -> dict[str, str]:
    """What ``components/pager.html`` needs."""
    return {
        "previous_query": query(request, page=page.number - 1) if page.has_previous() else "",
        "next_query": query(request, page=page.number + 1) if page.has_next() else "",
    }


def sorting_column(
    request: HttpRequest, name: str, label: Any, *, sort: str, **cleared: str
) -> dict[str, Any]:
    """A heading: its link sorts by the column, and once more turns the order round.

    ``name`` is the order that the column begins with, ``-received`` for the latest first; without
    one there is no link. ``cleared`` names what of the address stands for a place in the list.
    """
    if not name:
        return {"label": label}
    direction = ""
    if sort.lstrip("-") == name.lstrip("-"):
        direction = "descending" if sort.startswith("-") else "ascending"
    turned = sort.lstrip("-") if sort.startswith("-") else f"-{sort}"
    order = turned if direction else name
    return {"label": label, "direction": direction, "query": query(request, sort=order, **cleared)}
