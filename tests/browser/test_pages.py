"""Every page, as each role that has it: accessible, within the screen, without complaints."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import time, timedelta
from decimal import Decimal

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from capacity.plans import services as plans
from capacity.plans.weeks import Week, weeks_of
from capacity.services import import_waiting_times
from capacity.slots.services import withdraw_slot
from contracts.files.columns import COLUMNS
from contracts.files.writing import csv_file
from contracts.models import ChecklistItem, ContractLine, PeriodCap
from contracts.services import add_contact, add_document, import_contracts
from notices.callbacks.services import ask_for_call, book_call
from notices.callbacks.times import Series, open_times
from notices.campaigns import services as campaigns
from notices.models import Notice, PrintReport, StaffMail
from organisations.access import Actor, actor_for
from organisations.access_log.reviewing import draw_sample, review
from organisations.administration import services as administration
from organisations.administration.authority import Place
from organisations.events import deliver_events
from organisations.models import Assignment, CareUnit, DomainEvent, EventDelivery, Region, Role
from referral import services
from referral.models import AllocationRun, CaseState, WaitingListFile, WatchHit
from referral.selectors.worklist import views_for
from statistics.frozen.services import publish_version, recount_month, run_months
from statistics.models import MonthDue
from statistics.months import Month
from statistics.pathways.services import enter_limit, withdraw
from tests.access.world import returned_letter
from tests.browser.conftest import Console
from tests.factories import (
    LONG_AGO,
    CareUnitFactory,
    ContractLineFactory,
    FreeCapacityFactory,
    MadeCase,
    ProcedureFactory,
    RegionFactory,
    WaitingTimeFactory,
    clinic_actor,
    contract_owner_actor,
    make_case,
    manager_actor,
    navigator_actor,
    operator_actor,
    provider_actor,
    region_admin_actor,
    user_of,
)
from tests.invoices import bill_for, receive
from tests.notices.campaigns.parts import campaign_with
from tests.statistics.frozen.parts import Counted, days, number
from tests.statistics.waiting_times.files import delivered
from tests.waiting_lists import handed_in

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
        if state != CaseState.RETURNED
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
    for view in views_for(navigator):
        yield navigator, f"{reverse('worklist')}?view={view.key}"
    yield navigator, f"{reverse('worklist')}?view=all&sort=-clinic&kva=finns+inte"
    yield navigator, f"{reverse('worklist')}?q=finns+inte"
    yield navigator, f"{reverse('worklist')}?q=13-26-000001-0"
    yield navigator, f"{reverse('worklist')}?state=finns-inte"
    yield navigator, reverse("case-matching", args=[home.case.number])
    yield navigator, reverse("case-offer", args=[home.case.number, line.pk])
    yield navigator, reverse("case-notices", args=[made[CaseState.OFFERED].case.number])
    yield navigator, reverse("case-matching", args=[made[CaseState.BOOKED].case.number])
    for verb in ("return_to_clinic", "park", "end", "leave_list", "pause"):
        yield navigator, reverse("case-action", args=[home.case.number, verb])
    for verb in ("accept", "decline", "withdraw_offer"):
        yield navigator, reverse("case-action", args=[made[CaseState.OFFERED].case.number, verb])
    yield navigator, "/cases/finns-inte/"
    yield clinic, reverse("worklist")
    yield clinic, reverse("forms")
    yield clinic, reverse("form", args=[draft.pk])
    yield clinic, reverse("form", args=[returned.case.form.pk])
    yield clinic, reverse("case", args=[home.case.number])
    yield clinic, reverse("case", args=[returned.case.number])
    yield clinic, reverse("case-notices", args=[home.case.number])
    for verb in ("end", "pause"):
        yield clinic, reverse("case-action", args=[returned.case.number, verb])
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
    yield owner, reverse("account")
    yield from registry_pages(owner, line, navigator)
    yield from invoice_pages(owner, navigator, made[CaseState.TREATED], made[CaseState.CLOSED])
    manager = manager_actor(region)
    yield manager, reverse("statistics")
    yield manager, reverse("open-data")
    yield manager, reverse("pathways")
    tell_of_pathways(region_admin_actor(region))
    yield region_admin_actor(region), reverse("pathway-settings")
    for what in ("limits", "counts"):
        yield region_admin_actor(region), reverse("pathway-import", args=[what])
    yield navigator, reverse("statistics")
    yield clinic, reverse("statistics")
    yield manager, reverse("guarantee")
    yield navigator, reverse("guarantee")
    yield manager, reverse("performance")
    yield manager, reverse("performance-import")
    for part in ("dashboard", "dashboard-funnel", "dashboard-flows", "dashboard-gaps"):
        yield manager, reverse(part)
        yield navigator, reverse(part)
    yield navigator, f"{reverse('dashboard-cases')}?figure=received"
    yield from frozen_pages(region)
    yield from administration_pages(region)
    yield manager, reverse("no-assignment")
    yield provider, reverse("contracts")
    yield provider, reverse("contract", args=[line.contract.pk])
    yield navigator, reverse("contracts")
    yield from privacy_pages(home, made[CaseState.ACCEPTED])
    yield manager, reverse("worklist")  # refused: the page that says so
    yield from access_log_pages(home)
    yield from waiting_time_pages(navigator, line)
    yield from allocation_pages(home)
    yield from waiting_list_pages(home)
    yield from national_waiting_time_pages(region)
    yield from free_capacity_pages(made[CaseState.WATCHED], provider, full)
    yield from phone_time_pages(home)
    yield from delivery_plan_pages(owner, line)
    yield from notice_pages(region, line)
    yield from campaign_pages(home)


def tell_of_pathways(actor: Actor) -> None:
    """A limit that holds, and one that is withdrawn."""
    now = timezone.now()
    for treatment in ("surgery", "drugs"):
        limit = enter_limit(
            pathway="lungcancer", treatment=treatment, days=30, actor=actor, now=now
        )
    withdraw("limits", limit.pk, actor=actor, now=now)


def campaign_pages(home: MadeCase) -> Iterator[Address]:
    """A draft, as its maker and as a second person see it, and a campaign with its results."""
    navigator, region, now = home.navigator, home.unit.region, timezone.now()
    draft = campaigns.prepare(name="Väntat länge", criteria={}, actor=navigator, now=now)
    running = campaign_with(home)
    admin, manager = region_admin_actor(region), manager_actor(region)
    for actor in (navigator, admin, manager):
        yield actor, reverse("campaigns")
        yield actor, reverse("campaign-result", args=[running.pk])
    for actor in (navigator, navigator_actor(region), admin):
        yield actor, reverse("campaign", args=[draft.pk])
        yield actor, reverse("campaign", args=[running.pk])
    yield navigator, reverse("campaign-new")
    yield navigator, reverse("campaign-edit", args=[draft.pk])
    yield navigator, reverse("campaign-sample", args=[draft.pk])
    yield navigator, reverse("campaign-recipients", args=[running.pk])
    yield navigator, f"{reverse('campaign-recipients', args=[running.pk])}?answer=call"
    yield navigator, f"{reverse('campaign-result', args=[running.pk])}?number=x"
    yield navigator, reverse("campaign-answer", args=[running.pk, home.case.number])
    yield admin, reverse("notice-prices")


def frozen_pages(region: Region) -> Iterator[Address]:
    """The months, one frozen with a correction and a version, one preliminary; subscribing."""
    manager, navigator = manager_actor(region), navigator_actor(region)
    now = timezone.now()
    last = Month.of(timezone.localdate(now)).back(1)
    MonthDue.objects.create(region=region, first_day=last.first_day, due_at=now)
    counted = Counted(number(20), days(20, 4.5), of=last)
    run_months(now=now, count=counted)
    counted.now(number(21), days(21, 4.0), of=last)
    recount_month(last, actor=navigator, now=now, count=counted)
    publish_version(last, reason="Sena svar.", actor=manager, now=now, count=counted)
    unit = CareUnitFactory(region=region, sends=True)
    for actor in (manager, navigator, clinic_actor(unit)):
        yield actor, reverse("frozen-months")
        yield actor, reverse("frozen-month", args=[last])
        yield actor, reverse("frozen-subscription")
    yield manager, f"{reverse('frozen-month', args=[last])}?version=1&dimension=x"
    yield manager, reverse("frozen-month", args=[last.back(-1)])


def notice_pages(region: Region, line: ContractLine) -> Iterator[Address]:
    """What did not get through, a patient who has died, and the region's days."""
    made, now = make_case(CaseState.OFFERED, region=region, line=line), timezone.now()
    yield made.navigator, reverse("undelivered")
    deliver_events(now=now)
    Notice.objects.filter(case=made.case, kind="offer").update(
        state="failed", attempts=12, last_error="refused with 400"
    )
    returned_letter(made)
    yield made.navigator, reverse("undelivered")
    yield made.navigator, reverse("case-notices", args=[made.case.number])
    StaffMail.objects.create(
        to="a@region.example",
        subject="Taket är nått",
        body="x",
        idempotency_key="k",
        created_at=now,
        due_at=now,
        state="failed",
    )
    fault = {"row": 2, "why": "Okänd status."}
    PrintReport.objects.create(
        name="ack-brev-20260324-00000001.csv",
        sha256="0" * 64,
        received_at=now,
        fault_count=1,
        faults=[fault],
    )
    for name in ("staff-mail", "print-reports", "operations"):
        yield operator_actor(), reverse(name)
    dead = make_case(CaseState.OFFERED, region=region, line=line)
    yield made.navigator, reverse("case-privacy", args=[dead.case.number, "depart"])
    services.depart(
        dead.case,
        kind="deceased_on",
        on=timezone.localdate(now),
        reason="Anhörig ringde.",
        actor=dead.clinic,
        now=now,
    )
    yield made.navigator, reverse("undelivered")
    yield made.navigator, reverse("case", args=[dead.case.number])
    yield made.navigator, reverse("case-privacy", args=[dead.case.number, "undo_depart"])
    yield region_admin_actor(region), reverse("notice-days")
    for name in ("patient-facts", "texts", "text-new", "texts-compared"):
        yield region_admin_actor(region), reverse(name)
    for kind, language in (("offer", "sv"), ("guarantee", "ar")):
        yield region_admin_actor(region), reverse("text", args=[kind, language, "plain", "A"])


