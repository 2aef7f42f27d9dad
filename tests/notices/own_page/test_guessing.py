"""Guessing at codes: counted in the database, locked, barred, throttled; never any use."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import caches
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notices.models import AnswerCode, Notice
from notices.outgoing import answer_place
from notices.own_page.codes import ALPHABET, LENGTH, answer_code, is_code, read
from notices.own_page.services import (
    LOCKED,
    MOST_TRIES,
    TRIES,
    CodeLocked,
    WrongCode,
    new_code,
    open_with_code,
    prove_identity,
)
from organisations.access import as_product
from organisations.errors import NotAllowed, WrongState
from organisations.keys import new_ring
from organisations.retention import rules
from referral.machine import CaseNotFound
from referral.models import CaseState
from referral.numbers import CaseNumber
from tests.concurrency import together
from tests.factories import MadeCase, make_case, navigator_actor
from tests.notices.own_page.conftest import code_of, give_code

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def made() -> MadeCase:
    return make_case(CaseState.OFFERED, now=NOW)


def number_of(made: MadeCase) -> CaseNumber:
    return CaseNumber.parse(made.case.number)


def guess(made: MadeCase, typed: str = "00000-00000", *, now: datetime = NOW) -> Any:
    """What a try came to: the case, or the class of the refusal."""
    try:
        return open_with_code(number_of(made), typed, now=now)[0]
    except (WrongCode, CodeLocked) as error:
        return type(error)


def row_of(made: MadeCase) -> AnswerCode:
    with as_product("test"):
        return AnswerCode.objects.get(case_number=made.case.number)


# The code itself


def test_a_code_is_ten_characters_that_cannot_be_taken_for_others():
    code = answer_code("13-26-000001-9", serial=1)
    assert len(read(code)) == LENGTH
    assert set(read(code)) <= set(ALPHABET)
    assert not set("ILOU") & set(ALPHABET)
    assert len(set(ALPHABET)) == 32


@given(st.integers(1, 999_999), st.integers(1, 50))
def test_cases_and_new_codes_have_codes_of_their_own(running, serial):
    number = CaseNumber.build(county="20", year=2026, running=running).value
    codes = {answer_code(number, serial=n) for n in range(1, serial + 1)}
    assert len(codes) == serial
    assert answer_code(number, serial=serial) == answer_code(number, serial=serial)


@given(st.text(max_size=40))
def test_no_text_but_the_code_is_the_code(text):
    number, code = "13-26-000001-9", answer_code("13-26-000001-9", serial=1)
    assert is_code(text, number, serial=1) == (read(text) == read(code))


def test_a_code_sent_before_the_keys_were_changed_still_opens(settings):
    before = answer_code("13-26-000001-9", serial=1)
    settings.HASH_KEYS = f"{new_ring('k2')},{settings.HASH_KEYS}"
    assert answer_code("13-26-000001-9", serial=1) != before
    assert is_code(before, "13-26-000001-9", serial=1)


# Locks


def test_five_wrong_tries_lock_a_quarter_of_an_hour_even_for_the_right_code(made):
    assert [guess(made) for _try in range(TRIES)] == [WrongCode] * TRIES
    assert guess(made, code_of(made)) is CodeLocked
    assert guess(made, code_of(made), now=NOW + LOCKED - MINUTE) is CodeLocked
    assert guess(made, code_of(made), now=NOW + LOCKED) == made.case


def test_a_refused_try_makes_the_lock_no_longer(made):
    for _try in range(TRIES + 3):
        guess(made)
    assert row_of(made).wrong == TRIES
    assert row_of(made).locked_until == NOW + LOCKED


def test_twenty_wrong_tries_bar_the_code_until_a_new_one_is_made(made):
    now = NOW
    for n in range(MOST_TRIES):
        assert guess(made, now=now) is WrongCode, n
        if (n + 1) % TRIES == 0:
            now += LOCKED
    assert guess(made, code_of(made), now=now + timedelta(days=365)) is CodeLocked
    _send_all(made)
    new_code(made.case, actor=made.navigator, now=now)
    assert guess(made, code_of(made), now=now) is WrongCode
    assert guess(made, answer_code(made.case.number, serial=2), now=now) == made.case


def test_numbers_without_a_case_lock_and_bar_alike():
    number = CaseNumber.build(county="20", year=2026, running=7)
    seen = []
    for _try in range(TRIES + 1):
        with pytest.raises((WrongCode, CodeLocked)) as caught:
            open_with_code(number, "x", now=NOW)
        seen.append(type(caught.value))
    assert seen == [WrongCode] * TRIES + [CodeLocked]


def test_a_locked_code_lets_nobody_prove_who_they_are(made):
    _case, serial = open_with_code(number_of(made), code_of(made), now=NOW)
    for _try in range(TRIES):
        guess(made)
    with pytest.raises(CodeLocked):
        prove_identity(made.case.number, serial=serial, identity=None, now=NOW)


def test_a_new_code_ends_a_visit_that_had_come_halfway(made):
    _case, serial = open_with_code(number_of(made), code_of(made), now=NOW)
    _send_all(made)
    new_code(made.case, actor=made.navigator, now=NOW)
    with pytest.raises(WrongCode):
        prove_identity(made.case.number, serial=serial, identity=None, now=NOW)


wrong_codes = st.text(alphabet=ALPHABET + "-o il", max_size=14)
steps = st.lists(st.tuples(wrong_codes, st.integers(0, 40)), min_size=1, max_size=60)


@given(steps=steps)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_row_of_wrong_guesses_ever_gets_in(made, steps):
    right = read(code_of(made))
    with as_product("test"):
        AnswerCode.objects.all().delete()
    now, judged = NOW, 0
    for typed, minutes in steps:
        if read(typed) == right:
            continue
        now += minutes * MINUTE
        came = guess(made, typed, now=now)
        assert came in {WrongCode, CodeLocked}
        judged += came is WrongCode
        row = row_of(made)
        assert row.wrong == judged <= MOST_TRIES
        if row.is_locked(now):
            assert guess(made, code_of(made), now=now) is CodeLocked


@pytest.mark.django_db(transaction=True)
def test_many_guesses_at_once_get_no_further_than_one_by_one(made):
    came = together([lambda: guess(made)] * 12)
    assert came.count(WrongCode) == TRIES
    assert came.count(CodeLocked) == 12 - TRIES
    assert row_of(made).wrong == TRIES


def test_losing_the_cache_opens_nothing(made, settings):
    for _try in range(TRIES):
        give_code(Client(), made, code="00000-00000")
        caches["default"].clear()
        caches["process"].clear()
    locked = give_code(Client(), made)
    assert locked.status_code == 429
    assert int(locked["Retry-After"]) > 0
    assert "låst" in locked.content.decode()


def test_an_address_that_guesses_at_many_cases_is_held_up(made, settings):
    settings.RATES = settings.RATES | {"answer_codes": 3}
    numbers = [CaseNumber.build(county="20", year=2026, running=n).value for n in range(1, 5)]
    statuses = [give_code(Client(), made, number=n).status_code for n in numbers]
    assert statuses == [422, 422, 422, 429]


# New codes


def _send_all(made: MadeCase) -> None:
    with as_product("test"):
        waiting = Notice.objects.filter(case=made.case, state=Notice.State.WAITING)
        waiting.update(state=Notice.State.CANCELLED)


def test_a_new_code_waits_for_what_may_have_left_already(made, deliver):
    deliver(NOW)
    with pytest.raises(WrongState) as caught:
        new_code(made.case, actor=made.navigator, now=NOW)
    assert caught.value.code == "code_on_its_way"
    _send_all(made)
    assert new_code(made.case, actor=made.navigator, now=NOW).serial == 2


def test_a_new_code_is_sent_and_its_text_is_the_same_each_time(made):
    new_code(made.case, actor=made.navigator, now=NOW)
    with as_product("test"):
        notice = Notice.objects.get(case=made.case, kind=Notice.Kind.ANSWER_CODE)
        first, second = answer_place(notice), answer_place(notice)
    assert first == second
    assert first.code == answer_code(made.case.number, serial=2)
    assert first.code not in notice.body


def test_only_the_regions_navigators_make_new_codes(made):
    with pytest.raises(NotAllowed):
        new_code(made.case, actor=made.clinic, now=NOW)
    other = navigator_actor(make_case(now=NOW).unit.region)
    if other.region == made.unit.region_id:
        return
    with pytest.raises(CaseNotFound):
        new_code(made.case, actor=other, now=NOW)


def test_old_tries_are_thinned_and_barred_codes_stay_barred(made):
    guess(made)
    barred = make_case(CaseState.OFFERED, now=NOW, unit=made.unit, line=made.line)
    now = NOW
    for n in range(MOST_TRIES):
        guess(barred, now=now)
        now += LOCKED if (n + 1) % TRIES == 0 else timedelta()
    (rule,) = (one for one in rules() if one.name == "answer_codes")
    later = NOW + timedelta(days=100)
    with as_product("test"):
        assert rule.due(later) == 1
        assert rule.thin(later, 100) == 1
    assert row_of(barred).barred_at is not None
