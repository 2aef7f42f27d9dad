"""Kampanjer as pages: prepared by one, approved by another, followed, answered, read as figures."""

import io
from typing import Any

import openpyxl
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pypdf import PdfReader

from notices.campaigns.sweep import run_campaigns
from notices.models import Campaign, CampaignRecipient, Notice
from organisations.access import Actor
from referral.models import CaseState
from tests.factories import (
    MadeCase,
    RegionFactory,
    clinic_actor,
    contract_owner_actor,
    make_case,
    manager_actor,
    navigator_actor,
    provider_actor,
    region_admin_actor,
    user_of,
)
from tests.notices.campaigns.parts import campaign_with

pytestmark = pytest.mark.django_db

TYPED = {"name": "Vi frågar", "answer_days": "21", "waited": "5", "untold": "180"}


@pytest.fixture
def made() -> MadeCase:
    return make_case(CaseState.IN_PROGRESS, family_name="Undansson")


def visiting(actor: Actor) -> Client:
    client = Client()
    client.force_login(user_of(actor))
    return client


def do(client: Client, campaign: Campaign, verb: str, **typed: Any) -> str:
    address = reverse("campaign-do", args=[campaign.pk, verb])
    return client.post(address, typed, follow=True).content.decode()


def test_the_whole_way_from_form_to_result(made: MadeCase):
    first = visiting(made.navigator)
    second = visiting(navigator_actor(made.unit.region))
    saved = first.post(reverse("campaign-new"), TYPED | {"message": "Fler avtal.", "count": ""})
    assert saved.status_code == 200  # counted, not kept
    assert not Campaign.objects.exists()
    saved = first.post(reverse("campaign-new"), TYPED | {"message": "Fler avtal."})
    campaign = Campaign.objects.get()
    assert saved.url == reverse("campaign", args=[campaign.pk])
    page = first.get(saved.url).content.decode()
    assert "får inte godkänna den" in page
    assert reverse("campaign-do", args=[campaign.pk, "approve"]) not in page
    assert "får inte godkänna" in do(first, campaign, "approve", version=1)
    sample = second.get(reverse("campaign-sample", args=[campaign.pk])).content.decode()
    assert "Fler avtal." in sample
    assert made.case.number in sample
    letter = second.get(reverse("campaign-sample-letter", args=[campaign.pk]))
    text = PdfReader(io.BytesIO(letter.content)).pages[0].extract_text()
    assert "Fler avtal." in text
    assert "har ändrats" in do(second, campaign, "approve", version=7)
    assert "Klart: Godkänn" in do(second, campaign, "approve", version=1)
    assert "Klart: Starta" in do(first, campaign, "start")
    assert "Klart: Pausa" in do(first, campaign, "pause")
    assert "Klart: Återuppta" in do(first, campaign, "resume")
    while run_campaigns(now=timezone.now()):
        pass
    notice = Notice.objects.get(kind=Notice.Kind.CAMPAIGN)
    Notice.objects.filter(pk=notice.pk).update(state="sent", sent_at=timezone.now())
    result = reverse("campaign-result", args=[campaign.pk])
    wrong = first.get(result, {"number": "13-26-000001-0"})
    assert wrong.status_code == 422
    found = first.get(result, {"number": made.case.number})
    answer = reverse("campaign-answer", args=[campaign.pk, made.case.number])
    assert found.url == answer
    refused = first.post(answer, {"answer": "x"})
    assert refused.status_code == 422
    first.post(answer, {"answer": "not_needed", "channel": "letter", "comment": "Frisk."})
    assert made.refresh().state == CaseState.CLOSED
    patients = first.get(
        reverse("campaign-recipients", args=[campaign.pk]), {"answer": "not_needed"}
    )
    assert made.case.number in patients.content.decode()


def test_while_it_runs_the_progress_is_a_part_that_asks_again(made: MadeCase):
    campaign = campaign_with(made)
    client = visiting(made.navigator)
    part = client.get(reverse("campaign", args=[campaign.pk]), headers={"HX-Request": "true"})
    text = part.content.decode()
    assert "every 3s" in text
    assert "<html" not in text
    assert 'href="' + reverse("campaign", args=[campaign.pk]) in text  # without scripts


