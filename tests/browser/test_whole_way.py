"""One case from form to closed, as four people in four sessions."""

import re
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from organisations.sweeps import run_due
from referral.models import Case, CaseState
from tests.factories import (
    CareUnitFactory,
    ContractLineFactory,
    MunicipalityFactory,
    ProcedureFactory,
    RegionFactory,
    WaitingTimeFactory,
    clinic_actor,
    identity_number,
    manager_actor,
    navigator_actor,
    provider_actor,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def region() -> object:
    return RegionFactory()


def test_a_case_goes_from_form_to_closed_as_four_people(
    region: object, session_of: Callable[..., Page], simulator: str
) -> None:
    clinic_unit = CareUnitFactory(region=region, sends=True)
    home = MunicipalityFactory(region=region)
    line = ContractLineFactory(kva="NGB", contract__owner_region=region)
    ProcedureFactory()
    WaitingTimeFactory(care_unit=line.care_unit, kva="NGB", median_days=30)
    today = timezone.localdate()

    # The clinic fills in the form and sends it in.
    clinic = session_of(clinic_actor(clinic_unit))
    clinic.goto("/forms/")
    clinic.get_by_role("button", name="Ny blankett").click()
    clinic.locator("#id_identity_number").fill(identity_number(7))
    clinic.locator("#id_given_name").fill("Åsa")
    clinic.locator("#id_family_name").fill("Öhrström")
    clinic.locator("#id_municipality").select_option(home.code)
    clinic.locator("#id_kva").fill("NGB49")
    clinic.locator("#id_icd10").fill("M17.1")
    clinic.get_by_label("Behandling", exact=True).check()
    clinic.locator("#id_referral_date").fill((today - timedelta(days=40)).isoformat())
    clinic.locator("#id_decision_date").fill((today - timedelta(days=30)).isoformat())
    clinic.locator("#id_home_wait_days").fill("250")
    clinic.locator("#id_asa").fill("2")
    clinic.get_by_label("Ja", exact=True).check()
    clinic.get_by_role("button", name="Skicka in").click()
    expect(clinic.get_by_role("status")).to_contain_text("Blanketten är inskickad")
    number = re.search(r"\d\d-\d\d-\d{6}-\d", clinic.url)
    assert number is not None
    case = Case.objects.get(number=number.group())

    # The navigator takes it, looks at the matching and sends the offer.
    navigator = session_of(navigator_actor(region))
    navigator.goto("/cases/?view=unassigned")
    navigator.get_by_role("link", name=case.number).click()
    navigator.get_by_role("button", name="Ta ärendet").click()
    navigator.get_by_role("link", name="Skicka erbjudande").click()
    expect(navigator.get_by_text("30 dagar (median)")).to_be_visible()
    navigator.get_by_role("link", name=re.compile("^Erbjud")).first.click()
    expect(navigator.get_by_text("Det kostar dig inget extra")).to_be_visible()
    navigator.get_by_role("button", name="Skicka erbjudandet").click()
    expect(navigator.get_by_role("status")).to_contain_text("Erbjudandet är skickat")
    run_due(now=timezone.now())

    # The patient answers in 1177.
    patient = session_of(None)
    patient.goto(simulator)
    patient.get_by_role("link", name=re.compile("Erbjudande")).first.click()
    expect(patient.get_by_text("Det kostar dig inget extra")).to_be_visible()
    patient.get_by_role("button", name=re.compile("Ja")).click()
    _wait_until(lambda: _state(case) == CaseState.ACCEPTED)

    # The provider confirms, books, treats and sends the patient back.
    provider = session_of(provider_actor(line.care_unit.provider))
    provider.goto("/cases/")
    provider.get_by_role("link", name=case.number).click()
    provider.get_by_role("button", name="Bekräfta remissen").click()
    provider.get_by_role("link", name="Boka tid").click()
    provider.get_by_label("Datum och klockslag").fill(f"{today + timedelta(days=9)}T08:30")
    provider.get_by_role("button", name="Boka tid").click()
    provider.get_by_role("link", name="Rapportera behandlad").click()
    provider.get_by_label("Behandlingsdatum").fill(today.isoformat())
    provider.get_by_role("button", name="Rapportera behandlad").click()
    provider.get_by_role("link", name="Återremittera och avsluta").click()
    provider.get_by_label("Återremiss").fill("Opererad utan komplikation.")
    provider.get_by_role("button", name="Återremittera och avsluta").click()
    expect(provider.get_by_role("status")).to_contain_text("Klart")
    assert _state(case) == CaseState.CLOSED

    # Everyone at home sees the whole story, and the month's figures have it.
    navigator.goto(f"/cases/{case.number}/")
    for line_of_story in ("Patienten tackade ja", "Vårdgivaren bekräftade", "Återremiss"):
        expect(navigator.get_by_role("list").filter(has_text=line_of_story)).to_be_visible()
    manager = session_of(manager_actor(region))
    manager.goto("/statistics/")
    expect(manager.get_by_role("heading", level=1)).to_be_visible()


def test_a_running_case_is_shown_as_soon_as_patient_and_procedure_are_typed(
    session_of: Callable[..., Page],
) -> None:
    from tests.factories import make_case

    made = make_case()
    page = session_of(made.clinic)
    page.goto("/forms/")
    page.get_by_role("button", name="Ny blankett").click()
    page.locator("#id_identity_number").fill(made.patient.identity_number)
    page.locator("#id_kva").fill(made.case.kva)
    page.get_by_role("link", name=re.compile(f"Öppna {made.case.number}")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(made.case.number)


def test_what_is_typed_is_there_after_the_browser_was_closed(
    session_of: Callable[..., Page],
) -> None:
    unit = CareUnitFactory(sends=True)
    actor = clinic_actor(unit)
    page = session_of(actor)
    page.goto("/forms/")
    page.get_by_role("button", name="Ny blankett").click()
    with page.expect_response(lambda response: response.url.endswith("/draft/")):
        page.locator("#id_medications").fill("Waran, ej ifyllt färdigt")
    address = page.url
    page.context.close()
    again = session_of(actor)
    again.goto(address)
    expect(again.locator("#id_medications")).to_have_value("Waran, ej ifyllt färdigt")


def _state(case: Case) -> str:
    return Case.objects.values_list("state", flat=True).get(pk=case.pk)


def _wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline, "it did not happen within ten seconds"
        time.sleep(0.1)
