"""What the pages of administration share."""

from collections.abc import Callable
from typing import TypeVar

from organisations.errors import InvalidInput
from organisations.plain_forms import PlainForm

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
