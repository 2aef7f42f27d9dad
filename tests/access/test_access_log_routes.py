"""Every address that shows or changes a patient's data leaves its row in the access log.

``PATIENT`` holds a visit for each such address and what it writes, ``NO_PATIENT`` why the others
write nothing. A new address without an entry fails.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import get_resolver, reverse
from django.urls.resolvers import URLPattern
from django.utils import timezone

from contracts.models import InvoiceLine
from notices.callbacks.services import ask_for_call, book_call
from notices.campaigns.services import prepare
from notices.models import CallBack, Notice, PhoneTime
from organisations.access import Actor
from organisations.access_log.reviewing import draw_sample
from organisations.events import deliver_events
from organisations.models import AccessLog, AccessSample
from referral import services
from referral.models import AllocationRun, Attachment, CaseState, IntakeForm, OfferDraft, WatchHit
from tests.access.world import returned_letter
from tests.factories import (
    MadeCase,
    WaitingTimeFactory,
    make_case,
    navigator_actor,
    region_admin_actor,
    user_of,
)
from tests.invoices import bill_for, receive
from tests.notices.campaigns.parts import campaign_with
from tests.statistics.waiting_times.files import delivered
from tests.waiting_lists import handed_in

pytestmark = pytest.mark.django_db

S = CaseState
PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00"
    b"\x1f\x15\xc4\x89\x00\x00\x00\nIDATx\x9cc\x00\x01\x00\x00\x05\x00\x01\r\n-\xb4"
    b"\x00\x00\x00\x00IEND\xaeB`\x82"
)


@dataclass
class World:
    """A case with what hangs on it, and who comes to look."""

    made: MadeCase
    draft: IntakeForm
    attachment: Attachment | None = None

    @property
    def number(self) -> str:
        return self.made.case.number

    def actor(self, name: str) -> Actor:
        if name == "admin":
            return region_admin_actor(self.made.unit.region)
        if name == "colleague":
            return navigator_actor(self.made.unit.region)
        actor: Actor = getattr(self.made, name)
        return actor


@dataclass(frozen=True)
class Visit:
    """Who goes there, to a case in which state, with what, and what the log then says."""

    who: str
    what: tuple[str, ...]
    state: CaseState = S.IN_PROGRESS
    args: Callable[[World], list[Any]] = field(default=lambda world: [world.number])
    body: Callable[[World], dict[str, Any]] | None = None
    query: str = ""
    status: int = 200
    on_form: bool = False


def day(days: int = 0) -> str:
    return str(timezone.localdate() + timedelta(days=days))


def hit(world: World) -> list[Any]:
    made = world.made
    found = WatchHit.objects.create(
        case=made.case, cause="contract", line=made.line, event_id=0, found_at=timezone.now()
    )
    return [world.number, found.pk]


def asked(world: World) -> CallBack:
    made = world.made
    return ask_for_call(
        made.case, about="Resan", phone="070-123 45 67", actor=made.navigator, now=timezone.now()
    )


def phone_time(world: World) -> PhoneTime:
    now = timezone.now()
    return PhoneTime.objects.create(
        navigator=user_of(world.made.navigator),
        region=world.made.unit.region,
        starts_at=now + timedelta(seconds=1),
        ends_at=now + timedelta(minutes=15),
        opened_at=now,
    )


def called(world: World) -> PhoneTime:
    """A phone time with a call on it."""
    found = phone_time(world)
    made, now = world.made, timezone.now()
    phone = "070-123 45 67"
    book_call(made.case, time_id=found.pk, about="x", phone=phone, actor=made.clinic, now=now)
    return found


def ending(name: str) -> Callable[[World], list[Any]]:
    return lambda world: [asked(world).pk, name]


def typed(world: World) -> dict[str, Any]:
    names = ("identity_number", "given_name", "family_name", "kva")
    return {name: getattr(world.made.submission, name) for name in names}


def whole_form(world: World) -> dict[str, Any]:
    form = world.made.submission
    return typed(world) | {
        "icd10": form.icd10,
        "phase": form.phase,
        "referral_date": str(form.referral_date),
        "decision_date": str(form.decision_date),
        "asa": form.asa,
        "transferable": True,
        "home_wait_days": 200,
        "clinician": form.clinician,
    }


def whole_page(world: World) -> dict[str, Any]:
    return whole_form(world) | {"transferable": "yes"}


def api(who: str, what: str, state: CaseState, **body: Any) -> Visit:
    """A verb over the API leaves two rows: that the case was opened and that it was changed."""
    return Visit(who, (what,), state, body=lambda world: body)


def draft(world: World) -> list[Any]:
    return [world.draft.pk]


def offered_line(world: World) -> list[Any]:
    return [world.number, world.made.line.pk]


def failed_notice(world: World) -> list[Any]:
    deliver_events(now=timezone.now())
    notice = Notice.objects.filter(case=world.made.case).first()
    Notice.objects.filter(pk=notice.pk).update(state=Notice.State.FAILED)
    return [notice.pk]


def attached(world: World) -> list[Any]:
    return [world.number, _attach(world, world.made.case.form).pk]


def attached_to_draft(world: World) -> list[Any]:
    return [world.draft.pk, _attach(world, world.draft).pk]


def _attach(world: World, form: IntakeForm) -> Attachment:
    return services.add_attachment(
        form, name="a.png", content=PNG, actor=world.made.clinic, now=timezone.now()
    )


def access(world: World) -> list[Any]:
    return [AccessLog.objects.filter(case_number=world.number).latest("pk").pk]


def sample(world: World) -> list[Any]:
    today = timezone.localdate()
    admin, now = world.actor("admin"), timezone.now()
    drawn: AccessSample = draw_sample(first_day=today, last_day=today, size=3, actor=admin, now=now)
    return [drawn.pk]


def nothing(world: World) -> list[Any]:
    return []


def own_note(world: World) -> list[Any]:
    services.note(world.made.case, text="x", actor=world.made.navigator, now=timezone.now())
    return [world.number, world.made.case.log.get(verb="note").pk]


def consent(world: World) -> list[Any]:
    return [world.number, world.made.case.consents.get().pk]


def blocked(world: World) -> list[Any]:
    clinic, now = world.made.clinic, timezone.now()
    services.block(world.made.case, reach="units", asked_by_patient=True, actor=clinic, now=now)
    return [world.number]


def opened(world: World) -> list[Any]:
    blocked(world)
    opening = services.open_in_emergency(
        world.number,
        reason="x",
        cannot_consent=True,
        actor=world.made.navigator,
        now=timezone.now(),
    )
    return [opening.pk]


def protected(world: World) -> list[Any]:
    services.protect(
        world.made.case,
        protection="sekretessmarkering",
        reason="x",
        actor=world.made.clinic,
        now=timezone.now(),
    )
    return []


def held(world: World) -> list[Any]:
    admin, now = world.actor("admin"), timezone.now()
    return [services.place_hold(world.number, reason="x", actor=admin, now=now).pk]


def allocated(world: World) -> list[Any]:
    """A run that gave the world's case a place."""
    line = world.made.line
    kva, today = world.made.case.kva, timezone.localdate()
    WaitingTimeFactory(care_unit=line.care_unit, kva=kva, day=today, median_days=9)
    run = services.request_allocation(
        clinics=[world.made.unit], actor=world.made.navigator, now=timezone.now()
    )
    return [run.pk]


