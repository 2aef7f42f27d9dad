"""What every template knows about the installation and the actor's way around it."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from organisations.models import Role

CASES, FORMS, CONTRACTS, STATISTICS = "worklist", "forms", "contracts", "statistics"
PEOPLE, UNITS, HISTORY = "people", "units", "history"
OPERATIONS, REGIONS, PROVIDERS = "operations", "regions", "providers"
ACCESS_LOG = "access-review"
INVOICES = "invoices"
PRIVACY = "privacy"
FREE_CAPACITY = "free-capacity"
SITUATION, WAITING_TIME_FILES = "situation", "waiting-time-files"
WEIGHTS = "matching-weights"
NOTICE_DAYS = "notice-days"
TEXTS = "texts"
WAITING_TIMES = "waiting-times"
PLANS = "delivery-plans"
CAMPAIGNS = "campaigns"
# Pages of the cases that have an address of their own beside theirs.
ALSO_CASES = ("allocations", "offer-drafts", "undelivered", "phone-times", "campaigns")
MENUS: dict[str, tuple[str, ...]] = {
    Role.CLINIC: (CASES, FORMS, SITUATION, STATISTICS),
    Role.NAVIGATOR: (CASES, FREE_CAPACITY, CONTRACTS, INVOICES, PLANS, SITUATION, STATISTICS),
    Role.PROVIDER: (CASES, FREE_CAPACITY, CONTRACTS, PLANS, SITUATION),
    Role.CONTRACT_OWNER: (CONTRACTS, INVOICES, PLANS, SITUATION),
    Role.MANAGER: (STATISTICS, WAITING_TIMES, CAMPAIGNS, PLANS, SITUATION),
    Role.REGION_ADMIN: (
        *(PEOPLE, UNITS, HISTORY, ACCESS_LOG, PRIVACY, STATISTICS, WAITING_TIMES, SITUATION),
        *(WEIGHTS, NOTICE_DAYS, TEXTS, CAMPAIGNS),
    ),
    Role.OPERATOR: (OPERATIONS, REGIONS, PROVIDERS, UNITS, PEOPLE, WAITING_TIME_FILES, HISTORY),
}
SEARCHES = frozenset({Role.CLINIC, Role.NAVIGATOR, Role.PROVIDER})


def product(request: HttpRequest) -> dict[str, Any]:
    """The actor, the menu of its role and whether this is a demonstration installation."""
    actor = getattr(request, "actor", None)
    role = actor.role if actor else ""
    return {
        "actor": actor,
        "own_assignments": getattr(request, "assignments", ()),
        "demo": settings.DEMO,
        "may_search": role in SEARCHES,
        "navigation": [_item(name, role, request.path) for name in MENUS.get(role, ())],
    }


def _item(name: str, role: str, path: str) -> dict[str, Any]:
    labels = {
        CASES: _("Remisser") if role == Role.PROVIDER else _("Ärenden"),
        FORMS: _("Blanketter"),
        CONTRACTS: _("Avtal"),
        STATISTICS: _("Statistik"),
        PEOPLE: _("Personer"),
        UNITS: _("Enheter"),
        HISTORY: _("Historik"),
        OPERATIONS: _("Drift"),
        REGIONS: _("Regioner"),
        PROVIDERS: _("Vårdgivare"),
        ACCESS_LOG: _("Loggkontroll"),
        INVOICES: _("Fakturor"),
        PRIVACY: _("Sekretess"),
        FREE_CAPACITY: _("Lediga platser"),
        PLANS: _("Leveransplaner"),
        SITUATION: _("Lägesbild"),
        WAITING_TIME_FILES: _("Väntetider"),
        WEIGHTS: _("Matchning"),
        NOTICE_DAYS: _("Utskick"),
        CAMPAIGNS: _("Kampanjer"),
        TEXTS: _("Texter"),
        WAITING_TIMES: _("Väntetidsdatabasen"),
    }
    url = reverse(name)
    places = [url, *(reverse(also) for also in ALSO_CASES if name == CASES)]
    # A page of its own in the menu, though its address lies below another's.
    below = name == STATISTICS and path.startswith(reverse(WAITING_TIMES))
    current = path.startswith(tuple(places)) and not below
    return {"url": url, "label": labels[name], "current": current}
