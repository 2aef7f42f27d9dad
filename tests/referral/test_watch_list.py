"""The watch list: found again when somebody may take the case, seen over within 30 days."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.services import import_waiting_times
from capacity.slots.services import change_slot, post_slot
from contracts import services as registry
from contracts.models import Contract, ContractLine
from contracts.services.openings import open_by_date
from notices.models import StaffMail
from organisations.access import acting_as
from organisations.administration import services as administration
from organisations.errors import CapReached, DomainError, InvalidInput, WrongState
from organisations.events import deliver_events
from organisations.models import Assignment, CareUnit, DomainEvent, EventDelivery, User
from referral import services, watch_hits
from referral.models import Case, CaseLog, CaseState, WatchHit, WatchKind
from referral.selectors import worklist, worklist_counts
from tests.factories import (
    WAIT_IS_KNOWN,
    ContractLineFactory,
    FreeCapacityFactory,
    MadeCase,
    RegionFactory,
    WaitingTimeFactory,
    clinic_actor,
    contract_owner_actor,
    make_case,
    navigator_actor,
    provider_actor,
    region_admin_actor,
    user_of,
)

pytestmark = pytest.mark.django_db

S = CaseState


def watched(line: ContractLine, *, kind: str = WatchKind.OTHER, **overrides: Any) -> MadeCase:
    """A case on the watch list of the line's owner region."""
    where = {"region": line.contract.owner_region} | overrides
    made = make_case(S.IN_PROGRESS, line=line, **where)
    User.objects.filter(pk=made.navigator.user_id).update(email="lots@region.example")
    now = timezone.now()
    services.park(
        made.case,
        kind=kind,
        waits_for="plats",
        review_on=timezone.localdate(now) + timedelta(days=14),
        actor=made.navigator,
        now=now,
    )
    made.refresh()
    return made


def deliver() -> None:
    deliver_events(now=timezone.now())
    deliver_events(now=timezone.now())
    assert not EventDelivery.objects.exclude(last_error="").exists()


def hits(made: MadeCase) -> list[WatchHit]:
    deliver()
    return list(made.case.watch_hits.filter(handled_at__isnull=True))


def slot_values(**values: Any) -> dict[str, Any]:
    monday = timezone.localdate() + timedelta(days=14 - timezone.localdate().weekday())
    return {
        "kva": "NGB49",
        "first_day": monday,
        "last_day": monday + timedelta(days=6),
        "offered": 2,
        "asa_ceiling": 3,
        "book_by": monday,
    } | values


def post(unit: CareUnit, **values: Any) -> Any:
    actor = provider_actor(unit)
    with acting_as(actor):
        return post_slot(slot_values(**values), care_unit=unit, actor=actor, now=timezone.now())


# What brings a case back


def test_posted_places_give_a_to_do_at_once():
    line = ContractLineFactory()
    made = watched(line)
    slot = post(line.care_unit)
    (hit,) = hits(made)
    assert (hit.cause, hit.line, hit.slot) == ("capacity", line, slot)
    mail = StaffMail.objects.get()
    assert made.case.number in mail.body
    assert made.patient.family_name not in mail.body + mail.subject


def test_the_number_of_queries_does_not_grow_with_the_cases(django_assert_max_num_queries):
    line = ContractLineFactory()
    made = [watched(line) for _n in range(6)]
    post(line.care_unit)
    event = DomainEvent.objects.get(kind="free_capacity.posted")
    with django_assert_max_num_queries(12):
        watch_hits.on_capacity(event, timezone.now())
    assert all(one.case.watch_hits.exists() for one in made)


@pytest.mark.parametrize(
    "values",
    [{"asa_ceiling": 1}, {"kva": "NFB49"}, {"age_max": 17}],
    ids=["sicker than the places are for", "another procedure", "another age"],
)
def test_places_that_are_not_for_the_patient_give_none_until_they_are(values):
    line = ContractLineFactory()
    made = watched(line, asa=2)
    slot = post(line.care_unit, **values)
    assert hits(made) == []
    if "kva" not in values:
        wider = {"asa_ceiling": 3, "age_max": None}
        change_slot(slot, wider, actor=provider_actor(line.care_unit), now=timezone.now())
        assert len(hits(made)) == 1


