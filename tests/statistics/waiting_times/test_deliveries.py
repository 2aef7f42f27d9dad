"""A month's file is delivered: window, versions, receipts, reporting degree and who may."""

import io
import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from organisations.access import acting_as, as_product
from organisations.errors import InvalidInput, NotAllowed, WrongState
from organisations.models import AccessLog, ApiToken
from organisations.retention import rules, thin
from referral.models import CaseState
from statistics.guarantee.models import WithheldWaiting
from statistics.months import Month
from statistics.waiting_times import selectors, services
from statistics.waiting_times.models import WaitingTimeDegree, WaitingTimeDelivery
from statistics.waiting_times.validation import Verdict
from tests.concurrency import together
from tests.factories import (
    RegionFactory,
    clinic_actor,
    contract_owner_actor,
    make_case,
    manager_actor,
    navigator_actor,
    operator_actor,
    region_admin_actor,
    stockholm,
    user_of,
)
from tests.statistics.waiting_times.files import PRIMARY, SPECIALISED, WAITS, written

pytestmark = pytest.mark.django_db

NOVEMBER = stockholm(2026, 11, 20, 9)
OCTOBER = Month(2026, 10)


@pytest.fixture
def region():
    return RegionFactory(code="14")


@pytest.fixture
def admin(region):
    return region_admin_actor(region)


def contacts(number: int, **changes: str) -> list[dict[str, str]]:
    return [SPECIALISED | {"vardkontakt_id": f"k{n}"} | changes for n in range(number)]


def of_month(month: Month, number: int = 1, **changes: str) -> bytes:
    """A good file of the month, of so many contacts."""
    day = {"rapportmanad": str(month), "start": f"{month}-05T13:00", "beslut": "2026-01-03T09:15"}
    return written(contacts(number, **(day | changes)))


def deliver(content, actor, now=NOVEMBER, name="oktober.csv"):
    return services.deliver(content, name=name, actor=actor, now=now)


def test_a_receipt_has_number_checksum_counts_verdict_when_and_who(admin, region):
    content = written([*contacts(6), *({**one, **WAITS} for one in contacts(5, vardenhet3="EA"))])
    content = content.replace(b"EA;k", b"EA;w")
    made = deliver(content, admin)
    assert made.number == "VT-14-2026-00001"
    assert (made.verdict, made.version, made.month) == ("approved", 1, OCTOBER.first_day)
    assert (made.rows, made.done, made.waiting, made.errors) == (11, 6, 5, 0)
    told = selectors.receipt_of(made)
    assert told["file"]["sha256"] == made.sha256
    assert len(made.sha256) == 64
    shown = {"rows": 11, "done": 6, "waiting": 5, "errors": 0, "lacks": 0, "remarks": 0}
    assert told["counts"] == shown
    assert (told["delivered_by"], told["delivered_at"]) == (admin.name, NOVEMBER.isoformat())
    assert told["is_current"] is True
    assert json.dumps(told)
    assert services.content_for(made, actor=admin, now=NOVEMBER) == content


def test_a_newer_version_replaces_the_earlier_and_both_are_kept(admin):
    first = deliver(of_month(OCTOBER), admin)
    second = deliver(of_month(OCTOBER, 2), admin)
    assert (first.version, second.version) == (1, 2)
    assert not selectors.is_current(first)
    assert selectors.is_current(second)
    assert services.content_for(first, actor=admin, now=NOVEMBER) == of_month(OCTOBER)
    # The same file once more is the same delivery.
    assert deliver(of_month(OCTOBER, 2), admin).pk == second.pk
    # But not once the month can no longer be corrected.
    late = deliver(of_month(OCTOBER, 2), admin, now=stockholm(2027, 2, 1))
    assert (late.verdict, late.version) == ("refused", None)
    # What was is a version of its own when it comes back.
    assert deliver(of_month(OCTOBER), admin).version == 3


@pytest.mark.parametrize(
    ("month", "codes"),
    [
        (Month(2026, 7), {"VT501"}),
        (Month(2026, 8), set()),
        (Month(2026, 10), set()),
        (Month(2026, 11), {"VT502"}),
        (Month(2026, 12), {"VT502"}),
    ],
)
@pytest.mark.parametrize("day", [1, 30])
def test_a_month_can_be_corrected_for_three_months(admin, month, codes, day):
    made = deliver(of_month(month), admin, now=stockholm(2026, 11, day, 12))
    assert {code for _name, code, _count in made.faults} == codes
    assert (made.verdict == Verdict.REFUSED) == bool(codes)
    assert made.is_kept == (not codes)


