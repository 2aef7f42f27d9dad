"""A region's own counts: from a file, beside the brokered patients, with nothing small shown."""

import io
from decimal import Decimal

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.test import APIClient
from time_machine import travel

from contracts.files.writing import csv_file, xlsx_file
from organisations.access import Actor, acting_as
from organisations.errors import InvalidInput, NotAllowed
from organisations.models import ApiToken, Region
from organisations.scopes import Scope
from organisations.suppression import SMALL
from referral.pathways import pathway_names
from statistics.models import InclusionCount, LeadTimeCount, PathwayFile, PathwayLimit
from statistics.pathways.files import COUNT_COLUMNS, LIMIT_COLUMNS, count_rows, limit_rows
from statistics.pathways.halves import HalfYear
from statistics.pathways.importing import import_file
from statistics.pathways.own import OwnRow, OwnTable, Shown, hide_small
from statistics.pathways.selectors import limits_of, pathways_for
from statistics.pathways.services import enter_lead_time
from statistics.pathways.told import told_by
from tests.factories import (
    RegionFactory,
    clinic_actor,
    make_case,
    manager_actor,
    navigator_actor,
    region_admin_actor,
    stockholm,
    user_of,
)

NOW = stockholm(2026, 3, 10, 12)
HALF = HalfYear(2026, 1)
LIMITS, COUNTS = PathwayFile.Kind.LIMITS, PathwayFile.Kind.COUNTS
LIMIT_HEAD = "vårdförlopp;första behandling;längsta ledtid"
COUNT_HEAD = (
    "halvår;vårdförlopp;insjuknade;inkluderade;steg;patienter;inom längsta ledtid;median;källa"
)


@pytest.fixture
def region(db: None) -> Region:
    return RegionFactory.create()


def take_in(
    region: Region, kind: str, *rows: str, good_rows_only: bool = False, actor: Actor | None = None
) -> PathwayFile:
    head = LIMIT_HEAD if kind == LIMITS else COUNT_HEAD
    return import_file(
        "\r\n".join([head, *rows]).encode(),
        kind=kind,
        name="egna tal.csv",
        good_rows_only=good_rows_only,
        actor=actor or region_admin_actor(region),
        now=NOW,
    )


WHOLE = (
    "2026H1;alla;1000;720;;500;215;38;Signe",
    "2026h1;Lungcancer;120;90;Hela ledtiden: misstanke till behandling;60;20;44,5;Signe",
    "2026H1;myelom;;;suspicion_to_visit;30;;9;Signe",
)


def test_a_file_gives_the_goals_that_the_region_reaches(region):
    made = take_in(region, COUNTS, *WHOLE)
    assert (made.rows, made.stored, made.unchanged, made.faults) == (3, 3, 0, [])
    own = pathways_for(navigator_actor(region), period=HALF).own
    assert own.inclusion.total is not None
    assert own.whole.total is not None
    assert own.inclusion.total.share is not None
    assert own.whole.total.share is not None
    assert (own.inclusion.total.share.percent, own.inclusion.total.reaches) == (72, True)
    assert (own.whole.total.share.percent, own.whole.total.reaches) == (43, False)
    lung = own.whole.of("lungcancer")
    assert lung is not None
    assert (lung.base, lung.count, lung.median) == (60, 20, 44.5)
    visit = own.lead_times["suspicion_to_visit"].of("myelom")
    assert visit is not None
    assert (visit.base, visit.share, visit.reaches) == (30, None, None)


def test_limits_of_all_pathways_come_in_one_file(region):
    made = take_in(region, LIMITS, "Lungcancer;Kirurgi;44", "myelom;drugs;30", "Lymfom;Läkemedel;")
    # A row without days says nothing.
    assert (made.rows, made.stored, made.unchanged) == (3, 2, 1)
    assert limits_of(region.code) == {("lungcancer", "surgery"): 44, ("myelom", "drugs"): 30}


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_what_is_fetched_is_read_in_again_and_changes_nothing(region, kind):
    take_in(region, COUNTS, *WHOLE)
    take_in(region, LIMITS, "Lungcancer;Kirurgi;44", "myelom;drugs;30")
    told = told_by(region_admin_actor(region))
    for what, rows in (
        (COUNTS, count_rows(told.inclusions, told.lead_times)),
        (LIMITS, limit_rows(told.days)),
    ):
        content = csv_file(rows) if kind == "csv" else xlsx_file(rows, sheet="x")
        made = import_file(
            content,
            kind=what,
            name="x",
            good_rows_only=False,
            actor=region_admin_actor(region),
            now=NOW,
        )
        assert (made.stored, made.faults) == (0, [])
        assert made.unchanged == made.rows == len(rows) - 1
    assert (InclusionCount.objects.count(), LeadTimeCount.objects.count()) == (2, 3)
    assert PathwayLimit.objects.count() == 2


