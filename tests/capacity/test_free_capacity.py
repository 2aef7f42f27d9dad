"""Free places: who posts them, what is refused, and that never more are taken than posted."""

from datetime import date, timedelta
from functools import partial

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import Error, IntegrityError, connection, transaction
from django.urls import reverse

from capacity.models import FreeCapacity, TakenPlace
from capacity.slots.files import import_slots
from capacity.slots.selectors import lines_for, open_slots
from capacity.slots.services import change_slot, post_slot, take_place, withdraw_slot
from capacity.slots.weeks import iso_week, monday_of, weeks_in_words
from contracts import services as call_offs
from organisations.access import acting_as
from organisations.errors import CapReached, InvalidInput, NotAllowed, WrongState
from organisations.models import DomainEvent
from tests.concurrency import together
from tests.factories import (
    CareUnitFactory,
    ContractLineFactory,
    FreeCapacityFactory,
    ProcedureFactory,
    RegionFactory,
    integration_actor,
    navigator_actor,
    provider_actor,
    stockholm,
    user_of,
)

pytestmark = pytest.mark.django_db

NOW = stockholm(2026, 12, 1, 9)
TODAY = NOW.date()
VALUES = {
    "kva": "NGB49",
    "first_day": date(2026, 12, 7),
    "last_day": date(2026, 12, 20),
    "offered": 3,
    "asa_ceiling": 3,
    "age_min": None,
    "age_max": None,
    "book_by": date(2026, 12, 10),
    "contact": "Planeringen",
    "note": "",
}


def posted(unit=None, **values) -> FreeCapacity:
    unit = unit or CareUnitFactory()
    return post_slot(VALUES | values, care_unit=unit, actor=provider_actor(unit.provider), now=NOW)


def kinds() -> list[str]:
    return list(DomainEvent.objects.values_list("kind", flat=True))


def test_a_provider_posts_changes_and_withdraws_its_own_places():
    unit = CareUnitFactory()
    actor = provider_actor(unit)
    with acting_as(actor):
        slot = post_slot(VALUES, care_unit=unit, actor=actor, now=NOW)
        changed = change_slot(slot, {"offered": 5}, actor=actor, now=NOW)
        withdrawn = withdraw_slot(slot, actor=actor, now=NOW)
    assert (slot.posted_by, changed.left, withdrawn.withdrawn_by) == (actor.name, 5, actor.name)
    assert kinds() == ["free_capacity.posted", "free_capacity.raised"]
    with pytest.raises(WrongState):
        change_slot(slot, {"offered": 6}, actor=actor, now=NOW)


@pytest.mark.parametrize(
    ("values", "raised"),
    [
        ({"offered": 2}, False),
        ({"offered": 4}, True),
        ({"asa_ceiling": 4}, True),
        ({"asa_ceiling": 2}, False),
        ({"book_by": date(2026, 12, 11)}, True),
        ({"age_max": 80}, False),
        ({"note": "Nya tider."}, False),
        ({"last_day": date(2026, 12, 27)}, True),
    ],
)
def test_only_more_room_is_told(values, raised):
    slot = posted()
    change_slot(slot, values, actor=provider_actor(slot.care_unit.provider), now=NOW)
    assert ("free_capacity.raised" in kinds()) == raised