def test_a_refused_file_gets_a_receipt_but_replaces_nothing(admin):
    kept = deliver(of_month(OCTOBER), admin)
    refused = deliver(of_month(OCTOBER, kon="7"), admin)
    assert (refused.verdict, refused.version, refused.file.name) == ("refused", None, "")
    assert refused.first_faults == [[2, "kon", "VT301", 0]]
    assert selectors.is_current(kept)
    nonsense = deliver(b"\x00\x01", admin)
    assert (nonsense.month, nonsense.model, nonsense.errors) == (None, "", 1)
    assert [one.serial for one in (kept, refused, nonsense)] == [1, 2, 3]


def test_a_file_of_another_region_is_refused(admin):
    made = deliver(of_month(OCTOBER, huvudman="13"), admin)
    assert [code for _name, code, _count in made.faults] == ["VT422"]


def test_a_file_of_primary_care_is_a_series_of_its_own(admin):
    specialised = deliver(of_month(OCTOBER), admin)
    primary = deliver(written([PRIMARY], model="primary"), admin)
    assert (primary.model, primary.version, primary.verdict) == ("primary", 1, "approved")
    assert selectors.is_current(specialised)


def test_a_file_that_is_too_big_is_refused_at_once(admin):
    with pytest.raises(InvalidInput):
        deliver(b"x" * (WaitingTimeDelivery.MAX_BYTES + 1), admin)
    assert not WaitingTimeDelivery.objects.exists()


def test_a_page_leaves_a_file_of_nothing_but_faults_early(admin):
    content = of_month(OCTOBER) + b"x\n" * (services.MOST_ERRORS + 1000)
    result = services.check(content, actor=admin, today=NOVEMBER.date())
    assert (result.faults["", "VT112"], result.rows) == (1, services.MOST_ERRORS + 1)
    assert result.verdict == Verdict.REFUSED


def test_only_the_regions_administrator_and_manager_deliver(region):
    unit = make_case(region=region).unit
    deliver(of_month(OCTOBER), manager_actor(region))
    for actor in (
        clinic_actor(unit),
        navigator_actor(region),
        contract_owner_actor(region),
        operator_actor(),
    ):
        with pytest.raises(NotAllowed):
            deliver(of_month(OCTOBER), actor)
        assert not selectors.deliveries_of(actor).exists()


def test_the_file_is_fetched_by_the_administrator_alone_and_each_case_is_logged(region, admin):
    made = make_case(CaseState.IN_PROGRESS, region=region, now=stockholm(2026, 10, 12))
    own = services.deliver_own(OCTOBER, actor=manager_actor(region), now=NOVEMBER)
    assert (own.origin, own.waiting, own.verdict) == ("own", 1, "incomplete")
    for actor in (manager_actor(region), region_admin_actor(RegionFactory(code="13"))):
        with pytest.raises(NotAllowed):
            services.content_for(own, actor=actor, now=NOVEMBER)
    before = AccessLog.objects.latest("pk").pk
    services.content_for(own, actor=admin, now=NOVEMBER)
    rows = AccessLog.objects.filter(pk__gt=before, what="waiting_times_file")
    assert {row.case_number for row in rows} == {made.case.number, ""}


def test_the_own_file_is_made_for_months_of_the_window_only(admin):
    with pytest.raises(WrongState):
        services.deliver_own(Month(2026, 11), actor=admin, now=NOVEMBER)
    # Without any case there is nothing to deliver, and the receipt says so.
    empty = services.deliver_own(OCTOBER, actor=admin, now=NOVEMBER)
    assert [code for _name, code, _count in empty.faults] == ["VT111"]


def test_the_database_gives_a_regions_deliveries_to_its_administrator_and_manager(region, admin):
    deliver(of_month(OCTOBER), admin)
    elsewhere = RegionFactory(code="13")
    readers = (admin, manager_actor(region))
    others = (
        region_admin_actor(elsewhere),
        manager_actor(elsewhere),
        navigator_actor(region),
        contract_owner_actor(region),
        operator_actor(),
    )
    for actors, seen in ((readers, True), (others, False)):
        for actor in actors:
            with acting_as(actor):
                assert WaitingTimeDelivery.objects.exists() == seen, actor
                assert WaitingTimeDegree.objects.exists() == seen, actor


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE statistics_waitingtimedelivery SET verdict = 'refused', version = NULL, errors = 1",
        "UPDATE statistics_waitingtimedelivery SET file = 'x'",
        "UPDATE statistics_waitingtimedelivery SET file = ''",
        "DELETE FROM statistics_waitingtimedelivery",
        "RESET ROLE; TRUNCATE statistics_waitingtimedelivery CASCADE",
        "UPDATE statistics_waitingtimedegree SET missing = 0",
    ],
)
def test_the_database_keeps_a_delivery_as_it_is(admin, statement):
    from tests.test_database_rules import refused

    deliver(of_month(OCTOBER), admin, now=timezone.now())
    now = timezone.now()
    last = Month.of(timezone.localdate(now)).back(1)
    deliver(of_month(last, beslut="2020-01-01T10:00"), admin, now=now)
    assert any(
        text in str(refused(statement)) for text in ("stays as it is", "append-only", "is kept")
    )