def waiting_list(world: World) -> list[Any]:
    """A list with the case's own row, which runs already."""
    return [handed_in(world.made.unit, world.made.clinic, world.made.submission).pk]


def delivery(world: World) -> list[Any]:
    """A month's file where the case stands."""
    return [delivered(world.number, world.actor("admin")).number]


def other_need(world: World) -> list[Any]:
    """A list where the patient waits for one thing more."""
    more = replace(world.made.submission, kva="UJD02")
    return [handed_in(world.made.unit, world.made.clinic, more).pk]


def drafted(world: World) -> dict[str, Any]:
    run = AllocationRun.objects.get(pk=allocated(world)[0])
    services.accept_allocation(run, actor=world.made.navigator, now=timezone.now())
    return {"draft": OfferDraft.objects.get().pk}


def campaign(world: World) -> list[Any]:
    """A campaign that has told the world's patient."""
    return [campaign_with(world.made).pk]


def drawn(world: World) -> list[Any]:
    """A campaign whose sample is the world's case: nobody else waits."""
    actor, now = world.made.navigator, timezone.now()
    return [prepare(name="Vi frågar", criteria={}, actor=actor, now=now).pk]


def by_number(world: World) -> dict[str, Any]:
    return {"number": world.number, "reason": "x", "file_format": "json"}


