"""``manage.py retention``: what has had its time goes, nothing else does, and it says so."""

import io
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import Error, connection, transaction
from django.utils import timezone

from contracts.models import CallOff
from notices.models import GatewayCallback, Notice
from organisations.access import acting_as, as_product, record_access
from organisations.events import deliver_events
from organisations.models import AccessLog, DomainEvent
from organisations.models.login import ApiToken
from organisations.retention import count_due, rules, thin
from patients.models import Patient
from referral import services
from referral.models import (
    AllocationRow,
    AllocationRun,
    Case,
    CaseLog,
    CaseState,
    IntakeForm,
    IntakeFormVersion,
    Offer,
    OfferDraft,
)
from referral.selectors import find_by_number, worklist
from tests.factories import (
    ContractLineFactory,
    MadeCase,
    RegionFactory,
    WaitingTimeFactory,
    make_case,
    region_admin_actor,
    user_of,
)

pytestmark = pytest.mark.django_db

RULES = {rule.name: rule for rule in rules()}


def run(*arguments: str) -> dict[str, int]:
    """What the command says it did, by rule."""
    out = io.StringIO()
    call_command("retention", *arguments, stdout=out)
    lines = [line.split() for line in out.getvalue().splitlines()[1:]]
    return {words[0].rstrip(":"): int(words[1]) for words in lines}


def closed(*, days_ago: int) -> MadeCase:
    """A whole case that closed so long ago, with its notices delivered."""
    at = timezone.now() - timedelta(days=days_ago)
    region = RegionFactory()
    line = ContractLineFactory(
        contract__owner_region=region, contract__valid_from=at.date() - timedelta(days=1)
    )
    made = make_case(CaseState.CLOSED, now=at, region=region, line=line)
    deliver_events(now=at)
    return made


def refused(statement: str, why: str) -> None:
    with pytest.raises(Error, match=why), transaction.atomic():
        connection.cursor().execute(statement)


TEN_YEARS = 366 * 10


def test_a_dry_run_counts_and_changes_nothing():
    made = closed(days_ago=TEN_YEARS + 30)
    said = run("--dry-run")
    assert said["archive"] == 1
    assert Case.objects.get(pk=made.case.pk).archived_at is None
    assert run("--rule", "archive") == {"archive": 1}
    assert run("--rule", "archive") == {"archive": 0}


def test_a_case_is_thinned_whole_ten_years_after_its_last_entry():
    old = closed(days_ago=TEN_YEARS + 30)
    young = closed(days_ago=TEN_YEARS - 30)
    number = old.case.number
    said = run()
    assert (said["archive"], said["cases"]) == (2, 1)
    assert list(Case.objects.all()) == [young.case]
    for model, path in (
        (CaseLog, "case"),
        (Offer, "case"),
        (Notice, "case"),
        (IntakeForm, "case"),
        (IntakeFormVersion, "form__case"),
    ):
        assert set(model.objects.values_list(path, flat=True)) == {young.case.pk}, model
    assert list(Patient.objects.all()) == [young.case.patient]
    assert CallOff.objects.filter(case_number=number).exists()  # the contract's ledger is whole


def test_a_case_with_a_younger_entry_stays():
    made = closed(days_ago=TEN_YEARS + 30)
    services.note(made.case, text="Ny fråga.", actor=made.navigator, now=timezone.now())
    assert run()["cases"] == 0


def test_a_hold_keeps_a_case_until_it_is_lifted():
    made = closed(days_ago=TEN_YEARS + 30)
    admin = region_admin_actor(made.unit.region)
    now = timezone.now()
    hold = services.place_hold(made.case.number, reason="Tvist.", actor=admin, now=now)
    assert run()["cases"] == 0
    with pytest.raises(Error, match="is kept"), transaction.atomic():
        connection.cursor().execute("SELECT thin_logs_of_case(%s)", [made.case.pk])
    services.lift_hold(hold, actor=admin, now=now)
    assert run()["cases"] == 1


def test_the_database_refuses_a_case_whose_time_has_not_come_even_when_the_rule_is_wrong():
    made = closed(days_ago=TEN_YEARS - 30)
    run("--rule", "archive")
    for setting in ("", "SET LOCAL vardlots.thinning = 'referral_caselog';"):
        refused(f"{setting} SELECT thin_logs_of_case({made.case.pk})", "is kept")
        refused(f"{setting} DELETE FROM referral_caselog", "append-only")
    with (
        as_product("a rule that is wrong by twenty years"),
        pytest.raises(Error, match="is kept"),
        transaction.atomic(),
    ):
        RULES["cases"].thin(timezone.now() + timedelta(days=7300), 10)
    assert Case.objects.count() == 1


