"""The database refuses what must never be, also when the code is wrong.

Every named constraint of the models stands in ``BREAKS`` with a statement that breaks it and
nothing else; a constraint without one fails the test that counts them.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, TypeVar

import pytest
from django.apps import apps
from django.db import Error, IntegrityError, connection, models, transaction
from django.utils import timezone

from capacity.models import DeliveryPlan, PlannedWeek, PlanVersion, WaitingTimeFile
from contracts.models import (
    CallOff,
    CapAlert,
    ChecklistItem,
    ContractContact,
    ContractDocument,
    ContractImport,
    ContractVersion,
    InvoiceLine,
    PeriodCap,
)
from notices.callbacks.services import ask_for_call, book_call
from notices.campaigns.services import prepare
from notices.models import (
    AnswerCode,
    CallBack,
    Campaign,
    GatewayCallback,
    Notice,
    PhoneTime,
    PrintedLetter,
    PrintReport,
    StaffMail,
    TextVersion,
)
from organisations.access import record_access
from organisations.access_log.reviewing import draw_sample, review
from organisations.access_log.sealing import seal_log
from organisations.administration import services as administration
from organisations.events import deliver_events
from organisations.models import (
    AccessReview,
    AccessSample,
    AccessSampleRow,
    ApiToken,
    Assignment,
    EventDelivery,
    Invitation,
    KeptText,
    Role,
)
from patients.services import ContactDetails
from referral import services
from referral.models import (
    AllocationRun,
    Attachment,
    Block,
    Case,
    CaseState,
    Consent,
    Correction,
    EmergencyOpening,
    Pause,
    RetentionHold,
    WaitingListFile,
    WatchHit,
)
from referral.models.cases import CaseNumberCounter
from statistics.frozen.services import run_months
from statistics.models import (
    Edition,
    FigureCorrection,
    FrozenFigure,
    FrozenMonth,
    InclusionCount,
    LeadTimeCount,
    MonthDue,
    MonthRow,
    MonthState,
    PathwayFile,
    PathwayLimit,
    PerformanceFigure,
    PerformanceImport,
    PublishedFigure,
    Recount,
    Subscription,
    WaitingTimeDegree,
    WaitingTimeDelivery,
    WithheldWaiting,
)
from tests.access.world import returned_letter
from tests.factories import (
    LONG_AGO,
    CareUnitFactory,
    ContractFactory,
    ContractLineFactory,
    FreeCapacityFactory,
    MatchingWeightsFactory,
    MunicipalityFactory,
    PatientFactory,
    ProcedureFactory,
    ProviderFactory,
    QualityMeasureFactory,
    RegionFactory,
    UserFactory,
    WaitingTimeFactory,
    make_case,
    navigator_actor,
    operator_actor,
    provider_actor,
    region_admin_actor,
    user_of,
)
from tests.invoices import bill_for, receive
from tests.notices.campaigns.parts import campaign_with
from tests.shared_world import shared
from tests.statistics.frozen.parts import FREEZES, Counted, frozen_march, number
from tests.statistics.waiting_times.files import delivered
from tests.waiting_lists import handed_in

pytestmark = pytest.mark.django_db

OWN_APPS = (
    *("organisations", "patients", "contracts", "capacity", "referral", "notices"),
    "statistics",
)


def update(row: models.Model, change: str) -> str:
    meta = row._meta
    return f"UPDATE {meta.db_table} SET {change} WHERE {meta.pk.column} = '{row.pk}'"


def copy(row: models.Model, **changes: str) -> str:
    """A second row like this one, with other SQL expressions for some columns."""
    columns = [field.column for field in row._meta.concrete_fields if not field.primary_key]
    values = ", ".join(changes.get(column, column) for column in columns)
    table = row._meta.db_table
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM {table}"
        f" WHERE {row._meta.pk.column} = '{row.pk}'"
    )


def past_the_guard(row: models.Model, change: str) -> str:
    """Without the trigger that guards the counters, so that the CHECK alone decides."""
    guarded = row._meta.db_table
    return f"RESET ROLE; ALTER TABLE {guarded} DISABLE TRIGGER USER; {update(row, change)}"


def case(state: CaseState = CaseState.RECEIVED) -> models.Model:
    return make_case(state).case


def offer(state: CaseState = CaseState.OFFERED) -> models.Model:
    made = make_case(state)
    assert made.offer is not None
    return made.offer


def allocation() -> AllocationRun:
    """A run that is done and gave its only case nothing: the line's wait is unknown."""
    made = make_case(CaseState.IN_PROGRESS)
    return services.request_allocation(
        clinics=[made.unit], actor=made.navigator, now=timezone.now()
    )


def waiting_list() -> WaitingListFile:
    """A list that has been checked, with a row to store."""
    made = make_case()
    return handed_in(made.unit, made.clinic)


def text(*, in_use: bool = False) -> TextVersion:
    version = TextVersion(kind="offer", language="sv", number=1, saved_at=LONG_AGO)
    if in_use:
        version.state, version.published_at = TextVersion.State.PUBLISHED, LONG_AGO
    version.save()
    return version


def callback() -> GatewayCallback:
    return GatewayCallback.objects.create(
        delivery_id="1", received_at=timezone.now(), payload={"type": "read"}, outcome="läst"
    )


def notice(channel: str = Notice.Channel.INBOX) -> Notice:
    made = make_case(CaseState.OFFERED)
    deliver_events(now=timezone.now())
    return Notice.objects.filter(case=made.case, channel=channel).earliest("pk")


def printed_letter() -> PrintedLetter:
    made = make_case(CaseState.OFFERED)
    deliver_events(now=timezone.now())
    return returned_letter(made)


def print_report() -> PrintReport:
    return PrintReport.objects.create(name="ack.csv", sha256="0" * 64, received_at=timezone.now())


def answer_code() -> AnswerCode:
    number = make_case().case.number
    return AnswerCode.objects.create(case_number=number, tried_at=timezone.now())


def phone_time() -> PhoneTime:
    region, now = RegionFactory(), timezone.now()
    return PhoneTime.objects.create(
        navigator=user_of(navigator_actor(region)),
        region=region,
        starts_at=now + timedelta(hours=1),
        ends_at=now + timedelta(hours=2),
        opened_at=now,
    )


def call(*, booked: bool = False) -> CallBack:
    made = make_case(CaseState.IN_PROGRESS)
    who: dict[str, Any] = {"phone": "070-123 45 67", "about": "x", "actor": made.navigator}
    who |= {"now": timezone.now()}
    if booked:
        return book_call(made.case, time_id=phone_time().pk, **who)
    return ask_for_call(made.case, **who)


def on_the_same_time() -> str:
    make_case()
    return copy(call(booked=True), case_id="(SELECT min(id) FROM referral_case)")


