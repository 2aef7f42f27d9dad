"""What the database knows of how the product does, as Prometheus metrics.

Every reading goes by an index or a small table. Labels are kinds, regions and contract numbers:
nothing of a case or a patient, and no more of them than there are kinds and contracts.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Count, F, Max, Min, Q, QuerySet, Sum
from django.utils import timezone
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from capacity.models import DeliveryPlan
from contracts.models import CallOff, Contract, ContractLine
from notices.gateways.breaker import states
from notices.models import LetterBatch, Notice, PrintedLetter, StaffMail
from notices.printing.selectors import unacknowledged
from organisations.administration.selectors import STUCK_AFTER
from organisations.models import AccessLogSeal, EventDelivery, Invitation, SweepRun
from referral.models import AllocationRun, Offer
from statistics.models import MonthDue

Reading = Callable[[datetime], list[Metric]]

CAP_LEVELS = (80, 90, 100)
# The last success is looked for among so many of the newest messages that were sent.
NEWEST = 500


def _waiting() -> Iterable[tuple[str, QuerySet[Any], str | None]]:
    """Everything with a ``due_at``: the sweep that does it, its rows, and what tells them apart."""
    notices = Notice.objects.filter(state=Notice.State.WAITING)
    yield "events", EventDelivery.objects.filter(done_at__isnull=True), "event__kind"
    yield "notices", notices, "channel"
    yield "staff_mail", StaffMail.objects.filter(state=StaffMail.State.WAITING), None
    yield "letters", LetterBatch.objects.filter(delivered_at__isnull=True), None
    queued = AllocationRun.objects.filter(state=AllocationRun.State.QUEUED)
    yield "allocations", queued, None
    yield "offers", Offer.objects.filter(state=Offer.State.SENT), None
    agreed = DeliveryPlan.objects.filter(state=DeliveryPlan.State.AGREED)
    yield "delivery_plans", agreed, None
    yield "frozen_months", MonthDue.objects.filter(due_at__isnull=False), None
    yield "invitations", Invitation.objects.open(now=timezone.now()), None


def due_work(now: datetime) -> list[Metric]:
    """What has come due and is not done, what of it is late, and how old the oldest is."""
    due = GaugeMetricFamily(
        "vardlots_due", "Det som ska göras nu eller skulle ha gjorts.", labels=["sweep", "kind"]
    )
    late = GaugeMetricFamily(
        "vardlots_overdue",
        "Det som skulle ha gjorts för tio minuter sedan.",
        labels=["sweep", "kind"],
    )
    age = GaugeMetricFamily(
        "vardlots_oldest_due_seconds", "Hur länge det äldsta har väntat.", labels=["sweep", "kind"]
    )
    for sweep, rows, kind in _waiting():
        counted = rows.order_by().filter(due_at__lte=now)
        counts = {
            "n": Count("pk"),
            "late": Count("pk", filter=Q(due_at__lt=now - STUCK_AFTER)),
            "oldest": Min("due_at"),
        }
        found = counted.values(name=F(kind)).annotate(**counts) if kind else []
        for row in found if kind else [counted.aggregate(**counts) | {"name": ""}]:
            labels = [sweep, row["name"]]
            due.add_metric(labels, row["n"])
            late.add_metric(labels, row["late"])
            age.add_metric(labels, (now - row["oldest"]).total_seconds() if row["oldest"] else 0)
    return [due, late, age]


def failures(now: datetime) -> list[Metric]:
    """What has been given up, and what fails and is tried again."""
    failed = GaugeMetricFamily(
        "vardlots_failed", "Det som har getts upp och väntar på en människa.", labels=["kind"]
    )
    for channel, count in _by_channel(Notice.objects.filter(state=Notice.State.FAILED)).items():
        failed.add_metric([f"notice {channel}"], count)
    mails = StaffMail.objects.filter(state=StaffMail.State.FAILED).count()
    failed.add_metric(["staff_mail"], mails)
    retried = GaugeMetricFamily(
        "vardlots_retried",
        "Det som har misslyckats minst en gång och försöks igen.",
        labels=["kind"],
    )
    deliveries = EventDelivery.objects.filter(done_at__isnull=True, attempts__gt=0).count()
    retried.add_metric(["event"], deliveries)
    again = Notice.objects.filter(state=Notice.State.WAITING, attempts__gt=0)
    for channel, count in _by_channel(again).items():
        retried.add_metric([f"notice {channel}"], count)
    return [failed, retried]


def gateway(now: datetime) -> list[Metric]:
    """The gateway to 1177: when it last took a message, and how many wait for it."""
    sent = Notice.objects.filter(channel=Notice.Channel.INBOX, sent_at__isnull=False)
    newest = sent.order_by("-pk").values("sent_at")[:NEWEST]
    last = newest.aggregate(last=Max("sent_at"))["last"]
    success = GaugeMetricFamily(
        "vardlots_gateway_last_success_timestamp_seconds", "När 1177 senast tog emot något."
    )
    if last:
        success.add_metric([], last.timestamp())
    queue = GaugeMetricFamily("vardlots_gateway_queue", "Meddelanden som ska till 1177 nu.")
    waiting = Notice.objects.filter(
        channel=Notice.Channel.INBOX, state=Notice.State.WAITING, due_at__lte=now
    )
    queue.add_metric([], waiting.count())
    return [success, queue]


def ways_out(now: datetime) -> list[Metric]:
    """The gateways' breakers, and what the print provider has not told or has sent back."""
    resting = GaugeMetricFamily(
        "vardlots_gateway_resting",
        "1 när inga anrop görs, för att de senaste misslyckades.",
        labels=["gateway"],
    )
    for state in states():
        resting.add_metric([state.name], int(state.retry_at is not None))
    untold = GaugeMetricFamily(
        "vardlots_letter_batches_unacknowledged",
        "Brevleveranser som tryckeriet inte har kvitterat i tid.",
        value=unacknowledged(now=now).count(),
    )
    came_back = PrintedLetter.objects.filter(
        state=PrintedLetter.State.RETURNED, handled_at__isnull=True
    )
    returned = GaugeMetricFamily(
        "vardlots_letters_returned",
        "Brev i retur som ingen har tagit hand om.",
        value=came_back.count(),
    )
    return [resting, untold, returned]


