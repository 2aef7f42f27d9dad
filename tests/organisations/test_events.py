"""Domain events and sweeps: nothing is lost, nothing is held up (design 5.3 and 5.4)."""

from collections import defaultdict
from datetime import timedelta

import pytest
from celery import current_app
from django.db import DataError, OperationalError, connection, transaction

from config import tasks
from organisations import events, sweeps
from organisations.events import deliver_events, emit, subscribe, subscribe_gathering
from organisations.models import DomainEvent, EventDelivery
from organisations.sweeps import claim_due, register_sweep, run_due
from tests.concurrency import together
from tests.factories import stockholm

pytestmark = pytest.mark.django_db
real_wake = events.wake

NOW = stockholm(2026, 3, 10, 9)
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _consumers_of_their_own(monkeypatch):
    monkeypatch.setattr(events, "_consumers", defaultdict(dict))
    monkeypatch.setattr(sweeps, "_sweeps", [])
    monkeypatch.setattr(events, "wake", lambda: None)


class Listener:
    """A consumer that remembers what it was told."""

    def __init__(self, kind: str = "thing.happened", name: str = "listener") -> None:
        self.told: list[int] = []
        subscribe(kind, name, self)

    def __call__(self, event: DomainEvent, now) -> None:
        self.told.append(event.pk)


class Failing(Listener):
    def __init__(self, error: Exception, **names: str) -> None:
        super().__init__(**names)
        self.error: Exception | None = error

    def __call__(self, event: DomainEvent, now) -> None:
        super().__call__(event, now)
        if self.error:
            raise self.error


def happened(kind: str = "thing.happened", **fields) -> DomainEvent:
    with transaction.atomic():
        return emit(kind, now=NOW, **fields)


@pytest.mark.django_db(transaction=True)
def test_an_event_is_written_only_in_the_transaction_of_its_change():
    with pytest.raises(RuntimeError, match="transaction"):
        emit("thing.happened", now=NOW)
    assert not DomainEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_an_event_of_a_change_that_failed_did_not_happen():
    Listener()

    def change() -> None:
        with transaction.atomic():
            emit("thing.happened", now=NOW)
            raise ValueError("the change failed")

    with pytest.raises(ValueError, match="the change failed"):
        change()
    assert (DomainEvent.objects.count(), EventDelivery.objects.count()) == (0, 0)


def test_every_consumer_of_the_kind_is_told_once():
    first, second = Listener(name="first"), Listener(name="second")
    other = Listener(kind="another.thing")
    event = happened()
    for _ in range(3):
        deliver_events(now=NOW)
    assert (first.told, second.told, other.told) == ([event.pk], [event.pk], [])


def test_an_event_that_nobody_waits_for_is_kept_and_has_no_delivery():
    happened()
    assert (DomainEvent.objects.count(), EventDelivery.objects.count()) == (1, 0)


def test_events_are_told_in_the_order_they_happened():
    listener = Listener()
    told = [happened().pk for _ in range(5)]
    deliver_events(now=NOW)
    assert listener.told == told


def test_a_consumer_that_fails_is_told_again_later_and_does_not_hold_up_the_rest():
    failing, listener = Failing(ValueError("bad"), name="failing"), Listener()
    event = happened()
    deliver_events(now=NOW)
    assert listener.told == [event.pk]
    delivery = EventDelivery.objects.get(consumer="failing")
    assert (delivery.done_at, delivery.last_error) == (None, "ValueError: bad")
    assert delivery.due_at > NOW

    failing.error = None
    deliver_events(now=delivery.due_at)
    delivery.refresh_from_db()
    assert (delivery.done_at, delivery.attempts, delivery.last_error) == (delivery.due_at, 2, "")


