"""The shipped reference lists hold together: counts, codes, names, places and what points where.

Reads the files only; needs no database.
"""

import csv
import math
import re
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest
from stdnum import luhn

from contracts.codes import KVA_PATTERN
from referral.codes import ICD10_PATTERN

ROOT = Path(__file__).resolve().parents[2]
PLACES = ROOT / "organisations" / "reference"

MUNICIPALITIES_PER_COUNTY = {
    "01": 26,
    "03": 8,
    "04": 9,
    "05": 13,
    "06": 13,
    "07": 8,
    "08": 12,
    "09": 1,
    "10": 5,
    "12": 33,
    "13": 6,
    "14": 49,
    "17": 16,
    "18": 12,
    "19": 10,
    "20": 15,
    "21": 10,
    "22": 7,
    "23": 8,
    "24": 15,
    "25": 14,
}
CATEGORIES = {
    "besök",
    "bröst",
    "endoskopi",
    "fysiologi",
    "gynekologi",
    "hand",
    "hjärta",
    "hud",
    "kirurgi",
    "kärl",
    "neurokirurgi",
    "ortopedi",
    "plastik",
    "psykiatri",
    "radiologi",
    "rygg",
    "smärta",
    "tand_käk",
    "urologi",
    "ögon",
    "önh",
}

Row = dict[str, str]


