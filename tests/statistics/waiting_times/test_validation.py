"""A monthly file is judged value by value, with a stable code for everything that is wrong."""

import io
import json
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statistics.months import Month
from statistics.waiting_times.codes import CODES, Severity, reason_of
from statistics.waiting_times.distinct import FirstSeen
from statistics.waiting_times.layout import Model, Requirement, columns, variables
from statistics.waiting_times.report import FaultWriter, as_json, summary_lines
from statistics.waiting_times.validation import Fault, Verdict, validate
from tests.statistics.waiting_times.files import (
    AGAIN,
    EMERGENCY,
    PRIMARY,
    SPECIALISED,
    WAITS,
    codes,
    judged,
    written,
)

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ("change", "model"),
    [
        ({}, "specialised"),
        (WAITS, "specialised"),
        (EMERGENCY, "specialised"),
        (AGAIN | {"medicinskt_maldatum": "2026-10-20"}, "specialised"),
        ({}, "primary"),
    ],
)
def test_a_whole_contact_is_approved(change, model):
    result = judged(change, model=model)
    assert codes(result) == set()
    assert result.verdict == Verdict.APPROVED
    assert (result.model, str(result.month), result.rows) == (model, "2026-10", 1)


# What each code is given for: a change of a good contact, and the variable it is found at.
WRONG = {
    "VT201": ({"kon": ""}, "kon"),
    "VT202": ({"kon": "EA"}, "kon"),
    "VT203": ({**WAITS, "diagnos": "M17.1"}, "diagnos"),
    "VT204": ({**WAITS, "start": ""}, "start"),
    "VT205": ({**EMERGENCY, "akut_bedomning": "EA"}, "akut_bedomning"),
    "VT301": ({"kon": "4"}, "kon"),
    "VT302": ({"beslut": "2026-02-30T10:00"}, "beslut"),
    "VT303": ({"beslut": "2026-02-03"}, "beslut"),
    "VT304": ({"medicinskt_maldatum": "snart"}, "medicinskt_maldatum"),
    "VT305": ({"fodelsear": "54"}, "fodelsear"),
    "VT306": ({"kommunkod": "1400"}, "kommunkod"),
    "VT307": ({"huvudman": "11"}, "huvudman"),
    "VT308": ({"vardenhet2": "K1"}, "vardenhet2"),
    "VT309": ({"mvo": "998"}, "mvo"),
    "VT310": ({"atgard": "NGB49 KNÄ"}, "atgard"),
    "VT311": ({"atgard": "NGB49 QQQ99"}, "atgard"),
    "VT312": ({"diagnos": "M17.1 17"}, "diagnos"),
    "VT313": ({"yttre_orsak": "M17.1"}, "yttre_orsak"),
    "VT314": ({"vardgivare": "Regionen"}, "vardgivare"),
    "VT315": ({"remissid": "R" * 65}, "remissid"),
    "VT316": ({"vardkontakt_id": "189001019802"}, "vardkontakt_id"),
    "VT318": ({"yrkesgrupp": "läkare (överläkare)"}, "yrkesgrupp"),
    "VT401": ({"beslut": "2026-10-05T13:01"}, "start"),
    "VT402": ({"start": "2026-11-01T00:00"}, "start"),
    "VT403": ({**WAITS, "beslut": "2026-11-01T00:00"}, "beslut"),
    "VT404": ({"medicinskt_maldatum": "2026-08-02"}, "medicinskt_maldatum"),
    "VT405": ({**EMERGENCY, "akut_bedomning": "2026-10-05T12:59"}, "akut_bedomning"),
    "VT406": ({**EMERGENCY, "start": "2026-10-05T12:59"}, "akut_start"),
    "VT407": ({"fodelsear": "2027"}, "fodelsear"),
    "VT408": ({"fas": "3"}, "vardgaranti"),
    "VT409": ({"vardgaranti": "2"}, "vardgaranti"),
    "VT410": (
        {**WAITS, "fas": "5", "vardgaranti": "2", "aktivitet": "EA", "bokningssatt": "4"},
        "bokningssatt",
    ),
    "VT411": ({"diagnostyp": "H"}, "diagnostyp"),
    "VT412": ({"diagnostyp": "H H"}, "diagnostyp"),
    "VT413": ({"aktivitet": "AA029"}, "aktivitet"),
    "VT414": ({"remittenttyp": "2"}, "remittent"),
}


