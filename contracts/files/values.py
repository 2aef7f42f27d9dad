"""What the cells of a file mean; each raises ValueError with what is wrong, in Swedish."""

from datetime import date
from decimal import Decimal, InvalidOperation

from django.utils.translation import gettext as _


def day_of(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(_("skriv datumet som ÅÅÅÅ-MM-DD.")) from None


def whole_of(text: str) -> int:
    """A number of at most nine digits, not negative; spaces between thousands are well."""
    plain = _without_spaces(text)
    if not (plain.isascii() and plain.isdigit()) or len(plain) > 9:
        raise ValueError(_("%(text)s är inget heltal.") % {"text": text[:40]})
    return int(plain)


def decimal_of(text: str) -> Decimal:
    """A number with decimal comma or point."""
    try:
        value = Decimal(_without_spaces(text).replace(",", "."))
    except InvalidOperation:
        raise ValueError(_("%(text)s är inget tal.") % {"text": text[:40]}) from None
    if not value.is_finite():
        raise ValueError(_("%(text)s är inget tal.") % {"text": text[:40]})
    return value


def _without_spaces(text: str) -> str:
    return text.replace("\xa0", "").replace(" ", "")