def assignment() -> Assignment:
    return Assignment.objects.get(user=provider_actor(ProviderFactory()).user_id)


def call_off() -> CallOff:
    return make_case(CaseState.OFFERED).offer.call_off


def paused_case() -> Pause:
    made = make_case(CaseState.IN_PROGRESS)
    now = timezone.now()
    today = timezone.localdate(now)
    services.pause(
        made.case,
        reason=Pause.Reason.PATIENT,
        first_day=today - timedelta(days=3),
        until=today,
        comment="",
        actor=made.navigator,
        now=now,
    )
    return Pause.objects.get(case=made.case)


def attachment() -> Attachment:
    return Attachment.objects.create(
        form=make_case().case.form,
        file="x",
        name="x.pdf",
        content_type="application/pdf",
        size=1,
        sha256="0" * 64,
        uploaded_at=LONG_AGO,
    )


def period_cap(**where: Any) -> PeriodCap:
    where = where or {"line": ContractLineFactory()}
    return PeriodCap.objects.create(
        period="year", cap_volume=5, applies_from=LONG_AGO.date(), **where
    )


def period_count() -> models.Model:
    line = call_off().line
    return period_cap(line=line).counts.get()


def alert() -> CapAlert:
    return CapAlert.objects.create(contract=ContractFactory(), percent=80, raised_at=LONG_AGO)


def version() -> ContractVersion:
    return ContractVersion.objects.create(
        contract=ContractFactory(), number=1, made_at=LONG_AGO, made_by="A", why="B", content={}
    )


def question() -> ChecklistItem:
    return ChecklistItem.objects.create(contract=ContractFactory(), question="results")


def contact() -> ContractContact:
    return ContractContact.objects.create(
        contract=ContractFactory(), name="A", side="owner", about="cap", phone="1"
    )


def document() -> ContractDocument:
    return ContractDocument.objects.create(
        contract=ContractFactory(),
        file="x",
        name="x.pdf",
        content_type="application/pdf",
        size=1,
        sha256="0" * 64,
        uploaded_at=LONG_AGO,
    )


def contract_import() -> ContractImport:
    return ContractImport.objects.create(
        region=RegionFactory(),
        made_at=LONG_AGO,
        made_by="A",
        file_name="x.csv",
        rows=1,
        stored=1,
        report=[],
    )


def campaign() -> Campaign:
    return campaign_with(make_case(CaseState.IN_PROGRESS))


def draft_campaign() -> Campaign:
    actor = navigator_actor(RegionFactory())
    return prepare(name="Vi frågar", criteria={}, actor=actor, now=timezone.now())


def recipient() -> models.Model:
    return campaign().recipients.get()


def month_row() -> MonthRow:
    return MonthRow.objects.create(
        region=RegionFactory(), month="2026-03-01", dimension="region", key="13", figures={}
    )


Row = TypeVar("Row", bound=models.Model)


def corrected_month(model: type[Row]) -> Row:
    """A row of a frozen month with a correction."""
    counted = Counted(number(7))
    frozen_march(counted)
    counted.now(number(8))
    run_months(now=FREEZES + timedelta(days=1), count=counted)
    return model._default_manager.earliest("pk")


def withheld_waiting() -> WithheldWaiting:
    return WithheldWaiting.objects.create(
        region=RegionFactory(), first_day="2026-03-01", decided_at=timezone.now()
    )


def subscription() -> Subscription:
    user, now = UserFactory(), timezone.now()
    return Subscription.objects.create(user=user, region=RegionFactory(), began_at=now)


def staff_mail() -> StaffMail:
    return StaffMail.objects.create(
        to="a@b.example",
        subject="A",
        body="B",
        idempotency_key="C",
        created_at=LONG_AGO,
        due_at=LONG_AGO,
    )


def blocked_case() -> Block:
    made = make_case()
    services.block(
        made.case, reach="units", asked_by_patient=True, actor=made.clinic, now=timezone.now()
    )
    return Block.objects.get(patient=made.patient)


def consent() -> Consent:
    return make_case(CaseState.ACCEPTED).case.consents.get()


def opening() -> EmergencyOpening:
    row = blocked_case()
    found = Case.objects.get(patient=row.patient)
    return services.open_in_emergency(
        found.number,
        reason="x",
        cannot_consent=True,
        actor=navigator_actor(found.region),
        now=timezone.now(),
    )


def correction() -> Correction:
    """Corrections are append-only: what is wrong is refused as it is added."""
    made = make_case()
    services.correct_patient(
        made.case,
        contact=ContactDetails(given_name="Ny", family_name="Testsson"),
        reason="x",
        actor=made.clinic,
        now=timezone.now(),
    )
    return made.case.corrections.get()


def hold() -> RetentionHold:
    made = make_case()
    admin = region_admin_actor(made.unit.region)
    return services.place_hold(made.case.number, reason="x", actor=admin, now=timezone.now())


def wrong_check_digit() -> str:
    found = make_case().case
    wrong = f"{found.number[:-1]}{(int(found.number[-1]) + 1) % 10}"
    return update(found, f"number = '{wrong}'")


def moved_to_another_region() -> str:
    RegionFactory(code="14")
    return update(case(), "region_id = '14'")


def two_running_cases() -> str:
    first, second = make_case().case, make_case().case
    return update(second, f"patient_id = {first.patient_id}")


def two_live_call_offs() -> str:
    first, second = call_off(), call_off()
    return update(second, f"case_number = '{first.case_number}'")


def two_live_offers() -> str:
    first, second = offer(), offer()
    return update(second, f"serial = 2, case_id = {first.case_id}")


def one_serial_twice() -> str:
    first, second = offer(), offer()
    return update(second, f"state = 'withdrawn', case_id = {first.case_id}")


def one_certificate_serial_twice() -> str:
    first, second = make_case(CaseState.ACCEPTED), make_case(CaseState.ACCEPTED)
    return update(second.certificate, f"case_id = {first.case.pk}")


def accepted_referral() -> models.Model:
    return make_case(CaseState.ACCEPTED).offer.referral


def treated_referral() -> models.Model:
    return make_case(CaseState.TREATED).offer.referral


def invitation() -> Invitation:
    now = timezone.now()
    region = RegionFactory()
    return Invitation.objects.create(
        name="Anna Ny",
        email="anna@region.example",
        role=Role.NAVIGATOR,
        region=region,
        invited_by=user_of(region_admin_actor(region)),
        invited_at=now,
        expires_at=now + timedelta(days=7),
    )


def accepted_and_withdrawn() -> str:
    found = invitation()
    taken = Assignment.objects.get(user=found.invited_by)
    return update(found, f"accepted_at = now(), withdrawn_at = now(), assignment_id = {taken.pk}")


