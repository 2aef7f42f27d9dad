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
