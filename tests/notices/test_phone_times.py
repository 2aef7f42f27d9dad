"""Phone times: opened in series, closed, taken over, and never two calls on one."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from notices.callbacks import services as calls
from notices.callbacks.selectors import calls_to_make, free_times, week_of_times
from notices.callbacks.times import Series, close_times, open_times, take_over
from notices.models import CallBack, PhoneTime
from notices.retention import remove_notices_of
from organisations.access import Actor
from organisations.errors import DomainError, InvalidInput, NotAllowed, WrongState
from organisations.events import deliver_events
from organisations.models import AccessLog, Assignment
from organisations.retention import rules
from patients.services import ContactDetails
from referral import services
from referral.machine import CaseNotFound
from referral.models import CaseState
from referral.patient_extract import extract_for_case
from tests.concurrency import together
from tests.factories import (
    MadeCase,
    RegionFactory,
    clinic_actor,
    make_case,
    navigator_actor,
    provider_actor,
    stockholm,
)

pytestmark = pytest.mark.django_db

NOW = stockholm(2026, 11, 27, 8)  # a Friday
MONDAY = date(2026, 11, 30)
MONDAY_NOON = stockholm(2026, 11, 30, 12)
PATIENT = Actor.patient("Patienten i 1177")


def series(**values: object) -> Series:
    """Monday from nine to ten, four quarters."""
    plain: dict[str, object] = {
        "first_day": MONDAY,
        "last_day": MONDAY,
        "start": time(9),
        "end": time(10),
        "minutes": 15,
    }
    return Series(**(plain | values))  # type: ignore[arg-type]


def opened(actor: Actor, **values: object) -> list[PhoneTime]:
    return open_times(series(**values), actor=actor, now=NOW)


def a_case(state: CaseState = CaseState.IN_PROGRESS, **kept: object) -> MadeCase:
    return make_case(state, now=NOW, phone="070-123 45 67", **kept)  # type: ignore[arg-type]


def booked(made: MadeCase, when: PhoneTime, actor: Actor | None = None) -> CallBack:
    return calls.book_call(
        made.case, time_id=when.pk, about="Resan", actor=actor or made.navigator, now=NOW
    )


# Series


def test_a_series_fills_the_hours_of_its_weekdays_and_skips_holidays():
    """Epiphany 2027 is a Wednesday; New Year's Day a Friday, and its Eve is kept as one."""
    wanted = series(
        first_day=date(2026, 12, 30),
        last_day=date(2027, 1, 8),
        weekdays=frozenset({2, 3, 4}),
        end=time(9, 40),
    )
    made = [timezone.localtime(start) for start, _end in wanted.times()]
    assert sorted({start.date() for start in made}) == [
        date(2026, 12, 30),
        date(2027, 1, 7),
        date(2027, 1, 8),
    ]
    assert {start.time() for start in made} == {time(9), time(9, 15)}


@pytest.mark.parametrize("first", [date(2026, 3, 27), date(2026, 10, 23)])
def test_a_series_keeps_the_clock_on_the_wall_when_the_clocks_change(first: date):
    """Friday and Monday around the last Sunday of March and of October."""
    wanted = series(first_day=first, last_day=first + timedelta(days=3), end=time(9, 15))
    starts = [start for start, _end in wanted.times()]
    before, after = starts[0], starts[-1]
    assert timezone.localtime(before).time() == timezone.localtime(after).time() == time(9)
    assert after.astimezone(UTC) - before.astimezone(UTC) != timedelta(days=3)


@settings(max_examples=30, deadline=None)
@given(
    first=st.dates(date(2026, 1, 1), date(2027, 12, 31)),
    days=st.integers(0, 20),
    start=st.integers(6 * 60, 20 * 60),
    hours=st.integers(1, 2),
    minutes=st.integers(5, 60),
)
def test_no_series_meets_itself_or_passes_its_end(first, days, start, hours, minutes):
    wanted = series(
        first_day=first,
        last_day=first + timedelta(days=days),
        start=time(start // 60, start % 60),
        end=time(start // 60 + hours, start % 60),
        minutes=minutes,
    )
    made = list(wanted.times())
    for (_start, end), (following, _end) in pairwise(made):
        assert end <= following
    assert all(timezone.localtime(end).time() <= wanted.end for _start, end in made)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"first_day": date(2026, 11, 26)}, "first_day"),
        ({"first_day": date(2026, 12, 25), "last_day": date(2026, 12, 25)}, "first_day"),
        ({"last_day": date(2026, 11, 29)}, "last_day"),
        ({"last_day": date(2028, 11, 29)}, "last_day"),
        ({"last_day": date(2027, 11, 20), "minutes": 5}, "last_day"),
        ({"start": time(5)}, "end"),
        ({"end": time(9)}, "end"),
        ({"minutes": 4}, "minutes"),
        ({"minutes": 241}, "minutes"),
        ({"minutes": 61}, "first_day"),
    ],
)
def test_what_cannot_be_opened_is_said_at_the_field(values, field):
    navigator = navigator_actor(RegionFactory())
    with pytest.raises(InvalidInput) as refused:
        opened(navigator, **values)
    assert field in refused.value.fields
    assert not PhoneTime.objects.exists()


