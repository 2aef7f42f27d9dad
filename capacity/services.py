"""What changes waiting times and the weights of matching."""

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from capacity.files import COLUMNS, MAX_ROWS, REQUIRED
from capacity.matching.scores import CRITERIA, names
from capacity.matching.weights import history_of
from capacity.models import OWN_SOURCE, MatchingWeights, WaitingTime, WaitingTimeFile
from capacity.shortened import Shortened
from contracts.codes import covering_codes, validate_kva
from contracts.files.reading import read_rows
from contracts.files.rows import FileRow
from contracts.files.values import day_of, decimal_of, whole_of
from organisations.access import Actor
from organisations.administration.log import Verb, record
from organisations.errors import InvalidInput, NotAllowed, WrongState
from organisations.models import CareUnit, Region, Role

MEASURES = (
    *("done", "median_days", "p80_days"),
    *("asa34_percent", "general_anaesthesia_percent"),
)
KEYS = ("care_unit_id", "kva", "day", "source", "need_within_days")
MAX_DAYS = 3650
MAX_DONE = 100_000
# What is older says nothing that a page shows.
MAX_AGE = timedelta(days=5 * 366)
BATCH = 5000


@transaction.atomic
def import_waiting_times(
    content: bytes, *, name: str, source: str, made_by: str, now: datetime
) -> WaitingTimeFile:
    """Store the file's good rows and report the others; the same file again changes nothing.

    A row replaces what the same source said of the same unit, code, day and need. ``source`` is
    the register that the figures come from, as pages name it. Raises :class:`InvalidInput` when
    the file cannot be read at all.
    """
    source = " ".join(source.replace("\x00", "").split())
    if not 2 <= len(source) <= 60 or source.casefold() == OWN_SOURCE.casefold():
        text = _("Skriv registret som siffrorna kommer från, 2–60 tecken.")
        raise InvalidInput(text, fields={"source": text})
    sha256 = hashlib.sha256(content).hexdigest()
    earlier = WaitingTimeFile.objects.filter(sha256=sha256, source=source).first()
    if earlier:
        return earlier
    rows = [
        FileRow(number, cells)
        for number, cells in read_rows(
            content, columns=COLUMNS, required=REQUIRED, max_rows=MAX_ROWS
        )
    ]
    _interpret(rows, today=timezone.localdate(now))
    good = [row for row in rows if not row.errors]
    shortened = Shortened({(row.values["care_unit"], row.values["kva"]) for row in good}, now=now)
    counts = _store(good, source=source)
    shortened.tell()
    return WaitingTimeFile.objects.create(
        sha256=sha256,
        source=source,
        name=name.replace("\x00", "")[-150:] or _("fil"),
        made_at=now,
        made_by=made_by[:120],
        rows=len(rows),
        faults=[{"row": row.number, "errors": row.errors} for row in rows if row.errors],
        **counts,
    )


def _interpret(rows: list[FileRow], *, today: date) -> None:
    """Turn the cells into values; every fault becomes a text on its row."""
    named = {row.cells.get("care_unit", "").upper() for row in rows}
    units = dict(CareUnit.objects.filter(hsa_id__in=named).values_list("hsa_id", "pk"))
    seen: dict[tuple[Any, ...], int] = {}
    for row in rows:
        for column in COLUMNS:
            text = row.cells.get(column.key, "")
            if not text:
                row.values[column.key] = None
                if column.key in REQUIRED:
                    row.errors.append(_("%(key)s saknas.") % {"key": column.heading})
                continue
            try:
                row.values[column.key] = _value(column.key, text, units=units, today=today)
            except ValueError as error:
                row.errors.append(f"{column.heading}: {error}")
        if row.errors:
            continue
        if row.values["median_days"] > row.values["p80_days"]:
            row.errors.append(_("Medianen är större än 80:e percentilen."))
        key = tuple(row.values[name] for name in ("care_unit", "kva", "day", "need_within_days"))
        if key in seen:
            row.errors.append(
                _("Samma enhet, kod, dag och behov står redan på rad %(row)s.") % {"row": seen[key]}
            )
        seen.setdefault(key, row.number)


def _value(key: str, text: str, *, units: dict[str, int], today: date) -> Any:
    match key:
        case "care_unit":
            if text.upper() not in units:
                raise ValueError(_("ingen enhet har HSA-id %(text)s.") % {"text": text[:40]})
            return units[text.upper()]
        case "kva":
            try:
                validate_kva(text.upper())
            except ValidationError as error:
                raise ValueError(error.messages[0]) from None
            return text.upper()
        case "day":
            return _day(text, today=today)
        case "asa34_percent" | "general_anaesthesia_percent":
            return _percent(text)
        case "done":
            return _whole(text, least=1, most=MAX_DONE)
        case "need_within_days":
            return _whole(text, least=1, most=MAX_DAYS)
        case _:
            return _whole(text, least=0, most=MAX_DAYS)


def _day(text: str, *, today: date) -> date:
    day = day_of(text)
    if day > today:
        raise ValueError(_("dagen har inte varit än."))
    if day < today - MAX_AGE:
        raise ValueError(_("dagen är för länge sedan."))
    return day