def test_places_without_a_contract_or_another_regions_give_none():
    line = ContractLineFactory(contract__owner_region=RegionFactory(code="14"))
    made = watched(ContractLineFactory())
    post(line.care_unit)
    post(FreeCapacityFactory().care_unit, kva="NGB")
    assert hits(made) == []


def test_a_patient_who_cannot_go_or_has_said_no_gives_none():
    line = ContractLineFactory()
    stays = watched(line, transferable=False, not_transferable_reason="IVA.")
    refuses = watched(line)
    services.record_consent(
        refuses.case,
        audience="provider",
        given=False,
        how="phone",
        given_on=timezone.localdate(),
        actor=refuses.navigator,
        now=timezone.now(),
    )
    post(line.care_unit)
    assert hits(stays) + hits(refuses) == []


def closed_line(**values: Any) -> ContractLine:
    return ContractLineFactory(**values)


def owner_of(line: ContractLine) -> Any:
    return contract_owner_actor(line.contract.owner_region)


def change_the_line(line: ContractLine, **values: Any) -> None:
    owner = owner_of(line)
    with acting_as(owner):
        registry.save_line(line.contract, line, values, actor=owner, now=timezone.now())


def change_the_contract(line: ContractLine, **values: Any) -> None:
    owner = owner_of(line)
    with acting_as(owner):
        registry.change_contract(
            line.contract, values, why="Nytt läge.", actor=owner, now=timezone.now()
        )


@pytest.mark.parametrize(
    ("before", "opens"),
    [
        ({"asa_ceiling": 1}, lambda line: change_the_line(line, asa_ceiling=3)),
        ({"is_active": False}, lambda line: change_the_line(line, is_active=True)),
        ({"cap_volume": 0}, lambda line: change_the_line(line, cap_volume=5)),
        ({"age_max": 17}, lambda line: change_the_line(line, age_max=None)),
        ({"contract__is_stopped": True}, lambda line: change_the_contract(line, is_stopped=False)),
        ({"contract__cap_volume": 0}, lambda line: change_the_contract(line, cap_volume=5)),
        (
            {"contract__valid_to": date(2020, 1, 1), "contract__valid_from": date(2019, 1, 1)},
            lambda line: change_the_contract(line, valid_to=date(2099, 1, 1)),
        ),
    ],
)
def test_a_contract_that_changes_brings_it_back(before, opens):
    line = ContractLineFactory(**before)
    registry.registry.record_change(
        line.contract, why="Nu.", actor=owner_of(line), now=timezone.now()
    )
    made = watched(line, asa=2)
    assert hits(made) == []
    opens(ContractLine.objects.get(pk=line.pk))
    (hit,) = hits(made)
    assert (hit.cause, hit.line) == ("contract", line)


def test_a_new_line_brings_it_back_and_a_new_title_does_not():
    line = ContractLineFactory(kva="NFB49")
    registry.registry.record_change(
        line.contract, why="Nu.", actor=owner_of(line), now=timezone.now()
    )
    made = watched(ContractLineFactory(kva="UJF"), region=line.contract.owner_region)
    values = {"care_unit": line.care_unit, "kva": "NGB", "price_sek": 90_000, "asa_ceiling": 3}
    owner = owner_of(line)
    with acting_as(owner):
        new = registry.save_line(line.contract, None, values, actor=owner, now=timezone.now())
    (hit,) = hits(made)
    assert hit.line == new
    services.dismiss_hit(
        made.case, hit_id=hit.pk, reason="För långt.", actor=made.navigator, now=timezone.now()
    )
    change_the_contract(line, title="Ny titel")
    assert hits(made) == []


def test_a_place_given_back_under_a_full_cap_brings_it_back():
    line = ContractLineFactory(cap_volume=1)
    holder = make_case(S.OFFERED, line=line, region=line.contract.owner_region)
    made = watched(line)
    deliver()
    assert hits(made) == []
    services.withdraw_offer(
        holder.offer, why="Fel enhet.", actor=holder.navigator, now=timezone.now()
    )
    (hit,) = hits(made)
    assert hit.cause == "room"