def test_times_that_meet_what_is_open_are_named_and_none_is_opened():
    navigator = navigator_actor(RegionFactory())
    opened(navigator, end=time(9, 30))
    with pytest.raises(InvalidInput) as refused:
        opened(navigator, start=time(9, 20), end=time(9, 50))
    assert "2026-11-30 09.20–09.35 krockar med 09.15–09.30" in refused.value.fields["start"]
    assert PhoneTime.objects.count() == 2
    assert len(opened(navigator_actor(RegionFactory()))) == 4  # a colleague's are another's


def test_only_navigators_open_and_close():
    made = a_case()
    for actor in (made.clinic, made.provider):
        with pytest.raises(NotAllowed):
            opened(actor)
        with pytest.raises(NotAllowed):
            close_times([1], actor=actor, now=NOW)


# Closing


def test_free_times_are_closed_all_or_none():
    made = a_case()
    first, second, third, fourth = opened(made.navigator)
    booked(made, second)
    with pytest.raises(WrongState, match=r"2026-11-30 09\.15"):
        close_times([first.pk, second.pk], actor=made.navigator, now=NOW)
    assert not PhoneTime.objects.filter(closed_at__isnull=False).exists()
    assert close_times([first.pk, third.pk], actor=made.navigator, now=NOW) == 2
    with pytest.raises(DomainError):
        close_times([first.pk], actor=made.navigator, now=NOW)
    with pytest.raises(DomainError):
        close_times([fourth.pk], actor=navigator_actor(RegionFactory(code="14")), now=NOW)
    opened(made.navigator, end=time(9, 15))  # where the closed one was


# Booking


@pytest.mark.parametrize("who", ["navigator", "clinic", "patient"])
def test_staff_and_the_patient_book_and_the_log_tells(who):
    made = a_case()
    (when, *_rest) = opened(made.navigator)
    actor = PATIENT if who == "patient" else getattr(made, who)
    call = booked(made, when, actor)
    assert call.booked_by == ("patient" if who == "patient" else "staff")
    assert call.phone == "070-123 45 67"
    entry = made.case.log.get(verb="call_booked")
    assert (entry.why, entry.details["phone_time"]) == ("Resan", "2026-11-30 09.00–09.15")
    assert entry.role == actor.role
    assert AccessLog.objects.filter(case_number=made.case.number, what="call_booked").exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT phone FROM notices_callback")
        assert "070" not in cursor.fetchone()[0]


def test_who_has_nothing_to_do_with_the_case_books_nothing():
    made = a_case(CaseState.ACCEPTED)
    (when, *_rest) = opened(made.navigator)
    for actor in (
        navigator_actor(RegionFactory(code="14")),
        clinic_actor(make_case(now=NOW).unit),
        provider_actor(made.line.care_unit),
    ):
        with pytest.raises((CaseNotFound, NotAllowed)):
            booked(made, when, actor)
    assert not CallBack.objects.exists()


def test_a_time_has_one_call_and_a_case_one_to_come():
    made, other = a_case(), a_case(region=RegionFactory())
    first, second, *_rest = opened(made.navigator)
    booked(made, first)
    with pytest.raises(InvalidInput, match="inte längre ledig"):
        booked(other, first, other.navigator)
    with pytest.raises(WrongState, match="redan en bokad"):
        booked(made, second)
    with pytest.raises(WrongState):
        calls.ask_for_call(made.case, about="x", actor=PATIENT, now=NOW)


