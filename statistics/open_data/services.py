"""Publish a quarter once, and correct it by a further version of the whole quarter."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Min
from django.utils import timezone
from django.utils.translation import gettext as _

from organisations.access import as_product
from organisations.errors import InvalidInput
from referral.models import Referral
from statistics.open_data.counting import Counted, count_quarter
from statistics.open_data.disclosure import Cell
from statistics.open_data.editions import Columns, columns_of
from statistics.open_data.measures import RULES_VERSION
from statistics.open_data.models import NATION, Edition, PublishedFigure
from statistics.open_data.quarters import Quarter

# Treatments and back-referrals are often registered some weeks late.
DAYS_AFTER_CLOSE = 45
LONGEST_REASON = 300


@dataclass(frozen=True)
class Correction:
    """What a correction changes: figures that differ from the version before, and newly hidden."""

    period: str
    version: int
    changed: int
    newly_hidden: int


def publish_due(*, now: datetime, limit: int = 1) -> int:
    """The sweep: publish the oldest closed quarter that is not out yet."""
    done = 0
    while done < limit and (quarter := due_quarter(now=now)) is not None:
        if not publish(quarter, now=now):
            break
        done += 1
    return done


@as_product("open data")
def due_quarter(*, now: datetime) -> Quarter | None:
    """The quarter to publish next, once it has been closed for long enough."""
    latest = Edition.objects.order_by("-period").values_list("period", flat=True).first()
    last = Quarter.of(timezone.localdate(now - timedelta(days=DAYS_AFTER_CLOSE))).before
    if latest is not None and latest >= str(last):
        return None
    published = Quarter.parse(latest) if latest else None
    if published is not None:
        return published.next
    first = Referral.objects.aggregate(first=Min("treated_on"))["first"]
    quarter = Quarter.of(first) if first else None
    return quarter if quarter is not None and quarter <= last else None


@as_product("open data")
def publish(quarter: Quarter, *, now: datetime) -> bool:
    """Freeze the quarter's first version; False when another process just has."""
    with transaction.atomic():
        columns = columns_of(count_quarter(quarter, until=now))
        try:
            with transaction.atomic():
                edition = _edition(quarter, 1, now=now, reason="")
        except IntegrityError:
            return False
        _store(edition, columns)
    return True


@as_product("open data")
def correct(quarter: Quarter, *, reason: str, now: datetime, dry_run: bool = False) -> Correction:
    """Publish the quarter anew, counted as of now. Raises :class:`InvalidInput`.

    What was hidden stays hidden, and a column that changed by fewer than five stays as it was.
    """
    if not reason.strip() or len(reason) > LONGEST_REASON or "\x00" in reason:
        raise InvalidInput(_("Skriv skälet till rättelsen, högst 300 tecken."))
    with transaction.atomic():
        editions = Edition.objects.filter(period=str(quarter)).order_by("-version")
        latest = editions.select_for_update().first()
        if latest is None:
            raise InvalidInput(_("Kvartalet är inte publicerat."))
        before = stored_columns(latest)
        counted = count_quarter(quarter, until=now)
        for area in _areas(before.values()):
            counted.setdefault(area, Counted())
        columns = columns_of(counted, before=before)
        changes = [
            (before.get(key, {}).get(area, Cell.none()), cell)
            for key, column in columns.items()
            for area, cell in column.items()
        ]
        found = Correction(
            period=str(quarter),
            version=latest.version + 1,
            changed=sum(old != new for old, new in changes),
            newly_hidden=sum(new.is_hidden and not old.is_hidden for old, new in changes),
        )
        if not found.changed:
            raise InvalidInput(
                _("Inget att rätta: inga uppgifter har ändrats, eller av färre än fem.")
            )
        if not dry_run:
            edition = _edition(quarter, found.version, now=now, reason=reason.strip())
            _store(edition, columns)
    return found


def stored_columns(edition: Edition) -> Columns:
    """What an edition published, by measure, cause and border."""
    columns: Columns = {}
    for row in edition.figures.all():
        column = columns.setdefault((row.measure, row.cause, row.border), {})
        column[row.area] = Cell(row.status, row.value, row.count, row.base)
    return columns


def _areas(columns: Iterable[dict[str, Cell]]) -> list[str]:
    return sorted({area for column in columns for area in column} - {NATION})


def _edition(quarter: Quarter, version: int, *, now: datetime, reason: str) -> Edition:
    return Edition.objects.create(
        period=str(quarter),
        version=version,
        published_at=now,
        rules_version=RULES_VERSION,
        reason=reason,
    )


def _store(edition: Edition, columns: Columns) -> None:
    PublishedFigure.objects.bulk_create(
        PublishedFigure(
            edition=edition,
            measure=measure,
            cause=cause,
            border=border,
            area=area,
            status=cell.status,
            value=cell.value,
            count=cell.count,
            base=cell.base,
        )
        for (measure, cause, border), column in columns.items()
        for area, cell in column.items()
    )
