"""The calculator: figures in, what a region's month gives out. No database, no clock.

Everything is compared exactly, as fractions of whole numbers: 71.999 per cent is not 72, and an
improvement of 0.999 points is not 1.0. Shown numbers are rounded half up: shares and improvements
to two decimals, the share of the pot to four (a hundredth of a per cent), money to whole öre.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from fractions import Fraction

from statistics.performance.rules import (
    FIRST_MONTH,
    LAST_MONTH,
    RULES,
    WAITING_CHILDREN,
    WAITING_OF,
    Measure,
    Rule,
)


class Outcome(StrEnum):
    LEVEL = "level"  # the level is met: the whole pot
    IMPROVED = "improved"  # better by enough than the same month the year before
    NOT_MET = "not_met"
    UNDECIDED = "undecided"  # not met by what is known; what is missing could have met it
    NO_FIGURE = "no_figure"  # the month's own figure is missing
    NO_RULE = "no_rule"  # the source does not say what the measure asks for
    NOT_COUNTED = "not_counted"  # the month is not in the agreement's period


class Missing(StrEnum):
    """What would have been needed."""

    THIS_MONTH = "this_month"
    LAST_YEAR = "last_year"
    WAITING = "waiting"


@dataclass(frozen=True)
class Figure:
    """``numerator`` of ``denominator`` patients or contacts; ``pot`` in SEK, when known."""

    numerator: int
    denominator: int
    pot: Decimal | None = None

    @property
    def exact(self) -> Fraction | None:
        """Per cent; ``None`` of nothing."""
        return Fraction(100 * self.numerator, self.denominator) if self.denominator else None


@dataclass(frozen=True)
class Result:
    """What a measure gives a region for a month. Shares in per cent, improvement in points."""

    measure: Measure
    outcome: Outcome
    share: Decimal | None
    share_last_year: Decimal | None
    improvement: Decimal | None
    pot_share: Decimal | None  # 0-1; ``None`` when it cannot be told
    money: Decimal | None  # SEK; ``None`` when pot or share is not known
    to_level: Decimal | None  # points that were missing to the level
    to_improvement: Decimal | None  # points that were missing to the smallest that counts
    missing: tuple[Missing, ...] = ()

    @property
    def is_met(self) -> bool:
        """Whole or in part, as table 1 of the source counts its months."""
        return self.outcome in {Outcome.LEVEL, Outcome.IMPROVED}


Figures = Mapping[str, Figure]


def month_results(now: Figures, before: Figures, *, month: int) -> list[Result]:
    """The nine measures of a region's month (1-12), against the same month the year before.

    Figures by key of ``rules.FIGURES``.
    """
    return [result_of(measure, now, before, month=month) for measure in Measure]


def result_of(measure: Measure, now: Figures, before: Figures, *, month: int) -> Result:
    rule = RULES[measure]
    own, last = now.get(measure), before.get(measure)
    share, earlier = (figure.exact if figure else None for figure in (own, last))
    better = _improvement(share, earlier, fall=bool(rule and rule.lower_is_better))
    judged = _Judged()
    if rule and share is not None:
        judged = _judge(rule, share, better, _waiting(measure, rule, now))
    missing = [Missing.THIS_MONTH] if share is None else []
    missing += [Missing.LAST_YEAR] if earlier is None else []
    missing += [Missing.WAITING] if judged.waiting_unknown else []
    outcome: Outcome = judged.outcome
    part: Fraction | None = judged.part
    if share is None:
        outcome, part = Outcome.NO_FIGURE, None
    elif rule is None:
        outcome, part = Outcome.NO_RULE, None
    elif not FIRST_MONTH <= month <= LAST_MONTH:
        outcome, part = Outcome.NOT_COUNTED, None
    elif judged.part < 1 and missing:
        # What is missing could have given more.
        outcome = Outcome.UNDECIDED if outcome == Outcome.NOT_MET else outcome
        part = None
    pot = own.pot if own else None
    return Result(
        measure=measure,
        outcome=outcome,
        share=rounded(share, 2),
        share_last_year=rounded(earlier, 2),
        improvement=rounded(better, 2),
        pot_share=rounded(part, 4),
        money=None if pot is None or part is None else rounded(Fraction(pot) * part, 2),
        to_level=rounded(judged.to_level, 2),
        to_improvement=rounded(judged.to_improvement, 2),
        missing=tuple(missing),
    )


@dataclass(frozen=True)
class _Judged:
    outcome: Outcome = Outcome.NOT_MET
    part: Fraction = Fraction(0)
    to_level: Fraction | None = None
    to_improvement: Fraction | None = None
    waiting_unknown: bool = False


@dataclass(frozen=True)
class _Waiting:
    """What the waiting children lack to the level, in points; ``None``: not told."""

    lacks: Fraction | None


def _improvement(
    share: Fraction | None, earlier: Fraction | None, *, fall: bool
) -> Fraction | None:
    if share is None or earlier is None:
        return None
    return earlier - share if fall else share - earlier


def _judge(rule: Rule, share: Fraction, better: Fraction | None, waiting: _Waiting) -> _Judged:
    level = Fraction(rule.level)
    lacks = share - level if rule.lower_is_better else level - share
    if lacks <= 0 and waiting.lacks is not None and waiting.lacks <= 0:
        return _Judged(Outcome.LEVEL, Fraction(1))
    unknown = lacks <= 0 and waiting.lacks is None
    to_level = None if unknown else max(lacks, waiting.lacks or Fraction(0))
    least = Fraction(rule.least)
    if better is not None and better >= least:
        part = min(Fraction(1), better / Fraction(rule.whole))
        return _Judged(Outcome.IMPROVED, part, to_level, None, unknown)
    to_improvement = None if better is None else least - better
    return _Judged(Outcome.NOT_MET, Fraction(0), to_level, to_improvement, unknown)


def _waiting(measure: Measure, rule: Rule, now: Figures) -> _Waiting:
    """The waiting children's own requirement: none where at most twenty wait."""
    if not rule.asks_waiting_too:
        return _Waiting(Fraction(0))
    waiting = now.get(WAITING_OF[measure])
    if waiting is None:
        return _Waiting(None)
    if waiting.denominator <= WAITING_CHILDREN or waiting.exact is None:
        return _Waiting(Fraction(0))
    return _Waiting(Fraction(rule.level) - waiting.exact)


def months_met(months: Iterable[list[Result]]) -> dict[Measure, int]:
    """In how many of the months each measure was met, whole or in part, as table 1 counts them."""
    met = Counter(result.measure for results in months for result in results if result.is_met)
    return {measure: met[measure] for measure in Measure}


def bonus_points(months: Iterable[list[Result]]) -> int:
    """A point for each requirement that the region met in each month (note 45)."""
    return sum(months_met(months).values())


def rounded(value: Fraction | None, decimals: int) -> Decimal | None:
    """Half up, away from zero, exactly."""
    if value is None:
        return None
    scaled = abs(value) * 10**decimals
    whole = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    number = (
        Decimal(whole)
        .scaleb(-decimals)
        .quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
    )
    return -number if value < 0 and whole else number
