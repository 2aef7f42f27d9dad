"""Reading in a file of figures."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from organisations.access import Actor, as_product
from organisations.errors import InvalidInput, NotAllowed
from organisations.models import Region, Role
from organisations.uploads import safe_name
from statistics.performance.files import FigureRow, read_figures
from statistics.performance.models import PerformanceFigure, PerformanceImport

MAY_IMPORT = frozenset({Role.MANAGER, Role.REGION_ADMIN})


@dataclass(frozen=True)
class ImportOutcome:
    """What became of a file. Without ``made`` nothing was stored."""

    made: PerformanceImport | None
    faulty: list[FigureRow]
    rows: int


@transaction.atomic
def import_figures(
    content: bytes, *, name: str, good_rows_only: bool, actor: Actor, now: datetime
) -> ImportOutcome:
    """Store every row of the file, or with ``good_rows_only`` those that hold; else none.

    A row takes the place of what was stored for its month and measure. Raises
    :class:`InvalidInput` when the file cannot be read at all.
    """
    if actor.role not in MAY_IMPORT or not actor.region:
        raise NotAllowed(_("Din roll läser inte in mått."))
    with as_product("statistics"):
        # One at a time for a region, so that two files do not meet in the same rows.
        region = Region.objects.select_for_update(no_key=True).get(code=actor.region)
        rows = read_figures(content, region=region, today=timezone.localdate(now))
        if not rows:
            text = _("Filen har inga rader under rubrikerna.")
            raise InvalidInput(text, fields={"file": text})
        faulty = [row for row in rows if row.errors]
        good = [row for row in rows if not row.errors]
        if not good or (faulty and not good_rows_only):
            return ImportOutcome(None, faulty, len(rows))
        made = PerformanceImport.objects.create(
            region=region,
            made_at=now,
            made_by=actor.name[:150],
            file_name=safe_name(name, otherwise="mått"),
            rows=len(rows),
            stored=len(good),
        )
        PerformanceFigure.objects.bulk_create(
            [_figure(row, made) for row in good],
            update_conflicts=True,
            unique_fields=["region", "month", "measure"],
            update_fields=["numerator", "denominator", "pot_sek", "source"],
        )
        return ImportOutcome(made, faulty, len(rows))


def _figure(row: FigureRow, made: PerformanceImport) -> PerformanceFigure:
    if row.month is None:
        raise ValueError(row.number)  # a row without a month has errors
    return PerformanceFigure(
        region=made.region,
        month=row.month,
        measure=row.measure,
        numerator=row.numerator,
        denominator=row.denominator,
        pot_sek=row.pot,
        source=made,
    )
