"""What the services of a case share: texts that must be there."""

from django.utils.translation import gettext as _

from organisations.errors import InvalidInput

MAX_TEXT = 10_000


def required_text(text: str, *, field: str, message: str, most: int = MAX_TEXT) -> str:
    """The text, or :class:`InvalidInput` at the field when there is none or too much."""
    cleaned = text.strip()
    if not cleaned:
        raise InvalidInput(message, fields={field: message})
    if len(cleaned) > most:
        too_long = _("Texten är för lång (högst 10 000 tecken).")
        if most != MAX_TEXT:
            too_long = _("Högst %(most)s tecken.") % {"most": most}
        raise InvalidInput(too_long, fields={field: too_long})
    return cleaned