def phone_time_pages(home: MadeCase) -> Iterator[Address]:
    """A week of phone times, those to call today, and the calls of a case."""
    navigator, now, number = home.navigator, timezone.now(), home.case.number
    monday = Week.of(timezone.localdate(now)).back(-1).monday
    friday = monday + timedelta(days=4)
    hours = Series(first_day=monday, last_day=friday, start=time(9), end=time(10), minutes=15)
    (first, *_rest) = open_times(hours, actor=navigator, now=now)
    asked = ask_for_call(home.case, about="Resan", phone="070-123 45 67", actor=navigator, now=now)
    week = f"?week={Week.of(monday).year}-W{Week.of(monday).number:02d}"
    yield navigator, reverse("worklist")
    yield navigator, reverse("calls-today")
    yield navigator, reverse("case-call-book", args=[number])
    for ending in ("done", "missed", "cancel"):
        yield navigator, reverse("call-end", args=[asked.pk, ending])
    yield home.clinic, reverse("case-calls", args=[number])
    book_call(
        home.case, time_id=first.pk, about="Resan", phone="070-123 45", actor=navigator, now=now
    )
    yield navigator, reverse("phone-times") + week
    yield navigator, reverse("phone-times") + week + "&who=all"
    yield navigator, reverse("phone-times") + "?week=nej&number=finns-inte"
    yield navigator, reverse("phone-times-new")
    yield navigator, reverse("case-call-book", args=[number])
    yield navigator, reverse("case-calls", args=[number])