def test_files_go_when_months_can_no_longer_be_corrected_and_receipts_stay(
    admin, django_capture_on_commit_callbacks
):
    then = timezone.now() - timedelta(days=200)
    month = Month.of(timezone.localdate(then)).back(1)
    made = deliver(of_month(month, beslut="2020-01-01T10:00"), admin, now=then)
    new = deliver(of_month(OCTOBER, beslut="2020-01-01T10:00"), admin)
    (rule,) = (one for one in rules() if one.name == "waiting_times")
    assert rule.due(timezone.now()) == 1
    storage, name = made.file.storage, made.file.name
    with django_capture_on_commit_callbacks(execute=True):
        assert thin(rule, now=timezone.now()) == 1
    assert not storage.exists(name)
    made.refresh_from_db()
    assert not made.is_kept
    with pytest.raises(WrongState):
        services.content_for(made, actor=admin, now=timezone.now())
    new.refresh_from_db()
    assert new.is_kept


@pytest.mark.parametrize(
    "decided",
    [
        pytest.param({}, id="nothing-is-hidden"),
        pytest.param({"first_day": "2026-09-01", "hidden_next": ["treated"]}, id="after-few"),
        pytest.param({"first_day": "2026-10-01", "region_withheld": True}, id="waiting-withheld"),
    ],
)
def test_a_file_of_the_regions_cases_tells_nothing_that_other_pages_hide(region, admin, decided):
    """Of five who wait, in a month whose waiting or treated would give those of another away."""
    for _number in range(5):
        make_case(CaseState.IN_PROGRESS, region=region, now=stockholm(2026, 10, 12, 9))
    if decided:
        WithheldWaiting.objects.create(region=region, decided_at=NOVEMBER, **decided)
    made = services.deliver_own(OCTOBER, actor=admin, now=NOVEMBER)
    counts = selectors.counts_of(made)
    hidden = (None, None, None, None)
    shown = (5, 0, 5, made.lacks)
    told = (counts.rows, counts.done, counts.waiting, counts.lacks)
    assert told == (hidden if decided else shown)
    receipt = selectors.receipt_of(made)["faults"]
    assert {one["count"] for one in receipt} == {None if decided else 5}
    # Of a file from elsewhere the cases here tell nothing.
    many = [one | WAITS | {"vardkontakt_id": f"w{n}"} for n, one in enumerate(contacts(6))]
    assert selectors.counts_of(deliver(written(many), admin)).waiting == 6


def test_counts_of_few_contacts_are_hidden_and_no_fault_gives_them_away(region, admin):
    """Three done of nine: each lacks a value, which is neither counted nor shown row by row."""
    few = [one | {"vardenhet1_namn": ""} for one in contacts(3)]
    many = [one | WAITS | {"vardkontakt_id": f"w{n}"} for n, one in enumerate(contacts(6))]
    made = deliver(written([*few, *many]), admin)
    assert (made.done, made.waiting, made.lacks) == (3, 6, 3)
    counts = selectors.counts_of(made)
    assert (counts.rows, counts.done, counts.waiting, counts.lacks) == (9, None, None, None)
    assert [one.count for one in selectors.faults_of(made)] == [None]
    assert "Rad för rad" not in page(admin, "waiting-times-receipt", made.number).content.decode()
    assert page(admin, "waiting-times-faults", made.number).content.count(b"\r\n") == 1
    # A refused file is there to be mended.
    refused = deliver(written([one | {"kon": "7"} for one in few]), manager_actor(region))
    assert [one.row for one in selectors.first_faults_of(refused) if one.variable == "kon"] == [
        *(2, 3, 4)
    ]


@pytest.mark.django_db(transaction=True)
def test_versions_and_numbers_are_drawn_once_each_when_many_deliver():
    region = RegionFactory(code="14")
    admin = region_admin_actor(region)

    def one(n):
        with as_product("test"):
            return deliver(of_month(OCTOBER, n + 1), admin)

    made = together([lambda n=n: one(n) for n in range(4)])
    assert sorted(one.version for one in made) == [1, 2, 3, 4]
    assert sorted(one.serial for one in made) == [1, 2, 3, 4]


