"""No export of the product holds anything that a spreadsheet runs."""

import ast
import csv
import io
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import openpyxl
import pytest
from django.urls import reverse
from django.utils import timezone

from contracts.models import Contract, ContractImport
from notices.letter_files import INDEX_NAME, Printed, write_index
from organisations.models import CareUnit, Region
from organisations.spreadsheets import csv_bytes, safe
from referral import services
from referral.models import CaseState
from referral.waiting_list_file.services import hand_in
from statistics.models import FigureCorrection, FrozenFigure, FrozenMonth, MonthDue, Recount
from statistics.months import Month
from statistics.open_data.quarters import Quarter
from statistics.open_data.services import publish
from statistics.pathways.halves import HalfYear
from statistics.pathways.services import enter_inclusion
from statistics.waiting_times.services import deliver_own
from tests.access.world import whole_case
from tests.factories import (
    CareUnitFactory,
    ContractLineFactory,
    RegionFactory,
    contract_owner_actor,
    make_case,
    manager_actor,
    navigator_actor,
    region_admin_actor,
    stockholm,
    submission,
    user_of,
)
from tests.notices.campaigns.parts import campaign_with
from tests.statistics.waiting_times.files import delivered
from tests.waiting_lists import cells_of, csv_list

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parents[2]
STARTS = ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"]
TEXTS = [f"{start}HYPERLINK(1)" for start in STARTS] + ["http://a.example/", "external:C:\\x.exe"]
Link = tuple[Any, str]


def contracts(text: str, kind: str) -> Link:
    region = RegionFactory()
    ContractLineFactory(contract__title=text, contract__owner_region=region, included=text)
    return contract_owner_actor(region), reverse("contracts-export", args=[kind])


def import_report(text: str, kind: str) -> Link:
    region = RegionFactory()
    row = {"row": 2, "contract": text, "outcome": text, "errors": [text]}
    made = ContractImport.objects.create(
        region=region,
        made_at=timezone.now(),
        made_by="x",
        file_name=text,
        good_rows_only=False,
        rows=1,
        stored=0,
        report=[row],
    )
    return contract_owner_actor(region), reverse("contract-import-file", args=[made.pk, kind])


def statistics(text: str, kind: str) -> Link:
    region = RegionFactory()
    CareUnitFactory(region=region, sends=True, name=text)
    return manager_actor(region), reverse(f"statistics-{kind}")


def guarantee(text: str, kind: str) -> Link:
    region = RegionFactory()
    CareUnitFactory(region=region, sends=True, name=text)
    return manager_actor(region), reverse(f"guarantee-{kind}")


def performance(text: str, kind: str) -> Link:
    region = RegionFactory()
    Region.objects.filter(pk=region.pk).update(name=text[:80])
    return manager_actor(region), reverse(f"performance-{kind}")


def dashboard(text: str, kind: str) -> Link:
    made = make_case(CaseState.IN_PROGRESS, asa=4)
    CareUnit.objects.filter(pk=made.unit.pk).update(name=text)
    return manager_actor(made.unit.region), reverse("dashboard-file", args=[kind])


def frozen_month(text: str, kind: str) -> Link:
    """A new version of a month whose group, key and reason are the text."""
    region, now, day = RegionFactory(), timezone.now(), date(2026, 3, 1)
    MonthDue.objects.get_or_create(region=region, first_day=day)
    frozen = FrozenMonth.objects.create(
        region=region,
        first_day=day,
        version=FrozenMonth.objects.count() + 1,
        rules="x",
        due_on=day,
        frozen_at=now,
        reason=text,
        actor_name=text,
        role="system",
    )
    figure = {"dimension": "region", "key": text, "label": text, "measure": "received"}
    FrozenFigure.objects.create(frozen=frozen, n=7, value=7, **figure)
    recount = Recount.objects.create(frozen=frozen, counted_at=now, rules="x", why=["unknown"])
    FigureCorrection.objects.create(recount=recount, n_before=7, n_after=8, **figure)
    return navigator_actor(region), reverse("frozen-file", args=["2026-03", kind])


def log_extract(text: str, kind: str) -> Link:
    made = whole_case()
    CareUnit.objects.filter(pk=made.unit.pk).update(name=text)
    admin = region_admin_actor(made.unit.region)
    return admin, reverse("log-extract-file", args=[made.case.number, kind])