def rows(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def repeated(values: list[str]) -> list[str]:
    return [value for value, times in Counter(values).items() if times > 1]


def kilometres(one: Row, other: Row) -> float:
    """Great-circle distance between two rows with latitude and longitude (haversine)."""
    lat1, lon1, lat2, lon2 = (
        math.radians(float(row[key])) for row in (one, other) for key in ("latitude", "longitude")
    )
    half = (
        math.sin((lat2 - lat1) / 2) ** 2
        + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    )
    return 2 * 6371 * math.asin(math.sqrt(half))


@pytest.fixture(scope="module")
def regions() -> list[Row]:
    return rows(PLACES / "regions.csv")


@pytest.fixture(scope="module")
def municipalities() -> list[Row]:
    return rows(PLACES / "municipalities.csv")


@pytest.fixture(scope="module")
def medical_areas() -> list[Row]:
    return rows(PLACES / "mvo.csv")


@pytest.fixture(scope="module")
def procedures() -> list[Row]:
    return rows(ROOT / "contracts" / "reference" / "procedures.csv")


@pytest.fixture(scope="module")
def diagnoses() -> list[Row]:
    return rows(ROOT / "referral" / "reference" / "diagnoses.csv")


@pytest.fixture(scope="module")
def bands() -> list[Row]:
    return rows(PLACES / "test_identity_dates.csv")


@pytest.mark.parametrize(
    ("path", "header"),
    [
        (
            "organisations/reference/regions.csv",
            (
                "county_code,name,short_name,seat_town,latitude,longitude,guarantee_days,"
                "child_psychiatry_days,navigator_unit_name"
            ),
        ),
        (
            "organisations/reference/municipalities.csv",
            "code,name,county_code,latitude,longitude",
        ),
        ("organisations/reference/mvo.csv", "mvo_code,name,group"),
        (
            "organisations/reference/test_identity_dates.csv",
            "date_prefix,serials_from,serials_to,kind",
        ),
        ("contracts/reference/procedures.csv", "kva,name,mvo,category,diagnoses"),
        ("referral/reference/diagnoses.csv", "icd10,name"),
    ],
)
class TestEveryList:
    def test_has_its_header(self, path: str, header: str) -> None:
        assert (ROOT / path).read_text(encoding="utf-8").splitlines()[0] == header

    def test_has_no_empty_cell_and_no_stray_space(self, path: str, header: str) -> None:
        for row in rows(ROOT / path):
            assert list(row) == header.split(","), row
            for value in row.values():
                assert value, row
                assert value == " ".join(value.split()), row

    def test_is_described_beside_it(self, path: str, header: str) -> None:
        file = ROOT / path
        assert f"## {file.name}" in file.with_name("README.md").read_text(encoding="utf-8")


class TestRegions:
    def test_all_21_are_there_once(self, regions: list[Row]) -> None:
        assert [row["county_code"] for row in regions] == sorted(MUNICIPALITIES_PER_COUNTY)
        assert repeated([row["name"] for row in regions]) == []
        assert repeated([row["short_name"] for row in regions]) == []

    def test_halland_promises_60_days_stockholm_30_the_others_90(self, regions: list[Row]) -> None:
        shorter = {"01": "30", "13": "60"}
        for row in regions:
            assert row["guarantee_days"] == shorter.get(row["county_code"], "90"), row
            assert row["child_psychiatry_days"] == "30", row

    def test_a_seat_lies_in_the_region_it_governs(
        self, regions: list[Row], municipalities: list[Row]
    ) -> None:
        for region in regions:
            nearest = min(municipalities, key=lambda row: kilometres(region, row))
            assert nearest["county_code"] == region["county_code"]
            assert kilometres(region, nearest) < 2, region

    def test_texts_fit_their_columns(self, regions: list[Row]) -> None:
        limits = {"name": 80, "short_name": 40, "seat_town": 60, "navigator_unit_name": 80}
        for row in regions:
            assert all(len(row[key]) <= limit for key, limit in limits.items()), row


class TestMunicipalities:
    def test_all_290_are_there_once(self, municipalities: list[Row]) -> None:
        assert len(municipalities) == 290
        assert repeated([row["code"] for row in municipalities]) == []
        assert repeated([row["name"] for row in municipalities]) == []

    def test_each_county_has_its_number(self, municipalities: list[Row]) -> None:
        assert Counter(row["county_code"] for row in municipalities) == MUNICIPALITIES_PER_COUNTY

    def test_the_code_begins_with_the_county(self, municipalities: list[Row]) -> None:
        for row in municipalities:
            assert re.fullmatch(r"[0-9]{4}", row["code"]), row
            assert row["code"][:2] == row["county_code"], row

    @pytest.mark.parametrize(
        ("code", "name"),
        [
            ("0114", "Upplands Väsby"),
            ("0180", "Stockholm"),
            ("0331", "Heby"),
            ("0980", "Gotland"),
            ("1080", "Karlskrona"),
            ("1280", "Malmö"),
            ("1380", "Halmstad"),
            ("1480", "Göteborg"),
            ("2023", "Malung-Sälen"),
            ("2584", "Kiruna"),
        ],
    )
    def test_known_codes(self, municipalities: list[Row], code: str, name: str) -> None:
        assert {row["code"]: row["name"] for row in municipalities}[code] == name


class TestCoordinates:
    def test_every_place_is_in_sweden(self, regions: list[Row], municipalities: list[Row]) -> None:
        for row in regions + municipalities:
            assert 55.3 < float(row["latitude"]) < 69.1, row
            assert 10.9 < float(row["longitude"]) < 24.2, row

    def test_every_municipality_is_within_350_km_of_its_regions_seat(
        self, regions: list[Row], municipalities: list[Row]
    ) -> None:
        seats = {row["county_code"]: row for row in regions}
        for row in municipalities:
            assert kilometres(row, seats[row["county_code"]]) < 350, row

    def test_every_municipality_has_a_neighbour_of_its_county_near(
        self, municipalities: list[Row]
    ) -> None:
        """A slip of a degree would leave a place alone; Pajala is the loneliest, 92 km."""
        for row in municipalities:
            others = [
                kilometres(row, other)
                for other in municipalities
                if other is not row and other["county_code"] == row["county_code"]
            ]
            assert row["code"] == "0980" or min(others) < 100, row

    def test_no_two_municipalities_share_a_place(self, municipalities: list[Row]) -> None:
        places = [f"{row['latitude']} {row['longitude']}" for row in municipalities]
        assert repeated(places) == []


class TestMedicalAreas:
    def test_all_178_are_there_once(self, medical_areas: list[Row]) -> None:
        codes = [row["mvo_code"] for row in medical_areas]
        assert len(codes) == 178
        assert codes == sorted(set(codes))
        assert all(re.fullmatch(r"[0-9]{3}", code) for code in codes)

    def test_texts_fit_their_columns(self, medical_areas: list[Row]) -> None:
        for row in medical_areas:
            assert len(row["name"]) <= 120, row
            assert len(row["group"]) <= 80, row


class TestProcedures:
    def test_there_are_at_least_160_each_once(self, procedures: list[Row]) -> None:
        assert len(procedures) >= 160
        assert [row["kva"] for row in procedures] == sorted({row["kva"] for row in procedures})

    def test_codes_have_the_shape_the_product_demands(self, procedures: list[Row]) -> None:
        for row in procedures:
            assert re.fullmatch(KVA_PATTERN, row["kva"]), row

    @pytest.mark.parametrize("kva", ["NGB", "CJE", "UJF", "NGB49", "CJE20", "UJF32"])
    def test_knees_eyes_and_colonoscopies_of_the_national_pilots(
        self, procedures: list[Row], kva: str
    ) -> None:
        assert kva in {row["kva"] for row in procedures}

    def test_names_tell_procedures_apart(self, procedures: list[Row]) -> None:
        assert repeated([row["name"].casefold() for row in procedures]) == []
        assert all(len(row["name"]) <= 160 for row in procedures)

    def test_a_finer_code_stands_beside_a_group_of_the_same_area(
        self, procedures: list[Row]
    ) -> None:
        category = {row["kva"]: row["category"] for row in procedures}
        for kva, word in category.items():
            if kva != "QAE35":  # plastic surgery in a group that is mostly dermatology's
                assert word == category.get(kva[:3], word), kva

    def test_every_medical_area_exists_and_is_in_use(
        self, procedures: list[Row], medical_areas: list[Row]
    ) -> None:
        in_use = {
            row["mvo_code"] for row in medical_areas if row["name"] not in ("Finns ej", "Okänt")
        }
        assert {row["mvo"] for row in procedures} <= in_use

    def test_areas_are_of_a_small_set_of_words(self, procedures: list[Row]) -> None:
        assert {row["category"] for row in procedures} == CATEGORIES


class TestDiagnoses:
    def test_there_are_at_least_150_each_once(self, diagnoses: list[Row]) -> None:
        assert len(diagnoses) >= 150
        assert [row["icd10"] for row in diagnoses] == sorted({row["icd10"] for row in diagnoses})

    def test_codes_have_the_shape_the_product_demands(self, diagnoses: list[Row]) -> None:
        for row in diagnoses:
            assert re.fullmatch(ICD10_PATTERN, row["icd10"]), row

    def test_names_tell_diagnoses_apart(self, diagnoses: list[Row]) -> None:
        assert repeated([row["name"].casefold() for row in diagnoses]) == []

    def test_every_diagnosis_of_a_procedure_is_named_and_none_is_idle(
        self, procedures: list[Row], diagnoses: list[Row]
    ) -> None:
        named = {code for row in procedures for code in row["diagnoses"].split(" ")}
        assert named == {row["icd10"] for row in diagnoses}

    def test_no_procedure_names_a_diagnosis_twice(self, procedures: list[Row]) -> None:
        for row in procedures:
            assert repeated(row["diagnoses"].split(" ")) == [], row


class TestIdentityNumbersForTests:
    def test_bands_are_whole(self, bands: list[Row]) -> None:
        for row in bands:
            assert re.fullmatch(r"(18|19|20)[0-9]{1,2}", row["date_prefix"]), row
            assert re.fullmatch(r"[0-9]{3}", row["serials_from"]), row
            assert re.fullmatch(r"[0-9]{3}", row["serials_to"]), row
            assert row["serials_from"] < row["serials_to"], row
            assert row["kind"] in ("personnummer", "samordningsnummer"), row
        assert repeated([f"{row['kind']} {row['date_prefix']}" for row in bands]) == []

    @pytest.mark.parametrize(
        "number",
        [
            "189001019802",
            "189912319812",
            "190001019801",
            "190808079800",
            "199001012385",
            "200002292399",
            "201701012393",
            "191401682396",
            "194001612383",
            "198908642393",
        ],
    )
    def test_published_numbers_lie_in_a_band(self, bands: list[Row], number: str) -> None:
        assert luhn.is_valid(number[2:])
        kind = "samordningsnummer" if int(number[6:8]) > 60 else "personnummer"
        assert any(
            number.startswith(row["date_prefix"])
            and row["serials_from"] <= number[8:11] <= row["serials_to"]
            for row in bands
            if row["kind"] == kind
        )

    @pytest.mark.parametrize(
        "number", ["189001019802", "189001029819", "189005079802", "189906019808", "189912319812"]
    )
    def test_in_the_1890s_the_date_gives_the_birth_number(self, number: str) -> None:
        """The rule in identity_test_series.md: 980 and 981 alternate from 1890-01-01."""
        days = date.fromisoformat(number[:8]) - date(1890, 1, 1)
        assert int(number[8:11]) == 980 + days // timedelta(days=1) % 2

    def test_the_customary_test_patient_has_a_right_check_digit(self) -> None:
        assert luhn.is_valid("191212121212"[2:])
