"""Write contracts, and the report of an import, as CSV or XLSX."""

import io
from collections.abc import Iterable
from typing import Any

import xlsxwriter
from django.db.models import prefetch_related_objects
from django.utils.translation import gettext as _

from contracts.files.columns import COLUMNS
from contracts.models import Contract, ContractImport, ContractLine, Period
from organisations.spreadsheets import XLSX_OPTIONS, csv_bytes


def contract_rows(contracts: Iterable[Contract]) -> list[list[Any]]:
    """The headings and a row for each line, in the form that the import reads."""
    contracts = list(contracts)
    prefetch_related_objects(contracts, "period_caps", "lines__period_caps")
    rows: list[list[Any]] = [[column.heading for column in COLUMNS]]
    for contract in contracts:
        of_contract = _contract_cells(contract)
        for line in contract.lines.all():
            cells = of_contract | _line_cells(line)
            rows.append([cells[column.key] for column in COLUMNS])
    return rows


def report_rows(made: ContractImport) -> list[list[Any]]:
    """The headings and a row for each row of the imported file, with what became of it."""
    head = [_("rad"), _("avtalsnummer"), _("utfall"), _("fel")]
    return [
        head,
        *([r["row"], r["contract"], r["outcome"], " ".join(r["errors"])] for r in made.report),
    ]


def csv_file(rows: Iterable[list[Any]]) -> bytes:
    """Semicolons, decimal comma and a byte-order mark: opens in a Swedish spreadsheet."""
    headings, *others = rows
    return csv_bytes(headings, ([_csv_cell(cell) for cell in row] for row in others))


def xlsx_file(rows: Iterable[list[Any]], *, sheet: str) -> bytes:
    """One sheet; text is written as text, so that nothing becomes a formula or a link."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, XLSX_OPTIONS)
    bold = book.add_format({"bold": True})
    page = book.add_worksheet(sheet)
    page.set_column(0, len(COLUMNS), 18)
    for number, row in enumerate(rows):
        for column, cell in enumerate(row):
            if isinstance(cell, str):
                page.write_string(number, column, cell, bold if number == 0 else None)
            elif cell is not None:
                page.write(number, column, cell)
    page.freeze_panes(1, 0)
    book.close()
    return out.getvalue()


def _contract_cells(contract: Contract) -> dict[str, Any]:
    return {
        "number": contract.number,
        "title": contract.title,
        "provider": contract.provider.organisation_number,
        "contract_type": contract.get_contract_type_display(),
        "reimbursement_principle": contract.get_reimbursement_principle_display(),
        "reimbursement": contract.reimbursement,
        "valid_from": contract.valid_from.isoformat(),
        "valid_to": contract.valid_to.isoformat(),
        "option_years": contract.option_years,
        "notice_months": contract.notice_months,
        "medical_areas": " ".join(area.mvo for area in contract.medical_areas.all()),
        "regions_allowed": " ".join(region.code for region in contract.regions_allowed.all()),
        "cap_volume": contract.cap_volume,
        "cap_sek": _number(contract.cap_sek),
    } | _period_cells(contract)


def _line_cells(line: ContractLine) -> dict[str, Any]:
    return {
        "care_unit": line.care_unit.hsa_id,
        "kva": line.kva,
        "price_sek": _number(line.price_sek),
        "included": line.included,
        "asa_ceiling": line.asa_ceiling,
        "age_min": line.age_min,
        "age_max": line.age_max,
        "line_cap_volume": line.cap_volume,
        "line_cap_sek": _number(line.cap_sek),
    } | _period_cells(line, "line_")


def _period_cells(capped: Contract | ContractLine, prefix: str = "") -> dict[str, Any]:
    caps = {cap.period: cap for cap in capped.period_caps.all()}
    cells: dict[str, Any] = {}
    for period in Period:
        cap = caps.get(period)
        cells[f"{prefix}{period}_volume"] = cap.cap_volume if cap else None
        cells[f"{prefix}{period}_sek"] = _number(cap.cap_sek) if cap else None
    return cells


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _csv_cell(cell: Any) -> Any:
    if cell is None:
        return ""
    if isinstance(cell, float):
        return f"{cell:.2f}".replace(".", ",")
    return cell
