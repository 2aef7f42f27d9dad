"""The whole way with real cases: events, facts, count, frozen month, correction."""

from datetime import timedelta
from typing import Any

import pytest

from organisations.sweeps import run_due
from referral import services as referral
from referral.models import CaseState
from statistics.frozen.models import FigureCorrection, FrozenFigure, FrozenMonth, Recount
from statistics.frozen.selectors import Choice, month_page
from statistics.monthly.figures import month_figures
from tests.factories import (
    ContractLineFactory,
    RegionFactory,
    make_case,
    navigator_actor,
    stockholm,
)
from tests.statistics.frozen.parts import FREEZES, MARCH

pytestmark = pytest.mark.django_db


@pytest.fixture
def region(db: None) -> Any:
    return RegionFactory()


def test_a_treatment_reported_after_the_freezing_is_a_correction_to_the_digit(region: Any) -> None:
    line = ContractLineFactory(kva="NGB", contract__owner_region=region, contract__cap_volume=None)
    at = stockholm(2026, 3, 10, 12)
    made = [make_case(CaseState.BOOKED, now=at, region=region, line=line) for _n in range(3)]
    done = timedelta(days=8)
    for one in made[:2]:
        referral.treat(one.case, treated_on=(at + done).date(), actor=one.provider, now=at + done)
    run_due(now=FREEZES)
    frozen = FrozenMonth.objects.get()
    counted = {
        (one.dimension, one.key, one.measure): one.n
        for one in month_figures(region.pk, MARCH)
        if one.n
    }
    kept = {(row.dimension, row.key, row.measure): row.n for row in frozen.figures.all()}
    assert kept == counted
    assert counted["region", region.pk, "treated"] == 2

    late = FREEZES + timedelta(hours=3)
    referral.treat(made[2].case, treated_on=(at + done).date(), actor=made[2].provider, now=late)
    run_due(now=FREEZES + timedelta(hours=21))  # three in the night
    assert Recount.objects.get().why == ["late_treatment"]
    treated = FigureCorrection.objects.get(dimension="region", measure="treated")
    assert (treated.n_before, treated.n_after) == (2, 3)
    clinic = FigureCorrection.objects.get(
        dimension="clinic", key=str(made[2].unit.pk), measure="treated"
    )
    assert (clinic.n_before, clinic.n_after) == (0, 1)
    # What stood still has no correction.
    assert not FigureCorrection.objects.filter(measure__in=["received", "confirmed"]).exists()
    assert FrozenFigure.objects.get(dimension="region", measure="treated").n == 2

    page = month_page(navigator_actor(region), MARCH, Choice(measure="treated"))
    assert [(row.frozen.n, row.known.n) for row in page.rows] == [(2, 3)]
    known = {
        (one.dimension, one.key, one.measure): one.n
        for one in month_figures(region.pk, MARCH)
        if one.n
    }
    assert known["region", region.pk, "treated"] == 3


def test_what_happens_in_the_next_month_changes_no_frozen_one(region: Any) -> None:
    line = ContractLineFactory(kva="NGB", contract__owner_region=region, contract__cap_volume=None)
    made = make_case(CaseState.BOOKED, now=stockholm(2026, 3, 10, 12), region=region, line=line)
    run_due(now=FREEZES)
    april = FREEZES + timedelta(hours=3)
    referral.treat(made.case, treated_on=april.date(), actor=made.provider, now=april)
    referral.close(made.case, back_referral="Åter.", actor=made.provider, now=april)
    make_case(now=april, region=region, line=line)
    run_due(now=april + timedelta(days=2))
    assert not Recount.objects.exists()
