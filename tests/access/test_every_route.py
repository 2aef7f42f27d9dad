"""Every address, as every role, against what belongs to others (design 5.6).

``ROUTES`` names what each route leads to. A new route without an entry fails the test that counts
them. Routes to an object are asked for one of another region, clinic or provider and must answer
404, or 403 where the role has no business there at all. Routes without an object are asked as they
stand, and nothing of the others may be in the answer.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone
from rest_framework.test import APIClient

from notices.models import Notice, PrintedLetter
from organisations.access import Actor
from organisations.access_log.reviewing import draw_sample
from organisations.models import AccessLog, ApiToken
from organisations.scopes import Scope
from referral import services
from referral.models import CaseState, IntakeForm
from tests.access.world import STRANGERS, whole_case
from tests.factories import MadeCase, RegionFactory, make_case, region_admin_actor, user_of
from tests.notices.campaigns.parts import campaign_with
from tests.shared_world import shared
from tests.statistics.waiting_times.files import delivered
from tests.waiting_lists import handed_in

pytestmark = pytest.mark.django_db

Keys = Callable[[MadeCase], dict[str, Any]]


def once(keys: Keys) -> Keys:
    """Routes to the same thing lead to one and the same, made the first time it is asked for."""
    last: list[tuple[MadeCase, dict[str, Any]]] = []

    def kept(made: MadeCase) -> dict[str, Any]:
        if not last or last[0][0] is not made:
            last[:] = [(made, keys(made))]
        return last[0][1]

    return kept


def of_case(made: MadeCase) -> dict[str, Any]:
    return {"number": made.case.number}


def of_form(made: MadeCase) -> dict[str, Any]:
    return {"pk": made.case.form.pk}


def of_notice(made: MadeCase) -> dict[str, Any]:
    return {"pk": Notice.objects.filter(case=made.case)[0].pk}


def of_letter(made: MadeCase) -> dict[str, Any]:
    return {"pk": PrintedLetter.objects.get(case=made.case).pk}


@once
def of_allocation(made: MadeCase) -> dict[str, Any]:
    """A run for the case's clinic, where another of its patients waits."""
    make_case(CaseState.IN_PROGRESS, unit=made.unit, line=made.line)
    run = services.request_allocation(clinics=[made.unit], actor=made.navigator, now=timezone.now())
    return {"pk": run.pk}


@once
def of_waiting_list(made: MadeCase) -> dict[str, Any]:
    """A list that the clinic has handed in."""
    return {"pk": handed_in(made.unit, made.clinic).pk}


@once
def of_delivery(made: MadeCase) -> dict[str, Any]:
    """A file that another region has delivered, with the case in it."""
    elsewhere = region_admin_actor(RegionFactory(code="20"))
    return {"number": delivered(made.case.number, elsewhere).number}


@once
def of_campaign(made: MadeCase) -> dict[str, Any]:
    return {"pk": campaign_with(made).pk}


def sample(made: MadeCase) -> dict[str, Any]:
    now = timezone.now()
    today, admin = timezone.localdate(now), region_admin_actor(made.unit.region)
    drawn = draw_sample(first_day=today, last_day=today, size=1, actor=admin, now=now)
    return {"pk": drawn.pk}


def of_contract(made: MadeCase) -> dict[str, Any]:
    return {"pk": made.line.contract.pk}


