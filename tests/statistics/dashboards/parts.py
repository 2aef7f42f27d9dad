"""A region with cases at every stage, in the spring of 2026."""

from datetime import timedelta
from typing import Any

from referral import services
from referral.models import CaseState, CloseReason
from statistics.months import Month
from tests.factories import ContractLineFactory, MadeCase, make_case, stockholm

MONTH = Month(2026, 3)
NOW = stockholm(2026, 3, 10, 12)
TODAY = NOW.date()
S = CaseState


def busy_region(region: Any) -> list[MadeCase]:
    """Two clinics; some go on to treatment, some say no, some leave, some wait without contract."""
    line = ContractLineFactory(kva="NGB", contract__owner_region=region, contract__cap_volume=None)
    made: list[MadeCase] = []
    unit = None
    states = [S.RECEIVED, S.IN_PROGRESS, S.OFFERED, S.ACCEPTED, S.CONFIRMED, S.BOOKED]
    for number, state in enumerate([*states, *[S.TREATED] * 7, *[S.CLOSED] * 2]):
        at = NOW - timedelta(days=40 if number % 5 == 0 else 0)
        one = make_case(state, now=at, region=region, line=line, unit=unit)
        unit = one.unit if number < 9 else None
        made.append(one)
    declined = make_case(S.OFFERED, now=NOW, region=region, line=line, unit=made[0].unit)
    assert declined.offer
    services.answer_offer(
        declined.offer,
        accepted=False,
        channel="phone",
        reason="travel",
        actor=declined.navigator,
        now=NOW,
    )
    services.end(
        declined.refresh(),
        reason=CloseReason.WAITS_BY_CHOICE,
        comment="",
        actor=declined.navigator,
        now=NOW,
    )
    # ASA 4 is more than the line takes: waits without contract.
    lacking = make_case(S.IN_PROGRESS, now=NOW, region=region, line=line, unit=made[0].unit, asa=4)
    return [*made, declined, lacking]
