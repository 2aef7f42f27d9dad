"""What a region's administrator has told about the pathways, as it was given: nothing is hidden."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from organisations.access import Actor
from organisations.errors import NotAllowed
from statistics.pathways.files import key_of
from statistics.pathways.models import (
    TOLD,
    InclusionCount,
    LeadTimeCount,
    PathwayFile,
    PathwayLimit,
)
from statistics.pathways.selectors import may_see
from statistics.pathways.services import region_of


@dataclass
class Told:
    """What holds; of the counts the latest half-year first."""

    limits: list[PathwayLimit]
    inclusions: list[InclusionCount]
    lead_times: list[LeadTimeCount]
    # What no longer holds, by the same names.
    withdrawn: dict[str, list[Any]]

    @property
    def days(self) -> dict[tuple[str, str], int]:
        """The maximum lead times by pathway and treatment."""
        return {(one.pathway, one.treatment): one.days for one in self.limits}


def told_by(actor: Actor) -> Told:
    """For the region's administrator; raises :class:`NotAllowed` for others."""
    region = region_of(actor)
    rows = {name: model.objects.of(region) for name, model in TOLD.items()}
    return Told(
        **{name: _sorted(one.holding()) for name, one in rows.items()},
        withdrawn={name: _sorted(one.withdrawn()) for name, one in rows.items()},
    )


def limits_for(actor: Actor) -> list[PathwayLimit]:
    """The region's maximum lead times, for all who see its figures."""
    if not may_see(actor):
        raise NotAllowed(_("Din roll ser ingen statistik."))
    return _sorted(PathwayLimit.objects.filter(region_id=actor.region).holding())


def files_of(actor: Actor) -> QuerySet[PathwayFile]:
    """The files that the region's administrators have handed in, newest first."""
    return PathwayFile.objects.filter(region_id=region_of(actor)).order_by("-pk")


def _sorted(rows: Iterable[Any]) -> list[Any]:
    """By what they are about, of the counts the latest half-year first."""
    found = sorted(rows, key=lambda one: key_of(vars(one)))
    return sorted(found, key=lambda one: getattr(one, "period", ""), reverse=True)
