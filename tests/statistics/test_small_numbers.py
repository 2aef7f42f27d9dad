"""What a manager sees gives no small number back, in any table, month, clinic or file."""

import csv
import io
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from time_machine import travel

from organisations.models import CareUnit
from referral import services
from referral.models import CaseState, DeclineReason
from statistics.frozen.hidden import SPLITS
from statistics.frozen.hiding import Hiding
from statistics.months import Month
from statistics.selectors import Figures, _counts, _hide, statistics_for
from tests.factories import (
    ContractLineFactory,
    RegionFactory,
    make_case,
    manager_actor,
    navigator_actor,
    stockholm,
    user_of,
)

MONTH = Month(2026, 3)
REASONS = len(DeclineReason.values)
clinic = st.tuples(st.integers(0, 8), st.lists(st.integers(0, 4), min_size=2, max_size=2))


def row_of(clinics: list[tuple[int, list[int]]]) -> tuple[dict[int | None, Figures], list[int]]:
    """A month's figures from yes, and no by two reasons, of each clinic."""
    row: dict[int | None, Figures] = {None: Figures()}
    for key, (yes, no) in enumerate(clinics):
        row[key] = Figures(accepted=yes, declined=sum(no), answered=yes + sum(no))
    for name in ("accepted", "declined", "answered"):
        setattr(row[None], name, sum(getattr(row[k], name) for k in row if k is not None))
    reasons = [sum(no[place] for _yes, no in clinics) for place in range(2)]
    return row, [*reasons, *[0] * (REASONS - 2)]


def hide(row: dict[int | None, Figures], reasons: list[int]) -> list[int | None]:
    return _hide("13", row, reasons, Hiding([_counts("13", row, reasons)], SPLITS))


@given(st.lists(clinic, min_size=1, max_size=4))
def test_no_small_number_of_no_follows_from_answers_less_yes(clinics: list[Any]) -> None:
    row, reasons = row_of(clinics)
    shown = hide(row, reasons)
    for figures in row.values():
        if figures.answered is not None and figures.accepted is not None:
            assert figures.answered - figures.accepted not in {1, 2, 3, 4}
    assert not {1, 2, 3, 4} & set(shown)


def test_a_small_sum_of_no_hides_every_reason() -> None:
    row, reasons = row_of([(17, [2, 1])])
    assert hide(row, reasons) == [None] * REASONS
    assert row[None].declined is None


def test_a_lone_reason_is_not_told_by_answers_less_yes() -> None:
    row, reasons = row_of([(17, [3, 0])])
    assert hide(row, reasons)[0] is None
    assert (row[None].accepted, row[None].answered) == (None, 20)


def test_days_gained_of_one_known_wait_are_hidden() -> None:
    row = {
        key: Figures(
            treated=treated, gained=gained, costed=treated, days_gained=70, cost=Decimal(9)
        )
        for key, gained, treated in ((0, 1, 9), (1, 9, 9), (None, 10, 18))
    }
    hide(row, [0] * REASONS)
    assert row[0].days_gained is row[1].days_gained is None
    assert (row[0].treated, row[0].cost) == (9, Decimal(9))


@pytest.fixture
def region(db: None) -> Any:
    """Six no for the journey in March, from two clinics, and one treated."""
    region = RegionFactory()
    line = ContractLineFactory(kva="NGB", contract__owner_region=region, contract__cap_volume=None)
    now = stockholm(2026, 3, 10, 12)
    unit = None
    for number in range(6):
        unit = unit if number % 3 else None
        made = make_case(CaseState.OFFERED, now=now, region=region, line=line, unit=unit)
        unit = made.unit
        assert made.offer
        services.answer_offer(
            made.offer,
            accepted=False,
            channel="phone",
            reason="travel",
            actor=made.navigator,
            now=now,
        )
    make_case(CaseState.CLOSED, now=now, region=region, line=line, unit=unit)
    return region


def test_each_choice_of_clinic_and_month_shows_the_same(region: Any) -> None:
    actor = manager_actor(region)
    whole = statistics_for(actor, month=MONTH)
    rows = dict(whole.clinics)
    for unit in rows:
        chosen = statistics_for(actor, month=MONTH, clinic=unit)
        assert chosen.total == rows[unit]
        assert chosen.declines == whole.declines
    later = statistics_for(actor, month=MONTH.back(-2))
    assert dict(later.trend)[MONTH] == whole.total
    assert whole.declines[0][1] is None


def test_a_clinic_that_sends_no_more_keeps_its_row(region: Any) -> None:
    CareUnit.objects.filter(region=region).update(sends=False)
    found = statistics_for(navigator_actor(region), month=MONTH)
    assert sum(figures.received or 0 for _unit, figures in found.clinics) == 7
    assert found.total.received == 7


def test_page_files_and_api_show_a_manager_no_small_number(region: Any, client: Any) -> None:
    with travel(stockholm(2026, 3, 20, 12), tick=False):
        client.force_login(user_of(manager_actor(region)))
        page = client.get("/statistics/?month=2026-03")
        plain = client.get("/statistics/export.csv?month=2026-03").content.decode("utf-8-sig")
        book = openpyxl.load_workbook(
            io.BytesIO(client.get("/statistics/export.xlsx?month=2026-03").content)
        )
        answer = client.get("/api/v1/statistics/?month=2026-03").json()
    assert page.status_code == 200
    assert "dolt" in page.content.decode()
    for row in csv.reader(io.StringIO(plain), delimiter=";"):
        assert not {"1", "2", "3", "4"} & {*row[1:4], row[5]}
    assert [cell.value for cell in book["Nej per skäl"]["B"]].count("dolt") == REASONS
    # One said yes, so the sum of no is hidden and with it each reason.
    assert [one["count"] for one in answer["declines"]] == [None] * REASONS
    for figures in [answer["total"], *(one["figures"] for one in answer["clinics"])]:
        for name in ("received", "offered", "answered", "accepted", "treated"):
            assert figures[name] not in {1, 2, 3, 4}
