"""What a patient needs, as far as matching is concerned."""

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from organisations.languages import needs_language, said_languages
from organisations.models import Region


@dataclass(frozen=True, kw_only=True)
class Need:
    """One patient's need; nobody's name or number."""

    region: str
    kva: str
    asa: int
    age: int | None
    latitude: Decimal
    longitude: Decimal
    origin: str  # what the distance is counted from, in words
    max_distance_km: int | None = None  # the patient's own limit
    language: str = ""  # of the interpreter, as it was typed; empty when none is needed
    equipment: frozenset[str] = frozenset()  # codes of Equipment
    sending_unit_id: int | None = None  # never proposed to its own patients

    @classmethod
    def of_anybody(cls, region: Region, kva: str) -> "Need":
        """The patient of a region whom nothing but the line itself keeps out: healthy, of no
        known age, at the region's seat, without special needs.
        """
        return cls(
            region=region.code,
            kva=kva,
            asa=1,
            age=None,
            latitude=region.latitude,
            longitude=region.longitude,
            origin=region.seat_town,
        )

    @cached_property
    def languages(self) -> frozenset[str]:
        """Codes of which any one will do; empty when none is needed or none was understood."""
        return said_languages(self.language) if self.needs_language else frozenset()

    @cached_property
    def needs_language(self) -> bool:
        return bool(self.language) and needs_language(self.language)