def caps(now: datetime) -> list[Metric]:
    """How much of the caps is taken: lines near theirs by region, shares by contract."""
    today = timezone.localdate(now)
    valid = Contract.objects.filter(valid_from__lte=today, valid_to__gte=today)
    lines = ContractLine.objects.filter(contract__in=valid, is_active=True)
    near = GaugeMetricFamily(
        "vardlots_cap_lines",
        "Avropsrader med minst så många procent taget.",
        labels=["region", "level"],
    )
    counts = {str(level): Count("pk", filter=_at_least(level)) for level in CAP_LEVELS}
    levels = [str(level) for level in CAP_LEVELS]
    regions = lines.order_by().values("contract__owner_region").annotate(**counts)
    for region, *numbers in regions.values_list("contract__owner_region", *levels):
        for level, number in zip(levels, numbers, strict=True):
            near.add_metric([region, level], number)
    ratio = GaugeMetricFamily(
        "vardlots_contract_cap_ratio",
        "Del av avtalets tak som är reserverad, använd eller kvar.",
        labels=["contract", "cap", "state"],
    )
    reserved = {
        row["line__contract"]: row
        for row in CallOff.objects.filter(state=CallOff.State.RESERVED, line__in=lines.values("pk"))
        .order_by()
        .values("line__contract")
        .annotate(volume=Count("pk"), sek=Sum("amount_sek"))
    }
    for contract in valid.only("number", "cap_volume", "cap_sek", "taken_volume", "taken_sek"):
        held = reserved.get(contract.pk, {"volume": 0, "sek": Decimal(0)})
        for cap in ("volume", "sek"):
            whole = getattr(contract, f"cap_{cap}")
            if not whole:
                continue
            taken = getattr(contract, f"taken_{cap}")
            parts = {"reserved": held[cap], "used": taken - held[cap], "left": whole - taken}
            for state, part in parts.items():
                ratio.add_metric([contract.number, cap, state], round(float(part / whole), 4))
    return [near, ratio]


def sweeps(now: datetime) -> list[Metric]:
    """Each sweep's last end, and time and failures in all: the worker as the database saw it."""
    done = GaugeMetricFamily(
        "vardlots_sweep_last_success_timestamp_seconds",
        "När svepet senast blev klart.",
        labels=["sweep"],
    )
    last = GaugeMetricFamily(
        "vardlots_sweep_last_seconds", "Hur länge svepet höll på senast.", labels=["sweep"]
    )
    seconds = CounterMetricFamily(
        "vardlots_sweep_seconds", "Hur länge svepet har hållit på i allt.", labels=["sweep"]
    )
    runs = CounterMetricFamily("vardlots_sweep_runs", "Svepets körningar.", labels=["sweep"])
    failed = CounterMetricFamily(
        "vardlots_sweep_failures", "Svepets misslyckade körningar.", labels=["sweep"]
    )
    for run in SweepRun.objects.all():
        if run.done_at:
            done.add_metric([run.name], run.done_at.timestamp())
        last.add_metric([run.name], run.last_seconds)
        seconds.add_metric([run.name], run.seconds)
        runs.add_metric([run.name], run.runs)
        failed.add_metric([run.name], run.failures)
    return [done, last, seconds, runs, failed]


def database(now: datetime) -> list[Metric]:
    """Connections, and when the access log was last sealed."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT numbackends, current_setting('max_connections')::int, deadlocks"
            " FROM pg_stat_database WHERE datname = current_database()"
        )
        open_now, most, deadlocks = cursor.fetchone()
    connections = GaugeMetricFamily(
        "vardlots_database_connections", "Öppna förbindelser med databasen.", value=open_now
    )
    limit = GaugeMetricFamily(
        "vardlots_database_connections_max", "Så många tar databasservern emot.", value=most
    )
    locked = CounterMetricFamily(
        "vardlots_database_deadlocks", "Låsningar som databasen har brutit.", value=deadlocks
    )
    sealed = GaugeMetricFamily(
        "vardlots_access_log_sealed_timestamp_seconds", "När åtkomstloggen senast förseglades."
    )
    last = AccessLogSeal.objects.order_by("-number").values_list("sealed_at", flat=True).first()
    if last:
        sealed.add_metric([], last.timestamp())
    return [connections, limit, locked, sealed]


def _by_channel(notices: QuerySet[Notice]) -> dict[str, int]:
    counted = notices.order_by().values_list("channel").annotate(n=Count("pk"))
    return dict.fromkeys(Notice.Channel.values, 0) | dict(counted)


def _at_least(level: int) -> Q:
    """Lines that have taken so many per cent of their cap in volume or SEK."""
    return Q(cap_volume__gt=0, cap_volume__lte=F("taken_volume") * 100 / level) | Q(
        cap_sek__gt=0, cap_sek__lte=F("taken_sek") * 100 / level
    )


READINGS: tuple[Reading, ...] = (due_work, failures, gateway, ways_out, caps, sweeps, database)