def test_the_file_of_limits_has_a_row_for_each_pathway_and_treatment(region):
    rows = limit_rows({("lungcancer", "surgery"): 44})
    assert rows[0] == [column.heading for column in LIMIT_COLUMNS]
    assert len(rows) == 1 + 4 * len(pathway_names())
    assert [row[2] for row in rows[1:] if row[2]] == [44]


def test_the_newest_holds_and_what_was_told_before_stays(region):
    take_in(region, COUNTS, "2026H1;alla;1000;720;;500;215;38;Signe")
    take_in(region, COUNTS, "2026H1;alla;1000;650;;;;;Signe, rättat")
    own = pathways_for(manager_actor(region), period=HALF).own
    assert own.inclusion.total is not None
    assert own.inclusion.total.count == 650
    told = InclusionCount.objects.order_by("pk")
    assert [(one.included, one.file_id) for one in told] == [
        (720, PathwayFile.objects.earliest("pk").pk),
        (650, PathwayFile.objects.latest("pk").pk),
    ]
    assert LeadTimeCount.objects.count() == 1


GOOD = "2026H1;alla;1000;720;;;;;Signe"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("2026;alla;1;1;;;;;x", "halvår: skriv halvåret som 2026H1."),
        ("2026H2;alla;1;1;;;;;x", "Halvåret har inte varit än."),
        ("2026H1;Okänd;1;1;;;;;x", "okänt vårdförlopp"),
        ("2026H1;;1;1;;;;;x", "vårdförlopp: saknas"),
        ("2026H1;myelom;1;;;;;;x", "inkluderade: saknas"),
        ("2026H1;myelom;0;0;;;;;x", "insjuknade: Ange ett antal"),
        ("2026H1;myelom;-1;0;;;;;x", "inget heltal"),
        ("2026H1;myelom;;;;;;;x", "Raden har inga antal."),
        ("2026H1;myelom;;;;9;;;x", "inom längsta ledtid: Ange"),
        ("2026H1;myelom;;;;9;10;;x", "högst så många"),
        ("2026H1;myelom;;;suspicion_to_visit;;;9;x", "patienter: saknas"),
        ("2026H1;myelom;;;resan;9;9;;x", "välj något av"),
        ("2026H1;myelom;;;;9;9;4000;x", "median: Ange"),
        ("2026H1;myelom;;;;9;9;1,25;x", "högst en decimal"),
        ("2026H1;myelom;;;;9;9;1e999999;x", "högst en decimal"),
        ("2026H1;myelom;1;1;;;;;", "källa: saknas"),
        (f"2026H1;myelom;1;1;;;;;{'x' * 161}", "källa: Ange källan"),
        ("2026H1;alla;5;5;;;;;x", "Detsamma står redan på rad 2."),
    ],
)
def test_a_row_that_does_not_hold_is_handed_back_and_nothing_stored(region, row, reason):
    made = take_in(region, COUNTS, GOOD, row)
    assert (made.stored, [number for number, _texts in made.faults]) == (0, [3])
    assert reason in " ".join(made.faults[0][1])
    assert not InclusionCount.objects.exists()
    assert take_in(region, COUNTS, GOOD, row, good_rows_only=True).stored == 1


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("Lungcancer;Kirurgi;0", "mellan 1 och 365"),
        ("Lungcancer;Kirurgi;366", "mellan 1 och 365"),
        ("Lungcancer;Kirurgi;x", "inget heltal"),
        ("Lungcancer;Kir;30", "välj något av"),
        ("Okänd;Kirurgi;30", "okänt vårdförlopp"),
        ("lungcancer;surgery;31", "Detsamma står redan på rad 2."),
    ],
)
def test_a_limit_that_does_not_hold_is_handed_back(region, row, reason):
    made = take_in(region, LIMITS, "Lungcancer;Kirurgi;30", row)
    assert reason in " ".join(made.faults[0][1])
    assert not PathwayLimit.objects.exists()