# Anybody may ask, logged in or not: nothing of any patient there.
OPEN = {"login", "logout", "no-assignment", "healthz", "api-login", "api-logout", "api-schema"}
OPEN |= {"api-docs", "gateway-callback", "invitation", "readyz", "metrics"}
# The caller's own login and keys, tested in tests/organisations/login.
OPEN |= {"siths-start", "siths-callback", "logout-everywhere", "session-status", "session-keep"}
OPEN |= {"session-forget", "token-revoke"}
# Open data: published figures, tests/statistics/open_data.
OPEN |= {"open-data", "open-data-file", "open-data-schema", "open-data-catalogue"}
OPEN |= {"open-data-harvest", "open-data-edition"}
# The actor's own: lists and figures.
OWN = {"start", "worklist", "forms", "form-new", "contracts", "statistics", "statistics-csv"}
OWN |= {"statistics-xlsx", "api-me", "api-regions", "api-care-units", "api-statistics"}
OWN |= {"guarantee", "guarantee-csv", "guarantee-xlsx", "api-guarantee"}
OWN |= {"performance", "performance-csv", "performance-import", "api-performance"}
OWN |= {"dashboard", "dashboard-funnel", "dashboard-flows", "dashboard-gaps", "dashboard-cases"}
OWN |= {f"api-dashboard{part}" for part in ("", "-trends", "-funnel", "-flows", "-gaps")}
OWN |= {"account", "session-kept", "access-review", "access-samples"}
OWN |= {"log-extracts"}
OWN |= {"api-case-list", "api-contract-list", "suggest-procedures", "suggest-diagnoses"}
OWN |= {"situation", "matching-weights"}
OWN |= {"pathways", "pathways-csv", "pathways-xlsx", "api-cancer-pathways", "pathway-settings"}
OWN |= {"api-pathway-limits", "api-pathway-counts"}
OWN |= {"free-capacity", "free-capacity-new", "free-capacity-import"}
OWN |= {"api-free-capacity-list"}
OWN |= {"invoices", "invoice-new", "invoice-deviations", "contract-costs"}
OWN |= {"clinic-costs", "api-invoices"}
OWN |= {"delivery-plans", "delivery-plan-new", "api-delivery-plan-list"}
OWN |= {"case-search", "api-case-search", "contract-new", "contract-alerts", "contracts-import"}
OWN |= {"phone-times", "phone-times-new", "calls-today", "api-phone-times"}
OWN |= {"waiting-lists", "api-waiting-lists", "campaigns", "campaign-new"}
OWN |= {"privacy", "allocations", "offer-drafts", "undelivered"}
OWN |= {"api-waiting-time-deliveries"}
OWN |= {"waiting-times", "waiting-times-check", "waiting-times-reporting", "waiting-times-layout"}
OWN |= {"frozen-months", "frozen-subscription", "api-frozen-months"}
# People, units, regions and operations: no patient anywhere. What another region has is not found:
# tests/organisations/test_administration_pages.py.
ADMINISTRATION = {"choose-assignment", "people", "invite", "client-new", "person", "person-edit"}
ADMINISTRATION |= {"assignment-give", "assignment-end", "person-shut-off", "person-let-in"}
ADMINISTRATION |= {"invitation-again", "invitation-withdraw", "units", "unit-new", "unit"}
ADMINISTRATION |= {"unit-close", "unit-open", "history", "operations", "delivery-retry"}
ADMINISTRATION |= {"notice-prices", "campaign-count"}
ADMINISTRATION |= {"notice-days", "regions", "region", "providers", "provider-new", "provider"}
ADMINISTRATION |= {"patient-facts"}
# Another region's file or number is not found: tests/statistics/pathways.
ADMINISTRATION |= {"pathway-told", "pathway-import", "pathway-file", "pathway-faults"}
ADMINISTRATION |= {"pathway-withdraw", "api-pathway-withdraw"}
# Texts name no patient; another region's are not found: tests/notices/texts.
ADMINISTRATION |= {"texts", "text-new", "text", "text-version", "texts-compared"}
ADMINISTRATION |= {"situation-unit", "waiting-time-files", "waiting-time-file"}
ADMINISTRATION |= {"api-waiting-times"}
# Figures of the actor's own region, no patient: tests/statistics/frozen/test_pages.py.
ADMINISTRATION |= {"frozen-month", "frozen-file", "frozen-publish", "frozen-recount"}
ADMINISTRATION |= {"api-frozen-month"}
# Empty columns to fill in.
ADMINISTRATION |= {"waiting-list-template"}
# Mails to staff and files of the print provider: for the operator.
ADMINISTRATION |= {"staff-mail", "staff-mail-again", "print-reports"}
# Free places name no patient; another provider's are not found: tests/capacity.
ADMINISTRATION |= {"free-capacity-edit", "free-capacity-withdraw"}
ADMINISTRATION |= {"api-free-capacity-detail", "api-free-capacity-withdraw"}
# Times name no patient; another region's are not found: tests/notices/test_phone_time_pages.py.
ADMINISTRATION |= {"phone-times-close", "phone-time-take-over"}
# The patient's own page: a code and an identity of its own, tests/notices/own_page.
ADMINISTRATION |= {"own-page", "own-page-number", "own-page-leave", "own-page-identify"}
ADMINISTRATION |= {"own-page-identified", "own-page-case", "own-page-accept", "own-page-decline"}
ADMINISTRATION |= {"own-page-receipt", "own-page-call", "own-page-call-cancel"}
# Takes a list of notices; those of others are passed over: tests/notices/test_dead_letters.py.
ADMINISTRATION |= {"undelivered-again"}
ADMINISTRATION |= {"own-page-need", "own-page-leave-list"}
# By case number and of the administrator's own region only: tests/referral/test_privacy_pages.py.
SECRECY = {"privacy-unprotect", "privacy-hold", "privacy-export", "hold-lift", "opening"}
OBJECTS: dict[str, Keys] = {
    "case-privacy": lambda made: of_case(made) | {"verb": "consent"},
    "consent-withdraw": lambda made: (
        of_case(made) | {"consent": getattr(made.case.consents.first(), "pk", 1)}
    ),
    "note-strike": lambda made: of_case(made) | {"entry": made.case.log.first().pk},
    "case-blocked": of_case,
    "case-open": lambda made: of_case(made) | {"way": "emergency"},
    "case": of_case,
    "case-form": of_case,
    "case-matching": of_case,
    "case-costs": of_case,
    "case-offer": lambda made: of_case(made) | {"line_id": made.line.pk},
    "case-action": lambda made: of_case(made) | {"verb": "note"},
    "watch-hit-dismiss": lambda made: of_case(made) | {"pk": made.case.watch_hits.get().pk},
    "certificate": lambda made: of_case(made) | {"serial": 1},
    "attachment": lambda made: of_case(made) | {"pk": made.case.form.attachments.get().pk},
    "case-notices": of_case,
    "case-calls": of_case,
    "case-call-book": of_case,
    "call-end": lambda made: {"pk": made.case.call_backs.first().pk, "ending": "cancel"},
    "form": of_form,
    "allocation": of_allocation,
    "allocation-accept": of_allocation,
    "allocation-file": lambda made: of_allocation(made) | {"kind": "csv"},
    "waiting-list": of_waiting_list,
    "waiting-list-read": of_waiting_list,
    "waiting-list-report": lambda made: of_waiting_list(made) | {"kind": "csv"},
    "api-waiting-list": of_waiting_list,
    "waiting-times-receipt": of_delivery,
    "api-waiting-time-delivery": of_delivery,
    "waiting-times-receipt-json": of_delivery,
    "waiting-times-faults": of_delivery,
    "waiting-times-file": of_delivery,
    "form-draft": of_form,
    "form-attachments": of_form,
    "form-attachment-remove": lambda made: (
        of_form(made) | {"attachment": made.case.form.attachments.get().pk}
    ),
    "form-discard": of_form,
    "notice-send-again": of_notice,
    "notice-as-letter": of_notice,
    "return-again": of_letter,
    "return-done": of_letter,
    "case-new-code": of_case,
    "campaign-sample": of_campaign,
    "campaign-sample-letter": of_campaign,
    "campaign-recipients": of_campaign,
    "campaign-answer": lambda made: of_campaign(made) | of_case(made),
    "api-case-campaign-answer": of_case,
    "api-case-detail": of_case,
    "api-case-notices": of_case,
    "api-case-calls": of_case,
    "api-call-end": lambda made: of_case(made) | {"pk": made.case.call_backs.first().pk},
    "api-case-certificate": lambda made: of_case(made) | {"serial": 1},
    "api-case-attachment": lambda made: of_case(made) | {"pk": made.case.form.attachments.get().pk},
}
OBJECTS |= {
    f"api-case-{verb}": of_case
    for verb in (
        *("answer", "assign", "book", "close", "confirm", "end", "end-pause", "log", "matches"),
        "leave-list",
        *("note", "offers", "park", "pause", "reject", "resubmit", "return-to-clinic", "take"),
        *("review", "treat", "unpark", "withdraw-offer"),
    )
}
# The region's administrator reviews the access log of the region's own cases and staff.
REVIEWED: dict[str, Keys] = {
    "access-review-row": lambda made: {
        "pk": AccessLog.objects.filter(case_number=made.case.number)[0].pk
    },
    "access-sample": sample,
    "log-extract": of_case,
    "log-extract-file": lambda made: of_case(made) | {"kind": "pdf"},
}
# Contracts are seen by their owner, users and provider: a contract owner and the provider's other
# units have business with this one.
CONTRACTS: dict[str, Keys] = {
    "contract": lambda made: {"pk": made.line.contract.pk},
    "api-contract-detail": lambda made: {"pk": made.line.contract.pk},
    "contract-ledger": of_contract,
    "contract-history": of_contract,
    "contract-edit": of_contract,
    "contract-line-new": of_contract,
    "contract-line": lambda made: of_contract(made) | {"line": made.line.pk},
    "contract-contact-new": of_contract,
    "contract-document-new": of_contract,
}
ADMINISTRATOR = "the region's administrator"
# What the registry keeps beside a contract, asked for in tests/contracts/test_pages.py and
# test_files.py; the export gives what the list shows.
REGISTRY = {"contract-version", "contract-contact-remove", "contract-checklist"}
REGISTRY |= {"contract-document", "contract-document-remove", "contract-import"}
REGISTRY |= {"contract-import-file", "contracts-export"}
# The region that pays sees its invoices: tests/contracts/test_invoice_pages.py.
REGISTRY |= {"invoice", "invoice-line", "invoice-file"}
REGISTRY |= {"contract-costs-file", "clinic-costs-file"}
# The actor's own figures: tests/statistics/dashboards.
REGISTRY |= {"dashboard-file"}
# Figures by region and provider, no patient: tests/capacity/test_delivery_plans.py.
PLANS = {"delivery-plan", "api-delivery-plan-detail", "delivery-plan-report"}
PLANS |= {
    f"delivery-plan-{what}"
    for what in ("edit", "import", "agree", "revise", "discard", "end", "version")
}
# Texts and figures for the region's navigators, administrators and managers, no patient:
# tests/notices/campaigns/test_pages.py.
CAMPAIGNS = {"campaign", "campaign-edit", "campaign-do", "campaign-result", "campaign-file"}
HAS_BUSINESS_WITH_THE_CONTRACT = {
    "the region's contract owner",
    "another unit of the provider",
    "another unit's integration",
}


