"""The funnel and the map of flows as inline SVG: geometry only, looks by classes."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import cos, hypot, radians

from django.utils.translation import gettext as _

from organisations.models import Region
from statistics.dashboards.flows import Flows
from statistics.dashboards.funnel import Funnel

FUNNEL_WIDTH, STEP_HEIGHT, LABEL = 640, 40, 215
MAP_WIDTH, MAP_HEIGHT, EDGE = 420, 640, 46
MIDDLE = cos(radians(62))  # a degree of longitude against one of latitude in the middle of Sweden
WIDEST = 12.0


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
        _("Ärenden inkomna %(year)s: %(stages)s.") % {"year": funnel.year, "stages": text},
        tuple(steps),
        FUNNEL_WIDTH,
        STEP_HEIGHT * len(steps),
    )


@dataclass(frozen=True)
class Place:
    x: float
    y: float
    name: str
    used: bool
    label_x: float
    label_y: float
    anchor: str


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
    places = []
    taken: list[tuple[float, float]] = []
    for region in all_regions:
        x, y = at[region.code]
        is_used = region.code in used
        on_right = x < MAP_WIDTH * 0.62
        label_y = y + 4
        while is_used and any(
            abs(label_y - other) < 13 and abs(x - at_x) < 150 for at_x, other in taken
        ):
            label_y += 13
        if is_used:
            taken.append((x, label_y))
        places.append(
            Place(
                x,
                y,
                region.short_name,
                is_used,
                x + (12 if on_right else -12),
                round(label_y, 1),
                "start" if on_right else "end",
            )
        )
    title = _("Behandlade %(year)s från hemregion till vårdgivarens region.") % {"year": flows.year}
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