def test_nobody_else_may_change_them_and_the_database_says_so_too():
    slot = posted()
    stranger, navigator = provider_actor(CareUnitFactory()), navigator_actor(RegionFactory())
    other_unit = provider_actor(CareUnitFactory(provider=slot.care_unit.provider))
    for actor in (stranger, navigator, other_unit, integration_actor(RegionFactory())):
        with acting_as(actor):
            for do in (
                lambda a=actor: change_slot(slot, {"offered": 9}, actor=a, now=NOW),
                lambda a=actor: withdraw_slot(slot, actor=a, now=NOW),
                lambda a=actor: post_slot(VALUES, care_unit=slot.care_unit, actor=a, now=NOW),
            ):
                with pytest.raises(NotAllowed):
                    do()
            assert FreeCapacity.objects.update(offered=9) == 0
            assert FreeCapacity.objects.count() == 1  # no patient in it: everybody reads
            with pytest.raises(Error, match="row-level security"), transaction.atomic():
                FreeCapacityFactory(care_unit=slot.care_unit, kva="NGB")
    with acting_as(None):
        assert not FreeCapacity.objects.exists()


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"kva": "knä"}, "kva"),
        ({"offered": 0}, "offered"),
        ({"offered": 1000}, "offered"),
        ({"first_day": date(2026, 12, 21)}, "last_day"),
        ({"first_day": date(2026, 11, 16), "last_day": date(2026, 11, 29)}, "last_day"),
        ({"first_day": date(2029, 1, 1), "last_day": date(2029, 1, 7)}, "last_day"),
        ({"book_by": date(2026, 11, 30)}, "book_by"),
        ({"book_by": date(2026, 12, 21)}, "book_by"),
        ({"asa_ceiling": 5}, "asa_ceiling"),
        ({"age_min": 150}, "age_min"),
        ({"age_min": 60, "age_max": 50}, "age_max"),
        ({"note": "x" * 301}, "note"),
    ],
)
def test_what_does_not_hold_is_said_at_its_field(values, field):
    with pytest.raises(InvalidInput) as refused:
        posted(**values)
    assert field in refused.value.fields
    assert not FreeCapacity.objects.exists()


def test_the_same_places_twice_are_refused():
    slot = posted()
    with pytest.raises(InvalidInput, match="finns redan"):
        posted(slot.care_unit, offered=9)
    withdraw_slot(slot, actor=provider_actor(slot.care_unit), now=NOW)
    posted(slot.care_unit)


def test_old_withdrawn_and_full_places_are_out_of_the_list():
    first, second, full = posted(), posted(), posted(offered=1)
    taken(full)
    withdraw_slot(second, actor=provider_actor(second.care_unit), now=NOW)
    assert list(open_slots(today=first.book_by)) == [first]
    assert not open_slots(today=first.book_by + timedelta(days=1)).exists()


def taken(slot: FreeCapacity, number: str = "13-26-000001-9", *, today: date = TODAY):
    line = ContractLineFactory(contract__provider=slot.care_unit.provider, care_unit=slot.care_unit)
    with transaction.atomic():
        call_off = call_offs.reserve(
            line, case_number=number, region=line.contract.owner_region, now=NOW
        )
        take_place(slot, call_off=call_off, today=today)
    slot.refresh_from_db()
    return call_off


def test_a_place_is_taken_and_comes_back_with_the_call_off():
    slot = posted()
    first, second = taken(slot), taken(slot, "13-26-000002-7")
    assert slot.left == 1
    call_offs.release(first, now=NOW)
    call_offs.use(second, now=NOW)
    slot.refresh_from_db()
    assert (slot.taken, slot.left) == (1, 2)


def test_no_more_than_are_posted_none_once_withdrawn_or_past_the_last_day():
    slot = posted(offered=1)
    with pytest.raises(WrongState):
        taken(slot, today=slot.book_by + timedelta(days=1))
    taken(slot)
    with pytest.raises(CapReached):
        taken(slot, "13-26-000002-7")
    actor = provider_actor(slot.care_unit)
    with pytest.raises(InvalidInput):
        change_slot(slot, {"offered": 0}, actor=actor, now=NOW)
    with pytest.raises(WrongState, match="redan tagna"):
        change_slot(slot, {"kva": "NGB"}, actor=actor, now=NOW)
    withdraw_slot(slot, actor=actor, now=NOW)
    with pytest.raises(WrongState):
        taken(slot, "13-26-000002-7")
    call_offs.release(TakenPlace.objects.get().call_off, now=NOW)
    slot.refresh_from_db()
    assert slot.taken == 0


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE capacity_freecapacity SET taken = 2",
        "UPDATE capacity_freecapacity SET taken = 0",
        "UPDATE capacity_freecapacity SET last_day = last_day + 7",
        "UPDATE capacity_takenplace SET slot_id = slot_id",
        "INSERT INTO capacity_takenplace (slot_id, call_off_id)"
        " SELECT f.id, c.id FROM capacity_freecapacity f, contracts_calloff c"
        " WHERE c.case_number = '13-26-000003-5'",
    ],
)
def test_the_database_holds_the_places_when_the_code_is_wrong(statement):
    slot = posted()
    taken(slot)
    elsewhere = ContractLineFactory()
    call_offs.reserve(
        elsewhere,
        case_number="13-26-000003-5",
        region=elsewhere.contract.owner_region,
        now=NOW,
    )
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.django_db(transaction=True)
def test_many_who_fight_for_the_last_places_get_those_that_are_there():
    slot = posted(offered=2)
    line = ContractLineFactory(contract__provider=slot.care_unit.provider, care_unit=slot.care_unit)
    region = line.contract.owner_region

    def fight(n: int) -> bool:
        number = f"13-26-{n:06d}-0"
        with transaction.atomic():
            call_off = call_offs.reserve(line, case_number=number, region=region, now=NOW)
            take_place(slot, call_off=call_off, today=TODAY)
        return True

    outcomes = together(partial(fight, n) for n in range(6))
    assert outcomes.count(True) == 2
    assert all(one is True or isinstance(one, CapReached) for one in outcomes)
    slot.refresh_from_db()
    line.refresh_from_db()
    assert (slot.taken, line.taken_volume) == (2, 2)


