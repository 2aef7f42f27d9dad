"""What an API token may be used for: a token is never worth more than what it was issued for."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from rest_framework.permissions import SAFE_METHODS


class Scope(TextChoices):
    CASES_READ = "cases:read", _("läsa ärenden, med patientuppgifter")
    CASES_WRITE = "cases:write", _("skicka in och ändra ärenden")
    CONTRACTS_READ = "contracts:read", _("läsa avtal och takvolymer")
    INVOICES_READ = "invoices:read", _("läsa fakturor och avvikelser")
    INVOICES_WRITE = "invoices:write", _("lämna in fakturor")
    STATISTICS_READ = "statistics:read", _("läsa statistik")
    STATISTICS_WRITE = "statistics:write", _("lämna in regionens egna tal till statistiken")
    WAITING_TIMES_READ = "waiting-times:read", _("läsa väntetider")
    FREE_CAPACITY_READ = "free-capacity:read", _("läsa lediga platser")
    FREE_CAPACITY_WRITE = "free-capacity:write", _("lägga upp och ändra egna lediga platser")
    PLACES_READ = "places:read", _("läsa regioner och vårdenheter")


# What a view says when every token may call it.
ANY_TOKEN = ""  # nosec B105 # a name or an empty text, no password


def required_scope(view: object, method: str) -> str | None:
    """The scope a token needs for the view: read or write in the view's ``scope_area``.

    ``ANY_TOKEN`` when it says that none is needed; ``None`` when it says nothing, which lets no
    token in.
    """
    area = getattr(view, "scope_area", None)
    if not area:
        return area
    return f"{area}:{'read' if method in SAFE_METHODS else 'write'}"
