"""This month against others, and 24 months with control limits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from organisations.access import Actor
from organisations.charts import ControlChart, Measured, control_chart
from statistics.dashboards.forms import Choice
from statistics.dashboards.spc import Control, Point, individuals, shares
from statistics.months import Month
from statistics.selectors import Figures, Statistics, statistics_for

TREND_MONTHS = 24
READING = gettext_lazy(
    "Linjen i mitten är medelvärdet. Mellan de streckade linjerna, styrgränserna, ligger de "
    "skillnader som slumpen brukar ge. En fyrkant är en signal, något att se närmare på: månaden "
    "ligger utanför gränserna eller hör till åtta månader i rad på samma sida om medelvärdet."
)
METHOD = gettext_lazy(
    "För antal och mediantider ligger gränserna 2,66 gånger den genomsnittliga skillnaden mellan "
    "två månader i följd över och under medelvärdet (XmR-diagram, ISO 7870-2). För andelar räknas "
    "de av antalet svar i varje månad (p-diagram)."
)
HIDDEN, UNKNOWN = gettext_lazy("dolt"), "–"
# A number; a word when it is hidden; empty when there is none.
Cell = float | int | str


@dataclass(frozen=True)
class KeyFigure:
    """A figure of the month. ``behind`` names the list of the cases it is counted on."""

    key: str
    label: str | Promise
    unit: str | Promise
    decimals: int
    read: Callable[[Figures], float | None]
    hidden_with: str
    behind: str = ""

    @property
    def unit_of_change(self) -> str:
        """Two shares differ by percentage points, not by per cent."""
        return _("procentenheter") if self.unit == "%" else str(self.unit)


KEY_FIGURES = (
    KeyFigure(
        "received", gettext_lazy("Inkomna"), "", 0, lambda f: f.received, "received", "received"
    ),
    KeyFigure(
        "offered", gettext_lazy("Erbjudanden"), "", 0, lambda f: f.offered, "offered", "offered"
    ),
    KeyFigure(
        "accepted", gettext_lazy("Tackade ja"), "", 0, lambda f: f.accepted, "accepted", "accepted"
    ),
    KeyFigure(
        "accepted_share",
        gettext_lazy("Andel ja"),
        "%",
        0,
        lambda f: f.accepted_share,
        "accepted",
        "answered",
    ),
    KeyFigure(
        "treated", gettext_lazy("Behandlade"), "", 0, lambda f: f.treated, "treated", "treated"
    ),
    KeyFigure(
        "handling_days",
        gettext_lazy("Handläggningstid, median"),
        gettext_lazy("dagar"),
        1,
        lambda f: f.handling_days,
        "handling_days",
        "confirmed",
    ),
    KeyFigure(
        "answer_hours",
        gettext_lazy("Svarstid, median"),
        gettext_lazy("timmar"),
        0,
        lambda f: f.answer_hours,
        "answer_hours",
        "answered",
    ),
    KeyFigure(
        "days_gained",
        gettext_lazy("Vunna dagar"),
        "",
        0,
        lambda f: f.days_gained,
        "days_gained",
        "treated",
    ),
    KeyFigure(
        "cost",
        gettext_lazy("Kostnad"),
        gettext_lazy("kr"),
        0,
        lambda f: None if f.cost is None else float(f.cost),
        "cost",
        "treated",
    ),
)
FIGURES = {one.key: one for one in KEY_FIGURES}


@dataclass(frozen=True)
class Shown:
    """A key figure with its change in words."""

    figure: KeyFigure
    value: str
    is_hidden: bool
    since_last_month: str
    since_last_year: str
    link: bool
    # Value and changes for spreadsheets.
    numbers: tuple[Cell, Cell, Cell]


@dataclass(frozen=True)
class Row:
    """A month of the trend's table, in words; ``hidden``: its value is."""

    month: Month
    hidden: bool
    point: Point
    value: str
    low: str
    high: str
    signal: str
    # Value, lower and upper limit for spreadsheets.
    numbers: tuple[Cell, Cell, Cell]


@dataclass(frozen=True)
class Trend:
    figure: KeyFigure
    title: str
    chart: ControlChart
    rows: tuple[Row, ...]
    centre: Cell
    words: str


def figures_of(actor: Actor, choice: Choice) -> Statistics:
    """The months' figures for the choice, with enough before them for trend and last year."""
    return statistics_for(
        actor,
        month=choice.month,
        clinic=choice.clinic,
        trend_months=TREND_MONTHS + 1,
        only=choice.only or None,
    )


def key_figures(statistics: Statistics) -> list[Shown]:
    """The month's figures against last month's and those of the same month last year."""
    months = dict(statistics.trend)
    before = months.get(statistics.month.back(1), Figures())
    last_year = months.get(statistics.month.back(12), Figures())
    return [
        Shown(
            figure,
            value=in_words(figure, statistics.total),
            is_hidden=figure.hidden_with in statistics.total.hidden,
            since_last_month=_change(figure, statistics.total, before),
            since_last_year=_change(figure, statistics.total, last_year),
            link=bool(figure.read(statistics.total)) and not statistics.suppressed,
            numbers=(
                _cell(figure, statistics.total),
                _change_cell(figure, statistics.total, before),
                _change_cell(figure, statistics.total, last_year),
            ),
        )
        for figure in KEY_FIGURES
    ]


def in_words(figure: KeyFigure, figures: Figures) -> str:
    if figure.hidden_with in figures.hidden:
        return str(HIDDEN)
    value = figure.read(figures)
    return UNKNOWN if value is None else number(value, figure.decimals)


