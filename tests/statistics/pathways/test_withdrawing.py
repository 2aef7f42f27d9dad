"""What a region has told can be taken back; it stays in the history with who took it back."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from time_machine import travel

from organisations.errors import NotAllowed, WrongState
from organisations.models import Region
from organisations.scopes import Scope
from statistics.models import PathwayLimit
from statistics.pathways.halves import HalfYear
from statistics.pathways.models import TOLD, Told
from statistics.pathways.own import Own
from statistics.pathways.selectors import limits_among, limits_of, pathways_for
from statistics.pathways.services import (
    NotTold,
    enter_inclusion,
    enter_lead_time,
    enter_limit,
    withdraw,
)
from statistics.pathways.told import told_by
from tests.factories import (
    RegionFactory,
    manager_actor,
    navigator_actor,
    region_admin_actor,
    stockholm,
    user_of,
)
from tests.statistics.pathways.test_own_counts import LIMITS, api_of, take_in

NOW = stockholm(2026, 3, 10, 12)
LATER = stockholm(2026, 3, 12, 12)


@pytest.fixture
def region(db: None) -> Region:
    return RegionFactory.create()


def tell(what: str, region: Region) -> Told:
    by: dict[str, Any] = {"actor": region_admin_actor(region), "now": NOW}
    if what == "limits":
        return enter_limit(pathway="lungcancer", treatment="surgery", days=30, **by)
    of: dict[str, Any] = {"period": "2026H1", "source": "Signe", **by}
    if what == "inclusions":
        return enter_inclusion(new_cases=1000, included=720, **of)
    return enter_lead_time(patients=500, within=215, **of)


def own_of(region: Region) -> Own:
    return pathways_for(navigator_actor(region), period=HalfYear(2026, 1)).own


def holds(what: str, region: Region) -> bool:
    return bool(getattr(told_by(region_admin_actor(region)), what))


@pytest.mark.parametrize("what", TOLD)
def test_what_is_withdrawn_no_longer_holds_anywhere_and_its_history_stays(region, what):
    row = tell(what, region)
    shows = {
        "limits": lambda: limits_of(region.code),
        "inclusions": lambda: own_of(region).inclusion.total,
        "lead_times": lambda: own_of(region).whole.total,
    }[what]
    assert shows()
    assert holds(what, region)
    actor = region_admin_actor(region)
    taken = withdraw(what, row.pk, actor=actor, now=LATER)
    assert not shows()
    assert not holds(what, region)
    [shown] = told_by(actor).withdrawn[what]
    assert (shown.pk, shown.entered_by, shown.entered_at) == (taken.pk, actor.name, LATER)
    assert list(TOLD[what].objects.order_by("pk").values_list("pk", "is_withdrawn")) == [
        (row.pk, False),
        (taken.pk, True),
    ]
    # Told anew, it holds again.
    tell(what, region)
    assert shows()
    assert holds(what, region)
    assert told_by(actor).withdrawn[what] == []


def test_a_case_has_no_maximum_lead_time_once_it_is_withdrawn(region):
    row = tell("limits", region)
    key = (region.code, "lungcancer", "surgery")
    assert limits_among({key}) == {key: 30}
    withdraw("limits", row.pk, actor=region_admin_actor(region), now=LATER)
    assert limits_among({key}) == {}


def test_only_what_holds_is_withdrawn(region):
    first, actor = tell("limits", region), region_admin_actor(region)
    newest = tell("limits", region)
    with pytest.raises(WrongState):
        withdraw("limits", first.pk, actor=actor, now=LATER)
    taken = withdraw("limits", newest.pk, actor=actor, now=LATER)
    for row in (newest, taken):
        with pytest.raises(WrongState):
            withdraw("limits", row.pk, actor=actor, now=LATER)
    assert PathwayLimit.objects.count() == 3


def test_only_the_regions_own_administrator_withdraws(region):
    row = tell("limits", region)
    for other in (manager_actor(region), navigator_actor(region)):
        with pytest.raises(NotAllowed):
            withdraw("limits", row.pk, actor=other, now=LATER)
    neighbour = region_admin_actor(RegionFactory.create(code="20"))
    with pytest.raises(NotTold):
        withdraw("limits", row.pk, actor=neighbour, now=LATER)
    assert holds("limits", region)


def test_a_file_with_what_was_withdrawn_tells_it_anew(region):
    take_in(region, LIMITS, "Lungcancer;Kirurgi;44")
    row = PathwayLimit.objects.get()
    withdraw("limits", row.pk, actor=region_admin_actor(region), now=LATER)
    made = take_in(region, LIMITS, "Lungcancer;Kirurgi;44")
    assert (made.stored, made.unchanged) == (1, 0)
    assert limits_of(region.code) == {("lungcancer", "surgery"): 44}


def client_of(actor: Any) -> Client:
    client = Client()
    client.force_login(user_of(actor))
    return client


@pytest.mark.parametrize("what", TOLD)
def test_the_page_withdraws_and_says_by_whom(region, what):
    row, client = tell(what, region), client_of(region_admin_actor(region))
    settings, address = (
        reverse("pathway-settings"),
        reverse("pathway-withdraw", args=[what, row.pk]),
    )
    assert f'action="{address}"' in client.get(settings).content.decode()
    assert client.get(address).status_code == 405
    with travel(LATER, tick=False):
        for words in ("Återtaget.", "Uppgiften gäller inte längre"):
            page = client.post(address, follow=True).content.decode()
            assert words in page
        for keys in (["x", row.pk], [what, row.pk + 99]):
            assert client.post(reverse("pathway-withdraw", args=keys)).status_code == 404
    assert f'action="{address}"' not in page
    assert "Visa 1 återtagen uppgift" in page
    assert "2026-03-12" in page[page.index("Visa 1 återtagen") :]
    assert client_of(manager_actor(region)).post(address).status_code == 403


@pytest.mark.parametrize("what", TOLD)
def test_the_api_withdraws_what_it_tells(region, what):
    tell(what, region)
    admin = region_admin_actor(region)
    api = api_of(admin)
    base = "/api/v1/cancer-pathways/"
    found = api.get(f"{base}{'limits' if what == 'limits' else 'counts'}/").json()
    [one] = found if what == "limits" else found[what]
    address = f"{base}{what}/{one['id']}/withdraw/"
    assert api_of(admin, Scope.STATISTICS_READ).post(address).status_code == 403
    assert api_of(manager_actor(region)).post(address).status_code == 403
    other = api_of(region_admin_actor(RegionFactory.create(code="20")))
    assert other.post(address).status_code == 404
    answer = api.post(address)
    assert answer.status_code == 200
    assert answer.json()["withdrawn_by"] == admin.name
    assert api.post(address).json()["code"] == "wrong_state"
    assert api.post(f"{base}x/{one['id']}/withdraw/").status_code == 404
    assert not holds(what, region)