def _whole(text: str, *, least: int, most: int) -> int:
    value = whole_of(text)
    if not least <= value <= most:
        raise ValueError(
            _("talet ska vara mellan %(least)s och %(most)s.") % {"least": least, "most": most}
        )
    return value


def _percent(text: str) -> Decimal:
    value = decimal_of(text.replace("%", ""))
    if not 0 <= value <= 100:
        raise ValueError(_("andelen ska vara mellan 0 och 100 procent."))
    return value.quantize(Decimal("0.01"))


def _store(rows: Iterable[FileRow], *, source: str) -> dict[str, int]:
    """Add and change rows; returns how many were added, changed and already so."""
    new = [
        WaitingTime(
            care_unit_id=row.values["care_unit"],
            source=source,
            **{name: row.values[name] for name in ("kva", "day", "need_within_days", *MEASURES)},
        )
        for row in rows
    ]
    days = [time.day for time in new]
    known: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    if days:
        known = {
            found[:5]: found[5:]
            for found in WaitingTime.objects.filter(
                source=source, day__range=(min(days), max(days))
            ).values_list(*KEYS, *MEASURES)
        }
    counts = {"added": 0, "changed": 0, "unchanged": 0}
    differing = []
    for time in new:
        before = known.get(tuple(getattr(time, name) for name in KEYS))
        if before == tuple(getattr(time, name) for name in MEASURES):
            counts["unchanged"] += 1
            continue
        counts["added" if before is None else "changed"] += 1
        differing.append(time)
    WaitingTime.objects.bulk_create(
        differing,
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=["care_unit", "kva", "day", "source", "need_within_days"],
        update_fields=MEASURES,
    )
    return counts


def put_own_waits(unit: CareUnit, *, kva: str, day: date, waits: Sequence[int], asa34: int) -> None:
    """What Vårdlots' own cases say of a unit, a code and a day; said again it replaces.

    ``waits``: days from decision to treatment, one for each patient; ``asa34``: how many of the
    patients were of ASA class 3 or 4.
    """
    key: dict[str, Any] = {
        "care_unit": unit,
        "kva": covering_codes(kva)[-1],
        "day": day,
        "source": OWN_SOURCE,
    }
    if not waits:
        WaitingTime.objects.filter(**key).delete()
        return
    ordered = sorted(waits)
    WaitingTime.objects.update_or_create(
        **key,
        need_within_days=None,
        defaults={
            "done": len(ordered),
            "median_days": ordered[(len(ordered) - 1) // 2],
            "p80_days": ordered[math.ceil(len(ordered) * 0.8) - 1],
            "asa34_percent": Decimal(100 * asa34 / len(ordered)).quantize(Decimal("0.01")),
        },
    )


@transaction.atomic
def change_weights(
    values: Mapping[str, int], *, why: str, seen_version: int, actor: Actor, now: datetime
) -> MatchingWeights:
    """New weights for the actor's region, by its administrator; older ones stay as history.

    ``values`` holds a whole number of per cent for each criterion, 100 together. Raises
    :class:`WrongState` when somebody has changed them since ``seen_version``.
    """
    if actor.role != Role.REGION_ADMIN or not actor.region:
        raise NotAllowed(_("Bara regionens administratör ändrar vikterna."))
    _check_weights(values, why=why)
    # One at a time for each region: the next version follows the one that was seen.
    region = Region.objects.select_for_update(no_key=True).get(code=actor.region)
    newest = history_of(region.code).first()
    version = newest.version if newest else 0
    if version != seen_version:
        raise WrongState(
            _("Vikterna har ändrats av någon annan. Läs in sidan på nytt och gör om ändringen."),
            code="weights_changed",
        )
    made = MatchingWeights.objects.create(
        region=region,
        version=version + 1,
        changed_at=now,
        changed_by=actor.name[:120],
        why=why.strip(),
        **{name: values[name] for name in CRITERIA},
    )
    record(
        Verb.REGION_CHANGED,
        actor=actor,
        now=now,
        subject=region.name,
        region=region.code,
        details={_("matchningens vikter"): weights_in_words(values), _("skäl"): why.strip()},
    )
    return made


def weights_in_words(values: Mapping[str, int]) -> str:
    return ", ".join(f"{label.lower()} {values[key]}" for key, label in names().items())


def _check_weights(values: Mapping[str, int], *, why: str) -> None:
    problems = {
        name: _("Skriv ett helt tal mellan 0 och 100.")
        for name in CRITERIA
        if not 0 <= values[name] <= 100
    }
    if not 1 <= len(why.strip()) <= 300 or "\x00" in why:
        problems["why"] = _("Skriv varför vikterna ändras, högst 300 tecken.")
    total = sum(values[name] for name in CRITERIA)
    if not problems and total != 100:
        problems[CRITERIA[-1]] = _("Vikterna blir %(total)s tillsammans. De ska bli 100.") % {
            "total": total
        }
    if problems:
        raise InvalidInput(_("Vikterna behöver rättas."), fields=problems)
