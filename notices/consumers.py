"""Which notices follow from what happens in a case (domain events, design 5.4).

Every consumer is idempotent: the idempotency key of a notice is made of what it is about, and a
notice that exists is left alone.
"""

import zlib
from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from notices import unread
from notices.callbacks.consumers import on_calls_not_wanted
from notices.caps import on_cap_alert, on_period_full
from notices.due import REMINDED_AT, due_at
from notices.models import Notice
from notices.plans import on_plan_behind
from notices.texts.kinds import TextKind
from notices.texts.notices import Telling, put_text
from notices.watch import on_watch_found
from organisations.events import subscribe, subscribe_gathering
from organisations.models import Assignment, DomainEvent, Role
from referral.models import Case, CloseReason, Offer


def subscribe_all() -> None:
    subscribe("case.submitted", "notices.submitted", on_case_submitted)
    subscribe("offer.sent", "notices.offer", on_offer_sent)
    for kind in ("offer.accepted", "offer.declined", "offer.withdrawn", "offer.expired"):
        subscribe(kind, "notices.cancel", on_offer_closed)
    subscribe("offer.accepted", "notices.provider", on_offer_accepted)
    subscribe("case.patient_departed", "notices.departed", on_patient_departed)
    subscribe("case.returned", "notices.clinic_returned", on_case_returned)
    subscribe("referral.rejected", "notices.clinic_rejected", on_referral_rejected)
    subscribe("referral.booked", "notices.booked", on_booked)
    for kind in ("contract.cap_near", "contract.cap_reached"):
        subscribe(kind, "notices.cap", on_cap_alert)
    subscribe("contract.period_full", "notices.period_full", on_period_full)
    subscribe("watch.found", "notices.watch", on_watch_found)
    subscribe("delivery_plan.behind", "notices.plan_behind", on_plan_behind)
    for kind in ("case.closed", "case.patient_moved", "case.blocked"):
        subscribe_gathering(kind, "notices.calls", on_calls_not_wanted)
    subscribe("case.closed", "notices.left_list", on_list_left)
    subscribe("case.emergency_opened", "notices.emergency", on_emergency_opened)


def on_case_submitted(event: DomainEvent, now: datetime) -> None:
    """Where the region wants it, the patient is told that the referral is there and what the
    guarantee gives, early in the chain."""
    case = Case.objects.select_related(
        "sending_unit", "region", "patient", "form", "receiving_unit__municipality"
    ).get(number=event.case_number)
    if case.region.confirms_referrals:
        kind = TextKind.CONFIRM_TRANSFERABLE if case.form.transferable else TextKind.CONFIRM_AT_HOME
        _notice(case, Notice.Kind.CONFIRMATION, Telling(kind), now=now)
    if case.region.informs_of_guarantee:
        _notice(case, Notice.Kind.GUARANTEE, Telling(TextKind.GUARANTEE), now=now)


def on_offer_sent(event: DomainEvent, now: datetime) -> None:
    """The offer goes out at once; unanswered, it is reminded of and then goes as a letter.

    Both days are the region's (reminder_after_days, letter_after_days).
    """
    offer = _offer(event)
    if offer.state != Offer.State.SENT:
        return
    _notice(offer.case, Notice.Kind.OFFER, Telling(TextKind.OFFER), offer=offer, now=now)
    region = offer.case.region
    letter_due = due_at(offer.sent_at, days=region.letter_after_days, printed=True)
    _remind(offer, before=min(letter_due, offer.due_at), now=now)
    _notice(
        offer.case,
        Notice.Kind.OFFER_LETTER,
        Telling(TextKind.OFFER),
        offer=offer,
        now=now,
        due=letter_due,
        channel=Notice.Channel.LETTER,
        why=Notice.Why.UNANSWERED,
    )