def allocation(text: str, kind: str) -> Link:
    made = make_case(CaseState.IN_PROGRESS)
    CareUnit.objects.filter(pk=made.unit.pk).update(name=text)
    run = services.request_allocation(clinics=[made.unit], actor=made.navigator, now=timezone.now())
    return made.navigator, reverse("allocation-file", args=[run.pk, kind])


def waiting_list(text: str, kind: str) -> Link:
    made = make_case(CaseState.IN_PROGRESS)
    cells = cells_of(submission()) | {"free_text": f"'{text}", "asa": "6"}
    kept = hand_in(
        csv_list([cells]),
        name="x",
        sending_unit=made.unit,
        to_store=False,
        actor=made.clinic,
        now=timezone.now(),
    )
    return made.clinic, reverse("waiting-list-report", args=[kept.pk, kind])


def campaign(text: str, kind: str) -> Link:
    made = make_case(CaseState.IN_PROGRESS)
    found = campaign_with(made, name=text)
    return made.navigator, reverse("campaign-file", args=[found.pk, kind])


def costs(text: str, kind: str) -> Link:
    made = make_case(CaseState.TREATED)
    Contract.objects.filter(pk=made.line.contract_id).update(number=text[:40])
    return made.navigator, reverse("contract-costs-file", args=[kind])


def own_waiting_times(text: str, kind: str) -> Link:
    """A month's file has codes and ids only; a name that is a formula does not come into it."""
    now = timezone.now()
    made = make_case(CaseState.IN_PROGRESS, now=now - timedelta(days=40))
    CareUnit.objects.filter(pk=made.unit.pk).update(name=text)
    admin = region_admin_actor(made.unit.region)
    month = Month.of(timezone.localdate(now)).back(1)
    found = deliver_own(month, actor=admin, now=now)
    return admin, reverse("waiting-times-file", args=[found.number])


def waiting_time_faults(text: str, kind: str) -> Link:
    admin = region_admin_actor(RegionFactory())
    found = delivered("x", admin, yrkesgrupp=text)
    return admin, reverse("waiting-times-faults", args=[found.number])


def open_data(text: str, kind: str) -> Link:
    """Meant for programs, with commas; a spreadsheet opens it all the same."""
    made = make_case(CaseState.CLOSED, now=stockholm(2026, 3, 10, 12))
    Region.objects.filter(pk=made.unit.region_id).update(name=text[:80])
    publish(Quarter(2026, 1), now=stockholm(2026, 6, 1, 12))
    return made.navigator, reverse("open-data-file", args=[kind])


def pathways(text: str, kind: str) -> Link:
    made = make_case(
        CaseState.CLOSED,
        svf=True,
        svf_pathway="lungcancer",
        suspicion_date=timezone.localdate() - timedelta(days=20),
    )
    Region.objects.update(short_name=text[:40])
    enter_inclusion(
        period=str(HalfYear.of(timezone.localdate())),
        new_cases=9,
        included=8,
        source=text,
        actor=region_admin_actor(made.unit.region),
        now=timezone.now(),
    )
    return made.navigator, reverse(f"pathways-{kind}")


def own_counts(text: str, kind: str) -> Link:
    """A region's own counts of cancer pathways, in the form that is read in again."""
    admin = region_admin_actor(RegionFactory())
    enter_inclusion(
        period="2026H1", new_cases=9, included=8, source=text, actor=admin, now=timezone.now()
    )
    return admin, reverse("pathway-told", args=["counts", kind])


