"""Lead times of the region's patients in cancer pathways, by pathway, border and step.

Those who see figures only get small numbers hidden: each table is a column of counts with the
same sum, and a share hides what would give its numerator or remainder away.
"""

from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notices.texts.comparing import Share, wilson
from organisations.access import Actor, as_product
from organisations.errors import NotAllowed
from organisations.models import Region, Role
from organisations.suppression import suppress
from referral.models import Offer, Phase
from referral.pathways import LimitKey, pathway_names
from statistics.hiding import treated_after_few
from statistics.open_data.disclosure import hidden_shares
from statistics.open_data.models import NATION
from statistics.pathways.halves import HalfYear
from statistics.pathways.models import PathwayLimit
from statistics.pathways.own import Own, Shown, own_figures
from statistics.periods import period_tells_of_small

# Socialstyrelsen's report of regions' work with SVF, 2025: the national goals.
LEAD_TIME_GOAL = 80
INCLUSION_GOAL = 70
FEWEST = 5

MAY_SEE = frozenset({Role.MANAGER, Role.REGION_ADMIN, Role.NAVIGATOR})
SEES_CASES = frozenset({Role.NAVIGATOR})

STEPS = {
    "suspicion_to_decision": gettext_lazy("Välgrundad misstanke till beslut"),
    "decision_to_form": gettext_lazy("Beslut till mottagen blankett"),
    "form_to_confirmation": gettext_lazy("Mottagen blankett till remissbekräftelse"),
    "confirmation_to_visit": gettext_lazy("Remissbekräftelse till första besök"),
    "confirmation_to_treatment": gettext_lazy("Remissbekräftelse till behandling"),
    "suspicion_to_visit": gettext_lazy("Hela tiden: misstanke till första besök"),
    "suspicion_to_treatment": gettext_lazy("Hela ledtiden: misstanke till behandling"),
}


@dataclass(frozen=True)
class Lead:
    """One patient's way: who it is does not stand here."""

    pathway: str
    treatment: str
    home: str
    place: str
    steps: dict[str, int]

    @property
    def whole(self) -> int | None:
        """Days from suspicion to the start of treatment; ``None`` where only a visit was sought."""
        return self.steps.get("suspicion_to_treatment")


@dataclass
class Row:
    """A group's figures; ``None``: unknown or hidden."""

    key: str
    label: str
    n: int | None
    # How many of them sought treatment; what the times rest on, not shown.
    whole: int = 0
    is_home: bool = False
    hidden: bool = False
    median: float | None = None
    p80: float | None = None
    of: int | None = None
    share: Share | None = None
    share_hidden: bool = False

    @property
    def reaches(self) -> bool | None:
        return None if self.share is None else self.share.percent >= LEAD_TIME_GOAL


@dataclass
class Pathways:
    """A half-year's page."""

    period: HalfYear
    region: str
    total: Row
    by_pathway: list[Row]
    by_border: list[Row]
    by_flow: list[Row]
    steps: list[Row]
    # What the region has told of all its patients, not only of those brokered here.
    own: Own
    suppressed: bool
    without_pathway: int | None

    @property
    def inclusion_share(self) -> Share | None:
        total = self.own.inclusion.total
        return total.share if total else None


def may_see(actor: Actor) -> bool:
    return actor.role in MAY_SEE and bool(actor.region)


@as_product("cancer pathways")
def pathways_for(actor: Actor, *, period: HalfYear) -> Pathways:
    """The figures of those whose visit or treatment was within the half-year."""
    if not may_see(actor):
        raise NotAllowed(_("Din roll ser ingen statistik."))
    hide = actor.role not in SEES_CASES
    leads, unknown, by_month = _leads(actor.region or "", period)
    limits = limits_of(actor.region or "")
    names = pathway_names()
    regions = dict(Region.objects.values_list("code", "short_name"))
    groups: list[tuple[Callable[[Lead], str], Callable[[str], str]]] = [
        (lambda one: one.pathway, lambda key: names.get(key, key)),
        (
            lambda one: "within" if one.home == one.place else "across",
            lambda key: _("Inom hemregionen") if key == "within" else _("I en annan region"),
        ),
        (lambda one: one.place, lambda key: f"{regions.get(actor.region or '')} → {regions[key]}"),
    ]
    tables = [_grouped(leads, by, label, limits) for by, label in groups]
    total = _row("all", _("Alla"), leads, limits)
    if hide:
        # The months' pages show those in SVF, by month: with a pathway or not, within and across.
        secret = (
            0 < unknown < FEWEST
            or period_tells_of_small(by_month)
            or treated_after_few(actor.region or "", period.months)
        )
        _hide(tables[0], tables[1], tables[2], total, secret=secret)
    own = own_figures(
        actor.region or "",
        period,
        goals=(INCLUSION_GOAL, LEAD_TIME_GOAL),
        hide=hide,
        brokered=_shown(total, tables[0]),
    )
    return Pathways(
        period=period,
        region=actor.region or "",
        total=total,
        by_pathway=tables[0],
        by_border=tables[1],
        by_flow=tables[2],
        steps=_steps(leads, hide=hide),
        own=own,
        suppressed=hide,
        without_pathway=None if hide and 0 < unknown < FEWEST else unknown,
    )