def _remind(offer: Offer, *, before: datetime, now: datetime) -> None:
    """A short reminder on the region's day, where that comes before the letter and the last day."""
    region = offer.case.region
    if region.reminder_after_days is None:
        return
    due = due_at(offer.sent_at, days=region.reminder_after_days, printed=False, at=REMINDED_AT)
    if due < before:
        telling = Telling(TextKind.OFFER_REMINDER)
        _notice(offer.case, Notice.Kind.OFFER_REMINDER, telling, offer=offer, now=now, due=due)


def on_offer_closed(event: DomainEvent, now: datetime) -> None:
    """An answered or closed offer needs no letter and no reminder any more."""
    _cancel(
        Notice.objects.filter(offer=_offer(event)), _("Erbjudandet väntar inte längre på svar.")
    )


def on_patient_departed(event: DomainEvent, now: datetime) -> None:
    """Somebody who has died or moved abroad gets nothing more, in any of the cases."""
    patient = Case.objects.select_related("patient").get(number=event.case_number).patient
    to_patient = Notice.objects.filter(case__patient=patient, channel__in=Notice.TO_PATIENT)
    if patient.has_departed:
        _cancel(to_patient, patient.departure)


def _cancel(notices: QuerySet[Notice], why: str) -> None:
    """What waits is not sent. What lies at the printer's is not called back.

    What a sweep holds at this moment is left to it, since it asks itself (why_needless): waiting
    here, with all that this transaction holds, could be waiting for one another.
    """
    waiting = notices.filter(state=Notice.State.WAITING)
    free = waiting.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True)
    Notice.objects.filter(pk__in=list(free)).update(state=Notice.State.CANCELLED, last_error=why)


def on_offer_accepted(event: DomainEvent, now: datetime) -> None:
    """The receiving provider gets an e-mail that names the case number and nothing else."""
    offer = _offer(event)
    _email(
        offer.case,
        "provider_new_case",
        address=offer.care_unit.email,
        key=f"{offer.reference}/provider",
        subject=_("Ny patient i Vårdlots: %(number)s") % {"number": offer.case.number},
        body=_(
            "Ärende %(number)s har tilldelats er. Logga in i Vårdlots för att se remissen och "
            "bekräfta den."
        )
        % {"number": offer.case.number},
        now=now,
        offer=offer,
    )


def on_case_returned(event: DomainEvent, now: datetime) -> None:
    case = Case.objects.select_related("sending_unit").get(number=event.case_number)
    _email(
        case,
        "clinic_returned",
        address=case.sending_unit.email,
        key=f"{case.number}/event/{event.pk}",
        subject=_("Blanketten behöver kompletteras: %(number)s") % {"number": case.number},
        body=_("Ärende %(number)s har skickats åter. Logga in i Vårdlots och se vad som saknas.")
        % {"number": case.number},
        now=now,
    )


def on_referral_rejected(event: DomainEvent, now: datetime) -> None:
    case = Case.objects.select_related("sending_unit").get(number=event.case_number)
    _email(
        case,
        "clinic_rejected",
        address=case.sending_unit.email,
        key=f"{case.number}/event/{event.pk}",
        subject=_("Remissen har avvisats: %(number)s") % {"number": case.number},
        body=_(
            "Den mottagande vårdgivaren har avvisat remissen i ärende %(number)s. Skälet står i "
            "ärendet i Vårdlots."
        )
        % {"number": case.number},
        now=now,
    )


def on_emergency_opened(event: DomainEvent, now: datetime) -> None:
    """The region's administrators are told the case number, and follow up in the product."""
    case = Case.objects.select_related("sending_unit").get(number=event.case_number)
    administrators = (
        Assignment.objects.filter(role=Role.REGION_ADMIN, region_id=case.region_id)
        .filter(starts_at__lte=now, user__is_active=True)
        .exclude(ends_at__lte=now)
        .exclude(user__email="")
    )
    for address in administrators.order_by().values_list("user__email", flat=True).distinct():
        _email(
            case,
            "emergency_opening",
            address=address,
            key=f"{case.number}/event/{event.pk}/{zlib.crc32(address.encode()):08x}",
            subject=_("Nödöppning att följa upp: %(number)s") % {"number": case.number},
            body=_(
                "Spärrade uppgifter i ärende %(number)s har nödöppnats. Logga in i Vårdlots och "
                "följ upp under Sekretess."
            )
            % {"number": case.number},
            now=now,
        )


