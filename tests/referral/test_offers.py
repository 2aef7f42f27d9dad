"""Offers: what is reserved, how long they stand, how they are answered, what a yes brings."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial

import pytest
from django.utils import timezone

from contracts.models import CallOff, ContractLine
from organisations.access import Actor
from organisations.errors import CapReached, InvalidInput, NotAllowed, WrongState
from referral import services
from referral.models import (
    AnswerChannel,
    CaseLog,
    CaseState,
    Certificate,
    DeclineReason,
    Offer,
)
from referral.texts import Wishes
from tests.concurrency import together
from tests.factories import (
    WAIT_IS_KNOWN,
    ContractFactory,
    ContractLineFactory,
    MadeCase,
    ProviderFactory,
    RegionFactory,
    WaitingTimeFactory,
    advance,
    make_case,
    provider_actor,
    stockholm,
)

pytestmark = pytest.mark.django_db

NOW = stockholm(2026, 3, 10, 9)
DAY = timedelta(days=1)
PATIENT = Actor.patient("Patienten i 1177")


def offered(now: datetime = NOW, **overrides) -> MadeCase:
    return make_case(CaseState.OFFERED, now=now, **overrides)


def answer(
    made: MadeCase,
    *,
    accepted: bool = True,
    channel: str = AnswerChannel.PHONE,
    actor: Actor | None = None,
    now: datetime = NOW,
    reason: str = "",
    comment: str = "",
) -> Offer:
    return services.answer_offer(
        made.offer,
        accepted=accepted,
        channel=channel,
        actor=actor or (PATIENT if channel == AnswerChannel.INBOX else made.navigator),
        now=now,
        reason=reason,
        comment=comment,
    )


def taken(line: ContractLine) -> int:
    line.refresh_from_db()
    return line.taken_volume


# Sending


def test_an_offer_reserves_one_place_for_the_case():
    made = offered()
    assert made.offer.call_off.state == CallOff.State.RESERVED
    assert made.offer.call_off.case_number == made.case.number
    assert taken(made.line) == 1


def test_terms_stay_as_they_were_offered():
    made = offered()
    ContractLine.objects.update(price_sek=1, included="annat")
    made.refresh()
    assert (made.offer.price_sek, made.offer.included) == (Decimal(80_000), "")
    assert made.offer.contract_number == made.line.contract.number


def test_expected_waits_are_kept_with_the_offer():
    made = make_case(CaseState.IN_PROGRESS, now=NOW, home_wait_days=200)
    WaitingTimeFactory(care_unit=made.line.care_unit, day=NOW.date(), median_days=35)
    advance(made, CaseState.OFFERED, now=NOW)  # ten days after the decision
    assert (made.offer.expected_wait_days, made.offer.home_wait_days) == (35, 190)
    assert made.offer.days_gained == 155


def test_nothing_is_offered_while_a_wait_is_unknown_and_the_gain_is_not_guessed():
    made = make_case(CaseState.IN_PROGRESS, now=NOW, home_wait_days=None)
    common = {"line": made.line, "actor": made.navigator, "now": NOW}
    with pytest.raises(InvalidInput) as refused:
        services.send_offer(made.case, **common)
    assert set(refused.value.fields) == {"expected_wait_days", "home_wait_days"}
    assert taken(made.line) == 0
    wishes = Wishes(expected_wait_days=30, home_wait_days=100)
    assert services.send_offer(made.case, **common, wishes=wishes).days_gained == 70


def test_no_offer_is_sent_when_the_clinic_says_that_the_patient_cannot_be_transferred():
    made = make_case(
        CaseState.IN_PROGRESS, now=NOW, transferable=False, not_transferable_reason="Hjärtsvikt"
    )
    with pytest.raises(WrongState) as caught:
        services.send_offer(
            made.case, line=made.line, actor=made.navigator, now=NOW, wishes=WAIT_IS_KNOWN
        )
    assert caught.value.code == "not_transferable"
    assert taken(made.line) == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"kva": "NFB49"},
        {"asa_ceiling": 1},
        {"is_active": False},
        {"contract__is_stopped": True},
        {"contract__valid_to": date(2026, 3, 9)},
        {"contract__regions_allowed": []},
        {"age_min": 100},
    ],
)
def test_no_offer_is_sent_on_a_line_that_does_not_match(changes):
    made = make_case(CaseState.IN_PROGRESS, now=NOW)
    line = ContractLineFactory(**changes)
    logged = CaseLog.objects.count()
    with pytest.raises(WrongState) as caught:
        services.send_offer(
            made.case, line=line, actor=made.navigator, now=NOW, wishes=WAIT_IS_KNOWN
        )
    assert caught.value.code == "line_does_not_match"
    assert (taken(line), CaseLog.objects.count()) == (0, logged)


def test_an_offer_that_the_cap_refuses_leaves_the_case_as_it_was():
    line = ContractLineFactory(cap_volume=1)
    offered(line=line)
    made = make_case(CaseState.IN_PROGRESS, now=NOW, line=line)
    stale = ContractLine.objects.select_related("contract").get(pk=line.pk)
    stale.taken_volume = 0  # as read before the other offer
    logged = CaseLog.objects.count()
    with pytest.raises(CapReached):
        services.send_offer(
            made.case, line=stale, actor=made.navigator, now=NOW, wishes=WAIT_IS_KNOWN
        )
    assert (made.refresh().state, CaseLog.objects.count()) == (CaseState.IN_PROGRESS, logged)


def test_the_next_offer_of_a_case_has_the_next_serial():
    made = offered()
    answer(made, accepted=False, reason=DeclineReason.TRAVEL)
    advance(made, CaseState.OFFERED, now=NOW)
    assert made.offer.reference == f"{made.case.number}/2"


# How long it stands


@pytest.mark.parametrize(
    ("sent", "ends"),
    [
        (stockholm(2026, 4, 10, 9), stockholm(2026, 5, 11)),
        (stockholm(2026, 3, 10, 9), stockholm(2026, 4, 10)),  # summer time begins
        (stockholm(2026, 10, 10, 9), stockholm(2026, 11, 10)),  # and ends
        (stockholm(2026, 12, 20, 9), stockholm(2027, 1, 20)),
        (stockholm(2028, 2, 10, 9), stockholm(2028, 3, 12)),  # leap day
        (stockholm(2026, 7, 1, 0, 30), stockholm(2026, 8, 1)),  # still June in UTC
    ],
)
def test_an_offer_stands_to_the_end_of_its_thirtieth_day_in_sweden(sent, ends):
    assert offered(sent).offer.due_at == ends


def test_the_region_decides_how_long_an_offer_stands():
    region = RegionFactory(offer_stands_days=21)
    assert offered(region=region).offer.due_at == stockholm(2026, 4, 1)


def test_an_offer_without_answer_expires_when_its_last_day_is_over():
    made = offered()
    moment_before = made.offer.due_at - timedelta(seconds=1)
    assert services.expire_offers(now=moment_before) == 0
    assert services.expire_offers(now=made.offer.due_at) == 1
    assert (made.refresh().state, made.offer.state) == (CaseState.IN_PROGRESS, "expired")


def test_an_expired_offer_gives_its_place_back_and_keeps_its_navigator():
    made = offered()
    services.expire_offers(now=made.offer.due_at)
    assert taken(made.line) == 0
    assert made.refresh().navigator_id == made.navigator.user_id


def test_expiry_is_on_the_timeline_as_done_by_the_system():
    made = offered()
    services.expire_offers(now=made.offer.due_at)
    row = made.case.log.latest("pk")
    assert (row.verb, row.role, row.user_id) == ("expire_offer", "system", None)


@pytest.mark.parametrize("verb", ["accept", "decline", "withdraw"])
def test_an_offer_that_does_not_stand_does_not_expire(verb):
    made = offered()
    if verb == "withdraw":
        services.withdraw_offer(made.offer, why="Fel enhet", actor=made.navigator, now=NOW)
    else:
        answer(made, accepted=verb == "accept", reason=DeclineReason.OTHER)
    assert services.expire_offers(now=NOW + 400 * DAY) == 0


# Answers


@pytest.mark.parametrize("channel", AnswerChannel)
@pytest.mark.parametrize("accepted", [True, False])
def test_the_patient_answers_by_1177_phone_or_letter(channel, accepted):
    made = offered()
    offer = answer(made, accepted=accepted, channel=channel, reason=DeclineReason.TRAVEL)
    assert (offer.answer_channel, offer.answered_at) == (channel, NOW)
    assert offer.state == (Offer.State.ACCEPTED if accepted else Offer.State.DECLINED)


def test_only_the_patient_answers_in_1177():
    made = offered()
    with pytest.raises(NotAllowed):
        answer(made, channel=AnswerChannel.INBOX, actor=made.navigator)
    assert made.refresh().state == CaseState.OFFERED


def test_an_answer_comes_by_a_known_way():
    with pytest.raises(InvalidInput) as caught:
        answer(offered(), channel="fax")
    assert list(caught.value.fields) == ["channel"]


@pytest.mark.parametrize("reason", ["", "pigeon"])
def test_a_no_has_a_coded_reason(reason):
    made = offered()
    with pytest.raises(InvalidInput) as caught:
        answer(made, accepted=False, reason=reason)
    assert list(caught.value.fields) == ["reason"]
    assert made.refresh().state == CaseState.OFFERED


@pytest.mark.parametrize("reason", DeclineReason)
def test_a_no_is_kept_with_its_reason_and_on_the_timeline(reason):
    made = offered()
    offer = answer(made, accepted=False, reason=reason, comment="Långt bort")
    row = made.case.log.latest("pk")
    assert (offer.decline_reason, offer.answer_comment) == (reason, "Långt bort")
    assert (row.reason_label, row.why) == (reason.label, "Långt bort")


def test_a_no_gives_the_place_back_and_the_case_to_its_navigator():
    made = offered()
    answer(made, accepted=False, reason=DeclineReason.TRAVEL)
    assert taken(made.line) == 0
    assert (made.refresh().state, made.case.receiving_unit) == (CaseState.IN_PROGRESS, None)


def test_a_yes_keeps_the_place_and_hands_the_case_to_the_provider():
    made = offered()
    answer(made)
    assert taken(made.line) == 1
    assert made.refresh().receiving_unit == made.line.care_unit


def test_an_answer_after_the_letter_counts_as_long_as_the_offer_stands():
    made = offered()
    last_moment = made.offer.due_at - timedelta(minutes=1)
    answer(made, channel=AnswerChannel.LETTER, now=last_moment)
    assert made.refresh().state == CaseState.ACCEPTED


@pytest.mark.parametrize("accepted", [True, False])
def test_an_answer_to_an_expired_offer_is_refused_and_changes_nothing(accepted):
    made = offered()
    services.expire_offers(now=made.offer.due_at)
    logged = CaseLog.objects.count()
    with pytest.raises(WrongState) as caught:
        answer(made, accepted=accepted, reason=DeclineReason.OTHER, now=made.offer.due_at)
    assert caught.value.code == "offer_closed"
    assert (made.refresh().state, CaseLog.objects.count()) == (CaseState.IN_PROGRESS, logged)
    assert not Certificate.objects.exists()


def test_an_answer_to_an_old_offer_does_not_answer_the_new_one():
    made = offered()
    old = made.offer
    answer(made, accepted=False, reason=DeclineReason.OTHER)
    advance(made, CaseState.OFFERED, now=NOW)
    made.offer, new = old, made.offer
    with pytest.raises(WrongState, match="står inte längre"):
        answer(made)
    new.refresh_from_db()
    assert new.state == Offer.State.SENT


def test_a_second_answer_is_refused():
    made = offered()
    answer(made)
    with pytest.raises(WrongState) as caught:
        answer(made, accepted=False, reason=DeclineReason.OTHER)
    assert caught.value.code == "offer_closed"
    assert made.refresh().state == CaseState.ACCEPTED


def test_an_offer_is_withdrawn_with_a_reason():
    made = offered()
    with pytest.raises(InvalidInput):
        services.withdraw_offer(made.offer, why="  ", actor=made.navigator, now=NOW)
    services.withdraw_offer(made.offer, why="Fel enhet", actor=made.navigator, now=NOW)
    assert (made.refresh().state, taken(made.line)) == (CaseState.IN_PROGRESS, 0)
    assert made.case.log.latest("pk").why == "Fel enhet"


# Certificates


def test_a_yes_issues_a_certificate_with_the_case_number_and_a_serial():
    made = make_case(CaseState.ACCEPTED, now=NOW)
    assert made.certificate.number == f"{made.case.number}/1"
    assert made.certificate.valid_to == date(2027, 3, 10)


def test_the_certificate_tells_what_was_agreed():
    contract = ContractFactory(number="AVT-7", reimbursement="DRG")
    line = ContractLineFactory(contract=contract, included="Allt")
    made = make_case(CaseState.ACCEPTED, now=NOW, line=line, family_name="Provsson")
    content = made.certificate.content
    expected = {
        "case_number": made.case.number,
        "patient_name": "Test Provsson",
        "identity_number": made.patient.identity_formatted,
        "procedure": "Primär total knäprotes med cement",
        "provider": line.care_unit.provider.name,
        "contract": "AVT-7",
        "reimbursement": "DRG",
        "price_sek": "80000.00",
        "included": "Allt",
    }
    assert expected.items() <= content.items()


def test_a_no_issues_no_certificate():
    made = offered()
    answer(made, accepted=False, reason=DeclineReason.OTHER)
    assert not Certificate.objects.exists()


def test_the_certificate_after_a_rejection_has_the_next_serial_and_the_first_is_revoked():
    made = make_case(CaseState.ACCEPTED, now=NOW)
    first = made.certificate
    services.reject(made.case, reason="no_capacity", comment="Fullt", actor=made.provider, now=NOW)
    made.line = ContractLineFactory()
    made.provider = provider_actor(made.line.care_unit)
    advance(made, CaseState.ACCEPTED, now=NOW + DAY)
    first.refresh_from_db()
    assert (first.revoked_at, made.certificate.revoked_at) == (NOW, None)
    assert made.certificate.number == f"{made.case.number}/2"


# At once


def committed_offer(**overrides) -> MadeCase:
    return offered(timezone.now(), **overrides)


@pytest.mark.django_db(transaction=True)
def test_two_answers_at_once_have_exactly_one_outcome():
    made = committed_offer()
    results = together(
        partial(answer, made, accepted=accepted, reason=DeclineReason.OTHER)
        for accepted in (True, False, True, False)
    )
    outcome = Offer.objects.get().state
    assert sum(isinstance(result, Offer) for result in results) == 1
    assert sum(isinstance(result, WrongState) for result in results) == 3
    assert Certificate.objects.count() == (outcome == Offer.State.ACCEPTED)
    assert taken(made.line) == (outcome == Offer.State.ACCEPTED)
    assert CaseLog.objects.filter(verb__in=["accept", "decline"]).count() == 1


@pytest.mark.django_db(transaction=True)
def test_an_answer_and_the_expiry_at_once_have_exactly_one_outcome():
    made = committed_offer()
    ends = made.offer.due_at
    results = together(
        [partial(answer, made, now=ends), *[partial(services.expire_offers, now=ends)] * 3]
    )
    assert not any(isinstance(result, Exception) for result in results[1:])
    expired = sum(results[1:])
    assert isinstance(results[0], WrongState if expired else Offer)
    assert expired in {0, 1}
    assert taken(made.line) == 1 - expired
    assert CaseLog.objects.filter(verb__in=["accept", "expire_offer"]).count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_offers_sent_at_once_for_one_case_become_one():
    made = make_case(CaseState.IN_PROGRESS)
    now = timezone.now()
    send = partial(
        services.send_offer,
        made.case,
        line=made.line,
        actor=made.navigator,
        now=now,
        wishes=WAIT_IS_KNOWN,
    )
    results = together([send] * 4)
    assert sum(isinstance(result, Offer) for result in results) == 1
    assert sum(isinstance(result, WrongState) for result in results) == 3
    assert taken(made.line) == 1


@pytest.mark.django_db(transaction=True)
def test_two_cases_offered_the_last_place_at_once_get_it_between_them():
    contract = ContractFactory(provider=ProviderFactory(), cap_volume=1)
    line = ContractLineFactory(contract=contract, cap_volume=None)
    mades = [make_case(CaseState.IN_PROGRESS, line=line) for _ in range(4)]
    now = timezone.now()
    results = together(
        partial(
            services.send_offer,
            made.case,
            line=line,
            actor=made.navigator,
            now=now,
            wishes=WAIT_IS_KNOWN,
        )
        for made in mades
    )
    assert sum(isinstance(result, Offer) for result in results) == 1
    states = sorted(made.refresh().state for made in mades)
    assert states == [CaseState.IN_PROGRESS] * 3 + [CaseState.OFFERED]


@pytest.mark.django_db(transaction=True)
def test_offers_that_expire_while_others_sweep_too_expire_once():
    mades = [committed_offer() for _ in range(5)]
    late = timezone.now() + 100 * DAY
    results = together([partial(services.expire_offers, now=late)] * 4)
    assert sum(results) == 5
    assert {made.refresh().state for made in mades} == {CaseState.IN_PROGRESS}
    assert CaseLog.objects.filter(verb="expire_offer").count() == 5


def test_an_answer_after_the_last_day_does_not_count_even_before_the_sweep():
    made = make_case(CaseState.OFFERED, now=NOW)
    with pytest.raises(WrongState) as refused:
        services.answer_offer(
            made.offer,
            accepted=True,
            channel="phone",
            actor=made.navigator,
            now=made.offer.due_at,
        )
    assert refused.value.code == "offer_closed"