@pytest.mark.parametrize("code", WRONG)
def test_what_is_wrong_has_its_code(code):
    change, variable = WRONG[code]
    assert codes(judged(change)) == {(variable, code)}


def test_rules_of_the_file_and_of_primary_care():
    assert codes(judged({}, {"rapportmanad": "2026-09", "start": "2026-10-01T08:00"})) == {
        ("rapportmanad", "VT423")
    }
    assert codes(judged({}, {"huvudman": "13"})) == {("huvudman", "VT422")}
    assert ("rapportmanad", "VT317") in codes(judged({"rapportmanad": "okt"}))
    assert codes(judged({"forsta_linje": "1", "fodelsear": "2007"}, model="primary")) == {
        ("forsta_linje", "VT415")
    }
    assert codes(judged({"forsta_linje": "1", "fodelsear": "2008"}, model="primary")) == set()


def test_every_code_is_tried_and_has_a_reason():
    elsewhere = {
        *(f"VT1{n:02}" for n in range(1, 14)),
        *("VT317", "VT415", "VT421", "VT422", "VT423", "VT501", "VT502"),
    }
    assert set(WRONG) | elsewhere == set(CODES)
    assert all(reason_of(code).endswith((".", ".)")) or "EA" in reason_of(code) for code in CODES)


def test_what_must_be_there_is_a_lack_unless_it_cannot_apply():
    """Every mandatory variable, and no other, is missed when its field is empty."""
    for model, base in ((Model.SPECIALISED, SPECIALISED), (Model.PRIMARY, PRIMARY)):
        for one in columns(model):
            if one.name in {"status", "fas", "rapportmanad"}:
                continue
            found = codes(judged({one.name: ""}, model=model))
            asked = one.requirement("G", base.get("fas", ""))
            expected = {
                Requirement.MANDATORY: {(one.name, "VT201")},
                Requirement.EXCLUDED: {(one.name, "VT204")},
            }.get(asked, set())
            assert found == expected, one.name


def test_a_return_visit_needs_its_target_date_and_others_only_if_it_is_known():
    assert codes(judged(AGAIN)) == {("medicinskt_maldatum", "VT205")}
    assert codes(judged(AGAIN | {"medicinskt_maldatum": "EA"})) == {
        ("medicinskt_maldatum", "VT202")
    }
    assert codes(judged({"medicinskt_maldatum": "EA"})) == set()


def test_emergency_times_are_asked_for_only_where_specialities_share_the_house():
    other = {**EMERGENCY, "akutverksamhet": "2"} | dict.fromkeys(
        ("akut_start", "akut_bedomning", "akut_avslut"), "EA"
    )
    assert codes(judged(other)) == set()
    assert len(codes(judged(other | {"akutverksamhet": "1"}))) == 3


def test_missing_is_told_apart_from_not_applicable():
    result = judged({"avvikelse": ""}, {"avvikelse": "EA"}, {"avvikelse": "1"}, {"avvikelse": "2"})
    assert result.degrees["G", "avvikelse"] == [2, 1, 1]
    assert result.degrees["G", "akut_start"] == [0, 0, 4]


def test_duplicates_name_the_first_row():
    result = judged({}, {}, {"vardkontakt_id": "id-0"})
    assert result.first_faults == [Fault(4, "vardkontakt_id", "VT421", 2)]


def test_without_a_column_its_variable_is_missing_and_said_once():
    rows = [SPECIALISED, SPECIALISED | {"vardkontakt_id": "x"}]
    names = [one.name for one in columns(Model.SPECIALISED) if one.name != "kon"]
    lines = [";".join(names), *(";".join(row.get(name, "") for name in names) for row in rows)]
    result = validate(io.BytesIO("\n".join(lines).encode()))
    assert codes(result) == {("kon", "VT106")}
    assert result.degrees["G", "kon"] == [0, 2, 0]
    assert result.verdict == Verdict.INCOMPLETE