def allocation_pages(home: MadeCase) -> Iterator[Address]:
    """A list to allocate, one that waits and one that is done, and the drafts it led to."""
    navigator, now = home.navigator, timezone.now()
    unit, kva, today = home.line.care_unit, home.case.kva, timezone.localdate()
    WaitingTimeFactory(care_unit=unit, kva=kva, day=today, median_days=9)
    run = services.request_allocation(clinics=[home.unit], actor=navigator, now=now)
    services.accept_allocation(run, actor=navigator, now=now)
    waits = services.request_allocation(clinics=[home.unit], actor=navigator, now=now)
    AllocationRun.objects.filter(pk=waits.pk).update(state="queued", done_at=None)
    yield navigator, reverse("allocations")
    yield navigator, reverse("allocation", args=[run.pk])
    yield navigator, reverse("allocation", args=[waits.pk])
    yield navigator, reverse("offer-drafts")
    yield navigator, reverse("case", args=[home.case.number])


def national_waiting_time_pages(region: Region) -> Iterator[Address]:
    """Deliveries to the national database: one that holds, one with a lack, one refused."""
    admin, manager = region_admin_actor(region), manager_actor(region)
    lacks = delivered("x", admin, yrkesgrupp="")
    holds = delivered("x", manager)
    refused = delivered("x", manager, kon="7")
    for actor in (admin, manager):
        yield actor, reverse("waiting-times")
    for made in (lacks, holds, refused):
        yield admin, reverse("waiting-times-receipt", args=[made.number])
    yield manager, reverse("waiting-times-reporting")
    yield manager, f"{reverse('waiting-times-reporting')}?model=primary&month=finns-inte"
    yield manager, reverse("waiting-times-check")
    yield manager, reverse("waiting-times-layout")


