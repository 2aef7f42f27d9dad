"""Changes and signals in words: what a reader sees of them."""

from statistics.dashboards.trend import key_figures, trends
from statistics.months import Month
from statistics.selectors import Figures, Statistics

LAST = Month(2026, 10)


def statistics_of(months: list[Figures]) -> Statistics:
    """A region's months, the last one chosen."""
    trend = [(LAST.back(len(months) - 1 - at), figures) for at, figures in enumerate(months)]
    return Statistics(LAST, "13", None, months[-1], [], [], trend, suppressed=True)


def changes(before: Figures, now: Figures) -> dict[str, str]:
    shown = key_figures(statistics_of([before, now]))
    return {one.figure.key: one.since_last_month for one in shown}


def test_a_change_has_its_unit_and_a_share_changes_by_percentage_points() -> None:
    before = Figures(
        received=7, answered=10, accepted=8, handling_days=2.0, answer_hours=50, cost=None
    )
    now = Figures(received=7, answered=10, accepted=5, handling_days=3.5, answer_hours=30)
    found = changes(before, now)
    assert found["accepted_share"] == "−30 procentenheter"
    assert found["handling_days"] == "+1,5 dagar"
    assert found["answer_hours"] == "−20 timmar"
    assert found["received"] == "±0"
    assert found["cost"] == "–"


def test_a_change_from_or_to_a_hidden_month_is_hidden() -> None:
    shown, hidden = Figures(received=9), Figures(received=None, hidden={"received"})
    assert changes(shown, hidden)["received"] == "dolt"
    assert changes(hidden, shown)["received"] == "dolt"


def signals(received: list[int]) -> list[str]:
    months = [Figures(received=number) for number in received]
    first = trends(statistics_of(months), today=LAST.back(-1).first_day)[0]
    return [row.signal for row in first.rows]


def test_a_signal_says_on_which_side_it_lies() -> None:
    steady = [20, 22, 19, 21, 20, 23, 18, 21, 20]
    assert signals([*steady, 90])[-1] == "över övre gränsen"
    assert signals([*steady, 0])[-1] == "under undre gränsen"
    assert set(signals(steady)) == {""}
    assert (
        signals([11, 12] * 4 + [9, 8] * 4)
        == ["åtta i rad över medel"] * 8 + ["åtta i rad under medel"] * 8
    )


def test_the_running_month_is_judged_by_nothing() -> None:
    months = [Figures(received=number) for number in [20] * 9 + [90]]
    received = trends(statistics_of(months), today=LAST.first_day)[0]
    assert received.rows[-1].signal == "månaden pågår"
    assert not received.rows[-1].point.signals
