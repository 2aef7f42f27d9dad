"""Contracts from and to files: every row checked, all or nothing, nothing that runs in a sheet."""

import contextlib
import csv
import io
from decimal import Decimal

import openpyxl
import pytest
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.files.columns import COLUMNS
from contracts.files.reading import read_rows
from contracts.files.writing import contract_rows, csv_file, report_rows, xlsx_file
from contracts.models import Contract, ContractLine
from contracts.selectors import visible_contracts
from contracts.services import import_contracts
from organisations.errors import InvalidInput, NotAllowed
from tests.factories import (
    CareUnitFactory,
    ContractFactory,
    ContractLineFactory,
    MedicalAreaFactory,
    ProviderFactory,
    RegionFactory,
    contract_owner_actor,
    navigator_actor,
    stockholm,
    user_of,
)

pytestmark = pytest.mark.django_db

NOW = stockholm(2026, 3, 10, 9)


@pytest.fixture
def owner():
    return contract_owner_actor(RegionFactory())


@pytest.fixture
def unit():
    provider = ProviderFactory(organisation_number="5590000011")
    return CareUnitFactory(provider=provider, hsa_id="SE5590000011-A1")


def row(**changes: str) -> dict[str, str]:
    MedicalAreaFactory()
    return {
        "avtalsnummer": "AVT-1",
        "benämning": "Knä",
        "organisationsnummer": "559000-0011",
        "avtalstyp": "Upphandlat avtal",
        "ersättningsprincip": "per_episode",
        "gäller från": "2026-01-01",
        "gäller till": "2027-12-31",
        "mvo": "311",
        "regioner": "13",
        "tak antal": "50",
        "hsa-id": "SE5590000011-A1",
        "kvå": "ngb49",
        "pris": "80 000,50",
        "asa": "3",
        "radens tak antal": "20",
    } | changes


def table(*rows: dict[str, str]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(rows[0]), delimiter=";")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def load(owner, *rows, good_rows_only=False):
    content = rows[0] if isinstance(rows[0], bytes) else table(*rows)
    return import_contracts(
        name="avtal.csv", content=content, good_rows_only=good_rows_only, actor=owner, now=NOW
    )


def test_a_file_makes_contracts_with_their_lines(owner, unit):
    made = load(owner, row(), row(kvå="NFB49", pris="70000"), row(avtalsnummer="AVT-2"))
    assert (made.rows, made.stored) == (3, 3)
    contract = Contract.objects.get(number="AVT-1")
    assert contract.owner_region_id == owner.region
    assert [line.kva for line in contract.lines.all()] == ["NFB49", "NGB49"]
    assert contract.lines.get(kva="NGB49").price_sek == Decimal("80000.50")
    assert contract.versions.first().content["lines"][0]["kva"] == "NFB49"


def test_a_file_that_changes_nothing_makes_no_version(owner, unit):
    load(owner, row(), row(kvå="NFB49"))
    contract = Contract.objects.get()
    kept = contract.versions.count()
    load(owner, row(), row(kvå="NFB49"))
    contract.refresh_from_db()
    assert contract.version == contract.versions.count() == kept
    load(owner, row(pris="81000"))
    assert contract.versions.count() == kept + 1


def test_one_bad_row_and_nothing_is_stored(owner, unit):
    made = load(owner, row(), row(kvå="NFB49", pris="mycket"))
    assert made.stored == 0
    assert Contract.objects.count() == 0
    assert [r["row"] for r in made.report if r["errors"]] == [3]
    assert "pris: mycket är inget belopp." in made.report[1]["errors"]


def test_the_good_rows_are_stored_when_asked_for(owner, unit):
    made = load(owner, row(), row(kvå="NFB49", asa="5"), good_rows_only=True)
    assert made.stored == 1
    assert ContractLine.objects.get().kva == "NGB49"


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"avtalsnummer": ""}, "avtalsnummer saknas."),
        ({"organisationsnummer": "5590000029"}, "ingen vårdgivare"),
        ({"hsa-id": "SE1"}, "ingen enhet"),
        ({"gäller från": "1/1 2026"}, "ÅÅÅÅ-MM-DD"),
        ({"gäller till": "2025-01-01"}, "Sista dagen ligger före"),
        ({"regioner": "99"}, "okänd kod 99"),
        ({"mvo": "000"}, "okänd kod 000"),
        ({"avtalstyp": "muntligt"}, "Upphandlat avtal, Direktupphandling, Vårdval"),
        ({"tak antal": "-1"}, "inget heltal"),
        ({"kvå": "X"}, "KVÅ-kod"),
        ({"pris": "NaN"}, "inget belopp"),
        ({"pris": "0"}, "större än noll"),
        ({"asa": "9"}, "ASA-klassen"),
    ],
)
def test_what_is_wrong_is_told_by_row_and_column(owner, unit, changes, text):
    made = load(owner, row(**changes))
    assert made.stored == 0
    assert text in " ".join(made.report[0]["errors"])