def number(value: float, decimals: int) -> str:
    """A number for people: decimal comma, thousands apart, a real minus."""
    text = number_format(round(value, decimals), decimals, force_grouping=True)
    return text.replace("-", "\N{MINUS SIGN}")


def _change(figure: KeyFigure, now: Figures, then: Figures) -> str:
    change = _change_cell(figure, now, then)
    if isinstance(change, str):
        return change or UNKNOWN
    sign = "±" if change == 0 else "+" if change > 0 else ""
    return (
        f"{sign}{number(change, figure.decimals if change else 0)} {figure.unit_of_change}".strip()
    )


def _cell(figure: KeyFigure, figures: Figures) -> Cell:
    if figure.hidden_with in figures.hidden:
        return str(HIDDEN)
    return rounded(figure.read(figures), figure.decimals)


def _change_cell(figure: KeyFigure, now: Figures, then: Figures) -> Cell:
    """A change is hidden when either is; unknown when either is."""
    if figure.hidden_with in now.hidden | then.hidden:
        return str(HIDDEN)
    value, before = figure.read(now), figure.read(then)
    if value is None or before is None:
        return ""
    return rounded(value - before, figure.decimals)


def rounded(value: float | None, decimals: int) -> Cell:
    if value is None:
        return ""
    return round(value, decimals) if decimals else round(value)


def trends(statistics: Statistics, *, today: date) -> list[Trend]:
    """24 months of inflow, treated, handling time and share of yes, with control limits.

    The running month is drawn and judged by no limit: it has not ended.
    """
    months = statistics.trend[-TREND_MONTHS:]
    # Before anything has come in there is nothing to judge.
    while len(months) > 1 and not _has_anything(months[0][1]):
        months = months[1:]
    ended = [m.back(-1).first_day <= today for m, _figures in months]
    found = []
    for key, title in (
        ("received", _("Inkomna per månad")),
        ("treated", _("Behandlade per månad")),
        ("handling_days", _("Handläggningstid per månad, median i dagar")),
        ("accepted_share", _("Andel ja per månad, procent av svaren")),
    ):
        figure = FIGURES[key]
        if key == "accepted_share":
            control = _percent(
                shares(
                    [
                        (f.accepted, f.answered)
                        if done and f.accepted is not None and f.answered is not None
                        else None
                        for (_m, f), done in zip(months, ended, strict=True)
                    ]
                )
            )
        else:
            control = individuals(
                [
                    figure.read(f) if done else None
                    for (_m, f), done in zip(months, ended, strict=True)
                ]
            )
        found.append(_trend(figure, title, months, ended, control))
    return found


def _has_anything(figures: Figures) -> bool:
    return bool(figures.hidden or figures.received or figures.offered or figures.treated)


def _percent(control: Control) -> Control:
    def hundred(value: float | None) -> float | None:
        return None if value is None else 100 * value

    points = tuple(
        Point(hundred(p.value), hundred(p.low), hundred(p.high), p.outside, p.one_side)
        for p in control.points
    )
    return Control(points, hundred(control.centre), control.left_out)


def _trend(
    figure: KeyFigure,
    title: str,
    months: Sequence[tuple[Month, Figures]],
    ended: Sequence[bool],
    control: Control,
) -> Trend:
    def word(value: float | None) -> str:
        return "" if value is None else number(value, 1)

    rows, measured = [], []
    for (month, figures), done, point in zip(months, ended, control.points, strict=True):
        text = in_words(figure, figures)
        signal = _signal(point, control.centre) if done else _("månaden pågår")
        limits = (rounded(point.low, 1), rounded(point.high, 1))
        numbers = (_cell(figure, figures), *limits)
        hidden = figure.hidden_with in figures.hidden
        words = (text, word(point.low), word(point.high), signal)
        rows.append(Row(month, hidden, point, *words, numbers))
        measured.append(
            Measured(month.short, figure.read(figures), text, point.low, point.high, point.signals)
        )
    highest = max([v for m in measured for v in (m.value, m.high) if v is not None], default=0.0)
    summary = _summary(control, months, figure, ended)
    return Trend(
        figure=figure,
        title=title,
        chart=control_chart(
            f"{title}. {summary}",
            measured,
            centre=control.centre,
            words=("0", number(highest, 0 if highest >= 10 else figure.decimals)),
        ),
        rows=tuple(rows),
        centre=rounded(control.centre, 1),
        words=summary,
    )


def _signal(point: Point, centre: float | None) -> str:
    if point.value is None or point.high is None or centre is None:
        return ""
    if point.outside:
        above = point.value > point.high
        return _("över övre gränsen") if above else _("under undre gränsen")
    if point.one_side:
        above = point.value > centre
        return _("åtta i rad över medel") if above else _("åtta i rad under medel")
    return ""


def _summary(
    control: Control,
    months: Sequence[tuple[Month, Figures]],
    figure: KeyFigure,
    ended: Sequence[bool],
) -> str:
    parts: list[Any] = []
    if control.centre is None:
        parts.append(_("För få månader för styrgränser; det behövs åtta."))
    else:
        many = sum(point.signals for point in control.points)
        parts.append(_("Medel %(mean)s.") % {"mean": number(control.centre, 1)})
        parts.append(
            _("Månader med signal: %(many)s av %(all)s.")
            % {"many": many, "all": len(control.points) - control.left_out}
            if many
            else _("Inga signaler: skillnaderna är inte större än slumpen ger.")
        )
    hidden = sum(figure.hidden_with in figures.hidden for _month, figures in months)
    if hidden:
        parts.append(_("Dolda månader som inte räknas med: %(many)s.") % {"many": hidden})
    if ended and not ended[-1]:
        parts.append(_("Den månad som pågår räknas inte med."))
    return " ".join(parts)