def test_no_identity_number_is_kept_of_a_file(region):
    made = take_in(region, COUNTS, "2026H1;alla;19121212-1212;1;;;;;x")
    assert "1212-1212" not in str(made.faults)


def test_a_spreadsheet_is_read_as_a_csv_is(region):
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append([column.heading for column in COUNT_COLUMNS])
    sheet.append(["2026H1", "alla", 1000, 720.0, None, 500, 215, 38.5, "Signe"])
    out = io.BytesIO()
    book.save(out)
    import_file(
        out.getvalue(),
        kind=COUNTS,
        name="x",
        good_rows_only=False,
        actor=region_admin_actor(region),
        now=NOW,
    )
    assert LeadTimeCount.objects.get().median_days == Decimal("38.5")


def test_a_file_that_cannot_be_read_leaves_nothing(region):
    with pytest.raises(InvalidInput):
        take_in(region, COUNTS)
    with pytest.raises(InvalidInput):
        import_file(
            b"\x00\xff",
            kind=LIMITS,
            name="x",
            good_rows_only=False,
            actor=region_admin_actor(region),
            now=NOW,
        )
    assert not PathwayFile.objects.exists()


def test_only_the_regions_administrator_hands_files_in_and_sees_what_is_wrong_in_them(region):
    for actor in (manager_actor(region), navigator_actor(region)):
        with pytest.raises(NotAllowed):
            take_in(region, COUNTS, GOOD, actor=actor)
    take_in(region, COUNTS, *WHOLE)
    other = region_admin_actor(RegionFactory.create(code="20"))
    for who, reads in (
        (region_admin_actor(region), (True, True)),
        (manager_actor(region), (True, False)),
        (navigator_actor(region), (True, False)),
        (other, (False, False)),
        (None, (False, False)),
    ):
        with acting_as(who):
            found = (LeadTimeCount.objects.exists(), PathwayFile.objects.exists())
        assert found == reads


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"period": "2026"}, "period"),
        ({"period": "2027H1"}, "period"),
        ({"pathway": "okänd"}, "pathway"),
        ({"step": "resan"}, "step"),
        ({"patients": 0, "within": 0}, "patients"),
        ({"within": None}, "within"),
        ({"within": 11}, "within"),
        ({"median_days": Decimal("NaN")}, "median_days"),
        ({"source": " "}, "source"),
    ],
)
def test_an_own_lead_time_that_cannot_be_is_refused_at_its_field(region, values, field):
    told = {"period": "2026H1", "patients": 10, "within": 7, "source": "Signe"} | values
    with pytest.raises(InvalidInput) as error:
        enter_lead_time(**told, actor=region_admin_actor(region), now=NOW)
    assert list(error.value.fields) == [field]


# Small numbers


def test_a_manager_sees_no_small_number_of_the_regions_own(region):
    take_in(
        region,
        COUNTS,
        "2026H1;alla;;;;100;40;38;Signe",
        "2026H1;Lungcancer;;;;60;20;44;Signe",
        "2026H1;Myelom;;;;3;1;50;Signe",
        "2026H1;Lymfom;;;;37;19;30;Signe",
    )
    own = pathways_for(manager_actor(region), period=HALF).own
    assert {row.key: row.base for row in own.whole.rows} == {
        "lungcancer": 60,
        "myelom": None,
        "lymfom": None,
    }
    assert own.whole.total is not None
    assert own.whole.total.base == 100
    shown = pathways_for(navigator_actor(region), period=HALF).own
    assert [row.base for row in shown.whole.rows] == [60, 37, 3]


def test_what_is_left_of_the_sum_is_no_small_number_either(region):
    """97 of 100 are told by pathway: three fell ill in another."""
    take_in(
        region,
        COUNTS,
        "2026H1;alla;100;80;;;;;Signe",
        "2026H1;Lungcancer;60;50;;;;;Signe",
        "2026H1;Lymfom;37;29;;;;;Signe",
    )
    own = pathways_for(manager_actor(region), period=HALF).own
    assert [row.base for row in own.inclusion.rows] == [60, None]


