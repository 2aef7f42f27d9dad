"""The database alone shows nobody what is not theirs (design 5.6), with Django's filters gone.

Everything here asks for whole tables, as code that forgot its filter would.
"""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, models, transaction
from django.utils import timezone

from capacity.models import FreeCapacity, TakenPlace
from contracts.models import Invoice, InvoiceFile, InvoiceLine, InvoiceLog
from notices.callbacks.services import book_call
from notices.models import (
    AnswerCode,
    CallBack,
    Campaign,
    CampaignLog,
    CampaignRecipient,
    GatewayCallback,
    Notice,
    PhoneTime,
    PrintedLetter,
    WrittenOffer,
)
from organisations.access import Actor, acting_as, as_product, record_access
from organisations.access_log.reviewing import draw_sample, review
from organisations.access_log.sealing import seal_log
from organisations.administration.services import change_person
from organisations.models import (
    AccessLog,
    AccessLogSeal,
    AccessReview,
    AccessSample,
    AccessSampleRow,
    AdministrationLog,
    DomainEvent,
    EventDelivery,
    KeptText,
    Role,
)
from patients.models import Patient
from referral import services
from referral.models import (
    AllocationRow,
    AllocationRun,
    Attachment,
    Block,
    Case,
    CaseLog,
    CaseState,
    Certificate,
    Consent,
    Correction,
    EmergencyOpening,
    IntakeForm,
    IntakeFormVersion,
    Offer,
    OfferDraft,
    Pause,
    Referral,
    RetentionHold,
    WaitingListFile,
    WatchHit,
)
from statistics.models import (
    CaseFact,
    Edition,
    FigureCorrection,
    FrozenFigure,
    FrozenMonth,
    InclusionCount,
    LeadTimeCount,
    MonthDue,
    MonthRow,
    MonthState,
    OfferFact,
    PathwayFile,
    PathwayLimit,
    PerformanceFigure,
    PerformanceImport,
    PublishedFigure,
    Recount,
    StaleCase,
    Subscription,
    WaitingTimeDegree,
    WaitingTimeDelivery,
    WithheldWaiting,
)
from tests.access.world import STRANGERS, whole_case
from tests.factories import (
    LONG_AGO,
    WAIT_IS_KNOWN,
    CareUnitFactory,
    MadeCase,
    RegionFactory,
    WaitingTimeFactory,
    clinic_actor,
    contract_owner_actor,
    integration_actor,
    make_case,
    manager_actor,
    navigator_actor,
    operator_actor,
    region_admin_actor,
    user_of,
)
from tests.invoices import bill_for, receive
from tests.notices.campaigns.parts import campaign_with
from tests.waiting_lists import handed_in

pytestmark = pytest.mark.django_db

