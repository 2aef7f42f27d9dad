"""The named versions of the measures' definitions that months are counted by.

A frozen month bears the name. Whoever changes what a measure means gives the rules a new name and
a date, and writes what changed; a test holds the definitions against the digest, so that they do
not change in silence.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import date

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from statistics.monthly.measures import MEASURES


@dataclass(frozen=True)
class Rules:
    name: str
    since: date
    changes: str | Promise
    # SHA-256 over the measures' names, kinds, units and definitions.
    digest: str


RULES = (
    Rules(
        name="2026-1",
        since=date(2026, 11, 27),
        changes=_("De första räknereglerna."),
        digest="d6d813605036f546aecca948419920979672f521a7ac30de1b1f01abd165066c",
    ),
)
CURRENT = RULES[-1]


def rules_named(name: str) -> Rules | None:
    return next((one for one in RULES if one.name == name), None)


def digest_of_measures() -> str:
    """Of what the measures are now: names, kinds, units and definitions in Swedish."""
    with override("sv"):
        told = [
            [name, measure.kind, str(measure.unit), str(measure.definition)]
            for name, measure in sorted(MEASURES.items())
        ]
    return hashlib.sha256(json.dumps(told, ensure_ascii=False).encode()).hexdigest()
