"""E-mails about caps: to the owner, and to every region with open offers on the contract."""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from contracts.models import CapAlert, Contract, ContractLine
from notices.gateways import GatewayError, Held, Mail, MessageRefused, may_send, send_mail
from notices.models import StaffMail
from organisations.models import Assignment, DomainEvent, Role
from organisations.sweeps import claim_due
from referral.models import Offer

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 12


def on_cap_alert(event: DomainEvent, now: datetime) -> None:
    """The owner, and navigators where offers are open, learn that a cap is near or reached."""
    alert = CapAlert.objects.select_related("contract__provider", "line__care_unit").get(
        pk=event.payload["alert"]
    )
    contract, place = alert.contract, str(alert.contract)
    if alert.line is not None:
        place = _("%(place)s, avropsrad %(kva)s hos %(unit)s") % {
            "place": place,
            "kva": alert.line.kva,
            "unit": alert.line.care_unit.name,
        }
    values = {"place": place, "percent": alert.percent, "address": _address(contract)}
    if alert.percent == 100:
        subject = _("Taket är nått: %(number)s") % {"number": contract.number}
        text = _(
            "Takvolymen är nådd på %(place)s. Avtalet tar inga nya erbjudanden där. Erbjudanden "
            "som redan är lämnade behåller sin plats.\n\nFölj takvolymen: %(address)s"
        )
    else:
        subject = _("%(percent)s %% av taket är taget: %(number)s") % {
            "percent": alert.percent,
            "number": contract.number,
        }
        text = _(
            "%(percent)s %% av takvolymen är taget på %(place)s.\n\nFölj takvolymen: %(address)s"
        )
    mail_to(
        _addresses(contract, now=now),
        subject=subject,
        body=text % values,
        key=f"cap/{alert.pk}",
        now=now,
    )


def on_period_full(event: DomainEvent, now: datetime) -> None:
    """The owner learns that a treatment fell in a period that was full already."""
    line = ContractLine.objects.select_related("contract", "care_unit").get(
        pk=event.payload["line"]
    )
    text = _(
        "En behandling %(day)s på %(line)s föll i en period där taket redan är nått. Avropet "
        "räknas i den period då platsen reserverades.\n\nFölj takvolymen: %(address)s"
    )
    values = {"day": event.payload["day"], "line": line, "address": _address(line.contract)}
    mail_to(
        _addresses(line.contract, now=now, only_owner=True),
        subject=_("Fler behandlingar än periodens tak: %(number)s")
        % {"number": line.contract.number},
        body=text % values,
        key=f"period/{event.pk}",
        now=now,
    )


def _address(contract: Contract) -> str:
    return f"{settings.BASE_URL}{reverse('contract-ledger', args=[contract.pk])}"


def _addresses(contract: Contract, *, now: datetime, only_owner: bool = False) -> set[str]:
    """The e-mail addresses of those who are to know."""
    live = Assignment.objects.filter(
        Q(ends_at__isnull=True) | Q(ends_at__gt=now), starts_at__lte=now, user__is_active=True
    )
    people = Q(role=Role.CONTRACT_OWNER, region=contract.owner_region_id)
    if not only_owner:
        waiting = Offer.objects.filter(state=Offer.State.SENT, line__contract=contract)
        people |= Q(role=Role.NAVIGATOR, region__in=waiting.values("case__region"))
    found = set(live.filter(people).values_list("user__email", flat=True))
    found |= set(
        contract.contacts.filter(side="owner", about="cap").values_list("email", flat=True)
    )
    return found - {""}


def mail_to(addresses: Iterable[str], *, subject: str, body: str, key: str, now: datetime) -> None:
    """Have a mail go to each address; the same ``key`` again sends nothing more."""
    StaffMail.objects.bulk_create(
        (
            StaffMail(
                to=address,
                subject=subject,
                body=f"{body}\n",
                idempotency_key=f"{key}/{address}"[:160],
                created_at=now,
                due_at=now,
            )
            for address in sorted(addresses)
        ),
        ignore_conflicts=True,
    )


def send_staff_mail(*, now: datetime, limit: int = 200) -> int:
    """Sweep: send what is due, one in each transaction; returns how many were handled."""
    handled = 0
    while handled < limit and may_send("email") and _send_one(now=now):
        handled += 1
    return handled


@transaction.atomic
def _send_one(*, now: datetime) -> bool:
    waiting = StaffMail.objects.filter(state=StaffMail.State.WAITING)
    due = claim_due(waiting, now=now, limit=1)
    if not due:
        return False
    mail = due[0]
    try:
        content = Mail(to=mail.to, subject=mail.subject, body=mail.body)
        send_mail(content, key=f"staff.{mail.pk}")
    except Held:
        return False
    except DatabaseError:
        raise
    except GatewayError as error:
        _not_sent(mail, error, now=now)
    except Exception as error:  # one that cannot be sent must not hold up the rest
        logger.exception("staff mail %s could not be sent", mail.pk)
        _not_sent(mail, error, now=now)
    else:
        mail.state = StaffMail.State.SENT
        mail.sent_at = now
        mail.last_error = ""
    mail.attempts += 1
    mail.save()
    return True


def _not_sent(mail: StaffMail, error: Exception, *, now: datetime) -> None:
    """Try later, with growing pauses; what is refused for good waits for a person."""
    mail.last_error = f"{type(error).__name__}: {error}"[:300]
    if isinstance(error, MessageRefused) or mail.attempts + 1 >= MAX_ATTEMPTS:
        mail.state = StaffMail.State.FAILED
        logger.error("staff mail %s failed for good", mail.pk)
    else:
        mail.due_at = now + timedelta(minutes=min(360, 2 ** (mail.attempts + 1)))