def on_booked(event: DomainEvent, now: datetime) -> None:
    """The patient is told the booked time in 1177."""
    case = Case.objects.select_related(
        "receiving_unit__municipality", "sending_unit", "region", "patient", "form"
    ).get(number=event.case_number)
    booked_for = datetime.fromisoformat(event.payload["booked_for"].replace("Z", "+00:00"))
    if case.receiving_unit is None:
        return
    when = timezone.localtime(booked_for)
    telling = Telling(TextKind.BOOKED_TIME, {"booked_day": when.date(), "booked_time": when.time()})
    for earlier in case.notices.filter(
        kind=Notice.Kind.BOOKED_TIME, channel=Notice.Channel.INBOX, created_at__lt=event.happened_at
    ):
        unread.cancel_letter(earlier, why=_("En ny tid är bokad."))
    key = f"{case.number}/event/{event.pk}"
    _notice(case, Notice.Kind.BOOKED_TIME, telling, now=now, key=key)


def on_list_left(event: DomainEvent, now: datetime) -> None:
    """The clinic takes a patient who needs the care no longer off its list: by number alone."""
    payload = event.payload
    if payload.get("reason") != CloseReason.NO_LONGER_NEEDED or not payload.get("channel"):
        return
    case = Case.objects.select_related("sending_unit").get(number=event.case_number)
    _email(
        case,
        "clinic_left",
        address=case.sending_unit.email,
        key=f"{case.number}/event/{event.pk}",
        subject=_("Lämnar väntelistan: %(number)s") % {"number": case.number},
        body=_(
            "Patienten i ärende %(number)s har svarat att vården inte längre behövs. Ärendet är "
            "avslutat. Ta bort patienten från er väntelista."
        )
        % {"number": case.number},
        now=now,
    )


def _offer(event: DomainEvent) -> Offer:
    return Offer.objects.select_related(
        *("case__region", "case__sending_unit", "case__patient", "case__form"),
        *("care_unit__municipality", "written__version"),
    ).get(case__number=event.case_number, serial=event.payload["offer"])


def _notice(
    case: Case,
    kind: str,
    telling: Telling,
    *,
    now: datetime,
    due: datetime | None = None,
    offer: Offer | None = None,
    channel: str = Notice.Channel.INBOX,
    why: str = "",
    key: str = "",
) -> None:
    """A notice to the patient; in 1177 until it is sent, when the channel is chosen."""
    if case.patient.has_departed:
        return
    reference = key or (offer.reference if offer else case.number)
    notice = Notice(
        idempotency_key=f"{reference}/{kind}/{channel}",
        case=case,
        offer=offer,
        kind=kind,
        channel=channel,
        why_channel=why,
        sender=case.sending_unit,
        created_at=now,
        due_at=due or now,
    )
    put_text(notice, telling, case=case, offer=offer, now=now)
    Notice.objects.bulk_create([notice], ignore_conflicts=True)


def _email(
    case: Case,
    kind: str,
    *,
    address: str,
    key: str,
    subject: str,
    body: str,
    now: datetime,
    offer: Offer | None = None,
) -> None:
    """An e-mail; a unit without address is told in its worklist only."""
    if not address:
        return
    notice = Notice(
        idempotency_key=f"{key}/{kind}/email",
        case=case,
        offer=offer,
        kind=kind,
        channel=Notice.Channel.EMAIL,
        sender=case.sending_unit,
        email_to=address,
        subject=subject,
        body=f"{body}\n",
        created_at=now,
        due_at=now,
    )
    Notice.objects.bulk_create([notice], ignore_conflicts=True)
