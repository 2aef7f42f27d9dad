"""The figures of a campaign, and that small ones cannot be read nor worked out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notices.campaigns.answers import record_answer
from notices.campaigns.results import AFTERWARDS, Figure, Results, hide_small, results_of, rows_of
from notices.campaigns.sweep import run_campaigns
from notices.models import Answer, CampaignRecipient, Notice
from organisations.suppression import SMALL
from referral.models import CaseState
from tests.factories import advance, manager_actor
from tests.notices.campaigns.parts import NOW, clinic, started, waits


@pytest.mark.django_db
def test_the_figures_tell_what_came_of_it():
    unit = clinic()
    made = [waits(unit) for _n in range(4)]
    navigator = made[0].navigator
    campaign = started(navigator)
    run_campaigns(now=NOW)
    Notice.objects.filter(case=made[3].case).update(channel="letter")
    Notice.objects.filter(recipient__isnull=False).update(state="sent", sent_at=NOW)
    answers = (Answer.NOT_NEEDED, Answer.ELSEWHERE, Answer.STILL_NEEDED)
    for one, answer in zip(made, answers, strict=False):
        row = CampaignRecipient.objects.get(case=one.case)
        record_answer(row, answer=answer, channel="phone", actor=navigator, now=NOW)
    later = NOW.replace(hour=15)
    advance(made[1], CaseState.OFFERED, now=later)
    results = results_of(campaign, navigator)
    assert (results.patients, results.told, results.sent) == (4, 4, 4)
    assert results.cost_sek == 3 * 2 + 12
    assert {figure.name: figure.count for figure in results.answers} == {
        "not_needed": 1,
        "elsewhere": 1,
        "still_needed": 1,
        "call": 0,
        "no_answer": 1,
    }
    assert {figure.name: figure.count for figure in results.afterwards} == {
        "read": 0,
        "failed": 0,
        "returned": 0,
        "closed": 1,
        "calls": 1,
        "offers": 1,
    }
    hidden = results_of(campaign, manager_actor(unit.region))
    assert hidden.suppressed
    assert not any("1" in str(cell) for row in rows_of(hidden) for cell in row[2:])


counts = st.integers(0, 40)


@given(
    answers=st.lists(counts, min_size=5, max_size=5),
    others=st.lists(counts, min_size=3, max_size=3),
    by_letter=counts,
    unsent=counts,
    afterwards=st.lists(counts, min_size=len(AFTERWARDS), max_size=len(AFTERWARDS)),
)
def test_a_reader_never_learns_a_small_number(answers, others, by_letter, unsent, afterwards):
    told = sum(answers)
    sent = max(0, told - unsent)
    letters = min(by_letter, sent)
    states = [
        Figure(state, state, count, None)
        for state, count in zip(
            CampaignRecipient.State.values, [others[0], told, *others[1:]], strict=True
        )
    ]
    channels = [
        Figure(name, name, count, sent)
        for name, count in (("1177", sent - letters), ("digital", 0), ("letter", letters))
    ]
    results = Results(
        patients=sum(others) + told,
        told=told,
        sent=sent,
        cost_sek=None,
        states=states,
        channels=channels,
        answers=[Figure(str(n), str(n), count, told) for n, count in enumerate(answers)],
        afterwards=[
            Figure(name, name, min(count, told), told)
            for (name, _label), count in zip(AFTERWARDS, afterwards, strict=True)
        ],
    )
    hide_small(results)
    tables = (
        (results.states, results.patients),
        (results.answers, results.told),
        (results.channels, results.sent),
    )
    for figures, total in tables:
        shown = [figure.count for figure in figures if figure.count is not None]
        assert not any(count in SMALL for count in shown)
        hidden = len(figures) - len(shown)
        if total is not None and hidden:
            assert hidden > 1  # one alone would be the total less the others
            assert total - sum(shown) not in range(1, hidden)
        if total is None:
            assert all(figure.percent is None for figure in figures)
    if results.told is None:
        assert results.states[1].count is None
    if results.told is not None and results.sent is not None:
        assert results.told - results.sent not in SMALL
        assert results.sent not in SMALL
    for figure in results.afterwards:
        assert figure.count not in SMALL
        if figure.count is not None and results.told is not None:
            assert results.told - figure.count not in SMALL
