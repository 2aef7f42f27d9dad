"""Which providers can take a patient, in which order, and why (pilot 1, knee prostheses).

Hard filters leave a contract line out and say why. What is left is scored 0–100 from waiting
time, distance, price and quality; every part is shown. Each
part falls in a straight line with its own value, so that a better value never lowers a rank. The
price is held against the median price of all lines for the code.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import OuterRef, Subquery
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from capacity.distance import great_circle_km
from capacity.models import OWN_SOURCE, FreeCapacity, QualityMeasure, WaitingTime
from capacity.selectors import FRESH_DAYS
from contracts.codes import covering_codes
from contracts.models import ContractLine
from contracts.selectors import full_periods, with_current_periods

# Weights in per cent; pilot 1's criteria in the order its clinic valued them.
WEIGHTS = {"wait": 45, "distance": 20, "price": 15, "quality": 20}

# The value at which a part gives no points; half of it gives half.
NO_POINTS = {"wait": 180, "distance": 800, "price": 1.5, "quality": 6.0}

# A line whose wait or quality is unknown gets this share of the part's points: less than a good
# value, more than a bad one.
UNKNOWN_SHARE = 0.25


@dataclass(frozen=True, kw_only=True)
class Need:
    """What a patient needs, as far as matching is concerned."""

    region: str
    kva: str
    asa: int
    age: int | None
    latitude: Decimal
    longitude: Decimal
    origin: str  # what the distance is counted from, in words


@dataclass(frozen=True)
class Part:
    """One criterion: its value in words, points given and points possible."""

    name: str
    value: str
    points: float
    possible: int


@dataclass(frozen=True)
class Match:
    """A contract line that can take the patient."""

    line: ContractLine
    wait_days: int | None
    distance_km: int
    reoperation_percent: Decimal | None
    parts: tuple[Part, ...]
    rank: int = 0

    @property
    def score(self) -> float:
        return round(sum(part.points for part in self.parts), 1)


@dataclass(frozen=True)
class LeftOut:
    """A contract line that cannot, with every reason."""

    line: ContractLine
    distance_km: int
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Matching:
    """The answer to one need."""

    need: Need
    matches: tuple[Match, ...] = ()
    left_out: tuple[LeftOut, ...] = field(default=())


def match(need: Need, *, today: date) -> Matching:
    """Rank the lines that cover the procedure; explain each rank and each one left out."""
    lines = list(_lines(need, today=today))
    reference_price = _median_price(lines)
    matches: list[Match] = []
    left_out: list[LeftOut] = []
    for line in lines:
        distance = great_circle_km(
            need.latitude, need.longitude, line.care_unit.latitude, line.care_unit.longitude
        )
        reasons = refusals(line, need, today=today)
        if reasons:
            left_out.append(LeftOut(line, distance, tuple(reasons)))
        else:
            matches.append(_scored(line, distance, reference_price))
    matches.sort(key=lambda m: (-m.score, m.distance_km, m.line.price_sek, m.line.pk))
    ranked = tuple(
        Match(m.line, m.wait_days, m.distance_km, m.reoperation_percent, m.parts, rank)
        for rank, m in enumerate(matches, start=1)
    )
    left_out.sort(key=lambda lo: (len(lo.reasons), lo.distance_km, lo.line.pk))
    return Matching(need, ranked, tuple(left_out))


def refusals(line: ContractLine, need: Need, *, today: date) -> list[str]:
    """Why the line cannot take the patient; empty when it can. The hard filters, all of them."""
    contract = line.contract
    reasons = []
    if contract.is_stopped:
        reasons.append(_("Avtalet är stoppat."))
    if today < contract.valid_from:
        reasons.append(_("Avtalet gäller först från %(day)s.") % {"day": contract.valid_from})
    if today > contract.valid_to:
        reasons.append(_("Avtalet gick ut %(day)s.") % {"day": contract.valid_to})
    if not line.care_unit.is_active:
        reasons.append(_("Enheten är stängd och tar inte emot nya patienter."))
    elif not line.is_active or not line.care_unit.receives:
        reasons.append(_("Enheten tar inte emot patienter på avtalet."))
    if need.region not in {region.code for region in contract.regions_allowed.all()}:
        reasons.append(_("Regionen får inte avropa på avtalet."))
    if not line.has_room_for(line.price_sek):
        reasons.append(_("Takvolymen på avropsraden är nådd."))
    if not contract.has_room_for(line.price_sek):
        reasons.append(_("Takvolymen på avtalet är nådd."))
    reasons.extend(
        _("Taket per %(period)s är nått.") % {"period": cap.get_period_display()}
        for cap in full_periods(line, day=today)
    )
    if need.asa > line.asa_ceiling:
        reasons.append(
            _("Tar emot ASA-klass %(ceiling)s som högst, patienten har ASA %(asa)s.")
            % {"ceiling": line.asa_ceiling, "asa": need.asa}
        )
    reasons.extend(age_refusals(line, need.age))
    return reasons


def age_refusals(line: ContractLine | FreeCapacity, age: int | None) -> Iterable[str]:
    if age is None:
        return
    if line.age_min is not None and age < line.age_min:
        yield _("Tar emot patienter från %(age)s år.") % {"age": line.age_min}
    if line.age_max is not None and age > line.age_max:
        yield _("Tar emot patienter till och med %(age)s år.") % {"age": line.age_max}


def _lines(need: Need, *, today: date) -> Iterable[ContractLine]:
    """The lines for the code, with newest wait and quality, in a fixed number of queries."""
    codes = covering_codes(need.kva)
    wait = (
        WaitingTime.objects.filter(
            care_unit=OuterRef("care_unit"),
            kva__in=codes,
            day__range=(today - timedelta(days=FRESH_DAYS), today),
            need_within_days=None,
        )
        .exclude(source=OWN_SOURCE)
        .order_by("-day", "-kva", "source")
    )
    quality = QualityMeasure.objects.filter(
        care_unit=OuterRef("care_unit"), kva__in=codes, year__lte=today.year
    ).order_by("-year", "-kva", "source")
    return with_current_periods(
        ContractLine.objects.covering(need.kva)
        .select_related("contract__owner_region", "care_unit__provider", "care_unit__municipality")
        .prefetch_related("contract__regions_allowed")
        .annotate(
            wait_days=Subquery(wait.values("median_days")[:1]),
            reoperation_percent=Subquery(quality.values("reoperation_percent")[:1]),
        ),
        day=today,
    )


def _median_price(lines: list[ContractLine]) -> Decimal:
    """The middle price of all lines for the code: what a price is held against."""
    prices = sorted(line.price_sek for line in lines)
    return prices[len(prices) // 2] if prices else Decimal(1)


def _scored(line: ContractLine, distance_km: int, reference_price: Decimal) -> Match:
    wait: int | None = line.wait_days  # type: ignore[attr-defined]
    reoperation: Decimal | None = line.reoperation_percent  # type: ignore[attr-defined]
    price_share = float(line.price_sek / reference_price)
    parts = (
        _part(
            "wait",
            _("Väntetid"),
            None if wait is None else wait / NO_POINTS["wait"],
            _("okänd väntetid") if wait is None else _("%(days)s dagar (median)") % {"days": wait},
        ),
        _part(
            "distance",
            _("Avstånd"),
            distance_km / NO_POINTS["distance"],
            _("%(km)s km fågelvägen") % {"km": distance_km},
        ),
        _part(
            "price",
            _("Pris"),
            price_share / NO_POINTS["price"],
            _("%(price)s kr, %(percent)s %% av medianpriset")
            % {
                "price": number_format(line.price_sek, 0, use_l10n=True, force_grouping=True),
                "percent": round(price_share * 100),
            },
        ),
        _part(
            "quality",
            _("Kvalitet"),
            None if reoperation is None else float(reoperation) / NO_POINTS["quality"],
            _("okänd andel reoperationer")
            if reoperation is None
            else _("%(percent)s %% reopererade inom två år")
            % {"percent": number_format(reoperation, 1)},
        ),
    )
    return Match(line, wait, distance_km, reoperation, parts)


def _part(key: str, name: str, share_lost: float | None, value: str) -> Part:
    """Points fall in a straight line from all to none; an unknown value gets a fixed share."""
    kept = UNKNOWN_SHARE if share_lost is None else max(0.0, 1.0 - share_lost)
    return Part(name, value, round(WEIGHTS[key] * kept, 1), WEIGHTS[key])
