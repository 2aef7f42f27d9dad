"""Which notices a person has to look at, and what comes next in a case."""

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import MD5, Left
from django.utils.translation import gettext as _

from notices.models import Notice, StaffMail
from notices.sending import MAX_ATTEMPTS
from organisations.access import Actor
from patients.models import DEPARTED, Patient
from referral.models import Case, CaseState, Offer
from referral.models.cases import CaseQuerySet

# So many of the commonest reasons can be chosen among.
REASONS = 20


def undelivered(actor: Actor) -> QuerySet[Notice]:
    """What was given up, or has been tried for more than a day, and is still to be told."""
    stuck = Q(state=Notice.State.FAILED) | Q(state=Notice.State.WAITING, attempts__gte=MAX_ATTEMPTS)
    still_to_be_told = (~Q(kind__in=Notice.OF_OFFER) | Q(offer__state=Offer.State.SENT)) & ~Q(
        case__state=CaseState.CLOSED
    )
    return (
        Notice.objects.filter(stuck & still_to_be_told)
        .filter(case__in=Case.objects.visible_to(actor))
        .select_related("case__patient", "case__navigator")
        .order_by("pk")
    )


def by_reason(notices: QuerySet[Notice]) -> QuerySet[Notice]:
    """Each notice with a ``reason``: a short name of what went wrong, fit for an address."""
    return notices.annotate(reason=Left(MD5("last_error"), 8))


def reasons_of(notices: QuerySet[Notice]) -> list[tuple[str, str, int]]:
    """What went wrong most often among the notices: name, words and how many."""
    counted = by_reason(notices).order_by().values("reason", "last_error")  # type: ignore[misc]
    found = counted.annotate(n=Count("pk")).order_by("-n", "last_error")[:REASONS]
    return [(row["reason"], row["last_error"] or _("inget fel än"), row["n"]) for row in found]


def failed_staff_mail() -> QuerySet[StaffMail]:
    """Mails to staff that were given up or have been tried for long. No patient in any."""
    stuck = Q(state=StaffMail.State.FAILED) | Q(state=StaffMail.State.WAITING, attempts__gt=1)
    return StaffMail.objects.filter(stuck).order_by("-pk")


def departed_cases(actor: Actor) -> CaseQuerySet:
    """Open cases of patients who have died or moved abroad: for their navigators to close."""
    return (
        Case.objects.visible_to(actor)
        .open()
        .filter(patient__in=Patient.objects.filter(DEPARTED))
        .select_related("patient", "navigator")
        .order_by("pk")
    )


def next_of(notices: list[Notice]) -> Notice | None:
    """What the patient gets next, of a case's notices, if nothing comes between."""
    waiting = [
        notice
        for notice in notices
        if notice.state == Notice.State.WAITING and notice.channel in Notice.TO_PATIENT
    ]
    return min(waiting, key=lambda notice: notice.due_at, default=None)