def test_a_slot_says_which_line_it_can_be_called_off_on():
    region = RegionFactory()
    line = ContractLineFactory(kva="NGB", contract__owner_region=region)
    full = ContractLineFactory(kva="NGB49", contract__owner_region=region, cap_volume=0)
    slots = [posted(line.care_unit), posted(full.care_unit), posted()]
    found = lines_for(slots, region=region, today=TODAY)
    assert found[slots[0].pk].line == line
    assert found[slots[0].pk].reasons == ()
    assert "nådd" in " ".join(found[slots[1].pk].reasons)
    assert slots[2].pk not in found
    assert lines_for(slots, region=RegionFactory(code="14"), today=TODAY) == {}


FILE = "hsa-id;kvå;platser;från vecka;till vecka;boka senast;asa\n"


def test_a_file_posts_places_and_changes_those_that_are_there():
    unit = CareUnitFactory()
    actor = provider_actor(unit)
    row = f"{unit.hsa_id};NGB49;%s;2026-W50;2026-v51;2026-12-10;3"
    with acting_as(actor):
        made = import_slots((FILE + row % 3).encode(), actor=actor, now=NOW)
        again = import_slots((FILE + row % 5).encode(), actor=actor, now=NOW)
    assert (made.posted, again.posted, again.changed) == (1, 0, 1)
    slot = FreeCapacity.objects.get()
    assert (slot.first_day, slot.last_day, slot.offered) == (
        date(2026, 12, 7),
        date(2026, 12, 20),
        5,
    )


def test_a_file_with_a_bad_row_stores_nothing_and_says_which():
    unit, other = CareUnitFactory(), CareUnitFactory()
    good = f"{unit.hsa_id};NGB49;3;2026-W50;2026-W51;2026-12-10;3"
    rows = [
        good,
        good,
        f"{other.hsa_id};NGB49;3;2026-W50;2026-W51;2026-12-10;3",
        f"{unit.hsa_id};knä;3;2026-W50;2026-W51;2026-12-10;3",
        f"{unit.hsa_id};NGB49;många;vecka 50;2026-W99;snart;9999",
    ]
    made = import_slots((FILE + "\n".join(rows)).encode(), actor=provider_actor(unit), now=NOW)
    assert {row.number: len(row.errors) for row in made.faults} == {3: 1, 4: 1, 5: 1, 6: 5}
    assert not FreeCapacity.objects.exists()


def test_weeks_as_people_write_them():
    assert monday_of("2026-W53") == date(2026, 12, 28)
    assert monday_of("2026 v. 1") == date(2025, 12, 29)
    assert iso_week(date(2027, 1, 3)) == "2026-W53"
    assert weeks_in_words(date(2026, 12, 7), date(2026, 12, 13)) == "v. 50 2026"
    assert weeks_in_words(date(2026, 12, 7), date(2026, 12, 27)) == "v. 50–52 2026"
    assert weeks_in_words(date(2026, 12, 28), date(2027, 1, 10)) == "v. 53 2026–v. 1 2027"
    for text in ("", "50", "2026-W54", "0000-W01", "2026-W5x", "x" * 400):
        with pytest.raises(ValueError, match=r"."):
            monday_of(text)