def test_a_time_that_is_past_closed_or_of_another_region_is_not_booked():
    made = a_case()
    first, second, *_rest = opened(made.navigator)
    close_times([second.pk], actor=made.navigator, now=NOW)
    elsewhere = opened(navigator_actor(RegionFactory(code="14")))[0]
    with pytest.raises(InvalidInput, match="passerat"):
        calls.book_call(
            made.case, time_id=first.pk, about="x", actor=made.navigator, now=first.starts_at
        )
    for when in (second, elsewhere):
        with pytest.raises(DomainError):
            booked(made, when)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"phone": "ring mig"}, "phone"),
        ({"phone": "+46-(0)"}, "phone"),
        ({"phone": "0" * 31}, "phone"),
        ({"about": " "}, "about"),
        ({"about": "x" * 201}, "about"),
    ],
)
def test_a_number_and_a_subject_are_needed(values, field):
    made = a_case()
    with pytest.raises(InvalidInput) as refused:
        calls.ask_for_call(made.case, **({"about": "x"} | values), actor=made.navigator, now=NOW)
    assert field in refused.value.fields


def test_a_call_is_moved_and_its_old_time_is_free():
    made = a_case()
    first, second, *_rest = opened(made.navigator)
    call = booked(made, first)
    calls.rebook_call(call, time_id=second.pk, actor=made.clinic, now=NOW)
    assert call.time == second
    assert first in free_times(made.case.region_id, now=NOW)
    assert made.case.log.get(verb="call_rebooked").details["phone_time"] == second.when


def test_a_cancelled_call_frees_its_time_and_forgets_the_number():
    made = a_case()
    (when, *_rest) = opened(made.navigator)
    call = calls.cancel_call(booked(made, when), actor=made.clinic, now=NOW, reason="Löst.")
    assert (call.state, call.phone, call.outcome) == ("cancelled", "", "Löst.")
    booked(made, when)
    with pytest.raises(WrongState):
        calls.cancel_call(call, actor=made.navigator, now=NOW)


def test_who_asks_gets_a_time_and_who_does_not_answer_is_called_again():
    made = a_case()
    first, second, *_rest = opened(made.navigator)
    asked = calls.ask_for_call(made.case, about="Frågor", actor=PATIENT, now=NOW)
    assert calls_to_make(made.navigator, now=MONDAY_NOON) == [asked]
    call = booked(made, first)
    assert call.pk == asked.pk
    again = calls.call_missed(call, actor=made.navigator, now=NOW)
    assert (again.state, again.tries, again.phone) == ("asked", 1, "070-123 45 67")
    assert booked(made, second).tries == 1
    done = calls.call_done(again, outcome="Reser med ledsagare.", actor=made.navigator, now=NOW)
    assert (done.state, done.phone) == ("done", "")
    assert not {first, second} & set(free_times(made.case.region_id, now=NOW))
    assert calls_to_make(made.navigator, now=MONDAY_NOON) == []
    verbs = list(made.case.log.order_by("pk").values_list("verb", flat=True))
    assert verbs[-5:] == [
        *("call_asked", "call_booked", "call_missed", "call_booked", "call_done"),
    ]


def test_a_call_that_is_done_says_what_came_of_it():
    made = a_case()
    call = calls.ask_for_call(made.case, about="x", actor=PATIENT, now=NOW)
    with pytest.raises(InvalidInput):
        calls.call_done(call, outcome=" ", actor=made.navigator, now=NOW)
    with pytest.raises(NotAllowed):
        calls.call_done(call, outcome="x", actor=made.clinic, now=NOW)


def test_the_days_calls_are_the_navigators_own_and_the_late_ones_stay():
    made = a_case()
    colleague = navigator_actor(made.unit.region)
    (when, *_rest) = opened(colleague)
    call = booked(made, when)
    assert calls_to_make(made.navigator, now=MONDAY_NOON) == []
    assert calls_to_make(colleague, now=MONDAY_NOON - timedelta(days=1)) == []
    assert calls_to_make(colleague, now=MONDAY_NOON) == [call]
    assert calls_to_make(colleague, now=MONDAY_NOON + timedelta(days=3)) == [call]


def test_what_was_booked_with_somebody_who_left_is_the_cases_navigators():
    made = a_case()
    colleague = navigator_actor(made.unit.region)
    first, second, *_rest = opened(colleague)
    call = booked(made, first)
    Assignment.objects.filter(user=colleague.user_id).update(ends_at=NOW)
    assert calls_to_make(made.navigator, now=MONDAY_NOON) == [call]
    assert second not in free_times(made.case.region_id, now=NOW)


