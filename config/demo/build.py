"""Builds the demonstration: places, users, contracts, waiting times, then the cases' stories."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache, partial
from random import Random

from django.contrib.auth.hashers import make_password
from django.db import connection, transaction
from django.utils import timezone
from stdnum import luhn

from capacity.models import QualityMeasure, WaitingTime
from capacity.services import change_weights
from config.demo import places
from config.demo.calls import book_calls
from config.demo.campaigns import make_campaigns
from config.demo.contracts import complete_contract
from config.demo.free_places import post_free_places
from config.demo.invoices import tell_invoices
from config.demo.logins import PASSWORD, DemoUser, region_users
from config.demo.pathways import tell_pathways
from config.demo.performance import make_figures
from config.demo.plans import make_plans
from config.demo.story import Teller
from config.demo.waiting_times import deliver_waiting_times
from contracts.models import Contract, ContractLine
from organisations.access import Actor, actor_for
from organisations.access_log.writing import gathered
from organisations.events import deliver_events, without_waking
from organisations.models import (
    Assignment,
    CareUnit,
    MedicalArea,
    Municipality,
    Provider,
    Region,
    Role,
    TravelPaid,
    User,
)
from referral import services
from referral.models import Case
from referral.services.allocation import ALLOCATED_STATES
from statistics.facts.upkeep import mark_stale

MONTHS = 18
CASES = 245


def is_built() -> bool:
    return User.objects.filter(login="lots.dalarna").exists()


@transaction.atomic
def build(*, seed: int, now: datetime) -> dict[str, int]:
    """Make the demonstration; returns what was made, in numbers."""
    random = Random(seed)  # noqa: S311 – a demonstration, not a secret  # nosec B311
    with without_waking(), without_savepoints(), gathered():
        towns = {m.name: m for m in Municipality.objects.select_related("region")}
        clinics = _clinics(towns)
        providers = _providers(towns)
        users = _users(clinics, providers, now=now)
        contracts = _contracts(providers, now=now)
        deliver_events(now=now, limit=100_000)  # before anybody waits for a contract
        _waiting_times(clinics, providers, random, today=timezone.localdate(now))
        _weights(now=now)
        teller = Teller(random, clinics=clinics, towns=towns, now=now)
        teller.tell(CASES)
        _allocation(now=now)
        post_free_places(providers, teller.providers, now=now)
        invoices = _invoices(now=now)
        plans = make_plans(teller.actors["avtal.dalarna"], now=now)
        calls = book_calls(_navigator(now=now), now=now)
        campaigns = make_campaigns(
            _navigator(now=now), _navigator("lots2.dalarna", now=now), now=now
        )
        figures = make_figures(_navigator("chef.dalarna", now=now), chance=random, now=now)
        reported = deliver_waiting_times(
            actor_for(User.objects.get(login="admin.dalarna"), now=now), now=now
        )
        told = tell_pathways(actor_for(User.objects.get(login="admin.dalarna"), now=now), now=now)
        # Cases that echo others had no events of their own; the first sweeps count them.
        mark_stale(Case.objects.values_list("pk", flat=True), now=now)
        # From now on; the stories told above came before.
        Region.objects.filter(code="20").update(confirms_referrals=True, informs_of_guarantee=True)
    return {
        "users": users,
        "care units": CareUnit.objects.count(),
        "contracts": contracts,
        "cases": teller.told,
        "invoices": invoices,
        "delivery plans": plans,
        "call-backs": calls,
        "campaigns": campaigns,
        "figures for the agreement": figures,
        "waiting-time files": reported,
        "cancer pathways": told,
    }


def _navigator(login: str = "lots.dalarna", *, now: datetime) -> Actor | None:
    return actor_for(User.objects.get(login=login), now=now)


def _allocation(*, now: datetime) -> None:
    """Dalarna's waiting patients allocated once, to compare with first come; nothing accepted."""
    actor = _navigator(now=now)
    clinics = list(CareUnit.objects.filter(region_id="20", sends=True))
    if actor is not None and clinics:
        services.request_allocation(
            clinics=clinics, case_states=ALLOCATED_STATES, actor=actor, now=now
        )


@contextmanager
def without_savepoints() -> Iterator[None]:
    """Let the services' transactions inside ours set no savepoints: a third of all statements.

    Nothing told here may fail; what does undoes the whole demonstration, as it should.
    """
    features = connection.features
    before, features.uses_savepoints = features.uses_savepoints, False
    try:
        yield
    finally:
        features.uses_savepoints = before


def _organisation_number(serial: int) -> str:
    """An invented number that holds: 5599 is far above what has been given out."""
    digits = f"5599{serial:05d}"
    return digits + luhn.calc_check_digit(digits)