Limits = dict[tuple[str, str], int]


def limits_of(region: str) -> Limits:
    """The maximum lead times that hold in the region, days, by pathway and treatment."""
    rows = PathwayLimit.objects.filter(region_id=region).holding()
    return {(one.pathway, one.treatment): one.days for one in rows}


@as_product("maximum lead times of cases")
def limits_among(keys: Collection[LimitKey]) -> dict[LimitKey, int]:
    """The maximum lead times that hold, days, for who sees the cases: no number of patients."""
    rows = PathwayLimit.objects.filter(
        region_id__in={region for region, _pathway, _treatment in keys},
        pathway__in={pathway for _region, pathway, _treatment in keys},
    ).holding()
    found = {(one.region_id, one.pathway, one.treatment): one.days for one in rows}
    return {key: found[key] for key in keys if key in found}


def _shown(total: Row, by_pathway: Sequence[Row]) -> dict[str, Shown]:
    """What is told of the brokered patients, after hiding."""
    found = {}
    for key, row in (("", total), *((row.key, row) for row in by_pathway)):
        if row.n:
            of = row.of if row.of and row.share else 0
            within = round(row.share.percent * of / 100) if row.share else 0
            found[key] = Shown(row.n, of, within)
    return found


def _leads(region: str, period: HalfYear) -> tuple[list[Lead], int, list[list[int]]]:
    """The region's patients in SVF, how many of them have no pathway told, and by month how many
    were treated within the region and across its border."""
    rows = (
        Offer.objects.filter(
            case__region_id=region,
            case__svf=True,
            referral__treated_on__range=(period.first_day, period.last_day),
            referral__rejected_at__isnull=True,
        )
        .order_by("pk")
        .annotate(
            confirmed=F("referral__confirmed_at"),
            treated=F("referral__treated_on"),
            place=F("care_unit__region_id"),
        )
        .values(
            *("case_id", "case__svf_pathway", "case__suspicion_date", "case__svf_treatment"),
            *("case__phase", "case__decision_date", "case__received_at"),
            *("confirmed", "treated", "place"),
        )
    )
    leads: dict[Hashable, Lead | None] = {}
    by_month: dict[int, list[int]] = {}
    for row in rows:
        by_month.setdefault(row["treated"].month, [0, 0])[row["place"] != region] += 1
        known = row["case__svf_pathway"] and row["case__suspicion_date"]
        leads[row["case_id"]] = _lead(region, row) if known else None
    found = [lead for lead in leads.values() if lead is not None]
    return found, len(leads) - len(found), list(by_month.values())


def _lead(region: str, row: dict[str, Any]) -> Lead:
    suspicion, decision = row["case__suspicion_date"], row["case__decision_date"]
    received, confirmed = _day(row["case__received_at"]), _day(row["confirmed"])
    aim = "treatment" if row["case__phase"] == Phase.TREATMENT else "visit"
    ends: dict[str, tuple[date | None, date | None]] = {
        "suspicion_to_decision": (suspicion, decision),
        "decision_to_form": (decision, received),
        "form_to_confirmation": (received, confirmed),
        f"confirmation_to_{aim}": (confirmed, row["treated"]),
        f"suspicion_to_{aim}": (suspicion, row["treated"]),
    }
    steps = {name: (end - start).days for name, (start, end) in ends.items() if start and end}
    return Lead(row["case__svf_pathway"], row["case__svf_treatment"], region, row["place"], steps)


def _day(at: datetime | None) -> date | None:
    return None if at is None else timezone.localdate(at)