def invoice(world: World) -> list[Any]:
    bill = bill_for(world.made, vat=Decimal(25))  # which deviates
    received = receive(bill, world.made.navigator, now=timezone.now())
    return [received.invoices[0].pk]


def invoice_line(world: World) -> list[Any]:
    return [InvoiceLine.objects.get(invoice=invoice(world)[0]).pk]


def after_invoice(world: World) -> list[Any]:
    invoice(world)
    return []


def nothing_said(world: World) -> dict[str, Any]:
    return {"decision": "dispute"}


def reason(world: World) -> dict[str, Any]:
    return {"reason": "x", "cannot_consent": "on"}


def after_failure(world: World) -> list[Any]:
    failed_notice(world)
    return []


def decision_on_notice(what: str) -> Visit:
    return Visit("navigator", (what,), S.OFFERED, args=failed_notice, body=lambda w: {}, status=302)


def decision_on_return(what: str) -> Visit:
    def came_back(world: World) -> list[Any]:
        deliver_events(now=timezone.now())
        return [returned_letter(world.made).pk]

    return Visit("navigator", (what,), S.OFFERED, args=came_back, body=lambda w: {}, status=302)


PATIENT: dict[str, tuple[Visit, ...]] = {
    "worklist": (
        Visit("navigator", ("list",), args=nothing, query="?view=all"),
        Visit("provider", ("list",), S.ACCEPTED, args=nothing),
    ),
    "dashboard-cases": (
        Visit("navigator", ("list",), args=nothing, query="?figure=received"),
        Visit("clinic", ("list",), args=nothing, query="?figure=received"),
    ),
    "case": (
        Visit("navigator", ("case",)),
        Visit("clinic", ("case",)),
        Visit("provider", ("case",), S.ACCEPTED),
    ),
    "case-matching": (Visit("navigator", ("matching",)),),
    "case-offer": (
        Visit("navigator", ("offer",), args=offered_line),
        Visit(
            "navigator",
            ("offer",),
            args=offered_line,
            body=lambda w: {"send": "1", "expected_wait_days": "30"},
            status=302,
        ),
    ),
    "case-action": (
        Visit("navigator", ("case",), args=lambda w: [w.number, "park"]),
        Visit(
            "navigator",
            ("case",),
            args=lambda w: [w.number, "park"],
            body=lambda w: {},  # refused, and shown again
            status=422,
        ),
        Visit(
            "navigator",
            ("park",),
            args=lambda w: [w.number, "park"],
            body=lambda w: {"kind": "asa", "waits_for": "plats", "review_on": day(7)},
            status=302,
        ),
    ),
    "watch-hit-dismiss": (
        Visit("navigator", ("case",), S.WATCHED, args=hit),
        Visit(
            "navigator",
            ("dismiss_hit",),
            S.WATCHED,
            args=hit,
            body=lambda w: {"reason": "För långt."},
            status=302,
        ),
    ),
    "allocation": (Visit("navigator", ("allocation",), args=allocated),),
    "allocation-accept": (
        Visit("navigator", ("offer_drafted",), args=allocated, body=lambda w: {}, status=302),
    ),
    "allocation-file": (
        Visit("navigator", ("allocation_file",), args=lambda w: [*allocated(w), "csv"]),
        Visit("navigator", ("allocation_file",), args=lambda w: [*allocated(w), "xlsx"]),
    ),
    "waiting-list-read": (
        Visit(
            "clinic",
            ("submit",),
            args=other_need,
            body=lambda w: {"good_rows_only": "on"},
            status=302,
        ),
    ),
    "waiting-list-report": (
        Visit("clinic", ("waiting_list_file",), args=lambda w: [*waiting_list(w), "csv"]),
        Visit("clinic", ("waiting_list_file",), args=lambda w: [*waiting_list(w), "xlsx"]),
    ),
    "api-waiting-list": (Visit("clinic", ("waiting_list",), args=waiting_list),),
    "waiting-times-file": (Visit("admin", ("waiting_times_file",), args=delivery),),
    "offer-drafts": (
        Visit("navigator", ("offer",), args=nothing, body=lambda w: drafted(w) | {"send": "1"}),
        Visit(
            "navigator",
            ("offer_draft_discarded",),
            args=nothing,
            body=lambda w: drafted(w) | {"discard": "1"},
            status=302,
        ),
    ),
    "case-costs": (Visit("navigator", ("costs",), S.TREATED),),
    "invoice": (Visit("navigator", ("invoice",), S.TREATED, args=invoice),),
    "invoice-line": (
        Visit("navigator", ("invoice_line",), S.TREATED, args=invoice_line),
        Visit(
            "navigator",
            ("invoice_line",),
            S.TREATED,
            args=invoice_line,
            body=nothing_said,
            status=422,
        ),
    ),
    "invoice-file": (Visit("navigator", ("invoice_file",), S.TREATED, args=invoice),),
    "invoice-deviations": (
        Visit("navigator", ("invoice_deviations",), S.TREATED, args=after_invoice),
    ),
    "api-invoices": (Visit("navigator", ("invoice",), S.TREATED, args=after_invoice),),
    "certificate": (
        Visit("navigator", ("certificate",), S.ACCEPTED, args=lambda w: [w.number, 1]),
    ),
    "attachment": (Visit("navigator", ("attachment",), S.RETURNED, args=attached),),
    "case-notices": (Visit("navigator", ("notices",), S.OFFERED),),
    "case-new-code": (
        Visit("navigator", ("new_answer_code",), S.OFFERED, body=lambda w: {}, status=302),
    ),
    "phone-times": (
        Visit("navigator", ("phone_times",), args=lambda w: [called(w)][1:], query="?who=all"),
    ),
    "calls-today": (Visit("navigator", ("calls_today",), args=lambda w: [asked(w)][1:]),),
    "phone-time-take-over": (
        Visit(
            "colleague",
            ("call_taken_over",),
            args=lambda w: [called(w).pk],
            body=lambda w: {},
            status=302,
        ),
    ),
    "case-calls": (Visit("navigator", ("calls",)), Visit("clinic", ("calls",))),
    "case-call-book": (
        Visit("navigator", ("calls",)),
        Visit(
            "clinic",
            ("call_booked",),
            body=lambda w: {
                "time_id": phone_time(w).pk,
                "phone": "070-123 45 67",
                "about": "Resan",
            },
            status=302,
        ),
    ),
    "call-end": (
        Visit("navigator", ("calls",), args=ending("done")),
        Visit(
            "navigator",
            ("call_done",),
            args=ending("done"),
            body=lambda w: {"outcome": "x"},
            status=302,
        ),
        Visit("navigator", ("call_missed",), args=ending("missed"), body=lambda w: {}, status=302),
        Visit("clinic", ("call_cancelled",), args=ending("cancel"), body=lambda w: {}, status=302),
    ),
    "campaign-sample": (Visit("navigator", ("campaign_sample",), args=drawn),),
    "campaign-sample-letter": (Visit("navigator", ("campaign_sample",), args=drawn),),
    "campaign-recipients": (Visit("navigator", ("campaign_patients",), args=campaign),),
    "campaign-answer": (
        Visit("navigator", ("campaign_row",), args=lambda w: [*campaign(w), w.number]),
        Visit(
            "navigator",
            ("campaign_answer", "leave_list"),
            args=lambda w: [*campaign(w), w.number],
            body=lambda w: {"answer": "not_needed", "channel": "phone"},
            status=302,
        ),
    ),
    "api-case-campaign-answer": (
        Visit(
            "navigator",
            ("campaign_row", "campaign_answer"),
            args=lambda w: [campaign(w) and w.number],
            body=lambda w: {"answer": "still_needed", "channel": "letter"},
        ),
    ),
    "undelivered": (Visit("navigator", ("undelivered",), S.OFFERED, args=after_failure),),
    "notice-send-again": (decision_on_notice("notice_again"),),
    "notice-as-letter": (decision_on_notice("notice_as_letter"),),
    "undelivered-again": (
        Visit(
            "navigator",
            ("notice_again",),
            S.OFFERED,
            args=after_failure,
            body=lambda w: {"all": "1"},
            status=302,
        ),
    ),
    "return-again": (decision_on_return("return_again"),),
    "return-done": (decision_on_return("return_done"),),
    "forms": (
        Visit("clinic", ("drafts",), args=nothing, on_form=True),
        Visit("clinic", ("list",), S.RETURNED, args=nothing),
    ),
    "form": (
        Visit("clinic", ("form",), args=draft, on_form=True),
        Visit("clinic", ("form",), S.RETURNED, args=lambda w: [w.made.case.form.pk]),
        Visit(
            "clinic",
            ("form", "draft_saved"),
            args=draft,
            body=typed,
            status=422,
            on_form=True,
        ),
        # The case that runs already stands on the page.
        Visit("clinic", ("running case",), args=draft, body=whole_page, status=422),
        Visit(
            "clinic",
            ("form", "draft_saved", "resubmit"),
            S.RETURNED,
            args=lambda w: [w.made.case.form.pk],
            body=whole_page,
            status=302,
        ),
    ),
    "form-draft": (
        Visit("clinic", ("draft_saved",), args=draft, body=typed, on_form=True),
        Visit("clinic", ("running case",), args=draft, body=typed),
    ),
    "form-attachments": (
        Visit(
            "clinic",
            ("draft_saved", "attachment_added"),
            args=draft,
            body=lambda w: {"file": SimpleUploadedFile("a.png", PNG)},
            status=302,
            on_form=True,
        ),
    ),
    "form-attachment-remove": (
        Visit(
            "clinic",
            ("attachment_removed",),
            args=attached_to_draft,
            body=lambda w: {},
            status=302,
            on_form=True,
        ),
    ),
    "form-discard": (
        Visit("clinic", ("draft_saved",), args=draft, body=typed, on_form=True),  # asks if sure
        Visit(
            "clinic",
            ("draft_discarded",),
            args=draft,
            body=lambda w: {"sure": "1"},
            status=302,
            on_form=True,
        ),
    ),
    "access-review": (Visit("admin", ("log_review",), args=nothing, query="?case={number}"),),
    "access-review-row": (Visit("admin", ("log_review",), args=access),),
    "log-extract": (Visit("admin", ("log_extract",)),),
    "log-extract-file": (
        Visit("admin", ("log_extract",), args=lambda w: [w.number, "pdf"]),
        Visit("admin", ("log_extract",), args=lambda w: [w.number, "csv"]),
    ),
    "case-privacy": (
        Visit("clinic", ("case",), args=lambda w: [w.number, "block"]),
        Visit(
            "clinic",
            ("block",),
            args=lambda w: [w.number, "block"],
            body=lambda w: {"reach": "units", "asked_by_patient": "on"},
            status=302,
        ),
    ),
    "note-strike": (
        Visit("navigator", ("case",), args=own_note),
        Visit("navigator", ("strike_note",), args=own_note, body=reason, status=302),
    ),
    "consent-withdraw": (Visit("navigator", ("case",), S.ACCEPTED, args=consent),),
    "case-blocked": (Visit("navigator", ("blocked",), args=blocked),),
    "case-open": (
        Visit(
            "navigator",
            ("emergency_open",),
            args=lambda w: [*blocked(w), "emergency"],
            body=reason,
            status=302,
        ),
    ),
    "privacy-unprotect": (
        Visit("admin", ("unprotect",), args=protected, body=by_number, status=302),
    ),
    "privacy-hold": (Visit("admin", ("hold",), args=nothing, body=by_number, status=302),),
    "privacy-export": (Visit("admin", ("export",), args=nothing, body=by_number),),
    "hold-lift": (Visit("admin", ("hold",), args=held, body=reason, status=302),),
    "opening": (
        Visit(
            "admin",
            ("opening_follow_up",),
            args=opened,
            body=lambda w: {"outcome": "justified", "text": "x"},
            status=302,
        ),
    ),
    "api-case-list": (
        Visit("navigator", ("list",), args=nothing),
        Visit("clinic", ("submit",), S.CLOSED, args=nothing, body=whole_form, status=201),
    ),
    "api-case-detail": (Visit("navigator", ("case",)), Visit("provider", ("case",), S.ACCEPTED)),
    "api-case-log": (Visit("navigator", ("log",)),),
    "api-case-matches": (Visit("navigator", ("matching",)),),
    "api-case-certificate": (
        Visit("navigator", ("certificate",), S.ACCEPTED, args=lambda w: [w.number, "1"]),
    ),
    "api-case-attachment": (
        Visit("navigator", ("attachment",), S.RETURNED, args=lambda w: [*attached(w)]),
    ),
    "api-case-search": (
        Visit(
            "navigator",
            ("list",),
            args=nothing,
            body=lambda w: {"identity_number": w.made.submission.identity_number},
        ),
    ),
    "api-case-notices": (Visit("navigator", ("notices",), S.OFFERED),),
    "api-case-calls": (
        Visit("navigator", ("calls",)),
        Visit("clinic", ("call_asked",), body=lambda w: {"about": "Resan"}, status=201),
    ),
    "api-call-end": (
        Visit(
            "navigator",
            ("call_missed",),
            args=lambda w: [w.number, asked(w).pk],
            body=lambda w: {"ending": "missed"},
        ),
    ),
    "api-case-offers": (
        Visit("navigator", ("offers",), S.OFFERED),
        Visit(
            "navigator",
            ("offer",),
            body=lambda w: {"line": w.made.line.pk, "expected_wait_days": 30},
            status=201,
        ),
    ),
    "api-case-resubmit": (Visit("clinic", ("form", "resubmit"), S.RETURNED, body=whole_form),),
    "api-case-take": (api("navigator", "take", S.RECEIVED),),
    "api-case-assign": (api("colleague", "assign", S.IN_PROGRESS),),
    "api-case-return-to-clinic": (
        api("navigator", "return_to_clinic", S.IN_PROGRESS, missing="BMI."),
    ),
    "api-case-note": (api("navigator", "note", S.IN_PROGRESS, text="Ringde."),),
    "api-case-park": (
        api("navigator", "park", S.IN_PROGRESS, waits_for="plats", review_on=day(7)),
    ),
    "api-case-review": (api("navigator", "review", S.WATCHED, review_on=day(7)),),
    "api-case-unpark": (api("navigator", "unpark", S.WATCHED),),
    "api-case-end": (
        api("navigator", "end", S.IN_PROGRESS, reason="home_clinic", comment="Ryms hemma."),
    ),
    "api-case-leave-list": (api("navigator", "leave_list", S.IN_PROGRESS, channel="phone"),),
    "api-case-pause": (
        api("navigator", "pause", S.IN_PROGRESS, reason="patient", first_day=day(), comment="x"),
    ),
    "api-case-end-pause": (api("navigator", "end_pause", S.IN_PROGRESS, last=day()),),
    "api-case-answer": (api("navigator", "accept", S.OFFERED, accepted=True, channel="phone"),),
    "api-case-withdraw-offer": (
        api("navigator", "withdraw_offer", S.OFFERED, why="Fel vårdgivare."),
    ),
    "api-case-confirm": (api("provider", "confirm", S.ACCEPTED),),
    "api-case-reject": (
        api("provider", "reject", S.ACCEPTED, reason="other", comment="Saknar kompetens."),
    ),
    "api-case-book": (
        api(
            "provider",
            "book",
            S.CONFIRMED,
            booked_for=(timezone.now() + timedelta(days=9)).isoformat(),
        ),
    ),
    "api-case-treat": (api("provider", "treat", S.BOOKED, treated_on=day()),),
    "api-case-close": (api("provider", "close", S.TREATED, back_referral="Åter."),),
}