def _provider_hsa_id(organisation_number: str) -> str:
    return f"SE{organisation_number}-VG01"


def _clinics(towns: dict[str, Municipality]) -> dict[str, CareUnit]:
    clinics = {}
    for serial, clinic in enumerate(places.CLINICS):
        region = Region.objects.get(code=clinic.region)
        Region.objects.filter(code=clinic.region).update(
            navigator_phone=places.PHONES[clinic.region],
            travel_phone=places.TRAVEL_PHONES[clinic.region],
            travel_paid=TravelPaid.BOOKED,
        )
        owner, _created = Provider.objects.get_or_create(
            name=f"{region.name} (demo)",
            defaults={
                "organisation_number": _organisation_number(900 + int(region.code)),
                "hsa_id": _provider_hsa_id(_organisation_number(900 + int(region.code))),
                "kind": Provider.Kind.REGION,
                "region": region,
            },
        )
        clinics[clinic.login] = _unit(
            owner,
            clinic.name,
            towns[clinic.town],
            code=f"K{serial + 1:03d}",
            medical_area_id=clinic.mvo,
            sends=True,
            email=f"{clinic.login}@vardlots.example",
        )
    return clinics


def _providers(towns: dict[str, Municipality]) -> dict[str, list[CareUnit]]:
    found = {}
    for serial, private in enumerate(places.PROVIDERS, start=1):
        provider = Provider.objects.create(
            name=private.name,
            kind=private.kind,
            organisation_number=_organisation_number(serial),
            hsa_id=_provider_hsa_id(_organisation_number(serial)),
        )
        several = len(private.units) > 1
        found[private.login] = [
            _unit(
                provider,
                f"{private.name} {town}" if several else private.name,
                towns[town],
                code=f"E{number:03d}",
                receives=True,
                languages=places.LANGUAGES[serial % len(places.LANGUAGES)],
                equipment=places.EQUIPPED[serial % len(places.EQUIPPED)],
                phone=f"0980-319 2{serial % 10}",
                email=f"{private.login}@vardlots.example",
            )
            for number, town in enumerate(private.units, start=1)
        ]
    return found


def _unit(
    provider: Provider, name: str, town: Municipality, *, code: str, **fields: object
) -> CareUnit:
    return CareUnit.objects.create(
        hsa_id=f"SE{provider.organisation_number}-{code}",
        name=name,
        provider=provider,
        region=town.region,
        municipality=town,
        latitude=town.latitude,
        longitude=town.longitude,
        **fields,
    )


@cache
def hashed_password() -> str:
    """Every user's, once: hashing is slow on purpose."""
    return make_password(PASSWORD)


def _users(
    clinics: dict[str, CareUnit], providers: dict[str, list[CareUnit]], *, now: datetime
) -> int:
    password = hashed_password()
    since = now - timedelta(days=500)
    people = [*region_users(), *_unit_users(clinics, providers)]
    for person in people:
        user = User.objects.create(
            login=person.login,
            name=person.name,
            password=password,
            email=f"{person.login}@vardlots.example",
        )
        unit = clinics.get(person.unit)
        Assignment.objects.create(
            user=user,
            role=person.role,
            region_id=unit.region_id if unit else person.region or None,
            care_unit=unit,
            provider=providers[person.provider][0].provider if person.provider else None,
            starts_at=since,
        )
    _second_assignments(since)
    return len(people)


def _invoices(*, now: datetime) -> int:
    actor = actor_for(User.objects.get(login="lots.dalarna"), now=now)
    return tell_invoices(actor, now=now) if actor else 0


def _second_assignments(since: datetime) -> None:
    """One of Dalarna's navigators is its manager too, to show the choice in the page head."""
    Assignment.objects.create(
        user=User.objects.get(login="lots2.dalarna"),
        role=Role.MANAGER,
        region_id="20",
        starts_at=since,
    )


def _unit_users(clinics: Iterable[str], providers: Iterable[str]) -> Iterable[DemoUser]:
    names = ("Sara Falk", "Henrik Ström", "Linda Åhs", "Peter Ö. Vall", "Monika Brandt", "Ali Reza")
    for serial, login in enumerate(clinics):
        yield DemoUser(login, names[serial % len(names)], Role.CLINIC, unit=login)
    for serial, login in enumerate(providers):
        name = names[(serial + 3) % len(names)]
        yield DemoUser(f"vardgivare.{login}", name, Role.PROVIDER, provider=login)


