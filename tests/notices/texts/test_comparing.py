"""Variants are drawn evenly and compared without saying more than the numbers hold."""

import re
from collections import Counter
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from notices.texts.comparing import Outcome, median_with_interval, outcomes, wilson
from notices.texts.models import TextVersion, WrittenOffer
from notices.texts.offers import draw, draw_of
from notices.texts.services import publish, save_draft
from notices.texts.shipped import shipped_texts
from organisations.access import Actor
from referral import services
from referral.models import CaseState, Offer
from tests.factories import (
    WAIT_IS_KNOWN,
    MadeCase,
    RegionFactory,
    make_case,
    region_admin_actor,
    user_of,
)

# Wilson (1927), as in Newcombe (1998), table I: count, of, low and high in per cent.
KNOWN = [
    (81, 263, 25.53, 36.62),
    (15, 148, 6.24, 16.05),
    (0, 20, 0.0, 16.11),
    (1, 29, 0.61, 17.18),
]


@pytest.mark.parametrize(("count", "of", "low", "high"), KNOWN)
def test_wilsons_interval_is_the_known_one(count: int, of: int, low: float, high: float) -> None:
    share = wilson(count, of)
    assert share is not None
    assert (round(share.low, 2), round(share.high, 2)) == (low, high)


def test_of_nothing_there_is_no_share() -> None:
    assert wilson(0, 0) is None
    assert median_with_interval([]) is None


# The sign test's table: the ranks between which the median of n values lies.
@pytest.mark.parametrize(
    ("n", "low", "high"), [(6, 1, 6), (10, 2, 9), (20, 6, 15), (100, 40, 61), (2000, 956, 1045)]
)
def test_the_medians_interval_lies_between_known_ranks(n: int, low: int, high: int) -> None:
    found = median_with_interval([float(rank) for rank in range(1, n + 1)])
    assert found is not None
    assert (found.low, found.high) == (low, high)


def test_five_answers_are_too_few_for_an_interval() -> None:
    found = median_with_interval([1, 2, 3, 4, 5])
    assert found is not None
    assert (found.hours, found.low, found.high) == (3, None, None)


def outcome(**counts: int) -> Outcome:
    hours = [1.0] * (counts.get("yes", 0) + counts.get("no", 0))
    return Outcome(TextVersion(), hours=hours, **counts)


def test_what_rests_on_few_patients_is_not_shown() -> None:
    few = outcome(yes=3, no=9, silent=9)
    assert (few.settled, few.yes_share) == (None, None)
    assert few.answer_share is not None
    silent = outcome(yes=12, no=9, silent=2)
    assert (silent.settled, silent.answer_share) == (None, None)
    assert outcome(yes=2, no=1).hours_text == ""
    enough = outcome(yes=8, no=6, silent=7)
    assert enough.settled == 21
    assert enough.yes_share is not None
    assert enough.answer_share is not None


def variants(admin: Actor, *names: str) -> list[TextVersion]:
    shipped, now = shipped_texts()["offer", "sv", False], timezone.now()
    made = []
    for name in names:
        draft = save_draft(
            kind="offer",
            language="sv",
            easy=False,
            variant=name,
            subject=f"Erbjudande {name}",
            body=f"Variant {name}.\n\n{shipped.body}",
            actor=admin,
            now=now,
        )
        made.append(publish(draft, actor=admin, now=now))
    return made


def test_draws_are_even_over_cases() -> None:
    drawn = Counter(draw(f"13-26-{n:06d}-0", 1).choice("AB") for n in range(2000))
    assert 900 < drawn["A"] < 1100


@pytest.mark.django_db
def test_the_navigator_reads_the_variant_that_the_patient_gets() -> None:
    admin = region_admin_actor(RegionFactory())
    variants(admin, "A", "B")
    made = make_case(CaseState.IN_PROGRESS)
    seen = draw_of(made.case).choice(["A", "B"])
    assert f"Variant {seen}." in make_offer(made).text
    assert WrittenOffer.objects.get().version.variant == seen


def make_offer(made: MadeCase) -> Offer:
    return services.send_offer(
        made.case,
        line=made.line,
        actor=made.navigator,
        now=timezone.now(),
        wishes=WAIT_IS_KNOWN,
    )


@pytest.mark.django_db
def test_outcomes_are_counted_by_version_and_only_of_the_own_region() -> None:
    region = RegionFactory()
    admin = region_admin_actor(region)
    first, second = variants(admin, "A", "B")
    now = timezone.now()
    for version, n in ((first, 2), (second, 1)):
        for _one in range(n):
            made = make_case(CaseState.OFFERED)
            WrittenOffer.objects.filter(offer=made.offer).update(version=version)
            services.answer_offer(
                made.offer,
                accepted=True,
                channel="phone",
                actor=made.navigator,
                now=now + timedelta(hours=4),
            )
    make_case(CaseState.OFFERED, region=RegionFactory(code="14"))
    ((a, b),) = outcomes(region)
    assert (a.version, a.yes, b.version, b.yes) == (first, 2, second, 1)
    assert 3.9 < a.hours[0] < 4.1


@pytest.mark.django_db
def test_a_variant_in_use_without_outcome_stands_beside_the_others_with_none() -> None:
    region = RegionFactory()
    admin = region_admin_actor(region)
    first, second = variants(admin, "A", "B")
    variants(region_admin_actor(RegionFactory(code="14")), "A")
    ((a, b),) = outcomes(region)
    assert [(one.version, one.settled) for one in (a, b)] == [(first, 0), (second, 0)]
    assert (a.answer_share, a.yes_share, a.time) == (None, None, None)

    client = Client()
    client.force_login(user_of(admin))
    page = client.get(reverse("texts-compared")).content.decode()
    assert len(re.findall(r'data-label="Avgjorda">0<', page)) == 2
    assert "*" not in page[page.index("<tbody>") : page.index("</tbody>")]
