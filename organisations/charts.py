"""Bar charts as inline SVG: presentation by classes only, figures in a table beside them."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT, FOOT, HEAD = 640, 190, 34, 18
MOST_LABELS = 14


@dataclass(frozen=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    value: str
    label: str
    label_x: float
    on_axis: bool
    mark: float | None = None  # height of a line across the bar: what it is held against

    @property
    def right(self) -> float:
        return round(self.x + self.width, 1)


@dataclass(frozen=True)
class Chart:
    """What the template draws; ``title`` is also the chart's accessible name."""

    title: str
    bars: tuple[Bar, ...]
    width: int = WIDTH
    height: int = HEIGHT
    base: int = HEIGHT - FOOT

    @property
    def has_bars(self) -> bool:
        """Whether there is anything to see but the axis."""
        return any(bar.height for bar in self.bars)


def bar_chart(
    title: str,
    points: list[tuple[str, float | None, str]],
    *,
    marks: Sequence[float | None] = (),
) -> Chart:
    """A chart of (label, value or ``None``, value in words); a missing value has no bar.

    ``marks``: for each point a value that its bar is held against, drawn as a line.
    """
    values = [value for _label, value, _text in points if value]
    highest = max([*values, *(mark for mark in marks if mark)], default=1.0)
    every = 2 if len(points) <= 2 * MOST_LABELS else -(-len(points) // MOST_LABELS)
    step = WIDTH / max(1, len(points))
    room = HEIGHT - FOOT - HEAD
    bars = []
    for number, (label, value, text) in enumerate(points):
        height = room * max(0.0, value or 0.0) / highest
        mark = marks[number] if number < len(marks) else None
        bars.append(
            Bar(
                x=round(number * step + step * 0.18, 1),
                y=round(HEIGHT - FOOT - height, 1),
                width=round(step * 0.64, 1),
                height=round(height, 1),
                value=text,
                label=label,
                label_x=round((number + 0.5) * step, 1),
                # Some labels only where all would run into each other; the newest always.
                on_axis=len(points) <= MOST_LABELS or (len(points) - number) % every == 1,
                mark=None
                if mark is None
                else round(HEIGHT - FOOT - room * max(0.0, mark) / highest, 1),
            )
        )
    return Chart(title, tuple(bars))


@dataclass(frozen=True)
class Dot:
    """A value of a control chart; ``signal`` names the shape that marks it, not colour alone."""

    x: float
    y: float
    value: str
    label: str
    signal: bool


@dataclass(frozen=True)
class ControlChart:
    """A line with its centre and limits. ``lines`` are stretches of months without a gap,
    ``labels`` what stands under the scale and where."""

    title: str
    dots: tuple[Dot, ...]
    lines: tuple[str, ...]
    low: str
    high: str
    centre: float | None
    labels: tuple[tuple[float, str], ...]
    top: str
    bottom: str
    width: int = WIDTH
    height: int = HEIGHT
    base: int = HEIGHT - FOOT


@dataclass(frozen=True)
class Measured:
    """One month of a control chart; ``None``: not shown, not known, or no limits."""

    label: str
    value: float | None
    text: str
    low: float | None = None
    high: float | None = None
    signal: bool = False


LEFT, HALF_LABEL = 46, 36


def control_chart(
    title: str, months: Sequence[Measured], *, centre: float | None, words: tuple[str, str]
) -> ControlChart:
    """``words`` are what stands at the foot and the top of the scale: zero and the highest."""
    values = [value for one in months for value in (one.value, one.high) if value is not None]
    highest = max([*values, centre or 0.0], default=0.0) or 1.0
    step = (WIDTH - LEFT) / max(1, len(months))
    room = HEIGHT - FOOT - HEAD
    # Labels that can be read on a phone too; the newest always has one.
    every = max(2, -(-len(months) // 6))

    def height(value: float) -> float:
        return round(HEIGHT - FOOT - room * value / highest, 1)

    def across(place: int) -> float:
        return round(LEFT + (place + 0.5) * step, 1)

    dots = [
        Dot(
            across(place),
            height(one.value),
            one.text,
            one.label,
            one.signal,
        )
        for place, one in enumerate(months)
        if one.value is not None
    ]
    stretches: list[list[str]] = [[]]
    for place, one in enumerate(months):
        if one.value is None:
            stretches.append([])
        else:
            stretches[-1].append(f"{across(place)},{height(one.value)}")
    return ControlChart(
        title=title,
        dots=tuple(dots),
        lines=tuple(" ".join(points) for points in stretches if len(points) > 1),
        low=_limit(
            [(across(at), height(m.low)) for at, m in enumerate(months) if m.low is not None]
        ),
        high=_limit(
            [(across(at), height(m.high)) for at, m in enumerate(months) if m.high is not None]
        ),
        centre=None if centre is None else height(centre),
        # Hidden months have their place too.
        labels=tuple(
            (min(across(place), WIDTH - HALF_LABEL), one.label)
            for place, one in enumerate(months)
            if (len(months) - place) % every == 1
        ),
        top=words[1],
        bottom=words[0],
    )


def _limit(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x},{y}" for x, y in points)