SEARCHES: dict[str, Keys] = {
    "case-search": lambda made: {"q": made.patient.identity_formatted},
    "api-case-search": lambda made: {"identity_number": made.patient.identity_number},
}


@dataclass(frozen=True)
class Others:
    """A case that the asker has nothing to do with, and the address of all that belongs to it."""

    made: MadeCase
    addresses: dict[str, str]


def all_routes() -> Iterator[tuple[str, str]]:
    """Name and pattern of every route."""

    def walk(resolver: URLResolver, before: str) -> Iterator[tuple[str, str]]:
        for entry in resolver.url_patterns:
            pattern = before + str(entry.pattern)
            if isinstance(entry, URLResolver):
                yield from walk(entry, pattern)
            elif isinstance(entry, URLPattern):
                yield str(entry.name or ""), pattern

    return walk(get_resolver(), "")


@pytest.fixture(scope="module")
def others(
    request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: object
) -> Iterator[Others]:
    """A case in the state asked for, made once for all who ask."""
    with shared(django_db_blocker):
        made = whole_case(request.param)
        objects = OBJECTS | REVIEWED | CONTRACTS
        if request.param == CaseState.OFFERED:  # no certificate yet
            objects.pop("certificate")
        addresses = {name: reverse(name, kwargs=keys(made)) for name, keys in objects.items()}
        yield Others(made, addresses)


