"""What somebody has typed is shown as it was typed, and never runs, in a real browser."""

from collections.abc import Callable

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from referral import services
from referral.models import CaseState
from tests.factories import make_case

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

RUNS = '<img src=x onerror="window.ran=1"><script>window.ran=1</script>'
OUT = "\"'><svg onload=window.ran=1>"


def test_markup_in_a_name_a_note_and_a_reason_is_text_wherever_it_is_shown(
    session_of: Callable[..., Page],
) -> None:
    made = make_case(CaseState.IN_PROGRESS, given_name=OUT, family_name=RUNS, free_text=RUNS)
    now = timezone.now()
    services.note(made.case, text=RUNS + OUT, actor=made.navigator, now=now)
    page = session_of(made.navigator)
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    number = made.case.number
    for address, shown in (
        ("/cases/?view=all", RUNS),
        (f"/cases/{number}/", RUNS + OUT),
        (f"/cases/{number}/matching/", number),
        (f"/cases/{number}/offer/{made.line.pk}/", number),
    ):
        page.goto(address)
        expect(page.locator("body")).to_contain_text(shown)
        page.wait_for_load_state("networkidle")
        assert page.evaluate("window.ran") is None, address
        assert page.locator("[onerror], [onload], main script, img[src=x]").count() == 0, address
    services.return_to_clinic(made.refresh(), missing=RUNS, actor=made.navigator, now=now)
    clinic = session_of(made.clinic)
    clinic.goto(f"/forms/{made.case.form.pk}/")
    expect(clinic.locator("body")).to_contain_text(RUNS)
    assert clinic.evaluate("window.ran") is None
    assert dialogs == []
