"""Telefontider as pages: open, close, book from the case, and what became of the call."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from notices.callbacks.services import ask_for_call
from notices.models import CallBack, PhoneTime
from organisations.access import Actor
from organisations.working_days import next_working_day
from referral import services
from referral.models import CaseState
from tests.factories import MadeCase, RegionFactory, make_case, navigator_actor, user_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def made() -> MadeCase:
    return make_case(CaseState.IN_PROGRESS, phone="070-123 45 67", family_name="Undansson")


def visiting(actor: Actor) -> Client:
    client = Client()
    client.force_login(user_of(actor))
    return client


def open_hour(client: Client, **values: Any) -> Any:
    typed = {
        "first_day": str(next_working_day(timezone.localdate())),
        "start": "09:00",
        "end": "10:00",
        "minutes": "30",
    }
    return client.post(reverse("phone-times-new"), typed | values)


def test_times_are_opened_booked_from_the_case_and_called(made: MadeCase):
    client = visiting(made.navigator)
    opened = open_hour(client)
    page = client.get(opened.url).content.decode()
    assert page.count("Ledig</span>") == 2
    (first, second) = PhoneTime.objects.all()
    book = reverse("case-call-book", args=[made.case.number])
    form = visiting(made.clinic).get(book).content.decode()
    assert "070-123 45 67" in form
    assert first.clock in form
    typed = {"time_id": first.pk, "phone": "070-123 45 67", "about": "Resan"}
    visiting(made.clinic).post(book, typed)
    page = client.get(opened.url).content.decode()
    assert made.case.number in page
    assert "Resan" in page
    assert "070-123" not in page
    assert "Undansson" not in page
    assert (
        "070-123 45 67"
        in client.get(reverse("case-calls", args=[made.case.number])).content.decode()
    )
    refused = client.post(
        reverse("phone-times-close"), {"times": [first.pk, second.pk]}, follow=True
    )
    assert "kan inte stängas" in refused.content.decode()
    client.post(reverse("phone-times-close"), {"times": [second.pk]})
    second.refresh_from_db()
    assert second.closed_at
    call = CallBack.objects.get()
    assert client.post(reverse("call-end", args=[call.pk, "done"]), {}).status_code == 422
    client.post(reverse("call-end", args=[call.pk, "done"]), {"outcome": "Tackar ja."})
    call.refresh_from_db()
    assert call.state == "done"


def test_what_is_wrong_is_said_and_what_was_typed_kept(made: MadeCase):
    client = visiting(made.navigator)
    open_hour(client)
    for values, said in (
        ({"start": "09:15"}, "krockar med"),
        ({"start": "nio"}, "Skriv klockslaget"),
        ({"minutes": "2"}, "mellan 5 minuter"),
        ({"first_day": ""}, "Ange ett datum"),
    ):
        answer = open_hour(client, **values)
        assert answer.status_code == 422
        assert said in answer.content.decode()
    book = reverse("case-call-book", args=[made.case.number])
    typed = {"time_id": 0, "phone": "x", "about": "Min fråga"}
    answer = client.post(book, typed)
    assert answer.status_code == 422
    assert "Min fråga" in answer.content.decode()


def test_the_days_calls_stand_on_the_worklist_by_number(made: MadeCase):
    ask_for_call(made.case, about="Resan", actor=made.navigator, now=timezone.now())
    client = visiting(made.navigator)
    assert reverse("calls-today") in client.get(reverse("worklist")).content.decode()
    part = client.get(reverse("calls-today"), headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert made.case.number in part
    assert "Undansson" not in part
    colleague = visiting(navigator_actor(made.unit.region))
    assert made.case.number not in colleague.get(reverse("calls-today")).content.decode()


def test_another_regions_times_are_not_found(made: MadeCase):
    open_hour(visiting(made.navigator))
    stranger = visiting(navigator_actor(RegionFactory(code="14")))
    key = PhoneTime.objects.first().pk  # type: ignore[union-attr]
    assert stranger.post(reverse("phone-time-take-over", args=[key])).status_code == 404
    stranger.post(reverse("phone-times-close"), {"times": [key, "x", "9" * 30]})
    assert not PhoneTime.objects.filter(closed_at__isnull=False).exists()
    colleague = visiting(navigator_actor(made.unit.region))
    colleague.post(reverse("phone-time-take-over", args=[key]), {"week": "nej", "who": "all"})
    assert PhoneTime.objects.filter(navigator=made.navigator.user_id).count() == 1


def test_a_case_number_leads_to_the_booking_and_a_wrong_one_says_so(made: MadeCase):
    client = visiting(made.navigator)
    found = client.get(reverse("phone-times"), {"number": made.case.number})
    assert found.url == reverse("case-call-book", args=[made.case.number])
    lost = client.get(reverse("phone-times"), {"number": "13-26-000001-0"})
    assert "Det finns inget ärende" in lost.content.decode()


def test_a_clinic_cancels_but_does_not_write_outcomes(made: MadeCase):
    call = ask_for_call(made.case, about="x", actor=made.clinic, now=timezone.now())
    client = visiting(made.clinic)
    assert client.get(reverse("call-end", args=[call.pk, "done"])).status_code == 404
    assert client.get(reverse("call-end", args=[call.pk, "hittepa"])).status_code == 404
    client.post(reverse("call-end", args=[call.pk, "cancel"]), {"reason": "Löst."})
    call.refresh_from_db()
    assert call.state == "cancelled"


def test_a_closed_case_takes_no_call(made: MadeCase):
    services.end(made.case, reason="other", comment="", actor=made.navigator, now=timezone.now())
    client = visiting(made.navigator)
    answer = client.get(reverse("case-calls", args=[made.case.number]))
    assert "Boka uppringning" not in answer.content.decode()
    open_hour(client)
    typed = {"time_id": PhoneTime.objects.first().pk, "phone": "070-123 45 67", "about": "x"}  # type: ignore[union-attr]
    client.post(reverse("case-call-book", args=[made.case.number]), typed)
    assert not CallBack.objects.exists()
