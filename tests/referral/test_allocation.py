"""Allocation of a waiting list over the cases: who is in it, what it leads to, what drafts are."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, OperationalError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from contracts.models import ContractLine
from organisations.access import acting_as
from organisations.errors import InvalidInput, NotAllowed, WrongState
from organisations.models import AccessLog, CareUnit
from organisations.sweeps import run_due
from referral import services
from referral.models import AllocationRow, AllocationRun, Case, CaseState, Offer, OfferDraft
from referral.selectors.allocation import drafts_of, rows_of, runs_of
from referral.services import allocation, calculation
from tests.factories import (
    LONG_AGO,
    WAIT_IS_KNOWN,
    CareUnitFactory,
    ContractLineFactory,
    FreeCapacityFactory,
    MadeCase,
    RegionFactory,
    WaitingTimeFactory,
    make_case,
    manager_actor,
    navigator_actor,
    user_of,
)

pytestmark = pytest.mark.django_db

Outcome = AllocationRow.Outcome


def line_with(places: int | None, *, wait: int | None = 20, **fields: object) -> ContractLine:
    region = RegionFactory()
    line = ContractLineFactory(
        kva="NGB49", contract__owner_region=region, cap_volume=places, **fields
    )
    line.contract.regions_allowed.add(region)
    if wait is not None:
        WaitingTimeFactory(
            care_unit=line.care_unit, kva="NGB49", day=timezone.localdate(), median_days=wait
        )
    return line


def waiting(n: int, line: ContractLine, **fields: object) -> list[MadeCase]:
    first = make_case(CaseState.IN_PROGRESS, line=line, **fields)
    return [first] + [
        make_case(
            CaseState.IN_PROGRESS, unit=first.unit, line=line, navigator=first.navigator, **fields
        )
        for _number in range(n - 1)
    ]


def allocated(made: list[MadeCase], **wanted: object) -> AllocationRun:
    run = services.request_allocation(
        clinics=[made[0].unit], actor=made[0].navigator, now=timezone.now(), **wanted
    )
    run.refresh_from_db()
    return run


def outcomes(run: AllocationRun) -> list[str]:
    return [row.outcome for row in run.rows.order_by("position")]


def test_a_small_list_is_allocated_at_once_and_compared_with_first_come_and_home():
    made = waiting(3, line_with(2))
    run = allocated(made)
    assert run.state == AllocationRun.State.DONE
    assert sorted(outcomes(run)) == [Outcome.FULL, Outcome.PLACED, Outcome.PLACED]
    assert (run.is_best, run.is_cheapest) == (True, True)
    assert [run.figures[name]["placed"] for name in ("home", "first", "best")] == [0, 2, 2]
    # 200 days from the decision ten days ago; 20 at the line.
    assert run.figures["home"]["wait_days"] == 3 * 190
    assert run.figures["best"]["wait_days"] == 2 * 20 + 190
    assert run.limits[0]["best"] == run.limits[0]["places"] == 2


def test_a_run_that_the_database_broke_off_is_taken_up_again(monkeypatch):
    monkeypatch.setattr(allocation, "AT_ONCE", 0)
    run = allocated(waiting(1, line_with(1)))

    def break_off(*_args: object, **_kwargs: object) -> None:
        raise OperationalError

    with monkeypatch.context() as broken:
        broken.setattr(calculation, "allocate", break_off)
        with pytest.raises(OperationalError):
            run_due(now=timezone.now())
    run.refresh_from_db()
    assert run.state == AllocationRun.State.QUEUED
    run_due(now=timezone.now())
    run.refresh_from_db()
    assert run.state == AllocationRun.State.DONE


@pytest.mark.parametrize(
    ("slot", "placed"),
    [
        ({"offered": 1}, 1),
        ({"offered": 1, "kva": "NGB"}, 1),
        ({"offered": 9}, 3),
        ({"offered": 1, "kva": "NFB49"}, 3),
        ({"offered": 1, "withdrawn_at": LONG_AGO}, 3),
        ({"offered": 1, "book_by": LONG_AGO.date(), "first_day": LONG_AGO.date()}, 3),
    ],
)
def test_a_unit_gets_no_more_than_the_free_places_it_has_posted(slot, placed):
    line = line_with(3)
    if "first_day" in slot:
        monday = slot["first_day"] - timedelta(days=slot["first_day"].weekday())
        slot = slot | {"first_day": monday, "last_day": monday + timedelta(days=6)}
        slot["book_by"] = monday
    FreeCapacityFactory(care_unit=line.care_unit, **slot)
    run = allocated(waiting(3, line))
    assert outcomes(run).count(Outcome.PLACED) == placed


def test_a_large_list_waits_for_the_sweep(monkeypatch):
    monkeypatch.setattr(allocation, "AT_ONCE", 0)
    run = allocated(waiting(1, line_with(1)))
    assert run.state == AllocationRun.State.QUEUED
    assert run_due(now=timezone.now())["allocations"] == 1
    run.refresh_from_db()
    assert (run.state, outcomes(run)) == (AllocationRun.State.DONE, [Outcome.PLACED])


def test_a_run_that_fails_says_so_and_holds_up_no_other(monkeypatch):
    monkeypatch.setattr(allocation, "AT_ONCE", 0)
    made = waiting(1, line_with(1))
    run = allocated(made)

    def fail(*_args: object, **_kwargs: object) -> None:
        raise ArithmeticError

    monkeypatch.setattr(calculation, "allocate", fail)
    assert run_due(now=timezone.now())["allocations"] == 1
    run.refresh_from_db()
    assert run.state == AllocationRun.State.FAILED
    with pytest.raises(WrongState):
        services.accept_allocation(run, actor=made[0].navigator, now=timezone.now())


@pytest.mark.parametrize(
    ("line", "fields", "wanted", "outcome"),
    [
        ({}, {"transferable": False, "not_transferable_reason": "x"}, {}, "not_transfer"),
        ({"asa_ceiling": 1}, {}, {}, "no_line"),
        ({"wait": None}, {}, {}, "unknown_wait"),
        ({"wait": 190}, {}, {}, "no_shorter"),
        ({"wait": 189}, {}, {}, "placed"),
        ({}, {"max_distance_km": 1}, {}, "too_far"),
        ({}, {}, {"max_km": 1}, "too_far"),
        (
            {},
            {
                "share_consent": "no",
                "share_consent_how": "phone",
                "share_consent_on": timezone.localdate(),
            },
            {},
            "no_consent",
        ),
    ],
)
def test_who_cannot_be_offered_a_place_gets_none_and_the_reason(line, fields, wanted, outcome):
    far = CareUnitFactory(latitude="67.85", longitude="20.22", receives=True)
    made = waiting(1, line_with(5, care_unit=far, **line), **fields)
    assert outcomes(allocated(made, **wanted)) == [outcome]


def test_an_unknown_wait_at_home_counts_as_the_median_of_the_known():
    line = line_with(5)
    made = waiting(2, line)
    make_case(CaseState.IN_PROGRESS, unit=made[0].unit, line=line, home_wait_days=None)
    run = allocated(made)
    assert run.unknown_home_days == 190
    assert list(run.rows.filter(home_is_known=False).values_list("home_days", flat=True)) == [190]


def test_only_chosen_clinics_procedures_and_states_are_in_it():
    made = waiting(1, line_with(5))
    make_case(CaseState.RECEIVED, unit=made[0].unit)
    make_case(CaseState.OFFERED, unit=made[0].unit)
    assert allocated(made).cases == 1
    both = ["in_progress", "received"]
    assert allocated(made, case_states=both).cases == 2
    with pytest.raises(InvalidInput):
        allocated(made, kva_codes=["AAA00"])


@pytest.mark.parametrize(
    "wanted", [{"case_states": ["offered"]}, {"case_states": []}, {"max_km": 0}, {"clinics": []}]
)
def test_what_does_not_hold_is_refused_at_its_field(wanted):
    made = waiting(1, line_with(1))
    asked = {"clinics": [made[0].unit], "actor": made[0].navigator, "now": timezone.now()}
    with pytest.raises(InvalidInput) as refused:
        services.request_allocation(**(asked | wanted))
    assert list(refused.value.fields) == list(wanted)
    assert not AllocationRun.objects.exists()


def test_others_may_neither_ask_nor_read_nor_accept():
    made = waiting(1, line_with(1))
    run, now = allocated(made), timezone.now()
    clinics = list(CareUnit.objects.filter(pk=made[0].unit.pk))
    for stranger, error in (
        (manager_actor(made[0].unit.region), NotAllowed),
        (navigator_actor(RegionFactory(code="14")), InvalidInput),
    ):
        assert not runs_of(stranger).exists()
        assert not rows_of(stranger, run).exists()
        with pytest.raises(error):
            services.request_allocation(clinics=clinics, actor=stranger, now=now)
        with pytest.raises(NotAllowed):
            services.accept_allocation(run, actor=stranger, now=now)


def drafted(n: int = 1, places: int = 5) -> list[MadeCase]:
    made = waiting(n, line_with(places))
    services.accept_allocation(allocated(made), actor=made[0].navigator, now=timezone.now())
    return made


def test_an_accepted_run_makes_drafts_that_reserve_nothing():
    made = drafted(2)
    assert OfferDraft.objects.count() == 2
    assert not Offer.objects.exists()
    assert ContractLine.objects.get(pk=made[0].line.pk).taken_volume == 0
    assert AccessLog.objects.filter(what="offer_drafted").count() == 2


def test_a_case_that_has_not_been_taken_gets_no_draft_until_it_is():
    made = waiting(1, line_with(5))
    made.append(make_case(CaseState.RECEIVED, unit=made[0].unit, line=made[0].line))
    run, now = allocated(made, case_states=["in_progress", "received"]), timezone.now()
    actor = made[0].navigator
    assert services.accept_allocation(run, actor=actor, now=now) == 1
    services.take(made[1].case, actor=actor, now=now)
    assert services.accept_allocation(run, actor=actor, now=now) == 2
    assert OfferDraft.objects.count() == 2


def test_drafts_are_sent_one_by_one_and_the_cap_decides():
    made = drafted(3, places=3)
    ContractLine.objects.filter(pk=made[0].line.pk).update(cap_volume=1)
    keys = list(OfferDraft.objects.values_list("pk", flat=True))
    sent = services.send_drafts(keys, actor=made[0].navigator, now=timezone.now())
    assert [bool(one.problem) for one in sent] == [False, True, True]
    assert OfferDraft.objects.count() == 2
    assert Offer.objects.count() == 1


def test_a_draft_goes_when_the_case_moves_on_whoever_moves_it():
    made = drafted(2)
    services.park(
        made[0].case,
        waits_for="plats",
        review_on=timezone.localdate() + timedelta(days=7),
        actor=made[0].navigator,
        now=timezone.now(),
    )
    assert [draft.case for draft in OfferDraft.objects.all()] == [made[1].case]
    Case.objects.filter(pk=made[1].case.pk).update(state="received")
    assert not OfferDraft.objects.exists()


def test_the_database_takes_no_draft_for_a_case_that_is_not_under_handling():
    made = drafted(1)
    draft = OfferDraft.objects.get()
    draft.pk, draft.case = None, make_case(CaseState.RECEIVED).case
    with pytest.raises(DatabaseError, match="under handling"), transaction.atomic():
        draft.save()
    assert drafts_of(made[0].navigator).count() == 1


def test_thrown_away_drafts_leave_the_case_as_it_was():
    made = drafted(1)
    keys = [OfferDraft.objects.get().pk]
    assert services.discard_drafts(keys, actor=made[0].navigator, now=timezone.now()) == 1
    assert made[0].refresh().state == CaseState.IN_PROGRESS
    with pytest.raises(InvalidInput):
        services.discard_drafts(keys, actor=made[0].navigator, now=timezone.now())


def test_a_blocked_case_is_in_no_run_and_its_row_is_seen_by_nobody():
    made = [*waiting(1, line_with(5)), make_case(CaseState.IN_PROGRESS)]
    made[1].navigator = made[0].navigator
    clinics, actor, now = [one.unit for one in made], made[0].navigator, timezone.now()
    run = services.request_allocation(clinics=clinics, actor=actor, now=now)
    services.block(
        made[1].case, reach="units", asked_by_patient=True, actor=made[1].clinic, now=now
    )
    assert [row.case for row in rows_of(actor, run)] == [made[0].case]
    assert services.request_allocation(clinics=clinics, actor=actor, now=now).cases == 1
    with acting_as(made[0].navigator), connection.cursor() as cursor:
        cursor.execute("SELECT case_id FROM referral_allocationrow")
        assert {key for (key,) in cursor.fetchall()} == {made[0].case.pk}


def test_questions_do_not_grow_with_the_list(django_assert_max_num_queries):
    line = line_with(5)
    made = waiting(2, line)
    with django_assert_max_num_queries(45):
        allocated(made)
    for _number in range(10):
        make_case(CaseState.IN_PROGRESS, unit=made[0].unit, line=line)
    with django_assert_max_num_queries(45):
        assert allocated(made).cases == 12


def test_each_proposed_place_can_be_offered():
    """The run and the offer share their conditions."""
    made = waiting(3, line_with(3))
    for row in allocated(made).rows.select_related("case", "line"):
        services.send_offer(
            row.case,
            line=row.line,
            actor=made[0].navigator,
            now=timezone.now(),
            wishes=WAIT_IS_KNOWN,
        )
    assert Offer.objects.count() == 3


# The pages


def client_of(made: MadeCase) -> Client:
    client = Client()
    client.force_login(user_of(made.navigator))
    return client


def test_a_navigator_asks_reads_accepts_and_sends():
    made = waiting(2, line_with(1))
    client = client_of(made[0])
    asked = {"clinics": [made[0].unit.pk], "case_states": ["in_progress"], "max_km": ""}
    answer = client.post(reverse("allocations"), asked)
    run = AllocationRun.objects.get()
    assert answer.url == reverse("allocation", args=[run.pk])
    page = client.get(answer.url).content.decode()
    placed = run.rows.get(outcome=Outcome.PLACED).case
    assert "Först till kvarn" in page
    assert placed.number in page
    full = client.get(answer.url, {"outcome": "full"}).content.decode()
    assert placed.number not in full
    client.post(reverse("allocation-accept", args=[run.pk]))
    drafts = reverse("offer-drafts")
    assert placed.number in client.get(drafts).content.decode()
    assert (
        "utkast till erbjudande"
        in client.get(reverse("case", args=[placed.number])).content.decode()
    )
    assert "Utkast</span>" in client.get(reverse("worklist"), {"view": "all"}).content.decode()
    sent = client.post(drafts, {"send": "1", "draft": [OfferDraft.objects.get().pk, "x"]})
    assert "1 av 1 erbjudanden är skickade" in sent.content.decode()
    assert Offer.objects.get().case == placed


@pytest.mark.parametrize(
    "typed",
    [{}, {"clinics": ["0"]}, {"clinics": ["x"], "max_km": "0"}, {"case_states": ["offered"]}],
)
def test_what_was_typed_wrong_is_answered_on_the_page(typed):
    made = waiting(1, line_with(1))
    answer = client_of(made[0]).post(reverse("allocations"), typed)
    assert answer.status_code == 422
    assert not AllocationRun.objects.exists()


def test_a_run_that_waits_asks_again_and_then_shows_itself(monkeypatch):
    monkeypatch.setattr(allocation, "AT_ONCE", 0)
    made = waiting(1, line_with(1))
    run, client = allocated(made), client_of(made[0])
    address = reverse("allocation", args=[run.pk])
    asked = {"HTTP_HX_REQUEST": "true"}
    assert "Visa igen" in client.get(address).content.decode()
    assert "Visa igen" in client.get(address, **asked).content.decode()
    assert client.get(reverse("allocation-file", args=[run.pk, "csv"])).status_code == 404
    run_due(now=timezone.now())
    assert client.get(address, **asked)["HX-Refresh"] == "true"


def test_the_file_has_a_row_per_case_and_names_nobody():
    made = waiting(2, line_with(1))
    run = allocated(made)
    text = client_of(made[0]).get(reverse("allocation-file", args=[run.pk, "csv"])).content.decode()
    assert text.count("\r\n") == 3
    assert all(one.case.number in text for one in made)
    assert "Testsson" not in text


def test_nothing_chosen_among_the_drafts_is_said():
    made = drafted(1)
    answer = client_of(made[0]).post(reverse("offer-drafts"), {"send": "1"}, follow=True)
    assert "Välj minst ett utkast." in answer.content.decode()
