"""The public page and files: open to all, kept by caches, without a trace or a small number."""

import csv
import io
import json
import re

import pytest
from defusedxml import ElementTree
from django.test import Client
from django.urls import reverse

from organisations.models import AccessLog
from statistics.open_data.files import COLUMNS, NAMES
from statistics.open_data.measures import MEASURES
from statistics.open_data.models import PublishedFigure
from statistics.open_data.services import correct, publish_due
from tests.factories import navigator_actor, user_of
from tests.shared_world import shared
from tests.statistics.open_data.parts import PUBLISHED, QUARTER, line_in, treated, two_regions

pytestmark = pytest.mark.django_db

RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
DCT = "{http://purl.org/dc/terms/}"
DCAT = "{http://www.w3.org/ns/dcat#}"
FOAF = "{http://xmlns.com/foaf/0.1/}"
ADDRESSES = {
    "page": "/open-data/",
    "csv": "/open-data/figures.csv",
    "json": "/open-data/figures.json",
    "schema": "/open-data/schema.json",
    "dcat": "/open-data/dcat.rdf",
    "harvest": "/datasets/dcat",
    "edition": "/open-data/2026Q3/1/figures.csv",
}


@pytest.fixture(scope="class")
def regions(django_db_setup, django_db_blocker):
    """Once for the tests of a class; anew for each of the others."""
    with shared(django_db_blocker):
        found = two_regions()
        publish_due(now=PUBLISHED)
        yield found


class TestEveryAddress:
    @pytest.mark.parametrize("name", ADDRESSES)
    def test_no_login_no_cookie_no_trace(self, name, regions):
        logged = AccessLog.objects.count()
        answer = Client().get(ADDRESSES[name])
        assert answer.status_code == 200
        assert not answer.cookies
        assert AccessLog.objects.count() == logged
        assert answer["Cache-Control"].startswith("public, max-age=")
        assert ("Access-Control-Allow-Origin" in answer) == (name != "page")
        assert "Access-Control-Allow-Credentials" not in answer

    @pytest.mark.parametrize("name", ADDRESSES)
    def test_a_cache_on_the_way_keeps_one_answer_for_all(self, name, regions):
        anybody, somebody = Client(), Client()
        somebody.force_login(user_of(navigator_actor(regions[0])))
        for client in (anybody, somebody):
            answer = client.get(ADDRESSES[name])
            assert "Vary" not in answer
            assert answer["Cache-Control"].startswith("public, max-age=")
        assert "sessionid" in somebody.cookies  # still logged in
        assert "no-store" in somebody.get("/")["Cache-Control"]


def test_who_asks_too_often_is_told_so_alone(settings):
    settings.RATES = settings.RATES | {"open_data": 0}
    answer = Client(REMOTE_ADDR="192.0.2.78").get("/open-data/")
    assert (answer.status_code, answer["Cache-Control"]) == (429, "no-store")


@pytest.mark.parametrize("name", ["page", "csv", "json", "schema", "dcat"])
def test_everything_answers_before_anything_is_published(name):
    assert Client().get(ADDRESSES[name]).status_code == 200


@pytest.mark.parametrize("name", ADDRESSES)
def test_nobody_sends_anything_there(name):
    assert Client().post(ADDRESSES[name]).status_code == 405


@pytest.mark.parametrize(
    "address",
    [
        "/open-data/figures.xml",
        "/open-data/2026Q3/2/figures.csv",
        "/open-data/2026Q3/99999999999999999999/figures.csv",
        "/open-data/abc/1/figures.csv",
        "/open-data/?period=1999Q1",
        "/open-data/?period=%00",
    ],
)
def test_what_is_not_there_is_not_found(address, regions):
    assert Client().get(address).status_code == 404


def test_one_address_asks_only_so_often(regions, settings):
    settings.RATES = settings.RATES | {"open_data": 2}
    client = Client(REMOTE_ADDR="192.0.2.77")
    statuses = [client.get("/open-data/figures.csv").status_code for _n in range(3)]
    assert statuses == [200, 200, 429]


def test_an_unchanged_file_is_not_sent_again(regions):
    first = Client().get(ADDRESSES["csv"])
    again = Client().get(ADDRESSES["csv"], headers={"if-none-match": first["ETag"]})
    assert again.status_code == 304
    assert not again.content


def test_page_and_files_show_the_same_and_no_small_number(regions):
    rows = list(csv.DictReader(io.StringIO(Client().get(ADDRESSES["csv"]).content.decode())))
    content = json.loads(Client().get(ADDRESSES["json"]).content)
    assert len(rows) == len(content["figures"]) == PublishedFigure.objects.count()
    for row, record in zip(rows, content["figures"], strict=True):
        as_text = {key: "" if value is None else str(value) for key, value in record.items()}
        assert row == as_text
        assert row["count"] not in {"1", "2", "3", "4"}
        assert row["base"] not in {"1", "2", "3", "4"}
        assert (row["value"] != "") == (row["status"] == "shown")
        if row["measure"] == "patients":
            assert row["value"] not in {"1", "2", "3", "4"}
    page = Client().get(ADDRESSES["page"]).content.decode()
    assert "dolt" in page
    first = re.search(r"Riket, de regioner som ingår</th>(.*?)</tr>", page, re.S)
    assert first
    cells = re.findall(r'class="number">([^<]*)<', first[1])
    assert cells == ["7", "11", "dolt", "0", "0", "dolt", "0", "0"]


