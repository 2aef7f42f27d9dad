"""Where the case stands, in the patient's words: one row for each state."""

from typing import Any, NamedTuple

from django.utils.translation import gettext_lazy as _

from referral.models import CaseState, CloseReason


class Standing(NamedTuple):
    heading: Any
    text: Any


STANDINGS: dict[CaseState, Standing] = {
    CaseState.RECEIVED: Standing(
        _("Vi har fått ditt ärende"),
        _(
            "Din klinik har bett oss hitta en vårdgivare som kan ta emot dig tidigare. "
            "En vårdlots ska gå igenom ärendet."
        ),
    ),
    CaseState.RETURNED: Standing(
        _("Vi väntar på din klinik"),
        _(
            "Uppgifter saknas i ditt ärende. Din klinik ska komplettera det. "
            "Du behöver inte göra något."
        ),
    ),
    CaseState.IN_PROGRESS: Standing(
        _("Vi letar efter en vårdgivare"),
        _(
            "En vårdlots söker en vårdgivare som kan ta emot dig tidigare. "
            "Du har kvar din plats i kön hos din klinik."
        ),
    ),
    CaseState.WATCHED: Standing(
        _("Vi bevakar ditt ärende"),
        _(
            "Just nu har vi ingen vårdgivare att erbjuda dig. Vi ser över ärendet minst en gång i "
            "månaden. Du har kvar din plats i kön hos din klinik."
        ),
    ),
    CaseState.OFFERED: Standing(
        _("Du har fått ett erbjudande"),
        _("Du kan få vård tidigare hos en annan vårdgivare. Läs erbjudandet och svara här."),
    ),
    CaseState.ACCEPTED: Standing(
        _("Du har tackat ja"),
        _("Vårdgivaren har fått din remiss och ska bekräfta den. Sedan får du en tid."),
    ),
    CaseState.CONFIRMED: Standing(
        _("Vårdgivaren tar emot dig"),
        _("Vårdgivaren har bekräftat din remiss. Du får en tid därifrån."),
    ),
    CaseState.BOOKED: Standing(
        _("Du har fått en tid"),
        _("Din tid är bokad hos vårdgivaren. Ring vårdgivaren om du behöver ändra den."),
    ),
    CaseState.TREATED: Standing(
        _("Du har fått vården"),
        _(
            "Vårdgivaren har rapporterat att du har fått din vård. "
            "Din klinik får besked om hur det gick."
        ),
    ),
    CaseState.CLOSED: Standing(
        _("Ärendet är avslutat"),
        _("Vi arbetar inte längre med ditt ärende. Har du frågor, ring oss eller din klinik."),
    ),
}
_CLOSED: dict[CloseReason, Standing] = {
    CloseReason.TREATED: Standing(
        _("Ärendet är avslutat"),
        _(
            "Du har fått din vård, och din klinik har fått besked. Har du frågor om vården, ring "
            "din klinik."
        ),
    ),
    CloseReason.NO_LONGER_NEEDED: Standing(
        _("Du har lämnat kön"),
        _("Du har sagt att du inte längre behöver vården. Ring din klinik om det blev fel."),
    ),
    CloseReason.HOME_CLINIC: Standing(
        _("Ärendet är avslutat"),
        _("Du får vården hos din klinik. Ring kliniken om du undrar när."),
    ),
    CloseReason.WAITS_BY_CHOICE: Standing(
        _("Ärendet är avslutat"),
        _("Du har valt att vänta på vården hos din klinik. Ring oss om du ändrar dig."),
    ),
}


def standing_of(state: str, close_reason: str = "") -> Standing:
    if state == CaseState.CLOSED and close_reason in _CLOSED:
        return _CLOSED[CloseReason(close_reason)]
    return STANDINGS[CaseState(state)]
