"""What a letter says beside its text, in the letter's language (``make texts``)."""

from datetime import date
from functools import cache, lru_cache

from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from notices.models import Notice
from referral.models import DeclineReason


def words_of(letter: Notice) -> dict[str, str]:
    """What the template says of its own, in the language that is being spoken."""
    region, number = letter.case.region, letter.case.number
    unit = ", ".join(part for part in (region.navigator_unit_name, region.navigator_phone) if part)
    words = _all_letters_words(get_language() or "")
    return words | {
        "qr": words["qr"] % {"number": number},
        "other_ways": words["other_ways"] % {"unit": unit, "number": number},
    }


def reasons_to_decline() -> tuple[str, ...]:
    """What may be ticked on the answer slip, in the language that is being spoken."""
    return _reasons(get_language() or "")


def day_in_words(day: date) -> str:
    """The day as letters write it, in the language that is being spoken."""
    return _day(get_language() or "", day)


@cache
def _reasons(_language: str) -> tuple[str, ...]:
    return tuple(str(label) for label in DeclineReason.labels)


@lru_cache(maxsize=100)
def _day(_language: str, day: date) -> str:
    return date_format(day, "j F Y")


@cache
def _all_letters_words(_language: str) -> dict[str, str]:
    """Looked up once for a language: a campaign has tens of thousands of letters."""
    return {
        "case": _("Ärende"),
        "number": _("Ärendenummer"),
        "page": _("Sida"),
        "of": _("av"),
        "through": _("genom"),
        "qr": _("QR-kod med ärendenumret %(number)s"),
        "link_qr": _("QR-kod med länken till sidan där du svarar"),
        "scan": _("Rikta mobilens kamera mot koden."),
        "slip": _("Svarstalong"),
        "other_ways": _(
            "Du kan också svara i 1177 eller ringa %(unit)s. Uppge ärendenummer %(number)s."
        ),
        "yes": _("Ja"),
        "i_accept": _(", jag tar emot erbjudandet"),
        "no": _("Nej"),
        "i_decline": _(", jag tackar nej, för att:"),
        "date": _("Datum"),
        "signature": _("Namnteckning"),
        "send_back": _("Skicka talongen i det bifogade svarskuvertet. Porto är betalt."),
    }
