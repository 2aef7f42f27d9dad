"""The patient's own page in a real browser without scripts: 320 px, three languages, axe."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page, expect

from notices.models import PhoneTime
from notices.own_page.codes import answer_code
from notices.own_page.languages import EASY, NAMES
from notices.simulator.identity import CLIENT_ID, ROOT
from organisations.login import openid
from referral.models import CaseState, Offer
from tests.browser.conftest import Console
from tests.factories import MadeCase, make_case, user_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
HEADINGS = {
    "sv": "Svara på ditt erbjudande om vård",
    EASY: "Svara på ditt erbjudande om vård",
    "en": "Answer your offer of care",
}


@pytest.fixture
def identity(simulator: str, settings: object) -> str:
    settings.IDENTITY_ISSUER = simulator + ROOT  # type: ignore[attr-defined]
    settings.IDENTITY_CLIENT_ID = CLIENT_ID  # type: ignore[attr-defined]
    settings.IDENTITY_CLIENT_SECRET = ""  # type: ignore[attr-defined]
    openid.client_for.cache_clear()
    return simulator


@pytest.fixture
def open_page(
    browser: Browser, live_server: object, console: Console, identity: str
) -> Iterator[Callable[..., Page]]:
    """``open_page(width)``: a browser that runs no scripts."""
    contexts: list[BrowserContext] = []

    def opened(width: int = 320) -> Page:
        context = browser.new_context(
            base_url=live_server.url,  # type: ignore[attr-defined]
            viewport={"width": width, "height": 800},
            locale="sv-SE",
            java_script_enabled=False,
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        console.listen(page)
        return page

    yield opened
    for context in contexts:
        context.close()


def come_in(page: Page, made: MadeCase, *, button: str, go_on: str, language: str = "sv") -> None:
    page.goto(f"/svar/{made.case.number}/?language={language}")
    page.fill("#id_code", answer_code(made.case.number, serial=1).lower())
    page.click(f"text={go_on}")
    page.click(f"button:has-text('{button}')")
    page.fill("#identity_number", made.patient.identity_number)
    page.click("button:has-text('Legitimera')")
    page.wait_for_url("**/svar/case/")


def fits(page: Page) -> bool:
    """Whether nothing stands beside the screen; asked through the protocol, for the page runs no
    scripts."""
    session = page.context.new_cdp_session(page)
    layout = session.send("Page.getLayoutMetrics")
    return bool(layout["cssContentSize"]["width"] <= layout["cssLayoutViewport"]["clientWidth"])


def check(browser: Browser, page: Page, width: int) -> None:
    """Within the screen, and accessible: axe is a script, so it looks at a copy that allows it."""
    assert fits(page), page.url
    copy = browser.new_context(
        viewport={"width": width, "height": 800},
        storage_state=page.context.storage_state(),
        bypass_csp=True,
    )
    try:
        seen = copy.new_page()
        seen.goto(page.url)
        found = Axe().run(seen)
        assert found.violations_count == 0, (page.url, found.generate_report())
    finally:
        copy.close()


def test_the_patient_answers_without_scripts_on_a_small_screen(open_page, browser):
    made = make_case(CaseState.OFFERED, home_wait_days=200)
    page = open_page()
    page.goto("/svar/")
    check(browser, page, 320)
    page.fill("#id_number", made.case.number)
    page.fill("#id_code", "00000-00000")
    page.click("text=Fortsätt")
    expect(page.locator("#error-summary")).to_contain_text("hör inte ihop")
    come_in(page, made, button="Legitimera mig", go_on="Fortsätt")
    check(browser, page, 320)
    page.click("text=Ja, jag vill ha vården där")
    check(browser, page, 320)
    page.click("text=Ja, jag tackar ja")
    expect(page.locator("h1")).to_have_text("Du har tackat ja")
    check(browser, page, 320)
    page.click("text=Till ditt ärende")
    page.click("text=Logga ut")
    page.goto("/svar/case/")
    expect(page.locator("h1")).to_have_text(HEADINGS["sv"])
    assert made.refresh().offers.get().state == Offer.State.ACCEPTED


@pytest.mark.parametrize("language", NAMES)
def test_every_page_in_every_language(open_page, browser, language):
    made = make_case(CaseState.OFFERED, home_wait_days=200)
    start = timezone.now() + timedelta(days=2)
    PhoneTime.objects.create(
        navigator=user_of(made.navigator),
        region=made.unit.region,
        starts_at=start,
        ends_at=start + timedelta(minutes=15),
        opened_at=timezone.now(),
    )
    words = {"sv": ("Legitimera mig", "Fortsätt"), EASY: ("Visa vem jag är", "Fortsätt")}
    button, go_on = words.get(language, ("Identify me", "Continue"))
    page = open_page()
    page.goto(f"/svar/?language={language}")
    expect(page.locator("h1")).to_have_text(HEADINGS[language])
    check(browser, page, 320)
    come_in(page, made, button=button, go_on=go_on, language=language)
    for path in ("", "accept/", "decline/", "call/"):
        page.goto(f"/svar/case/{path}")
        expect(page.locator("html")).to_have_attribute("lang", "en" if language == "en" else "sv")
        check(browser, page, 320)
    page.fill("#id_phone", "070-123 45 67")
    page.fill("#id_about", "Resan")
    page.select_option("#id_time_id", index=1)
    page.locator("form.own__form button").click()
    page.wait_for_url("**/svar/case/")
    check(browser, page, 320)


def test_whoever_is_somebody_else_is_told_so(open_page, console):
    made = make_case(CaseState.OFFERED)
    page = open_page(width=390)
    page.goto(f"/svar/{made.case.number}/")
    page.fill("#id_code", answer_code(made.case.number, serial=1))
    page.click("text=Fortsätt")
    page.click("text=Legitimera mig")
    page.fill("#identity_number", "19121212-1212")
    page.click("button:has-text('Legitimera')")
    expect(page.locator("[role=alert]")).to_contain_text("gäller inte dig")
    assert fits(page)
    (refused,) = console.complaints  # the browser tells of the answer's status
    assert "403" in refused
    console.complaints.clear()
