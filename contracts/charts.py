"""The curve of a cap over time as inline SVG; the figures stand in a table beside it."""

from dataclasses import dataclass

from contracts.selectors import Point

WIDTH, HEIGHT, HEAD, FOOT = 720, 220, 16, 26


@dataclass(frozen=True)
class Curve:
    """What the template draws: paths in the chart's own units."""

    taken: str
    used: str
    cap_y: float | None
    points: tuple[Point, ...]
    width: int = WIDTH
    height: int = HEIGHT
    base: int = HEIGHT - FOOT


def curve_chart(points: list[Point], *, cap: int | None) -> Curve | None:
    """Areas of used and taken, with the cap as a line; nothing when there is nothing to show."""
    top = max([cap or 0, *(point.taken for point in points)])
    if not points or not top:
        return None
    room, base = HEIGHT - FOOT - HEAD, HEIGHT - FOOT
    step = WIDTH / max(1, len(points) - 1)

    def y(value: int) -> float:
        return round(base - room * value / top, 1)

    def area(values: list[int]) -> str:
        line = [f"{round(n * step, 1)},{y(value)}" for n, value in enumerate(values)]
        if len(line) == 1:  # one week only: level across the chart
            line.append(f"{WIDTH},{y(values[0])}")
        return " ".join(["0," + str(base), *line, f"{WIDTH},{base}"])

    return Curve(
        taken=area([point.taken for point in points]),
        used=area([point.used for point in points]),
        cap_y=None if cap is None else y(cap),
        points=tuple(points),
    )