def test_pauses_between_tries_grow_up_to_an_hour():
    Failing(ValueError())
    happened()
    pauses, now = [], NOW
    for _ in range(8):
        deliver_events(now=now)
        due_at = EventDelivery.objects.get().due_at
        pauses.append((due_at - now) // MINUTE)
        now = due_at
    assert pauses == [2, 4, 8, 16, 32, 60, 60, 60]


def test_data_that_the_database_refuses_holds_up_only_its_own_delivery():
    Failing(DataError("too long"), name="failing")
    listener = Listener()
    happened()
    deliver_events(now=NOW)
    assert len(listener.told) == 1
    assert EventDelivery.objects.filter(done_at=None).count() == 1


def test_what_a_failing_consumer_wrote_is_taken_back():
    def write_and_fail(event, now):
        DomainEvent.objects.create(kind="half.done", happened_at=now)
        raise ValueError

    subscribe("thing.happened", "half", write_and_fail)
    happened()
    deliver_events(now=NOW)
    assert not DomainEvent.objects.filter(kind="half.done").exists()


class Gathering:
    """A consumer that takes what is due in one call, and refuses what holds ``refused``."""

    def __init__(self, *kinds: str) -> None:
        self.calls: list[list[int]] = []
        self.refused: int | None = None
        for kind in kinds:
            subscribe_gathering(kind, "gathering", self.take)

    def take(self, told, now) -> None:
        if self.refused in [event.pk for event in told]:
            raise ValueError("bad")
        self.calls.append([event.pk for event in told])


def test_a_gathering_consumer_is_told_all_that_is_due_at_once_whatever_its_kind():
    gathering, listener = Gathering("thing.happened", "another.thing"), Listener()
    told = [happened().pk, happened("another.thing").pk, happened().pk]
    deliver_events(now=NOW)
    assert (gathering.calls, listener.told) == ([told], [told[0], told[2]])
    assert not EventDelivery.objects.filter(done_at=None).exists()


def test_a_bad_event_among_many_is_the_only_one_that_is_told_again():
    gathering = Gathering("thing.happened")
    first, bad, last = (happened().pk for _ in range(3))
    gathering.refused = bad
    deliver_events(now=NOW)
    assert gathering.calls == [[first], [last]]
    delivery = EventDelivery.objects.get(done_at=None)
    assert (delivery.event_id, delivery.attempts) == (bad, 1)

    gathering.refused = None
    deliver_events(now=delivery.due_at)
    assert gathering.calls[2:] == [[bad]]
    assert set(EventDelivery.objects.values_list("event", "attempts")) == {
        (first, 1),
        (bad, 2),
        (last, 1),
    }


def test_a_lost_database_records_nothing_so_that_all_is_told_again():
    Failing(OperationalError("server closed the connection"))
    happened()
    with pytest.raises(OperationalError), transaction.atomic():
        deliver_events(now=NOW)
    assert EventDelivery.objects.get().attempts == 0


def test_a_delivery_to_a_consumer_that_is_gone_waits_for_it():
    Listener(name="old")
    event = happened()
    events._consumers.clear()
    deliver_events(now=NOW)
    delivery = EventDelivery.objects.get()
    assert delivery.done_at is None
    back = Listener(name="old")
    deliver_events(now=delivery.due_at)
    assert back.told == [event.pk]


@pytest.mark.django_db(transaction=True)
def test_sweeps_at_once_tell_each_event_once():
    listener = Listener()
    told = [happened().pk for _ in range(40)]
    together([lambda: [deliver_events(now=NOW, limit=5) for _ in range(10)]] * 4)
    assert sorted(listener.told) == told


@pytest.mark.django_db(transaction=True)
def test_a_row_that_another_sweep_holds_is_passed_over():
    Listener()
    happened()
    with transaction.atomic():
        [held] = claim_due(EventDelivery.objects.all(), now=NOW, limit=10)
        [found] = together([lambda: deliver_events(now=NOW)])
    assert (held.attempts, found) == (0, 0)
    assert deliver_events(now=NOW) == 1


def test_only_what_is_due_is_claimed_the_oldest_first():
    Listener()
    for minutes in (3, 1, 2, 5):
        with transaction.atomic():
            emit("thing.happened", now=NOW + minutes * MINUTE)
    claimed = claim_due(EventDelivery.objects.all(), now=NOW + 3 * MINUTE, limit=2)
    assert [row.due_at for row in claimed] == [NOW + MINUTE, NOW + 2 * MINUTE]


def test_claiming_is_one_statement_that_skips_what_is_locked(django_assert_num_queries):
    with django_assert_num_queries(1) as captured:
        claim_due(EventDelivery.objects.all(), now=NOW, limit=10)
    assert "FOR UPDATE OF" in captured.captured_queries[0]["sql"]
    assert "SKIP LOCKED" in captured.captured_queries[0]["sql"]


# Sweeps


def counting(*found: int):
    left = list(found)

    def sweep(*, now) -> int:
        return left.pop(0) if left else 0

    return sweep


def test_due_work_is_done_until_there_is_none():
    register_sweep("first", counting(3, 2))
    register_sweep("second", counting(0, 1))
    assert run_due(now=NOW) == {"first": 5, "second": 1}


def test_a_sweep_registered_again_takes_the_first_ones_place():
    register_sweep("only", counting(1))
    register_sweep("only", counting(2))
    assert run_due(now=NOW) == {"only": 2}


def test_a_sweep_that_fails_does_not_hold_up_the_others():
    done = []

    def broken(*, now) -> int:
        raise ValueError("broken")

    def healthy(*, now) -> int:
        done.append(now)
        return len(done) < 3

    register_sweep("broken", broken)
    register_sweep("healthy", healthy)
    with pytest.raises(ValueError, match="broken"):
        run_due(now=NOW)
    assert len(done) == 3


def test_a_sweep_that_always_finds_work_is_stopped(monkeypatch):
    monkeypatch.setattr(sweeps, "MAX_ROUNDS", 5)
    register_sweep("endless", lambda *, now: 1)
    assert run_due(now=NOW) == {"endless": 5}


def test_a_run_begins_no_new_round_when_its_budget_is_used_up():
    register_sweep("backlog", counting(1, 1, 1))
    assert run_due(now=NOW, budget=0.0) == {"backlog": 1}
    assert run_due(now=NOW, budget=60.0) == {"backlog": 2}


def test_a_backlog_longer_than_a_beat_goes_on_in_a_run_of_its_own(settings, monkeypatch):
    woken: list[bool] = []
    monkeypatch.setattr(tasks, "wake", lambda: woken.append(True))
    register_sweep("backlog", counting(1, 1))
    settings.SWEEP_SECONDS = 0.0
    tasks.run_due_work()
    assert woken == [True]
    settings.SWEEP_SECONDS = 60.0
    tasks.run_due_work()
    assert woken == [True]


def test_a_waking_that_nobody_has_heeded_for_a_beat_is_dropped(settings, monkeypatch):
    sent: list[dict[str, object]] = []
    monkeypatch.setattr(
        current_app, "send_task", lambda name, **options: sent.append({"name": name} | options)
    )
    real_wake()
    [task] = sent
    assert (task["name"], task["expires"]) == ("config.tasks.run_due_work", settings.SWEEP_SECONDS)
    [beat] = settings.CELERY_BEAT_SCHEDULE.values()
    assert beat["options"] == {"expires": beat["schedule"]}


def test_the_index_of_due_deliveries_is_used_for_finding_them():
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    plan = EventDelivery.objects.filter(done_at=None, due_at__lte=NOW).order_by("due_at", "pk")
    assert "event_delivery_due" in plan.explain()