def reviewed() -> AccessReview:
    """A log row that is sealed, drawn in a sample and reviewed."""
    made, now = make_case(), timezone.now()
    admin, today = region_admin_actor(made.unit.region), timezone.localdate(now)
    seal_log(now=now)
    sample = draw_sample(first_day=today, last_day=today, size=1, actor=admin, now=now)
    access = sample.rows.get().access
    return review(access, outcome="no_remark", comment="", actor=admin, now=now)


def reviewed_row(model: type[models.Model]) -> models.Model:
    reviewed()
    return model.objects.get()


def second_place_taken() -> str:
    row = reviewed_row(AccessSampleRow)
    look = make_case().navigator
    record_access(look, what="case", now=timezone.now(), cases=[("13-26-000001-9", None)])
    return copy(row, access_id="(SELECT max(id) FROM organisations_accesslog)")


REJECTED = "rejected_at = now(), rejection_reason = 'other', rejection_comment = 'x'"


def kept_text() -> KeptText:
    user = user_of(operator_actor())
    return KeptText.objects.create(user=user, worked_as="x", action="/x/", saved_at=LONG_AGO)


def api_token() -> ApiToken:
    return ApiToken.objects.create(user_of(operator_actor()), scopes=[])[0]


def watch_hit() -> WatchHit:
    """A hit of a case, and another contract line beside it."""
    made = make_case(CaseState.WATCHED)
    ContractLineFactory()
    return WatchHit.objects.create(
        case=made.case, cause="contract", line=made.line, event_id=0, found_at=LONG_AGO
    )


def delivery_plan() -> DeliveryPlan:
    """For 2027, which has 52 weeks."""
    line = ContractLineFactory()
    return DeliveryPlan.objects.create(
        region=line.contract.owner_region,
        provider=line.contract.provider,
        contract=line.contract,
        care_unit=line.care_unit,
        kva="NGB",
        year=2027,
        made_at=LONG_AGO,
    )


def plan_version(**values: Any) -> PlanVersion:
    kept = {"number": 1, "made_at": LONG_AGO, "made_by": "test"} | values
    return PlanVersion.objects.create(plan=delivery_plan(), **kept)


def planned_week() -> models.Model:
    return PlannedWeek.objects.create(version=plan_version(), week=7, volume=1)


def agreed_version() -> PlanVersion:
    return plan_version(agreed_at=LONG_AGO, agreed_by="test", agreed_with="test")


def waiting_time_file() -> models.Model:
    return WaitingTimeFile.objects.create(
        sha256="0" * 64,
        source="SPOR",
        name="dag.csv",
        made_at=timezone.now(),
        made_by="test",
        rows=0,
        added=0,
        changed=0,
        unchanged=0,
    )


def waiting_delivery() -> WaitingTimeDelivery:
    return delivered("x", region_admin_actor(RegionFactory(code="14")))


def waiting_degree() -> WaitingTimeDegree:
    return waiting_delivery().degrees.all()[0]


def another_delivery(**changes: str) -> str:
    """A copy of a delivery under a number of its own, with other values for some columns."""
    return copy(waiting_delivery(), **{"number": "'x'", "serial": "9", "version": "9"} | changes)


def invoice_line(state: str = "settled") -> InvoiceLine:
    """A line that settled its call-off, or one that waits for its price."""
    made = make_case(CaseState.TREATED)
    amount = made.offer.price_sek + (state != "settled")
    number = f"F-{made.case.number}"
    receive(bill_for(made, number=number, amount=amount), made.navigator, now=timezone.now())
    return InvoiceLine.objects.get(case_number=made.case.number)


def second_line_for_a_call_off() -> str:
    first, second = invoice_line(), invoice_line()
    return update(second, f"call_off_id = {first.call_off_id}")


def same_place_in_the_invoice() -> str:
    return copy(invoice_line("deviates"), state="'deviates'")


def performance_figure() -> PerformanceFigure:
    region = RegionFactory()
    made = PerformanceImport.objects.create(
        region=region,
        made_at=timezone.now(),
        made_by="Chef",
        file_name="mått.csv",
        rows=1,
        stored=1,
    )
    return PerformanceFigure.objects.create(
        region=region,
        month="2022-03-01",
        measure="first_visit_60",
        numerator=1,
        denominator=2,
        source=made,
    )


def counted_month() -> MonthState:
    return MonthState.objects.create(
        region=RegionFactory(), month="2026-03-01", counted_at=timezone.now()
    )


def pathway_limit() -> PathwayLimit:
    return PathwayLimit.objects.create(
        region=RegionFactory(),
        pathway="lungcancer",
        treatment="surgery",
        days=40,
        entered_at=timezone.now(),
        entered_by="x",
    )


def inclusion() -> InclusionCount:
    return InclusionCount.objects.create(
        region=RegionFactory(),
        period="2026H1",
        new_cases=100,
        included=75,
        source="x",
        entered_at=timezone.now(),
        entered_by="x",
    )


def lead_time_count() -> LeadTimeCount:
    return LeadTimeCount.objects.create(
        region=RegionFactory(),
        period="2026H1",
        step="suspicion_to_treatment",
        patients=100,
        within=45,
        source="x",
        entered_at=timezone.now(),
        entered_by="x",
    )


def pathway_file() -> PathwayFile:
    return PathwayFile.objects.create(
        region=RegionFactory(),
        kind="counts",
        file_name="x",
        good_rows_only=False,
        rows=2,
        stored=1,
        unchanged=1,
        faults=[],
        made_at=timezone.now(),
        made_by="x",
    )


def edition() -> Edition:
    return Edition.objects.create(
        period="2026Q1", version=1, published_at=timezone.now(), rules_version=1
    )


def figure() -> PublishedFigure:
    return PublishedFigure.objects.create(
        edition=edition(),
        measure="patients",
        cause="waiting_time",
        border="within",
        area="SE",
        status="shown",
        value=9,
        count=9,
        base=9,
    )