NO_PATIENT: dict[str, str] = {
    **dict.fromkeys(
        [
            *("own-page", "own-page-number", "own-page-identify", "own-page-identified"),
            *("own-page-case", "own-page-accept", "own-page-decline", "own-page-receipt"),
            *("own-page-call", "own-page-call-cancel", "own-page-leave"),
            *("own-page-need", "own-page-leave-list"),
        ],
        "the patient's own looks: tests/notices/own_page/test_looks.py",
    ),
    **dict.fromkeys(
        (
            *("open-data", "open-data-file", "open-data-schema", "open-data-catalogue"),
            *("open-data-harvest", "open-data-edition"),
        ),
        "published figures",
    ),
    "start": "sends on to the role's page",
    "login": "nobody is logged in",
    "logout": "nothing is shown",
    "no-assignment": "says that there is no assignment",
    "healthz": "says that the process lives",
    "readyz": "says what is ready",
    "metrics": "counts and times",
    "case-form": "sends on to the form, which writes",
    "form-new": "makes an empty form and sends on to it",
    "access-samples": "periods and counts",
    "privacy": "case numbers and names of staff",
    "allocations": "clinics, procedures and counts",
    "waiting-lists": "names of files, and counts",
    "waiting-list": "numbers of rows and what is wrong with them",
    "waiting-list-template": "empty columns",
    "api-waiting-lists": "names of files, and counts; what is read in writes as a form does",
    **dict.fromkeys(
        [
            *("campaigns", "campaign-new", "campaign-count", "campaign", "campaign-edit"),
            *("campaign-do", "campaign-result", "campaign-file"),
        ],
        "what a campaign says, and how many it reaches",
    ),
    "phone-times-new": "times without anybody",
    "phone-times-close": "times without anybody",
    "api-phone-times": "times without anybody",
    "log-extracts": "asks whose, and sends on to the extract, which writes",
    "case-search": "sends on to the case or the list, which write",
    "suggest-procedures": "codes",
    "suggest-diagnoses": "codes",
    **dict.fromkeys(
        [
            *("account", "invitation", "logout-everywhere", "session-forget", "session-keep"),
            *("session-kept", "session-status", "siths-callback", "siths-start", "token-revoke"),
        ],
        "the caller's own login",
    ),
    **dict.fromkeys(
        [
            *("assignment-end", "assignment-give", "choose-assignment", "client-new", "history"),
            *("invitation-again", "invitation-withdraw", "invite", "people", "person"),
            *("person-edit", "person-let-in", "person-shut-off", "provider", "provider-new"),
            *(
                "notice-days",
                "patient-facts",
                "text",
                "text-new",
                "text-version",
                "texts",
                "texts-compared",
                "notice-prices",
                "providers",
                "region",
                "regions",
                "unit",
                "unit-close",
                "unit-new",
                "unit-open",
            ),
            *("units", "operations", "delivery-retry", "staff-mail", "staff-mail-again"),
            "print-reports",
        ],
        "people, places and operations: no patient",
    ),
    **dict.fromkeys(
        [
            *("delivery-plans", "delivery-plan", "delivery-plan-new", "delivery-plan-edit"),
            *("delivery-plan-import", "delivery-plan-agree", "delivery-plan-revise"),
            *("delivery-plan-discard", "delivery-plan-end", "delivery-plan-version"),
            *("delivery-plan-report", "api-delivery-plan-list", "api-delivery-plan-detail"),
        ],
        "volumes by week, no patient",
    ),
    **dict.fromkeys(
        [
            *("contract-alerts", "contract-checklist", "contract-contact-new", "contract-document"),
            *("contract-contact-remove", "contract-document-new", "contract-document-remove"),
            *("contract-edit", "contract-history", "contract-import", "contract-import-file"),
            *("contract-ledger", "contract-line", "contract-line-new", "contract-new"),
            *("contract-version", "contracts-export", "contracts-import"),
        ],
        "contracts and volumes: no patient",
    ),
    "contracts": "volumes",
    "contract": "volumes",
    **dict.fromkeys(
        (
            *("contract-new", "contract-edit", "contract-line-new", "contract-line"),
            *("contract-contact-new", "contract-contact-remove", "contract-checklist"),
            *("contract-document-new", "contract-document", "contract-document-remove"),
            *("contract-history", "contract-version", "contract-ledger", "contract-alerts"),
            *("contracts-import", "contract-import", "contract-import-file", "contracts-export"),
        ),
        "terms and volumes, no patient",
    ),
    **dict.fromkeys(
        (
            *("situation", "situation-unit", "waiting-time-files", "waiting-time-file"),
            *("api-waiting-times", "matching-weights"),
        ),
        "waiting times of units, and weights",
    ),
    **dict.fromkeys(
        (
            *("free-capacity", "free-capacity-new", "free-capacity-edit"),
            *("free-capacity-withdraw", "free-capacity-import", "api-free-capacity-list"),
            *("api-free-capacity-detail", "api-free-capacity-withdraw"),
        ),
        "places of units",
    ),
    "invoices": "numbers of invoices, and sums",
    "invoice-new": "a file to choose",
    "contract-costs": "figures",
    "contract-costs-file": "figures",
    "clinic-costs": "figures",
    "clinic-costs-file": "figures",
    **dict.fromkeys(
        (
            *("pathways", "pathways-csv", "pathways-xlsx", "pathway-settings"),
            *("pathway-told", "pathway-import", "pathway-file", "pathway-faults"),
            *("api-cancer-pathways", "api-pathway-limits", "api-pathway-counts"),
            *("pathway-withdraw", "api-pathway-withdraw"),
        ),
        "figures",
    ),
    "statistics": "figures",
    "statistics-csv": "figures",
    "statistics-xlsx": "figures",
    **dict.fromkeys(
        (
            *("waiting-times", "waiting-times-check", "waiting-times-reporting"),
            *("waiting-times-layout", "waiting-times-receipt", "waiting-times-receipt-json"),
            *("waiting-times-faults", "api-waiting-time-deliveries", "api-waiting-time-delivery"),
        ),
        "receipts and figures: row numbers, never a value",
    ),
    **dict.fromkeys(
        (
            *("guarantee", "guarantee-csv", "guarantee-xlsx", "api-guarantee"),
            *("performance", "performance-csv", "performance-import", "api-performance"),
        ),
        "figures",
    ),
    **dict.fromkeys(
        (
            *("dashboard", "dashboard-funnel", "dashboard-flows", "dashboard-gaps"),
            *("dashboard-file", "api-dashboard", "api-dashboard-trends", "api-dashboard-funnel"),
            *("api-dashboard-flows", "api-dashboard-gaps"),
        ),
        "figures",
    ),
    **dict.fromkeys(
        (
            *("frozen-months", "frozen-month", "frozen-file", "frozen-publish", "frozen-recount"),
            *("frozen-subscription", "api-frozen-months", "api-frozen-month"),
        ),
        "figures, and the person's own subscription",
    ),
    "gateway-callback": "the patient's own answer; the verb writes (tests/notices)",
    "api-login": "a token",
    "api-logout": "nothing is shown",
    "api-me": "the caller's own role",
    "api-regions": "places",
    "api-care-units": "places",
    "api-statistics": "figures",
    "api-contract-list": "volumes",
    "api-contract-detail": "volumes",
    "api-schema": "the API's shape",
    "api-docs": "the API's documentation",
    "": "an unknown address",
}
# Shows case numbers of many patients: one row says that the sample was looked at.
WITHOUT_CASE: dict[str, Visit] = {
    "access-sample": Visit("admin", ("log_review",), args=sample),
}


