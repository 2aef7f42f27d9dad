"""The files of maximum lead times and of a region's own counts: columns, reading and writing."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

from django.db.models import TextChoices
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override

from contracts.files.columns import Column
from contracts.files.reading import read_rows
from contracts.files.rows import FileRow, heading_of
from contracts.files.values import decimal_of, whole_of
from referral.pathways import FirstTreatment, pathway_code, pathway_names
from statistics.pathways.halves import HalfYear
from statistics.pathways.models import (
    InclusionCount,
    LeadTimeCount,
    OwnStep,
    PathwayFile,
    PathwayLimit,
)
from statistics.pathways.services import (
    inclusion_problems,
    lead_time_problems,
    limit_problems,
)

MAX_ROWS = 5_000
ALL = "alla"

LIMIT_COLUMNS = (
    Column("pathway", "vårdförlopp", gettext_lazy("namnet eller koden, se listan")),
    Column(
        *("treatment", "första behandling"),
        gettext_lazy("kirurgi, läkemedel, strålbehandling eller annan behandling"),
    ),
    Column(
        *("days", "längsta ledtid"),
        gettext_lazy(
            "kalenderdagar från välgrundad misstanke till behandling, 1–365;"
            " en rad där det är tomt säger inget"
        ),
    ),
)
COUNT_COLUMNS = (
    Column("period", "halvår", gettext_lazy("till exempel 2026H1")),
    Column("pathway", "vårdförlopp", gettext_lazy("namnet eller koden, eller alla")),
    Column("new_cases", "insjuknade", gettext_lazy("antal som insjuknat i cancer")),
    Column("included", "inkluderade", gettext_lazy("antal av dem som utretts i vårdförlopp")),
    Column(
        *("step", "steg"),
        gettext_lazy("stegets kod eller namn, se listan; tomt är hela ledtiden"),
    ),
    Column("patients", "patienter", gettext_lazy("antal som gått igenom steget")),
    Column(
        *("within", "inom längsta ledtid"),
        gettext_lazy("antal av dem inom längsta ledtid; måste finnas för hela ledtiden"),
    ),
    Column("median_days", "median", gettext_lazy("dagar, högst en decimal; tomt om okänd")),
    Column("source", "källa", gettext_lazy("varifrån antalen kommer, högst 160 tecken")),
)
COLUMNS: dict[str, tuple[Column, ...]] = {
    PathwayFile.Kind.LIMITS: LIMIT_COLUMNS,
    PathwayFile.Kind.COUNTS: COUNT_COLUMNS,
}
REQUIRED: dict[str, frozenset[str]] = {
    PathwayFile.Kind.LIMITS: frozenset({"pathway", "treatment", "days"}),
    PathwayFile.Kind.COUNTS: frozenset({"period", "pathway", "source"}),
}
# What a row about the inclusion has, and a row about a lead time; a row may have both.
INCLUSION = ("new_cases", "included")
LEAD_TIME = ("step", "patients", "within", "median_days")


@override("sv")  # a report that others will read, and the words that the cells are read by
def read_file(content: bytes, *, kind: str, today: date) -> list[FileRow]:
    """Every row, checked by itself and against the others.

    ``values`` are what a row says, by model: the columns of a limit, of an inclusion, of a lead
    time. Raises :class:`InvalidInput` when the file cannot be read at all.
    """
    columns, required = COLUMNS[kind], REQUIRED[kind]
    read = _limit if kind == PathwayFile.Kind.LIMITS else _counts
    first: dict[tuple[Any, ...], int] = {}
    rows = []
    for number, cells in read_rows(content, columns=columns, required=required, max_rows=MAX_ROWS):
        row = FileRow(number, cells)
        read(row, today=today)
        for model, told in row.values.items():
            key = (model, *key_of(told))
            if not row.errors and first.setdefault(key, number) != number:
                row.errors.append(_("Detsamma står redan på rad %(n)s.") % {"n": first[key]})
        rows.append(row)
    return rows


def key_of(told: Mapping[str, Any]) -> tuple[str, ...]:
    """What a told number is about: two rows about the same cannot both hold."""
    return tuple(
        str(told[name]) for name in ("period", "pathway", "treatment", "step") if name in told
    )


def _limit(row: FileRow, *, today: date) -> None:
    required = frozenset({"pathway", "treatment"})
    value = partial(row.value_of, columns=LIMIT_COLUMNS, required=required)
    told = {
        "pathway": value("pathway", pathway_code),
        "treatment": value("treatment", _choice(FirstTreatment)),
        "days": value("days", whole_of),
    }
    # The file that is fetched has a row for each; a region fills in those that it knows.
    if not row.errors and told["days"] is not None:
        _say(row, limit_problems(**told), LIMIT_COLUMNS)
        row.values[PathwayLimit.__name__] = told


def _counts(row: FileRow, *, today: date) -> None:
    required = REQUIRED[PathwayFile.Kind.COUNTS]
    value = partial(row.value_of, columns=COUNT_COLUMNS, required=required)
    shared = {
        "period": value("period", _half_year),
        "pathway": value("pathway", _pathway_or_all),
        "source": value("source", str),
    }
    inclusion = {name: value(name, whole_of) for name in INCLUSION}
    lead_time = {
        "step": value("step", _choice(OwnStep)) or OwnStep.TO_TREATMENT.value,
        "patients": value("patients", whole_of),
        "within": value("within", whole_of),
        "median_days": value("median_days", _median),
    }
    given = {name for name in (*INCLUSION, *LEAD_TIME) if row.text(name)}
    if not given:
        row.errors.append(_("Raden har inga antal."))
    needed = set(INCLUSION) if given & set(INCLUSION) else set()
    needed |= {"patients"} if given & set(LEAD_TIME) else set()
    row.errors += [
        f"{heading_of(name, COUNT_COLUMNS)}: {_('saknas.')}"
        for name in (*INCLUSION, *LEAD_TIME)
        if name in needed - given
    ]
    if row.errors:
        return
    problems: dict[str, str] = {}
    if given & set(INCLUSION):
        told = shared | inclusion
        problems |= inclusion_problems(**told, today=today)
        row.values[InclusionCount.__name__] = told
    if given & set(LEAD_TIME):
        told = shared | lead_time
        problems |= lead_time_problems(**told, today=today)
        row.values[LeadTimeCount.__name__] = told
    _say(row, problems, COUNT_COLUMNS)


def _say(row: FileRow, problems: dict[str, str], columns: Sequence[Column]) -> None:
    row.errors += [f"{heading_of(key, columns)}: {text}" for key, text in problems.items()]


def _half_year(text: str) -> str:
    half = HalfYear.parse(text.upper().replace(" ", ""))
    if half is None:
        raise ValueError(_("skriv halvåret som 2026H1."))
    return str(half)


def _pathway_or_all(text: str) -> str:
    return "" if text.casefold() == ALL else pathway_code(text)


def _choice(choices: type[TextChoices]) -> Callable[[str], str]:
    """By code or by Swedish words."""

    def read(text: str) -> str:
        plain = " ".join(text.casefold().split())
        for choice in choices:
            if plain in {choice.value, str(choice.label).casefold()}:
                return str(choice.value)
        labels = ", ".join(str(label) for label in choices.labels)
        raise ValueError(_("välj något av: %(names)s.") % {"names": labels})

    return read


def _median(text: str) -> Decimal:
    value = decimal_of(text)
    if value.adjusted() > 6 or value != round(value, 1):
        raise ValueError(_("skriv talet med högst en decimal."))
    return round(value, 1)


# Out, in the form that is read


def limit_rows(limits: Mapping[tuple[str, str], int]) -> list[list[Any]]:
    """The headings and a row for each pathway and treatment; without days where none is told."""
    return [
        [column.heading for column in LIMIT_COLUMNS],
        *(
            [name, str(treatment.label), limits.get((code, treatment.value))]
            for code, name in pathway_names().items()
            for treatment in FirstTreatment
        ),
    ]


def count_rows(
    inclusions: Iterable[InclusionCount], lead_times: Iterable[LeadTimeCount]
) -> list[list[Any]]:
    """The headings and a row for each number that holds."""
    rows: list[list[Any]] = [[column.heading for column in COUNT_COLUMNS]]
    names = pathway_names()
    for one in inclusions:
        pathway = names.get(one.pathway, one.pathway) or ALL
        empty = [None] * len(LEAD_TIME)
        rows.append([one.period, pathway, one.new_cases, one.included, *empty, one.source])
    for lead in lead_times:
        pathway = names.get(lead.pathway, lead.pathway) or ALL
        median = None if lead.median_days is None else float(lead.median_days)
        empty = [None] * len(INCLUSION)
        counts = [lead.step, lead.patients, lead.within, median]
        rows.append([lead.period, pathway, *empty, *counts, lead.source])
    return rows


def fault_rows(made: PathwayFile) -> list[list[Any]]:
    """The headings and a row for each row of the file that has faults."""
    faults = [[number, " ".join(texts)] for number, texts in made.faults]
    return [[_("rad"), _("fel")], *faults]