def test_a_file_without_its_keys_is_refused_and_other_columns_are_passed_over():
    content = b"rapportmanad;status;fas;personnummer\n2026-10;G;2;x\n"
    assert codes(validate(io.BytesIO(content))) == {("", "VT108"), ("vardkontakt_id", "VT105")}
    twice = b"kon;rapportmanad;status;fas;vardkontakt_id;kon\n"
    assert codes(validate(io.BytesIO(twice))) == {("kon", "VT107"), ("", "VT111")}


def test_a_file_of_nothing_but_faults_is_left_after_so_many():
    content = written([SPECIALISED]) + b"x\n" * 500
    result = validate(io.BytesIO(content), most_errors=100)
    assert codes(result) == {("", "VT109"), ("", "VT112")}
    assert (result.rows, result.errors) == (101, 101)
    assert result.first_faults[-1] == Fault(103, "", "VT112")
    assert result.verdict == Verdict.REFUSED
    lacks = [SPECIALISED | {"vardkontakt_id": str(n), "kon": ""} for n in range(200)]
    assert validate(io.BytesIO(written(lacks)), most_errors=100).verdict == Verdict.INCOMPLETE


def test_a_file_of_more_rows_than_a_page_takes_is_left_there():
    content = written([SPECIALISED]) + b"\n" * 500
    result = validate(io.BytesIO(content), most_rows=100)
    assert result.first_faults == [Fault(103, "", "VT113")]
    assert validate(io.BytesIO(content), most_rows=501).verdict == Verdict.APPROVED


GOOD = written([SPECIALISED | {"vardenhet1_namn": "Östra sjukhuset; Göteborg"}]).decode()


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (GOOD.encode(), set()),
        (GOOD.encode("utf-8-sig"), set()),
        (GOOD.encode("utf-16"), set()),
        (GOOD.encode("cp1252"), {("", "VT110")}),
        (written([SPECIALISED], delimiter=","), set()),
        (written([SPECIALISED], delimiter="\t"), set()),
        (GOOD.encode("utf-16-le"), {("", "VT102")}),
        (b"PK\x03\x04" + b"x" * 100, {("", "VT102")}),
        (b"", {("", "VT101")}),
        (b"hej\nhopp\n", {("", "VT104")}),
        (GOOD.encode() + b"2026-10;G\n", {("", "VT109")}),
        (GOOD.encode() + b'2026-10;"' + b"x" * 200_000, {("", "VT103")}),
        (GOOD.encode() + b"\n;;;\n   \n", set()),
    ],
)
def test_encodings_and_separators_are_read_or_clearly_refused(content, found):
    assert codes(validate(io.BytesIO(content))) == found


@given(st.binary(max_size=2_000))
@settings(max_examples=300)
def test_any_bytes_give_a_verdict(content):
    assert validate(io.BytesIO(content)).verdict == Verdict.REFUSED


HEAD = GOOD.split("\n")[0].strip()
CELLS = st.text(max_size=12) | st.sampled_from(sorted(SPECIALISED.values()))
TEXT = st.characters(exclude_characters="\0", exclude_categories=["Cs"])
ODD = st.text(TEXT, max_size=30) | st.sampled_from(["٣", "²", "2026-13", "9999-12-31", "0000"])


@given(st.lists(st.lists(CELLS, max_size=40), max_size=8), st.binary(max_size=60))
@settings(max_examples=300)
def test_any_cells_under_the_right_headings_give_a_verdict(rows, tail):
    lines = [HEAD, *(";".join(row) for row in rows)]
    content = "\n".join(lines).encode("utf-8", "surrogatepass") + tail
    result = validate(io.BytesIO(content))
    assert result.verdict in Verdict.values
    assert sum(result.faults.values()) >= len(result.first_faults)
    assert json.dumps(as_json(result))
    assert all(reason_of(code) for _name, code in result.faults)


