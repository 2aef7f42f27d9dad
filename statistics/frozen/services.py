"""Freeze a region's month, find what was corrected since, publish a new version.

A month is frozen on the third working day of the next one, by a sweep over ``MonthDue``. The
figures are those known at that moment; a month whose day was missed is frozen as soon as the sweep
runs, with what is known then, and says so (``FrozenMonth.is_late``): what was known on an earlier
day is kept nowhere.
"""

import logging
from datetime import datetime, time, timedelta

from django.db import transaction
from django.db.models import Exists, Max, Min, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from organisations.access import Actor, as_product
from organisations.errors import DomainError, InvalidInput, NotAllowed, WrongState
from organisations.models import Region, Role
from organisations.sweeps import claim_due
from organisations.working_days import nth_working_day
from referral.models import Case
from statistics.facts.models import StaleCase
from statistics.frozen.mails import tell_subscribers
from statistics.frozen.models import (
    FigureCorrection,
    FrozenFigure,
    FrozenMonth,
    MonthDue,
    Recount,
)
from statistics.frozen.picture import (
    Picture,
    correction_row,
    differences,
    figure_row,
    frozen_picture,
    known_picture,
    picture_of,
)
from statistics.frozen.rules import CURRENT
from statistics.frozen.source import Count, month_figures
from statistics.frozen.why import causes
from statistics.months import Month

logger = logging.getLogger(__name__)

FREEZES_ON_WORKING_DAY = 3
FREEZES_AT = time(6)
RECOUNTS_AT = time(2, 30)
# Later corrections are looked for as long; a new installation begins as far back.
MONTHS_FOLLOWED = 12
TRIES_AGAIN_AFTER = timedelta(hours=1)
# For facts that are to be made anew; then the month is counted as they stand.
WAITS_FOR_FACTS = timedelta(days=1)
LONGEST_REASON = 300


class MonthNotFound(DomainError):
    """The region has no such month."""

    status = 404
    code = "not_found"


def due_on(month: Month) -> datetime:
    """The moment the month is frozen: 06.00 on the third working day of the next month."""
    day = nth_working_day(month.back(-1).first_day, FREEZES_ON_WORKING_DAY)
    return timezone.make_aware(datetime.combine(day, FREEZES_AT))


def run_months(*, now: datetime, limit: int = 20, count: Count = month_figures) -> int:
    """Sweep: freeze and recount what is due, one month in each transaction."""
    plan_months(now=now)
    handled = 0
    while handled < limit and _one(now=now, count=count):
        handled += 1
    return handled


@transaction.atomic
def plan_months(*, now: datetime) -> int:
    """Lay out the months of each region up to this one; returns how many were added.

    From where it last came, so that no month is passed over however long the sweep has stood
    still; at first from the first case, at most ``MONTHS_FOLLOWED`` back.
    """
    this = Month.of(timezone.localdate(now))
    laid_out = MonthDue.objects.filter(region=OuterRef("pk"), first_day=this.first_day)
    has_cases = Case.objects.filter(region=OuterRef("pk"))
    regions = Region.objects.filter(Exists(has_cases), ~Exists(laid_out))
    rows: list[MonthDue] = []
    for code in regions.order_by("pk").values_list("pk", flat=True):
        month = _first_to_lay_out(code, this)
        while month <= this:
            rows.append(MonthDue(region_id=code, first_day=month.first_day, due_at=due_on(month)))
            month = month.back(-1)
    return len(MonthDue.objects.bulk_create(rows, ignore_conflicts=True))


def _first_to_lay_out(region: str, this: Month) -> Month:
    last = MonthDue.objects.filter(region=region).aggregate(last=Max("first_day"))["last"]
    if last is not None:
        return Month.of(last).back(-1)
    began = Case.objects.filter(region=region).aggregate(first=Min("received_at"))["first"]
    return max(Month.of(timezone.localdate(began)), this.back(MONTHS_FOLLOWED))


@transaction.atomic
def _one(*, now: datetime, count: Count) -> bool:
    behind = StaleCase.objects.filter(case__region=OuterRef("region"), due_at__lte=now)
    ready = MonthDue.objects.filter(~Exists(behind) | Q(due_at__lte=now - WAITS_FOR_FACTS))
    due = claim_due(ready, now=now, limit=1)
    if not due:
        return False
    row = due[0]
    try:
        with transaction.atomic():
            _freeze_or_recount(row, now=now, count=count)
    except Exception as error:  # a month that cannot be counted must not hold up the rest
        logger.exception("the month %s could not be counted", row)
        row.failures = min(row.failures + 1, 30_000)
        row.last_error = type(error).__name__[:80]
        row.due_at = now + TRIES_AGAIN_AFTER
    else:
        row.counted_at, row.failures, row.last_error = now, 0, ""
        row.due_at = _next_recount(row.month, now=now)
    row.save()
    return True


