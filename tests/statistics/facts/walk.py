"""Random histories of cases, walked through the services over months' borders and clock changes."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from django.utils import timezone

from contracts.models import CallOff, Contract, ContractLine
from contracts.services.call_offs import settle
from organisations.access import Actor, as_product
from organisations.errors import DomainError
from organisations.models import CareUnit, Funding, Region
from patients.services import ContactDetails
from referral import services
from referral.models import Case, CaseState, CloseReason, DeclineReason, Offer, Pause
from tests.factories import (
    STOCKHOLM,
    WAIT_IS_KNOWN,
    CareUnitFactory,
    ContractLineFactory,
    MunicipalityFactory,
    ProcedureFactory,
    RegionFactory,
    clinic_actor,
    identity_number,
    navigator_actor,
    provider_actor,
    submission,
)

S = CaseState
# Seconds beside midnight, the hour that is missing and the one that comes twice.
EDGES = (0, 1, 59, 3600 * 2, 3600 * 2 + 1800, 3600 * 3, 86399, 86399 - 3600)


@dataclass
class World:
    """A region with two clinics, three kinds of contract and everybody who acts."""

    random: Random
    start: datetime
    clinics: list[CareUnit]
    lines: list[ContractLine]
    navigator: Actor
    done: set[str] = field(default_factory=set)
    identities: int = 0
    clocks: dict[int, datetime] = field(default_factory=dict)
    forms: dict[int, Any] = field(default_factory=dict)

    @classmethod
    def make(cls, seed: int, start: datetime) -> "World":
        home, other = RegionFactory.create(code="13"), RegionFactory.create(code="14")
        MunicipalityFactory.create(region=home)
        MunicipalityFactory.create(region=home, code="1383", name="Varberg", latitude="57.1056")
        ProcedureFactory.create()
        both = {"contract__regions_allowed": [home, other], "contract__cap_volume": None}
        lines = [
            ContractLineFactory.create(contract__owner_region=home, cap_volume=None, **both),
            ContractLineFactory.create(contract__owner_region=other, cap_volume=None, **both),
            ContractLineFactory.create(
                contract__owner_region=home,
                contract__contract_type=Contract.Type.FREE_CHOICE,
                care_unit__region=home,
                cap_volume=None,
                **both,
            ),
        ]
        return cls(
            random=Random(seed),
            start=start,
            clinics=[CareUnitFactory.create(region=home, sends=True) for _ in range(2)],
            lines=lines,
            navigator=navigator_actor(home),
            identities=1000 * seed,
        )

    def new_case(self, **fixed: Any) -> Case:
        """A new form; some patients have several, none two that run for one procedure."""
        while True:
            self.identities += 1
            n = self.random.randrange(20)
            now = self._moment(self.start)
            born = date(1935 + 4 * n, 2, 28)
            said: dict[str, Any] = {
                # Of the other procedure the list knows nothing and nobody has a contract.
                "kva": self.random.choice([*["NGB49"] * 9, "NFB49"]),
                "svf": self.random.random() < 0.3,
                "home_wait_days": self.random.choice([None, 10, 60, 200]),
                "municipality": self.random.choice(["", "1380", "1383"]),
            }
            form = submission(
                today=timezone.localdate(now),
                identity_number=identity_number(self.identities, born=born),
                **(said | fixed),
            )
            unit = self.random.choice(self.clinics)
            try:
                case = services.submit(form, sending_unit=unit, actor=clinic_actor(unit), now=now)
            except DomainError:
                continue
            self.clocks[case.pk], self.forms[case.pk] = now, form
            return case

    def step(self, case: Case) -> None:
        """One thing that may happen to the case; what the rules refuse has not happened."""
        now = self.clocks[case.pk] = self._moment(self.clocks[case.pk], forward=True)
        case = Case.objects.get(pk=case.pk)
        verbs = [*_NEXT[CaseState(case.state)], "pause", "end_pause", "correct"]
        verb = self.random.choice(verbs)
        try:
            getattr(self, f"_{verb}")(case, now)
        except DomainError:
            return
        self.done.add(verb)

    def everything_once(self) -> None:
        """Cases that together do everything a month counts."""
        ends = [reason for reason in CloseReason.values if reason != CloseReason.TREATED]
        for reason in ends:
            self.follow("take", f"end {reason}")
        treated = ("accept", "confirm", "book", "treat", "settle", "close")
        for number, reason in enumerate(DeclineReason.values):
            self.follow("take", "offer", f"decline {reason}", f"offer {number % 3}", *treated)
        for reason in Pause.Reason.values:
            self.follow("take", f"pause {reason}", "offer", "expire", "offer", *treated)
        self.follow("take", "offer", "withdraw", "offer", "accept", "reject")
        self.follow("take", "offer", "accept", "wait", "confirm", "treat", "close")

    def follow(self, *steps: str) -> None:
        case = self.new_case(kva="NGB49", home_wait_days=200)
        for step in steps:
            verb, *how = step.split()
            days = 100 if verb == "wait" else self.random.randrange(6)
            now = self.clocks[case.pk] = self.clocks[case.pk] + timedelta(days=days, hours=1)
            if verb != "wait":
                getattr(self, f"_{verb}")(Case.objects.get(pk=case.pk), now, *how)

    def _moment(self, after: datetime, *, forward: bool = False) -> datetime:
        days = self.random.choice([0, 0, 1, 2, 5, 9, 20] if forward else range(50))
        day = (after.astimezone(STOCKHOLM) + timedelta(days=days)).date()
        edge = self.random.choice([*EDGES, self.random.randrange(86400)])
        midnight = datetime(day.year, day.month, day.day, tzinfo=STOCKHOLM)
        moment = midnight.astimezone(timezone.get_default_timezone()) + timedelta(seconds=edge)
        return max(moment, after + timedelta(minutes=7)) if forward else moment

    def _offer_of(self, case: Case) -> Offer:
        return case.offers.latest("serial")

    def _provider(self, case: Case) -> Actor:
        assert case.receiving_unit is not None
        return provider_actor(case.receiving_unit.provider)

    def _take(self, case: Case, now: datetime) -> None:
        services.take(case, actor=self.navigator, now=now)

    def _return(self, case: Case, now: datetime) -> None:
        services.return_to_clinic(case, missing="BMI", actor=self.navigator, now=now)

    def _resubmit(self, case: Case, now: datetime) -> None:
        actor = clinic_actor(case.sending_unit)
        services.resubmit(case, self.forms[case.pk], actor=actor, now=now)

    def _end(self, case: Case, now: datetime, reason: str = "") -> None:
        reasons = [r for r in CloseReason.values if r != CloseReason.TREATED]
        reason = reason or self.random.choice(reasons)
        services.end(case, reason=reason, comment="", actor=self.navigator, now=now)

    def _leave(self, case: Case, now: datetime) -> None:
        services.leave_list(case, channel="phone", actor=self.navigator, now=now)

    def _park(self, case: Case, now: datetime) -> None:
        services.park(
            case,
            waits_for="plats",
            review_on=timezone.localdate(now) + timedelta(days=9),
            actor=self.navigator,
            now=now,
        )

    def _unpark(self, case: Case, now: datetime) -> None:
        services.unpark(case, actor=self.navigator, now=now)

    def _offer(self, case: Case, now: datetime, which: str = "") -> None:
        line = self.lines[int(which)] if which else self.random.choice(self.lines)
        # The region changes its mind; an offer keeps what it was.
        Region.objects.update(funding=self.random.choice(["", *Funding.values]))
        services.send_offer(case, line=line, actor=self.navigator, now=now, wishes=WAIT_IS_KNOWN)

    def _accept(self, case: Case, now: datetime) -> None:
        services.answer_offer(
            self._offer_of(case), accepted=True, channel="phone", actor=self.navigator, now=now
        )

    def _decline(self, case: Case, now: datetime, reason: str = "") -> None:
        services.answer_offer(
            self._offer_of(case),
            accepted=False,
            channel="letter",
            reason=reason or self.random.choice(DeclineReason.values),
            actor=self.navigator,
            now=now,
        )

    def _withdraw(self, case: Case, now: datetime) -> None:
        services.withdraw_offer(self._offer_of(case), why="fel", actor=self.navigator, now=now)

    def _expire(self, case: Case, now: datetime) -> None:
        after = self._offer_of(case).due_at + timedelta(hours=self.random.randrange(30))
        self.clocks[case.pk] = max(after, now)
        with as_product("test"):
            services.expire_offers(now=self.clocks[case.pk])

    def _confirm(self, case: Case, now: datetime) -> None:
        services.confirm(case, actor=self._provider(case), now=now)

    def _reject(self, case: Case, now: datetime) -> None:
        services.reject(
            case, reason="no_capacity", comment="Fullt.", actor=self._provider(case), now=now
        )

    def _book(self, case: Case, now: datetime) -> None:
        later = now + timedelta(days=self.random.randrange(1, 60))
        services.book(case, booked_for=later, actor=self._provider(case), now=now)

    def _treat(self, case: Case, now: datetime) -> None:
        today = timezone.localdate(now)
        on = today - timedelta(days=self.random.randrange(3))
        services.treat(case, treated_on=on, actor=self._provider(case), now=now)

    def _settle(self, case: Case, now: datetime) -> None:
        with as_product("test"):
            call_off = CallOff.objects.filter(offer__case=case).last()
            amount = Decimal(self.random.randrange(1, 10_000_000)) / 100
            if call_off is not None:
                settle(call_off, amount_sek=amount, now=now)

    def _close(self, case: Case, now: datetime) -> None:
        services.close(case, back_referral="Åter.", actor=self._provider(case), now=now)

    def _pause(self, case: Case, now: datetime, reason: str = "") -> None:
        today = timezone.localdate(now)
        first = today - timedelta(days=self.random.randrange(12))
        services.pause(
            case,
            reason=reason or self.random.choice(Pause.Reason.values),
            first_day=max(first, case.guarantee_start),
            until=self.random.choice([None, today]),
            comment="",
            actor=self.navigator,
            now=now,
        )

    def _end_pause(self, case: Case, now: datetime) -> None:
        today = timezone.localdate(now)
        services.end_pause(case, last=today, actor=self.navigator, now=now)

    def _correct(self, case: Case, now: datetime) -> None:
        home = MunicipalityFactory.create(region=case.region)
        contact = ContactDetails(
            given_name="Rätt", family_name=f"Namn {self.random.random()}", municipality=home
        )
        services.correct_patient(case, contact=contact, reason="fel", actor=self.navigator, now=now)


# Twice what leads on, so that some cases reach the end.
_NEXT: dict[CaseState, list[str]] = {
    S.RECEIVED: ["take", "take", "take", "take", "return", "end"],
    S.RETURNED: ["resubmit", "resubmit", "end"],
    S.IN_PROGRESS: ["offer", "offer", "offer", "offer", "offer", "park", "end"],
    S.WATCHED: ["unpark", "unpark", "leave"],
    S.OFFERED: [*["accept"] * 6, "decline", "decline", "withdraw", "expire", "leave"],
    S.ACCEPTED: ["confirm", "confirm", "confirm", "reject"],
    S.CONFIRMED: ["book", "book", "treat", "reject"],
    S.BOOKED: [*["treat"] * 4, "book", "reject"],
    S.TREATED: ["close", "close", "settle", "settle"],
    S.CLOSED: ["settle"],
}
