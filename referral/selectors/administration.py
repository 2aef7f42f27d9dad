"""What a region's administrator finds: a case by its number, openings and holds to follow up.

The administrator sees no patients; the functions here give numbers, times and names of staff.
"""

from django.db.models import F
from django.utils.translation import gettext as _

from organisations.access import Actor, as_product
from organisations.errors import InvalidInput, NotAllowed
from organisations.models import AccessLog, Role
from referral.models import Case, EmergencyOpening, RetentionHold
from referral.numbers import CaseNumber, InvalidCaseNumber


def case_of_region(actor: Actor, number: str) -> Case:
    """The region's case with this number, for what an administrator does to it unseen.

    Raises :class:`InvalidInput` at the field ``number`` for a wrong or an unknown number.
    """
    if actor.role != Role.REGION_ADMIN or actor.region is None:
        raise NotAllowed(_("Din roll får inte göra detta."), code="wrong_role")
    try:
        wanted = CaseNumber.parse(number).value
    except InvalidCaseNumber as error:
        raise InvalidInput(str(error), fields={"number": str(error)}) from error
    with as_product("a case by its number, for the administrator"):
        case = (
            Case.objects.select_related("patient")
            .filter(region_id=actor.region, number=wanted)
            .first()
        )
    if case is None:
        text = _("Regionen har inget ärende med det numret.")
        raise InvalidInput(text, fields={"number": text})
    return case


def openings_of(actor: Actor) -> list[EmergencyOpening]:
    """The region's emergency openings, those not followed up first, then the newest."""
    openings = EmergencyOpening.objects.filter(region_id=actor.region or "")
    return list(openings.order_by(F("followed_up_at").desc(nulls_first=True), "-pk")[:200])


def holds_of(actor: Actor) -> list[RetentionHold]:
    """The region's holds that stand."""
    return list(RetentionHold.objects.filter(region_id=actor.region or "", lifted_at__isnull=True))


def accesses_under(opening: EmergencyOpening) -> list[AccessLog]:
    """What the person did in the case while the opening lasted, as the access log has it."""
    rows = AccessLog.objects.filter(
        user_id=opening.user_id or 0,
        case_number=opening.case_number,
        at__range=(opening.at, opening.ends_at),
    )
    return list(rows.order_by("at", "pk")[:200])