def _freeze_or_recount(row: MonthDue, *, now: datetime, count: Count) -> None:
    frozen = latest_version(row)
    if frozen is not None:
        _recount(frozen, since=row.counted_at or frozen.frozen_at, now=now, count=count)
        return
    _write_version(
        row,
        picture_of(count(row.region_id, row.month)),
        version=1,
        reason="",
        actor=Actor.system(_("Månadens frysning")),
        now=now,
    )


def _next_recount(month: Month, *, now: datetime) -> datetime | None:
    """The next night, as long as the month is followed."""
    if month < Month.of(timezone.localdate(now)).back(MONTHS_FOLLOWED):
        return None
    night = timezone.localdate(now) + timedelta(days=1)
    return timezone.make_aware(datetime.combine(night, RECOUNTS_AT))


def latest_version(row: MonthDue) -> FrozenMonth | None:
    versions = FrozenMonth.objects.filter(region=row.region_id, first_day=row.first_day)
    return versions.order_by("-version").first()


def _write_version(
    row: MonthDue,
    picture: Picture,
    *,
    version: int,
    reason: str,
    actor: Actor,
    now: datetime,
) -> FrozenMonth:
    """The version, its figures and the mails about it, all or nothing."""
    frozen = FrozenMonth.objects.create(
        region_id=row.region_id,
        first_day=row.first_day,
        version=version,
        rules=CURRENT.name,
        due_on=timezone.localdate(due_on(row.month)),
        frozen_at=now,
        reason=reason,
        **actor.signature,
    )
    rows = [figure_row(frozen, place, cell) for place, cell in sorted(picture.items())]
    FrozenFigure.objects.bulk_create(rows, batch_size=1000)
    tell_subscribers(frozen, now=now)
    return frozen


def _recount(
    frozen: FrozenMonth, *, since: datetime, now: datetime, count: Count
) -> Recount | None:
    """Write down what has changed since the last count; ``None`` when nothing has."""
    found = picture_of(count(frozen.region_id, frozen.month))
    changed = list(differences(known_picture(frozen), found))
    if not changed:
        return None
    recount = Recount.objects.create(
        frozen=frozen,
        counted_at=now,
        rules=CURRENT.name,
        why=causes(frozen.region_id, frozen.month, rules=frozen.rules, since=since),
    )
    rows = [correction_row(recount, place, old, new) for place, old, new in changed]
    FigureCorrection.objects.bulk_create(rows, batch_size=1000)
    return recount


@transaction.atomic
def recount_month(
    month: Month, *, actor: Actor, now: datetime, count: Count = month_figures
) -> int:
    """Look for corrections at once instead of at night; returns how many figures were corrected."""
    _require(actor, Role.MANAGER, Role.REGION_ADMIN, Role.NAVIGATOR)
    with as_product("month's statistics"):
        row, frozen = _locked(actor, month)
        if month < Month.of(timezone.localdate(now)).back(MONTHS_FOLLOWED):
            raise WrongState(_("Månaden räknas inte längre om."), code="month_not_followed")
        found = _recount(frozen, since=row.counted_at or frozen.frozen_at, now=now, count=count)
        row.counted_at = now
        row.save(update_fields=["counted_at"])
        return found.corrections.count() if found else 0


@transaction.atomic
def publish_version(
    month: Month, *, reason: str, actor: Actor, now: datetime, count: Count = month_figures
) -> FrozenMonth:
    """Publish the month anew as it is known now; the versions before stay readable.

    Raises :class:`InvalidInput` without a reason and :class:`WrongState` when no figure has
    changed since the last version.
    """
    _require(actor, Role.MANAGER)
    reason = reason.strip()
    if not 0 < len(reason) <= LONGEST_REASON:
        text = _("Skriv skälet, högst %(n)s tecken.") % {"n": LONGEST_REASON}
        raise InvalidInput(text, fields={"reason": text})
    with as_product("month's statistics"):
        row, frozen = _locked(actor, month)
        picture = picture_of(count(frozen.region_id, month))
        if picture == frozen_picture(frozen):
            raise WrongState(
                _("Ingen siffra har ändrats sedan version %(n)s.") % {"n": frozen.version},
                code="nothing_changed",
            )
        made = _write_version(
            row, picture, version=frozen.version + 1, reason=reason, actor=actor, now=now
        )
        row.counted_at = now
        row.save(update_fields=["counted_at"])
        return made


def _require(actor: Actor, *roles: str) -> None:
    if actor.role not in roles or not actor.region:
        raise NotAllowed(_("Din roll får inte göra detta."), code="wrong_role")


def _locked(actor: Actor, month: Month) -> tuple[MonthDue, FrozenMonth]:
    """The month's row, locked against the sweep, and its latest version."""
    found = MonthDue.objects.filter(region=actor.region, first_day=month.first_day)
    row = found.select_for_update(of=("self",)).first()
    frozen = latest_version(row) if row else None
    if row is None or frozen is None:
        raise MonthNotFound(_("Månaden är inte fryst."))
    return row, frozen
