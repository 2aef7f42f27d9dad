"""The worklist: its orders, its pages by key, what the watch list tells, what a search answers."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from organisations.access import Actor
from organisations.models import User
from referral.models import Case, CaseState
from referral.selectors import worklist
from referral.selectors.paging import page_of
from referral.selectors.worklist import SORTS, search_problem, sort_for
from tests.factories import CareUnitFactory, RegionFactory, make_case, navigator_actor, stockholm

pytestmark = pytest.mark.django_db

NOW = stockholm(2026, 3, 10, 9)
TODAY = NOW.date()


def client_of(actor: Actor) -> Client:
    client = Client()
    client.force_login(User.objects.get(pk=actor.user_id))
    return client


def watched(review_in: int) -> Case:
    made = make_case(CaseState.WATCHED)
    day = timezone.localdate() + timedelta(days=review_in)
    Case.objects.filter(pk=made.case.pk).update(review_on=day, reviewed_on=day - timedelta(days=1))
    return made.refresh()


@pytest.mark.parametrize("sort", SORTS)
def test_every_order_gives_each_case_once_over_its_pages(sort):
    region = RegionFactory()
    clinics = [CareUnitFactory(region=region, sends=True, name=name) for name in "BAB"]
    for clinic in clinics:
        for state in (CaseState.WATCHED, CaseState.WATCHED, CaseState.RETURNED):
            make_case(state, now=NOW, unit=clinic)
    actor = navigator_actor(region)
    view = "watched" if "review" in sort else "all"
    cases = worklist(actor, view=view, today=TODAY, sort=sort)
    shown: list[Case] = []
    cursor = ""
    while True:
        page = page_of(cases, sort=sort, cursor=cursor, size=2)
        shown += page.rows
        cursor = page.next_cursor
        if not cursor:
            break
    assert shown == list(cases)
    assert len(shown) == (6 if view == "watched" else 9)


def test_an_order_by_clinic_follows_the_clinics_names():
    region = RegionFactory()
    for name in ("Ögonkliniken", "Kirurgkliniken", "Medicinkliniken"):
        make_case(now=NOW, unit=CareUnitFactory(region=region, sends=True, name=name))
    cases = worklist(navigator_actor(region), view="all", today=TODAY, sort="clinic")
    names = [case.sending_unit.name for case in cases]
    assert names == ["Kirurgkliniken", "Medicinkliniken", "Ögonkliniken"]


def test_an_order_by_state_follows_the_way_of_a_case():
    region = RegionFactory()
    for state in (CaseState.OFFERED, CaseState.RECEIVED, CaseState.IN_PROGRESS):
        make_case(state, now=NOW, region=region)
    cases = worklist(navigator_actor(region), view="all", today=TODAY, sort="state")
    assert [c.state for c in cases] == ["received", "in_progress", "offered"]


@pytest.mark.parametrize("cursor", ["x", "_1", "A\x00_1", "99_x", "2026-13-40_1", "²_1", "A_1"])
@pytest.mark.parametrize("sort", ["state", "clinic", "review", "number", "received"])
def test_a_cursor_that_cannot_be_read_is_none_and_never_an_error(sort, cursor):
    made = make_case(CaseState.WATCHED, now=NOW)
    cases = worklist(made.navigator, view="watched", today=TODAY, sort=sort)
    assert len(page_of(cases, sort=sort, cursor=cursor).rows) <= 1


def test_the_day_of_review_orders_the_watch_list_only():
    assert sort_for("", view="watched") == sort_for("review", view="review_due") == "review"
    assert sort_for("", view="all") == sort_for("-review", view="all") == "last_day"
    assert sort_for("review", view="watched", search="Anna") == "last_day"


def test_the_list_of_what_is_seen_again_holds_today_and_before():
    late, today, later = watched(-3), watched(0), watched(3)
    actor = navigator_actor(late.region)
    due = worklist(actor, view="review_due", today=timezone.localdate())
    assert list(due) == [late, today]
    assert later in worklist(actor, view="watched", today=timezone.localdate())


def test_a_day_of_review_that_has_passed_is_told_in_list_and_case():
    late = watched(-3)
    client = client_of(navigator_actor(late.region))
    for address in (f"{reverse('worklist')}?view=watched", reverse("case", args=[late.number])):
        page = client.get(address).content.decode()
        assert "skulle ha setts över" in page
        assert late.review_on.isoformat() in page


def wrong_check_digit(number: str) -> str:
    return f"{number[:-1]}{(int(number[-1]) + 1) % 10}"


def test_a_wrong_check_digit_in_a_search_is_told_in_words():
    made = make_case()
    wrong = wrong_check_digit(made.case.number)
    page = client_of(made.navigator).get(reverse("worklist"), {"q": wrong}).content.decode()
    assert "Ärendenumrets kontrollsiffra stämmer inte" in page


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("19121212-1212", ""),
        ("19121212-1213", "Kontrollsiffran stämmer inte"),
        ("121212-1213", "Kontrollsiffran stämmer inte"),
        ("13-26-00001-9", "elva siffror"),
        ("13-26-000001-0", "kontrollsiffra stämmer inte"),
        ("13-26-0000", ""),
        ("Anna Lind", ""),
        ("", ""),
    ],
)
def test_a_searched_number_is_judged_by_its_length(text, problem):
    told = search_problem(text, today=TODAY)
    assert (problem in told) if problem else told == ""


@pytest.mark.parametrize("sort", ["last_day", "clinic", "-state", "procedure"])
def test_a_page_of_the_list_takes_at_most_twelve_queries(sort):
    made = make_case(CaseState.WATCHED)
    for _more in range(3):
        make_case(region=made.unit.region)
    client = client_of(made.navigator)
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(reverse("worklist"), {"view": "all", "sort": sort})
    assert answer.status_code == 200
    assert len(queries) <= 12


def test_filters_sort_and_view_stand_in_the_addresses_of_the_page():
    made = make_case()
    asked = {"view": "all", "kva": "NGB", "sort": "-received"}
    page = client_of(made.navigator).get(reverse("worklist"), asked).content.decode()
    assert "view=all&amp;kva=NGB&amp;sort=received" in page
    assert "view=all&amp;kva=NGB&amp;sort=clinic" in page