@given(st.data())
@settings(max_examples=150)
def test_what_one_cell_holds_never_ends_in_an_exception(data):
    name = data.draw(st.sampled_from([one.name for one in columns(Model.SPECIALISED)]))
    value = data.draw(ODD)
    result = judged(data.draw(st.sampled_from([{}, WAITS, EMERGENCY])) | {name: value})
    assert result.rows == 1


def test_the_layout_asks_what_the_appendices_ask():
    """Appendix 5 has 35 variables and 4 has 25; two columns are the file's own, and one."""
    specialised, primary = variables(Model.SPECIALISED), variables(Model.PRIMARY)
    assert len(specialised) == 35 + 2
    assert len(primary) == 25 + 1
    by_name = {one.name: one for one in specialised}
    assert by_name["start"].waiting == Requirement.EXCLUDED
    assert by_name["aktivitet"].phases == {"2", "3"}
    assert by_name["agarform"] not in columns(Model.SPECIALISED)
    for one in (*specialised, *primary):
        conditional = Requirement.CONDITIONAL in {one.done, one.waiting}
        assert conditional == bool(one.rule), one.name
        assert bool(one.condition) or not conditional, one.name


def test_first_seen_agrees_with_a_dictionary():
    seen = FirstSeen()
    first: dict[str, int] = {}
    for row in range(1, 30_001):
        key = str(row * 7919 % 20_011)
        assert seen.put(key, row) == first.get(key, 0)
        first.setdefault(key, row)
    assert len(seen) == len(first)


def test_memory_does_not_grow_with_the_rows():
    def peak(rows: int) -> int:
        line = ";".join(SPECIALISED.values()).replace("14-26-000001", "id-{}")
        content = io.BytesIO(
            "\n".join([";".join(SPECIALISED), *(line.format(n) for n in range(rows))]).encode()
        )
        tracemalloc.start()
        try:
            assert validate(content).rows == rows
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    small, large = peak(2_000), peak(20_000)
    # The ids' table: some sixty bytes for each row at most, while it grows.
    assert large - small < 18_000 * 90


