"""A month's file is delivered: judged, numbered, kept with its receipt.

The product has no line to the national database. A delivery here is what the region has registered
as its file of the month; the file is fetched and sent by the region's own way
(docs/waiting-time-database.md).
"""

import hashlib
import io
import secrets
from datetime import date, datetime

from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from organisations.access import Actor, as_product, record_access
from organisations.errors import NotAllowed, WrongState
from organisations.models import Region, Role
from organisations.uploads import refused, safe_name
from statistics.months import Month
from statistics.waiting_times import own_file
from statistics.waiting_times.codes import Severity
from statistics.waiting_times.models import WINDOW, WaitingTimeDegree, WaitingTimeDelivery
from statistics.waiting_times.report import degrees_of
from statistics.waiting_times.selectors import current_of
from statistics.waiting_times.validation import Result, Verdict, faults_in_words, validate

MAY_DELIVER = frozenset({Role.REGION_ADMIN, Role.MANAGER})
# One byte more than is allowed tells that a file is too big.
MOST_BYTES_READ = WaitingTimeDelivery.MAX_BYTES + 1
# What a page reads before it answers: a worker is not to be kept busy by 20 MB of nothing.
MOST_ROWS = 1_000_000
MOST_ERRORS = 100_000
Origin = WaitingTimeDelivery.Origin


def window(today: date) -> list[Month]:
    """The months that may be delivered or corrected, the latest first."""
    return [Month.of(today).back(back) for back in range(1, WINDOW + 1)]


def check(content: bytes, *, actor: Actor, today: date) -> Result:
    """The verdict that the file would get as a delivery today; nothing is kept.

    Raises :class:`NotAllowed` and, for a file that is too big, :class:`InvalidInput`.
    """
    region = _require_deliverer(actor)
    if len(content) > WaitingTimeDelivery.MAX_BYTES:
        raise refused(
            _("Filen är större än 20 MB. Kontrollera den med manage.py validate_waiting_times.")
        )
    result = validate(
        io.BytesIO(content), owner=region, most_rows=MOST_ROWS, most_errors=MOST_ERRORS
    )
    if result.month and result.month not in window(today):
        is_old = result.month < Month.of(today)
        result.add(1, "rapportmanad", "VT501" if is_old else "VT502")
    return result


def deliver(content: bytes, *, name: str, actor: Actor, now: datetime) -> WaitingTimeDelivery:
    """Register a file as the month's delivery; a refused one gets a receipt too.

    The same file as the month's present version gives that version's receipt again. Raises as
    :func:`check`.
    """
    return _deliver(content, name=name, origin=Origin.UPLOADED, actor=actor, now=now)


def deliver_own(month: Month, *, actor: Actor, now: datetime) -> WaitingTimeDelivery:
    """Make the month's file from the region's own cases and register it.

    Raises :class:`NotAllowed`, :class:`WrongState` for a month outside the window, and
    :class:`InvalidInput` when the file grows too big.
    """
    region = _require_deliverer(actor)
    if month not in window(timezone.localdate(now)):
        raise WrongState(_("Månaden kan inte lämnas nu."), code="outside_window")
    content = own_file.written(region, month)
    name = f"vantetider-{region}-{month}.csv"
    return _deliver(content, name=name, origin=Origin.OWN, actor=actor, now=now)


def content_for(delivery: WaitingTimeDelivery, *, actor: Actor, now: datetime) -> bytes:
    """The delivered file, for the region's administrator; each case in it goes to the access log.

    Raises :class:`NotAllowed`, and :class:`WrongState` when the file is kept no longer.
    """
    if actor.role != Role.REGION_ADMIN or actor.region != delivery.region_id:
        raise NotAllowed(_("Bara regionens administratör hämtar filen med patienternas rader."))
    if not delivery.is_kept:
        raise WrongState(_("Filen sparas inte längre."), code="not_kept")
    with as_product("delivered waiting times"):
        with delivery.file.open("rb") as file:
            content = bytes(file.read())
        cases = list(own_file.cases_in(content, delivery.region_id))
    # A row without a case here is a look at somebody who is not known here.
    record_access(actor, what="waiting_times_file", now=now, cases=[*cases, ("", None)])
    return content


def _require_deliverer(actor: Actor) -> str:
    if actor.role not in MAY_DELIVER or not actor.region:
        raise NotAllowed(_("Din roll lämnar inga filer till väntetidsdatabasen."))
    return actor.region


def _deliver(
    content: bytes, *, name: str, origin: str, actor: Actor, now: datetime
) -> WaitingTimeDelivery:
    today = timezone.localdate(now)
    result = check(content, actor=actor, today=today)
    sha256 = hashlib.sha256(content).hexdigest()
    with transaction.atomic(), as_product("waiting times delivered"):
        # Numbers and versions of a region are drawn one at a time.
        region = Region.objects.select_for_update(of=("self",), no_key=True).get(pk=actor.region)
        month = result.month.first_day if result.month else None
        of_region = WaitingTimeDelivery.objects.filter(region=region)
        current = current_of(region.pk, result.model, result.month)
        if current and current.sha256 == sha256 and result.verdict != Verdict.REFUSED:
            return current
        year = today.year
        drawn = of_region.filter(year=year).aggregate(last=Max("serial"))["last"]
        serial = (drawn or 0) + 1
        latest = current.version or 0 if current else 0
        delivery = WaitingTimeDelivery(
            region=region,
            year=year,
            serial=serial,
            number=f"VT-{region.pk}-{year}-{serial:05d}",
            origin=origin,
            name=safe_name(name, otherwise=_("fil")),
            size=len(content),
            sha256=sha256,
            delivered_at=now,
            delivered_on=today,
            **actor.signature,
            verdict=result.verdict,
            model=result.model,
            month=month,
            version=None if result.verdict == Verdict.REFUSED else latest + 1,
            rows=result.rows,
            done=result.done,
            waiting=result.waiting,
            errors=result.count(Severity.ERROR),
            lacks=result.count(Severity.LACK),
            remarks=result.count(Severity.REMARK),
            faults=[list(one) for one in faults_in_words(result)],
            first_faults=[list(one) for one in result.first_faults],
        )
        _store(delivery, content, result)
    return delivery


def _store(delivery: WaitingTimeDelivery, content: bytes, result: Result) -> None:
    """Write the row, its file and its degrees; the file goes if the row cannot stay."""
    # What was refused is not kept: it may be anything.
    if delivery.version:
        delivery.file.save(secrets.token_hex(16), ContentFile(content), save=False)
    try:
        with transaction.atomic():
            delivery.save(force_insert=True)
            WaitingTimeDegree.objects.bulk_create(
                WaitingTimeDegree(delivery=delivery, **counts) for counts in degrees_of(result)
            )
    except Exception:  # the file goes with the row, whatever kept it from being written
        if delivery.version:
            delivery.file.delete(save=False)
        raise