BREAKS: dict[str, Callable[[], str]] = {
    # statistics
    "waiting_delivery_serial_once": lambda: another_delivery(serial="serial"),
    "waiting_delivery_version_once": lambda: another_delivery(version="version"),
    "waiting_delivery_verdict_known": lambda: another_delivery(verdict="'x'"),
    "waiting_delivery_refused_is_no_version": lambda: another_delivery(version="NULL"),
    "waiting_delivery_counts_when_whole": lambda: another_delivery(done="done + 1"),
    "waiting_delivery_month_begins": lambda: another_delivery(month="month + 1"),
    "waiting_delivery_within_window": lambda: another_delivery(
        month="(month - interval '3 months')::date"
    ),
    "waiting_delivery_within_20_mb": lambda: another_delivery(size="21000000"),
    "waiting_delivery_checksum_shape": lambda: another_delivery(sha256="upper(sha256)"),
    "waiting_degree_once": lambda: copy(waiting_degree()),
    "waiting_degree_status_known": lambda: copy(waiting_degree(), status="'X'"),
    "performance_figure_once_a_month": lambda: copy(performance_figure()),
    "performance_figure_part_of_whole": lambda: update(performance_figure(), "numerator = 3"),
    "performance_figure_of_a_month": lambda: update(performance_figure(), "month = month + 1"),
    "performance_figure_measure_known": lambda: update(performance_figure(), "measure = 'x'"),
    "performance_figure_pot_not_negative": lambda: update(performance_figure(), "pot_sek = -1"),
    "performance_import_stores_no_more_than_it_has": lambda: update(
        performance_figure().source, "stored = 2"
    ),
    # contracts
    "month_state_once": lambda: copy(counted_month()),
    "month_state_first_day": lambda: update(counted_month(), "month = '2026-03-02'"),
    "month_state_counted_or_due": lambda: update(counted_month(), "counted_at = NULL"),
    "month_row_once": lambda: copy(month_row()),
    "invoice_file_within_10_mb": lambda: update(invoice_line().invoice.file, "size = 0"),
    "invoice_number_once_per_provider": lambda: copy(invoice_line().invoice),
    "invoice_credit_note_names_its_invoice": lambda: copy(
        invoice_line().invoice, kind="'credit_note'", number="'NY'"
    ),
    "invoice_line_once": same_place_in_the_invoice,
    "invoice_line_settles_a_call_off_once": second_line_for_a_call_off,
    "invoice_line_state_known": lambda: update(invoice_line(), "state = 'x'"),
    "invoice_line_settled_has_call_off": lambda: update(invoice_line(), "call_off_id = NULL"),
    "invoice_line_credits_only_as_credit": lambda: update(invoice_line(), "credits_id = id"),
    "invoice_line_credited_within_amount": lambda: update(
        invoice_line(), "credited_sek = amount_sek + 1"
    ),
    "invoice_line_case_number_holds": lambda: copy(
        invoice_line("deviates"), position="9", case_number="'13-26-000001-0'"
    ),
    "kept_text_once_per_form": lambda: copy(kept_text()),
    "api_token_expires": lambda: update(api_token(), "expiry = NULL"),
    # organisations
    "region_code_two_digits": lambda: update(RegionFactory(), "code = '1x'"),
    "region_guarantee_within_law": lambda: update(RegionFactory(), "guarantee_days = 91"),
    "region_offer_outlives_letter": lambda: update(RegionFactory(), "letter_after_days = 30"),
    "region_funding_known": lambda: update(RegionFactory(), "funding = 'x'"),
    "offer_funding_known": lambda: update(offer(), "funding = 'x'"),
    "region_unread_within_60_days": lambda: update(RegionFactory(), "unread_guarantee_days = 61"),
    "region_reminds_before_letter": lambda: update(RegionFactory(), "reminder_after_days = 14"),
    "patient_not_deceased_before_birth": lambda: update(
        PatientFactory(), "birth_date = '1950-01-02', deceased_on = '1950-01-01'"
    ),
    "municipality_code_begins_with_region": lambda: update(MunicipalityFactory(), "code = '9980'"),
    "provider_organisation_number_ten_digits": lambda: update(
        ProviderFactory(), "organisation_number = '123'"
    ),
    "provider_region_run_has_region": lambda: update(ProviderFactory(), "kind = 'region'"),
    "provider_hsa_id_shape": lambda: update(ProviderFactory(), "hsa_id = 'SE1-X'"),
    "provider_hsa_id_once": lambda: update(
        ProviderFactory(),
        f"hsa_id = '{ProviderFactory(hsa_id='SE2321000016-VG01').hsa_id}'",
    ),
    "care_unit_languages_known": lambda: update(CareUnitFactory(), "languages = '{xx}'"),
    "care_unit_equipment_known": lambda: update(CareUnitFactory(), "equipment = '{spoon}'"),
    "care_unit_hsa_id_shape": lambda: update(CareUnitFactory(), "hsa_id = 'SE1-X'"),
    "user_hsa_id_shape": lambda: update(UserFactory(), "hsa_id = 'SE1-X'"),
    "user_home_street_encrypted": lambda: update(UserFactory(), "home_street = 'Provgatan 1'"),
    "user_home_postal_code_encrypted": lambda: update(UserFactory(), "home_postal_code = '30233'"),
    "invitation_names_where_it_holds": lambda: update(invitation(), "region_id = NULL"),
    "invitation_hsa_id_shape": lambda: update(invitation(), "hsa_id = 'SE1-X'"),
    "invitation_expires_after_sent": lambda: update(invitation(), "expires_at = invited_at"),
    "invitation_accepted_gives_assignment": lambda: update(invitation(), "accepted_at = now()"),
    "invitation_not_accepted_and_withdrawn": accepted_and_withdrawn,
    "assignment_names_where_it_holds": lambda: update(assignment(), "provider_id = NULL"),
    "assignment_ends_after_start": lambda: update(assignment(), "ends_at = starts_at"),
    "event_delivered_once": lambda: copy(
        [offer(), EventDelivery.objects.filter(event__kind="offer.sent").latest("pk")][1]
    ),
    "access_sample_days_in_order": lambda: past_the_guard(
        reviewed_row(AccessSample), "last_day = first_day - 1"
    ),
    "one_row_per_place_in_sample": second_place_taken,
    "one_draw_per_row_in_sample": lambda: copy(reviewed_row(AccessSampleRow), position="2"),
    "access_review_outcome_known": lambda: past_the_guard(reviewed(), "outcome = 'x'"),
    "access_review_follow_up_says_why": lambda: past_the_guard(reviewed(), "outcome = 'follow_up'"),
    # patients
    "patient_identity_number_encrypted": lambda: update(
        PatientFactory(), "identity_number = '194001010002'"
    ),
    "patient_street_encrypted": lambda: update(PatientFactory(), "street = 'Provgatan 1'"),
    "patient_postal_code_encrypted": lambda: update(PatientFactory(), "postal_code = '30233'"),
    "patient_town_encrypted": lambda: update(PatientFactory(), "town = 'Halmstad'"),
    "patient_phone_encrypted": lambda: update(PatientFactory(), "phone = '0700000000'"),
    "form_typed_encrypted": lambda: update(case().form, "typed = '{}'"),
    "form_version_encrypted": lambda: past_the_guard(case().form.versions.get(), "content = '{}'"),
    "certificate_content_encrypted": lambda: update(
        make_case(CaseState.ACCEPTED).certificate, "content = '{}'"
    ),
    "callback_payload_encrypted": lambda: update(callback(), "payload = '{}'"),
    "patient_protected_has_no_address": lambda: update(
        PatientFactory(street="Provgatan 1"), "protection = 'sekretessmarkering'"
    ),
    # contracts
    "procedure_kva_shape": lambda: update(ProcedureFactory(), "kva = 'N1'"),
    "contract_volume_within_cap": lambda: update(call_off().line.contract, "cap_volume = 0"),
    "contract_sek_within_cap": lambda: update(call_off().line.contract, "cap_sek = 1"),
    "contract_taken_not_negative": lambda: past_the_guard(ContractFactory(), "taken_volume = -1"),
    "contract_ends_after_start": lambda: update(ContractFactory(), "valid_to = valid_from - 1"),
    "line_volume_within_cap": lambda: update(call_off().line, "cap_volume = 0"),
    "line_sek_within_cap": lambda: update(call_off().line, "cap_sek = 1"),
    "line_taken_not_negative": lambda: past_the_guard(ContractLineFactory(), "taken_sek = -1"),
    "line_kva_shape": lambda: update(ContractLineFactory(), "kva = 'ngb49'"),
    "line_price_positive": lambda: update(ContractLineFactory(), "price_sek = 0"),
    "line_asa_1_to_4": lambda: update(ContractLineFactory(), "asa_ceiling = 5"),
    "line_age_range": lambda: update(ContractLineFactory(), "age_min = 70, age_max = 60"),
    "line_once_per_unit_and_code": lambda: copy(ContractLineFactory()),
    "calloff_amount_not_negative": lambda: update(call_off(), "amount_sek = -1"),
    "calloff_times_match_state": lambda: update(call_off(), "state = 'used'"),
    "calloff_one_live_per_case": two_live_call_offs,
    "contract_alerts_are_per_cents": lambda: update(
        ContractFactory(), "alert_percents = '{80,101}'"
    ),
    "periodcap_on_contract_or_line": lambda: copy(period_cap(), line_id="NULL"),
    "periodcap_has_a_figure": lambda: update(period_cap(), "cap_volume = NULL"),
    "periodcap_known_period": lambda: copy(period_cap(), period="'day'"),
    "periodcap_once_per_contract": lambda: copy(period_cap(contract=ContractFactory())),
    "periodcap_once_per_line": lambda: copy(period_cap()),
    "periodcount_volume_within_cap": lambda: update(period_count().period_cap, "cap_volume = 0"),
    "periodcount_sek_within_cap": lambda: update(period_count().period_cap, "cap_sek = 1"),
    "periodcount_taken_not_negative": lambda: past_the_guard(period_count(), "taken_volume = -1"),
    "periodcount_once_per_period": lambda: (
        "RESET ROLE; ALTER TABLE contracts_periodcount DISABLE TRIGGER USER; "
        + copy(period_count())
    ),
    "contract_version_once": lambda: copy(version()),
    "checklist_question_once": lambda: copy(question()),
    "checklist_settled_has_answer": lambda: update(
        question(), "status = 'agreed', settled_at = now()"
    ),
    "contact_can_be_reached": lambda: update(contact(), "phone = ''"),
    "contract_document_within_20_mb": lambda: update(document(), "size = 20 * 1024 * 1024 + 1"),
    "contract_import_stored_within_rows": lambda: update(contract_import(), "stored = 2"),
    "alert_is_a_per_cent": lambda: update(alert(), "percent = 101"),
    "alert_open_once_per_limit": lambda: copy(alert()),
    # capacity
    "free_capacity_kva_shape": lambda: update(FreeCapacityFactory(), "kva = 'ngb'"),
    "free_capacity_places": lambda: update(FreeCapacityFactory(), "offered = 0"),
    "free_capacity_taken_within_offered": lambda: past_the_guard(
        FreeCapacityFactory(), "taken = 4"
    ),
    "free_capacity_whole_weeks": lambda: update(FreeCapacityFactory(), "last_day = last_day - 1"),
    "free_capacity_weeks_in_order": lambda: update(
        FreeCapacityFactory(), "last_day = first_day - 8, book_by = first_day - 9"
    ),
    "free_capacity_booked_before_end": lambda: update(
        FreeCapacityFactory(), "book_by = last_day + 1"
    ),
    "free_capacity_asa_1_to_4": lambda: update(FreeCapacityFactory(), "asa_ceiling = 5"),
    "free_capacity_age_range": lambda: update(FreeCapacityFactory(), "age_min = 70, age_max = 60"),
    "free_capacity_once": lambda: copy(FreeCapacityFactory()),
    "waiting_time_once_a_day": lambda: copy(WaitingTimeFactory()),
    "waiting_time_done": lambda: update(WaitingTimeFactory(), "done = 0"),
    "waiting_time_percent": lambda: update(WaitingTimeFactory(), "asa34_percent = 101"),
    "waiting_time_file_once": lambda: copy(waiting_time_file()),
    "waiting_time_kva_shape": lambda: update(WaitingTimeFactory(), "kva = 'X'"),
    "waiting_time_median_within_p80": lambda: update(
        WaitingTimeFactory(), "median_days = p80_days + 1"
    ),
    "weights_version_once": lambda: copy(MatchingWeightsFactory()),
    "weights_version_from_one": lambda: copy(MatchingWeightsFactory(), version="0"),
    "weights_sum_to_100": lambda: copy(MatchingWeightsFactory(), version="2", wait="51"),
    "quality_once_a_year": lambda: copy(QualityMeasureFactory()),
    "quality_percent": lambda: update(QualityMeasureFactory(), "reoperation_percent = 100.01"),
    "plan_state_known": lambda: update(delivery_plan(), "state = 'lost'"),
    "plan_kva_shape": lambda: past_the_guard(delivery_plan(), "kva = 'N'"),
    "plan_year_known": lambda: past_the_guard(delivery_plan(), "year = 1999"),
    "plan_ended_has_time_and_reason": lambda: update(delivery_plan(), "state = 'ended'"),
    "plan_flag_limits": lambda: update(delivery_plan(), "behind_weeks = 27"),
    "plan_one_live_per_place_code_and_year": lambda: copy(
        delivery_plan(), care_unit_id="NULL", kva="'NGB49'"
    ),
    "plan_version_once": lambda: copy(agreed_version()),
    "plan_version_one_draft": lambda: copy(plan_version(), number="2", reason="'x'"),
    "plan_version_agreed_by_somebody": lambda: update(plan_version(), "agreed_at = now()"),
    "plan_version_change_has_reason": lambda: update(plan_version(), "number = 2"),
    "planned_week_once": lambda: copy(planned_week()),
    "planned_week_1_to_53": lambda: copy(planned_week(), week="0"),
    "planned_week_volume": lambda: update(planned_week(), "volume = 10001"),
    # referral
    "one_counter_per_region_year": lambda: copy([case(), CaseNumberCounter.objects.get()][1]),
    "case_number_shape_and_check_digit": wrong_check_digit,
    "case_number_begins_with_region": moved_to_another_region,
    "case_state_known": lambda: update(case(), "state = 'lost'"),
    "case_pathway_whole": lambda: update(case(), "svf_pathway = 'lungcancer'"),
    "case_suspicion_not_after_decision": lambda: update(
        case(),
        "svf = true, svf_pathway = 'lungcancer', suspicion_date = decision_date + 1",
    ),
    "case_referral_cause_known": lambda: update(case(), "referral_cause = 'whim'"),
    "case_kva_shape": lambda: update(case(), "kva = 'N'"),
    "case_icd10_shape": lambda: update(case(), "icd10 = '171'"),
    "case_asa_1_to_4": lambda: update(case(), "asa = 5"),
    "case_decision_not_before_referral": lambda: update(
        case(), "decision_date = referral_date - 1"
    ),
    "case_closed_has_time_and_reason": lambda: update(case(), "state = 'closed'"),
    "case_watched_is_reviewed_within_30_days": lambda: update(
        make_case(CaseState.WATCHED).case, "review_on = reviewed_on + 31"
    ),
    "watch_hit_once_per_event": lambda: copy(
        watch_hit(), line_id="(SELECT max(id) FROM contracts_contractline)"
    ),
    "watch_hit_one_open_per_line": lambda: copy(watch_hit(), event_id="1"),
    "watch_hit_handled_is_whole": lambda: update(watch_hit(), "handled_at = now()"),
    "watch_hit_dismissed_with_reason": lambda: update(
        watch_hit(), "handled_at = now(), outcome = 'dismissed'"
    ),
    "case_watched_is_reviewed": lambda: update(case(), "state = 'watched'"),
    "case_with_provider_has_receiving_unit": lambda: update(case(), "state = 'accepted'"),
    "case_one_running_per_patient_and_procedure": two_running_cases,
    "pause_ends_after_start": lambda: update(paused_case(), "last_day = first_day - 1"),
    "pauses_of_a_case_do_not_overlap": lambda: copy(paused_case(), first_day="last_day"),
    "form_submitted_has_case": lambda: update(make_case().case.form, "case_id = NULL"),
    "form_equipment_known": lambda: update(make_case().case.form, "equipment = '{spoon}'"),
    "form_max_distance_in_sweden": lambda: update(make_case().case.form, "max_distance_km = 0"),
    "form_bmi_plausible": lambda: update(make_case().case.form, "bmi = 7"),
    "form_why_not_transferable": lambda: update(make_case().case.form, "transferable = false"),
    "form_version_once": lambda: copy(make_case().case.form.versions.get()),
    "attachment_type_allowed": lambda: update(attachment(), "content_type = 'text/html'"),
    "attachment_within_20_mb": lambda: update(attachment(), "size = 20 * 1024 * 1024 + 1"),
    "offer_serial_once": one_serial_twice,
    "offer_one_live_per_case": two_live_offers,
    "offer_answer_is_whole": lambda: update(offer(), "state = 'accepted'"),
    "offer_decline_has_reason": lambda: update(
        offer(), "state = 'declined', answered_at = now(), answer_channel = 'phone'"
    ),
    "offer_stands_after_sent": lambda: update(offer(), "due_at = sent_at"),
    "certificate_serial_once": one_certificate_serial_twice,
    "certificate_number_shape": lambda: update(
        make_case(CaseState.ACCEPTED).certificate, "number = '13-26-000001-9'"
    ),
    "referral_rejection_has_reason": lambda: update(accepted_referral(), "rejected_at = now()"),
    "referral_not_treated_and_rejected": lambda: update(treated_referral(), REJECTED),
    "block_reach_known": lambda: update(blocked_case(), "reach = 'all'"),
    "block_one_in_force_per_patient_and_unit": lambda: copy(blocked_case()),
    "block_lifted_after_made": lambda: update(
        blocked_case(), "lifted_at = at - interval '1 hour', lift_reason = 'x'"
    ),
    "block_lifted_says_why": lambda: update(blocked_case(), "lifted_at = at"),
    "consent_audience_known": lambda: update(
        consent(), "audience = 'everyone', care_unit_id = NULL"
    ),
    "consent_unit_is_a_providers": lambda: update(consent(), "audience = 'navigator'"),
    "consent_until_not_before_given": lambda: update(consent(), "until = given_on - 1"),
    "opening_has_reason": lambda: update(opening(), "reason = ''"),
    "opening_at_most_a_day": lambda: update(opening(), "ends_at = at + interval '25 hours'"),
    "opening_followed_up_whole": lambda: update(opening(), "outcome = 'justified'"),
    "correction_has_reason": lambda: copy(correction(), reason="''"),
    "correction_changes_encrypted": lambda: copy(correction(), changes="'{}'"),
    "correction_of_patient_names_the_wrong_one": lambda: copy(correction(), kind="'patient'"),
    "hold_has_reason": lambda: update(hold(), "reason = ''"),
    "hold_one_in_force_per_case": lambda: copy(hold()),
    "allocation_done_has_time": lambda: update(allocation(), "done_at = NULL"),
    "allocation_accepted_is_done": lambda: update(
        allocation(), "state = 'failed', accepted_at = made_at"
    ),
    "allocation_case_once": lambda: copy(allocation().rows.get()),
    "allocation_placed_has_line": lambda: update(
        allocation().rows.get(), "outcome = 'placed', wait_days = 1"
    ),
    "allocation_shorter_than_home": lambda: update(
        allocation().rows.get(), "wait_days = 9, home_days = 9"
    ),
    "waiting_list_file_once": lambda: copy(waiting_list()),
    "waiting_list_within_20_mb": lambda: update(waiting_list(), "size = 20971521"),
    "waiting_list_done_has_time": lambda: update(waiting_list(), "done_at = NULL"),
    "waiting_list_rows_add_up": lambda: update(waiting_list(), "rows = rows + 1"),
    "waiting_list_stored_when_done": lambda: update(waiting_list(), "stored = 1"),
    "waiting_list_report_encrypted": lambda: update(waiting_list(), "report = '{}'"),
    # notices
    "notice_once_per_offer_kind_channel": lambda: copy(notice(), idempotency_key="'another'"),
    "answer_code_number_shape": lambda: update(answer_code(), "case_number = '13-26-1'"),
    "answer_code_barred_after_many": lambda: update(answer_code(), "wrong = 20"),
    "phone_time_ends_within_four_hours": lambda: update(phone_time(), "ends_at = starts_at"),
    "phone_times_of_a_navigator_do_not_overlap": lambda: copy(
        phone_time(), starts_at="starts_at + interval '59 minutes'"
    ),
    "campaign_approved_by_another": lambda: update(campaign(), "changed_by_id = approved_by_id"),
    "campaign_approval_is_whole": lambda: update(campaign(), "letter_sek = NULL"),
    "campaign_sent_only_approved": lambda: update(
        campaign(),
        "approved_at = NULL, approved_by_id = NULL, patients = NULL, by_letter = NULL,"
        " letter_sek = NULL, digital_sek = NULL",
    ),
    "campaign_started_has_time": lambda: update(campaign(), "started_at = NULL"),
    "campaign_running_is_due": lambda: update(campaign(), "due_at = NULL"),
    "campaign_pace_within_reason": lambda: update(draft_campaign(), "per_hour = 0"),
    "campaign_days_to_answer_within_reason": lambda: update(draft_campaign(), "answer_days = 0"),
    "campaign_one_row_per_patient": lambda: copy(recipient()),
    "campaign_told_has_time": lambda: update(recipient(), "told_at = NULL"),
    "campaign_not_told_says_why": lambda: update(recipient(), "state = 'skipped', told_at = NULL"),
    "campaign_answer_is_whole": lambda: update(recipient(), "answer = 'call'"),
    "campaign_answered_was_told": lambda: update(
        recipient(),
        "state = 'waiting', told_at = NULL, answer = 'call', answer_channel = 'phone',"
        " answered_at = now()",
    ),
    "notice_of_campaign_has_recipient": lambda: update(notice(), "kind = 'campaign'"),
    "region_prices_not_negative": lambda: update(RegionFactory(), "letter_sek = -1"),
    "call_one_per_time": on_the_same_time,
    "call_one_coming_per_case": lambda: copy(call()),
    "call_booked_has_time": lambda: update(call(), "state = 'booked'"),
    "call_asked_has_no_time": lambda: update(call(booked=True), "state = 'asked'"),
    "call_ended_has_time_of_end": lambda: update(call(), "state = 'cancelled', phone = ''"),
    "call_done_says_how": lambda: update(call(), "state = 'done', phone = '', ended_at = now()"),
    "call_phone_encrypted": lambda: update(call(), "phone = '070-123 45 67'"),
    "call_booked_has_number": lambda: update(call(booked=True), "phone = ''"),
    "call_ended_keeps_no_number": lambda: update(call(), "state = 'cancelled', ended_at = now()"),
    "call_booked_by_is_whole": lambda: update(call(), "booked_by_user_id = NULL"),
    "notice_sent_has_time": lambda: update(notice(), "state = 'sent'"),
    "notice_batched_has_batch": lambda: update(notice("letter"), "state = 'batched'"),
    "notice_after_unread_is_letter": lambda: update(notice(), "unread_id = id"),
    "notice_email_has_address": lambda: update(notice(), "channel = 'email'"),
    "printed_letter_file_once": lambda: copy(printed_letter(), notice_id=str(notice().pk)),
    "printed_letter_notice_once": lambda: copy(printed_letter(), file="'y.pdf'"),
    "printed_letter_handled_when_returned": lambda: update(
        printed_letter(),
        "state = 'posted', handled_at = now(),"
        " handled_by_id = (SELECT min(id) FROM organisations_user)",
    ),
    "printed_letter_handled_by_someone": lambda: update(printed_letter(), "handled_at = now()"),
    "print_report_once": lambda: copy(print_report()),
    "notice_unwritten_is_not_sent": lambda: update(notice(), "to_write = '{}'"),
    "text_version_once": lambda: copy(text(), state="'published'", published_at="now()"),
    "text_one_in_use_per_variant": lambda: copy(text(in_use=True), number="2"),
    "text_one_draft_per_variant": lambda: copy(text(), number="2"),
    "text_state_has_times": lambda: update(text(), "state = 'published'"),
    "text_kind_known": lambda: update(text(), "kind = 'poem'"),
    "text_language_known": lambda: update(text(), "language = 'xx'"),
    "text_variant_shape": lambda: update(text(), "variant = 'a/b'"),
    "text_only_offers_have_variants": lambda: update(text(), "kind = 'guarantee', variant = 'B'"),
    "pathway_limit_within_a_year": lambda: copy(pathway_limit(), days="0"),
    "pathway_limit_of_a_pathway": lambda: copy(pathway_limit(), pathway="''"),
    "pathway_limit_treatment_known": lambda: copy(pathway_limit(), treatment="'x'"),
    "pathway_file_kind_known": lambda: copy(pathway_file(), kind="'x'"),
    "pathway_file_stores_no_more_than_it_has": lambda: copy(pathway_file(), stored="2"),
    "lead_count_period_is_half_year": lambda: copy(lead_time_count(), period="'2026'"),
    "lead_count_step_known": lambda: copy(lead_time_count(), step="'x'"),
    "lead_count_of_somebody": lambda: copy(lead_time_count(), patients="0", within="0"),
    "lead_count_within_is_a_part": lambda: copy(lead_time_count(), within="101"),
    "lead_count_whole_has_within": lambda: copy(lead_time_count(), within="NULL"),
    "lead_count_median_can_be": lambda: copy(lead_time_count(), median_days="-1"),
    "lead_count_has_source": lambda: copy(lead_time_count(), source="''"),
    "inclusion_period_is_half_year": lambda: copy(inclusion(), period="'2026H3'"),
    "inclusion_of_somebody": lambda: copy(inclusion(), new_cases="0"),
    "inclusion_has_source": lambda: copy(inclusion(), source="''"),
    "edition_version_once": lambda: copy(edition()),
    "edition_period_is_quarter": lambda: copy(edition(), period="'2026Q5'"),
    "edition_correction_has_reason": lambda: copy(edition(), version="2"),
    "figure_once": lambda: copy(figure()),
    "figure_shown_has_value": lambda: copy(figure(), area="'01'", value="NULL"),
    "figure_no_small_count": lambda: copy(figure(), area="'01'", count="4", base="4"),
    "figure_area_known": lambda: copy(figure(), area="'NO'"),
    "staff_mail_sent_has_time": lambda: update(staff_mail(), "state = 'sent'"),
    # statistics
    "withheld_waiting_once": lambda: copy(withheld_waiting()),
    "withheld_waiting_is_a_month": lambda: copy(withheld_waiting(), first_day="first_day + 1"),
    "month_due_once": lambda: copy(corrected_month(MonthDue)),
    "month_due_is_a_month": lambda: update(corrected_month(MonthDue), "first_day = first_day + 1"),
    "frozen_month_once_per_version": lambda: copy(corrected_month(FrozenMonth)),
    "frozen_month_is_a_month": lambda: copy(
        corrected_month(FrozenMonth), first_day="first_day + 1"
    ),
    "frozen_month_version_from_one": lambda: copy(
        corrected_month(FrozenMonth), version="0", reason="'x'"
    ),
    "frozen_month_new_version_has_reason": lambda: copy(corrected_month(FrozenMonth), version="2"),
    "frozen_figure_once": lambda: copy(corrected_month(FrozenFigure)),
    "frozen_figure_interval_in_order": lambda: copy(
        corrected_month(FrozenFigure), key="'x'", low="2", high="1"
    ),
    "recount_says_why": lambda: copy(corrected_month(Recount), why="'{}'"),
    "figure_correction_once": lambda: copy(corrected_month(FigureCorrection)),
    "subscription_one_running": lambda: copy(subscription()),
    "subscription_ends_after_start": lambda: update(
        subscription(), "ended_at = began_at - interval '1 hour'"
    ),
}


