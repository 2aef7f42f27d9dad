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
    share = own.exact if own else None
    earlier = last.exact if last else None
    better = None
    if share is not None and earlier is not None:
        better = earlier - share if rule.lower_is_better else share - earlier
    missing = [Missing.THIS_MONTH] if share is None else []
    if earlier is None:
        missing.append(Missing.LAST_YEAR)
    outcome, part = Outcome.NOT_MET, Fraction(0)
    to_level = to_improvement = None
    waiting_share = None
    if share is not None and rule.level is not None:
        gap = share - Fraction(rule.level) if rule.lower_is_better else Fraction(rule.level) - share
        waiting_ok = True
        if rule.asks_waiting_too:
            waiting_ok, waiting_share = _waiting(measure, now, level=Fraction(rule.level))
            if gap <= 0 and waiting_ok is None:
                missing.append(Missing.WAITING)
        if gap <= 0 and waiting_ok:
            outcome, part = Outcome.LEVEL, Fraction(1)
        else:
            short = Fraction(rule.level) - waiting_share if waiting_share is not None else gap
            to_level = max(gap, short, Fraction(0))
    if outcome == Outcome.NOT_MET and better is not None and rule.least is not None:
        if better >= Fraction(rule.least):
            outcome, part = Outcome.IMPROVED, min(Fraction(1), better / Fraction(rule.whole or 1))
        else:
            to_improvement = Fraction(rule.least) - better
    known: Fraction | None = part
    if share is None:
        outcome, known = Outcome.NO_FIGURE, None
    elif rule.level is None:
        outcome, known = Outcome.NO_RULE, None
    elif not FIRST_MONTH <= month <= LAST_MONTH:
        outcome, known = Outcome.NOT_COUNTED, None
    elif part < 1 and missing:
        known = None  # what is missing could have given more
        outcome = Outcome.UNDECIDED if outcome == Outcome.NOT_MET else outcome
    pot = own.pot if own else None
    return Result(
        measure=measure,
        outcome=outcome,
        share=rounded(share, 2),
        share_last_year=rounded(earlier, 2),
        improvement=rounded(better, 2),
        pot_share=rounded(known, 4),
        money=None if pot is None or known is None else rounded(Fraction(pot) * known, 2),
        to_level=rounded(to_level, 2),
        to_improvement=rounded(to_improvement, 2),
        missing=tuple(missing),
    )


def _waiting(
    measure: Measure, now: Figures, *, level: Fraction
) -> tuple[bool | None, Fraction | None]:
    """Whether the waiting children meet the level too, and their share where it is asked for.

    Not asked for when at most twenty wait; unknown when the file does not tell.
    """
    waiting = now.get(WAITING_OF[measure])
    if waiting is None:
        return None, None
    if waiting.denominator <= WAITING_CHILDREN:
        return True, None
    share = waiting.exact
    return (share is not None and share >= level), share


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
