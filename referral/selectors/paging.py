"""Keyset pages: page 500 costs as much as page 1 (design 6)."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import cast

from referral.models import Case
from referral.models.cases import CaseQuerySet
from referral.selectors.cases import SHOWN_IN_LISTS
from referral.selectors.worklist import SORTS, in_order

PAGE_SIZE = 50


@dataclass(frozen=True)
class Page:
    rows: list[Case]
    next_cursor: str


def page_of(cases: CaseQuerySet, *, sort: str, cursor: str = "", size: int = PAGE_SIZE) -> Page:
    """The rows after ``cursor`` in the order of ``sort``; a cursor that cannot be read is none."""
    sort = sort if sort in SORTS else "last_day"
    key, _pk = SORTS[sort]
    descending, field = key.startswith("-"), key.lstrip("-")
    after = _read(cursor, field)
    if after:
        value, pk = after
        bound = "lte" if descending else "gte"
        passed = "gte" if descending else "lte"
        # The plain bound lets the index find the place; the exclusion drops what was shown.
        cases = cases.filter(**{f"{field}__{bound}": value}).exclude(
            **{field: value, f"pk__{passed}": pk}
        )
    # First which cases, then what is shown of them: a case that the page leaves out is not joined
    # with its patient, whose visibility the database would ask for each.
    keys = list(cases.select_related(None).values_list("pk", flat=True)[: size + 1])
    shown = Case.objects.filter(pk__in=keys[:size]).select_related(*SHOWN_IN_LISTS)
    rows = list(in_order(shown, sort))
    return Page(rows, _write(rows[-1], field) if len(keys) > size else "")


# What a list is ordered by: text, a place among the states, or time.
Place = str | int | date | datetime


def _write(case: Case, field: str) -> str:
    value = cast("Place", getattr(case, field))
    text = value.isoformat() if isinstance(value, date) else str(value)
    return f"{text}_{case.pk}"


def _read(cursor: str, field: str) -> tuple[Place, int] | None:
    text, _separator, pk = cursor.rpartition("_")
    if not pk.isascii() or not pk.isdigit() or len(pk) > 18 or "\x00" in text:
        return None
    try:
        value = _value(text, field)
    except ValueError:
        return None
    if isinstance(value, datetime) and value.tzinfo is None:
        return None
    return value, int(pk)


def _value(text: str, field: str) -> Place:
    """The text as a value of the column that the list is ordered by."""
    if field in {"last_day", "review_on"}:
        return date.fromisoformat(text)
    if field == "received_at":
        return datetime.fromisoformat(text)
    if field == "by_state":
        return int(text) if len(text) <= 2 else 0
    return text