def waiting_list_pages(home: MadeCase) -> Iterator[Address]:
    """The lists that a clinic has handed in: one checked, one that waits, one that is no list."""
    made = handed_in(home.unit, home.clinic)
    waits = handed_in(home.unit, home.clinic)
    WaitingListFile.objects.filter(pk=waits.pk).update(state="queued", done_at=None)
    failed = handed_in(home.unit, home.clinic)
    WaitingListFile.objects.filter(pk=failed.pk).update(state="failed", refusal="Kolumner saknas.")
    yield home.clinic, reverse("waiting-lists")
    yield home.navigator, reverse("waiting-lists")
    for one in (made, waits, failed):
        yield home.clinic, reverse("waiting-list", args=[one.pk])


def delivery_plan_pages(owner: Actor, line: ContractLine) -> Iterator[Address]:
    """The list, a plan as it is made, agreed and changed, and as manager and supplier see it."""
    now = timezone.now()
    year = Week.of(timezone.localdate(now)).year
    plan = plans.create_plan(line, year=year, whole_provider=False, actor=owner, now=now)
    volumes = {week.number: 30 for week in weeks_of(year)}
    plans.save_weeks(plan, volumes, actor=owner, now=now)
    plans.agree_plan(plan, agreed_with="Planeringen", actor=owner, now=now)
    plans.revise_plan(plan, reason="Fler väntar.", actor=owner, now=now)
    draft = plans.create_plan(line, year=year + 1, whole_provider=True, actor=owner, now=now)
    yield owner, reverse("delivery-plans")
    yield owner, f"{reverse('delivery-plans')}?year=nej"
    yield owner, reverse("delivery-plan-new")
    for one in (plan, draft):
        yield owner, reverse("delivery-plan", args=[one.pk])
        yield owner, reverse("delivery-plan-edit", args=[one.pk])
    yield owner, reverse("delivery-plan-import", args=[draft.pk])
    yield owner, reverse("delivery-plan-version", args=[plan.pk, 1])
    for actor in (manager_actor(line.contract.owner_region), provider_actor(line.care_unit)):
        yield actor, reverse("delivery-plans")
        yield actor, reverse("delivery-plan", args=[plan.pk])


def waiting_time_pages(navigator: Actor, line: ContractLine) -> Iterator[Address]:
    """The situation view as table and as choice of codes, a unit's page, and files."""
    operator, unit = operator_actor(), line.care_unit
    made = import_waiting_times(
        f"hsa-id;kvå;datum;antal;median;p80\n{unit.hsa_id};NGB;9 mars;1;2;3".encode(),
        name="dag.csv",
        source="SPOR",
        made_by=operator.name,
        now=timezone.now(),
    )
    yield navigator, reverse("matching-weights")
    yield region_admin_actor(unit.region), reverse("matching-weights")
    yield navigator, reverse("situation")
    yield navigator, f"{reverse('situation')}?q=NGB"
    yield navigator, f"{reverse('situation')}?q=NGB&level=region&sort=-done"
    yield navigator, f"{reverse('situation')}?q=ledprotes"
    yield navigator, reverse("situation-unit", args=[unit.hsa_id])
    yield operator, reverse("waiting-time-files")
    yield operator, reverse("waiting-time-file", args=[made.pk])