def test_the_filter_is_counted_as_it_is_filled_in(made: MadeCase):
    client = visiting(made.navigator)
    address = reverse("campaign-count")
    assert "<strong>1</strong>" in client.post(address, {"waited": "5"}).content.decode()
    assert "<strong>0</strong>" in client.post(address, {"waited": "50"}).content.decode()
    assert "Rätta urvalet" in client.post(address, {"waited": "\x00"}).content.decode()


@pytest.mark.parametrize(
    "typed",
    [
        {"name": ""},
        {"name": "\x00"},
        {"answer_days": "0"},
        {"per_hour": "9" * 40},
        {"waited": "-1"},
        {"waited": "9" * 40},
        {"kva": "'; DROP"},
        {"age_from": "hundra"},
        {"clinics": "SE0"},
        {"homes": "\x00"},
        {"phase": "x"},
        {"message": "x" * 501},
    ],
)
def test_what_cannot_be_kept_is_told_at_the_field_and_nothing_is_lost(made: MadeCase, typed):
    client = visiting(made.navigator)
    page = client.post(reverse("campaign-new"), TYPED | {"message": "Min egen rad"} | typed)
    assert page.status_code in {400, 422}
    if page.status_code == 422:
        text = page.content.decode()
        assert "Detta behöver rättas" in text
        assert "message" in typed or "Min egen rad" in text
    assert not Campaign.objects.exists()


def test_a_change_says_that_the_approval_goes(made: MadeCase):
    client, campaign = visiting(made.navigator), campaign_with(made)
    edit = reverse("campaign-edit", args=[campaign.pk])
    assert client.get(edit).status_code == 302  # it has started


def test_who_has_no_business_there_finds_nothing(made: MadeCase):
    campaign = campaign_with(made)
    elsewhere = RegionFactory(code="14")
    addresses = [
        reverse(name, args=[campaign.pk])
        for name in ("campaign", "campaign-result", "campaign-sample", "campaign-recipients")
    ]
    addresses.append(reverse("campaign-file", args=[campaign.pk, "csv"]))
    others = (
        *(navigator_actor(elsewhere), manager_actor(elsewhere), region_admin_actor(elsewhere)),
        *(clinic_actor(made.unit), provider_actor(made.line.care_unit)),
        contract_owner_actor(made.unit.region),
    )
    for actor in others:
        client = visiting(actor)
        for address in addresses:
            assert client.get(address).status_code in {403, 404}, (actor.role, address)


def test_those_who_see_figures_only_see_no_patient(made: MadeCase):
    campaign = campaign_with(made)
    for actor in (manager_actor(made.unit.region), region_admin_actor(made.unit.region)):
        client = visiting(actor)
        page = client.get(reverse("campaign-result", args=[campaign.pk])).content.decode()
        assert made.case.number not in page
        assert "För få patienter" in page
        for name in ("campaign-recipients", "campaign-sample", "campaign-sample-letter"):
            assert client.get(reverse(name, args=[campaign.pk])).status_code == 403
        file = client.get(reverse("campaign-file", args=[campaign.pk, "xlsx"]))
        sheet = openpyxl.load_workbook(io.BytesIO(file.content)).active
        numbers = {row[2].value for row in sheet.iter_rows(min_row=3)}
        assert numbers == {"dolt"}


def test_a_second_waiting_case_is_shown_beside_the_answer(made: MadeCase):
    campaign = campaign_with(made)
    other = make_case(
        CaseState.IN_PROGRESS,
        unit=made.unit,
        kva="NFB49",
        identity_number=made.submission.identity_number,
    )
    client = visiting(made.navigator)
    for address in (
        reverse("campaign-recipients", args=[campaign.pk]),
        reverse("campaign-answer", args=[campaign.pk, made.case.number]),
    ):
        assert other.case.number in client.get(address).content.decode()


def test_a_list_of_patients_asks_as_many_questions_whatever_its_length(
    made: MadeCase, django_assert_max_num_queries
):
    campaign = campaign_with(made)
    for _n in range(5):
        one = make_case(CaseState.IN_PROGRESS, unit=made.unit)
        CampaignRecipient.objects.create(campaign=campaign, patient=one.patient, case=one.case)
    client = visiting(made.navigator)
    with django_assert_max_num_queries(25):
        client.get(reverse("campaign-recipients", args=[campaign.pk]))
