"""Drawing of case numbers; what a number is stands in ``organisations.case_numbers``."""

from django.db import connection

from organisations.case_numbers import NUMBER_PATTERN, CaseNumber, InvalidCaseNumber

__all__ = [
    "NUMBER_PATTERN",
    "CaseNumber",
    "InvalidCaseNumber",
    "draw_case_number",
    "draw_case_numbers",
]


def draw_case_number(*, county: str, year: int) -> CaseNumber:
    """The next number of a region and year, never given twice.

    The counter row is locked until the caller's transaction ends; a transaction that fails gives
    its number back unused, since nobody has seen it.
    """
    return draw_case_numbers(1, county=county, year=year)[0]


def draw_case_numbers(count: int, *, county: str, year: int) -> list[CaseNumber]:
    """As :func:`draw_case_number`, so many numbers in a row."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO referral_casenumbercounter (region_id, year, last) VALUES (%s, %s, %s)
            ON CONFLICT (region_id, year)
            DO UPDATE SET last = referral_casenumbercounter.last + EXCLUDED.last
            RETURNING last
            """,
            [county, year, count],
        )
        (last,) = cursor.fetchone()
    return [
        CaseNumber.build(county=county, year=year, running=running)
        for running in range(last - count + 1, last + 1)
    ]