# Pages


@pytest.fixture
def live():
    """A slot that can be booked by the real clock, which pages read, and a line for it."""
    ProcedureFactory()
    line = ContractLineFactory()
    return FreeCapacityFactory(care_unit=line.care_unit), line


def test_a_provider_posts_on_its_page(client, live):
    slot, line = live
    actor = provider_actor(line.care_unit)
    client.force_login(user_of(actor))
    typed = {
        "care_unit": line.care_unit.pk,
        "kva": "ngb",
        "offered": 4,
        "first_week": iso_week(slot.first_day),
        "last_week": iso_week(slot.first_day),
        "book_by": slot.first_day,
        "asa_ceiling": 2,
    }
    answer = client.post(reverse("free-capacity-new"), typed | {"last_week": "vecka 50"})
    assert answer.status_code == 422
    assert "2026-W50" in answer.content.decode()
    assert client.post(reverse("free-capacity-new"), typed).status_code == 302
    made = FreeCapacity.objects.exclude(pk=slot.pk).get()
    assert (made.kva, made.offered, made.last_day - made.first_day) == ("NGB", 4, timedelta(days=6))
    edit = reverse("free-capacity-edit", args=[made.pk])
    assert f'value="{iso_week(made.first_day)}"' in client.get(edit).content.decode()
    assert client.post(edit, typed | {"offered": 6}).status_code == 302
    client.post(reverse("free-capacity-withdraw", args=[made.pk]))
    made.refresh_from_db()
    assert (made.offered, made.withdrawn_by) == (6, actor.name)
    assert "återtagen" in client.get(reverse("free-capacity"), {"past": 1}).content.decode()


def test_another_providers_places_are_not_found(client, live):
    slot, _line = live
    client.force_login(user_of(provider_actor(CareUnitFactory())))
    assert client.get(reverse("free-capacity-edit", args=[slot.pk])).status_code == 404
    assert client.post(reverse("free-capacity-withdraw", args=[slot.pk])).status_code == 404
    assert slot.care_unit.name not in client.get(reverse("free-capacity")).content.decode()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, True),
        ({"q": "NGB"}, True),
        ({"q": "ngb49"}, True),
        ({"q": "knäprotes"}, True),
        ({"q": "NFB"}, False),
        ({"q": "finns inte\x00"}, False),
        ({"region": "14"}, True),
        ({"region": "13"}, False),
        ({"asa": "2"}, True),
        ({"asa": "4"}, False),
        ({"sort": "-left"}, True),
        ({"sort": "unit"}, True),
        ({"sort": "hittepå"}, False),
        ({"week": "hittepå"}, False),
        ({"week": "2020-W10"}, False),
        ({"region": "99"}, False),
    ],
)
def test_a_navigator_finds_them(client, live, query, found):
    slot, line = live
    RegionFactory(code="13")
    client.force_login(user_of(navigator_actor(line.contract.owner_region)))
    answer = client.get(reverse("free-capacity"), query)
    if answer.status_code == 200:
        assert (slot.care_unit.name in answer.content.decode()) == found
        assert not found or line.contract.number in answer.content.decode()
    else:
        assert (answer.status_code, found) == (422, False)


def test_the_list_costs_the_same_for_many(client, live, django_assert_max_num_queries):
    _slot, line = live
    client.force_login(user_of(navigator_actor(line.contract.owner_region)))
    for _n in range(12):
        FreeCapacityFactory()
    with django_assert_max_num_queries(20):
        client.get(reverse("free-capacity"))


def test_a_file_by_the_page(client, live):
    slot, line = live
    client.force_login(user_of(provider_actor(line.care_unit)))
    row = f"{line.care_unit.hsa_id};NGB;3;{iso_week(slot.first_day)};%s;{slot.first_day}\n"
    page = reverse("free-capacity-import")
    heading = "hsa-id;kvå;platser;från vecka;till vecka;boka senast\n"
    for last, status in (("snart", 422), (iso_week(slot.first_day), 302)):
        file = SimpleUploadedFile("platser.csv", (heading + row % last).encode())
        answer = client.post(page, {"file": file})
        assert answer.status_code == status
    assert FreeCapacity.objects.count() == 2
