"""Writes the history: every service here adds one row in the transaction of its change."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from organisations.access import Actor, as_product
from organisations.languages import in_words
from organisations.models import AdministrationLog, CareUnit, User, equipment_in_words

Verb = AdministrationLog.Verb


@as_product("history of administration")
def record(
    verb: Verb,
    *,
    actor: Actor,
    now: datetime,
    subject: str,
    region: str | None,
    person: User | None = None,
    care_unit: CareUnit | None = None,
    details: Mapping[str, Any] | None = None,
) -> AdministrationLog:
    """Who did what to whom or what; ``details`` are labelled values for a person to read."""
    return AdministrationLog.objects.create(
        at=now,
        verb=verb,
        region_id=region,
        **actor.signature,
        person=person,
        care_unit=care_unit,
        subject=subject[:254],
        details={name: str(value) for name, value in (details or {}).items() if value},
    )


def changes_of(row: Any, new: Mapping[str, Any]) -> dict[str, str]:
    """What differs, as "old → new" by the field's Swedish name."""
    found = {}
    for name, value in new.items():
        field = row._meta.get_field(name)
        old = getattr(row, name)
        if old != value and (old or value):
            found[str(field.verbose_name)] = f"{_shown(name, old)} → {_shown(name, value)}"
    return found


def _shown(name: str, value: Any) -> str:
    if name == "languages":
        value = in_words(value)
    if name == "equipment":
        value = ", ".join(equipment_in_words(value))
    if isinstance(value, bool):
        return "ja" if value else "nej"
    return str(value) if value not in (None, "") else "–"