def free_capacity_pages(
    watched: MadeCase, provider: Actor, full: ContractLine
) -> Iterator[Address]:
    """Free places for those who post and those who look for them, and a hit they gave."""
    slot = FreeCapacityFactory(care_unit=watched.line.care_unit, contact="Planeringen", age_min=18)
    FreeCapacityFactory(care_unit=full.care_unit, note="Bara dagkirurgi.")
    FreeCapacityFactory(offered=1)
    old = FreeCapacityFactory(care_unit=slot.care_unit, kva="NGB")
    withdraw_slot(old, actor=provider, now=timezone.now())
    hit = WatchHit.objects.create(
        case=watched.case,
        cause="capacity",
        line=watched.line,
        slot=slot,
        event_id=0,
        found_at=timezone.now(),
    )
    navigator, number = watched.navigator, watched.case.number
    yield navigator, reverse("free-capacity")
    yield navigator, f"{reverse('free-capacity')}?q=NGB&week=2020-W01&sort=-left"
    yield navigator, f"{reverse('free-capacity')}?week=hittepå"
    yield provider, reverse("free-capacity")
    yield provider, f"{reverse('free-capacity')}?past=1"
    yield provider, reverse("free-capacity-new")
    yield provider, reverse("free-capacity-edit", args=[slot.pk])
    yield provider, reverse("free-capacity-import")
    yield navigator, f"{reverse('worklist')}?view=watch_hits"
    yield navigator, reverse("case", args=[number])
    yield navigator, reverse("case-action", args=[number, "review"])
    yield navigator, reverse("watch-hit-dismiss", args=[number, hit.pk])
    yield navigator, reverse("case-matching", args=[number])


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


def administration_pages(region: Region) -> Iterator[Address]:
    """The pages of a region's administrator and of the operator."""
    admin, operator = region_admin_actor(region), operator_actor()
    now = timezone.now()
    person = user_of(navigator_actor(region))
    Assignment.objects.create(user=person, role=Role.MANAGER, region=region, starts_at=LONG_AGO)
    unit = CareUnitFactory(region=region, sends=True)
    administration.close_unit(unit, actor=admin, now=now)
    invitation = administration.invite(
        name="Anna Ny",
        email="anna@region.example",
        role=Role.MANAGER,
        place=Place(region=region),
        actor=admin,
        now=now,
    )
    event = DomainEvent.objects.create(kind="offer.sent", happened_at=now)
    EventDelivery.objects.create(
        event=event, consumer="x", due_at=now, attempts=1, last_error="ValueError: x"
    )
    yield admin, reverse("start")
    yield admin, reverse("people") + "?q=finns+inte"
    yield admin, reverse("invite")
    yield admin, reverse("person", args=[person.pk])
    yield admin, reverse("person", args=[admin.user_id])
    for name in ("person-edit", "assignment-give", "person-shut-off"):
        yield admin, reverse(name, args=[person.pk])
    yield admin, reverse("assignment-end", args=[person.assignments.first().pk])
    for name in ("units", "unit-new", "history"):
        yield admin, reverse(name)
    yield admin, reverse("unit", args=[unit.pk])
    yield operator, reverse("start")
    for name in ("people", "invite", "client-new", "units", "history", "regions", "providers"):
        yield operator, reverse(name)
    yield operator, reverse("region", args=[region.code])
    yield operator, reverse("provider-new")
    yield operator, reverse("provider", args=[unit.provider_id])
    yield None, reverse("invitation", args=[invitation.token])
    yield None, reverse("invitation", args=["finns.inte"])
    several = actor_for(person, now=now)
    yield several, reverse("invitation", args=[invitation.token])
    yield several, reverse("worklist")  # with the choice of assignment in the head


# The page has axe's own script already; in what it passes nothing is to be told.
# What counts is serious or critical, so the rules whose findings never are need not run; nor need
# axe fetch style sheets and media beforehand, which only such a rule asks for.
VIOLATIONS = """
axe.run({
    resultTypes: ['violations'],
    preload: false,
    rules: Object.fromEntries(
        axe._audit.rules.filter(rule => ['minor', 'moderate'].includes(rule.impact))
            .map(rule => [rule.id, {enabled: false}])
    ),
}).then(found => found.violations)
"""


# A desk's screen and a phone's; the desk last, which the next page is opened in.
WIDTHS = (390, 1280)


class Inspector:
    """Looks at pages in each width: serious findings of axe, wider than the screen, an error of the
    server.
    """

    def __init__(self) -> None:
        self.axe, self.problems = Axe(), list[str]()

    def look(self, page: Page, name: str, *, status: int = 200) -> None:
        page.wait_for_load_state("load")
        expect(page.locator(".htmx-request")).to_have_count(0)
        if status >= 500:
            self.problems.append(f"{name}: status {status}")
        page.evaluate(self.axe.axe_script)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            self._look(page, width, f"{name} at {width} px")

    def _look(self, page: Page, width: int, name: str) -> None:
        self.problems += [
            f"{name}: {violation['id']} on {violation['nodes'][0]['target']}"
            for violation in page.evaluate(VIOLATIONS)
            if violation["impact"] in {"serious", "critical"}
        ]
        if page.evaluate("document.documentElement.scrollWidth") > width:
            self.problems.append(f"{name}: too wide")