# Taking over


def test_a_colleague_takes_over_the_call_and_gives_up_the_own_free_time():
    made = a_case()
    colleague = navigator_actor(made.unit.region)
    when, free, *_rest = opened(made.navigator)
    own = opened(colleague, start=time(9, 10), end=time(9, 20), minutes=10)
    booked(made, when)
    take_over(when, actor=colleague, now=NOW)
    own[0].refresh_from_db()
    assert when.navigator_id == colleague.user_id
    assert own[0].closed_at == NOW
    assert made.case.log.get(verb="call_taken_over").actor_name == colleague.name
    take_over(free, actor=colleague, now=NOW)
    with pytest.raises(WrongState):
        take_over(free, actor=colleague, now=NOW)
    with pytest.raises(DomainError):
        take_over(free, actor=navigator_actor(RegionFactory(code="14")), now=NOW)


def test_a_colleague_with_a_call_at_that_hour_cannot_take_over():
    made, other = a_case(), a_case(region=RegionFactory())
    colleague = navigator_actor(made.unit.region)
    (when, *_rest), (own, *_others) = opened(made.navigator), opened(colleague)
    booked(made, when)
    booked(other, own, colleague)
    with pytest.raises(WrongState, match="själv en uppringning"):
        take_over(when, actor=colleague, now=NOW)


# When nobody is to be called any more


def _end(made: MadeCase) -> None:
    services.end(made.case, reason="deceased", comment="", actor=made.navigator, now=NOW)


def _block(made: MadeCase) -> None:
    services.block(made.case, reach="units", asked_by_patient=True, actor=made.clinic, now=NOW)


@pytest.mark.parametrize("what", [_end, _block])
def test_the_call_is_cancelled_when_the_case_closes_or_is_blocked(what: Callable[..., None]):
    made = a_case()
    (when, *_rest) = opened(made.navigator)
    call = booked(made, when)
    what(made)
    deliver_events(now=NOW)
    deliver_events(now=NOW)
    call.refresh_from_db()
    assert call.state == "cancelled"
    assert when in free_times(made.case.region_id, now=NOW)
    assert made.case.log.filter(verb="call_cancelled").count() == 1


def test_a_blocked_case_shows_its_time_as_taken_and_no_more():
    made = a_case()
    (when, *_rest) = opened(made.navigator)
    booked(made, when)
    _block(made)
    shown = week_of_times(made.navigator, monday=MONDAY, everybody=False)[0]
    assert (shown.taken, shown.call) == (True, None)
    assert calls_to_make(made.navigator, now=MONDAY_NOON) == []


def test_correcting_the_patient_leaves_the_call():
    made = a_case()
    call = calls.ask_for_call(made.case, about="x", actor=PATIENT, now=NOW)
    services.correct_patient(
        made.case,
        contact=ContactDetails(given_name="Ny", family_name="Testsson"),
        reason="x",
        actor=made.clinic,
        now=NOW,
    )
    deliver_events(now=NOW)
    call.refresh_from_db()
    assert call.is_coming


# Always