def test_rows_of_one_contract_say_the_same_of_it(owner, unit):
    made = load(owner, row(), row(kvå="NFB49", benämning="Höft"))
    assert "benämning är inte detsamma som på rad 2" in made.report[1]["errors"][0]


def test_a_line_stands_once_in_the_file(owner, unit):
    made = load(owner, row(), row())
    assert "står redan på rad 2" in made.report[1]["errors"][0]


def test_another_regions_contract_is_left_alone(owner, unit):
    ContractFactory(number="AVT-1", owner_region=RegionFactory(code="14"), title="Deras")
    made = load(owner, row())
    assert made.stored == 0
    assert Contract.objects.get().title == "Deras"


def test_loading_what_was_exported_changes_nothing(owner, unit):
    load(owner, row(), row(kvå="NFB49"))
    before = contract_rows(visible_contracts(owner))
    for content in (csv_file(before), xlsx_file(before, sheet="avtal")):
        made = load(owner, content)
        assert made.stored == 2, made.report
        assert contract_rows(visible_contracts(owner)) == before


def test_period_caps_come_and_go_with_the_file(owner, unit):
    caps = {"tak per vecka antal": "3", "radens tak per månad kronor": "1 000,50"}
    made = load(owner, row(**caps))
    assert made.stored == 1, made.report
    contract = Contract.objects.get()
    assert [(c.period, c.cap_volume) for c in contract.period_caps.all()] == [("week", 3)]
    (of_line,) = contract.lines.get().period_caps.all()
    assert (of_line.period, of_line.cap_sek) == ("month", Decimal("1000.50"))
    exported = contract_rows(visible_contracts(owner))
    assert load(owner, csv_file(exported)).stored == 1
    assert contract_rows(visible_contracts(owner)) == exported
    load(owner, row(**(caps | {"tak per vecka antal": ""})))
    assert not contract.period_caps.exists()


def test_a_column_that_the_file_does_not_have_is_left_alone(owner, unit):
    load(owner, row(**{"optionsår": "2", "radens tak per år antal": "9", "ingår": "Vård."}))
    lean = {k: v for k, v in row(pris="90000").items() if k not in {"tak antal", "mvo"}}
    made = load(owner, {k: v for k, v in lean.items() if k != "radens tak antal"})
    assert made.stored == 1, made.report
    contract, line = Contract.objects.get(), ContractLine.objects.get()
    assert (contract.cap_volume, contract.option_years) == (50, 2)
    assert contract.medical_areas.count() == 1
    assert (line.price_sek, line.cap_volume, line.included) == (Decimal(90_000), 20, "Vård.")
    assert line.period_caps.get().cap_volume == 9


def test_a_navigator_loads_no_contracts(unit):
    with pytest.raises(NotAllowed):
        load(navigator_actor(RegionFactory()), row())


@pytest.mark.parametrize(
    "content",
    [b"", b"PK\x03\x04 trasig", b"avtalsnummer;pris\n1;2\n", b"\xff\xfe\x00", b"\x00" * 50],
)
def test_a_file_that_cannot_be_read_is_refused_in_words(owner, content):
    with pytest.raises(InvalidInput) as refused:
        load(owner, content)
    assert "file" in refused.value.fields


@settings(max_examples=40)
@given(st.binary(max_size=200))
def test_no_file_makes_the_reader_fail(content):
    with contextlib.suppress(InvalidInput):
        read_rows(content)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)"])
def test_nothing_in_an_export_becomes_a_formula(owner, text):
    ContractLineFactory(contract__title=text, contract__owner_region=RegionFactory())
    rows = contract_rows(visible_contracts(owner))
    assert f"'{text}" in csv_file(rows).decode("utf-8-sig")
    book = openpyxl.load_workbook(io.BytesIO(xlsx_file(rows, sheet="avtal")))
    cell = book.worksheets[0].cell(2, 2)
    assert (cell.value, cell.data_type) == (text, "s")


def test_the_report_is_handed_back_as_a_file(owner, unit, client):
    made = load(owner, row(pris="x"))
    assert report_rows(made)[1][0] == 2
    client.force_login(user_of(owner))
    for kind in ("csv", "xlsx"):
        answer = client.get(reverse("contract-import-file", args=[made.pk, kind]))
        assert answer.status_code == 200
        assert "attachment" in answer["Content-Disposition"]
    assert client.get(reverse("contract-import-file", args=[made.pk, "exe"])).status_code == 404
    client.force_login(user_of(contract_owner_actor(RegionFactory(code="14"))))
    assert client.get(reverse("contract-import", args=[made.pk])).status_code == 404


def test_every_column_has_a_heading_of_its_own():
    assert len({column.heading for column in COLUMNS}) == len(COLUMNS)


def test_a_contracts_lines_come_in_the_order_of_their_codes(owner, unit):
    load(owner, *(row(kvå=kva) for kva in ("NGB49", "JAB30", "NFB49")))
    ContractLine.objects.filter(kva="JAB30").update(included="flyttad i tabellen")
    rows = contract_rows(visible_contracts(owner))
    kva = rows[0].index("kvå")
    assert [one[kva] for one in rows[1:]] == ["JAB30", "NFB49", "NGB49"]
