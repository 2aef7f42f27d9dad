"""A fact says what its case and offers say."""

import pytest

from organisations.access import as_product
from referral.models import CaseState
from statistics.facts.build import make_facts
from statistics.models import CaseFact, OfferFact
from tests.factories import make_case

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("state", list(CaseState))
def test_a_case_in_any_state_has_a_fact(state: CaseState) -> None:
    made = make_case(state)
    with as_product("test"):
        make_facts([made.case.pk])
        make_facts([made.case.pk])
        fact = CaseFact.objects.get()
        offers = list(OfferFact.objects.all())
    assert (fact.number, fact.state) == (made.case.number, state)
    assert len(offers) == fact.offers == made.case.offers.count()
