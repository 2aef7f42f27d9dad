"""The columns of the daily file of waiting times. One row is a unit, a code and a day."""

from django.utils.translation import gettext_lazy as _

from contracts.files.columns import Column

COLUMNS = (
    Column("care_unit", "hsa-id", _("vårdenheten som utförde åtgärden")),
    Column("kva", "kvå", _("tre tecken eller hela koden")),
    Column("day", "datum", _("ÅÅÅÅ-MM-DD, dagen som siffrorna gäller")),
    Column("done", "antal", _("utförda åtgärder den dagen, minst 1")),
    Column("median_days", "median", _("väntetid i dagar, från beslut till utförd åtgärd")),
    Column("p80_days", "p80", _("80:e percentilen, dagar")),
    Column("asa34_percent", "asa 3–4", _("andel i procent; tomt om okänd")),
    Column("general_anaesthesia_percent", "narkos", _("andel i procent; tomt om okänd")),
    Column(
        "need_within_days",
        "behov inom",
        _("dagar inom vilka patienterna bedömts behöva åtgärden; tomt: alla patienter"),
    ),
)
REQUIRED = frozenset({"care_unit", "kva", "day", "done", "median_days", "p80_days"})
# A day's file for the whole country has some tens of thousands of rows, a year's more.
MAX_ROWS = 200_000
