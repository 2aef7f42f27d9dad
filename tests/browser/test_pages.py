"""Every page, as each role that has it: accessible, within the screen, without complaints."""

from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from organisations.access import Actor
from organisations.access_log.reviewing import draw_sample, review
from referral import services
from referral.models import CaseState
from tests.factories import (
    ContractLineFactory,
    MadeCase,
    RegionFactory,
    WaitingTimeFactory,
    contract_owner_actor,
    make_case,
    manager_actor,
    operator_actor,
    region_admin_actor,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Address = tuple[Actor | None, str]


def pages() -> Iterator[Address]:
    """Actor and address of every page, with data enough for each part to show."""
    region = RegionFactory()
    line = ContractLineFactory(
        kva="NGB", contract__owner_region=region, cap_volume=50, contract__cap_volume=80
    )
    full = ContractLineFactory(kva="NGB49", contract__owner_region=region, asa_ceiling=1)
    WaitingTimeFactory(care_unit=line.care_unit, kva="NGB")
    made = {
        state: make_case(state, region=region, line=line)
        for state in CaseState
        if state not in {CaseState.RETURNED, CaseState.WATCHED}
    }
    home: MadeCase = made[CaseState.IN_PROGRESS]
    navigator, clinic = home.navigator, home.clinic
    now = timezone.now()
    returned = make_case(CaseState.IN_PROGRESS, region=region, unit=home.unit, line=line)
    services.return_to_clinic(returned.case, missing="BMI.", actor=navigator, now=now)
    draft = services.create_draft(actor=clinic, sending_unit=home.unit, now=now)
    yield None, reverse("login")
    for one in made.values():
        yield navigator, reverse("case", args=[one.case.number])
    for view in ("mine", "unassigned", "soon", "closed"):
        yield navigator, f"{reverse('worklist')}?view={view}"
    yield navigator, f"{reverse('worklist')}?q=finns+inte"
    yield navigator, reverse("case-matching", args=[home.case.number])
    yield navigator, reverse("case-offer", args=[home.case.number, line.pk])
    yield navigator, reverse("case-notices", args=[made[CaseState.OFFERED].case.number])
    for verb in ("return_to_clinic", "park", "end", "pause"):
        yield navigator, reverse("case-action", args=[home.case.number, verb])
    for verb in ("accept", "decline", "withdraw_offer"):
        yield navigator, reverse("case-action", args=[made[CaseState.OFFERED].case.number, verb])
    yield navigator, "/cases/finns-inte/"
    yield clinic, reverse("worklist")
    yield clinic, reverse("forms")
    yield clinic, reverse("form", args=[draft.pk])
    yield clinic, reverse("form", args=[returned.case.form.pk])
    yield clinic, reverse("case", args=[home.case.number])
    provider = made[CaseState.CONFIRMED].provider
    yield provider, reverse("worklist")
    yield provider, reverse("case", args=[made[CaseState.CONFIRMED].case.number])
    for verb in ("reject", "book", "treat"):
        yield provider, reverse("case-action", args=[made[CaseState.CONFIRMED].case.number, verb])
    yield provider, reverse("case-action", args=[made[CaseState.TREATED].case.number, "close"])
    owner = contract_owner_actor(region)
    yield owner, reverse("contracts")
    yield owner, reverse("contract", args=[line.contract.pk])
    yield owner, reverse("contract", args=[full.contract.pk])
    manager = manager_actor(region)
    yield manager, reverse("statistics")
    yield navigator, reverse("statistics")
    yield clinic, reverse("statistics")
    yield operator_actor(), reverse("start")
    yield manager, reverse("worklist")  # refused: the page that says so
    yield from access_log_pages(home)


def access_log_pages(made: MadeCase) -> Iterator[Address]:
    """The access log's review and the patient's extract of it."""
    admin, now = region_admin_actor(made.unit.region), timezone.now()
    today = timezone.localdate(now)
    sample = draw_sample(first_day=today, last_day=today, size=3, actor=admin, now=now)
    first, second, _third = (row.access for row in sample.rows.select_related("access"))
    review(first, outcome="follow_up", comment="Fråga enheten.", actor=admin, now=now)
    yield admin, reverse("access-review")
    yield admin, f"{reverse('access-review')}?case={made.case.number}"
    yield admin, f"{reverse('access-review')}?case=1&mark=own_name"
    yield admin, reverse("access-review-row", args=[first.pk])
    yield admin, reverse("access-review-row", args=[second.pk])
    yield admin, reverse("access-samples")
    yield admin, reverse("access-sample", args=[sample.pk])
    yield admin, reverse("log-extracts")
    yield admin, reverse("log-extract", args=[made.case.number])


@pytest.mark.parametrize("width", [1280, 390])
def test_every_page_is_accessible_and_fits_the_screen(
    session_of: Callable[..., Page], console: object, width: int
) -> None:
    axe = Axe()
    sessions: dict[Actor | None, Page] = {}
    problems: list[str] = []
    for actor, address in pages():
        if actor not in sessions:
            sessions[actor] = session_of(actor, width=width)
        page = sessions[actor]
        answer = page.goto(address)
        page.wait_for_load_state("load")
        expect(page.locator(".htmx-request")).to_have_count(0)
        assert answer is not None
        if answer.status >= 500:
            problems.append(f"{address}: status {answer.status}")
        found = axe.run(page).response["violations"]
        problems += [
            f"{address}: {violation['id']} on {violation['nodes'][0]['target']}"
            for violation in found
            if violation["impact"] in {"serious", "critical"}
        ]
        if page.evaluate("document.documentElement.scrollWidth") > width:
            problems.append(f"{address}: wider than {width} px")
    console.complaints[:] = [  # type: ignore[attr-defined]
        text
        for text in console.complaints
        if "404" not in text and "403" not in text  # type: ignore[attr-defined]
    ]
    assert problems == []


def test_the_worklist_can_be_worked_with_the_keyboard_alone(
    session_of: Callable[..., Page],
) -> None:
    made = make_case()
    page = session_of(made.navigator)
    page.goto(f"{reverse('worklist')}?view=unassigned")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Till innehållet"
    for _step in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == made.case.number:
            break
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/cases/{made.case.number}/")
