"""A campaign from form to result, as two navigators, a patient in 1177 and a manager."""

import re
import time
from collections.abc import Callable

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from organisations.sweeps import run_due
from referral.models import CaseState
from tests.factories import make_case, manager_actor, navigator_actor

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_campaign_goes_from_form_to_result(
    session_of: Callable[..., Page], simulator: str
) -> None:
    made = make_case(CaseState.IN_PROGRESS)
    first, region = session_of(made.navigator), made.unit.region

    # One prepares it, and sees the count follow the filter.
    first.goto("/cases/")
    first.get_by_role("link", name="Kampanjer").click()
    first.get_by_role("link", name="Ny kampanj").first.click()
    expect(first.locator("#reach strong")).to_have_text("0")
    first.locator("#id_waited").fill("5")
    first.locator("#id_waited").blur()
    expect(first.locator("#reach strong")).to_have_text("1")
    first.locator("#id_name").fill("Behöver du vården?")
    first.get_by_role("button", name="Spara").click()
    expect(first.get_by_text("får inte godkänna den")).to_be_visible()

    # Another reads a sample and approves it.
    second = session_of(navigator_actor(region))
    second.goto(re.sub(r"^https?://[^/]+", "", first.url))
    second.get_by_role("link", name="Läs fem av meddelandena").click()
    expect(second.get_by_text(made.case.number).first).to_be_visible()
    second.go_back()
    second.get_by_role("button", name="Godkänn").click()
    expect(second.get_by_role("status").first).to_contain_text("Klart: Godkänn")

    # The first starts it, and sees it go.
    first.reload()
    first.get_by_role("button", name="Starta").click()
    run_due(now=timezone.now())
    expect(first.locator("#progress")).to_contain_text("100 %", timeout=15_000)

    # The patient answers in 1177, and leaves the waiting list.
    patient = session_of(None)
    patient.goto(f"{simulator}/?reference={made.case.number}")
    patient.get_by_role("link", name="Du som väntar").click()
    patient.get_by_label("Jag behöver inte längre vården").check()
    patient.get_by_role("button", name="Svara").click()
    expect(patient.get_by_text("Du har svarat")).to_be_visible()
    deadline = time.monotonic() + 15
    while made.refresh().state != CaseState.CLOSED and time.monotonic() < deadline:
        time.sleep(0.2)
    assert made.refresh().state == CaseState.CLOSED

    # The navigator sees who answered; a manager, that they are too few to show.
    first.get_by_role("link", name="Resultat").click()
    first.get_by_role("link", name="Jag behöver inte längre vården").click()
    expect(first.get_by_text(made.case.number)).to_be_visible()
    manager = session_of(manager_actor(region), width=390)
    manager.goto("/campaigns/")
    manager.get_by_role("link", name="Behöver du vården?").click()
    expect(manager.get_by_text("För få patienter")).to_be_visible()
