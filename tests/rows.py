"""Row factories: the smallest valid row of each table. Tests import them from tests.factories."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from django.db.models import Model
from django.utils import timezone
from factory.declarations import LazyAttribute, LazyFunction, SelfAttribute, Sequence, SubFactory
from factory.django import DjangoModelFactory
from factory.helpers import post_generation
from stdnum import luhn

from capacity.models import FreeCapacity, MatchingWeights, QualityMeasure, WaitingTime
from contracts.models import Contract, ContractLine, Procedure
from organisations.models import CareUnit, MedicalArea, Municipality, Provider, Region, User
from patients.models import Patient

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)

# Region code: name, seat, latitude, longitude, municipality code of the seat.
PLACES = {
    "01": ("Region Stockholm", "Stockholm", "59.3293", "18.0686", "0180"),
    "12": ("Region Skåne", "Kristianstad", "56.0294", "14.1567", "1290"),
    "13": ("Region Halland", "Halmstad", "56.6745", "12.8578", "1380"),
    "14": ("Västra Götalandsregionen", "Vänersborg", "58.3807", "12.3234", "1487"),
    "25": ("Region Norrbotten", "Luleå", "65.5848", "22.1547", "2580"),
}


def _place(code: str) -> tuple[str, str, str, str, str]:
    return PLACES.get(code, (f"Region {code}", "Residens", "58.0000", "15.0000", f"{code}80"))


def identity_number(n: int = 0, *, born: date | None = None) -> str:
    """A valid identity number of the test series (birth numbers 980–999), twelve digits."""
    day = born or date(1940, 1, 1) + timedelta(days=n // 20 % 25_000)
    digits = f"{day:%Y%m%d}{980 + n % 20}"
    return digits + luhn.calc_check_digit(digits[2:])


Row = TypeVar("Row", bound=Model)


class OneRowFactory(DjangoModelFactory[Row]):
    """The same key gives the same row. Without the savepoint in which two who make it at once are
    told apart: a test makes its rows by itself."""

    class Meta:
        abstract = True

    @classmethod
    def _get_or_create(cls, model_class: type[Row], *args: Any, **values: Any) -> Row:
        manager = cls._get_manager(model_class)
        key = {name: values[name] for name in cls._meta.django_get_or_create}
        try:
            return manager.get(**key)
        except model_class.DoesNotExist:
            return manager.create(**values)


class RegionFactory(OneRowFactory[Region]):
    """Halland unless told otherwise; the same code gives the same row."""

    class Meta:
        model = Region
        django_get_or_create = ("code",)

    code = "13"
    name = LazyAttribute(lambda o: _place(o.code)[0])
    short_name = LazyAttribute(lambda o: o.name.removeprefix("Region "))
    seat_town = LazyAttribute(lambda o: _place(o.code)[1])
    latitude = LazyAttribute(lambda o: Decimal(_place(o.code)[2]))
    longitude = LazyAttribute(lambda o: Decimal(_place(o.code)[3]))
    guarantee_days = 90
    navigator_unit_name = LazyAttribute(lambda o: f"Vårdlotsen {o.short_name}")
    navigator_phone = "010-000 00 00"
    travel_phone = "010-000 00 01"
    travel_paid = "booked"


class MunicipalityFactory(OneRowFactory[Municipality]):
    """The municipality of the region's seat."""

    class Meta:
        model = Municipality
        django_get_or_create = ("code",)

    region = SubFactory(RegionFactory)
    code = LazyAttribute(lambda o: _place(o.region.code)[4])
    name = LazyAttribute(lambda o: o.region.seat_town)
    latitude = LazyAttribute(lambda o: o.region.latitude)
    longitude = LazyAttribute(lambda o: o.region.longitude)


class MedicalAreaFactory(OneRowFactory[MedicalArea]):
    class Meta:
        model = MedicalArea
        django_get_or_create = ("mvo",)

    mvo = "311"
    name = "Ortopedisk vård"
    group = "Kirurgi"


class ProviderFactory(DjangoModelFactory[Provider]):
    class Meta:
        model = Provider

    name = Sequence(lambda n: f"Vårdgivare {n} AB")
    organisation_number = Sequence(lambda n: f"{5_591_000_000 + n}")
    kind = Provider.Kind.PRIVATE


class CareUnitFactory(DjangoModelFactory[CareUnit]):
    """A unit that receives patients. ``sends=True`` makes a clinic of it."""

    class Meta:
        model = CareUnit

    hsa_id = Sequence(lambda n: f"SE2321000000-T{n:05d}")
    name = Sequence(lambda n: f"Enhet {n}")
    provider = SubFactory(ProviderFactory)
    region = SubFactory(RegionFactory)
    municipality = SubFactory(MunicipalityFactory, region=SelfAttribute("..region"))
    medical_area = SubFactory(MedicalAreaFactory)
    latitude = LazyAttribute(lambda o: o.municipality.latitude)
    longitude = LazyAttribute(lambda o: o.municipality.longitude)
    email = LazyAttribute(lambda o: f"{o.hsa_id.lower()}@enhet.example")
    sends = False
    receives = LazyAttribute(lambda o: not o.sends)


