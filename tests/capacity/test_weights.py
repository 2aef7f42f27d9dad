"""A region's weights of matching: who chooses them, what they must be, what they would change."""

from datetime import date
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from capacity.matching import NATIONAL, match, weights_in_force
from capacity.models import MatchingWeights
from capacity.services import change_weights
from organisations.errors import InvalidInput, NotAllowed, WrongState
from organisations.models import AdministrationLog, Region
from referral.models import CaseLog, CaseState
from referral.selectors import need_of
from tests.factories import (
    CareUnitFactory,
    ContractFactory,
    ContractLineFactory,
    MatchingWeightsFactory,
    RegionFactory,
    WaitingTimeFactory,
    contract_owner_actor,
    make_case,
    navigator_actor,
    region_admin_actor,
    stockholm,
    user_of,
)

pytestmark = pytest.mark.django_db

NOW = stockholm(2026, 3, 10, 9)
TODAY = date(2026, 3, 10)
PRICE_ONLY = {"wait": 0, "distance": 0, "price": 100, "quality": 0, "contract": 0}


@pytest.fixture
def halland() -> Region:
    return RegionFactory.create()


def two_lines(region: Region) -> None:
    """A near, quick and dear one, and one that is far away, slow and cheap."""
    for code, days, price in (("13", 10, 90_000), ("14", 170, 30_000)):
        line = ContractLineFactory(
            contract=ContractFactory(owner_region=region),
            care_unit=CareUnitFactory(
                name=f"Enhet i {code}", region=RegionFactory(code=code), receives=True
            ),
            price_sek=Decimal(price),
        )
        WaitingTimeFactory(care_unit=line.care_unit, median_days=days)


def change(region: Region, *, seen: int = 0, why: str = "Priset.", **values: int):
    admin = region_admin_actor(region)
    return change_weights(PRICE_ONLY | values, why=why, seen_version=seen, actor=admin, now=NOW)


def test_a_region_without_own_weights_has_the_national_ones(halland):
    assert weights_in_force("13") == NATIONAL


def test_each_change_is_a_version_of_its_own_and_stands_in_the_history(halland):
    change(halland)
    change(halland, seen=1, price=60, wait=40)
    assert weights_in_force("13").label == "13/2"
    kept = MatchingWeights.objects.values_list("version", "price")
    assert list(kept) == [(2, 60), (1, 100)]
    row = AdministrationLog.objects.filter(verb="region_changed").latest("pk")
    assert "väntetid 40" in row.details["matchningens vikter"]
    assert row.region_id == "13"


@pytest.mark.parametrize(
    ("values", "field"),
    [({"price": 99}, "contract"), ({"price": 101, "wait": -1}, "wait"), ({"wait": 1}, "contract")],
)
def test_weights_are_per_cents_that_sum_to_100(halland, values, field):
    with pytest.raises(InvalidInput) as refused:
        change(halland, **values)
    assert field in refused.value.fields
    assert not MatchingWeights.objects.exists()


@pytest.mark.parametrize("why", ["", "  ", "x" * 301, "\x00"])
def test_a_change_says_why(halland, why):
    with pytest.raises(InvalidInput) as refused:
        change(halland, why=why)
    assert set(refused.value.fields) == {"why"}


def test_who_has_not_seen_the_newest_weights_does_not_overwrite_them(halland):
    change(halland)
    with pytest.raises(WrongState):
        change(halland)


@pytest.mark.parametrize("actor_of", [navigator_actor, contract_owner_actor])
def test_only_the_regions_administrator_changes_them(halland, actor_of):
    with pytest.raises(NotAllowed):
        change_weights(PRICE_ONLY, why="x", seen_version=0, actor=actor_of(halland), now=NOW)


def test_one_regions_weights_are_not_anothers(halland):
    change(RegionFactory(code="14"))
    assert weights_in_force("13") == NATIONAL


def test_the_ranking_follows_the_regions_weights(halland):
    two_lines(halland)
    case = make_case(CaseState.IN_PROGRESS, line=ContractLineFactory(kva="NFB49")).case
    before = [m.line.care_unit.name for m in match(need_of(case, today=TODAY), today=TODAY).matches]
    change(halland)
    found = match(need_of(case, today=TODAY), today=TODAY)
    assert before == ["Enhet i 13", "Enhet i 14"]
    assert [m.line.care_unit.name for m in found.matches] == ["Enhet i 14", "Enhet i 13"]
    assert found.weights.version == 1


def test_the_offers_log_row_keeps_rank_score_and_weights(halland):
    MatchingWeightsFactory()
    made = make_case(CaseState.OFFERED)
    kept = CaseLog.objects.get(case=made.case, verb="offer").details["matching"]
    assert (kept["rank"], kept["of"], kept["weights"]) == (1, 1, "13/1")
    assert 0 < kept["score"] <= 100


class TestPage:
    def page(self, client: Client, halland: Region, **posted: object):
        client.force_login(user_of(region_admin_actor(halland)))
        return client.post(reverse("matching-weights"), {"seen": 0, **PRICE_ONLY, **posted})

    def test_trying_shows_the_ranks_and_saves_nothing(self, client, halland):
        two_lines(halland)
        answer = self.page(client, halland, preview=1, kva="NGB49")
        assert [(m.rank, m.rank_before, m.steps) for m in answer.context["moved"]] == [
            (1, 2, 1),
            (2, 1, -1),
        ]
        assert "1 steg upp" in answer.content.decode()
        assert not MatchingWeights.objects.exists()

    def test_saving_keeps_them_and_comes_back(self, client, halland):
        answer = self.page(client, halland, save=1, why="Priset styr.")
        assert answer.status_code == 302
        assert weights_in_force("13").price == 100

    @pytest.mark.parametrize(
        ("posted", "text"),
        [
            ({"preview": 1, "price": 90}, "Vikterna blir 90 tillsammans"),
            ({"save": 1, "price": 90, "why": "x"}, "Vikterna blir 90 tillsammans"),
            ({"save": 1}, "Fyll i fältet"),
            ({"save": 1, "price": "abc", "why": "x"}, "heltal"),
            ({"save": 1, "seen": 7, "why": "x"}, "ändrats av någon annan"),
            ({"preview": 1, "kva": "XXX"}, "Välj ett giltigt alternativ"),
        ],
    )
    def test_what_does_not_hold_is_said_at_its_field_and_stays_typed(
        self, client, halland, posted, text
    ):
        answer = self.page(client, halland, **posted)
        assert answer.status_code == 422
        assert text in answer.content.decode()
        assert not MatchingWeights.objects.exists()

    def test_a_navigator_reads_and_may_not_change(self, client, halland):
        MatchingWeightsFactory()
        client.force_login(user_of(navigator_actor(halland)))
        shown = client.get(reverse("matching-weights")).content.decode()
        assert "Väntetiden är viktigast." in shown
        assert 'name="save"' not in shown
        client.post(reverse("matching-weights"), {"seen": 1, **PRICE_ONLY, "save": 1, "why": "x"})
        assert MatchingWeights.objects.count() == 1