closed = pytest.mark.parametrize("others", [CaseState.CLOSED], indirect=True)
offered_and_closed = pytest.mark.parametrize(
    "others", [CaseState.OFFERED, CaseState.CLOSED], indirect=True
)


def test_every_route_has_an_entry_and_every_entry_a_route():
    # The two without a name answer whatever is under /api/ with no such address.
    names = {name for name, pattern in all_routes() if name or not pattern.startswith("api/")}
    objects = OBJECTS.keys() | REVIEWED.keys() | CONTRACTS.keys()
    assert names == OPEN | OWN | ADMINISTRATION | SECRECY | REGISTRY | PLANS | CAMPAIGNS | objects


def clients_of(actor: Actor) -> tuple[Client, APIClient]:
    pages = Client(raise_request_exception=True)
    pages.force_login(user_of(actor))
    api = APIClient()
    _row, token = ApiToken.objects.create(user_of(actor), scopes=Scope.values)
    api.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    return pages, api


def answers(client: Client | APIClient, name: str, address: str) -> set[int]:
    """The status of each method that the route knows."""
    body: dict[str, Any] = {"format": "json"} if name.startswith("api-") else {}
    found = {client.get(address).status_code, client.post(address, {}, **body).status_code}
    return found - {405}


@offered_and_closed
@pytest.mark.parametrize("who", STRANGERS)
def test_what_is_others_is_not_found(who, others):
    pages, api = clients_of(STRANGERS[who](others.made))
    left_out: set[str] = set()
    if who == ADMINISTRATOR:
        left_out |= REVIEWED.keys()
    if who in HAS_BUSINESS_WITH_THE_CONTRACT:
        left_out |= CONTRACTS.keys()
    wrong = {}
    for name in [name for name in others.addresses if name not in left_out]:
        client = api if name.startswith("api-") else pages
        found = answers(client, name, others.addresses[name])
        if not found or not found <= {403, 404}:
            wrong[name] = found
    assert wrong == {}


