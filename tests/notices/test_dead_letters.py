"""What did not get through is found by gateway and reason, and sent again, one or many."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from notices import views
from notices.gateways import GatewayError, breaker
from notices.models import Notice, StaffMail
from notices.selectors import reasons_of, undelivered
from organisations.events import deliver_events
from referral.models import CaseState
from tests.factories import (
    MadeCase,
    RegionFactory,
    make_case,
    navigator_actor,
    operator_actor,
    region_admin_actor,
    user_of,
)

pytestmark = pytest.mark.django_db

REFUSED, DOWN = "Tjänsten avvisade (refused with 400).", "Tjänsten svarade inte (503)."


def failed(n: int, error: str, *, channel: str = "1177", home: MadeCase | None = None) -> MadeCase:
    """So many given up in one region; returns the last one's case."""
    places = {"unit": home.unit, "line": home.line} if home else {}
    for _ in range(n):
        made = make_case(CaseState.OFFERED, **places)
        places = {"unit": made.unit, "line": made.line}
        deliver_events(now=timezone.now())
        Notice.objects.filter(case=made.case, kind="offer").update(
            state="failed", attempts=12, last_error=error, channel=channel
        )
    return made


def page(client: Client, query: str = "") -> str:
    return client.get(reverse("undelivered") + query).content.decode()


def test_a_filter_by_gateway_and_reason_shows_those_alone(client: Client):
    home = failed(2, REFUSED)
    other = failed(1, DOWN, channel="digital", home=home)
    client.force_login(user_of(home.navigator))
    assert page(client).count("Markera 13-") == 3
    shown = page(client, "?channel=digital")
    assert (shown.count("Markera 13-"), other.case.number in shown) == (1, True)
    [most, least] = reasons_of(undelivered(home.navigator))
    assert (most[1:], least[1:]) == ((REFUSED, 2), (DOWN, 1))
    assert page(client, f"?reason={most[0]}").count("Markera 13-") == 2
    assert "stämmer med urvalet" in page(client, f"?reason={most[0]}&channel=email")
    for odd in ("?channel=pigeon", "?reason=%00", "?reason=x&page=99999999999999999999"):
        assert page(client, odd).count("Markera 13-") == 3


def test_those_picked_are_tried_again_and_no_others(client: Client):
    home = failed(3, DOWN)
    client.force_login(user_of(home.navigator))
    first, second, third = undelivered(home.navigator)
    address = reverse("undelivered-again")
    answer = client.post(address, {"pick": [first.pk, third.pk]}, follow=True)
    assert "2 meddelanden skickas på nytt" in answer.content.decode()
    assert list(undelivered(home.navigator)) == [second]


@pytest.mark.parametrize("pick", [[], ["x"], ["9" * 30], ["-1"], ["\x00"], ["²"]])
def test_what_is_no_pick_changes_nothing_and_says_so(client: Client, pick):
    home = failed(1, DOWN)
    client.force_login(user_of(home.navigator))
    answer = client.post(reverse("undelivered-again"), {"pick": pick}, follow=True)
    assert "Markera minst ett" in answer.content.decode()
    assert undelivered(home.navigator).count() == 1


def test_all_that_the_filter_shows_are_tried_again_so_many_at_a_time(client: Client, monkeypatch):
    monkeypatch.setattr(views, "MOST_AGAIN", 2)
    home = failed(3, DOWN)
    failed(1, REFUSED, channel="digital", home=home)
    client.force_login(user_of(home.navigator))
    form = {"all": "1", "channel": "1177", "reason": ""}
    left = []
    for _time in range(3):
        client.post(reverse("undelivered-again"), form)
        left.append(undelivered(home.navigator).count())
    assert left == [2, 1, 1]


def test_another_regions_are_not_tried_again(client: Client):
    home = failed(1, DOWN)
    [notice] = undelivered(home.navigator)
    client.force_login(user_of(navigator_actor(RegionFactory(code="14"))))
    for form in ({"pick": [notice.pk]}, {"all": "1"}):
        client.post(reverse("undelivered-again"), form)
    assert undelivered(home.navigator).count() == 1


def test_the_operator_sees_mails_to_staff_that_failed_and_sends_them_again(client: Client):
    now = timezone.now()
    failing = StaffMail.objects.create(
        to="a@region.example",
        subject="Taket är nått",
        body="x",
        idempotency_key="k",
        created_at=now,
        due_at=now,
        state="failed",
    )
    client.force_login(user_of(operator_actor()))
    assert "a@region.example" in client.get(reverse("staff-mail")).content.decode()
    client.post(reverse("staff-mail-again", args=[failing.pk]))
    failing.refresh_from_db()
    assert (failing.state, failing.attempts) == ("waiting", 0)
    assert "Allt har gått fram" in client.get(reverse("staff-mail")).content.decode()


def test_nobody_else_sees_mails_to_staff(client: Client):
    home = make_case(CaseState.OFFERED)
    for actor in (home.navigator, region_admin_actor(home.unit.region)):
        client.force_login(user_of(actor))
        assert client.get(reverse("staff-mail")).status_code == 403


def test_the_operator_sees_that_a_gateway_rests(client: Client, settings):
    settings.GATEWAY_BREAKER_FAILURES = 1
    breaker.forget()
    client.force_login(user_of(operator_actor()))
    before = client.get(reverse("operations")).content.decode()
    assert "svarar inte, prövas igen" not in before
    with pytest.raises(GatewayError), breaker.guard("1177"):
        raise GatewayError("down")
    shown = client.get(reverse("operations")).content.decode()
    assert "svarar inte, prövas igen" in shown
    assert "något behöver ses över" in shown