def test_a_free_place_given_back_brings_it_back_but_nobody_who_dismissed_it():
    line = ContractLineFactory()
    slot = FreeCapacityFactory(care_unit=line.care_unit, offered=1)
    holder = make_case(S.IN_PROGRESS, line=line, region=line.contract.owner_region)
    offer = services.send_offer(
        holder.case,
        line=line,
        slot=slot,
        actor=holder.navigator,
        now=timezone.now(),
        wishes=WAIT_IS_KNOWN,
    )
    made, once = watched(line), watched(line)
    WatchHit.objects.create(
        case=once.case,
        cause="capacity",
        line=line,
        slot=slot,
        event_id=0,
        found_at=timezone.now(),
        handled_at=timezone.now(),
        outcome="dismissed",
        reason="x",
    )
    services.withdraw_offer(offer, why="Fel.", actor=holder.navigator, now=timezone.now())
    (hit,) = hits(made)
    assert (hit.cause, hit.slot) == ("capacity", slot)
    assert hits(once) == []


def waits(unit: CareUnit, median: int, *, kva: str = "NGB") -> None:
    row = f"{unit.hsa_id};{kva};{timezone.localdate()};9;{median};90"
    import_waiting_times(
        f"hsa-id;kvå;datum;antal;median;p80\n{row}".encode(),
        name="dag.csv",
        source="SPOR",
        made_by="test",
        now=timezone.now(),
    )


def test_a_shorter_wait_brings_back_those_who_wait_for_it():
    line = ContractLineFactory(kva="NGB")
    WaitingTimeFactory(
        care_unit=line.care_unit,
        kva="NGB",
        median_days=60,
        day=timezone.localdate() - timedelta(days=1),
    )
    made = watched(line, kind=WatchKind.WAIT)
    other = watched(line, kind=WatchKind.ASA)
    waits(line.care_unit, 70)
    waits(line.care_unit, 20, kva="NFB")
    assert hits(made) == []
    waits(line.care_unit, 30)
    (hit,) = hits(made)
    assert hit.cause == "wait"
    assert hits(other) == []


def test_a_unit_that_opens_brings_it_back():
    line = ContractLineFactory()
    admin, now = region_admin_actor(line.care_unit.region), timezone.now()
    line.care_unit.provider.region = line.care_unit.region
    line.care_unit.provider.save()
    administration.close_unit(line.care_unit, actor=admin, now=now)
    made = watched(line)
    with acting_as(admin):
        administration.open_unit(line.care_unit, actor=admin, now=now)
    (hit,) = hits(made)
    assert hit.cause == "unit"


def test_a_contract_that_begins_brings_it_back_on_its_first_day_once():
    now = timezone.now()
    line = ContractLineFactory(contract__valid_from=timezone.localdate(now) + timedelta(days=1))
    made = watched(line)
    open_by_date(now=now)
    assert hits(made) == []
    tomorrow = now + timedelta(days=1)
    assert open_by_date(now=tomorrow) == 1
    assert open_by_date(now=tomorrow) == 0
    deliver_events(now=tomorrow)
    assert made.case.watch_hits.get().cause == "contract"


def test_a_new_period_after_a_full_one_opens_the_line():
    now = timezone.now()
    line = ContractLineFactory()
    line.period_caps.create(period="week", cap_volume=1, applies_from=timezone.localdate(now))
    registry.reserve(line, case_number="13-26-000001-9", region=line.contract.owner_region, now=now)
    assert open_by_date(now=now) == 0
    assert open_by_date(now=now + timedelta(days=7)) == 1


def test_delivered_twice_it_is_one_hit_and_one_mail_and_open_hits_are_not_heaped():
    line = ContractLineFactory()
    made = watched(line)
    slot = post(line.care_unit)
    assert len(hits(made)) == 1
    EventDelivery.objects.update(done_at=None)
    assert len(hits(made)) == 1
    assert StaffMail.objects.count() == 1
    change_slot(slot, {"offered": 9}, actor=provider_actor(line.care_unit), now=timezone.now())
    assert len(hits(made)) == 1


