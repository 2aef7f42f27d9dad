"""What did not get through: who sees it, and what can be done about it."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from notices.models import Notice
from notices.selectors import departed_cases, undelivered
from notices.sending import MAX_ATTEMPTS
from notices.services import send_again, send_as_letter
from organisations.errors import InvalidInput, WrongState
from organisations.sweeps import run_due
from referral import services
from referral.models import CaseState
from tests.factories import (
    MadeCase,
    RegionFactory,
    make_case,
    navigator_actor,
    stockholm,
    user_of,
)

pytestmark = pytest.mark.django_db

NOW = stockholm(2026, 3, 10, 9)
SUNDAY = stockholm(2026, 3, 15, 9)


def failed(state: CaseState = CaseState.OFFERED, *, kind: str = "offer", **made) -> Notice:
    case = make_case(state, **({"now": NOW} | made)).case
    run_due(now=made.get("now", NOW))
    notice = Notice.objects.get(case=case, kind=kind)
    Notice.objects.filter(pk=notice.pk).update(state="failed", attempts=1, last_error="nej")
    notice.refresh_from_db()
    return notice


def listed(made_for: Notice) -> list[Notice]:
    return list(undelivered(navigator_actor(made_for.case.region)))


def letter_of(notice: Notice) -> Notice:
    return Notice.objects.get(offer=notice.offer, kind="offer_letter")


def test_what_was_given_up_is_listed_for_the_region_and_no_other():
    notice = failed()
    assert listed(notice) == [notice]
    assert list(undelivered(navigator_actor(RegionFactory(code="14")))) == []


def test_what_has_been_tried_for_more_than_a_day_is_listed_while_it_is_tried_on():
    notice = failed()
    Notice.objects.filter(pk=notice.pk).update(state="waiting", attempts=MAX_ATTEMPTS - 1)
    assert listed(notice) == []
    Notice.objects.filter(pk=notice.pk).update(attempts=MAX_ATTEMPTS)
    assert listed(notice) == [notice]


def test_an_answer_takes_it_off_the_list():
    notice = failed()
    made = notice.offer
    services.withdraw_offer(made, why="Fel", actor=navigator_actor(notice.case.region), now=NOW)
    assert listed(notice) == []


def test_a_letter_instead_goes_at_once(gateway, drop):
    notice = failed()
    send_as_letter(notice, now=NOW)
    run_due(now=NOW)
    letter = letter_of(notice)
    assert (letter.state, letter.sent_at, letter.why_channel) == ("sent", NOW, "by_hand")
    assert len(list(drop.glob("brev-*"))) == 1
    notice.refresh_from_db()
    assert notice.state == "cancelled"


def test_a_letter_instead_waits_for_a_day_on_which_letters_are_handed_over():
    notice = failed()
    send_as_letter(notice, now=SUNDAY)
    assert letter_of(notice).due_at == stockholm(2026, 3, 16)


def test_a_letter_that_could_not_be_made_is_tried_again_with_it():
    notice = failed()
    Notice.objects.filter(pk=letter_of(notice).pk).update(state="failed")
    send_as_letter(notice, now=NOW)
    assert (letter_of(notice).state, letter_of(notice).due_at) == ("waiting", NOW)


def test_a_booked_time_becomes_a_letter_itself(gateway, drop):
    notice = failed(CaseState.BOOKED, kind="booked_time")
    send_as_letter(notice, now=NOW)
    run_due(now=NOW)
    notice.refresh_from_db()
    assert (notice.channel, notice.state, notice.why_channel) == ("letter", "sent", "by_hand")


@pytest.mark.parametrize("changes", [{"state": "sent", "sent_at": NOW}, {"channel": "letter"}])
def test_what_has_gone_or_goes_as_a_letter_is_refused(changes):
    notice = failed()
    Notice.objects.filter(pk=notice.pk).update(**changes)
    with pytest.raises(WrongState):
        send_as_letter(notice, now=NOW)


def test_no_letter_instead_to_a_patient_who_has_died():
    notice = failed()
    services.depart(
        notice.case,
        kind="deceased_on",
        on=NOW.date(),
        reason="x",
        actor=navigator_actor(notice.case.region),
        now=NOW,
    )
    with pytest.raises(WrongState) as refused:
        send_as_letter(notice, now=NOW)
    assert "avled" in str(refused.value.message)


def test_a_letter_sent_again_is_not_handed_over_on_a_sunday():
    letter = letter_of(failed())
    Notice.objects.filter(pk=letter.pk).update(state="failed")
    assert send_again(letter, now=SUNDAY).due_at == stockholm(2026, 3, 16)


def test_what_is_tried_later_is_tried_now_by_a_person():
    notice = failed()
    later = NOW + timedelta(hours=6)
    Notice.objects.filter(pk=notice.pk).update(state="waiting", attempts=13, due_at=later)
    again = send_again(notice, now=NOW)
    assert (again.due_at, again.attempts) == (NOW, 0)


# Patients who have departed


def departed(**when) -> MadeCase:
    made = make_case(CaseState.OFFERED, now=NOW)
    services.depart(
        made.case,
        **({"kind": "emigrated_on", "on": NOW.date()} | when),
        reason="Folkbokföringen",
        actor=made.clinic,
        now=NOW,
    )
    return made


def test_the_open_case_of_a_departed_patient_is_listed_until_it_is_closed():
    made = departed()
    assert list(departed_cases(made.navigator)) == [made.case]
    services.withdraw_offer(made.offer, why="Utflyttad", actor=made.navigator, now=NOW)
    services.end(made.case, reason="other", comment="x", actor=made.navigator, now=NOW)
    assert list(departed_cases(made.navigator)) == []


@pytest.mark.parametrize(
    ("when", "at"),
    [
        ({"on": (NOW + timedelta(days=1)).date()}, "on"),
        ({"on": stockholm(1850, 1, 1).date()}, "on"),
        ({"kind": "street"}, "kind"),
    ],
)
def test_a_departure_is_refused_at_the_field(when, at):
    with pytest.raises(InvalidInput) as refused:
        departed(**when)
    assert set(refused.value.fields) == {at}


def test_a_departure_and_its_taking_back_stand_in_log_and_corrections():
    made = departed()
    services.undo_depart(made.case, reason="Fel person", actor=made.navigator, now=NOW)
    made.patient.refresh_from_db()
    assert made.patient.has_departed is False
    verbs = list(made.case.log.values_list("verb", flat=True))
    assert verbs[-2:] == ["depart", "undo_depart"]
    [noted, taken_back] = made.case.corrections.all()
    assert noted.changes == {"emigrated_on": [None, "2026-03-10"]}
    assert taken_back.rows[0]["label"] == "Utflyttad från Sverige"


# Pages


def test_the_pages_show_channel_reason_and_what_comes_next(client: Client):
    now = timezone.now()
    notice = failed(now=now, language="Arabiska")
    client.force_login(user_of(navigator_actor(notice.case.region)))
    page = client.get(reverse("undelivered")).content.decode()
    assert notice.case.number in page
    assert "nej" in page
    assert notice.case.patient.full_name not in page
    shown = client.get(reverse("case-notices", args=[notice.case.number])).content.decode()
    assert "Härnäst:" in shown
    assert "påminnelse om erbjudande" in shown
    assert "Arabiska" in shown
    answer = client.post(reverse("notice-as-letter", args=[notice.pk]), follow=True)
    assert "Meddelandet går som brev." in answer.content.decode()
    answer = client.post(reverse("notice-as-letter", args=[notice.pk]), follow=True)
    assert "väntar inte på att skickas" in answer.content.decode()


def test_the_case_page_says_that_the_patient_is_dead_and_what_to_do(client: Client):
    made = departed(kind="deceased_on")
    client.force_login(user_of(made.navigator))
    page = client.get(reverse("case", args=[made.case.number])).content.decode()
    assert "Patienten avled 2026-03-10." in page
    assert "Återta erbjudandet och avsluta ärendet." in page
    assert "avliden" in client.get(f"{reverse('worklist')}?view=all").content.decode()
    listed_page = client.get(reverse("undelivered")).content.decode()
    assert made.case.number in listed_page
