"""Drawing of case numbers; what a number is stands in ``organisations.case_numbers``."""

from django.db import connection

from organisations.case_numbers import NUMBER_PATTERN, CaseNumber, InvalidCaseNumber

__all__ = ["NUMBER_PATTERN", "CaseNumber", "InvalidCaseNumber", "draw_case_number"]


def draw_case_number(*, county: str, year: int) -> CaseNumber:
    """The next number of a region and year, never given twice.

    The counter row is locked until the caller's transaction ends; a transaction that fails gives
    its number back unused, since nobody has seen it.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO referral_casenumbercounter (region_id, year, last) VALUES (%s, %s, 1)
            ON CONFLICT (region_id, year)
            DO UPDATE SET last = referral_casenumbercounter.last + 1
            RETURNING last
            """,
            [county, year],
        )
        (running,) = cursor.fetchone()
    return CaseNumber.build(county=county, year=year, running=running)