# Whose to-do, and what is done with it


def views_of(actor: Any) -> set[str]:
    today = timezone.localdate()
    with acting_as(actor):
        counts = worklist_counts(actor, today=today)
        return {view for view, count in counts.items() if count}


def test_the_to_do_is_the_navigators_and_everybodys_when_there_is_none():
    line = ContractLineFactory()
    made = watched(line)
    colleague = navigator_actor(made.unit.region)
    elsewhere = navigator_actor(RegionFactory(code="14"))
    post(line.care_unit)
    deliver()
    assert "watch_hits" in views_of(made.navigator)
    assert "watch_hits" not in views_of(colleague)
    Assignment.objects.filter(user=made.navigator.user_id).update(ends_at=timezone.now())
    assert "watch_hits" in views_of(colleague)
    Case.objects.filter(pk=made.case.pk).update(navigator=None)
    assert "watch_hits" in views_of(colleague)
    assert "watch_hits" not in views_of(elsewhere)


def test_a_hit_is_dismissed_with_a_reason_and_the_case_watched_on():
    line = ContractLineFactory()
    made = watched(line)
    post(line.care_unit)
    (hit,) = hits(made)
    now = timezone.now()
    with pytest.raises(InvalidInput):
        services.dismiss_hit(made.case, hit_id=hit.pk, reason=" ", actor=made.navigator, now=now)
    services.dismiss_hit(
        made.case, hit_id=hit.pk, reason="För långt bort.", actor=made.navigator, now=now
    )
    with pytest.raises(WrongState):
        services.dismiss_hit(made.case, hit_id=hit.pk, reason="x", actor=made.navigator, now=now)
    hit.refresh_from_db()
    assert (made.refresh().state, hit.outcome) == (S.WATCHED, "dismissed")
    assert CaseLog.objects.filter(case=made.case, verb="dismiss_hit").count() == 1


@pytest.mark.parametrize("how", ["unpark", "end"])
def test_leaving_the_list_is_done_with_its_hits(how):
    line = ContractLineFactory()
    made = watched(line)
    post(line.care_unit)
    (hit,) = hits(made)
    common = {"actor": made.navigator, "now": timezone.now()}
    if how == "unpark":
        services.unpark(made.case, **common)
    else:
        services.end(made.case, reason="home_clinic", comment="", **common)
    hit.refresh_from_db()
    assert hit.outcome == {"unpark": "resumed", "end": "closed"}[how]
    case = made.refresh()
    assert (case.watch_kind, case.reviewed_on, case.review_on) == ("", None, None)


def test_an_offer_takes_a_free_place_and_gives_it_back_with_a_no():
    line = ContractLineFactory()
    slot = FreeCapacityFactory(care_unit=line.care_unit, offered=1)
    made = make_case(S.IN_PROGRESS, line=line)
    other = make_case(S.IN_PROGRESS, line=line, unit=made.unit)
    now = timezone.now()
    made.offer = services.send_offer(
        made.case, line=line, slot=slot, actor=made.navigator, now=now, wishes=WAIT_IS_KNOWN
    )
    slot.refresh_from_db()
    assert slot.left == 0
    with pytest.raises((WrongState, CapReached)):
        services.send_offer(
            other.case, line=line, slot=slot, actor=other.navigator, now=now, wishes=WAIT_IS_KNOWN
        )
    assert other.refresh().state == S.IN_PROGRESS
    services.answer_offer(
        made.offer,
        accepted=False,
        channel="phone",
        reason="travel",
        actor=made.navigator,
        now=now,
    )
    slot.refresh_from_db()
    assert slot.left == 1


# Never forgotten

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["park", "review", "unpark", "dismiss", "post", "deliver", "wait"]),
        st.integers(-2, 40),
    ),
    max_size=12,
)


@settings(max_examples=12)
@given(steps=STEPS)
def test_whatever_is_done_a_watched_case_is_seen_over_within_30_days_and_in_view(steps):
    with transaction.atomic():
        _never_forgotten(steps)
        transaction.set_rollback(True)


