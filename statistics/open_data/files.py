"""The published figures as CSV and JSON, and the description of their columns."""

import csv
import io
import json
from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override

from organisations.spreadsheets import safe
from referral.models import ReferralCause
from statistics.open_data.measures import MEASURES, Dimension
from statistics.open_data.models import NATION, Border, Edition, PublishedFigure, Status
from statistics.open_data.selectors import area_names

LICENCE = "http://creativecommons.org/publicdomain/zero/1.0/"
NATION_NAME = gettext_lazy("Riket, de regioner som ingår")
_STATUSES = gettext_lazy(
    "shown: uppgiften visas. hidden: dold, för att den eller en annan uppgift som den avslöjar "
    "gäller 1–4. none: det fanns inget att mäta."
)

# Name, type of Table Schema, title, description.
COLUMNS = (
    ("period", "string", gettext_lazy("Kvartal"), gettext_lazy("Till exempel 2026Q3.")),
    (
        *("version", "integer", gettext_lazy("Version")),
        gettext_lazy("1, eller högre efter en rättelse av hela kvartalet."),
    ),
    (
        *("area_code", "string", gettext_lazy("Läns- eller landskod")),
        gettext_lazy("Hemregionens länskod enligt SCB, eller SE för alla regioner som ingår."),
    ),
    ("area_name", "string", gettext_lazy("Område"), gettext_lazy("Regionens namn.")),
    (
        *("dimension", "string", gettext_lazy("Dimension")),
        gettext_lazy("Den nationella planens fyra dimensioner."),
    ),
    ("measure", "string", gettext_lazy("Mått"), gettext_lazy("Se measures.")),
    (
        *("cause", "string", gettext_lazy("Skäl till vård hos annan vårdgivare")),
        gettext_lazy("Bara waiting_time är nationell vårdförmedling."),
    ),
    (
        *("border", "string", gettext_lazy("Inom eller över regiongräns")),
        gettext_lazy("Var den mottagande enheten ligger, sett från hemregionen."),
    ),
    ("unit", "string", gettext_lazy("Enhet"), gettext_lazy("Värdets enhet.")),
    ("status", "string", gettext_lazy("Status"), _STATUSES),
    ("value", "number", gettext_lazy("Värde"), gettext_lazy("Tomt när uppgiften inte visas.")),
    (
        *("count", "integer", gettext_lazy("Täljare")),
        gettext_lazy("Antalet som en andel består av; annars antalet patienter."),
    ),
    (
        *("base", "integer", gettext_lazy("Nämnare")),
        gettext_lazy("Antalet patienter, svar eller remisser som uppgiften vilar på."),
    ),
)
NAMES = tuple(name for name, *_rest in COLUMNS)
_ENUMS: dict[str, list[str]] = {
    "dimension": list(Dimension.values),
    "measure": list(MEASURES),
    "cause": list(ReferralCause.values),
    "border": list(Border.values),
    "status": list(Status.values),
}


def records(figures: Iterable[PublishedFigure]) -> Iterable[dict[str, Any]]:
    """Each figure by the names of :data:`COLUMNS`; words in Swedish."""
    with override("sv"):
        names = area_names() | {NATION: str(NATION_NAME)}
        units = {code: str(one.unit) for code, one in MEASURES.items()}
        dimensions = {code: str(one.dimension.value) for code, one in MEASURES.items()}
    for one in figures:
        yield {
            "period": one.edition.period,
            "version": one.edition.version,
            "area_code": one.area,
            "area_name": names.get(one.area, one.area),
            # A measure that is no longer kept stays readable in what was published of it.
            "dimension": dimensions.get(one.measure, ""),
            "measure": one.measure,
            "cause": one.cause,
            "border": one.border,
            "unit": units.get(one.measure, ""),
            "status": one.status,
            "value": None if one.value is None else _number(one),
            "count": one.count,
            "base": one.base,
        }


def _number(figure: PublishedFigure) -> int | float:
    value = float(figure.value or 0)
    return int(value) if value.is_integer() else value


def csv_file(figures: Iterable[PublishedFigure]) -> bytes:
    """For programs: commas, decimal points, UTF-8 (RFC 4180). Names are safe in a spreadsheet."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(NAMES)
    for record in records(figures):
        cells = ("" if value is None else value for value in record.values())
        writer.writerow([safe(cell) if isinstance(cell, str) else cell for cell in cells])
    return out.getvalue().encode()


def json_file(editions: Iterable[Edition], figures: Iterable[PublishedFigure]) -> bytes:
    """The figures with the editions that they come from."""
    content = {
        "licence": LICENCE,
        "schema": "schema.json",
        "editions": [
            {
                "period": one.period,
                "version": one.version,
                "published_at": one.published_at.isoformat(),
                "rules_version": one.rules_version,
                "reason": one.reason,
            }
            for one in editions
        ],
        "figures": list(records(figures)),
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def schema_file() -> bytes:
    """The columns as Table Schema (Frictionless Standards), and the measures' definitions."""
    described = _described()
    content = {
        "fields": [
            {
                "name": name,
                "type": kind,
                "title": described["sv"][name][0],
                "description": described["sv"][name][1],
                "title_en": described["en"][name][0],
                "description_en": described["en"][name][1],
                "constraints": {"required": name not in {"value", "count", "base"}}
                | ({"enum": _ENUMS[name]} if name in _ENUMS else {}),
            }
            for name, kind, _title, _text in COLUMNS
        ],
        "primaryKey": ["period", "version", "area_code", "measure", "cause", "border"],
        "missingValues": [""],
        "measures": [_measure(code) for code in MEASURES],
    }
    return json.dumps(content, ensure_ascii=False, indent=1).encode()


def _described() -> dict[str, dict[str, tuple[str, str]]]:
    found = {}
    for language in ("sv", "en"):
        with override(language):
            found[language] = {
                name: (str(title), str(text)) for name, _kind, title, text in COLUMNS
            }
    return found


def _measure(code: str) -> dict[str, str]:
    measure = MEASURES[code]
    words = {"code": code, "dimension": str(measure.dimension.value), "kind": measure.kind}
    for language, suffix in (("sv", ""), ("en", "_en")):
        with override(language):
            words |= {
                f"label{suffix}": str(measure.label),
                f"unit{suffix}": str(measure.unit),
                f"definition{suffix}": str(measure.definition),
            }
    return words


def title() -> str:
    return _("Vård hos annan vårdgivare på grund av väntetid")


def description() -> str:
    return _(
        "Antal patienter som fått vård hos en annan vårdgivare på grund av väntetid, skilt från "
        "fritt vårdval, högspecialiserad vård och andra skäl, inom och över regiongränser, per "
        "kvartal och hemregion, med tillgänglighet, kvalitet, kostnad och arbetssätt. Tal mellan "
        "1 och 4, och tal som avslöjar dem, är dolda."
    )
