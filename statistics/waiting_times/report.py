"""A file's verdict for people and machines: a summary in Swedish, JSON, and the list of faults."""

from collections.abc import Iterator
from typing import IO, Any

from django.utils.translation import gettext as _

from organisations.spreadsheets import row_writer
from statistics.waiting_times.codes import SEVERITY_LABELS, Severity, reason_of, severity_of
from statistics.waiting_times.layout import DONE, Model, columns, label_of
from statistics.waiting_times.validation import Fault, Result, faults_in_words

HEADINGS = ("rad", "variabel", "kod", "slag", "skäl")


def summary_lines(result: Result) -> Iterator[str]:
    """The summary that the command prints."""
    yield _("%(verdict)s.") % {"verdict": result.verdict.label}
    model = Model(result.model).label if result.model else _("okänd modell")
    yield _(
        "%(model)s, %(month)s. Rader: %(rows)s, genomförda: %(done)s, väntande: %(waiting)s."
    ) % {
        "model": model,
        "month": result.month or _("okänd månad"),
        "rows": result.rows,
        "done": result.done,
        "waiting": result.waiting,
    }
    for severity in Severity:
        if number := result.count(severity):
            yield f"{SEVERITY_LABELS[severity]}: {number}"
    for name, code, number in faults_in_words(result):
        label = label_of(result.model, name) if result.model and name else _("filen")
        kind = SEVERITY_LABELS[severity_of(code)]
        yield f"  {code} {kind}, {label}: {reason_of(code)} ({number})"


def degrees_of(result: Result) -> Iterator[dict[str, Any]]:
    """How many rows have, lack and cannot have each variable, done first, in the layout's order."""
    if not result.model:
        return
    for status in sorted({status for status, _name in result.degrees}, key=lambda s: s != DONE):
        for one in columns(result.model):
            if counts := result.degrees.get((status, one.name)):
                values, missing, not_applicable = counts
                yield {
                    "status": status,
                    "variable": one.name,
                    "values": values,
                    "missing": missing,
                    "not_applicable": not_applicable,
                }


def as_json(result: Result) -> dict[str, Any]:
    """The verdict for machines; the first faults only, all are counted."""
    return {
        "verdict": result.verdict.value,
        "model": result.model or None,
        "month": str(result.month) if result.month else None,
        "encoding": result.encoding or None,
        "rows": result.rows,
        "done": result.done,
        "waiting": result.waiting,
        "errors": result.count(Severity.ERROR),
        "lacks": result.count(Severity.LACK),
        "remarks": result.count(Severity.REMARK),
        "faults": [
            {
                "variable": name,
                "code": code,
                "severity": severity_of(code).value,
                "reason": reason_of(code),
                "count": number,
            }
            for name, code, number in faults_in_words(result)
        ],
        "first_faults": [
            {"row": one.row, "variable": one.variable, "code": one.code}
            | ({"first_row": one.first} if one.first else {})
            for one in result.first_faults
        ],
        "variables": list(degrees_of(result)),
    }


class FaultWriter:
    """Writes each fault as it is found, as a row of CSV."""

    def __init__(self, out: IO[str]) -> None:
        self._write = row_writer(out)
        self._write(HEADINGS)
        self._words: dict[str, tuple[str, str]] = {}

    def __call__(self, fault: Fault) -> None:
        words = self._words.get(fault.code)
        if words is None:
            severity = str(SEVERITY_LABELS[severity_of(fault.code)])
            words = self._words[fault.code] = (severity, reason_of(fault.code))
        reason = full_reason(fault, words[1])
        self._write([fault.row, fault.variable, fault.code, words[0], reason])


def full_reason(fault: Fault, reason: str) -> str:
    """The reason, with the row that a duplicate repeats."""
    if not fault.first:
        return reason
    return f"{reason} " + _("Första gången på rad %(row)s.") % {"row": fault.first}