def test_the_database_alone_refuses_to_close_a_booked_time_and_to_book_a_closed_one():
    made = a_case()
    first, second, *_rest = opened(made.navigator)
    call = booked(made, first)
    elsewhere = opened(navigator_actor(RegionFactory(code="14")))[0]
    PhoneTime.objects.filter(pk=second.pk).update(closed_at=NOW)
    for change in (
        lambda: PhoneTime.objects.filter(pk=first.pk).update(closed_at=NOW),
        lambda: CallBack.objects.filter(pk=call.pk).update(time=second),
        lambda: CallBack.objects.filter(pk=call.pk).update(time=elsewhere),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()


@settings(max_examples=15, deadline=None)
@given(
    steps=st.lists(st.tuples(st.integers(0, 7), st.integers(0, 3), st.integers(0, 5)), max_size=25)
)
def test_whatever_is_done_no_time_has_two_calls_and_no_navigator_two_times_at_once(steps):
    with transaction.atomic():
        _live(steps)
        transaction.set_rollback(True)


def _live(steps: list[tuple[int, int, int]]) -> None:
    cases = [a_case(region=RegionFactory()) for _n in range(3)]
    navigators = [made.navigator for made in cases]
    for verb, who, what in steps:
        made, actor = cases[what % 3], navigators[who % 3]
        times = list(PhoneTime.objects.order_by("pk"))
        when = times[(what * 7 + who) % len(times)] if times else None
        call = CallBack.objects.filter(case=made.case).order_by("-pk").first()
        try:
            with transaction.atomic():
                _step(verb, what, made, actor, when, call)
        except DomainError:
            pass
        _holds()


def _step(
    verb: int,
    what: int,
    made: MadeCase,
    actor: Actor,
    when: PhoneTime | None,
    call: CallBack | None,
) -> None:
    if verb == 0 or when is None:
        start = time(9 + what // 4, 15 * (what % 4))
        open_times(series(start=start, end=time(11), minutes=20), actor=actor, now=NOW)
    elif verb == 1:
        booked(made, when, actor)
    elif verb == 2:
        close_times([when.pk], actor=actor, now=NOW)
    elif verb == 3:
        take_over(when, actor=actor, now=NOW)
    elif call is None:
        calls.ask_for_call(made.case, about="x", actor=PATIENT, now=NOW)
    elif verb == 4:
        calls.rebook_call(call, time_id=when.pk, actor=actor, now=NOW)
    elif verb == 5:
        calls.cancel_call(call, actor=actor, now=NOW)
    elif verb == 6:
        calls.call_missed(call, actor=actor, now=NOW)
    else:
        calls.call_done(call, outcome="x", actor=actor, now=NOW)


def _holds() -> None:
    standing = CallBack.objects.filter(state__in=["booked", "done", "missed"], time__isnull=False)
    held = list(standing.values_list("time", flat=True))
    assert len(held) == len(set(held))
    live = CallBack.objects.filter(state="booked").select_related("time")
    assert all(call.time and call.time.closed_at is None for call in live)
    by_navigator: dict[int, datetime] = {}
    for one in PhoneTime.objects.filter(closed_at__isnull=True).order_by("starts_at"):
        before = by_navigator.get(one.navigator_id)
        assert before is None or before <= one.starts_at
        by_navigator[one.navigator_id] = one.ends_at


@pytest.mark.django_db(transaction=True)
def test_several_who_book_and_close_the_same_time_at_once_get_it_once():
    cases = [a_case(region=RegionFactory()) for _n in range(4)]
    (when,) = opened(cases[0].navigator, end=time(9, 15))
    works: list[Callable[[], object]] = [lambda made=made: booked(made, when) for made in cases]
    works.append(lambda: close_times([when.pk], actor=cases[0].navigator, now=NOW))
    works.append(lambda: take_over(when, actor=cases[1].navigator, now=NOW))
    results = together(works)
    assert all(isinstance(one, DomainError) for one in results if isinstance(one, Exception))
    won = [one for one in results[:4] if isinstance(one, CallBack)]
    when.refresh_from_db()
    assert len(won) == CallBack.objects.filter(state="booked").count() <= 1
    assert bool(won) != (when.closed_at is not None)


@pytest.mark.django_db(transaction=True)
def test_two_series_opened_at_once_never_overlap():
    navigator = navigator_actor(RegionFactory())
    results = together([lambda: opened(navigator), lambda: opened(navigator, minutes=20)])
    assert sum(isinstance(one, InvalidInput) for one in results) == 1
    _holds()


# What is kept


def test_a_patients_extract_tells_of_the_calls():
    made = a_case()
    call = calls.ask_for_call(made.case, about="Resan", actor=PATIENT, now=NOW)
    calls.call_done(call, outcome="Klart.", actor=made.navigator, now=NOW)
    extract = extract_for_case(made.case, reason="x", actor=made.navigator, now=NOW)
    (told,) = extract.as_data()["cases"][0]["call_backs"]
    assert (told["about"], told["outcome"], told["phone"]) == ("Resan", "Klart.", "")


def test_unused_times_are_thinned_and_calls_go_with_their_case():
    made = a_case()
    used, *_unused = opened(made.navigator)
    booked(made, used)
    (rule,) = (one for one in rules() if one.name == "phone_times")
    assert (rule.due(NOW), rule.due(NOW + timedelta(days=94))) == (0, 3)
    assert rule.thin(NOW + timedelta(days=94), 2) == 2
    remove_notices_of([made.case])
    assert not CallBack.objects.exists()
    assert rule.thin(NOW + timedelta(days=94), 10) == 2
