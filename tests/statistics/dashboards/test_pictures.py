"""The map's names never lie on each other or on a place, whichever regions have flows."""

import csv
from itertools import combinations
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from organisations.models import Region
from statistics.dashboards.flows import FlowRow, Flows
from statistics.dashboards.forms import Period
from statistics.dashboards.pictures import DOT, LINE, FlowMap, _covers, flow_map

ROWS = Path("organisations/reference/regions.csv")
REGIONS = [
    Region(
        code=row["county_code"],
        short_name=row["short_name"],
        latitude=row["latitude"],
        longitude=row["longitude"],
    )
    for row in csv.DictReader(ROWS.read_text().splitlines())
]


def map_of(used: list[Region]) -> FlowMap:
    """Care within each of the regions."""
    rows = tuple(
        FlowRow(home, tuple(used), tuple(9 * (home is away) for away in used), 9) for home in used
    )
    return flow_map(Flows(Period.of_year(2026), tuple(used), rows), REGIONS)


def assert_all_can_be_read(drawn: FlowMap) -> None:
    boxes = [place.label.box for place in drawn.places if place.label]
    for one, other in combinations(boxes, 2):
        assert not _covers(one, [other])
    dots = [(place.x - DOT, place.y - DOT, place.x + DOT, place.y + DOT) for place in drawn.places]
    for left, top, right, bottom in boxes:
        assert not _covers((left, top, right, bottom), dots)
        assert left >= 0
        assert top >= 0
        assert right <= drawn.width
        assert bottom <= drawn.height


def test_all_regions_names_can_be_read_at_once() -> None:
    drawn = map_of(REGIONS)
    assert [place.used for place in drawn.places] == [True] * 21
    assert_all_can_be_read(drawn)


@given(st.lists(st.sampled_from(REGIONS), min_size=1, unique_by=lambda region: region.code))
def test_the_names_of_any_regions_can_be_read(used: list[Region]) -> None:
    drawn = map_of(used)
    assert sum(place.used for place in drawn.places) == len(used)
    assert_all_can_be_read(drawn)


def test_a_name_that_stands_apart_has_a_line_from_its_place() -> None:
    for place in map_of(REGIONS).places:
        assert place.label
        straight_beside = abs(place.label.y - place.y) < LINE
        assert straight_beside or place.label.leader