@closed
@pytest.mark.parametrize("who", STRANGERS)
def test_lists_and_figures_hold_nothing_of_others(who, others):
    made = others.made
    pages, api = clients_of(STRANGERS[who](made))
    patient = made.patient
    marks = ["Undansson", patient.identity_number, patient.identity_formatted]
    if who != ADMINISTRATOR:  # whose review of the log shows case numbers and nothing else
        marks.append(made.case.number)
    for name in sorted(OWN - {"form-new"}):
        client = api if name.startswith("api-") else pages
        if name in SEARCHES:
            answer = client.post(reverse(name), SEARCHES[name](made), follow=True)
        else:
            answer = client.get(reverse(name), follow=True)
        assert answer.status_code in {200, 403, 404}, name
        text = b"".join(answer.streaming_content) if answer.streaming else answer.content
        assert not [mark for mark in marks if mark.encode() in text], name


@closed
def test_nobody_who_is_not_logged_in_gets_anything(others, subtests: pytest.Subtests):
    for name in sorted(others.addresses.keys() | OWN):
        with subtests.test(name):
            client: Client | APIClient = APIClient() if name.startswith("api-") else Client()
            address = others.addresses.get(name) or reverse(name)
            for answer in (client.get(address), client.post(address)):
                if name.startswith("api-"):
                    assert answer.status_code == 401
                else:
                    assert answer.status_code == 302
                    assert answer.url.startswith(reverse("login"))


@closed
def test_a_draft_of_another_clinic_is_not_found(others):
    made = others.made
    other = IntakeForm.objects.create(
        sending_unit=made.line.care_unit,
        created_at=made.case.received_at,
        saved_at=made.case.received_at,
    )
    pages, _api = clients_of(made.clinic)
    for name in ("form", "form-draft", "form-attachments", "form-discard"):
        found = answers(pages, name, reverse(name, kwargs={"pk": other.pk}))
        assert found == {404}, name