EXPORTS: dict[str, tuple[Callable[[str, str], Link], str]] = {
    "contracts/files/writing.py: contracts as CSV": (contracts, "csv"),
    "contracts/files/writing.py: contracts as XLSX": (contracts, "xlsx"),
    "contracts/files/writing.py: report as CSV": (import_report, "csv"),
    "contracts/files/writing.py: report as XLSX": (import_report, "xlsx"),
    "contracts/files/writing.py: own cancer counts as CSV": (own_counts, "csv"),
    "contracts/files/writing.py: own cancer counts as XLSX": (own_counts, "xlsx"),
    "contracts/files/writing.py: costs as CSV": (costs, "csv"),
    "contracts/files/writing.py: costs as XLSX": (costs, "xlsx"),
    "statistics/dashboards/exports.py: CSV": (dashboard, "csv"),
    "statistics/dashboards/exports.py: XLSX": (dashboard, "xlsx"),
    "statistics/exports.py: CSV": (statistics, "csv"),
    "statistics/exports.py: XLSX": (statistics, "xlsx"),
    "statistics/guarantee/exports.py: CSV": (guarantee, "csv"),
    "statistics/guarantee/exports.py: XLSX": (guarantee, "xlsx"),
    "statistics/performance/views.py: CSV": (performance, "csv"),
    "statistics/frozen/exports.py: CSV": (frozen_month, "csv"),
    "statistics/frozen/exports.py: XLSX": (frozen_month, "xlsx"),
    "statistics/pathways/exports.py: CSV": (pathways, "csv"),
    "statistics/pathways/exports.py: XLSX": (pathways, "xlsx"),
    "statistics/open_data/files.py: CSV": (open_data, "csv"),
    "referral/views/log_extract.py: CSV": (log_extract, "csv"),
    "notices/campaigns/result_views.py: CSV": (campaign, "csv"),
    "notices/campaigns/result_views.py: XLSX": (campaign, "xlsx"),
    "referral/views/allocation.py: CSV": (allocation, "csv"),
    "referral/views/allocation.py: XLSX": (allocation, "xlsx"),
    "referral/waiting_list_file/writing.py: CSV": (waiting_list, "csv"),
    "referral/waiting_list_file/writing.py: XLSX": (waiting_list, "xlsx"),
    "statistics/waiting_times/own_file.py: CSV": (own_waiting_times, "csv"),
    "statistics/waiting_times/report.py: CSV": (waiting_time_faults, "csv"),
}


def test_every_module_that_writes_spreadsheets_is_tried_here():
    """A new export without an entry fails."""
    writers, exporters = set(), set()
    for path in ROOT.glob("*/**/*.py"):
        name = path.relative_to(ROOT).as_posix()
        if name.startswith(("tests/", "benchmarks/", ".", "var/", "notices/simulator/")):
            continue
        text = path.read_text()
        names = {
            alias.name
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        }
        if "csv.writer" in text or "csv.DictWriter" in text:
            writers.add(name)
        if names & {"csv_bytes", "row_writer", "safe", "xlsxwriter"} or "openpyxl.Workbook" in text:
            exporters.add(name)
    assert writers == {
        *("organisations/spreadsheets.py", "notices/letter_files.py"),
        "statistics/open_data/files.py",
    }
    assert exporters == {name.split(":")[0] for name in EXPORTS} | {"notices/letter_files.py"}


@pytest.mark.parametrize("name", EXPORTS)
def test_a_text_that_begins_as_a_formula_comes_out_as_text(name, client):
    make, kind = EXPORTS[name]
    for text in TEXTS if name != "referral/views/log_extract.py: CSV" else TEXTS[:3]:
        actor, address = make(text, kind)
        client.force_login(user_of(actor))
        answer = client.get(address)
        assert answer.status_code == 200
        assert answer["Content-Disposition"].startswith("attachment;")
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert_only_text(answer.content, kind)


@pytest.mark.parametrize("text", TEXTS)
def test_the_index_of_printed_letters_holds_no_formula(text, tmp_path):
    patient = SimpleNamespace(full_name=text, is_protected=False)
    letter: Any = SimpleNamespace(
        pk=1, case=SimpleNamespace(number="13-26-000001-7", patient=patient)
    )
    write_index(tmp_path, [Printed(letter, pages=1, sha256="")])
    with (tmp_path / INDEX_NAME).open(newline="") as index:
        names = [row[4] for row in csv.reader(index, delimiter=";")]
    assert names[1] == (f"'{text}" if text.startswith(tuple(STARTS)) else text)


def assert_only_text(content: bytes, kind: str) -> None:
    if kind == "csv":
        text = content.decode("utf-8-sig")
        delimiter = ";" if ";" in text.partition("\n")[0] else ","
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        cells = [cell for row in rows for cell in row]
        assert cells
        assert not [cell for cell in cells if cell.startswith(tuple(STARTS)) and not number(cell)]
        return
    book = openpyxl.load_workbook(io.BytesIO(content))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert not [cell.value for cell in cells if cell.data_type == "f" or cell.hyperlink]


def number(text: str) -> bool:
    try:
        return bool(Decimal(text.replace(",", ".")).is_finite())
    except ArithmeticError:
        return False


def test_numbers_stay_numbers():
    assert csv_bytes(["a", "b"], [[-3, -1.5]]).endswith(b"\r\n-3;-1,5\r\n")
    assert safe("-3") == "'-3"
