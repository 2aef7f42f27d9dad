"""The funnel and the map of flows as inline SVG: geometry only, looks by classes."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import cos, hypot, radians

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from organisations.models import Region
from statistics.dashboards.flows import Flows
from statistics.dashboards.funnel import Funnel

FUNNEL_WIDTH, STEP_HEIGHT, LABEL = 640, 40, 215
MAP_WIDTH, MAP_HEIGHT, EDGE = 420, 640, 46
MIDDLE = cos(radians(62))  # a degree of longitude against one of latitude in the middle of Sweden
WIDEST = 12.0
LEGEND = gettext_lazy(
    "Pilens bredd visar antalet, mörk pil är den egna regionen, streckad pil ett dolt antal, en "
    "ring vård inom regionen. Talen står i tabellen."
)
# A name's line and its widest sign at the largest size it is written in (static/css/dashboards.css:
# 16 units on a phone), and what a place takes with its ring of care within the region.
LINE, SIGN, DOT = 19.0, 9.6, 6.0


@dataclass(frozen=True)
class Step:
    y: float
    width: float | None
    label: str
    value: str


@dataclass(frozen=True)
class FunnelPicture:
    title: str
    steps: tuple[Step, ...]
    width: int
    height: int
    left: int = LABEL


def funnel_picture(funnel: Funnel) -> FunnelPicture:
    """A bar for each stage, as long as its number; a hidden one has a word and no bar."""
    highest = max([stage.reached or 0 for stage in funnel.stages], default=0) or 1
    steps = [
        Step(
            y=place * STEP_HEIGHT,
            width=None
            if stage.reached is None
            else round((FUNNEL_WIDTH - LABEL - 60) * stage.reached / highest, 1),
            label=str(stage.label),
            value=_("dolt") if stage.reached is None else str(stage.reached),
        )
        for place, stage in enumerate(funnel.stages)
    ]
    text = ", ".join(f"{step.label.lower()} {step.value}" for step in steps)
    return FunnelPicture(
        _("Ärenden inkomna %(period)s: %(stages)s.") % {"period": funnel.period, "stages": text},
        tuple(steps),
        FUNNEL_WIDTH,
        STEP_HEIGHT * len(steps),
    )


@dataclass(frozen=True)
class Label:
    """A region's name on the map: where its writing begins (``anchor`` says from which end), the
    box that holds it, and a thin line from its place when it stands apart from it."""

    x: float
    y: float
    anchor: str
    box: tuple[float, float, float, float]  # left, top, right, bottom
    leader: tuple[float, float] | None = None


@dataclass(frozen=True)
class Place:
    """A region's seat; only those with a flow have a ``label``."""

    x: float
    y: float
    name: str
    label: Label | None = None

    @property
    def used(self) -> bool:
        return self.label is not None


@dataclass(frozen=True)
class Arrow:
    """``path`` is a curve, or a ring for care within the region."""

    path: str
    width: float
    own: bool
    hidden: bool
    text: str


@dataclass(frozen=True)
class FlowMap:
    title: str
    places: tuple[Place, ...]
    arrows: tuple[Arrow, ...]
    width: int = MAP_WIDTH
    height: int = MAP_HEIGHT


def flow_map(flows: Flows, regions: Iterable[Region]) -> FlowMap:
    """Regions at their seats (schematic), an arrow from home to provider, wide as the number."""
    all_regions = list(regions)
    at = _positions(all_regions)
    highest = max([flow.count or 0 for flow in flows.flows], default=0) or 1
    arrows, told, used = [], [], set()
    for flow in flows.flows:
        used |= {flow.home.code, flow.away.code}
        many = _("dolt antal") if flow.count is None else str(flow.count)
        text = _("Från %(home)s till %(away)s: %(many)s") % {
            "home": flow.home.short_name,
            "away": flow.away.short_name,
            "many": many,
        }
        told.append(text)
        width = 1.5 if flow.count is None else 1.5 + WIDEST * flow.count / highest
        arrows.append(
            Arrow(
                _curve(at[flow.home.code], at[flow.away.code]),
                round(width, 1),
                flow.own,
                flow.count is None,
                text,
            )
        )
    labels = _labels({one.code: (*at[one.code], one.short_name) for one in all_regions}, used)
    places = [Place(*at[one.code], one.short_name, labels.get(one.code)) for one in all_regions]
    title = _("Behandlade %(period)s från hemregion till vårdgivarens region.") % {
        "period": flows.period
    }
    return FlowMap(title, tuple(places), tuple(arrows))


