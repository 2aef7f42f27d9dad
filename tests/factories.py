"""Small builders of what tests need. The factories write rows, ``make_case`` walks the services.

Times: everything takes ``now``; without it the real clock counts, so that pages, which read the
clock themselves, find contracts live and offers standing.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone

from contracts.models import ContractLine
from organisations.access import Actor, actor_in
from organisations.models import Assignment, CareUnit, Provider, Region, Role, User
from patients.models import Patient
from referral import services
from referral.models import AnswerChannel, Case, CaseState, Certificate, Offer, Phase
from referral.submission import Submission
from referral.texts import Wishes
from tests.rows import (
    LONG_AGO,
    CareUnitFactory,
    ContractFactory,
    ContractLineFactory,
    FreeCapacityFactory,
    MatchingWeightsFactory,
    MedicalAreaFactory,
    MunicipalityFactory,
    PatientFactory,
    ProcedureFactory,
    ProviderFactory,
    QualityMeasureFactory,
    RegionFactory,
    UserFactory,
    WaitingTimeFactory,
    identity_number,
)

__all__ = [
    "LONG_AGO",
    "STOCKHOLM",
    "CareUnitFactory",
    "ContractFactory",
    "ContractLineFactory",
    "FreeCapacityFactory",
    "MadeCase",
    "MatchingWeightsFactory",
    "MedicalAreaFactory",
    "MunicipalityFactory",
    "PatientFactory",
    "ProcedureFactory",
    "ProviderFactory",
    "QualityMeasureFactory",
    "RegionFactory",
    "UserFactory",
    "WaitingTimeFactory",
    "actor_with",
    "advance",
    "clinic_actor",
    "contract_owner_actor",
    "identity_number",
    "integration_actor",
    "make_case",
    "manager_actor",
    "navigator_actor",
    "operator_actor",
    "provider_actor",
    "region_admin_actor",
    "stockholm",
    "submission",
    "user_of",
]

STOCKHOLM = ZoneInfo("Europe/Stockholm")


def stockholm(*when: int) -> datetime:
    """An aware time in Swedish local time: ``stockholm(2026, 3, 29, 8)``."""
    return datetime(*when, tzinfo=STOCKHOLM)  # type: ignore[arg-type,misc]


def user_of(actor: Actor) -> User:
    """The user behind an actor, for ``client.force_login``."""
    assert actor.user_id is not None
    return User.objects.get(pk=actor.user_id)


def actor_with(role: Role, **where: Any) -> Actor:
    """A new user with one live assignment; ``where`` is region, care_unit and provider."""
    user = UserFactory.create()
    assignment = Assignment.objects.create(user=user, role=role, starts_at=LONG_AGO, **where)
    return actor_in(user, assignment)


def clinic_actor(unit: CareUnit) -> Actor:
    return actor_with(Role.CLINIC, care_unit=unit, region=unit.region)


def navigator_actor(region: Region) -> Actor:
    return actor_with(Role.NAVIGATOR, region=region)


def provider_actor(place: Provider | CareUnit) -> Actor:
    """Someone at the whole provider, or at one of its units only."""
    if isinstance(place, CareUnit):
        return actor_with(Role.PROVIDER, provider=place.provider, care_unit=place)
    return actor_with(Role.PROVIDER, provider=place)


def contract_owner_actor(region: Region) -> Actor:
    return actor_with(Role.CONTRACT_OWNER, region=region)


def manager_actor(region: Region) -> Actor:
    return actor_with(Role.MANAGER, region=region)


def region_admin_actor(region: Region) -> Actor:
    return actor_with(Role.REGION_ADMIN, region=region)


def operator_actor() -> Actor:
    return actor_with(Role.OPERATOR)


def integration_actor(region: Region, unit: CareUnit | None = None) -> Actor:
    return actor_with(Role.INTEGRATION, region=region, care_unit=unit)


_identities = iter(range(100_000, 500_000))


# No register tells the wait of the units that tests make: the navigator has asked.
WAIT_IS_KNOWN = Wishes(expected_wait_days=30)


def submission(*, today: date | None = None, **overrides: Any) -> Submission:
    """A form that holds, for a new patient; ``today`` places referral and decision before it."""
    today = today or timezone.localdate()
    values: dict[str, Any] = {
        "identity_number": identity_number(next(_identities)),
        "given_name": "Test",
        "family_name": "Testsson",
        "kva": "NGB49",
        "icd10": "M17.1",
        "phase": Phase.TREATMENT,
        "referral_date": today - timedelta(days=20),
        "decision_date": today - timedelta(days=10),
        "asa": 2,
        "transferable": True,
        "home_wait_days": 200,
        "clinician": "Doktor Prov",
    }
    return Submission(**(values | overrides))


@dataclass
class MadeCase:
    """A case with the people around it. ``advance`` walks it on."""

    case: Case
    line: ContractLine
    unit: CareUnit
    clinic: Actor
    navigator: Actor
    provider: Actor
    submission: Submission
    offer: Offer | None = None

    @property
    def patient(self) -> Patient:
        return self.case.patient

    @property
    def certificate(self) -> Certificate:
        return self.case.certificates.latest("serial")

    def refresh(self) -> Case:
        """Read the case anew, with nothing cached."""
        self.case = Case.objects.get(pk=self.case.pk)
        if self.offer:
            self.offer.refresh_from_db()
        return self.case


# The state before, on the straight way from form to closed.
_BEFORE = {
    CaseState.RETURNED: CaseState.RECEIVED,
    CaseState.IN_PROGRESS: CaseState.RECEIVED,
    CaseState.WATCHED: CaseState.IN_PROGRESS,
    CaseState.OFFERED: CaseState.IN_PROGRESS,
    CaseState.ACCEPTED: CaseState.OFFERED,
    CaseState.CONFIRMED: CaseState.ACCEPTED,
    CaseState.BOOKED: CaseState.CONFIRMED,
    CaseState.TREATED: CaseState.BOOKED,
    CaseState.CLOSED: CaseState.TREATED,
}


def advance(made: MadeCase, state: CaseState, *, now: datetime | None = None) -> MadeCase:
    """Walk the case on to ``state`` through the services, all at ``now``."""
    now = now or timezone.now()
    if made.refresh().state != state:
        _walk(made, state, now=now)
        made.refresh()
    return made


def _walk(made: MadeCase, state: CaseState, *, now: datetime) -> None:
    """The services read the case that they lock; ours only has to say where it stands."""
    before = _BEFORE[state]
    if made.case.state != before:
        _walk(made, before, now=now)
    _step(made, state, now=now)
    made.case.state = state


def _step(made: MadeCase, state: CaseState, *, now: datetime) -> None:
    case, navigator, provider = made.case, made.navigator, made.provider
    today = timezone.localdate(now)
    match state:
        case CaseState.RETURNED:
            services.return_to_clinic(case, missing="BMI saknas.", actor=navigator, now=now)
        case CaseState.IN_PROGRESS:
            services.take(case, actor=navigator, now=now)
        case CaseState.WATCHED:
            services.park(
                case,
                waits_for="ledig plats",
                review_on=today + timedelta(days=14),
                actor=navigator,
                now=now,
            )
        case CaseState.OFFERED:
            made.offer = services.send_offer(
                case, line=made.line, actor=navigator, now=now, wishes=WAIT_IS_KNOWN
            )
        case CaseState.ACCEPTED:
            assert made.offer is not None
            services.answer_offer(
                made.offer,
                accepted=True,
                channel=AnswerChannel.INBOX,
                actor=Actor.patient("Patienten i 1177"),
                now=now,
            )
        case CaseState.CONFIRMED:
            services.confirm(case, actor=provider, now=now)
        case CaseState.BOOKED:
            services.book(case, booked_for=now + timedelta(days=7), actor=provider, now=now)
        case CaseState.TREATED:
            services.treat(case, treated_on=today, actor=provider, now=now)
        case CaseState.CLOSED:
            services.close(case, back_referral="Åter till er.", actor=provider, now=now)


def make_case(
    state: CaseState = CaseState.RECEIVED,
    *,
    now: datetime | None = None,
    region: Region | None = None,
    unit: CareUnit | None = None,
    line: ContractLine | None = None,
    navigator: Actor | None = None,
    **overrides: Any,
) -> MadeCase:
    """A case walked through the services to ``state`` at ``now``.

    ``unit`` is the sending clinic (in ``region``, Halland), ``line`` what is offered;
    ``overrides`` are fields of the form.
    """
    now = now or timezone.now()
    unit = unit or CareUnitFactory.create(region=region or RegionFactory.create(), sends=True)
    form = submission(today=timezone.localdate(now), **overrides)
    if form.kva == "NGB49":
        ProcedureFactory.create()
    line = line or ContractLineFactory.create(kva=form.kva, contract__owner_region=unit.region)
    clinic = clinic_actor(unit)
    made = MadeCase(
        case=services.submit(form, sending_unit=unit, actor=clinic, now=now),
        line=line,
        unit=unit,
        clinic=clinic,
        navigator=navigator or navigator_actor(unit.region),
        provider=provider_actor(line.care_unit.provider),
        submission=form,
    )
    return advance(made, state, now=now)
