"""What a month's figures are divided by: keys, and their names in Swedish."""

from collections.abc import Iterable

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contracts.models import Contract, Procedure
from organisations.models import CareUnit, MedicalArea, Municipality, Provider, Region
from patients.models import Patient
from statistics.facts.models import AgeGroup

# The key of what is not known or does not apply; so the keys of a dimension sum to the region.
UNKNOWN = ""

DIMENSIONS: dict[str, str | Promise] = {
    "region": gettext_lazy("Region"),
    "clinic": gettext_lazy("Klinik"),
    "mvo": gettext_lazy("Medicinskt verksamhetsområde (MVO)"),
    "procedure": gettext_lazy("Åtgärd (KVÅ)"),
    "provider": gettext_lazy("Mottagande vårdgivare"),
    "contract": gettext_lazy("Avtal"),
    "municipality": gettext_lazy("Hemkommun"),
    "age": gettext_lazy("Åldersgrupp"),
    "sex": gettext_lazy("Kön"),
    "svf": gettext_lazy("Standardiserat vårdförlopp (SVF)"),
}
# These begin with an offer: what happens before is not divided by them.
OF_OFFERS = frozenset({"provider", "contract"})


def labels_of(dimension: str, keys: Iterable[str]) -> dict[str, str]:
    """The name of each key; a key that is no longer known is its own name."""
    wanted = set(keys)
    known = {key for key in wanted if key}
    found: dict[str, str] = {}
    if dimension == "region":
        found = dict(Region.objects.filter(code__in=known).values_list("code", "name"))
    elif dimension == "clinic":
        found = _by_pk(CareUnit.objects.filter(pk__in=known).values_list("pk", "name"))
    elif dimension == "mvo":
        rows = MedicalArea.objects.filter(mvo__in=known).values_list("mvo", "name")
        found = {mvo: f"{mvo} {name}" for mvo, name in rows}
    elif dimension == "procedure":
        named = Procedure.objects.filter(kva__in=known).values_list("kva", "name")
        found = {kva: f"{kva} {name}" for kva, name in named}
    elif dimension == "provider":
        found = _by_pk(Provider.objects.filter(pk__in=known).values_list("pk", "name"))
    elif dimension == "contract":
        titles = Contract.objects.filter(pk__in=known).values_list("pk", "number", "title")
        found = {str(pk): f"{number} {title}" for pk, number, title in titles}
    elif dimension == "municipality":
        places = Municipality.objects.filter(code__in=known).values_list("code", "name")
        found = dict(places)
    elif dimension == "age":
        found = {group.value: str(group.label) for group in AgeGroup}
    elif dimension == "sex":
        found = {sex.value: str(sex.label) for sex in Patient.Sex}
    elif dimension == "svf":
        found = {"1": _("Inom SVF"), "0": _("Utanför SVF")}
    unknown = _("Ingen mottagare") if dimension in OF_OFFERS else _("Uppgift saknas")
    return {key: found.get(key) or (key or unknown) for key in wanted}


def _by_pk(rows: Iterable[tuple[int, str]]) -> dict[str, str]:
    return {str(pk): name for pk, name in rows}