def row_of(key: str, base: int, count: int) -> OwnRow:
    return OwnRow(key, key, base, count, "x")


def test_numbers_beside_the_brokered_do_not_tell_of_the_few_at_home():
    table = OwnTable(
        row_of("", 120, 60), [row_of("a", 22, 12), row_of("b", 60, 30), row_of("c", 38, 18)]
    )
    hide_small(table, beside={"": Shown(50, 50, 30), "a": Shown(20, 20, 10)})
    assert [row.base for row in table.rows] == [None, 60, None]
    assert table.total is not None
    assert table.total.base == 120


own_row = st.tuples(st.integers(1, 40), st.integers(0, 40)).map(lambda n: (n[0], min(n)))


@given(st.lists(own_row, max_size=6), st.integers(0, 12), st.booleans())
def test_no_small_own_number_is_shown_or_left_by_subtraction(
    told: list[tuple[int, int]], more: int, with_total: bool
) -> None:
    rows = [row_of(str(i), base, count) for i, (base, count) in enumerate(told)]
    whole = (sum(base for base, _c in told) + more, sum(count for _b, count in told) + more // 2)
    total = row_of("", *whole) if with_total and whole[0] else None
    table = OwnTable(total, rows)
    hide_small(table)
    for row in (*rows, *([total] if total else [])):
        assert row.base not in SMALL
        if row.share and row.base is not None and row.count is not None:
            assert row.count not in SMALL
            assert row.base - row.count not in SMALL
    if total and total.base is not None:
        hidden = [base for row, (base, _c) in zip(rows, told, strict=True) if row.base is None]
        rest = total.base - sum(row.base or 0 for row in rows)
        assert rest not in SMALL
        if hidden:
            assert len(hidden) + bool(more) > 1
    if total and total.share and total.count is not None:
        lost = [told[i] for i, row in enumerate(rows) if row.share is None]
        count = total.count - sum(row.count or 0 for row in rows)
        base = whole[0] - sum(told[i][0] for i, row in enumerate(rows) if row.share)
        if lost or more:
            assert count not in SMALL
            assert base - count not in SMALL


# Pages and API


def client_of(actor: Actor) -> Client:
    client = Client()
    client.force_login(user_of(actor))
    return client


def upload(*rows: str, head: str = COUNT_HEAD) -> SimpleUploadedFile:
    return SimpleUploadedFile("tal.csv", "\r\n".join([head, *rows]).encode())


def test_the_administrator_reads_a_file_in_and_gets_its_faults_back(region):
    client = client_of(region_admin_actor(region))
    with travel(NOW, tick=False):
        address = reverse("pathway-import", args=["counts"])
        assert client.get(address).status_code == 200
        assert client.post(address, {}).status_code == 422
        assert client.post(address, {"file": upload(head="x")}).status_code == 422
        answer = client.post(address, {"file": upload(GOOD, "2026H1;x;1;1;;;;;x")}, follow=True)
        page = answer.content.decode()
        assert "Inget lästes in." in page
        assert "okänt vårdförlopp" in page
        made = PathwayFile.objects.get()
        text = client.get(reverse("pathway-faults", args=[made.pk, "csv"])).content.decode()
        assert "3;vårdförlopp: okänt vårdförlopp." in text
        assert client.get(reverse("pathway-faults", args=[made.pk, "xlsx"])).status_code == 200
        assert client.get(reverse("pathway-faults", args=[made.pk, "pdf"])).status_code == 404
        good = {"file": upload(GOOD), "good_rows_only": "on"}
        assert "inläst" in client.post(address, good, follow=True).content.decode()
        told = client.get(reverse("pathway-told", args=["counts", "csv"])).content.decode()
        assert "2026H1;alla;1000;720;;;;;Signe" in told
        for what in ("limits", "counts"):
            assert client.get(reverse("pathway-told", args=[what, "xlsx"])).status_code == 200
        assert client.get(reverse("pathway-told", args=["x", "csv"])).status_code == 404
        assert client.get(reverse("pathway-import", args=["x"])).status_code == 404
        settings = client.get(reverse("pathway-settings")).content.decode()
        assert "tal.csv" in settings
    other = client_of(region_admin_actor(RegionFactory.create(code="20")))
    assert other.get(reverse("pathway-file", args=[made.pk])).status_code == 404
    assert client_of(manager_actor(region)).get(address).status_code == 403


def test_an_own_lead_time_is_entered_by_hand_too(region):
    client = client_of(region_admin_actor(region))
    address = reverse("pathway-settings")
    told = {"what": "lead_time", "period": "2026H1", "step": "suspicion_to_treatment"}
    told |= {"patients": "50", "within": "20", "median_days": "38,5", "source": "Signe"}
    assert client.post(address, told | {"within": "51"}).status_code == 422
    assert client.post(address, told | {"pathway": "x"}).status_code == 422
    assert client.post(address, told).status_code == 302
    one = LeadTimeCount.objects.get()
    assert (one.pathway, one.within, one.median_days) == ("", 20, Decimal("38.5"))


def test_the_page_tells_the_regions_own_numbers_and_the_brokered_apart(region):
    take_in(region, COUNTS, *WHOLE)
    with travel(NOW, tick=False):
        client = client_of(navigator_actor(region))
        page = " ".join(client.get(reverse("pathways")).content.decode().split())
        text = client.get(reverse("pathways-csv")).content.decode("utf-8-sig")
    own = page.index('<h2 id="own">Regionens egna tal</h2>')
    brokered = page.index('<h2 id="brokered">Förmedlade i Vårdlots</h2>')
    assert "43 %" in page[own:brokered]
    assert "215 av 500 patienter som startat behandling" in page[own:brokered]
    assert "43 %" not in page[brokered : page.index("Regionens egna tal per vårdförlopp")]
    assert "Regionens egna tal;Hela ledtiden: misstanke till behandling;Alla;500;38,0" in text
    assert "Förmedlade i Vårdlots;Alla;Alla;0" in text


def api_of(actor: Actor, *scopes: str) -> APIClient:
    client = APIClient()
    _row, token = ApiToken.objects.create(user_of(actor), scopes=list(scopes) or Scope.values)
    client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    return client


def test_the_api_takes_files_in_and_tells_what_holds(region):
    with travel(NOW, tick=False):
        api = api_of(region_admin_actor(region))
        body = "\r\n".join([COUNT_HEAD, *WHOLE])
        address = "/api/v1/cancer-pathways/counts/"
        answer = api.post(f"{address}?name=h1.csv", body, content_type="text/csv")
        assert answer.status_code == 200
        made = answer.json()
        assert (made["stored"], made["faults"], made["file_name"]) == (3, [], "h1.csv")
        told = api.get(address).json()
        assert told["inclusions"][0]["included"] == 720
        assert {one["step"] for one in told["lead_times"]} == {
            "suspicion_to_treatment",
            "suspicion_to_visit",
        }
        wrong = api.post(address, f"{COUNT_HEAD}\r\n2026H1;x;1;1;;;;;x", content_type="text/csv")
        assert wrong.json()["faults"][0]["row"] == 2
        assert api.post(address, "x", content_type="text/csv").status_code == 400
        assert api.post(address, {}, format="multipart").status_code == 400
        limits = "/api/v1/cancer-pathways/limits/"
        file = upload("Myelom;Läkemedel;30", head=LIMIT_HEAD)
        assert api.post(limits, {"file": file}, format="multipart").status_code == 200
        assert api.get(limits).json()[0]["days"] == 30
        figures = api.get("/api/v1/cancer-pathways/").json()
        assert figures["own"]["suspicion_to_treatment"]["total"]["share"]["percent"] == 43
        assert figures["inclusion_share"]["percent"] == 72


def test_the_api_says_no_to_others_and_without_the_scope(region):
    counts, limits = "/api/v1/cancer-pathways/counts/", "/api/v1/cancer-pathways/limits/"
    readers = api_of(region_admin_actor(region), Scope.STATISTICS_READ)
    assert readers.get(counts).status_code == 200
    assert readers.post(counts, "x", content_type="text/csv").status_code == 403
    manager = api_of(manager_actor(region))
    assert manager.get(limits).status_code == 200
    assert manager.get(counts).status_code == 403
    body = f"{COUNT_HEAD}\r\n{GOOD}"
    assert manager.post(counts, body, content_type="text/csv").status_code == 403
    clinic = api_of(clinic_actor(make_case(region=region).unit))
    assert clinic.get(limits).status_code == 403