def page(actor, name, *args, **query):
    client = Client()
    client.force_login(user_of(actor))
    return client.get(reverse(name, args=args), query)


def post(actor, name, **data):
    client = Client()
    client.force_login(user_of(actor))
    return client.post(reverse(name), data)


def upload(content, name="fil.csv"):
    file = io.BytesIO(content)
    file.name = name
    return file


def test_pages_show_receipts_and_hand_them_out(region, admin):
    last = Month.of(timezone.localdate()).back(1)
    content = of_month(last, 6, beslut="2020-01-01T10:00", yrkesgrupp="")
    answer = post(admin, "waiting-times", file=upload(content))
    made = WaitingTimeDelivery.objects.get()
    assert answer.status_code == 302
    assert answer.url == reverse("waiting-times-receipt", args=[made.number])
    shown = page(admin, "waiting-times-receipt", made.number).content.decode()
    assert made.sha256 in shown
    assert "VT201" in shown
    assert reverse("waiting-times-file", args=[made.number]) in shown
    told = page(admin, "waiting-times-receipt-json", made.number).json()
    assert (told["number"], told["counts"]["rows"]) == (made.number, 6)
    faults = page(admin, "waiting-times-faults", made.number).content.decode("utf-8-sig")
    assert faults.count("VT201") == 6
    assert page(admin, "waiting-times-file", made.number).content == content
    assert made.number in page(admin, "waiting-times").content.decode()
    reported = page(admin, "waiting-times-reporting", month=str(last)).content.decode()
    assert "Yrkesgrupp" in reported
    assert page(admin, "waiting-times-layout").content.decode().count("<tr>") > 90
    manager = manager_actor(region)
    assert page(manager, "waiting-times-file", made.number).status_code == 403
    stranger = region_admin_actor(RegionFactory(code="13"))
    for name in ("waiting-times-receipt", "waiting-times-receipt-json", "waiting-times-file"):
        assert page(stranger, name, made.number).status_code == 404
    assert page(navigator_actor(region), "waiting-times").status_code == 403


def test_the_month_is_made_and_a_file_is_checked_on_the_page(region, admin):
    now = timezone.now()
    make_case(CaseState.IN_PROGRESS, region=region, now=now - timedelta(days=40))
    last = Month.of(timezone.localdate(now)).back(1)
    assert post(admin, "waiting-times", month=str(last)).status_code == 302
    assert WaitingTimeDelivery.objects.get().origin == "own"
    assert post(admin, "waiting-times", month="2020-01").status_code == 422
    assert post(admin, "waiting-times").status_code == 422
    checked = post(admin, "waiting-times-check", file=upload(b"\xff\xfe\x00"))
    assert checked.status_code == 200
    assert "Underkänd" in checked.content.decode()
    assert WaitingTimeDelivery.objects.count() == 1
    too_big = post(admin, "waiting-times-check", file=upload(b"x" * (20 * 2**20 + 1)))
    assert too_big.status_code == 422


def test_the_window_holds_in_the_database_too(admin):
    made = deliver(of_month(OCTOBER), admin)
    columns = [f.column for f in made._meta.concrete_fields if not f.primary_key]
    changed = {"serial": "9", "number": "'x'", "month": "DATE '2026-07-01'"}
    values = ", ".join(changed.get(name, name) for name in columns)
    from tests.test_database_rules import refused

    table = made._meta.db_table
    error = refused(f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM {table}")
    assert error.__cause__.diag.constraint_name == "waiting_delivery_within_window"
    assert connection.vendor == "postgresql"


def test_the_api_gives_receipts_to_those_who_have_them(region, admin):
    made = deliver(of_month(OCTOBER, 6, yrkesgrupp=""), admin)
    stranger = manager_actor(RegionFactory(code="13"))
    for actor, numbers in ((admin, [made.number]), (stranger, []), (navigator_actor(region), [])):
        client = APIClient()
        _row, token = ApiToken.objects.create(user_of(actor), scopes=["statistics:read"])
        client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
        listed = client.get(reverse("api-waiting-time-deliveries")).json()["results"]
        assert [one["number"] for one in listed] == numbers
        answer = client.get(reverse("api-waiting-time-delivery", args=[made.number]))
        assert answer.status_code == (200 if numbers else 404)
        if numbers:
            assert answer.json()["counts"]["lacks"] == 6
            assert answer.json()["file"]["sha256"] == made.sha256
            assert (listed[0]["month"], listed[0]["verdict"]) == ("2026-10", "incomplete")
