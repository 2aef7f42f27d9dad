"""What a region's administrator has told about the pathways, as it was given: nothing is hidden."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from organisations.access import Actor
from organisations.errors import NotAllowed
from statistics.pathways.files import key_of
from statistics.pathways.models import InclusionCount, LeadTimeCount, PathwayFile, PathwayLimit
from statistics.pathways.selectors import may_see
from statistics.pathways.services import region_of

Row = TypeVar("Row", PathwayLimit, InclusionCount, LeadTimeCount)


@dataclass
class Told:
    """What holds; of the counts the latest half-year first."""

    limits: list[PathwayLimit]
    inclusions: list[InclusionCount]
    lead_times: list[LeadTimeCount]

    @property
    def days(self) -> dict[tuple[str, str], int]:
        """The maximum lead times by pathway and treatment."""
        return {(one.pathway, one.treatment): one.days for one in self.limits}


def told_by(actor: Actor) -> Told:
    """For the region's administrator; raises :class:`NotAllowed` for others."""
    region = region_of(actor)
    return Told(
        limits=_newest(PathwayLimit.objects.filter(region_id=region)),
        inclusions=_latest_first(_newest(InclusionCount.objects.filter(region_id=region))),
        lead_times=_latest_first(_newest(LeadTimeCount.objects.filter(region_id=region))),
    )


def limits_for(actor: Actor) -> list[PathwayLimit]:
    """The region's maximum lead times, for all who see its figures."""
    if not may_see(actor):
        raise NotAllowed(_("Din roll ser ingen statistik."))
    return _newest(PathwayLimit.objects.filter(region_id=actor.region))


def files_of(actor: Actor) -> QuerySet[PathwayFile]:
    """The files that the region's administrators have handed in, newest first."""
    return PathwayFile.objects.filter(region_id=region_of(actor)).order_by("-pk")


def _newest(rows: QuerySet[Row]) -> list[Row]:
    found = {key_of(vars(one)): one for one in rows.order_by("pk")}
    return [found[key] for key in sorted(found)]


def _latest_first(rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=lambda one: getattr(one, "period", ""), reverse=True)
