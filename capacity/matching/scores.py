"""Points 0–100: each criterion falls in a straight line with its own value.

So a better value never lowers a rank. Points are counted in tenths, as whole numbers: the sum of
what the page shows is the score.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from capacity.matching.terms import Option, Quality, Wait
from contracts.models import Contract, ContractLine

CRITERIA = ("wait", "distance", "price", "quality", "contract")

# The value at which a criterion gives no points; half of it gives half. Days, kilometres, share
# of the median price, per cent of reoperations.
NO_POINTS = {"wait": 180, "distance": 800, "price": 1.5, "quality": 6.0}

# A line whose wait or quality is unknown gets this share of the points: less than a good value,
# more than a bad one.
UNKNOWN_SHARE = 0.25


class Standing(StrEnum):
    """Whose contract it is, as the region sees it."""

    OWN = "own"
    OTHERS = "others"
    FREE_CHOICE = "free_choice"


# The share of the points for the contract; no contract would give none.
STANDING_SHARE = {Standing.OWN: 1.0, Standing.OTHERS: 2 / 3, Standing.FREE_CHOICE: 1 / 3}


@dataclass(frozen=True, kw_only=True)
class Weights:
    """Per cent of the score for each criterion; they sum to 100. Version 0 is the national one."""

    wait: int = 40
    distance: int = 20
    price: int = 10
    quality: int = 20
    contract: int = 10
    region: str = ""
    version: int = 0
    changed_at: datetime | None = None
    changed_by: str = ""

    def of(self, criterion: str) -> int:
        return int(getattr(self, criterion))

    def with_values(self, values: Mapping[str, int]) -> "Weights":
        """Had the region these values for the criteria."""
        changed: dict[str, Any] = {key: values[key] for key in CRITERIA}
        return replace(self, **changed)

    @property
    def label(self) -> str:
        """What a log row names: ``13/2`` is Halland's second, ``0`` the national ones."""
        return f"{self.region}/{self.version}" if self.version else "0"


# The criteria of the first pilot in the order that its clinic valued them, with the contract last.
NATIONAL = Weights()


def standing(line: ContractLine, region: str) -> Standing:
    """Free choice of the region itself counts as its own contract."""
    if line.contract.owner_region_id == region:
        return Standing.OWN
    if line.contract.contract_type == Contract.Type.FREE_CHOICE:
        return Standing.FREE_CHOICE
    return Standing.OTHERS


def of_unit(wait: Wait | None, quality: Quality | None) -> dict[str, float | None]:
    """The share of the points lost for what is known of a unit; ``None`` is unknown."""
    return {
        "wait": None if wait is None else wait.days / NO_POINTS["wait"],
        "quality": None if quality is None else float(quality.percent) / NO_POINTS["quality"],
    }


def shares(option: Option, region: str) -> dict[str, float | None]:
    """The share of the points lost for each criterion but the distance; ``None`` is unknown."""
    return of_unit(option.wait, option.quality) | {
        "price": option.price_share / NO_POINTS["price"],
        "contract": 1.0 - STANDING_SHARE[standing(option.line, region)],
    }


def tenths(weight: int, share_lost: float | None) -> int:
    """Points in tenths; from all to none in a straight line, a fixed share when unknown."""
    kept = UNKNOWN_SHARE if share_lost is None else max(0.0, 1.0 - share_lost)
    return round(weight * 10 * kept)


def distance_tenths(weight: int, km: int) -> int:
    return tenths(weight, km / NO_POINTS["distance"])


@dataclass(frozen=True)
class Part:
    """One criterion: its value in words, points given and possible, and how they were counted."""

    key: str
    name: str
    value: str
    points: float
    possible: int
    scale: str
    source: str = ""


def parts_of(option: Option, km: int, *, region: str, weights: Weights) -> tuple[Part, ...]:
    """All that the page shows of a score."""
    lost = shares(option, region) | {"distance": km / NO_POINTS["distance"]}
    said = {key: words(option, km, region) for key, words in _WORDS.items()}
    named, explained = names(), scales()
    return tuple(
        Part(
            key=key,
            name=named[key],
            value=said[key][0],
            points=tenths(weights.of(key), lost[key]) / 10,
            possible=weights.of(key),
            scale=explained[key],
            source=said[key][1],
        )
        for key in CRITERIA
    )


def names() -> dict[str, str]:
    return {
        "wait": _("Väntetid"),
        "distance": _("Avstånd"),
        "price": _("Pris"),
        "quality": _("Kvalitet"),
        "contract": _("Avtal"),
    }


def scales() -> dict[str, str]:
    """What gives all points and what none, for each criterion."""
    return {
        "wait": _(
            "0 dagar ger full poäng, %(most)s dagar eller mer ger ingen. Okänd ger en fjärdedel."
        )
        % {"most": NO_POINTS["wait"]},
        "distance": _("0 km ger full poäng, %(most)s km eller mer ger ingen. Räknas fågelvägen.")
        % {"most": NO_POINTS["distance"]},
        "price": _(
            "Halva medianpriset ger två tredjedelar, medianpriset en tredjedel och en och en halv "
            "gång medianpriset ingen."
        ),
        "quality": _(
            "0 % reopererade inom två år ger full poäng, 6 % eller mer ger ingen. "
            "Okänd ger en fjärdedel."
        ),
        "contract": _(
            "Regionens eget avtal ger full poäng, annan regions avtal två tredjedelar, annan "
            "regions vårdval en tredjedel."
        ),
    }


def _wait_words(option: Option, _km: int, _region: str) -> tuple[str, str]:
    wait = option.wait
    if wait is None:
        return _("okänd väntetid"), ""
    return _("%(days)s dagar (median)") % {"days": wait.days}, _("%(source)s, %(kva)s, %(day)s") % {
        "source": wait.source,
        "kva": wait.kva,
        "day": wait.day,
    }


def _distance_words(_option: Option, km: int, _region: str) -> tuple[str, str]:
    return _("%(km)s km fågelvägen") % {"km": km}, ""


def _price_words(option: Option, _km: int, _region: str) -> tuple[str, str]:
    price = number_format(option.line.price_sek, 0, use_l10n=True, force_grouping=True)
    share = round(option.price_share * 100)
    return _("%(price)s kr, %(percent)s %% av medianpriset") % {
        "price": price,
        "percent": share,
    }, _("avropsraden")


def _quality_words(option: Option, _km: int, _region: str) -> tuple[str, str]:
    quality = option.quality
    if quality is None:
        return _("okänd andel reoperationer"), ""
    percent = number_format(quality.percent, 1)
    return _("%(percent)s %% reopererade inom två år") % {"percent": percent}, _(
        "%(source)s, %(kva)s, %(year)s"
    ) % {"source": quality.source, "kva": quality.kva, "year": quality.year}


def _contract_words(option: Option, _km: int, region: str) -> tuple[str, str]:
    owner = option.line.contract.owner_region.short_name
    text = {
        Standing.OWN: _("eget avtal"),
        Standing.OTHERS: _("avtal som %(owner)s äger") % {"owner": owner},
        Standing.FREE_CHOICE: _("vårdval i %(owner)s") % {"owner": owner},
    }[standing(option.line, region)]
    return text, ""


_WORDS: dict[str, Any] = {
    "wait": _wait_words,
    "distance": _distance_words,
    "price": _price_words,
    "quality": _quality_words,
    "contract": _contract_words,
}