def _never_forgotten(steps: list[tuple[str, int]]) -> None:
    line = ContractLineFactory()
    made = make_case(S.IN_PROGRESS, line=line)
    now, actor = timezone.now(), made.navigator
    colleague = navigator_actor(made.unit.region)
    for verb, days in steps:
        day = timezone.localdate(now) + timedelta(days=days)
        common = {"actor": actor, "now": now}
        try:
            match verb:
                case "park":
                    services.park(made.case, waits_for="plats", review_on=day, **common)
                case "review":
                    services.review(made.case, review_on=day, **common)
                case "unpark":
                    services.unpark(made.case, **common)
                case "dismiss":
                    hit = made.case.watch_hits.first()
                    services.dismiss_hit(
                        made.case, hit_id=hit.pk if hit else 0, reason="x", **common
                    )
                case "post":
                    FreeCapacityFactory._meta.model.objects.all().delete()
                    post(line.care_unit)
                case "deliver":
                    deliver_events(now=now)
                case "wait":
                    now += timedelta(days=abs(days))
        except DomainError:
            pass
        case = made.refresh()
        if case.state != S.WATCHED:
            continue
        assert case.reviewed_on < case.review_on <= case.reviewed_on + timedelta(days=30)
        for who in (actor, colleague):
            assert case in worklist(who, view="watched", today=timezone.localdate(now))
            assert case in worklist(who, view="review_due", today=case.review_on)


@pytest.mark.parametrize("days", [0, 31])
def test_a_review_is_due_within_30_days_for_the_database_too(days):
    made = watched(ContractLineFactory())
    common = {"actor": made.navigator, "now": timezone.now()}
    day = timezone.localdate() + timedelta(days=days)
    with pytest.raises(InvalidInput):
        services.review(made.case, review_on=day, **common)
    with pytest.raises(IntegrityError), transaction.atomic():
        Case.objects.filter(pk=made.case.pk).update(review_on=day)
    services.review(made.case, review_on=timezone.localdate() + timedelta(days=30), **common)


# Pages


def test_the_case_shows_the_hit_with_its_buttons(client):
    line = ContractLineFactory()
    made = watched(line)
    post(line.care_unit)
    (hit,) = hits(made)
    client.force_login(user_of(made.navigator))
    listed = client.get(reverse("worklist"), {"view": "watch_hits"}).content.decode()
    assert made.case.number in listed
    assert line.care_unit.name in listed
    page = client.get(reverse("case", args=[made.case.number])).content.decode()
    dismiss = reverse("watch-hit-dismiss", args=[made.case.number, hit.pk])
    assert dismiss in page
    hit.refresh_from_db()
    assert hit.seen_at is not None
    Contract.objects.update(is_stopped=True)
    page = client.get(reverse("case", args=[made.case.number])).content.decode()
    assert "Gäller inte längre" in page
    assert client.post(dismiss, {"reason": ""}).status_code == 422
    assert client.post(dismiss, {"reason": "För långt."}).status_code == 302
    hit.refresh_from_db()
    assert (hit.outcome, hit.handled_by) == (
        "dismissed",
        User.objects.get(pk=made.navigator.user_id),
    )
    client.force_login(user_of(clinic_actor(made.unit)))
    assert client.get(dismiss).status_code == 403


def test_the_matching_page_shows_the_places_and_the_offer_takes_one(client):
    line = ContractLineFactory()
    slot = FreeCapacityFactory(care_unit=line.care_unit)
    made = make_case(S.IN_PROGRESS, line=line)
    client.force_login(user_of(made.navigator))
    page = client.get(reverse("case-matching", args=[made.case.number])).content.decode()
    assert slot.weeks in page
    offer = reverse("case-offer", args=[made.case.number, line.pk])
    assert slot.weeks in client.get(offer).content.decode()
    client.post(offer, {"send": "1", "slot": slot.pk, "message": ""})
    slot.refresh_from_db()
    assert (made.refresh().state, slot.taken) == (S.OFFERED, 1)
    assert slot.weeks in client.get(reverse("case", args=[made.case.number])).content.decode()
