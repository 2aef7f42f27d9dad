"""What was typed in a form and not sent: kept on the server, given back to the same user.

Nothing of it lies in the browser's storage. The page's script sends it in while the person types;
a form that is sent after its session ended is kept in the same way. Sending the form in forgets it.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.urls import resolve

from organisations.access import Actor, acting_as, as_product
from organisations.models import KeptText

KEPT_FOR = timedelta(hours=24)
MAX_FIELDS = 60
MAX_FIELD_LENGTH = 20_000
MAX_FORMS = 20
NOT_KEPT = frozenset({"csrfmiddlewaretoken", "password", "username", "action"})
SWEEP_LIMIT = 1000


def keep(actor: Actor, *, action: str, fields: Mapping[str, str], now: datetime) -> bool:
    """Keep the fields of the form that goes to ``action``; nothing typed forgets what was kept."""
    if actor.user_id is None or not is_own_address(action):
        return False
    typed = _worth_keeping(fields)
    if not any(value.strip() for value in typed.values()):
        forget(actor, action=action)
        return False
    with as_product("keeps what was typed"), transaction.atomic():
        KeptText.objects.update_or_create(
            user_id=actor.user_id,
            worked_as=_worked_as(actor),
            action=action,
            defaults={"fields": typed, "saved_at": now},
        )
    return True


def kept_for(actor: Actor, *, actions: Iterable[str], now: datetime) -> dict[str, dict[str, str]]:
    """The kept fields of the forms that go to ``actions``, by action."""
    rows = KeptText.objects.filter(
        user_id=actor.user_id or 0,
        worked_as=_worked_as(actor),
        action__in=list(actions)[:MAX_FORMS],
        saved_at__gt=now - KEPT_FOR,
    )
    with acting_as(actor), transaction.atomic():
        return {row.action: row.fields for row in rows}


def forget(actor: Actor, *, action: str) -> None:
    with as_product("forgets what was sent"), transaction.atomic():
        KeptText.objects.filter(
            user_id=actor.user_id or 0, worked_as=_worked_as(actor), action=action[:300]
        ).delete()


def may_keep(request: HttpRequest) -> bool:
    """Whether a form sent too late came from our own page: the CSRF check of any other form."""
    check = CsrfViewMiddleware(_nothing)
    check.process_request(request)
    return check.process_view(request, _nothing, (), {}) is None


def is_own_address(path: str) -> bool:
    """Whether the path is a page of ours that a form can go to."""
    parts = urlsplit(path)
    if parts.netloc or parts.query or len(path) > 300 or "\x00" in path:
        return False
    try:
        found = resolve(parts.path)
    except Http404:
        return False
    return not parts.path.startswith("/api/") and found.url_name not in {"login", "logout"}


def sweep_kept_texts(*, now: datetime) -> int:
    """Delete what nobody came back for."""
    old = KeptText.objects.filter(saved_at__lte=now - KEPT_FOR).values("pk")[:SWEEP_LIMIT]
    deleted, _rows = KeptText.objects.filter(pk__in=old).delete()
    return deleted


def _nothing(request: HttpRequest) -> HttpResponse:
    """Stands in for the view that the form was sent to."""
    return HttpResponse()


def _worth_keeping(fields: Mapping[str, str]) -> dict[str, str]:
    names = [name for name in fields if name not in NOT_KEPT and len(name) <= 60][:MAX_FIELDS]
    return {
        name.replace("\x00", ""): str(fields[name]).replace("\x00", "")[:MAX_FIELD_LENGTH]
        for name in names
    }


def _worked_as(actor: Actor) -> str:
    return f"{actor.role}:{actor.region}:{actor.care_unit_id}:{actor.provider_id}"