# Tables where a row tells something of a patient, and how a row leads to its case.
OF_A_CASE: dict[type[models.Model], str] = {
    Case: "number",
    Pause: "case__number",
    CaseLog: "case__number",
    Offer: "case__number",
    Certificate: "case__number",
    Consent: "case__number",
    Correction: "case__number",
    Referral: "offer__case__number",
    IntakeForm: "case__number",
    IntakeFormVersion: "form__case__number",
    Attachment: "form__case__number",
    Patient: "cases__number",
    Notice: "case__number",
    WatchHit: "case__number",
    CallBack: "case__number",
    WrittenOffer: "offer__case__number",
    PrintedLetter: "case__number",
}
# Of these the receiving provider sees nothing.
HOME_SIDE_ONLY = {Notice, Correction, WatchHit, CallBack, WrittenOffer, PrintedLetter}
FOR_THE_PRODUCT_ONLY: tuple[type[models.Model], ...] = (
    DomainEvent,
    EventDelivery,
    GatewayCallback,
    AnswerCode,
    AccessLogSeal,
    TakenPlace,
    *(CaseFact, OfferFact, StaleCase, MonthState, MonthRow),
    *(FrozenMonth, FrozenFigure, MonthDue, Recount, FigureCorrection, Subscription),
    WithheldWaiting,
)
# Of the control of the log, read by a region's administrator.
OF_REVIEWS: tuple[type[models.Model], ...] = (AccessSample, AccessSampleRow, AccessReview)
# Of a case too, but read by a region's administrator or a clinic alone (tests of their own).
READ_BY_NAVIGATORS: tuple[type[models.Model], ...] = (AllocationRun, AllocationRow, OfferDraft)
READ_BY_FEW: tuple[type[models.Model], ...] = (
    *(Block, EmergencyOpening, RetentionHold, WaitingListFile),
    *(WaitingTimeDelivery, WaitingTimeDegree),
)
# Who is told by whom: read by those who answer for it in the region (a test of its own).
OF_CAMPAIGNS: tuple[type[models.Model], ...] = (Campaign, CampaignLog, CampaignRecipient)
# Of what a region pays, read by those who settle it (a test of its own).
OF_INVOICES: tuple[type[models.Model], ...] = (InvoiceFile, Invoice, InvoiceLine, InvoiceLog)
# Published figures, which anybody reads: tests/statistics/open_data/test_publishing.py.
PUBLIC: tuple[type[models.Model], ...] = (Edition, PublishedFigure)
# Tables of the product's own apps without a word about a patient.
WITHOUT_PATIENTS = {
    "organisations": {
        *("Invitation", "SweepRun"),
        "ApiToken",
        "Assignment",
        "CareUnit",
        "FailedLogin",
        "MedicalArea",
        "Municipality",
        "Provider",
        "Region",
        "User",
    },
    # A call-off bears the case number, which names nobody (design 5.1).
    "contracts": {
        *("CallOff", "CapAlert", "ChecklistItem", "Contract", "ContractContact"),
        *("ContractDocument", "ContractImport", "ContractLine", "ContractVersion"),
        *("OpeningDay", "PeriodCap", "PeriodCount", "Procedure"),
    },
    "capacity": {
        *("DeliveryPlan", "PlanVersion", "PlannedWeek"),
        *("MatchingWeights", "QualityMeasure", "WaitingTime", "WaitingTimeFile"),
    },
    "referral": {"CaseNumberCounter"},
    "notices": {"LetterBatch", "PrintReport", "StaffMail", "TextVersion"},
}


def numbers(model: type[models.Model], path: str) -> set[str]:
    """The case numbers of all rows the database gives, read past every filter of Django's."""
    table, key = model._meta.db_table, model._meta.pk.column
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {key} FROM {table}")
        keys = [row[0] for row in cursor.fetchall()]
    with as_product("test"):
        found = model._base_manager.filter(pk__in=keys).values_list(path, flat=True)
        return {number for number in found if number}


def test_every_table_of_the_product_is_either_protected_or_said_to_hold_no_patients():
    own = {
        "organisations",
        "patients",
        "contracts",
        "capacity",
        "referral",
        "notices",
        "statistics",
    }
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relrowsecurity"
            " AND relnamespace = current_schema()::regnamespace"
        )
        protected = {name for (name,) in cursor.fetchall()}
    for model in apps.get_models(include_auto_created=False):
        if model._meta.app_label in own:
            free = model.__name__ in WITHOUT_PATIENTS.get(model._meta.app_label, set())
            assert (model._meta.db_table in protected) != free, model
    tested = {*OF_A_CASE, *FOR_THE_PRODUCT_ONLY, *READ_BY_FEW, *OF_REVIEWS, *READ_BY_NAVIGATORS}
    tested |= {AccessLog, AdministrationLog, KeptText, *OF_INVOICES}
    # Tell of no patient: protected so that others than their provider or region cannot change them.
    tested |= set(PUBLIC)
    # A region's own numbers: tests/statistics/pathways.
    tested |= {PathwayLimit, InclusionCount, LeadTimeCount, PathwayFile}
    tested |= {FreeCapacity, PhoneTime, *OF_CAMPAIGNS}
    # A region's own figures for the agreement (tests/statistics/performance).
    tested |= {PerformanceFigure, PerformanceImport}
    assert protected == {model._meta.db_table for model in tested}