def test_the_columns_are_the_described_ones(regions):
    schema = json.loads(Client().get(ADDRESSES["schema"]).content)
    header = Client().get(ADDRESSES["csv"]).content.decode().splitlines()[0].split(",")
    assert header == [one["name"] for one in schema["fields"]] == list(NAMES)
    assert {one["code"] for one in schema["measures"]} == set(MEASURES)
    assert len(COLUMNS) == len(NAMES)
    enums = {one["name"]: one["constraints"].get("enum") for one in schema["fields"]}
    for row in csv.DictReader(io.StringIO(Client().get(ADDRESSES["csv"]).content.decode())):
        for name, allowed in enums.items():
            assert allowed is None or row[name] in allowed
    for one in schema["measures"]:
        assert one["definition"] != one["definition_en"]


def test_a_region_whose_name_looks_like_a_formula_is_text_in_the_file(regions):
    halland, _dalarna = regions
    halland.name = "=HYPERLINK(1)"
    halland.save()
    assert "'=HYPERLINK(1)" in Client().get(ADDRESSES["csv"]).content.decode()


def test_the_catalogue_has_what_the_profile_asks_for(regions, settings):
    settings.OPEN_DATA_PUBLISHER = "Region Prov"
    settings.OPEN_DATA_ORGANISATION = "2321000000"
    settings.OPEN_DATA_EMAIL = "data@prov.example"
    settings.BASE_URL = "https://vardlots.example"
    root = ElementTree.fromstring(Client().get(ADDRESSES["dcat"]).content)
    catalog, dataset = root.find(f"{DCAT}Catalog"), root.find(f"{DCAT}Dataset")
    assert catalog is not None
    assert dataset is not None
    for name in ("title", "description", "publisher", "license"):
        assert catalog.find(DCT + name) is not None, name
    for name in ("title", "description", "publisher", "temporal", "accrualPeriodicity"):
        assert dataset.find(DCT + name) is not None, name
    agent = root.find(f"{FOAF}Agent")
    assert agent is not None
    assert agent.get(f"{RDF}about") == "http://dataportal.se/organisation/SE2321000000"
    about = {thing.get(f"{RDF}about") for thing in root}
    for link in (f"{DCAT}dataset", f"{DCT}publisher"):
        assert catalog.find(link).get(f"{RDF}resource") in about
    for link in dataset.findall(f"{DCAT}distribution") + dataset.findall(f"{DCAT}contactPoint"):
        assert link.get(f"{RDF}resource") in about
    for file in root.findall(f"{DCAT}Distribution"):
        assert file.find(f"{DCT}license") is not None
        address = file.find(f"{DCAT}downloadURL").get(f"{RDF}resource")
        assert address.startswith("https://vardlots.example/open-data/figures.")
        assert Client().get(address.removeprefix("https://vardlots.example")).status_code == 200
    languages = {one.get("{http://www.w3.org/XML/1998/namespace}lang") for one in dataset}
    assert {"sv", "en"} <= languages


def test_the_page_is_read_in_english(regions):
    page = Client().get("/open-data/?language=en").content.decode()
    assert '<html lang="en"' in page
    assert "Care with another provider because of waiting time" in page
    assert "hidden" in page
    assert not set("åäö") & set(re.sub(r"<[^>]+>", "", page).replace("Vårdlots", ""))


def test_an_edition_stays_at_its_address_after_a_correction(regions):
    halland, _dalarna = regions
    first = Client().get(ADDRESSES["edition"])
    assert "immutable" in first["Cache-Control"]
    treated(6, region=halland, line=line_in(halland, halland))
    correct(QUARTER, reason="Sent registrerade behandlingar", now=PUBLISHED)
    assert Client().get(ADDRESSES["edition"]).content == first.content
    newest = Client().get(ADDRESSES["csv"]).content.decode()
    assert ",2,13," in newest
    assert "2026Q3,1," not in newest
    assert "Sent registrerade behandlingar" in Client().get("/open-data/").content.decode()


def test_who_is_logged_in_sees_the_same_page(regions):
    client = Client()
    client.force_login(user_of(navigator_actor(regions[0])))
    assert client.get("/open-data/").content == Client().get("/open-data/").content


def test_the_number_of_queries_does_not_grow_with_the_quarters(
    regions, django_assert_max_num_queries
):
    publish_due(now=PUBLISHED.replace(year=2027), limit=9)
    with django_assert_max_num_queries(10):
        assert Client().get(reverse("open-data")).status_code == 200
