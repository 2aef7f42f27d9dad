"""How long a session lasts, what shows a person, and what is kept when it ends."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from organisations.access import Actor, acting_as
from organisations.login.kept import KEPT_FOR, keep, kept_for, sweep_kept_texts
from organisations.login.sessions import SessionClock, sweep_sessions
from organisations.models import ApiToken, KeptText
from referral.models import CaseState
from tests.factories import MadeCase, make_case, navigator_actor, user_of

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


@pytest.fixture
def made() -> MadeCase:
    return make_case(CaseState.IN_PROGRESS)


@pytest.fixture
def client_of() -> Callable[[Actor], Client]:
    def log_in(actor: Actor, **options: Any) -> Client:
        client = Client(**options)
        client.force_login(user_of(actor))
        return client

    return log_in


def is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def note_address(made: MadeCase) -> str:
    return f"/cases/{made.case.number}/do/note/"


@pytest.mark.parametrize(("minutes", "stays"), [(14, True), (15, False)])
def test_a_session_ends_after_15_idle_minutes(
    made: MadeCase, client_of: Any, minutes: int, stays: bool
) -> None:
    client = client_of(made.navigator)
    with time_machine.travel(timezone.now() + minutes * MINUTE, tick=False):
        answer = client.get("/cases/")
    assert is_in(client) == stays
    assert answer.status_code == (200 if stays else 302)


def test_the_minutes_can_be_set(made: MadeCase, client_of: Any, settings: Any) -> None:
    settings.SESSION_IDLE = 5 * MINUTE
    client = client_of(made.navigator)
    with time_machine.travel(timezone.now() + 6 * MINUTE, tick=False):
        client.get("/cases/")
    assert not is_in(client)


def test_who_works_stays_until_the_longest_time_is_over(made: MadeCase, client_of: Any) -> None:
    client, began = client_of(made.navigator), timezone.now()
    for minutes in range(14, 12 * 60, 14):
        with time_machine.travel(began + minutes * MINUTE, tick=False):
            client.post("/session/keep/")
    assert is_in(client)
    with time_machine.travel(began + timedelta(hours=12), tick=False):
        client.get("/cases/")
    assert not is_in(client)


@pytest.mark.parametrize(
    ("headers", "stays"), [({}, False), ({"X-Person-Active": "1"}, True)], ids=["poll", "person"]
)
def test_a_part_that_the_page_fetches_by_itself_keeps_no_session_alive(
    made: MadeCase, client_of: Any, headers: dict[str, str], stays: bool
) -> None:
    client, began = client_of(made.navigator), timezone.now()
    address = f"/cases/{made.case.number}/notices/"
    with time_machine.travel(began + 10 * MINUTE, tick=False):
        client.get(address, headers={"HX-Request": "true"} | headers)
    with time_machine.travel(began + 20 * MINUTE, tick=False):
        client.get("/cases/")
    assert is_in(client) == stays


def test_asking_for_the_time_left_keeps_no_session_alive(made: MadeCase, client_of: Any) -> None:
    client, began = client_of(made.navigator), timezone.now()
    with time_machine.travel(began + 10 * MINUTE, tick=False):
        left = client.get("/session/").json()["seconds_left"]
    assert 298 <= left <= 300
    with time_machine.travel(began + 16 * MINUTE, tick=False):
        assert client.get("/session/").json() == {"seconds_left": 0}
    assert not is_in(client)


def test_the_page_that_one_was_on_comes_back_after_login(made: MadeCase, client_of: Any) -> None:
    client = client_of(made.navigator)
    with time_machine.travel(timezone.now() + 20 * MINUTE, tick=False):
        answer = client.get("/cases/?view=mine", follow=True)
    assert answer.redirect_chain[-1][0] == "/login/?next=/cases/%3Fview%3Dmine"
    assert "inte hade gjort något" in answer.content.decode()


def test_a_part_of_a_page_sends_the_browser_to_the_login(made: MadeCase, client_of: Any) -> None:
    client = client_of(made.navigator)
    page = f"http://testserver/cases/{made.case.number}/"
    with time_machine.travel(timezone.now() + 20 * MINUTE, tick=False):
        answer = client.get(
            f"/cases/{made.case.number}/notices/",
            headers={"HX-Request": "true", "HX-Current-URL": page},
        )
    assert answer.status_code == 401
    assert answer["HX-Redirect"].startswith("/login/?next=%2Fcases%2F")


def test_a_form_that_came_too_late_is_kept_and_not_done(made: MadeCase, client_of: Any) -> None:
    client, actor = client_of(made.navigator), made.navigator
    page, later = note_address(made), timezone.now() + 20 * MINUTE
    with time_machine.travel(later, tick=False):
        answer = client.post(
            page, {"text": "Ringde patienten."}, headers={"Referer": f"http://testserver{page}"}
        )
    assert answer.status_code == 302
    assert answer["Location"].startswith("/login/?next=%2Fcases%2F")
    assert not made.case.log.filter(verb="note").exists()
    assert kept_for(actor, actions=[page], now=later) == {page: {"text": "Ringde patienten."}}


def test_a_late_form_from_another_site_is_not_kept(made: MadeCase, client_of: Any) -> None:
    client = client_of(made.navigator, enforce_csrf_checks=True)
    with time_machine.travel(timezone.now() + 20 * MINUTE, tick=False):
        client.post(note_address(made), {"text": "Inte jag."})
    assert not KeptText.objects.exists()
    assert not is_in(client)


def test_what_was_typed_is_given_back_and_forgotten_when_sent(
    made: MadeCase, client_of: Any
) -> None:
    client, page = client_of(made.navigator), note_address(made)
    answer = client.post("/session/keep/", {"action": page, "text": "Halv mening", "password": "x"})
    assert answer.json()["kept"] is True
    again = client_of(made.navigator)
    assert again.get("/session/kept/", {"action": page}).json() == {
        "forms": {page: {"text": "Halv mening"}}
    }
    again.post(page, {"text": "Hel mening."})
    assert again.get("/session/kept/", {"action": page}).json() == {"forms": {}}


def test_nobody_else_gets_what_was_typed_not_even_the_same_person_in_another_role(
    made: MadeCase, client_of: Any
) -> None:
    page, now = note_address(made), timezone.now()
    keep(made.navigator, action=page, fields={"text": "hemligt"}, now=now)
    colleague = navigator_actor(made.case.region)
    assert kept_for(colleague, actions=[page], now=now) == {}
    as_manager = Actor(
        role="manager",
        name=made.navigator.name,
        user_id=made.navigator.user_id,
        region=made.navigator.region,
    )
    assert kept_for(as_manager, actions=[page], now=now) == {}


def test_the_database_alone_gives_nobody_elses_text(made: MadeCase) -> None:
    keep(made.navigator, action=note_address(made), fields={"text": "x"}, now=timezone.now())
    with acting_as(navigator_actor(made.case.region)):
        assert not KeptText.objects.exists()
    with acting_as(made.navigator):
        assert KeptText.objects.exists()


@pytest.mark.parametrize(
    "action", ["https://elsewhere.example/", "/finns/inte/", "/login/", "/api/v1/cases/", "x" * 400]
)
def test_only_forms_of_our_own_pages_are_kept(made: MadeCase, action: str) -> None:
    assert not keep(made.navigator, action=action, fields={"text": "x"}, now=timezone.now())


def test_what_nobody_comes_back_for_is_deleted(made: MadeCase) -> None:
    now = timezone.now()
    keep(made.navigator, action=note_address(made), fields={"text": "x"}, now=now)
    assert sweep_kept_texts(now=now + KEPT_FOR - MINUTE) == 0
    assert sweep_kept_texts(now=now + KEPT_FOR) == 1


def test_the_session_key_is_another_after_a_password_login(made: MadeCase) -> None:
    user = user_of(made.navigator)
    user.set_password("correct horse battery")
    user.save()
    client = Client()
    session = client.session
    session["x"] = 1
    session.save()
    before = session.session_key
    body = {"username": user.login, "password": "correct horse battery"}
    assert client.post("/login/", body).status_code == 302
    assert client.session.session_key != before
    assert SessionClock.of(client.session) is not None


def test_logging_out_everywhere_ends_every_session_and_token(
    made: MadeCase, client_of: Any
) -> None:
    here, there = client_of(made.navigator), client_of(made.navigator)
    ApiToken.objects.create(user_of(made.navigator))
    colleague = client_of(navigator_actor(made.case.region))
    assert here.post("/logout/everywhere/").status_code == 302
    assert here.get("/cases/").status_code == there.get("/cases/").status_code == 302
    assert colleague.get("/cases/").status_code == 200
    assert not ApiToken.objects.exists()


def test_pages_of_someone_logged_in_are_not_kept_by_the_browser(
    made: MadeCase, client_of: Any
) -> None:
    answer = client_of(made.navigator).get(f"/cases/{made.case.number}/")
    assert answer["Cache-Control"] == "no-store"


def test_the_session_api_tells_a_stranger_nothing(made: MadeCase) -> None:
    client = Client()
    assert client.get("/session/").json() == {"seconds_left": 0}
    assert client.post("/session/keep/", {"action": "/cases/"}).status_code == 401
    assert client.get("/session/kept/").status_code == 302


def test_sessions_and_tokens_whose_time_is_over_are_deleted(made: MadeCase, client_of: Any) -> None:
    client_of(made.navigator)
    ApiToken.objects.create(user_of(made.navigator), expiry=timedelta(days=1))
    assert sweep_sessions(now=timezone.now()) == 0
    assert sweep_sessions(now=timezone.now() + timedelta(days=30)) == 2


def test_a_session_that_was_made_odd_is_begun_anew(made: MadeCase, client_of: Any) -> None:
    client = client_of(made.navigator)
    session = client.session
    session["session_began"] = json.dumps({"not": "a time"})
    session.save()
    assert client.get("/cases/").status_code == 200
    assert SessionClock.of(client.session) is not None
