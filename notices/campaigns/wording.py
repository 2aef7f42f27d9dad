"""A campaign's filter in words, as those read it who approve it."""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from notices.campaigns.filters import CampaignFilter
from notices.campaigns.models import Campaign
from organisations.models import CareUnit, MedicalArea, Municipality
from referral.models import Phase


def lines_of(campaign: Campaign) -> list[tuple[str, str]]:
    """Label and value of everything the filter asks for, in the form's order."""
    labels = {name: found.label for name, found in CampaignFilter.base_filters.items()}
    criteria = campaign.criteria
    named = [
        (str(labels[name]), _said(name, criteria[name])) for name in labels if name in criteria
    ]
    if "offered" not in criteria:
        named.append((_("Med ett erbjudande att svara på"), _("Inte med")))
    return named


def _said(name: str, value: Any) -> str:
    match name:
        case "clinics":
            return ", ".join(_names(CareUnit, "hsa_id", value))
        case "areas":
            return ", ".join(_names(MedicalArea, "mvo", value))
        case "homes":
            return ", ".join(_names(Municipality, "code", value))
        case "phase":
            return str(Phase(value).label) if value in Phase.values else str(value)
        case "guarantee":
            return _("Passerad") if value == "passed" else _("Inte passerad")
        case "offered":
            return _("Ja")
        case _other:
            return str(value)


def _names(model: Any, key: str, values: list[str]) -> Iterator[str]:
    """What the codes stand for; a code that stands for nothing any more, as it is."""
    known = {getattr(one, key): one.name for one in model.objects.filter(**{f"{key}__in": values})}
    return (known.get(value, value) for value in values)
