"""The columns of the contract file, in and out. One row is one line of a contract."""

from collections.abc import Iterator
from typing import NamedTuple

from django.utils.translation import gettext_lazy as _


class Column(NamedTuple):
    key: str
    heading: str  # stands in files, so it is the same in every language
    help: object
    of_line: bool = False


def _period_caps(prefix: str, whose: str, help_text: object, *, of_line: bool) -> Iterator[Column]:
    for period, word in (("week", "vecka"), ("month", "månad"), ("year", "år")):
        for kind, unit in (("volume", "antal"), ("sek", "kronor")):
            heading = f"{whose}tak per {word} {unit}"
            yield Column(f"{prefix}{period}_{kind}", heading, help_text, of_line=of_line)


COLUMNS = (
    Column("number", "avtalsnummer", _("samma på alla rader i avtalet")),
    Column("title", "benämning", _("avtalets namn")),
    Column("provider", "organisationsnummer", _("vårdgivarens, tio siffror")),
    Column("contract_type", "avtalstyp", _("Upphandlat avtal, Direktupphandling eller Vårdval")),
    Column(
        "reimbursement_principle",
        "ersättningsprincip",
        _("till exempel Fast pris per vårdtillfälle"),
    ),
    Column("reimbursement", "ersättning", _("med ord")),
    Column("valid_from", "gäller från", _("ÅÅÅÅ-MM-DD")),
    Column("valid_to", "gäller till", _("ÅÅÅÅ-MM-DD")),
    Column("option_years", "optionsår", _("heltal")),
    Column("notice_months", "uppsägningstid", _("månader")),
    Column("medical_areas", "mvo", _("koder med mellanslag")),
    Column("regions_allowed", "regioner", _("länskoder med mellanslag")),
    Column("cap_volume", "tak antal", _("på avtalet")),
    Column("cap_sek", "tak kronor", _("på avtalet")),
    Column("care_unit", "hsa-id", _("enheten som tar emot"), of_line=True),
    Column("kva", "kvå", _("tre tecken eller hela koden"), of_line=True),
    Column("price_sek", "pris", _("kronor"), of_line=True),
    Column("included", "ingår", _("vad priset omfattar"), of_line=True),
    Column("asa_ceiling", "asa", _("högsta ASA-klass, 1–4"), of_line=True),
    Column("age_min", "ålder från", _("år"), of_line=True),
    Column("age_max", "ålder till", _("år"), of_line=True),
    Column("line_cap_volume", "radens tak antal", _("på raden"), of_line=True),
    Column("line_cap_sek", "radens tak kronor", _("på raden"), of_line=True),
    *_period_caps("", "", _("på avtalet; tomt om inget"), of_line=False),
    *_period_caps("line_", "radens ", _("på raden; tomt om inget"), of_line=True),
)
CONTRACT_KEYS = tuple(column.key for column in COLUMNS if not column.of_line)
LINE_KEYS = tuple(column.key for column in COLUMNS if column.of_line)
REQUIRED = frozenset(
    {
        *("number", "title", "provider", "contract_type", "valid_from", "valid_to"),
        *("regions_allowed", "care_unit", "kva", "price_sek", "asa_ceiling"),
    }
)