def test_the_application_owns_nothing_and_cannot_bypass():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_user, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb"
            " FROM pg_roles WHERE rolname = current_user"
        )
        assert cursor.fetchone() == ("vardlots_app", False, False, False, False)
        cursor.execute(
            "SELECT count(*) FROM pg_class JOIN pg_roles o ON o.oid = relowner"
            " WHERE o.rolname = current_user"
        )
        assert cursor.fetchone() == (0,)


@pytest.mark.parametrize("who", ["nobody", *STRANGERS])
def test_others_get_nothing_from_any_table(who):
    made = whole_case()
    with acting_as(STRANGERS[who](made) if who in STRANGERS else None):
        for model, path in OF_A_CASE.items():
            assert numbers(model, path) == set(), model
        for model in FOR_THE_PRODUCT_ONLY:
            assert not model._base_manager.exists(), model


HOME: dict[str, Callable[[MadeCase], Actor]] = {
    "navigator": lambda made: made.navigator,
    "clinic": lambda made: made.clinic,
    "the region's integration": lambda made: integration_actor(made.unit.region),
    "the unit's integration": lambda made: integration_actor(made.unit.region, made.unit),
}


@pytest.mark.parametrize("who", HOME)
def test_the_home_side_gets_its_own_case_from_every_table_and_no_other(who):
    made = whole_case()
    whole_case(region="14")
    with acting_as(HOME[who](made)):
        for model, path in OF_A_CASE.items():
            assert numbers(model, path) == {made.case.number}, model


def test_the_receiving_provider_gets_its_case_but_not_the_home_sides_notices():
    made = whole_case()
    whole_case()
    with acting_as(made.provider):
        for model, path in OF_A_CASE.items():
            expected = set() if model in HOME_SIDE_ONLY else {made.case.number}
            assert numbers(model, path) == expected, model


@pytest.mark.parametrize("state", [CaseState.IN_PROGRESS, CaseState.OFFERED])
def test_a_provider_gets_nothing_before_the_patients_yes(state):
    made = whole_case(state)
    with acting_as(made.provider):
        for model, path in OF_A_CASE.items():
            assert numbers(model, path) == set(), model


def test_a_provider_gets_neither_others_offers_nor_the_home_sides_notes():
    made = whole_case(CaseState.OFFERED)
    now = timezone.now()
    services.withdraw_offer(made.offer, why="fel enhet", actor=made.navigator, now=now)
    services.note(made.case, text="Ring maken först.", actor=made.navigator, now=now)
    made.offer = services.send_offer(
        made.case, line=made.line, actor=made.navigator, now=now, wishes=WAIT_IS_KNOWN
    )
    services.answer_offer(made.offer, accepted=True, channel="phone", actor=made.navigator, now=now)
    with acting_as(made.provider):
        assert list(Offer.objects.values_list("state", flat=True)) == ["accepted"]
        assert set(CaseLog.objects.values_list("verb", flat=True)) == {"accept"}


def test_openings_and_holds_are_read_by_the_regions_administrator_and_blocks_by_the_clinic():
    made = make_case(CaseState.IN_PROGRESS)
    now = timezone.now()
    admin = region_admin_actor(made.unit.region)
    services.place_hold(made.case.number, reason="Tvist.", actor=admin, now=now)
    services.block(made.case, reach="units", asked_by_patient=True, actor=made.clinic, now=now)
    services.open_in_emergency(
        made.case.number, reason="x", cannot_consent=True, actor=made.navigator, now=now
    )
    clinic_elsewhere = clinic_actor(CareUnitFactory(region=made.unit.region, sends=True))
    readers: dict[type[models.Model], list[Actor]] = {
        Block: [made.clinic],
        EmergencyOpening: [admin, made.navigator, made.clinic],
        RetentionHold: [admin, made.navigator, made.clinic],
    }
    everyone = [
        *(admin, made.navigator, made.clinic, made.provider, clinic_elsewhere),
        *(navigator_actor(made.unit.region), manager_actor(made.unit.region), operator_actor()),
        *(region_admin_actor(RegionFactory(code="14")), navigator_actor(RegionFactory(code="14"))),
    ]
    for model in readers:
        for actor in everyone:
            with acting_as(actor):
                assert model._base_manager.exists() == (actor in readers[model]), (model, actor)


