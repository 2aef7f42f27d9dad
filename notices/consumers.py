"""Which notices follow from what happens in a case (domain events, design 5.4).

Every consumer is idempotent: the idempotency key of a notice is made of what it is about, and a
notice that exists is left alone.
"""

import zlib
from datetime import date, datetime, time, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from notices.callbacks.consumers import on_call_not_wanted
from notices.caps import on_cap_alert, on_period_full
from notices.models import Notice
from notices.plans import on_plan_behind
from notices.watch import on_watch_found
from organisations.events import subscribe
from organisations.models import Assignment, DomainEvent, Role
from referral.models import Case, Offer


def subscribe_all() -> None:
    subscribe("offer.sent", "notices.offer", on_offer_sent)
    for kind in ("offer.accepted", "offer.declined", "offer.withdrawn", "offer.expired"):
        subscribe(kind, "notices.cancel", on_offer_closed)
    subscribe("offer.accepted", "notices.provider", on_offer_accepted)
    subscribe("case.returned", "notices.clinic_returned", on_case_returned)
    subscribe("referral.rejected", "notices.clinic_rejected", on_referral_rejected)
    subscribe("referral.booked", "notices.booked", on_booked)
    for kind in ("contract.cap_near", "contract.cap_reached"):
        subscribe(kind, "notices.cap", on_cap_alert)
    subscribe("contract.period_full", "notices.period_full", on_period_full)
    subscribe("watch.found", "notices.watch", on_watch_found)
    subscribe("delivery_plan.behind", "notices.plan_behind", on_plan_behind)
    for kind in ("case.closed", "case.patient_moved", "case.blocked"):
        subscribe(kind, "notices.calls", on_call_not_wanted)
    subscribe("case.emergency_opened", "notices.emergency", on_emergency_opened)


def letter_due_at(sent_at: datetime, *, days: int) -> datetime:
    """The first moment of the day, ``days`` calendar days after the offer, Europe/Stockholm."""
    day: date = timezone.localdate(sent_at) + timedelta(days=days)
    return timezone.make_aware(datetime.combine(day, time.min))


def on_offer_sent(event: DomainEvent, now: datetime) -> None:
    """The offer goes to 1177 at once and as a letter when it stands unanswered on day 14."""
    offer = _offer(event)
    if offer.state != Offer.State.SENT:
        return
    subject = _("Erbjudande om vård hos annan vårdgivare")
    _notice(offer.case, "offer", offer=offer, subject=subject, body=offer.text, now=now)
    _notice(
        offer.case,
        "offer_letter",
        offer=offer,
        subject=subject,
        body=offer.text,
        now=now,
        due_at=letter_due_at(offer.sent_at, days=offer.case.region.letter_after_days),
        channel=Notice.Channel.LETTER,
    )


def on_offer_closed(event: DomainEvent, now: datetime) -> None:
    """An answered or closed offer needs no letter and no reminder any more."""
    Notice.objects.filter(offer=_offer(event), state=Notice.State.WAITING).update(
        state=Notice.State.CANCELLED
    )


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
    case = Case.objects.select_related("receiving_unit", "sending_unit", "region").get(
        number=event.case_number
    )
    booked_for = datetime.fromisoformat(event.payload["booked_for"].replace("Z", "+00:00"))
    if case.receiving_unit is None:
        return
    when = timezone.localtime(booked_for)
    _notice(
        case,
        "booked_time",
        subject=_("Bokad tid"),
        body=_(
            "Du har fått en tid hos %(unit)s, %(town)s, %(day)s klockan %(time)s.\n\n"
            "Frågor? Ring %(contact)s. Uppge ärendenummer %(number)s.\n"
        )
        % {
            "unit": case.receiving_unit.name,
            "town": case.receiving_unit.municipality.name,
            "day": f"{when:%Y-%m-%d}",
            "time": f"{when:%H.%M}",
            "contact": case.receiving_unit.phone or case.region.navigator_unit_name,
            "number": case.number,
        },
        now=now,
        key=f"{case.number}/event/{event.pk}",
    )


def _offer(event: DomainEvent) -> Offer:
    return Offer.objects.select_related("case__region", "case__sending_unit", "care_unit").get(
        case__number=event.case_number, serial=event.payload["offer"]
    )


def _notice(
    case: Case,
    kind: str,
    *,
    subject: str,
    body: str,
    now: datetime,
    due_at: datetime | None = None,
    offer: Offer | None = None,
    channel: str = Notice.Channel.INBOX,
    key: str = "",
) -> None:
    reference = key or (offer.reference if offer else case.number)
    notice = Notice(
        idempotency_key=f"{reference}/{kind}/{channel}",
        case=case,
        offer=offer,
        kind=kind,
        channel=channel,
        sender=case.sending_unit,
        subject=subject,
        body=body,
        created_at=now,
        due_at=due_at or now,
    )
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
