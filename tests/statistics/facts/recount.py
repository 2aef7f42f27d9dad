"""The slow way: every figure of a month, counted from the objects in plain Python.

Shares no code with statistics.facts or statistics.monthly: definitions are read from
statistics.monthly.measures by eye, not by import.
"""

from collections import defaultdict
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from math import asin, cos, radians, sin, sqrt
from typing import Any
from zoneinfo import ZoneInfo

from contracts.models import Procedure
from referral.models import Case, CaseLog, Offer, Referral

STOCKHOLM = ZoneInfo("Europe/Stockholm")

# (dimension, key) → measure → (n, value, median, p80, low, high)
Recounted = dict[tuple[str, str], dict[str, tuple[Any, ...]]]

MONEY = {"cost", "cost_per_patient"}
SUMS = {"days_gained", "cost", "pause_patient_days", "pause_medical_days"}
MEANS = {"cost_per_patient"}


def day_of(moment: datetime) -> date:
    return moment.astimezone(STOCKHOLM).date()


def recount(region: str, year: int, month: int) -> Recounted:
    counts: dict[Any, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    values: dict[Any, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    following = date(year + month // 12, month % 12 + 1, 1)
    last = following - timedelta(days=1)

    def inside(when: date | datetime | None) -> bool:
        if when is None:
            return False
        day = day_of(when) if isinstance(when, datetime) else when
        return (day.year, day.month) == (year, month)

    for case in Case.objects.filter(region_id=region):
        places = _places_of_case(case)
        offers = list(Offer.objects.filter(case=case).order_by("serial"))
        accepted = [o for o in offers if o.state == "accepted"]
        received_by = _places_of_offer(accepted[0]) if accepted else _NO_PLACE
        log = list(CaseLog.objects.filter(case=case).order_by("at", "pk"))

        def count(measure: str, places: Any) -> None:
            for place in places:
                counts[place][measure] += 1

        def value(measure: str, number: Any, places: Any) -> None:
            for place in places:
                values[place][measure].append(number)

        _count_case(case, offers, accepted, log, places, received_by, inside, last, count, value)
        for offer in offers:
            where = places | _places_of_offer(offer)
            _count_offer(case, offer, where, inside, count, value)
    return _finished(region, counts, values)


def _count_case(
    case: Case,
    offers: list[Offer],
    accepted: list[Offer],
    log: list[CaseLog],
    places: set[tuple[str, str]],
    received_by: set[tuple[str, str]],
    inside: Callable[[Any], bool],
    last: date,
    count: Callable[[str, Any], None],
    value: Callable[[str, Any, Any], None],
) -> None:
    if inside(case.received_at):
        count("received", places)
    came = day_of(case.received_at)
    if came <= last and (case.closed_at is None or day_of(case.closed_at) > last):
        count("in_work", places)
        value("open_age", (last - came).days, places)
    takes = [entry.at for entry in log if entry.verb == "take"]
    if takes and inside(takes[0]):
        value("take_days", _days(case.received_at, takes[0]), places)
    if offers:
        first = min(o.sent_at for o in offers)
        if inside(first):
            since = takes[0] if takes else case.received_at
            value("first_offer_days", _days(since, first), places)
    if accepted:
        referral = Referral.objects.get(offer=accepted[0])
        books = [e.at for e in log if e.verb == "book" and e.at >= accepted[0].answered_at]
        if books and inside(books[0]):
            value("book_days", _days(referral.confirmed_at, books[0]), places | received_by)
    if inside(case.closed_at):
        where = places | received_by
        count("closed", where)
        count(f"closed_{case.close_reason}", where)
        treated_on = Referral.objects.get(offer=accepted[0]).treated_on if accepted else None
        if treated_on:
            value("close_days", (day_of(case.closed_at) - treated_on).days, where)
    if inside(case.clock_stopped_on):
        for reason in ("patient", "medical"):
            days = 0
            for pause in case.pauses.filter(reason=reason):
                end = pause.last_day or case.clock_stopped_on
                days += max(0, (end - pause.first_day).days + 1)
            if days:
                value(f"pause_{reason}_days", days, places | received_by)


def _count_offer(
    case: Case,
    offer: Offer,
    where: set[tuple[str, str]],
    inside: Callable[[Any], bool],
    count: Callable[[str, Any], None],
    value: Callable[[str, Any, Any], None],
) -> None:
    if inside(offer.sent_at):
        count("offered", where)
    if offer.answer_channel and inside(offer.answered_at):
        count("answered", where)
        if offer.decline_reason:
            count("declined", where)
            count(f"declined_{offer.decline_reason}", where)
        else:
            count("accepted", where)
        hours = (offer.answered_at - offer.sent_at).total_seconds() / 3600
        value("answer_hours", hours, where)
    if offer.state in ("expired", "withdrawn") and inside(offer.call_off.released_at):
        count(offer.state, where)
    referral = Referral.objects.filter(offer=offer).first()
    if referral is None:
        return
    if inside(referral.confirmed_at):
        count("confirmed", where)
        value("handling_days", _days(case.received_at, referral.confirmed_at), where)
        value("confirm_days", _days(offer.answered_at, referral.confirmed_at), where)
    if inside(referral.rejected_at):
        count("rejected", where)
    if inside(referral.treated_on):
        _count_treated(case, offer, referral, where, count, value)


def _count_treated(
    case: Case, offer: Offer, referral: Referral, where: Any, count: Any, value: Any
) -> None:
    treated_on = referral.treated_on
    contract = offer.line.contract
    count("treated", where)
    ended = case.clock_stopped_on
    if case.paused_from and case.paused_from <= ended:
        ended = case.paused_from
    kept = ended <= case.last_day
    sent_on = day_of(offer.sent_at)
    if kept:
        count("kept", where)
    else:
        count("breaches_not_avoided", where)
    if offer.home_wait_days is not None:
        at_home = sent_on + timedelta(days=offer.home_wait_days)
        if kept and at_home > case.last_day:
            count("breaches_avoided", where)
        value("days_gained", offer.home_wait_days - (treated_on - sent_on).days, where)
    if contract.contract_type == "free_choice":
        count("treated_free_choice", where)
    elif contract.owner_region_id == case.region_id:
        count("treated_own", where)
    else:
        count("treated_others", where)
    if offer.funding:
        count(f"funding_{offer.funding}", where)
    if offer.care_unit.region_id != case.region_id:
        count("treated_elsewhere", where)
    value("wait_days", (treated_on - case.decision_date).days, where)
    value("treat_days", (treated_on - day_of(referral.confirmed_at)).days, where)
    value("cost", offer.call_off.amount_sek, where)
    value("cost_per_patient", offer.call_off.amount_sek, where)
    home = case.patient.municipality or case.region
    value("distance_km", _km(home, offer.care_unit), where)


_NO_PLACE = {("provider", ""), ("contract", "")}


def _places_of_case(case: Case) -> set[tuple[str, str]]:
    patient = case.patient
    procedure = Procedure.objects.filter(kva=case.kva).first()
    area = procedure.medical_area_id if procedure else case.sending_unit.medical_area_id
    return {
        ("region", case.region_id),
        ("clinic", str(case.sending_unit_id)),
        ("mvo", area or ""),
        ("procedure", case.kva),
        ("municipality", patient.municipality_id or ""),
        ("age", _age_group(patient.birth_date, day_of(case.received_at))),
        ("sex", patient.sex),
        ("svf", "1" if case.svf else "0"),
    }


def _places_of_offer(offer: Offer) -> set[tuple[str, str]]:
    return {
        ("provider", str(offer.care_unit.provider_id)),
        ("contract", str(offer.line.contract_id)),
    }


def _age_group(born: date | None, day: date) -> str:
    if born is None:
        return ""
    years = day.year - born.year
    if (day.month, day.day) < (born.month, born.day):
        years -= 1
    for name, below in (("0-17", 18), ("18-39", 40), ("40-64", 65), ("65-79", 80)):
        if years < below:
            return name
    return "80-"


def _days(first: datetime, later: datetime) -> float:
    return (later - first).total_seconds() / 86400


def _km(one: Any, other: Any) -> int:
    a, b = radians(one.latitude), radians(other.latitude)
    c = radians(other.longitude - one.longitude)
    h = sin((b - a) / 2) ** 2 + cos(a) * cos(b) * sin(c / 2) ** 2
    return round(2 * 6371.0088 * asin(sqrt(h)))


def _part(numbers: list[Any], part: float) -> float:
    ordered = sorted(float(n) for n in numbers)
    place = (len(ordered) - 1) * part
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def _interval(k: int, n: int) -> tuple[float, float]:
    z, p = 1.959963984540054, k / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    reach = z / (1 + z * z / n) * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return max(0.0, 100 * (middle - reach)), min(100.0, 100 * (middle + reach))


def _finished(region: str, counts: Any, values: Any) -> Recounted:
    found: Recounted = {("region", region): {}}
    for place in {*counts, *values}:
        row: dict[str, tuple[Any, ...]] = {}
        c = counts[place]
        for measure, n in c.items():
            if measure != "kept":
                row[measure] = (n, n, None, None, None, None)
        for measure, numbers in values[place].items():
            middle, p80 = _part(numbers, 0.5), _part(numbers, 0.8)
            if measure in SUMS:
                headline = sum(numbers, start=Decimal(0) if measure in MONEY else 0)
            elif measure in MEANS:
                headline = sum(numbers, start=Decimal(0)) / len(numbers)
            else:
                headline = middle
            row[measure] = (len(numbers), headline, middle, p80, None, None)
        for measure, k, n in (
            ("answered_share", c["answered"], c["answered"] + c["expired"]),
            ("accepted_share", c["accepted"], c["answered"]),
            ("kept_share", c["kept"], c["treated"]),
            ("own_contract_share", c["treated_own"], c["treated"]),
            ("other_region_share", c["treated_elsewhere"], c["treated"]),
        ):
            if n:
                row[measure] = (n, 100 * k / n, None, None, *_interval(k, n))
        found[place] = row
    return found
