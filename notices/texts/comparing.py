"""Variants of an offer beside each other: how many answer, how many say yes, how soon.

A region's administrator sees figures only: what rests on 1-4 patients is not shown.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from math import ceil, comb, floor, sqrt

import numpy as np

from notices.texts.kinds import TextKind
from notices.texts.models import TextVersion, WrittenOffer
from organisations.access import as_product
from organisations.models import Region
from organisations.suppression import SMALL
from referral.models import Offer

CONFIDENCE = 0.95
_Z = 1.959963984540054  # of the normal distribution, 2.5 % lie above
# Up to here the interval of a median is counted out; beyond, the normal distribution is as good.
COUNTED_OUT = 1000
SMALL_ONES = frozenset(SMALL)


@dataclass(frozen=True)
class Share:
    """A share with its 95 % confidence interval, all in per cent."""

    percent: float
    low: float
    high: float


def wilson(count: int, of: int) -> Share | None:
    """The share ``count`` of ``of`` with Wilson's interval; ``None`` of nothing."""
    if of == 0:
        return None
    share, square = count / of, _Z * _Z
    middle = (share + square / (2 * of)) / (1 + square / of)
    reach = _Z / (1 + square / of) * sqrt(share * (1 - share) / of + square / (4 * of * of))
    return Share(100 * share, max(0.0, 100 * (middle - reach)), min(100.0, 100 * (middle + reach)))


@dataclass(frozen=True)
class Middle:
    """A median in hours; the interval is open where there are too few to tell."""

    hours: float
    low: float | None
    high: float | None


def median_with_interval(hours: list[float]) -> Middle | None:
    """The median with the interval between two of the values that holds it in 95 % of samples."""
    if not hours:
        return None
    ordered = sorted(hours)
    rank = _lower_rank(len(ordered))
    low, high = (ordered[rank - 1], ordered[-rank]) if rank else (None, None)
    return Middle(float(np.median(ordered)), low, high)


def _lower_rank(n: int) -> int:
    """The largest rank, from 1, below which the median falls in at most 2.5 % of samples; or 0."""
    tail = (1 - CONFIDENCE) / 2
    if n > COUNTED_OUT:
        return floor(n / 2 - _Z * sqrt(n) / 2)
    below, rank = 0, 0
    while (below := below + comb(n, rank)) <= tail * 2**n:
        rank += 1
    return rank


@dataclass
class Outcome:
    """What came of the offers written with one version."""

    version: TextVersion
    yes: int = 0
    no: int = 0
    silent: int = 0
    hours: list[float] = field(default_factory=list)

    @property
    def answered(self) -> int:
        return self.yes + self.no

    @property
    def settled(self) -> int | None:
        """Those answered or out of time; ``None`` when one of its parts is a small number."""
        parts = (self.yes, self.no, self.silent, self.answered)
        return None if SMALL_ONES & set(parts) else self.answered + self.silent

    @property
    def answer_share(self) -> Share | None:
        hidden = SMALL_ONES & {self.answered, self.silent}
        return None if hidden else wilson(self.answered, self.answered + self.silent)

    @property
    def yes_share(self) -> Share | None:
        return None if SMALL_ONES & {self.yes, self.no} else wilson(self.yes, self.answered)

    @property
    def time(self) -> Middle | None:
        return median_with_interval(self.hours) if len(self.hours) not in SMALL else None

    @property
    def hours_text(self) -> str:
        """The median as it is read: whole hours, with its interval where there is one."""
        found = self.time
        if found is None:
            return ""
        if found.low is None or found.high is None:
            return f"{found.hours:.0f}"
        return f"{found.hours:.0f} ({floor(found.low)}–{ceil(found.high)})"


@as_product("variants of texts compared")
def outcomes(region: Region) -> list[list[Outcome]]:
    """The versions in use in the region or that its offers went out with, by what is compared.

    An offer that was taken back or still waits for its answer counts nowhere.
    """
    in_use = TextVersion.objects.filter(
        region=region, kind=TextKind.OFFER, state=TextVersion.State.PUBLISHED
    )
    found = {version.pk: Outcome(version) for version in in_use}
    rows = (
        WrittenOffer.objects.filter(offer__case__region=region)
        .exclude(offer__state__in=[Offer.State.WITHDRAWN, Offer.State.SENT])
        .select_related("version", "offer")
        .only("version", "offer__state", "offer__sent_at", "offer__answered_at")
    )
    for row in rows.iterator():
        _count(found.setdefault(row.version_id, Outcome(row.version)), row.offer)
    groups: defaultdict[tuple[str, bool], list[Outcome]] = defaultdict(list)
    for outcome in found.values():
        groups[outcome.version.language, outcome.version.easy].append(outcome)
    return [
        sorted(group, key=lambda one: (one.version.variant, -one.version.number))
        for _key, group in sorted(groups.items(), key=lambda item: (item[0][0] != "sv", item[0]))
    ]


def _count(outcome: Outcome, offer: Offer) -> None:
    if offer.answered_at is None:
        outcome.silent += 1
        return
    # A provider that said no afterwards takes nothing from the patient's yes.
    if offer.state == Offer.State.DECLINED:
        outcome.no += 1
    else:
        outcome.yes += 1
    outcome.hours.append((offer.answered_at - offer.sent_at).total_seconds() / 3600)