def test_nobody_but_the_product_thins():
    made = closed(days_ago=TEN_YEARS + 30)
    run("--rule", "archive")
    with (
        acting_as(made.navigator),
        pytest.raises(Error, match="is kept"),
        transaction.atomic(),
    ):
        connection.cursor().execute("SELECT thin_logs_of_case(%s)", [made.case.pk])


def test_an_archived_case_leaves_the_lists_and_is_found_by_its_number():
    made = closed(days_ago=400)
    today = timezone.localdate()
    assert worklist(made.navigator, view="closed", today=today).exists()
    run("--rule", "archive")
    assert not worklist(made.navigator, view="closed", today=today).exists()
    assert find_by_number(made.navigator, made.case.number) == made.case


def test_the_access_log_is_never_thinned():
    made = make_case()
    at = timezone.now() - timedelta(days=366 * 30)
    record_access(made.navigator, what="old", now=at, cases=[(made.case.number, 1)])
    run()
    assert AccessLog.objects.filter(what="old").exists()


def test_drafts_go_after_ninety_days_with_their_files(settings, tmp_path: Path):
    made = make_case()
    now = timezone.now()
    for days in (89, 91):
        services.create_draft(
            actor=made.clinic, sending_unit=made.unit, now=now - timedelta(days=days)
        )
    old = IntakeForm.objects.filter(case__isnull=True).earliest("saved_at")
    kept = services.add_attachment(
        old,
        name="x.pdf",
        content=b"%PDF-1.4 x",
        actor=made.clinic,
        now=now,
    )
    assert kept.file.storage.exists(kept.file.name)
    assert run()["drafts"] == 1
    assert IntakeForm.objects.filter(case__isnull=True).count() == 1


def test_what_has_expired_or_been_delivered_goes_and_the_rest_stays():
    made = make_case()
    now = timezone.now()
    for days in (-1, 1):
        Session.objects.create(
            session_key=f"key{days}", session_data="", expire_date=now + timedelta(days=days)
        )
        ApiToken.objects.create(user_of(made.clinic), expiry=timedelta(days=days))
    closed(days_ago=400)
    waiting = closed(days_ago=401)
    deliveries = DomainEvent.objects.filter(case_number=waiting.case.number)
    deliveries.first().deliveries.update(done_at=None)
    said = run()
    assert (said["sessions"], said["tokens"]) == (1, 1)
    assert said["events"] > 0
    assert not any(run().values())


def test_texts_of_notices_go_two_years_after_the_case_closed():
    old, young = closed(days_ago=740), closed(days_ago=700)
    assert run()["notice_texts"] == Notice.objects.filter(case=old.case).count() > 0
    assert not Notice.objects.filter(case=old.case).exclude(body="").exists()
    assert not Notice.objects.filter(case=young.case, body="").exists()


def test_a_run_in_small_batches_takes_all():
    for day in range(5):
        closed(days_ago=400 + day)
    assert count_due(RULES["archive"], now=timezone.now()) == 5
    assert thin(RULES["archive"], now=timezone.now(), batch=2) == 5


def test_callbacks_go_after_a_year():
    for days in (360, 370):
        GatewayCallback.objects.create(
            delivery_id=f"d{days}",
            received_at=timezone.now() - timedelta(days=days),
            payload={"type": "message.read"},
            outcome="read",
        )
    assert run()["callbacks"] == 1


def test_a_rule_that_does_not_exist_is_said_so():
    with pytest.raises(CommandError, match="Reglerna är"):
        run("--rule", "finns-inte")
    with pytest.raises(CommandError, match="minst 1"):
        run("--batch", "0")


def test_the_documentation_has_every_rule():
    text = Path("docs/privacy.md").read_text()
    for rule in rules():
        assert f"`{rule.name}`" in text, rule.name


def test_allocations_go_after_ninety_days_and_the_drafts_they_led_to_stay():
    made = make_case(CaseState.IN_PROGRESS)
    today, now = timezone.localdate(), timezone.now()
    unit, kva = made.line.care_unit, made.case.kva
    WaitingTimeFactory(care_unit=unit, kva=kva, day=today, median_days=9)
    for days in (91, 89):
        run_ = services.request_allocation(clinics=[made.unit], actor=made.navigator, now=now)
        services.accept_allocation(run_, actor=made.navigator, now=now)
        AllocationRun.objects.filter(pk=run_.pk).update(made_at=now - timedelta(days=days))
    OfferDraft.objects.update(run=AllocationRun.objects.earliest("pk"))
    assert run()["allocations"] == 1
    assert AllocationRun.objects.count() == AllocationRow.objects.count() == 1
    assert OfferDraft.objects.get().run is None