def test_every_page_is_accessible_and_fits_the_screen(
    session_of: Callable[..., Page], console: Console
) -> None:
    inspector = Inspector()
    sessions: dict[Actor | None, Page] = {}
    for actor, address in pages():
        if actor not in sessions:
            sessions[actor] = session_of(actor)
        answer = sessions[actor].goto(address)
        assert answer is not None
        inspector.look(sessions[actor], address, status=answer.status)
    console.complaints[:] = [
        text for text in console.complaints if "404" not in text and "403" not in text
    ]
    assert inspector.problems == []


def registry_pages(owner: Actor, line: ContractLine, navigator: Actor) -> Iterator[Address]:
    """The registry's pages for the contract owner, and those that others may read."""
    contract, now = line.contract, timezone.now()
    PeriodCap.objects.create(
        contract=contract, period="month", cap_volume=60, applies_from=timezone.localdate(now)
    )
    ChecklistItem.objects.create(contract=contract, question="results")
    contact = {"name": "Avtalsenheten", "side": "owner", "about": "cap", "email": "", "phone": "1"}
    add_contact(contract, contact, actor=owner, now=now)
    add_document(contract, name="avtal.pdf", content=b"%PDF-1.7 x", actor=owner, now=now)
    made = import_contracts(
        name="avtal.csv",
        content=csv_file([[c.heading for c in COLUMNS], ["X"] * len(COLUMNS)]),
        good_rows_only=False,
        actor=owner,
        now=now,
    )
    reads = ("contract-ledger", "contract-history")
    for name in (*reads, "contract-edit", "contract-line-new", "contract-contact-new"):
        yield owner, reverse(name, args=[contract.pk])
    yield owner, reverse("contract", args=[contract.pk])
    yield owner, reverse("contract-document-new", args=[contract.pk])
    yield owner, reverse("contract-line", args=[contract.pk, line.pk])
    yield owner, reverse("contract-version", args=[contract.pk, 1])
    yield owner, reverse("contract-checklist", args=[contract.pk, contract.checklist.get().pk])
    yield owner, reverse("contract-new")
    yield owner, reverse("contracts-import")
    yield owner, reverse("contract-import", args=[made.pk])
    for name in reads:
        yield navigator, reverse(name, args=[contract.pk])
    yield navigator, reverse("contracts")


def invoice_pages(
    owner: Actor, navigator: Actor, deviates: MadeCase, holds: MadeCase
) -> Iterator[Address]:
    """Invoices with a line that holds and one that does not, and what care has cost."""
    now = timezone.now()
    bill = bill_for(holds)
    rows = [*bill.rows, *bill_for(deviates, vat=Decimal(25), certificate="").rows]
    (invoice,) = receive(replace(bill, rows=rows), navigator, now=now).invoices
    lines = invoice.lines.values_list("pk", flat=True)
    for actor in (owner, navigator):
        for name in ("invoices", "invoice-new", "invoice-deviations", "contract-costs"):
            yield actor, reverse(name)
        yield actor, reverse("invoice", args=[invoice.pk])
        for key in lines:
            yield actor, reverse("invoice-line", args=[key])
    yield navigator, reverse("invoice-deviations") + "?q=finns+inte"
    yield navigator, reverse("clinic-costs")
    yield navigator, reverse("case-costs", args=[holds.case.number])


