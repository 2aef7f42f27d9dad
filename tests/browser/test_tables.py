"""Tables: the lines of a row go all the way, also beside a name that stays while one scrolls."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from referral.models import CaseState
from tests.factories import ContractLineFactory, make_case

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LINES = """(row) => new Set([...row.children].map((cell) => {
  const { borderTop, borderBottom } = getComputedStyle(cell);
  return [borderTop, borderBottom].join();
})).size"""


@pytest.mark.parametrize("width", [1280, 390])
def test_the_lines_of_the_total_go_across_the_whole_row(
    session_of: Callable[..., Page], width: int
) -> None:
    # Waits for what no contract is for.
    made = make_case(CaseState.IN_PROGRESS, line=ContractLineFactory.create(kva="JKA21"))
    page = session_of(made.navigator, width=width)
    for address in ("/statistics/", "/statistics/dashboard/contracts/"):
        page.goto(address)
        foot = page.locator("tfoot tr").first
        assert foot.evaluate("(row) => row.children.length") > 1
        assert foot.evaluate(LINES) == 1
        assert page.locator("table:has(tfoot) tbody tr").last.evaluate(LINES) == 1
    # Lines that collapse are the table's and would scroll away from the first column.
    name = page.locator(".matrix tfoot th")
    assert name.evaluate("(cell) => getComputedStyle(cell).position") == "sticky"
    assert name.evaluate("(cell) => getComputedStyle(cell).borderCollapse") == "separate"
