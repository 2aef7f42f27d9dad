"""A month is frozen on the third working day of the next, once, whatever the sweep goes through."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from notices.caps import send_staff_mail
from notices.models import StaffMail
from organisations.sweeps import run_due
from statistics.facts.models import StaleCase
from statistics.frozen import services
from statistics.frozen.models import FrozenFigure, FrozenMonth, MonthDue
from statistics.frozen.rules import CURRENT
from statistics.frozen.signs import failing
from statistics.frozen.subscribing import subscribe
from statistics.months import Month
from tests.concurrency import together
from tests.factories import RegionFactory, make_case, manager_actor, stockholm, user_of
from tests.statistics.frozen.parts import (
    FREEZES,
    MARCH,
    Counted,
    days,
    frozen_march,
    number,
    region_since,
)

pytestmark = pytest.mark.django_db


def frozen_months() -> list[tuple[str, int]]:
    return [(str(one.month), one.version) for one in FrozenMonth.objects.order_by("first_day")]


@pytest.mark.parametrize(
    ("month", "at"),
    [
        (Month(2025, 12), stockholm(2026, 1, 7, 6)),
        (Month(2026, 3), stockholm(2026, 4, 7, 6)),
        (Month(2026, 4), stockholm(2026, 5, 6, 6)),
        (Month(2011, 5), stockholm(2011, 6, 7, 6)),
    ],
)
def test_it_is_due_at_six_on_the_third_working_day(month: Month, at: Any) -> None:
    assert services.due_on(month) == at


def test_it_is_frozen_at_that_moment_and_not_before() -> None:
    region_since(stockholm(2026, 3, 31, 23, 59))
    counted = Counted(number(7))
    services.run_months(now=FREEZES - timedelta(seconds=1), count=counted)
    assert frozen_months() == []
    services.run_months(now=FREEZES, count=counted)
    assert frozen_months() == [("2026-03", 1)]


def test_a_case_of_the_next_month_has_no_month_before_it() -> None:
    region_since(stockholm(2026, 4, 1, 0, 0))
    services.run_months(now=FREEZES, count=Counted())
    assert frozen_months() == []
    assert [str(row.month) for row in MonthDue.objects.all()] == ["2026-04"]


def test_it_keeps_every_figure_to_the_digit_and_says_by_which_rules() -> None:
    frozen_march(Counted(number(7), days(7, 3.1234564), number(0, key="x", dimension="clinic")))
    frozen = FrozenMonth.objects.get()
    assert (frozen.rules, frozen.frozen_at, str(frozen.due_on)) == (
        CURRENT.name,
        FREEZES,
        "2026-04-07",
    )
    assert not frozen.is_late
    rows = FrozenFigure.objects.values_list("dimension", "measure", "n", "median")
    assert [(*row[:3], str(row[3])) for row in rows] == [
        ("region", "handling_days", 7, "3.123456"),
        ("region", "received", 7, "None"),
    ]


def test_sweeping_again_freezes_nothing_more() -> None:
    counted = Counted(number(7))
    frozen_march(counted)
    for minutes in (0, 1, 60, 60 * 24, 60 * 48):
        services.run_months(now=FREEZES + timedelta(minutes=minutes), count=counted)
    assert frozen_months() == [("2026-03", 1)]
    assert FrozenFigure.objects.count() == 1


def test_a_clock_that_goes_back_freezes_nothing_more() -> None:
    counted = Counted(number(7))
    frozen_march(counted)
    services.run_months(now=FREEZES - timedelta(days=2), count=counted)
    services.run_months(now=FREEZES, count=counted)
    assert frozen_months() == [("2026-03", 1)]


def test_months_missed_are_made_up_and_say_when() -> None:
    region_since(stockholm(2026, 3, 10, 12))
    services.run_months(now=FREEZES, count=Counted())
    back = stockholm(2026, 8, 20, 9)
    services.run_months(now=back, count=Counted())
    assert frozen_months() == [(f"2026-0{month}", 1) for month in range(3, 8)]
    late = FrozenMonth.objects.get(first_day="2026-06-01")
    assert (late.is_late, late.frozen_at, str(late.due_on)) == (True, back, "2026-07-03")


def test_no_month_is_passed_over_when_the_sweep_has_stood_still_for_years() -> None:
    region_since(stockholm(2026, 3, 10, 12))
    services.plan_months(now=stockholm(2026, 3, 10, 12))
    services.run_months(now=stockholm(2028, 4, 20, 9), count=Counted(), limit=100)
    assert len(frozen_months()) == 25


def test_a_new_installation_begins_twelve_months_back() -> None:
    region_since(stockholm(2020, 3, 10, 12))
    services.plan_months(now=stockholm(2026, 4, 7, 6))
    assert MonthDue.objects.order_by("first_day")[0].month == Month(2025, 4)


def test_each_region_has_its_own_months() -> None:
    region_since(stockholm(2026, 3, 10, 12))
    make_case(now=stockholm(2026, 2, 10, 12), region=RegionFactory(code="14"))
    services.run_months(now=FREEZES, count=Counted(number(7)))
    found = FrozenMonth.objects.order_by("region", "first_day").values_list("region", "first_day")
    assert [(code, str(day)) for code, day in found] == [
        ("13", "2026-03-01"),
        ("14", "2026-02-01"),
        ("14", "2026-03-01"),
    ]


def test_a_month_that_cannot_be_counted_holds_up_no_other_and_is_told() -> None:
    region_since(stockholm(2026, 2, 10, 12))

    def count(region: str, month: Month) -> list[Any]:
        if month == MARCH:
            raise ZeroDivisionError
        return [number(7)]

    services.run_months(now=FREEZES, count=count)
    assert frozen_months() == [("2026-02", 1)]
    assert failing(FREEZES) == ["13 2026-03: ZeroDivisionError"]
    services.run_months(now=FREEZES + timedelta(hours=1), count=Counted(number(7)))
    assert frozen_months() == [("2026-02", 1), ("2026-03", 1)]
    assert failing(FREEZES) == []


def test_it_waits_for_facts_that_are_to_be_made_anew_but_at_most_a_day() -> None:
    made = make_case(now=stockholm(2026, 3, 10, 12), region=RegionFactory())
    StaleCase.objects.create(case=made.case, due_at=FREEZES)
    day = timedelta(days=1)
    services.run_months(now=FREEZES + day - timedelta(minutes=1), count=Counted(number(7)))
    assert frozen_months() == []
    services.run_months(now=FREEZES + day, count=Counted(number(7)))
    assert frozen_months() == [("2026-03", 1)]


@pytest.mark.parametrize("change", ["UPDATE {} SET {} = {}", "DELETE FROM {}"])
@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("frozenmonth", "rules"),
        ("frozenfigure", "n"),
        ("recount", "rules"),
        ("figurecorrection", "n_after"),
    ],
)
def test_the_database_refuses_to_change_what_is_frozen(
    table: str, column: str, change: str
) -> None:
    counted = Counted(number(7))
    frozen_march(counted)
    counted.now(number(8))
    services.run_months(now=FREEZES + timedelta(days=1), count=counted)
    statement = change.format(f"statistics_{table}", column, column)
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_a_month_has_one_row_for_each_version() -> None:
    frozen_march(Counted(number(7)))
    again = FrozenMonth.objects.get()
    again.pk = None
    with pytest.raises(DatabaseError, match="frozen_month_once_per_version"), transaction.atomic():
        again.save(force_insert=True)


def test_the_sweep_is_one_of_those_that_run() -> None:
    region_since(stockholm(2026, 3, 10, 12))
    assert run_due(now=FREEZES)["frozen_months"] == 1
    assert frozen_months() == [("2026-03", 1)]


@pytest.mark.django_db(transaction=True)
def test_two_beats_at_once_freeze_once_and_tell_once() -> None:
    region = region_since(stockholm(2026, 1, 10, 12))
    actor = manager_actor(region)
    user = user_of(actor)
    user.email = "chef@region.example"
    user.save()
    subscribe(actor=actor, now=FREEZES)
    counted = Counted(number(7))
    found = together([partial(services.run_months, now=FREEZES, count=counted)] * 4)
    assert sum(n for n in found if isinstance(n, int)) == 3, found
    assert frozen_months() == [("2026-01", 1), ("2026-02", 1), ("2026-03", 1)]
    assert StaffMail.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_killed_between_freezing_and_mail_neither_is_lost_nor_doubled(
    monkeypatch: Any, mailoutbox: Any
) -> None:
    region = region_since(stockholm(2026, 3, 10, 12))
    actor = manager_actor(region)
    user = user_of(actor)
    user.email = "chef@region.example"
    user.save()
    subscribe(actor=actor, now=FREEZES)

    class Killed(BaseException):
        pass

    def kill(*_args: Any, **_options: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("statistics.frozen.services.tell_subscribers", kill)
        with pytest.raises(Killed):
            services.run_months(now=FREEZES, count=Counted(number(7)))
    assert frozen_months() == []  # with the mail goes the freezing
    services.run_months(now=FREEZES, count=Counted(number(7)))
    with monkeypatch.context() as patch:
        patch.setattr("notices.caps.send_mail", kill)
        with pytest.raises(Killed):
            send_staff_mail(now=FREEZES)
    for _sweep in range(2):
        services.run_months(now=FREEZES, count=Counted(number(7)))
        send_staff_mail(now=FREEZES)
    assert frozen_months() == [("2026-03", 1)]
    assert [mail.to for mail in mailoutbox] == [["chef@region.example"]]