def privacy_pages(home: MadeCase, accepted: MadeCase) -> Iterator[Address]:
    """Secrecy and correctness: the forms, a blocked case and the administrator's pages."""
    now = timezone.now()
    region = home.unit.region
    navigator, clinic = home.navigator, home.clinic
    services.note(home.case, text="Fel ärende.", actor=navigator, now=now)
    note = home.case.log.get(verb="note")
    for verb in (
        "consent",
        "protect",
        "correct_patient",
        "correct_pathway",
        "move_patient",
        "export",
    ):
        yield navigator, reverse("case-privacy", args=[home.case.number, verb])
    yield navigator, reverse("note-strike", args=[home.case.number, note.pk])
    consent = accepted.case.consents.get()
    yield navigator, reverse("consent-withdraw", args=[accepted.case.number, consent.pk])
    yield clinic, reverse("case-privacy", args=[home.case.number, "block"])
    services.strike_note(home.case, entry_id=note.pk, reason="x", actor=navigator, now=now)
    services.protect(home.case, protection="sekretessmarkering", reason="x", actor=clinic, now=now)
    services.block(home.case, reach="units", asked_by_patient=True, actor=clinic, now=now)
    yield clinic, reverse("case", args=[home.case.number])
    yield clinic, reverse("case-privacy", args=[home.case.number, "lift_block"])
    yield navigator, f"{reverse('worklist')}?view=all"
    yield navigator, reverse("case-blocked", args=[home.case.number])
    admin = region_admin_actor(region)
    opening = services.open_in_emergency(
        home.case.number, reason="Akut.", cannot_consent=True, actor=navigator, now=now
    )
    services.place_hold(home.case.number, reason="Tvist.", actor=admin, now=now)
    yield admin, reverse("privacy")
    yield admin, reverse("opening", args=[opening.pk])
    yield navigator, reverse("case", args=[home.case.number])


def test_every_form_with_errors_is_accessible_and_its_errors_have_the_focus(
    session_of: Callable[..., Page],
) -> None:
    """The clinic's form and each verb's form, sent empty: the summary's links reach the fields."""
    inspector = Inspector()
    region = RegionFactory()
    home = make_case(CaseState.IN_PROGRESS, region=region)
    offered = make_case(CaseState.OFFERED, region=region)
    confirmed = make_case(CaseState.CONFIRMED, region=region)
    paused = make_case(CaseState.IN_PROGRESS, region=region)
    today = timezone.localdate()
    services.pause(
        paused.case,
        reason="patient",
        first_day=today,
        comment="",
        actor=paused.navigator,
        now=timezone.now(),
    )
    draft = services.create_draft(actor=home.clinic, sending_unit=home.unit, now=timezone.now())
    forms = [(home.clinic, reverse("form", args=[draft.pk]))]
    forms.append((home.navigator, reverse("allocations")))
    forms.append((home.clinic, reverse("waiting-lists")))
    forms.append((home.navigator, reverse("campaign-new")))
    for made, actor, verbs in (
        (home, home.navigator, ("return_to_clinic", "park", "end", "leave_list", "note")),
        (offered, home.navigator, ("accept", "decline", "withdraw_offer")),
        (paused, home.navigator, ("end_pause",)),
        (confirmed, confirmed.provider, ("reject", "book", "treat")),
    ):
        forms += [(actor, reverse("case-action", args=[made.case.number, v])) for v in verbs]
    sessions: dict[Actor, Page] = {}
    for actor, address in forms:
        if actor not in sessions:
            sessions[actor] = session_of(actor)
        page = sessions[actor]
        page.goto(address)
        page.locator("main form .form-actions button").first.click()
        expect(page.locator("#error-summary")).to_be_focused()
        inspector.look(page, f"{address} with errors")
        for link in page.locator("#error-summary a").all():
            target = page.locator(link.get_attribute("href") or "#none")
            if target.count() != 1 or not target.is_visible():
                inspector.problems.append(f"{address}: {link.inner_text()} leads nowhere")
    assert inspector.problems == []


def test_pages_that_come_and_go_are_accessible(
    session_of: Callable[..., Page], console: Console
) -> None:
    """Suggestions that are open, a draft that warns, the question before it is thrown away, the
    answer after a verb, a wrong password, and a user without an assignment."""
    inspector = Inspector()
    made = make_case()
    page = session_of(made.clinic)
    page.goto(reverse("forms"))
    page.get_by_role("button", name="Ny blankett").click()
    page.locator("#id_identity_number").fill(made.patient.identity_number)
    page.locator("#id_kva").fill("protes")
    expect(page.locator("#id_kva_list [role=option]").first).to_be_visible()
    page.locator("#id_kva").press("ArrowDown")
    inspector.look(page, "suggestions")
    page.locator("#id_kva").press("Enter")
    expect(page.get_by_role("link", name=f"Öppna {made.case.number}")).to_be_visible()
    inspector.look(page, "running case")
    page.get_by_role("button", name="Kasta utkastet").click()
    inspector.look(page, "discard")
    navigator = session_of(made.navigator)
    navigator.goto(reverse("case", args=[made.case.number]))
    navigator.get_by_role("button", name="Ta ärendet").click()
    expect(navigator.get_by_role("status")).to_contain_text("Klart")
    inspector.look(navigator, "after a verb")
    stranger = session_of(None)
    stranger.goto(reverse("login"))
    stranger.get_by_label("Användarnamn").fill("ingen")
    stranger.get_by_label("Lösenord").fill("fel")
    stranger.get_by_role("button", name="Logga in").click()
    expect(stranger.get_by_role("alert")).to_be_visible()
    inspector.look(stranger, "wrong password")
    without = operator_actor()
    user_of(without).assignments.all().delete()
    left = session_of(without)
    left.goto(reverse("start"))
    inspector.look(left, "no assignment")
    console.complaints[:] = [text for text in console.complaints if "403" not in text]
    assert inspector.problems == []