def refused(statement: str) -> Any:
    """What the database answers to a statement that it must refuse."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what waits for the commit is not asked
        with pytest.raises(Error) as caught, transaction.atomic():
            cursor.execute(statement)
    return caught.value


@pytest.mark.parametrize("name", BREAKS)
def test_the_constraint_refuses(name):
    error = refused(BREAKS[name]())
    assert isinstance(error, IntegrityError)
    assert error.__cause__.diag.constraint_name == name


def test_every_named_constraint_has_a_statement_that_breaks_it():
    named = {
        constraint.name
        for label in OWN_APPS
        for model in apps.get_app_config(label).get_models()
        for constraint in model._meta.constraints
    }
    assert named == set(BREAKS)


WITHDRAWN = {
    "pathway_limit": (pathway_limit, "days"),
    "inclusion": (inclusion, "included"),
    "lead_time_count": (lead_time_count, "within"),
}


@pytest.mark.parametrize("name", WITHDRAWN)
def test_only_what_holds_is_withdrawn_and_once(name):
    make, number = WITHDRAWN[name]
    row = make()
    # Not what was never told, and not in other words than it was told.
    for change in ({"pathway": "'myelom'"}, {number: f"{number} + 1"}, {"region_id": "'20'"}):
        RegionFactory(code="20")
        error = refused(copy(row, is_withdrawn="true", **change))
        assert "only what holds is withdrawn" in str(error)
    with connection.cursor() as cursor:
        cursor.execute(copy(row, is_withdrawn="true", file_id="NULL", entered_by="'B'"))
        assert "only what holds is withdrawn" in str(refused(copy(row, is_withdrawn="true")))
        cursor.execute(copy(row))
        cursor.execute(copy(row, is_withdrawn="true"))


APPEND_ONLY = (
    *("statistics_frozenmonth", "statistics_frozenfigure"),
    *("statistics_recount", "statistics_figurecorrection"),
    "referral_caselog",
    "referral_intakeformversion",
    "organisations_accesslog",
    "organisations_administrationlog",
    *("organisations_accesslogseal", "organisations_accesssample"),
    *("organisations_accesssamplerow", "organisations_accessreview"),
    "contracts_contractversion",
    "capacity_matchingweights",
    "contracts_invoicelog",
    "referral_correction",
    "notices_campaignlog",
    "statistics_waitingtimedegree",
    *("statistics_edition", "statistics_publishedfigure"),
    *("statistics_pathwaylimit", "statistics_inclusioncount"),
    *("statistics_leadtimecount", "statistics_pathwayfile"),
    "statistics_withheldwaiting",
)
COLUMN = {
    "statistics_frozenmonth": "rules",
    "statistics_frozenfigure": "label",
    "statistics_recount": "rules",
    "statistics_figurecorrection": "label",
    "organisations_accesslogseal": "sealed_at",
    "organisations_accesssample": "seed",
    "organisations_accesssamplerow": "position",
    "organisations_accessreview": "comment",
    "referral_correction": "reason",
    "referral_caselog": "why",
    "referral_intakeformversion": "submitted_at",
    "organisations_accesslog": "what",
    "organisations_administrationlog": "subject",
    "contracts_contractversion": "why",
    "capacity_matchingweights": "why",
    "contracts_invoicelog": "why",
    "notices_campaignlog": "actor_name",
    "statistics_waitingtimedegree": "missing",
    "statistics_edition": "reason",
    "statistics_pathwaylimit": "days",
    "statistics_inclusioncount": "source",
    "statistics_leadtimecount": "source",
    "statistics_pathwayfile": "file_name",
    "statistics_publishedfigure": "value",
    "statistics_withheldwaiting": "clinics",
}


@pytest.fixture(scope="class")
def a_row_in_each(django_db_setup: None, django_db_blocker: object) -> Iterator[None]:
    """A row in every append-only table."""
    with shared(django_db_blocker):
        made = make_case()
        administration.shut_off(
            user_of(made.navigator), why="Slutat.", actor=operator_actor(), now=timezone.now()
        )
        reviewed()
        version()
        correction()
        MatchingWeightsFactory()
        invoice_line()
        draft_campaign()
        waiting_delivery()
        corrected_month(FrozenMonth)
        figure()
        pathway_limit()
        inclusion()
        lead_time_count()
        pathway_file()
        withheld_waiting()
        yield


@pytest.mark.usefixtures("a_row_in_each")
class TestAnAppendOnlyTable:
    @pytest.mark.parametrize("table", APPEND_ONLY)
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE {table} SET {column} = {column}",
            "DELETE FROM {table}",
            "RESET ROLE; TRUNCATE {table} CASCADE",
        ],
    )
    def test_refuses(self, table, statement):
        error = refused(statement.format(table=table, column=COLUMN[table]))
        assert "the table is append-only" in str(error)


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_the_applications_role_may_not_empty_an_append_only_table(table):
    assert "permission denied" in str(refused(f"TRUNCATE {table}"))


def test_the_append_only_tables_are_these():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text FROM pg_trigger"
            " JOIN pg_proc ON pg_proc.oid = tgfoid AND proname LIKE 'refuse_change%'"
            " WHERE tgname LIKE '%_append_only' AND tgenabled = 'O'"
        )
        assert {table for (table,) in cursor.fetchall()} == set(APPEND_ONLY)


@pytest.mark.parametrize("table", ["contracts_contract", "contracts_contractline"])
@pytest.mark.parametrize("change", ["taken_volume = taken_volume + 1", "taken_sek = 0.01"])
def test_a_counter_of_a_cap_follows_the_call_offs_only(table, change):
    ContractLineFactory()
    assert "follow the call-offs only" in str(refused(f"UPDATE {table} SET {change}"))


def test_a_new_contract_begins_with_nothing_taken():
    error = refused(copy(ContractFactory(), number="'NY'", taken_volume="1"))
    assert "start at zero" in str(error)


def test_a_line_stays_on_its_contract():
    error = refused(update(ContractLineFactory(), f"contract_id = {ContractFactory().pk}"))
    assert "a line stays on its contract" in str(error)


def test_a_call_off_stays_on_its_line():
    error = refused(update(call_off(), f"line_id = {ContractLineFactory().pk}"))
    assert "a call-off stays on its line" in str(error)


def test_the_call_offs_cannot_be_emptied_at_once():
    assert "append-only" in str(refused("RESET ROLE; TRUNCATE contracts_calloff CASCADE"))
