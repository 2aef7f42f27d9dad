"""What the pages of administration share: filters in the address, pages of rows, refusals."""

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest

from organisations.errors import InvalidInput
from organisations.plain_forms import PlainForm

ROWS = 50

Made = TypeVar("Made")


def try_service(form: PlainForm, service: Callable[[], Made]) -> Made | None:
    """What the service made; ``None`` when the form or the service refused, said at the field."""
    if not form.is_valid():
        return None
    try:
        return service()
    except InvalidInput as error:
        form.add_refusal(error)
        return None


def page_of(rows: QuerySet[Any], request: HttpRequest) -> Page[Any]:
    return Paginator(rows, ROWS).get_page(request.GET.get("page"))


def query(request: HttpRequest, **changes: Any) -> str:
    """The page's query string with some values changed; empty ones are left out."""
    values = {key: value for key, value in request.GET.items() if value} | changes
    return "?" + urlencode({key: value for key, value in values.items() if value})


def pager(page: Page[Any], request: HttpRequest) -> dict[str, str]:
    return {
        "previous_query": query(request, page=page.number - 1) if page.has_previous() else "",
        "next_query": query(request, page=page.number + 1) if page.has_next() else "",
    }