def test_a_waiting_list_is_read_by_the_clinic_and_by_those_of_the_role_that_handed_it_in():
    made = make_case(CaseState.IN_PROGRESS)
    unit, region = made.unit, made.unit.region
    strangers = [made.provider, manager_actor(region), *(who(made) for who in STRANGERS.values())]
    own = integration_actor(region, unit)
    whole = integration_actor(region)
    for sender, readers in (
        (made.clinic, {made.clinic}),
        (made.navigator, {made.clinic, made.navigator, navigator_actor(region)}),
        (own, {made.clinic, own, whole}),
    ):
        with as_product("test"):
            WaitingListFile.objects.all().delete()
            handed_in(unit, sender)
        for actor in {made.clinic, made.navigator, own, whole, *readers, *strangers}:
            with acting_as(actor):
                assert WaitingListFile.objects.exists() == (actor in readers), (sender, actor)


def test_allocations_and_drafts_of_offers_are_read_by_the_regions_navigators():
    made = make_case(CaseState.IN_PROGRESS)
    now, today = timezone.now(), timezone.localdate()
    unit = made.line.care_unit
    WaitingTimeFactory(care_unit=unit, kva=made.case.kva, day=today, median_days=9)
    run = services.request_allocation(clinics=[made.unit], actor=made.navigator, now=now)
    services.accept_allocation(run, actor=made.navigator, now=now)
    colleague = navigator_actor(made.unit.region)
    others = [made.clinic, made.provider, *(who(made) for who in STRANGERS.values())]
    for model in READ_BY_NAVIGATORS:
        for actor in (made.navigator, colleague, *others):
            with acting_as(actor):
                assert model._base_manager.exists() == (actor not in others), (model, actor)


def test_campaigns_are_read_in_the_region_and_their_patients_by_its_navigators():
    made = make_case(CaseState.IN_PROGRESS)
    campaign_with(made)
    region = made.unit.region
    admin, manager = region_admin_actor(region), manager_actor(region)
    colleague = navigator_actor(region)
    elsewhere = RegionFactory(code="14")
    others = [
        *(made.clinic, made.provider, contract_owner_actor(region), operator_actor()),
        *(integration_actor(region), navigator_actor(elsewhere), manager_actor(elsewhere)),
        *(region_admin_actor(elsewhere), None),
    ]
    readers = {
        Campaign: [made.navigator, colleague, admin, manager],
        CampaignLog: [made.navigator, colleague, admin],
        CampaignRecipient: [made.navigator, colleague],
    }
    for model in OF_CAMPAIGNS:
        for actor in (made.navigator, colleague, admin, manager, *others):
            with acting_as(actor):
                assert model._base_manager.exists() == (actor in readers[model]), (model, actor)


def test_invoices_are_read_by_those_who_settle_them_in_the_region_that_pays():
    made = make_case(CaseState.TREATED)
    receive(bill_for(made), made.navigator, now=timezone.now())
    region, other = made.unit.region, RegionFactory(code="14")
    readers = [made.navigator, contract_owner_actor(region), integration_actor(region)]
    others = [
        *(made.clinic, made.provider, manager_actor(region), region_admin_actor(region)),
        *(integration_actor(region, made.unit), operator_actor(), navigator_actor(other)),
        *(contract_owner_actor(other), integration_actor(other), None),
    ]
    for model in OF_INVOICES:
        for actor in (*readers, *others):
            with acting_as(actor):
                assert model._base_manager.exists() == (actor in readers), (model, actor)