def test_a_procedure_is_chosen_by_word_with_the_keyboard_and_its_diagnosis_follows(
    session_of: Callable[..., Page],
) -> None:
    ProcedureFactory(name="Primär totalprotes i knäled med cement", diagnoses=["M17.1"])
    unit = CareUnitFactory(sends=True)
    page = session_of(clinic_actor(unit))
    page.goto(reverse("forms"))
    page.get_by_role("button", name="Ny blankett").click()
    procedure = page.get_by_role("combobox", name="Begärd åtgärd")
    procedure.fill("knä")
    expect(page.get_by_role("option", name="NGB49")).to_be_visible()
    procedure.press("ArrowDown")
    procedure.press("Enter")
    expect(procedure).to_have_value("NGB49")
    expect(page.locator("#id_kva_name")).to_have_text("Primär totalprotes i knäled med cement")
    procedure.press("Tab")
    diagnosis = page.get_by_role("combobox", name="Diagnos")
    expect(diagnosis).to_be_focused()
    expect(page.get_by_role("option", name="M17.1")).to_be_visible()
    diagnosis.press("Escape")
    expect(page.get_by_role("listbox")).to_have_count(0)
    diagnosis.fill("z999")
    diagnosis.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("Utkastet är sparat")
    expect(diagnosis).to_have_value("z999")


def test_enter_in_the_form_saves_and_never_removes_an_attachment(
    session_of: Callable[..., Page],
) -> None:
    clinic = clinic_actor(CareUnitFactory(sends=True))
    unit = CareUnit.objects.get(pk=clinic.care_unit_id)
    now = timezone.now()
    draft = services.create_draft(actor=clinic, sending_unit=unit, now=now)
    services.add_attachment(draft, name="a.pdf", content=b"%PDF-1.7\n%%EOF", actor=clinic, now=now)
    page = session_of(clinic)
    page.goto(reverse("form", args=[draft.pk]))
    page.locator("#id_given_name").fill("Åsa")
    page.locator("#id_given_name").press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("Utkastet är sparat")
    assert draft.attachments.count() == 1


def test_on_a_phone_a_case_is_a_low_card_and_the_list_can_be_sorted(
    session_of: Callable[..., Page],
) -> None:
    first, second = make_case(), make_case(CaseState.WATCHED)
    page = session_of(first.navigator, width=390)
    page.goto(f"{reverse('worklist')}?view=all")
    heights = page.locator(".cases tbody tr").evaluate_all(
        "rows => rows.map(row => row.getBoundingClientRect().height)"
    )
    assert len(heights) == 2
    assert max(heights) <= 130
    page.get_by_label("Sortering").select_option("-number")
    page.get_by_role("button", name="Visa").click()
    page.wait_for_url("**sort=-number**")
    numbers = page.locator(".cases a.case-number").all_inner_texts()
    assert numbers == sorted([first.case.number, second.case.number], reverse=True)


def test_the_form_is_sent_in_without_scripts(
    browser: Browser, session_of: Callable[..., Page], live_server: object
) -> None:
    """Codes are then typed as they are."""
    clinic = clinic_actor(CareUnitFactory(sends=True))
    cookies = session_of(clinic).context.cookies()
    context = browser.new_context(
        base_url=live_server.url,  # type: ignore[attr-defined]
        java_script_enabled=False,
    )
    context.add_cookies(cookies)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(reverse("forms"))
    page.get_by_role("button", name="Ny blankett").click()
    page.locator("#id_kva").fill("NGB49")
    page.locator("#id_icd10").fill("M17.1")
    page.get_by_role("button", name="Skicka in").click()
    expect(page.locator("#id_kva")).to_have_value("NGB49")
    expect(page.locator("#id_icd10_name")).to_have_text("Annan primär gonartros")
    context.close()


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
