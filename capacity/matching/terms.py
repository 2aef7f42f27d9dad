"""A contract line with all that decides who can use it, and what is known of its unit."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from contracts.models import ContractLine, PeriodCap
from contracts.selectors import full_periods


@dataclass(frozen=True)
class Wait:
    """A unit's newest median wait: days, for which code, when it was said and by whom."""

    days: int
    kva: str
    day: date
    source: str


@dataclass(frozen=True)
class Quality:
    """A unit's newest share of reoperations within two years, per cent."""

    percent: Decimal
    kva: str
    year: int
    source: str


@dataclass(frozen=True)
class Terms:
    """A line as it stands on a day, whoever asks."""

    line: ContractLine
    today: date
    regions: frozenset[str]  # who may call off
    full_periods: Sequence[PeriodCap] = ()
    languages: frozenset[str] = field(init=False)
    equipment: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        unit = self.line.care_unit
        object.__setattr__(self, "languages", frozenset(unit.languages))
        object.__setattr__(self, "equipment", frozenset(unit.equipment))

    @classmethod
    def of(cls, line: ContractLine, *, today: date) -> "Terms":
        """The terms of one line, read from the database where they are not at hand."""
        regions = frozenset(region.code for region in line.contract.regions_allowed.all())
        return cls(line, today, regions, full_periods(line, day=today))


@dataclass(frozen=True)
class Option:
    """A line beside the figures that it is scored by, for one code."""

    terms: Terms
    wait: Wait | None
    quality: Quality | None
    price_share: float  # of the median price for the code

    @property
    def line(self) -> ContractLine:
        return self.terms.line