def test_phone_times_are_read_by_the_regions_navigators_and_clinics():
    made, now = make_case(CaseState.IN_PROGRESS), timezone.now()
    PhoneTime.objects.create(
        navigator=user_of(made.navigator),
        region=made.unit.region,
        starts_at=now,
        ends_at=now + timedelta(minutes=15),
        opened_at=now,
    )
    readers = [made.navigator, navigator_actor(made.unit.region), made.clinic]
    others = [
        *(made.provider, manager_actor(made.unit.region), operator_actor()),
        navigator_actor(RegionFactory(code="14")),
    ]
    for actor in (*readers, *others, None):
        with acting_as(actor):
            assert PhoneTime.objects.exists() == (actor in readers), actor


@pytest.mark.parametrize("state", [CaseState.OFFERED, CaseState.CLOSED])
def test_a_patient_on_the_own_page_reads_its_one_case_and_nothing_else(state):
    made, other = whole_case(state), whole_case(state)
    # Another case of the same patient, whose code it has not given.
    Case.objects.filter(pk=other.case.pk).update(patient=made.patient, kva="NFB49")
    with acting_as(Actor.patient("Patienten på egna sidan", case_id=made.case.pk)):
        for model, path in OF_A_CASE.items():
            found = numbers(model, path) - ({other.case.number} if model is Patient else set())
            assert found <= {made.case.number}, model
            if model in {Notice, WatchHit, Correction}:
                assert found == set(), model
        assert Case.objects.count() == Patient.objects.count() == 1
        for model in (*FOR_THE_PRODUCT_ONLY, *OF_INVOICES, *OF_REVIEWS, *READ_BY_NAVIGATORS):
            assert not model._base_manager.exists(), model


def test_a_patient_without_a_case_reads_nothing():
    whole_case()
    with acting_as(Actor.patient("Patienten i 1177")):
        for model, path in OF_A_CASE.items():
            assert numbers(model, path) == set(), model


def test_a_patient_reads_the_phone_time_of_its_own_call():
    made, now = make_case(CaseState.IN_PROGRESS), timezone.now()
    mine, _free = (
        PhoneTime.objects.create(
            navigator=user_of(made.navigator),
            region=made.unit.region,
            starts_at=now + timedelta(hours=hour),
            ends_at=now + timedelta(hours=hour, minutes=15),
            opened_at=now,
        )
        for hour in (1, 2)
    )
    call = {"about": "x", "phone": "070-123 45 67"}
    book_call(made.case, time_id=mine.pk, actor=made.navigator, now=now, **call)
    with acting_as(Actor.patient("Patienten på egna sidan", case_id=made.case.pk)):
        assert list(PhoneTime.objects.all()) == [mine]


def test_a_draft_is_its_clinics_alone():
    made = make_case()
    services.create_draft(actor=made.clinic, sending_unit=made.unit, now=timezone.now())
    drafts = IntakeForm.objects.filter(case__isnull=True)
    with acting_as(made.clinic):
        assert drafts.count() == 1
    with acting_as(made.navigator):
        assert not drafts.exists()


def test_nobody_but_the_product_writes():
    made = whole_case()
    with acting_as(made.navigator):
        assert Case.objects.update(state="received") == 0
        assert Patient.objects.update(given_name="X") == 0
        assert Notice.objects.filter(printed__isnull=True).delete()[0] == 0
        with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
            Pause.objects.create(case=made.case, reason="patient", first_day=LONG_AGO.date())
    assert made.refresh().state == CaseState.CLOSED


def test_the_access_log_is_read_by_those_it_names_and_their_administrator():
    made = make_case()
    record_access(made.navigator, what="case", now=timezone.now(), cases=[(made.case.number, 1)])
    mine = AccessLog.objects.filter(what="case")
    who: list[tuple[Actor | None, bool]] = [
        (made.navigator, True),
        (region_admin_actor(made.unit.region), True),
        (made.clinic, False),
        (region_admin_actor(RegionFactory(code="14")), False),
        (operator_actor(), False),
        (None, False),
    ]
    for actor, expected in who:
        with acting_as(actor):
            assert mine.exists() == expected, actor