def routes(patterns: Any = None) -> Iterator[str]:
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLPattern):
            yield pattern.name or ""
        else:
            yield from routes(pattern.url_patterns)


def test_every_address_has_an_entry():
    entries = [*PATIENT, *NO_PATIENT, *WITHOUT_CASE]
    assert set(routes()) == set(entries)
    assert len(entries) == len(set(entries))


def world_for(visit: Visit) -> World:
    made = make_case(visit.state)
    form = services.create_draft(actor=made.clinic, sending_unit=made.unit, now=timezone.now())
    return World(made, form)


def go(name: str, visit: Visit, world: World) -> list[AccessLog]:
    """Pay the visit; returns the rows it wrote."""
    if name == "api-case-end-pause":
        services.pause(
            world.made.case,
            reason="patient",
            first_day=timezone.localdate(),
            comment="x",
            until=None,
            actor=world.made.navigator,
            now=timezone.now(),
        )
    address = reverse(name, args=visit.args(world)) + visit.query.format(number=world.number)
    client = Client()
    client.force_login(user_of(world.actor(visit.who)))
    before = AccessLog.objects.latest("pk").pk
    if visit.body is None:
        answer = client.get(address)
    elif name.startswith("api-"):
        answer = client.post(address, visit.body(world), content_type="application/json")
    else:
        answer = client.post(address, visit.body(world))
    assert answer.status_code in {visit.status, 201}, answer.content.decode()[:2000]
    return list(AccessLog.objects.filter(pk__gt=before))


@pytest.mark.parametrize(
    ("name", "visit"),
    [
        pytest.param(name, visit, id=f"{name}-{visit.what[-1]}-{visit.status}-{visit.state}")
        for name, visits in PATIENT.items()
        for visit in visits
    ],
)
def test_what_shows_or_changes_a_patient_is_in_the_log(name: str, visit: Visit):
    world = world_for(visit)
    rows = go(name, visit, world)
    ours = [
        row
        for row in rows
        if (row.form_id == world.draft.pk if visit.on_form else row.case_number == world.number)
    ]
    if visit.what == ("submit",) and name in {"api-case-list", "waiting-list-read"}:  # a new case
        ours = rows
    assert set(visit.what) <= {row.what for row in ours}
    for row in ours:
        assert row.user_id
        assert all((row.actor_name, row.role, row.unit))
        assert row.home_region == world.made.unit.region_id
        assert visit.on_form or row.patient_id == world.made.patient.pk


@pytest.mark.parametrize("name", WITHOUT_CASE)
def test_what_shows_many_cases_to_a_reviewer_says_that_it_was_seen(name: str):
    visit = WITHOUT_CASE[name]
    rows = go(name, visit, world_for(visit))
    assert [row.what for row in rows] == list(visit.what)