def test_the_command_needs_no_database(tmp_path):
    file = tmp_path / "oktober.csv"
    file.write_bytes(written([SPECIALISED, SPECIALISED | {"kon": "9"}]))
    environment = {"DATABASE_URL": "postgres://nobody@127.0.0.1:1/none", "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "manage.py", "validate_waiting_times", str(file)]
    errors = tmp_path / "fel.csv"
    done = subprocess.run(
        [*command, "--errors", str(errors), "--json"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    told = json.loads(done.stdout)
    assert (told["verdict"], told["rows"], told["errors"]) == ("refused", 2, 2)
    assert errors.read_text("utf-8-sig").splitlines()[1:] == [
        "3;kon;VT301;fel;Värdet är ingen av variabelns koder.",
        "3;vardkontakt_id;VT421;fel;Vårdkontakts-id står redan i filen. Första gången på rad 2.",
    ]
    file.write_bytes(written([SPECIALISED]))
    good = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert good.returncode == 0, good.stderr
    assert good.stdout.startswith("Godkänd.\nSpecialiserad vård, 2026-10. Rader: 1, genomförda: 1")


def test_owner_and_month_may_be_said_beforehand():
    content = written([SPECIALISED])
    result = validate(io.BytesIO(content), owner="13", month=Month(2026, 9))
    assert codes(result) == {
        ("huvudman", "VT422"),
        ("rapportmanad", "VT423"),
        ("start", "VT402"),
    }


def test_the_summary_counts_by_severity():
    result = judged({"kon": ""}, {"kon": "7"})
    lines = list(summary_lines(result))
    assert lines[0] == "Underkänd."
    assert "fel: 1" in lines
    assert "brist: 1" in lines
    assert result.count(Severity.LACK) == 1
    out = io.StringIO()
    writer = FaultWriter(out)
    for fault in result.first_faults:
        writer(fault)
    assert out.getvalue().count("\r\n") == 3


# Values of each domain that hold, for rows that are whole.
GOOD_VALUES: dict[str, st.SearchStrategy[str]] = {
    "municipality": st.sampled_from(["0114", "1480", "2584"]),
    "hsa_id": st.from_regex(r"\ASE[0-9]{10}-[A-Z0-9]{1,18}\Z"),
    "diagnoses": st.lists(st.from_regex(r"\A[A-U][0-9]{2}\.[0-9]\Z"), min_size=1, max_size=9).map(
        " ".join
    ),
    "external_causes": st.from_regex(r"\A[V-Y][0-9]{2}\.[0-9]\Z"),
    "procedures": st.lists(st.sampled_from(["NGB49", "UJD02", "AA029"]), min_size=1).map(",".join),
    "activity": st.sampled_from(["NGB49", "UJD02", "JKA21"]),
    "mvo": st.sampled_from(["311", "931", "105"]),
    "caregiver": st.sampled_from(["2321000131", "232100-0131", "SE2321000131-VG01"]),
    "profession": st.sampled_from(["LK", "SSK", "10"]),
    "text": st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=120).filter(
        lambda text: text == text.strip() and text != "EA"
    ),
    "year": st.integers(1900, 2025).map(str),
}


@st.composite
def whole_rows(draw: st.DrawFn) -> dict[str, str]:
    """A contact where everything that is asked for is there, and some of the rest."""
    status, phase = draw(st.sampled_from("GV")), draw(st.sampled_from("12345"))
    row = {}
    for one in columns(Model.SPECIALISED):
        asked = one.requirement(status, phase)
        values = GOOD_VALUES.get(one.domain, st.just(SPECIALISED[one.name]))
        if one.domain == "code":
            values = st.sampled_from(sorted(one.values))
        if asked == Requirement.EXCLUDED:
            row[one.name] = "EA"
        elif asked == Requirement.MANDATORY:
            row[one.name] = draw(values)
        else:
            row[one.name] = draw(values | st.sampled_from(["", "EA"]))
    emergency = EMERGENCY if status == "G" and phase == "5" else {}
    start = emergency.get("akut_start", "2026-10-05T13:00")
    return row | {
        "rapportmanad": "2026-10",
        "status": status,
        "fas": phase,
        "beslut": "2026-08-03 09:15",
        "start": start if status == "G" else "EA",
        "huvudman": "14",
        "medicinskt_maldatum": "20261020" if phase == "4" else draw(st.sampled_from(["", "EA"])),
        "vardgaranti": "1" if phase in "12" else "2",
        "diagnostyp": "" if status == "G" else "EA",
        "bokningssatt": "1",
        "remittent": "",
        **{name: emergency[name] for name in emergency if name.startswith("akut")},
    }


@given(st.lists(whole_rows(), min_size=1, max_size=6), st.sampled_from(";,\t"))
@settings(max_examples=150)
def test_what_is_whole_is_written_read_and_approved(rows, delimiter):
    numbered = [row | {"vardkontakt_id": f"id-{n}"} for n, row in enumerate(rows)]
    result = validate(io.BytesIO(written(numbered, delimiter=delimiter)))
    assert codes(result) == set()
    assert (result.rows, result.verdict) == (len(rows), Verdict.APPROVED)
    counted = {name: sum(tally) for (_status, name), tally in result.degrees.items()}
    assert all(counts <= len(rows) for counts in counted.values())
    done = sum(row["status"] == "G" for row in rows)
    assert (result.done, result.waiting) == (done, len(rows) - done)
    for one in columns(Model.SPECIALISED):
        tallies = [result.degrees.get((status, one.name), [0, 0, 0]) for status in "GV"]
        total = [sum(kind) for kind in zip(*tallies, strict=True)]
        held = [row[one.name] for row in numbered]
        missing, not_applicable = held.count(""), held.count("EA")
        assert total == [len(held) - missing - not_applicable, missing, not_applicable], one.name