def _positions(regions: list[Region]) -> dict[str, tuple[float, float]]:
    """Places on the picture, north upward, the same scale both ways."""
    if not regions:
        return {}
    across = {one.code: float(one.longitude) * MIDDLE for one in regions}
    up = {one.code: float(one.latitude) for one in regions}
    wide = max(max(across.values()) - min(across.values()), 0.1)
    high = max(max(up.values()) - min(up.values()), 0.1)
    scale = min((MAP_WIDTH - 2 * EDGE - 60) / wide, (MAP_HEIGHT - 2 * EDGE) / high)
    west, north = min(across.values()), max(up.values())
    return {
        code: (
            round(EDGE + (across[code] - west) * scale, 1),
            round(EDGE + (north - up[code]) * scale, 1),
        )
        for code in across
    }


def _labels(spots: dict[str, tuple[float, float, str]], used: set[str]) -> dict[str, Label]:
    """The names of the used places, none over another or over any place: as near as they can."""
    dots = [(x - DOT, y - DOT, x + DOT, y + DOT) for x, y, _name in spots.values()]
    found: dict[str, Label] = {}
    for code in sorted(used, key=lambda one: (spots[one][1], one)):
        x, y, name = spots[code]
        taken = [*(label.box for label in found.values()), *dots]
        tries = _tries(x, y, SIGN * len(name))
        first = next(tries)
        free = (one for one in (first, *tries) if not _covers(one.box, taken))
        found[code] = next(free, first)
    return found


def _tries(x: float, y: float, width: float) -> Iterator[Label]:
    """Ways to write a name of the width beside its place, the nearest first, in the picture."""
    sides = ("start", "end") if x < MAP_WIDTH * 0.62 else ("end", "start")
    for apart in range(0, MAP_HEIGHT, 5):
        for move in (-apart, apart) if apart else (0,):
            for anchor in sides:
                sign = 1 if anchor == "start" else -1
                # A little more out when not straight beside, so that the line to it is seen.
                begin = round(x + sign * (12 if apart < LINE / 2 else 24), 1)
                foot = round(y + LINE / 4 + move, 1)
                left, right = sorted((begin, begin + sign * width))
                box = (left, foot - LINE * 0.75, right, foot + LINE * 0.25)
                if left < 0 or right > MAP_WIDTH or box[1] < 0 or box[3] > MAP_HEIGHT:
                    continue
                leader = (begin - sign * 3, round(foot - LINE / 4, 1))
                yield Label(begin, foot, anchor, box, leader if apart >= LINE / 2 else None)


def _covers(
    box: tuple[float, float, float, float], others: Sequence[tuple[float, float, float, float]]
) -> bool:
    left, top, right, bottom = box
    return any(
        left < its_right and its_left < right and top < its_bottom and its_top < bottom
        for its_left, its_top, its_right, its_bottom in others
    )


def _curve(start: tuple[float, float], end: tuple[float, float]) -> str:
    """A bow to the right of the way, so that two ways do not lie on each other."""
    if start == end:
        x, y = start
        return f"M {x - 4} {y - 6} A 11 11 0 1 1 {x + 4} {y - 6}"
    (x, y), (to_x, to_y) = start, end
    length = hypot(to_x - x, to_y - y)
    middle_x, middle_y = (x + to_x) / 2, (y + to_y) / 2
    bend = min(40.0, length / 4)
    over_x = middle_x - bend * (to_y - y) / length
    over_y = middle_y + bend * (to_x - x) / length
    # The arrow ends just short of the place.
    short = 7 / length
    end_x, end_y = to_x - (to_x - over_x) * short, to_y - (to_y - over_y) * short
    return f"M {x} {y} Q {over_x:.1f} {over_y:.1f} {end_x:.1f} {end_y:.1f}"
