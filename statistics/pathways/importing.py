"""A file of limits or counts is read in: all or nothing, or the rows that hold."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Model
from django.utils import timezone
from django.utils.translation import gettext as _

from contracts.files.rows import FileRow
from organisations.access import Actor, as_product
from organisations.masking import masked
from organisations.models import Region
from organisations.uploads import safe_name
from statistics.pathways.files import key_of, read_file
from statistics.pathways.models import InclusionCount, LeadTimeCount, PathwayFile, PathwayLimit
from statistics.pathways.services import locked, region_of, signed

MODELS: tuple[type[Model], ...] = (PathwayLimit, InclusionCount, LeadTimeCount)


@transaction.atomic
def import_file(
    content: bytes, *, kind: str, name: str, good_rows_only: bool, actor: Actor, now: datetime
) -> PathwayFile:
    """Take the file's rows, or with ``good_rows_only`` those that hold; else none that has faults.

    A row that says what holds already adds nothing. What is wrong stands in the returned row, also
    when nothing was read in. Raises :class:`InvalidInput` when the file cannot be read at all.
    """
    code = region_of(actor)
    with as_product("pathway file"):
        region = locked(code)
        rows = read_file(content, kind=kind, today=timezone.localdate(now))
        faulty = [row for row in rows if row.errors]
        good = [row for row in rows if not row.errors]
        if faulty and not good_rows_only:
            good = []
        news = _news(good, region)
        changed = {row.number for row, _model, _told in news}
        made = PathwayFile.objects.create(
            region=region,
            kind=kind,
            file_name=safe_name(name, otherwise=_("fil")),
            good_rows_only=good_rows_only,
            rows=len(rows),
            stored=len(changed),
            unchanged=len(good) - len(changed),
            faults=[[row.number, [masked(text)[:300] for text in row.errors]] for row in faulty],
            made_at=now,
            made_by=actor.name[:120],
        )
        for model in MODELS:
            _store(model, [told for _row, of, told in news if of is model], made, actor)
        return made


def _store(model: type[Any], told: list[dict[str, Any]], made: PathwayFile, actor: Actor) -> None:
    """Added below what held before, which stays."""
    whose = {"region": made.region, "file": made} | signed(actor, now=made.made_at)
    model.objects.bulk_create(model(**one, **whose) for one in told)


def _news(
    rows: Iterable[FileRow], region: Region
) -> list[tuple[FileRow, type[Model], dict[str, Any]]]:
    """What the rows tell that does not hold already."""
    found: list[tuple[FileRow, type[Model], dict[str, Any]]] = []
    holding = {model: _holding(model, region) for model in MODELS}
    for row in rows:
        for model in MODELS:
            told = row.values.get(model.__name__)
            if told is None:
                continue
            before = holding[model].get(key_of(told))
            if before is None or any(before[name] != value for name, value in told.items()):
                found.append((row, model, told))
    return found


def _holding(model: type[Any], region: Region) -> dict[tuple[str, ...], dict[str, Any]]:
    """What holds in the region by what it is about."""
    rows = model.objects.filter(region=region).holding().values()
    return {key_of(row): row for row in rows}
