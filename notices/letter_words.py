"""What a letter says beside its text, in the letter's language (``make texts``)."""

from django.utils.translation import gettext as _

from notices.models import Notice


def words_of(letter: Notice) -> dict[str, str]:
    """What the template says of its own, in the letter's language."""
    region, number = letter.case.region, letter.case.number
    how = _("Du kan också svara i 1177 eller ringa %(unit)s. Uppge ärendenummer %(number)s.")
    unit = ", ".join(part for part in (region.navigator_unit_name, region.navigator_phone) if part)
    return {
        "case": _("Ärende"),
        "number": _("Ärendenummer"),
        "page": _("Sida"),
        "of": _("av"),
        "through": _("genom"),
        "qr": _("QR-kod med ärendenumret %(number)s") % {"number": number},
        "link_qr": _("QR-kod med länken till sidan där du svarar"),
        "online": _("Svara på nätet"),
        "scan": _("Rikta mobilens kamera mot koden."),
        "slip": _("Svarstalong"),
        "other_ways": how % {"unit": unit, "number": number},
        "yes": _("Ja"),
        "i_accept": _(", jag tar emot erbjudandet"),
        "no": _("Nej"),
        "i_decline": _(", jag tackar nej, för att:"),
        "date": _("Datum"),
        "signature": _("Namnteckning"),
        "send_back": _("Skicka talongen i det bifogade svarskuvertet. Porto är betalt."),
    }