class UserFactory(DjangoModelFactory[User]):
    """A user without password; tests log in by ``client.force_login``."""

    class Meta:
        model = User

    login = Sequence(lambda n: f"anv{n}")
    name = Sequence(lambda n: f"Namn Namnsson {n}")
    password = "!"


class PatientFactory(DjangoModelFactory[Patient]):
    class Meta:
        model = Patient

    identity_number = Sequence(identity_number)
    identity_kind = Patient.IdentityKind.PERSONNUMMER
    given_name = "Test"
    family_name = Sequence(lambda n: f"Testsson{n}")
    birth_date = LazyAttribute(lambda o: date.fromisoformat(o.identity_number[:8]))
    created_at = LONG_AGO


class ProcedureFactory(OneRowFactory[Procedure]):
    class Meta:
        model = Procedure
        django_get_or_create = ("kva",)

    kva = "NGB49"
    name = "Primär total knäprotes med cement"
    medical_area = SubFactory(MedicalAreaFactory)
    category = "Ortopedi"


class ContractFactory(DjangoModelFactory[Contract]):
    """A live contract that its owner may use; ``regions_allowed=[…]`` lets in others too."""

    class Meta:
        model = Contract
        skip_postgeneration_save = True

    number = Sequence(lambda n: f"AVT-{n:05d}")
    title = "Knäproteser"
    owner_region = SubFactory(RegionFactory)
    provider = SubFactory(ProviderFactory)
    contract_type = Contract.Type.PROCUREMENT
    valid_from = LazyFunction(lambda: timezone.localdate() - timedelta(days=3650))
    valid_to = LazyFunction(lambda: timezone.localdate() + timedelta(days=3650))
    cap_volume = 50

    @post_generation
    def regions_allowed(self, create: bool, extracted: Any, **_: Any) -> None:
        if create:
            self.regions_allowed.set(extracted if extracted is not None else [self.owner_region])


class ContractLineFactory(DjangoModelFactory[ContractLine]):
    """Knee prostheses at a unit of the contract's provider in Västra Götaland."""

    class Meta:
        model = ContractLine

    contract = SubFactory(ContractFactory)
    care_unit = SubFactory(
        CareUnitFactory,
        provider=SelfAttribute("..contract.provider"),
        region=SubFactory(RegionFactory, code="14"),
    )
    kva = "NGB49"
    price_sek = Decimal("80000.00")
    asa_ceiling = 3
    cap_volume = 20


class WaitingTimeFactory(DjangoModelFactory[WaitingTime]):
    class Meta:
        model = WaitingTime

    care_unit = SubFactory(CareUnitFactory)
    kva = "NGB49"
    day = LazyFunction(timezone.localdate)
    done = 25
    median_days = 30
    p80_days = LazyAttribute(lambda o: o.median_days + 15)
    source = "test"


class MatchingWeightsFactory(DjangoModelFactory[MatchingWeights]):
    """Halland's first own weights."""

    class Meta:
        model = MatchingWeights

    region = SubFactory(RegionFactory)
    version = 1
    wait, distance, price, quality, contract = 50, 20, 0, 20, 10
    changed_at = LONG_AGO
    changed_by = "Ada Administratör"
    why = "Väntetiden är viktigast."


def _monday_in_two_weeks() -> date:
    today = timezone.localdate()
    return today + timedelta(days=14 - today.weekday())


class FreeCapacityFactory(DjangoModelFactory[FreeCapacity]):
    """Three places for ASA 1–3 during four weeks, to be booked within a week or two."""

    class Meta:
        model = FreeCapacity

    care_unit = SubFactory(CareUnitFactory)
    kva = "NGB49"
    first_day = LazyFunction(_monday_in_two_weeks)
    last_day = LazyAttribute(lambda o: o.first_day + timedelta(days=27))
    offered = 3
    asa_ceiling = 3
    book_by = LazyAttribute(lambda o: o.first_day)
    posted_at = LazyFunction(timezone.now)
    posted_by = "Planeringen"


class QualityMeasureFactory(DjangoModelFactory[QualityMeasure]):
    class Meta:
        model = QualityMeasure

    care_unit = SubFactory(CareUnitFactory)
    kva = "NGB49"
    year = LazyFunction(lambda: timezone.localdate().year)
    reoperation_percent = Decimal("1.50")
    source = "test"