def _contracts(providers: dict[str, list[CareUnit]], *, now: datetime) -> int:
    today = timezone.localdate(now)
    by_login = {private.login: private for private in places.PROVIDERS}
    spans = {
        "live": (today - timedelta(days=500), today + timedelta(days=600)),
        "stopped": (today - timedelta(days=500), today + timedelta(days=600)),
        "expired": (today - timedelta(days=900), today - timedelta(days=120)),
        "coming": (today + timedelta(days=40), today + timedelta(days=770)),
    }
    for serial, deal in enumerate(places.DEALS, start=1):
        private, units = by_login[deal.provider], providers[deal.provider]
        valid_from, valid_to = spans[deal.state]
        contract = Contract.objects.create(
            number=f"VA-{deal.owner}-{serial:03d}",
            title=f"{private.name}: {', '.join(private.codes)}",
            owner_region_id=deal.owner,
            provider=units[0].provider,
            contract_type=_contract_type(deal, serial),
            reimbursement="Enligt avtalets prislista",
            option_years=serial % 3,
            notice_months=6,
            valid_from=valid_from,
            valid_to=valid_to,
            cap_volume=deal.cap,
            cap_sek=deal.cap_sek,
            is_stopped=deal.state == "stopped",
        )
        contract.regions_allowed.set(Region.objects.filter(code__in=deal.regions.split()))
        contract.medical_areas.set(
            MedicalArea.objects.filter(mvo__in={places.AREAS[code] for code in private.codes})
        )
        for unit in units:
            for code in private.codes:
                ContractLine.objects.create(
                    contract=contract,
                    care_unit=unit,
                    kva=code,
                    price_sek=Decimal(places.BASE_PRICES[code] * deal.price) / 100,
                    included="Nybesök, operation, inneliggande vård och ett återbesök.",
                    asa_ceiling=deal.asa,
                    age_min=18 if code != "UJF" else None,
                    cap_volume=deal.line_cap,
                )
        complete_contract(contract, serial=serial, now=now)
    return len(places.DEALS)


def _contract_type(deal: places.Deal, serial: int) -> str:
    """Stockholm's are free choice; one in four of the others is a direct award."""
    if deal.owner == "01":
        return Contract.Type.FREE_CHOICE
    return Contract.Type.PROCUREMENT if serial % 4 else Contract.Type.DIRECT_AWARD


def _weights(*, now: datetime) -> None:
    """Dalarna has chosen weights of its own; the other regions have the national ones."""
    change_weights(
        {"wait": 45, "distance": 20, "price": 5, "quality": 20, "contract": 10},
        why="Väntetiden och kvaliteten väger tyngre än priset.",
        seen_version=0,
        actor=Actor(role=Role.REGION_ADMIN, name="Karin Berg", region="20"),
        now=now - timedelta(days=430),
    )


def _waiting_times(
    clinics: dict[str, CareUnit],
    providers: dict[str, list[CareUnit]],
    random: Random,
    *,
    today: date,
) -> None:
    """Monthly medians that drift, the newest a few days old."""
    rows: list[WaitingTime] = []
    for clinic in places.CLINICS:
        for code in set(clinic.codes):
            rows += _months(clinics[clinic.login], code[:3], clinic.home_wait, random, today)
    quality: list[QualityMeasure] = []
    for private in places.PROVIDERS:
        for unit in providers[private.login]:
            for code in private.codes:
                rows += _months(unit, code, private.wait, random, today)
            if private.reoperation:
                quality.append(
                    QualityMeasure(
                        care_unit=unit,
                        kva="NGB",
                        year=today.year - 1,
                        reoperation_percent=Decimal(private.reoperation),
                        source="Demo",
                    )
                )
    WaitingTime.objects.bulk_create(rows, ignore_conflicts=True)
    QualityMeasure.objects.bulk_create(quality)


def _months(
    unit: CareUnit, code: str, median: int, random: Random, today: date
) -> list[WaitingTime]:
    if len(code) != 3 or not code.isalpha():
        return []
    found = []
    for month in range(MONTHS):
        drifted = max(5, round(median * (1 + 0.015 * month) * random.uniform(0.9, 1.1)))  # nosec B311 # demonstration data
        done, waited = random.randint(8, 60), drifted if month else median  # nosec B311 # demonstration data
        month_of = partial(
            WaitingTime, care_unit=unit, kva=code, day=today - timedelta(days=3 + 30 * month)
        )
        found.append(
            month_of(
                done=done,
                median_days=waited,
                p80_days=round(max(drifted, median) * 1.5),
                asa34_percent=Decimal(random.randint(4, 28)),  # nosec B311 # demonstration data
                general_anaesthesia_percent=Decimal(20 + median % 50),
                source="Demo",
            )
        )
        # Half of them were judged to need it within 90 days, and waited somewhat less.
        found.append(
            month_of(
                done=done // 2,
                median_days=round(waited * 0.8),
                p80_days=round(waited * 1.1),
                need_within_days=90,
                source="Demo",
            )
        )
    return found