def test_samples_and_findings_are_read_by_the_regions_administrator_alone():
    made = make_case(CaseState.IN_PROGRESS)
    now = timezone.now()
    today = timezone.localdate(now)
    admin = region_admin_actor(made.unit.region)
    draw_sample(first_day=today, last_day=today, size=1, actor=admin, now=now)
    looked = AccessLog.objects.filter(user_id=made.navigator.user_id).latest("pk")
    review(looked, outcome="no_remark", comment="", actor=admin, now=now)
    seal_log(now=now)
    others = [
        *(made.navigator, made.clinic, made.provider, manager_actor(made.unit.region)),
        *(operator_actor(), region_admin_actor(RegionFactory(code="14")), None),
    ]
    for model in OF_REVIEWS:
        with acting_as(admin):
            assert model._base_manager.exists(), model
        for actor in others:
            with acting_as(actor):
                assert not model._base_manager.exists(), (model, actor)
    for actor in (admin, *others):
        with acting_as(actor):
            assert not AccessLogSeal.objects.exists(), actor


def test_the_history_of_administration_is_read_by_its_region_and_the_operator():
    region = RegionFactory()
    admin, person = region_admin_actor(region), user_of(navigator_actor(region))
    with acting_as(admin):
        change_person(
            person,
            name="Nytt Namn",
            email="n@example.org",
            hsa_id="",
            actor=admin,
            now=timezone.now(),
        )
    readers = [admin, operator_actor()]
    others = [region_admin_actor(RegionFactory(code="14")), navigator_actor(region), None]
    for actor in (*readers, *others):
        with acting_as(actor):
            assert AdministrationLog.objects.exists() == (actor in readers), actor


def test_a_search_by_name_gives_keys_to_those_with_patients_only():
    made = make_case(family_name="Söktsson")
    for actor in (made.navigator, made.clinic):
        with acting_as(actor):
            assert keys_named("söktss") == {made.patient.pk}
    for other in (manager_actor(made.unit.region), operator_actor(), None):
        with acting_as(other):
            assert keys_named("söktss") == set()


def keys_named(word: str) -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT patients_named(ARRAY[%s])", [word])
        return {key for (key,) in cursor.fetchall()}


# How the actor reaches the database.


def acting_in_the_database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(acting_role(), '')")
        return cursor.fetchone()[0]


def test_the_actor_is_told_to_a_transaction_that_is_open_and_taken_back_after():
    made = make_case()
    with acting_as(made.navigator):
        assert acting_in_the_database() == Role.NAVIGATOR
        with as_product("a reason"):
            assert acting_in_the_database() == "system"
        assert acting_in_the_database() == Role.NAVIGATOR
    assert acting_in_the_database() == "system"


def test_a_failed_statement_leaves_the_actor_as_it_was_before():
    made = make_case()
    with acting_as(made.navigator):
        with pytest.raises(DatabaseError), transaction.atomic(), as_product("a reason"):
            connection.cursor().execute("SELECT 1/0")
        assert acting_in_the_database() == Role.NAVIGATOR


@pytest.mark.django_db(transaction=True)
def test_the_actor_ends_with_the_transaction_so_that_a_pooled_connection_carries_nobody_over():
    made = make_case()
    with acting_as(made.navigator):
        with transaction.atomic():
            assert acting_in_the_database() == Role.NAVIGATOR
        assert Case.objects.count() == 1  # a statement outside has a transaction of its own
        with connection.connection.cursor() as bare:  # what the next user of it would meet
            assert bare.execute("SELECT acting_role()").fetchone() == (None,)
            assert bare.execute("SELECT count(*) FROM referral_case").fetchone() == (0,)
