"""Language, equipment and limit on distance: from page and API into the case and its matching."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from referral import services
from referral.models import CaseState, IntakeForm
from tests.factories import (
    CareUnitFactory,
    ContractLineFactory,
    MatchingWeightsFactory,
    WaitingTimeFactory,
    clinic_actor,
    make_case,
    submission,
    user_of,
)

pytestmark = pytest.mark.django_db


def posted(**changed: object) -> dict[str, object]:
    """What the browser sends of a form that holds."""
    form = submission(**changed).as_dict()
    form["transferable"] = "yes"
    return {name: value for name, value in form.items() if value not in (None, "", False)}


@pytest.fixture
def draft() -> IntakeForm:
    unit = CareUnitFactory.create(sends=True)
    return services.create_draft(actor=clinic_actor(unit), sending_unit=unit, now=timezone.now())


@pytest.fixture
def clinic(client: Client, draft: IntakeForm) -> Client:
    client.force_login(user_of(clinic_actor(draft.sending_unit)))
    return client


def test_the_page_takes_them_and_the_case_shows_them(clinic, draft):
    needs = {"equipment": ["lift", "dialysis"], "max_distance_km": 150, "interpreter": "dari"}
    answer = clinic.post(reverse("form", args=[draft.pk]), posted(**needs), follow=True)
    draft.refresh_from_db()
    assert (draft.equipment, draft.max_distance_km) == (["dialysis", "lift"], 150)
    text = answer.content.decode()
    assert "150 km fågelvägen" in text
    assert "Personlyft" in text


def test_a_draft_keeps_every_choice_and_lets_go_of_those_taken_back(clinic, draft):
    address = reverse("form-draft", args=[draft.pk])
    clinic.post(address, {"equipment": ["lift", "dialysis", "spoon"]})
    shown = clinic.get(reverse("form", args=[draft.pk])).content.decode()
    assert shown.count("checked") == 2
    clinic.post(address, {"interpreter": "dari"})
    draft.refresh_from_db()
    assert "equipment" not in draft.typed


@pytest.mark.parametrize(
    "wrong", [{"equipment": ["spoon"]}, {"max_distance_km": 0}, {"max_distance_km": "långt"}]
)
def test_what_does_not_hold_is_said_at_its_field(clinic, draft, wrong):
    answer = clinic.post(reverse("form", args=[draft.pk]), posted() | wrong)
    assert answer.status_code == 422
    assert set(answer.context["page"].errors) == set(wrong)


def test_the_matching_page_explains_every_number(client):
    MatchingWeightsFactory()
    made = make_case(CaseState.IN_PROGRESS, interpreter="klingonska", max_distance_km=900)
    WaitingTimeFactory(care_unit=made.line.care_unit, source="Väntetidsregistret")
    WaitingTimeFactory(care_unit=CareUnitFactory(name="Utan avtal AB"))
    client.force_login(user_of(made.navigator))
    text = client.get(reverse("case-matching", args=[made.case.number])).content.decode()
    for told in (
        "Väntetidsregistret, NGB49",
        "av 50 p",
        "Tolkspråket klingonska är okänt här",
        "reser högst 900 km",
        "version 1",
        "180 dagar eller mer ger ingen",
        "kräver direktupphandling",
        "Utan avtal AB",
    ):
        assert told in text


def test_the_pages_queries_do_not_grow_with_the_lines(client):
    made = make_case(CaseState.IN_PROGRESS)
    client.force_login(user_of(made.navigator))
    address = reverse("case-matching", args=[made.case.number])
    client.get(address)

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as caught:
            client.get(address)
        return len(caught)

    before = queries()
    for _n in range(8):
        line = ContractLineFactory(contract__owner_region=made.unit.region)
        WaitingTimeFactory(care_unit=line.care_unit)
        ContractLineFactory(asa_ceiling=1)
    assert queries() <= before + 1
    assert before <= 25