def _grouped(
    leads: Sequence[Lead],
    by: Callable[[Lead], str],
    label: Callable[[str], str],
    limits: Limits,
) -> list[Row]:
    groups: dict[str, list[Lead]] = {}
    for lead in leads:
        groups.setdefault(by(lead), []).append(lead)
    rows = [_row(key, label(key), group, limits) for key, group in groups.items()]
    return sorted(rows, key=lambda row: row.label)


def _row(key: str, label: str, leads: Sequence[Lead], limits: Limits) -> Row:
    whole = [lead for lead in leads if lead.whole is not None]
    is_home = all(lead.home == lead.place for lead in leads)
    row = Row(key, label, len(leads), whole=len(whole), is_home=is_home)
    _times(row, [lead.whole or 0 for lead in whole])
    limited = [lead for lead in whole if (lead.pathway, lead.treatment) in limits]
    if limited:
        row.of = len(limited)
        row.share = wilson(
            sum((one.whole or 0) <= limits[one.pathway, one.treatment] for one in limited),
            len(limited),
        )
    return row


def _times(row: Row, days: Iterable[int]) -> None:
    ordered = sorted(days)
    if ordered:
        row.median, row.p80 = _quantile(ordered, 0.5), _quantile(ordered, 0.8)


def _quantile(ordered: Sequence[int], part: float) -> float:
    """Continuous, as PostgreSQL's ``percentile_cont``."""
    place = part * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


def _steps(leads: Sequence[Lead], *, hide: bool) -> list[Row]:
    """Each step of all patients together; the number of a step is told when it is not small."""
    rows = []
    for name, label in STEPS.items():
        days = [lead.steps[name] for lead in leads if name in lead.steps]
        row = Row(name, str(label), len(days))
        if hide and 0 < len(days) < FEWEST:
            row = Row(name, str(label), None, hidden=True)
        else:
            _times(row, days)
            # How many sought a visit or a treatment would add up to all of them.
            row.n = None if hide else row.n
        rows.append(row)
    return rows


def _hide(
    by_pathway: list[Row],
    by_border: list[Row],
    by_flow: list[Row],
    total: Row,
    *,
    secret: bool = False,
) -> None:
    """The tables have the same sum: what hides it in one, or on another page, hides it in all.

    Within the region is one of the flows, and across is all less that: the borders show no more
    than the flows do.
    """
    tables = (by_pathway, by_flow)
    counts = [[row.n or 0 for row in table] for table in tables]
    secret = secret or any(suppress(one)[1] for one in counts) or 0 < (total.n or 0) < FEWEST
    columns = [suppress(column, hide_total=secret)[0] for column in counts]
    shares = [_hidden_shares(*one) for one in zip(tables, columns, strict=True)]
    # The tables tell of the same patients: a sum that one must not show none may show.
    no_shares = secret or any(NATION in hidden for hidden in shares)
    for table, away, hidden in zip(tables, columns, shares, strict=True):
        for row, is_away in zip(table, away, strict=True):
            if no_shares or row.key in hidden:
                _clear_share(row)
            _clear(row, hidden=is_away)
    home = next((row for row in by_flow if row.is_home), None)
    for row in by_border:
        if no_shares or (home is not None and home.share_hidden):
            _clear_share(row)
        _clear(row, hidden=secret or (home is not None and home.hidden))
    if no_shares:
        _clear_share(total)
    _clear(total, hidden=secret)


def _hidden_shares(table: list[Row], away: Sequence[bool]) -> set[str]:
    bases = {row.key: row.of or 0 for row in table}
    counts = {
        row.key: round((row.share.percent if row.share else 0) * (row.of or 0) / 100)
        for row in table
    }
    gone = {row.key for row, hidden in zip(table, away, strict=True) if hidden}
    # Those without a limit are the number less those with one.
    rests = [(row.n or 0) - (row.of or 0) for row in table]
    if any(0 < rest < FEWEST for rest in (*rests, sum(rests))):
        return {NATION}
    return hidden_shares(counts, bases, gone)


def _clear(row: Row, *, hidden: bool) -> None:
    if hidden:
        row.n, row.hidden = None, True
        _clear_share(row)
    if hidden or 0 < row.whole < FEWEST:
        row.median = row.p80 = None


def _clear_share(row: Row) -> None:
    if row.of:
        row.share_hidden = True
    row.share = row.of = None
