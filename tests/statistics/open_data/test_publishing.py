"""A quarter is published once, some weeks after its end, and holds what a plain recount gives."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import Error, connection, transaction

from organisations.access import acting_as, as_product
from organisations.errors import InvalidInput
from organisations.sweeps import run_due
from referral.models import Case, Referral, ReferralCause
from statistics.guarantee.models import WithheldWaiting
from statistics.open_data.counting import count_quarter
from statistics.open_data.models import NATION, Edition, PublishedFigure
from statistics.open_data.quarters import Quarter
from statistics.open_data.services import correct, due_quarter, publish_due
from tests.factories import manager_actor, stockholm
from tests.statistics.open_data.parts import PUBLISHED, QUARTER, line_in, treated, two_regions

pytestmark = pytest.mark.django_db
WAIT = ReferralCause.WAITING_TIME


def figure(measure: str, area: str, *, border: str = "all", cause: str = WAIT, version: int = 1):
    return PublishedFigure.objects.get(
        edition__version=version, measure=measure, area=area, border=border, cause=cause
    )


def published():
    regions = two_regions()
    assert publish_due(now=PUBLISHED) == 1
    return regions


def test_a_month_that_is_hidden_for_the_one_before_keeps_the_regions_patients_from_the_quarter():
    halland, dalarna = two_regions()
    for region, kinds in ((halland, ["treated"]), (dalarna, ["received"])):
        WithheldWaiting.objects.create(
            region=region, first_day="2026-06-01", hidden_next=kinds, decided_at=PUBLISHED
        )
        # The month after is decided too, so that its own few do not matter here.
        WithheldWaiting.objects.create(region=region, first_day="2026-09-01", decided_at=PUBLISHED)
    counted = count_quarter(QUARTER, until=PUBLISHED)
    assert {code: one.after_few for code, one in counted.items()} == {"13": True, "20": False}


def test_patients_are_told_apart_by_reason_and_border():
    published()
    counts = {
        (row.area, row.cause, row.border): row.value
        for row in PublishedFigure.objects.filter(measure="patients", status="shown")
    }
    assert counts["13", "waiting_time", "within"] == 7
    assert counts["13", "waiting_time", "across"] == 6
    assert counts["20", "waiting_time", "within"] == 0
    assert counts["20", "waiting_time", "across"] == 5
    assert counts[NATION, "waiting_time", "within"] == 7
    assert counts[NATION, "waiting_time", "across"] == 11
    # Two who chose freely and three of highly specialised care: hidden, and with no other region
    # that hides them the nation's number too.
    assert ("13", "free_choice", "within") not in counts
    assert (NATION, "free_choice", "within") not in counts
    assert (NATION, "highly_specialised", "across") not in counts
    assert counts["20", "free_choice", "within"] == 0


def test_every_measure_is_what_a_plain_recount_gives():
    published()
    waits, amounts = [], []
    with as_product("test"):
        for row in Referral.objects.select_related("offer__case", "offer__call_off"):
            if row.offer.case.referral_cause == WAIT:
                waits.append((row.treated_on - row.offer.case.decision_date).days)
                amounts.append(row.offer.call_off.amount_sek)
    waits.sort()
    assert len(waits) == 18
    assert figure("wait_median", NATION).value == round((waits[8] + waits[9]) / 2)
    assert figure("cost_total", NATION).value == sum(amounts)
    assert figure("cost_per_patient", NATION).value == round(sum(amounts) / 18)
    assert figure("within_guarantee", NATION).count == 18
    assert figure("back_referred", NATION).value == 100
    assert figure("accepted", NATION).base == 18
    assert figure("answered_digitally", NATION).value == 100
    assert figure("rejected", NATION).count == 0
    assert figure("days_gained", NATION).value == 190
    assert figure("handling_days", NATION).value == figure("answer_hours", NATION).value == 0


def test_care_by_the_own_provider_is_not_counted():
    halland, _dalarna = two_regions()
    with as_product("test"):
        case = Case.objects.filter(referral_cause=WAIT, region=halland).first()
        unit = case.receiving_unit
        own = line_in(halland, halland)
        own.care_unit.provider = case.sending_unit.provider
        own.care_unit.save()
    treated(9, region=halland, line=own)
    with as_product("test"):
        Case.objects.filter(receiving_unit=own.care_unit).update(sending_unit=case.sending_unit)
    publish_due(now=PUBLISHED)
    assert unit != own.care_unit
    assert figure("patients", "13", border="within").value == 7


def test_a_quarter_is_published_45_days_after_its_last_day_and_once():
    two_regions()
    assert due_quarter(now=stockholm(2026, 11, 14, 23)) is None
    assert due_quarter(now=stockholm(2026, 11, 15, 1)) == QUARTER
    assert run_due(now=PUBLISHED)["open_data"] == 1
    assert run_due(now=PUBLISHED)["open_data"] == 0
    assert Edition.objects.count() == 1


def test_quarters_that_were_missed_are_published_in_order():
    two_regions()
    run_due(now=PUBLISHED + timedelta(days=200))
    assert [one.period for one in Edition.objects.all()] == ["2026Q3", "2026Q4", "2027Q1"]


def test_nothing_is_published_where_nobody_has_been_treated():
    assert publish_due(now=PUBLISHED) == 0
    assert not Edition.objects.exists()


def test_later_changes_leave_what_is_published():
    halland, _dalarna = published()
    before = list(PublishedFigure.objects.values_list("area", "measure", "value"))
    treated(5, region=halland, line=line_in(halland, halland))
    publish_due(now=PUBLISHED)
    assert list(PublishedFigure.objects.values_list("area", "measure", "value")) == before


def test_a_correction_is_a_further_version_and_the_first_stays():
    halland, _dalarna = published()
    treated(6, region=halland, line=line_in(halland, halland))
    dry = correct(QUARTER, reason="Sent registrerat", now=PUBLISHED, dry_run=True)
    assert Edition.objects.count() == 1
    found = correct(QUARTER, reason="Sent registrerat", now=PUBLISHED)
    assert dry == found
    assert found.version == 2
    assert figure("patients", "13", border="within", version=2).value == 13
    assert figure("patients", "13", border="within", version=1).value == 7


def test_a_correction_by_fewer_than_five_is_refused():
    halland, _dalarna = published()
    treated(2, region=halland, line=line_in(halland, halland))
    with pytest.raises(InvalidInput):
        correct(QUARTER, reason="En till", now=PUBLISHED)


@pytest.mark.parametrize("reason", ["", "  ", "x" * 301, "a\x00b"])
def test_a_correction_says_why(reason):
    with pytest.raises(InvalidInput, match="skälet"):
        correct(QUARTER, reason=reason, now=PUBLISHED)


def test_only_a_published_quarter_is_corrected():
    with pytest.raises(InvalidInput):
        correct(Quarter(2020, 1), reason="Fel", now=PUBLISHED)


def test_the_command_says_in_numbers_what_it_did(capsys):
    halland, _dalarna = published()
    treated(6, region=halland, line=line_in(halland, halland))
    call_command("correct_open_data", "2026Q3", reason="Sent registrerat", dry_run=True)
    assert "Skulle publicera 2026Q3 version 2" in capsys.readouterr().out
    with pytest.raises(CommandError):
        call_command("correct_open_data", "2026-3", reason="x")


CHANGES = (
    "UPDATE statistics_publishedfigure SET value = 1",
    "DELETE FROM statistics_publishedfigure",
    "UPDATE statistics_edition SET period = '2020Q1'",
    "DELETE FROM statistics_edition",
    "TRUNCATE statistics_edition CASCADE",
)


def test_what_is_published_cannot_be_changed(subtests):
    published()
    for statement in CHANGES:
        with (
            subtests.test(statement),
            as_product("test"),
            pytest.raises(Error),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)


def test_anybody_reads_published_figures_and_nothing_else_and_nobody_writes():
    halland, _dalarna = published()
    for actor in (None, manager_actor(halland)):
        with acting_as(actor):
            assert Edition.objects.exists()
            assert PublishedFigure.objects.exists()
            assert not Case.objects.exists()
            with pytest.raises(Error), transaction.atomic():
                Edition.objects.create(
                    period="2026Q2", version=1, published_at=PUBLISHED, rules_version=1
                )
