"""Post that came back, deliveries that nobody has acknowledged, and files with faults."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, QuerySet

from notices.due import working_hours_before
from notices.models import LetterBatch, PrintedLetter, PrintReport
from organisations.access import Actor
from patients.models import Patient
from referral.models import Case, CaseState

FAULTS_SHOWN = timedelta(days=14)


def returned(actor: Actor) -> QuerySet[PrintedLetter]:
    """Letters that came back and that nobody has handled, in open cases, the oldest first."""
    return (
        PrintedLetter.objects.filter(state=PrintedLetter.State.RETURNED, handled_at__isnull=True)
        .filter(case__in=Case.objects.visible_to(actor).exclude(state=CaseState.CLOSED))
        .select_related("case__patient", "case__navigator", "notice")
        .order_by("told_on", "pk")
    )


def returned_of(actor: Actor, patient: Patient) -> QuerySet[PrintedLetter]:
    """Of one patient, in any of the cases that the actor sees."""
    return returned(actor).filter(case__patient=patient)


def unacknowledged(*, now: datetime) -> QuerySet[LetterBatch]:
    """Deliveries of which nothing has been heard within ``settings.PRINT_REPORT_HOURS``."""
    if not settings.PRINT_REPORT_HOURS:
        return LetterBatch.objects.none()
    since = working_hours_before(now, settings.PRINT_REPORT_HOURS)
    # Without letters there is nothing to tell of.
    return LetterBatch.objects.filter(
        told_at__isnull=True, delivered_at__lte=since, printed__isnull=False
    ).distinct()


def unacknowledged_letters(actor: Actor, *, now: datetime) -> list[tuple[LetterBatch, int]]:
    """Such deliveries with letters in the actor's cases, and how many they are."""
    found = unacknowledged(now=now)
    if not found.exists():
        return []
    counted = dict(
        PrintedLetter.objects.filter(batch__in=found, case__in=Case.objects.visible_to(actor))
        .order_by()
        .values_list("batch")
        .annotate(n=Count("pk"))
    )
    batches = LetterBatch.objects.filter(pk__in=counted)
    return [(batch, counted[batch.pk]) for batch in batches]


def faulty_reports(*, now: datetime) -> QuerySet[PrintReport]:
    """Files of the last two weeks with rows that could not be taken in, the newest first."""
    recent = PrintReport.objects.filter(fault_count__gt=0, received_at__gt=now - FAULTS_SHOWN)
    return recent.order_by("-pk")
