"""When drafts, cases and patients are archived and thinned (organisations.retention).

A case is archived a year after it closed: it leaves the lists, and is found by its number. It is
thinned ten years after the last entry in its log (patientdatalagen 3 kap. 17 §), whole, unless a
hold stands; its call-off stays in the contract's ledger, which names nobody. The monthly figures
count cases that are there, so those of a thinned year are told from the reports that were made.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext_lazy as _

from organisations.retention import Rule, register_rule
from patients.models import Patient
from referral.models import (
    AllocationRun,
    Attachment,
    Case,
    CaseLog,
    CaseState,
    Certificate,
    IntakeForm,
    Offer,
    Referral,
    RetentionHold,
)

DRAFTS_KEPT = timedelta(days=90)
IN_LISTS = timedelta(days=365)
YEARS_KEPT = 10
KEPT = timedelta(days=366 * YEARS_KEPT)  # never a day too short, whatever the leap years

# What higher apps hold on cases goes first: ``(cases) -> None``.
_before_thinning: list[Callable[[Sequence[Case]], None]] = []


def before_thinning(work: Callable[[Sequence[Case]], None]) -> None:
    """Have ``work(cases)`` remove what a higher app holds on cases that are thinned."""
    if work not in _before_thinning:
        _before_thinning.append(work)


def _old_drafts(now: datetime) -> QuerySet[IntakeForm]:
    return IntakeForm.objects.filter(case__isnull=True, saved_at__lt=now - DRAFTS_KEPT)


def _thin_drafts(now: datetime, at_most: int) -> int:
    drafts = list(_old_drafts(now).select_for_update(skip_locked=True).order_by("pk")[:at_most])
    for draft in drafts:
        _remove_attachments(draft)
        draft.delete()
    return len(drafts)


def _old_allocations(now: datetime) -> QuerySet[AllocationRun]:
    return AllocationRun.objects.filter(made_at__lt=now - DRAFTS_KEPT)


def _thin_allocations(now: datetime, at_most: int) -> int:
    keys = list(_old_allocations(now).order_by("pk").values_list("pk", flat=True)[:at_most])
    AllocationRun.objects.filter(pk__in=keys).delete()
    return len(keys)


def _to_archive(now: datetime) -> QuerySet[Case]:
    return Case.objects.filter(
        state=CaseState.CLOSED, archived_at__isnull=True, closed_at__lt=now - IN_LISTS
    )


def _archive(now: datetime, at_most: int) -> int:
    keys = list(_to_archive(now).order_by("pk").values_list("pk", flat=True)[:at_most])
    return Case.objects.filter(pk__in=keys).update(archived_at=now)


def _to_thin(now: datetime) -> QuerySet[Case]:
    """Archived cases without a younger entry and without a hold; the database asks again."""
    younger = CaseLog.objects.filter(case=OuterRef("pk"), at__gte=now - KEPT)
    held = RetentionHold.objects.filter(case=OuterRef("pk"), lifted_at__isnull=True)
    return Case.objects.filter(
        ~Exists(younger),
        ~Exists(held),
        state=CaseState.CLOSED,
        archived_at__isnull=False,
        closed_at__lt=now - KEPT,
    )


def _thin_cases(now: datetime, at_most: int) -> int:
    due = _to_thin(now).select_for_update(skip_locked=True, of=("self",))
    cases = list(due.order_by("pk")[:at_most])
    with connection.cursor() as cursor:
        cursor.executemany("SELECT thin_logs_of_case(%s)", [[case.pk] for case in cases])
    for work in _before_thinning:
        work(cases)
    for case in cases:
        _remove_case(case)
    return len(cases)


def _remove_case(case: Case) -> None:
    for form in IntakeForm.objects.filter(case=case):
        _remove_attachments(form)
        form.delete()
    offers = Offer.objects.filter(case=case)
    Certificate.objects.filter(case=case).delete()
    Referral.objects.filter(offer__in=offers).delete()
    offers.delete()
    for rows in (
        *(case.pauses, case.consents, case.emergency_openings, case.holds),
        case.watch_hits,
    ):
        rows.all().delete()
    case.delete()


def _remove_attachments(form: IntakeForm) -> None:
    """The rows now, the files once the rows are gone for good."""
    for attachment in Attachment.objects.filter(form=form):
        storage, name = attachment.file.storage, str(attachment.file.name)
        attachment.delete()
        transaction.on_commit(lambda storage=storage, name=name: storage.delete(name))  # type: ignore[misc]


def _patients_without_cases(now: datetime) -> QuerySet[Patient]:
    """Nobody is kept for having had a case. A patient whose case is being written is left alone."""
    return Patient.objects.filter(
        cases__isnull=True, wrong_cases__isnull=True, created_at__lt=now - DRAFTS_KEPT
    )


def _thin_patients(now: datetime, at_most: int) -> int:
    patients = list(_patients_without_cases(now).order_by("pk")[:at_most])
    for patient in patients:
        patient.blocks.all().delete()
        patient.delete()
    return len(patients)


def register_all() -> None:
    journal = _("patientdatalagen (2008:355) 3 kap. 17 §: minst 10 år efter sista uppgiften")
    register_rule(
        Rule(
            name="drafts",
            what=_("Blanketter som aldrig skickades in"),
            kept=_("90 dagar efter sista ändring"),
            law=_("GDPR artikel 5.1 e; inget ärende har uppstått"),
            due=lambda now: _old_drafts(now).count(),
            thin=_thin_drafts,
        )
    )
    register_rule(
        Rule(
            name="allocations",
            what=_("Fördelningar av väntelistor"),
            kept=_("90 dagar efter att de begärdes"),
            law=_("GDPR artikel 5.1 e; underlag för erbjudanden, som ärendet bevarar"),
            due=lambda now: _old_allocations(now).count(),
            thin=_thin_allocations,
        )
    )
    register_rule(
        Rule(
            name="archive",
            what=_("Avslutade ärenden till arkivet"),
            kept=_("1 år i listorna"),
            law=_("patientdatalagen 4 kap. 2 §; arkivlagen (1990:782) 3 §"),
            due=lambda now: _to_archive(now).count(),
            thin=_archive,
        )
    )
    register_rule(
        Rule(
            name="cases",
            what=_("Arkiverade ärenden med allt som hör till dem"),
            kept=_("10 år efter sista anteckningen"),
            law=journal,
            due=lambda now: _to_thin(now).count(),
            thin=_thin_cases,
        )
    )
    register_rule(
        Rule(
            name="patients",
            what=_("Patienter utan ärenden"),
            kept=_("så länge de har ett ärende"),
            law=journal,
            due=lambda now: _patients_without_cases(now).count(),
            thin=_thin_patients,
        )
    )
