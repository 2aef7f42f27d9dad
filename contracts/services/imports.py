"""Import of contracts from a file: every row is checked, all or nothing unless asked otherwise."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from contracts.codes import covering_codes
from contracts.files.columns import COLUMNS, CONTRACT_KEYS, LINE_KEYS, REQUIRED
from contracts.files.reading import read_rows
from contracts.files.rows import FileRow
from contracts.files.values import day_of, decimal_of, whole_of
from contracts.models import Contract, ContractImport, Period, Procedure
from contracts.services.registry import (
    PeriodCaps,
    PeriodFigures,
    change_contract,
    create_contract,
    lock_to_change,
    put_line,
    record_change,
    set_period_caps,
)
from organisations.access import Actor
from organisations.errors import DomainError, NotAllowed
from organisations.models import CareUnit, MedicalArea, Provider, Region, Role

DATES = frozenset({"valid_from", "valid_to"})
AMOUNTS = frozenset({column.key for column in COLUMNS if column.key.endswith("_sek")})
WHOLE = frozenset(
    {
        *("option_years", "notice_months", "asa_ceiling", "age_min", "age_max"),
        *(column.key for column in COLUMNS if column.key.endswith("_volume")),
    }
)
ZERO_WHEN_EMPTY = frozenset({"option_years", "notice_months"})


@dataclass
class Row(FileRow):
    """One row of the file, and whether it was stored."""

    stored: bool = False

    @property
    def contract(self) -> str:
        return self.cells.get("number", "")[:40]


class _NotAll(Exception):
    """Something did not hold and all or nothing was asked for."""


def import_contracts(
    *, name: str, content: bytes, good_rows_only: bool, actor: Actor, now: datetime
) -> ContractImport:
    """Make and change the actor's region's contracts from a CSV or XLSX file.

    A contract that exists is changed, and so are its lines for the same unit and code; lines and
    columns that the file does not have are left alone. Without ``good_rows_only`` nothing is
    stored unless every row holds. The report is kept either way. Raises :class:`InvalidInput` when
    the file cannot be read at all.
    """
    if actor.role != Role.CONTRACT_OWNER or not actor.region:
        raise NotAllowed(_("Bara regionens avtalsägare läser in avtal."))
    rows = [Row(number, cells) for number, cells in read_rows(content)]
    known = _Known(rows)
    for row in rows:
        _interpret(row, known)
    _check_together(rows)
    try:
        with transaction.atomic():
            _store(rows, actor=actor, now=now)
            if not good_rows_only and any(row.errors for row in rows):
                raise _NotAll
    except _NotAll:
        for row in rows:
            row.stored = False
    return ContractImport.objects.create(
        region_id=actor.region,
        made_at=now,
        made_by=actor.name[:120],
        file_name=name.replace("\x00", "")[-150:] or _("fil"),
        good_rows_only=good_rows_only,
        rows=len(rows),
        stored=sum(row.stored for row in rows),
        report=[
            {
                "row": row.number,
                "contract": row.contract,
                "outcome": _outcome(row),
                "errors": row.errors,
            }
            for row in rows
        ],
    )


def _outcome(row: Row) -> str:
    if row.stored:
        return _("inläst")
    return _("fel") if row.errors else _("inte inläst, andra rader har fel")


class _Known:
    """What the file may refer to, read once for all rows."""

    def __init__(self, rows: list[Row]) -> None:
        def named(key: str) -> set[str]:
            return {row.cells.get(key, "") for row in rows}

        numbers = {text.replace("-", "").replace(" ", "") for text in named("provider")}
        self.providers: dict[str, list[Provider]] = {}
        for provider in Provider.objects.filter(organisation_number__in=numbers):
            self.providers.setdefault(provider.organisation_number, []).append(provider)
        self.units = {u.hsa_id: u for u in CareUnit.objects.filter(hsa_id__in=named("care_unit"))}
        self.regions = {region.code: region for region in Region.objects.all()}
        self.areas = {area.mvo: area for area in MedicalArea.objects.all()}
        codes = {code for kva in named("kva") if len(kva) > 2 for code in covering_codes(kva)}
        self.procedures = set(Procedure.objects.filter(kva__in=codes).values_list("kva", flat=True))


def _interpret(row: Row, known: _Known) -> None:
    """Turn the cells into values; every fault becomes a text on the row."""
    for key in (*CONTRACT_KEYS, *LINE_KEYS):
        text = row.cells.get(key, "")
        if not text:
            if key in REQUIRED:
                row.errors.append(_("%(key)s saknas.") % {"key": _heading(key)})
            elif key in ZERO_WHEN_EMPTY:
                row.values[key] = 0
            elif key in DATES | AMOUNTS | WHOLE:
                row.values[key] = None
            elif key == "medical_areas":
                row.values[key] = []
            elif key == "reimbursement_principle":
                row.values[key] = Contract.Reimbursement.OTHER
            else:
                row.values[key] = ""
            continue
        try:
            row.values[key] = _value(key, text, known)
        except ValueError as error:
            row.errors.append(f"{_heading(key)}: {error}")


def _value(key: str, text: str, known: _Known) -> Any:
    if key in DATES:
        return day_of(text)
    if key in AMOUNTS:
        return _amount(text)
    if key in WHOLE:
        return whole_of(text)
    if key == "provider":
        found = known.providers.get(text.replace("-", "").replace(" ", ""), [])
        if len(found) != 1:
            raise ValueError(_("ingen vårdgivare har numret %(text)s.") % {"text": text})
        return found[0]
    if key == "care_unit":
        if text not in known.units:
            raise ValueError(_("ingen enhet har HSA-id %(text)s.") % {"text": text})
        return known.units[text]
    if key == "regions_allowed":
        return _several(text, known.regions)
    if key == "medical_areas":
        return _several(text, known.areas)
    if key == "contract_type":
        return _choice(text, Contract.Type)
    if key == "reimbursement_principle":
        return _choice(text, Contract.Reimbursement)
    return text.upper() if key == "kva" else text


def _choice(text: str, choices: Any) -> str:
    """By its code or its Swedish words."""
    for choice in choices:
        if text.casefold() in {choice.value, str(choice.label).casefold()}:
            return str(choice.value)
    names = ", ".join(str(label) for label in choices.labels)
    raise ValueError(_("välj något av %(names)s.") % {"names": names})


def _several(text: str, known: dict[str, Any]) -> list[Any]:
    codes = text.replace(",", " ").split()
    unknown = [code for code in codes if code not in known]
    if unknown:
        raise ValueError(_("okänd kod %(codes)s.") % {"codes": ", ".join(unknown)})
    return [known[code] for code in codes]


def _amount(text: str) -> Decimal:
    wrong = _("%(text)s är inget belopp.") % {"text": text[:40]}
    try:
        value = decimal_of(text)
    except ValueError:
        raise ValueError(wrong) from None
    if not 0 <= value < 10**10:
        raise ValueError(wrong)
    return value.quantize(Decimal("0.01"))


def _heading(key: str) -> str:
    return next(column.heading for column in COLUMNS if column.key == key)


def _check_together(rows: Iterable[Row]) -> None:
    """Rows of one contract say the same of it, and name each unit and code once."""
    first: dict[str, Row] = {}
    seen: dict[tuple[str, str, str], int] = {}
    for row in rows:
        known = first.setdefault(row.contract, row)
        for key in CONTRACT_KEYS:
            if row.cells.get(key, "") != known.cells.get(key, ""):
                row.errors.append(
                    _("%(key)s är inte detsamma som på rad %(row)s i samma avtal.")
                    % {"key": _heading(key), "row": known.number}
                )
        line = (row.contract, row.cells.get("care_unit", ""), row.cells.get("kva", "").upper())
        if line in seen:
            row.errors.append(
                _("Samma enhet och kod står redan på rad %(row)s.") % {"row": seen[line]}
            )
        seen.setdefault(line, row.number)


def _store(rows: list[Row], *, actor: Actor, now: datetime) -> None:
    """Store each contract with its good rows; one that is refused leaves nothing behind."""
    by_contract: dict[str, list[Row]] = {}
    for row in rows:
        if not row.errors:
            by_contract.setdefault(row.contract, []).append(row)
    for number, good in by_contract.items():
        try:
            with transaction.atomic():
                contract = _store_contract(number, good[0], actor=actor, now=now)
                locked = lock_to_change(contract, actor=actor)
                today = timezone.localdate(now)
                stored = [_store_line(locked, row, today=today) for row in good]
                if not any(stored):
                    raise _NotAll
                record_change(locked, why=_("Rader inlästa från fil."), actor=actor, now=now)
        except DomainError as error:
            for row in good:
                row.errors.append(str(error.message))
        except _NotAll:
            continue
        else:
            for row, is_stored in zip(good, stored, strict=True):
                row.stored = is_stored


def _store_contract(number: str, row: Row, *, actor: Actor, now: datetime) -> Contract:
    values = {key: row.values[key] for key in CONTRACT_KEYS}
    caps = _period_caps(row)
    existing = Contract.objects.filter(number=number).first()
    if existing is None:
        return create_contract(values, actor=actor, now=now, period_caps=caps)
    told = {key: value for key, value in values.items() if key in row.cells}
    why = _("Inläst från fil.")
    return change_contract(existing, told, why=why, actor=actor, now=now, period_caps=caps)


def _period_caps(row: Row, prefix: str = "") -> PeriodCaps:
    """The period caps that the file has a column for."""
    return {
        period: PeriodFigures(
            row.values[f"{prefix}{period}_volume"], row.values[f"{prefix}{period}_sek"]
        )
        for period in Period
        if {f"{prefix}{period}_volume", f"{prefix}{period}_sek"} & row.cells.keys()
    }


def _store_line(contract: Contract, row: Row, *, today: date) -> bool:
    unit, kva = row.values["care_unit"], row.values["kva"]
    line = contract.lines.filter(care_unit=unit, kva=kva).first()
    # ``line_cap_volume`` in the file is the line's own ``cap_volume``.
    values = {
        key.removeprefix("line_"): row.values[key]
        for key in LINE_KEYS
        if line is None or key in row.cells
    } | {"is_active": True}
    try:
        with transaction.atomic():
            line = put_line(contract, line, values)
            set_period_caps(line, _period_caps(row, "line_"), today=today)
    except DomainError as error:
        row.errors.append(str(error.message))
        return False
    return True
