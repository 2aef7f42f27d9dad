"""The case as a state machine: table, buttons and services agree (design 5.2)."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import replace
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from config.management.commands import state_machine_doc
from organisations.access import PATIENT, SYSTEM, Actor
from organisations.errors import NotAllowed, WrongState
from organisations.models import AccessLog, DomainEvent, Role
from referral import services
from referral.machine import SUBMIT, TRANSITIONS, CaseNotFound, actions_for, perform
from referral.models import AnswerChannel, Case, CaseLog, CaseState, LogVerb, Offer, Pause
from tests.factories import (
    WAIT_IS_KNOWN,
    CareUnitFactory,
    MadeCase,
    ProviderFactory,
    RegionFactory,
    clinic_actor,
    contract_owner_actor,
    integration_actor,
    make_case,
    manager_actor,
    navigator_actor,
    operator_actor,
    provider_actor,
    region_admin_actor,
    stockholm,
)

pytestmark = pytest.mark.django_db

NOW = stockholm(2026, 3, 10, 9)
TODAY = NOW.date()

REFUSALS = (NotAllowed, WrongState, CaseNotFound)


def everyone(made: MadeCase) -> dict[str, Actor]:
    """One actor of each role that has to do with the case, and two that are two of a kind."""
    region = made.case.region
    return {
        Role.CLINIC: made.clinic,
        Role.NAVIGATOR: made.navigator,
        "another navigator": navigator_actor(region),
        Role.PROVIDER: made.provider,
        "the receiving unit": provider_actor(made.line.care_unit),
        Role.CONTRACT_OWNER: contract_owner_actor(region),
        Role.MANAGER: manager_actor(region),
        Role.REGION_ADMIN: region_admin_actor(region),
        Role.OPERATOR: operator_actor(),
        Role.INTEGRATION: integration_actor(region),
        SYSTEM: Actor.system("Provet"),
        PATIENT: Actor.patient("Patienten i 1177"),
    }


def do(verb: str, made: MadeCase, actor: Actor, now: datetime = NOW) -> None:
    """Use the verb as its service does; where there is no offer to answer, straight away."""
    case, offer = made.case, made.offer
    common: dict[str, Any] = {"actor": actor, "now": now}
    answer = {
        "channel": AnswerChannel.INBOX if actor.role == PATIENT else AnswerChannel.PHONE,
        **common,
    }
    ways: dict[str, Callable[[], object]] = {
        "take": lambda: services.take(case, **common),
        "assign": lambda: services.assign(case, **common),
        "return_to_clinic": lambda: services.return_to_clinic(case, missing="BMI", **common),
        "resubmit": lambda: services.resubmit(case, made.submission, **common),
        "offer": lambda: services.send_offer(case, line=made.line, **common, wishes=WAIT_IS_KNOWN),
        "confirm": lambda: services.confirm(case, **common),
        "reject": lambda: services.reject(case, reason="other", comment="Nej", **common),
        "book": lambda: services.book(case, booked_for=now + timedelta(days=3), **common),
        "treat": lambda: services.treat(case, treated_on=now.date(), **common),
        "close": lambda: services.close(case, back_referral="Åter", **common),
        "park": lambda: services.park(
            case, waits_for="plats", review_on=now.date() + timedelta(days=7), **common
        ),
        "review": lambda: services.review(case, review_on=now.date() + timedelta(days=9), **common),
        "unpark": lambda: services.unpark(case, **common),
        "end": lambda: services.end(case, reason="other", comment="", **common),
        "leave_list": lambda: services.leave_list(case, **answer),
        "note": lambda: services.note(case, text="Hej", **common),
        "pause": lambda: services.pause(
            case, reason=Pause.Reason.MEDICAL, first_day=now.date(), comment="", **common
        ),
        "end_pause": lambda: services.end_pause(case, last=now.date(), **common),
    }
    if offer is not None and offer.state == Offer.State.SENT:
        ways |= {
            "accept": lambda: services.answer_offer(offer, accepted=True, **answer),
            "decline": lambda: services.answer_offer(
                offer, accepted=False, reason="travel", **answer
            ),
            "withdraw_offer": lambda: services.withdraw_offer(offer, why="Fel", **common),
        }
    ways.get(verb, lambda: perform(case, verb, **common))()


class _Undo(Exception):
    pass


@contextmanager
def undone() -> Iterator[None]:
    """Everything done inside is taken back at the end."""
    try:
        with transaction.atomic():
            yield
            raise _Undo
    except _Undo:
        pass


def trace(case: Case) -> tuple[Any, ...]:
    """The version of the case's row, and the newest rows that tell what was done."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT (SELECT xmin::text FROM referral_case WHERE id = %s),
                   (SELECT max(id) FROM referral_caselog),
                   (SELECT max(id) FROM organisations_domainevent),
                   (SELECT max(id) FROM organisations_accesslog)
            """,
            [case.pk],
        )
        return cursor.fetchone()


def made_at(state: CaseState, *, paused: bool) -> MadeCase:
    made = make_case(state, now=NOW)
    if paused:
        services.pause(
            made.case,
            reason=Pause.Reason.PATIENT,
            first_day=TODAY,
            comment="",
            actor=made.navigator,
            now=NOW,
        )
        made.refresh()
    return made


def sees(actor: Actor, case: Case) -> bool:
    told = actor.role in {SYSTEM, PATIENT}
    return told or Case.objects.visible_to(actor).filter(pk=case.pk).exists()


def disagreements(made: MadeCase, verbs: Iterable[str]) -> list[tuple[str, str, str]]:
    """Where ``actions_for`` and what happens differ, for everyone who has to do with the case."""
    found = []
    before = trace(made.case)
    for who, actor in everyone(made).items():
        offered = actions_for(made.case, actor) if sees(actor, made.case) else []
        for verb in verbs:
            performed = True
            with undone():
                try:
                    do(verb, replace(made, offer=copy(made.offer)), actor)
                except REFUSALS:
                    performed = False
                    if trace(made.case) != before:
                        found.append((who, verb, "was refused and left something behind"))
            if performed != (verb in offered):
                found.append((who, verb, "was performed" if performed else "was refused"))
    return found


@pytest.mark.parametrize("state", CaseState)
def test_what_the_page_offers_and_what_is_performed_agree(state):
    assert disagreements(made_at(state, paused=False), TRANSITIONS) == []


@pytest.mark.parametrize("state", [CaseState.RECEIVED, CaseState.IN_PROGRESS, CaseState.ACCEPTED])
def test_they_agree_about_pauses_while_the_clock_is_paused(state):
    assert disagreements(made_at(state, paused=True), ["pause", "end_pause"]) == []


def doers(made: MadeCase, verb: str) -> list[Actor]:
    return [a for a in everyone(made).values() if verb in actions_for(made.case, a)]


@pytest.mark.parametrize("verb", TRANSITIONS)
def test_log_row_event_and_access_row_are_written_together(verb):
    transition = TRANSITIONS[verb]
    state = next(state for state in CaseState if state in transition.sources)
    made = made_at(state, paused=verb == "end_pause")
    actor = next(
        actor for actor in doers(made, verb) if sees(actor, made.case) or actor.role == SYSTEM
    )
    logged = CaseLog.objects.latest("pk").pk
    told = DomainEvent.objects.latest("pk").pk
    accessed = AccessLog.objects.latest("pk").pk
    later = NOW + timedelta(minutes=5)

    do(verb, made, actor, later)

    case = made.refresh()
    row = CaseLog.objects.get(pk__gt=logged)
    assert (row.case_id, row.verb, row.at, row.from_state, row.to_state) == (
        case.pk,
        verb,
        later,
        state,
        transition.target or state,
    )
    assert (row.user_id, row.actor_name, row.role) == (actor.user_id, actor.name, actor.role)
    assert case.state == row.to_state
    events = DomainEvent.objects.filter(pk__gt=told).values_list("kind", "case_number")
    assert list(events) == ([(transition.event, case.number)] if transition.event else [])
    accesses = AccessLog.objects.filter(pk__gt=accessed).values_list("what", "case_number", "role")
    assert list(accesses) == [(verb, case.number, actor.role)]


def test_a_submission_is_logged_told_and_recorded_too():
    made = make_case(now=NOW)
    row = CaseLog.objects.get()
    assert (row.verb, row.from_state, row.to_state) == (SUBMIT, "", CaseState.RECEIVED)
    assert DomainEvent.objects.get().kind == "case.submitted"
    assert AccessLog.objects.get().case_number == made.case.number


def test_what_goes_wrong_in_a_change_takes_back_state_log_and_event():
    made = make_case(now=NOW)
    before = trace(made.case)

    def change(case: Case) -> None:
        case.navigator_id = made.navigator.user_id
        case.save()
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        perform(made.case, "take", actor=made.navigator, now=NOW, change=change)
    assert trace(made.case) == before


def strangers() -> dict[str, Actor]:
    elsewhere = RegionFactory(code="12")
    return {
        "a navigator of another region": navigator_actor(elsewhere),
        "another clinic of the region": clinic_actor(CareUnitFactory(sends=True)),
        "another provider": provider_actor(ProviderFactory()),
        "an integration of another region": integration_actor(elsewhere),
    }


@pytest.mark.parametrize("state", CaseState)
def test_strangers_learn_not_even_that_the_case_exists(state):
    made = make_case(state, now=NOW)
    before = trace(made.case)
    learned = []
    for who, actor in strangers().items():
        for verb in TRANSITIONS:
            try:
                perform(made.case, verb, actor=actor, now=NOW)
            except CaseNotFound:
                continue
            except REFUSALS as error:
                learned.append((who, verb, error))
    assert (learned, trace(made.case)) == ([], before)


def test_another_unit_of_the_same_provider_does_not_see_the_case():
    made = make_case(CaseState.ACCEPTED, now=NOW)
    other = provider_actor(CareUnitFactory(provider=made.line.care_unit.provider))
    with pytest.raises(CaseNotFound):
        services.confirm(made.case, actor=other, now=NOW)


@pytest.mark.parametrize("state", [CaseState.RECEIVED, CaseState.IN_PROGRESS, CaseState.OFFERED])
def test_the_provider_knows_of_no_case_before_the_patient_has_accepted(state):
    made = make_case(state, now=NOW)
    assert not sees(made.provider, made.case)


def test_a_provider_that_has_rejected_does_not_see_the_case_any_more():
    made = make_case(CaseState.ACCEPTED, now=NOW)
    services.reject(made.case, reason="no_capacity", comment="Fullt", actor=made.provider, now=NOW)
    assert not sees(made.provider, made.case)


def test_a_wrong_role_and_a_wrong_state_are_told_apart():
    made = make_case(now=NOW)
    with pytest.raises(NotAllowed):
        services.take(made.case, actor=made.clinic, now=NOW)
    with pytest.raises(WrongState):
        services.unpark(made.case, actor=made.navigator, now=NOW)


def test_a_stale_page_cannot_do_what_has_been_done():
    made = make_case(now=NOW)
    stale = Case.objects.get(pk=made.case.pk)
    services.take(made.case, actor=made.navigator, now=NOW)
    with pytest.raises(WrongState):
        services.take(stale, actor=navigator_actor(made.case.region), now=NOW)


# The table itself


def test_every_state_but_the_first_is_reached_by_some_verb():
    reached = {t.target for t in TRANSITIONS.values() if t.target} | {CaseState.RECEIVED}
    assert reached == set(CaseState)


def test_every_state_leads_on_to_closed():
    leads_on: set[CaseState] = {CaseState.CLOSED}
    for _ in CaseState:
        leads_on |= {s for t in TRANSITIONS.values() if t.target in leads_on for s in t.sources}
    assert leads_on == set(CaseState)


def test_nothing_leaves_a_closed_case():
    leaving = [t for t in TRANSITIONS.values() if t.target and CaseState.CLOSED in t.sources]
    assert leaving == []


def test_every_verb_has_words_for_the_timeline():
    assert {SUBMIT, *TRANSITIONS} <= set(LogVerb.values)


def test_only_the_system_lets_an_offer_expire():
    assert TRANSITIONS["expire_offer"].roles == {SYSTEM}


def test_roles_that_see_no_patients_may_do_nothing():
    roles = {Role.CONTRACT_OWNER, Role.MANAGER, Role.REGION_ADMIN, Role.OPERATOR}
    assert [t.verb for t in TRANSITIONS.values() if t.roles & roles] == []


# The page made of the table


def test_the_documentation_of_the_table_is_up_to_date():
    assert state_machine_doc.PATH.read_text() == state_machine_doc.render()


def test_the_documentation_tells_in_english_what_every_verb_needs():
    needing = {verb for verb, transition in TRANSITIONS.items() if transition.needs}
    assert needing == set(state_machine_doc.NEEDS)


def test_the_documentation_tells_every_condition_beside_state_and_role():
    plain = TRANSITIONS["take"].when
    conditioned = {verb for verb, t in TRANSITIONS.items() if t.when is not plain}
    assert conditioned == set(state_machine_doc.CONDITIONS)


def test_the_check_fails_when_the_documentation_is_out_of_date(tmp_path, monkeypatch):
    monkeypatch.setattr(state_machine_doc, "PATH", tmp_path / "state-machine.md")
    with pytest.raises(CommandError, match="out of date"):
        call_command("state_machine_doc", check=True)
    call_command("state_machine_doc", stdout=StringIO())
    call_command("state_machine_doc", check=True, stdout=StringIO())
