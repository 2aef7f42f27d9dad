"""Delivery plans: what may be planned, what stays, who sees it, and what is told when behind."""

import io
from datetime import date, timedelta

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from django.utils import timezone
from pypdf import PdfReader
from rest_framework.test import APIClient

from capacity.models import DeliveryPlan, PlannedWeek
from capacity.plans import services
from capacity.plans.checks import warnings
from capacity.plans.figures import figures_of, volumes_of
from capacity.plans.files import read_weeks, report_rows
from capacity.plans.forms import EVENLY, PROPOSED, WORKING_DAYS
from capacity.plans.selectors import agreed_version, plans_of, share_of, versions_seen
from capacity.plans.sources import demand_of
from capacity.plans.weeks import Week, weeks_of
from contracts.models import PeriodCap
from contracts.services import reserve, use
from notices.models import StaffMail
from organisations.errors import InvalidInput, NotAllowed, WrongState
from organisations.events import deliver_events
from organisations.models import ApiToken, DomainEvent, User
from organisations.scopes import Scope
from referral.models import CaseState
from tests.factories import (
    CareUnitFactory,
    ContractLineFactory,
    ProcedureFactory,
    RegionFactory,
    clinic_actor,
    contract_owner_actor,
    integration_actor,
    make_case,
    manager_actor,
    navigator_actor,
    provider_actor,
    stockholm,
    user_of,
)

pytestmark = pytest.mark.django_db

NOW = stockholm(2026, 3, 10, 9)  # the Tuesday of week 11
TODAY = NOW.date()


@pytest.fixture
def line():
    region = RegionFactory()
    made = ContractLineFactory(
        kva="NGB", contract__owner_region=region, cap_volume=None, contract__cap_volume=None
    )
    made.contract.regions_allowed.add(region)
    return made


@pytest.fixture
def owner(line):
    return contract_owner_actor(line.contract.owner_region)


def draft(line, actor, *, year=2026, whole=False, now=NOW):
    return services.create_plan(line, year=year, whole_provider=whole, actor=actor, now=now)


def agreed(line, actor, volumes, *, now=NOW, **values):
    plan = draft(line, actor, now=now, **values)
    services.save_weeks(plan, volumes, actor=actor, now=now)
    services.agree_plan(plan, agreed_with="Planeringen", actor=actor, now=now)
    return plans_of(actor).get(pk=plan.pk)


def treat(line, day, times=1, *, serial=0):
    """So many treated on the day."""
    region = line.contract.owner_region
    for n in range(times):
        number = f"{serial}-{day:%y%m%d}-{n:02d}"
        use(reserve(line, case_number=number, region=region, now=NOW), now=NOW, on=day)


def refused_by_database(statement, *values, match):
    with (
        pytest.raises(IntegrityError, match=match),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement, values)


# What may be planned


def test_a_draft_has_every_week_of_its_iso_year_and_none_else(line, owner):
    plan = draft(line, owner)
    assert list(volumes_of(plan.versions.get())) == list(range(1, 54))
    assert list(volumes_of(draft(line, owner, year=2027).versions.get())) == list(range(1, 53))


def test_nobody_is_counted_in_two_plans(line, owner):
    other_unit = ContractLineFactory(
        contract=line.contract, care_unit__provider=line.contract.provider, kva="NGB"
    )
    finer = ContractLineFactory(contract=line.contract, care_unit=line.care_unit, kva="NGB49")
    other_code = ContractLineFactory(contract=line.contract, care_unit=line.care_unit, kva="NFB")
    plan = draft(line, owner)
    for same in (line, finer):
        with pytest.raises(InvalidInput, match="samma patienter"):
            draft(same, owner)
    with pytest.raises(InvalidInput, match="samma patienter"):
        draft(line, owner, whole=True)
    draft(other_unit, owner)
    draft(other_code, owner, whole=True)
    draft(line, owner, year=2027)
    services.end_plan(plan, reason="Ny upphandling.", actor=owner, now=NOW)
    draft(finer, owner)


def test_two_finer_codes_of_a_group_do_not_overlap(line, owner):
    lines = [
        ContractLineFactory(contract=line.contract, care_unit=line.care_unit, kva=kva)
        for kva in ("NGB39", "NGB49")
    ]
    for one in lines:
        draft(one, owner)


def test_only_lines_that_the_region_may_use_and_years_to_come_are_planned(line, owner):
    foreign = ContractLineFactory(contract__owner_region=RegionFactory(code="01"))
    with pytest.raises(InvalidInput, match="får avropa"):
        draft(foreign, owner)
    with pytest.raises(InvalidInput, match="inte är slut"):
        draft(line, owner, year=2025)
    # The last day of the ISO year 2025 lies in December, though the year goes on.
    with pytest.raises(InvalidInput):
        draft(line, owner, year=2025, now=stockholm(2025, 12, 29, 9))
    assert draft(line, owner, year=2026, now=stockholm(2027, 1, 3, 23)).year == 2026


@pytest.mark.parametrize(
    "make", [manager_actor, lambda region: provider_actor(CareUnitFactory(region=region))]
)
def test_managers_and_providers_plan_nothing(line, owner, make):
    other = make(line.contract.owner_region)
    with pytest.raises(NotAllowed):
        draft(line, other)
    plan = draft(line, owner)
    for verb in (
        lambda: services.save_weeks(plan, {1: 1}, actor=other, now=NOW),
        lambda: services.agree_plan(plan, agreed_with="A", actor=other, now=NOW),
        lambda: services.end_plan(plan, reason="A", actor=other, now=NOW),
    ):
        with pytest.raises(NotAllowed):
            verb()


def test_another_regions_navigator_changes_nothing_but_the_own_ones_does(line, owner):
    plan = draft(line, owner)
    with pytest.raises(NotAllowed):
        services.save_weeks(plan, {20: 1}, actor=navigator_actor(RegionFactory(code="01")), now=NOW)
    own = navigator_actor(line.contract.owner_region)
    services.save_weeks(plan, {20: 1}, actor=own, now=NOW)
    assert volumes_of(plan.versions.get())[20] == 1


@pytest.mark.parametrize("volumes", [{54: 1}, {0: 1}, {10: -1}, {10: 10_001}])
def test_weeks_and_volumes_that_do_not_hold_are_refused_at_their_week(line, owner, volumes):
    plan = draft(line, owner)
    with pytest.raises(InvalidInput) as refusal:
        services.save_weeks(plan, {5: 3} | volumes, actor=owner, now=NOW)
    assert list(refusal.value.fields) == [f"w{number}" for number in volumes]
    assert not any(volumes_of(plan.versions.get()).values())


# What stays


def test_an_agreed_plan_is_changed_only_by_a_new_version_with_a_reason(line, owner):
    plan = agreed(line, owner, {12: 4, 13: 4})
    with pytest.raises(WrongState):
        services.save_weeks(plan, {12: 5}, actor=owner, now=NOW)
    with pytest.raises(WrongState):
        services.agree_plan(plan, agreed_with="A", actor=owner, now=NOW)
    with pytest.raises(InvalidInput):
        services.revise_plan(plan, reason=" ", actor=owner, now=NOW)
    services.revise_plan(plan, reason="Fler väntar.", actor=owner, now=NOW)
    with pytest.raises(WrongState):
        services.revise_plan(plan, reason="En till.", actor=owner, now=NOW)
    services.save_weeks(plan, {12: 6}, actor=owner, now=NOW)
    holding = agreed_version(plans_of(owner).get())
    assert (holding.number, volumes_of(holding)[12]) == (1, 4)
    services.agree_plan(plan, agreed_with="Produktionschefen", actor=owner, now=NOW)
    old, new = plan.versions.order_by("number")
    assert (volumes_of(old)[12], volumes_of(new)[12], volumes_of(new)[13]) == (4, 6, 4)
    assert (new.agreed_by, new.agreed_with, new.reason) == (
        owner.name,
        "Produktionschefen",
        "Fler väntar.",
    )


def test_a_week_that_has_ended_keeps_what_was_agreed_for_it(line, owner):
    plan = agreed(line, owner, {9: 3, 12: 4})
    services.revise_plan(plan, reason="Rättelse.", actor=owner, now=NOW)
    with pytest.raises(InvalidInput) as refusal:
        services.save_weeks(plan, {9: 0, 11: 1}, actor=owner, now=NOW)
    assert list(refusal.value.fields) == ["w9"]
    services.save_weeks(plan, {9: 3, 11: 1}, actor=owner, now=NOW)


def test_a_draft_of_a_new_version_can_be_thrown_away_and_an_empty_plan_not_agreed(line, owner):
    plan = agreed(line, owner, {12: 4})
    services.revise_plan(plan, reason="Kanske.", actor=owner, now=NOW)
    services.discard_draft(plan, actor=owner, now=NOW)
    assert plan.versions.count() == 1
    empty = draft(line, owner, year=2027)
    with pytest.raises(WrongState, match="tom"):
        services.agree_plan(empty, agreed_with="A", actor=owner, now=NOW)
    with pytest.raises(InvalidInput):
        services.agree_plan(empty, agreed_with=" ", actor=owner, now=NOW)


def test_the_database_keeps_what_is_agreed(line, owner):
    plan = agreed(line, owner, {12: 4})
    version = plan.versions.get()
    week = PlannedWeek.objects.get(version=version, week=12)
    refused_by_database(
        "UPDATE capacity_plannedweek SET volume = 9 WHERE id = %s", week.pk, match="agreed"
    )
    refused_by_database("DELETE FROM capacity_plannedweek WHERE id = %s", week.pk, match="agreed")
    refused_by_database(
        "UPDATE capacity_planversion SET agreed_at = NULL, agreed_by = '', agreed_with = '' "
        "WHERE id = %s",
        version.pk,
        match="new version",
    )
    refused_by_database(
        "UPDATE capacity_deliveryplan SET year = 2027 WHERE id = %s", plan.pk, match="stays"
    )
    services.end_plan(plan, reason="Slut.", actor=owner, now=NOW)
    refused_by_database(
        "UPDATE capacity_deliveryplan SET state = 'agreed', ended_at = NULL, ended_by = '', "
        "end_reason = '' WHERE id = %s",
        plan.pk,
        match="stays ended",
    )


def test_the_database_knows_the_years_weeks_and_volumes(line, owner):
    version = draft(line, owner, year=2027).versions.get()
    insert = "INSERT INTO capacity_plannedweek (version_id, week, volume) VALUES (%s, %s, %s)"
    for week, volume, match in (
        (53, 1, "no week 53"),
        (54, 1, "no week 54"),
        (0, 1, "planned_week_1_to_53"),
        (52, 1, "planned_week_once"),
    ):
        refused_by_database(insert, version.pk, week, volume, match=match)
    change = "UPDATE capacity_plannedweek SET volume = %s WHERE version_id = %s"
    refused_by_database(change, -1, version.pk, match="volume")
    refused_by_database(change, 10_001, version.pk, match="planned_week_volume")


def test_the_database_has_one_live_plan_for_the_same_patients(line, owner):
    draft(line, owner)
    copy = (
        "INSERT INTO capacity_deliveryplan (region_id, provider_id, contract_id, care_unit_id, "
        "kva, year, state, behind_percent, behind_weeks, made_at, ended_by, end_reason) "
        "SELECT region_id, provider_id, contract_id, {unit}, {kva}, year, 'draft', 90, 4, made_at, "
        "'', '' FROM capacity_deliveryplan"
    )
    for unit, kva in (("care_unit_id", "kva"), ("NULL", "kva"), ("care_unit_id", "'NGB49'")):
        refused_by_database(copy.format(unit=unit, kva=kva), match="plan_one_live")


# Actual against plan


def test_treated_patients_count_in_the_week_of_the_treatment_in_swedish_time(line, owner):
    plan = agreed(line, owner, dict.fromkeys(range(1, 54), 2), now=stockholm(2026, 1, 2, 9))
    treat(line, date(2025, 12, 29), 2)  # the Monday of week 1
    treat(line, date(2025, 12, 28), 1)  # the Sunday before
    treat(line, date(2026, 3, 8), 3)
    treat(line, TODAY, 1)
    figures = figures_of(plan, agreed_version(plan), today=TODAY)
    assert [row.delivered for row in figures.weeks if row.delivered] == [2, 3, 1]
    assert (figures.delivered_so_far, figures.delivered_now, figures.planned_so_far) == (5, 1, 20)
    assert (figures.delivered_percent, figures.adherence) == (25, 20)
    assert figures.is_behind


def test_only_the_regions_own_patients_of_place_and_code_count(line, owner):
    plan = agreed(line, owner, {12: 1})
    other_unit = ContractLineFactory(
        contract=line.contract, care_unit__provider=line.contract.provider, kva="NGB49"
    )
    other_code = ContractLineFactory(contract=line.contract, care_unit=line.care_unit, kva="NFB")
    day = date(2026, 3, 3)
    treat(other_unit, day, 2, serial=1)
    treat(other_code, day, 2, serial=2)
    line.contract.regions_allowed.add(RegionFactory(code="01"))
    foreign = reserve(line, case_number="x", region=RegionFactory(code="01"), now=NOW)
    use(foreign, now=NOW, on=day)
    assert figures_of(plan, agreed_version(plan), today=TODAY).delivered_so_far == 0
    services.end_plan(plan, reason="För hela vårdgivaren.", actor=owner, now=NOW)
    whole = agreed(line, owner, {12: 1}, whole=True)
    assert figures_of(whole, agreed_version(whole), today=TODAY).delivered_so_far == 2


def test_reserved_places_are_ahead_by_booked_week_or_without_a_time(line, owner):
    now = timezone.now()
    region = line.contract.owner_region
    made = make_case(CaseState.BOOKED, region=region, line=line, now=now)  # in seven days
    make_case(CaseState.OFFERED, region=region, line=line, now=now)
    week = Week.of(timezone.localdate(now + timedelta(days=7)))
    plan = agreed(line, owner, {week.number: 5}, year=week.year, now=now)
    figures = figures_of(plan, agreed_version(plan), today=timezone.localdate(now))
    assert made.case.state == CaseState.BOOKED
    assert [(row.week, row.booked) for row in figures.weeks if row.booked] == [(week, 1)]
    assert (figures.booked, figures.without_time) == (1, 1)


def test_the_need_is_counted_from_the_regions_own_cases_of_the_code(line):
    now = timezone.now()
    region, today = line.contract.owner_region, timezone.localdate(now)
    long_ago = {"referral_date": today - timedelta(days=400)}
    late = {"decision_date": today - timedelta(days=200)} | long_ago
    near = {"decision_date": today - timedelta(days=80)} | long_ago
    make_case(region=region, now=now - timedelta(days=8), **late)
    make_case(region=region, now=now - timedelta(days=8), **near)
    make_case(CaseState.CLOSED, region=region, line=line, now=now - timedelta(days=14))
    make_case(region=RegionFactory(code="01"), now=now - timedelta(days=8), **late)
    make_case(region=region, now=now - timedelta(days=8), kva="JAB30", icd10="K40.9")
    found = demand_of(region.pk, "NGB", today=today)
    assert (found.received, found.closed, found.closed_treated, found.treated) == (3, 1, 1, 1)
    assert (found.waiting_past, found.waiting_near) == (1, 1)
    treated_in = Week.of(today - timedelta(days=14)).number
    assert found.treated_by_week == {treated_in: 1}


def test_the_providers_share_is_what_it_took_in_a_year(line, owner):
    plan = draft(line, owner)
    assert share_of(plan, today=TODAY) == 100
    other = ContractLineFactory(kva="NGB", contract__owner_region=line.contract.owner_region)
    treat(line, date(2026, 3, 2), 1)
    treat(other, date(2026, 3, 2), 3, serial=1)
    assert share_of(plan, today=TODAY) == 25


# Against the contract


def test_a_plan_larger_than_what_is_left_is_warned_of(line, owner):
    line.cap_volume = 10
    line.save(update_fields=["cap_volume"])
    plan = draft(line, owner)
    reserve(line, case_number="a", region=line.contract.owner_region, now=NOW)
    plan = plans_of(owner).get()
    # Nine places are left, and the one that is reserved is delivered by the plan.
    assert warnings(plan, {12: 10}, today=TODAY) == []
    assert warnings(plan, {5: 90, 12: 10}, today=TODAY) == []  # what has been is no promise
    (text,) = warnings(plan, {12: 11}, today=TODAY)
    assert "11 patienter" in text
    assert "10 ryms på avropsraden" in text


def test_caps_in_sek_and_other_plans_on_the_contract_are_counted(line, owner):
    contract = line.contract
    contract.cap_sek, contract.cap_volume = line.price_sek * 10, 8
    contract.save(update_fields=["cap_sek", "cap_volume"])
    other = ContractLineFactory(
        contract=contract, care_unit=line.care_unit, kva="NFB", cap_volume=None
    )
    agreed(other, owner, {12: 4, 2: 50})
    draft(line, owner)
    plan = plans_of(owner).get(kva="NGB")
    assert warnings(plan, {12: 4}, today=TODAY) == []
    assert len(warnings(plan, {12: 5}, today=TODAY)) == 1
    assert len(warnings(plan, {12: 7}, today=TODAY)) == 2


@pytest.mark.parametrize(
    ("period", "volumes", "named"),
    [
        ("week", {12: 6}, "vecka 12"),
        ("month", {12: 3, 13: 3}, "2026-03"),
        ("year", {12: 3, 40: 3}, "2026"),
    ],
)
def test_period_caps_are_held_against_the_weeks(line, owner, period, volumes, named):
    PeriodCap.objects.create(line=line, period=period, cap_volume=5, applies_from=TODAY)
    draft(line, owner)
    plan = plans_of(owner).get()
    (text,) = warnings(plan, volumes, today=TODAY)
    assert named in text
    assert warnings(plan, {12: 5}, today=TODAY) == []


def test_weeks_outside_of_the_contracts_term_are_warned_of(line, owner):
    contract = line.contract
    contract.valid_to, contract.option_years = date(2026, 6, 30), 1
    contract.save(update_fields=["valid_to", "option_years"])
    draft(line, owner)
    plan = plans_of(owner).get()
    assert warnings(plan, {20: 1}, today=TODAY) == []
    assert "option" in warnings(plan, {30: 1}, today=TODAY)[0]
    contract.option_years = 0
    contract.save(update_fields=["option_years"])
    assert "gäller inte vecka 30" in warnings(plans_of(owner).get(), {30: 1}, today=TODAY)[0]


# Who sees what


def test_each_sees_the_plans_that_are_theirs(line, owner):
    region = line.contract.owner_region
    plan = draft(line, owner)
    provider = provider_actor(line.contract.provider)
    unit, other_unit = (
        provider_actor(line.care_unit),
        provider_actor(CareUnitFactory(region=region)),
    )
    home = [navigator_actor(region), manager_actor(region), integration_actor(region)]
    assert all(plans_of(actor).filter(pk=plan.pk).exists() for actor in [owner, *home])
    for actor in (provider, unit, other_unit):
        assert not plans_of(actor).exists()  # a draft is the region's own
    services.save_weeks(plan, {12: 1}, actor=owner, now=NOW)
    services.agree_plan(plan, agreed_with="A", actor=owner, now=NOW)
    services.revise_plan(plan, reason="Mer.", actor=owner, now=NOW)
    for actor in (provider, unit):
        assert [v.number for v in versions_seen(actor, plans_of(actor).get())] == [1]
    assert [v.number for v in versions_seen(owner, plans_of(owner).get())] == [2, 1]
    strangers = [
        other_unit,
        provider_actor(CareUnitFactory(provider=line.contract.provider, region=region)),
        navigator_actor(RegionFactory(code="01")),
        contract_owner_actor(RegionFactory(code="01")),
        clinic_actor(CareUnitFactory(region=region)),
    ]
    assert not any(plans_of(actor).exists() for actor in strangers)


def test_a_contracts_owner_sees_what_other_regions_have_agreed_on_it_and_changes_nothing(line):
    other = RegionFactory(code="01")
    line.contract.regions_allowed.add(other)
    plan = agreed(line, navigator_actor(other), {12: 1})
    owner = contract_owner_actor(line.contract.owner_region)
    assert plans_of(owner).get() == plan
    with pytest.raises(NotAllowed):
        services.end_plan(plan, reason="A", actor=owner, now=NOW)


# Behind


def test_a_plan_behind_is_told_to_the_owner_once_in_four_weeks(line, owner):
    User.objects.filter(pk=owner.user_id).update(email="avtal@region.example")
    plan = agreed(line, owner, dict.fromkeys(range(1, 54), 5), now=stockholm(2026, 1, 2, 9))
    told = []
    for week in range(2, 19):
        now = stockholm(*Week(2026, week).monday.timetuple()[:3], 6)
        assert services.flag_behind(now=now - timedelta(minutes=1)) == 0
        assert services.flag_behind(now=now) == 1
        deliver_events(now=now)
        told.append(StaffMail.objects.count())
    # Four weeks must have ended first; summer time begins in week 13.
    assert told == [0, 0, 0, *[1] * 4, *[2] * 4, *[3] * 4, 4, 4]
    mail = StaffMail.objects.first()
    assert (mail.to, "0 % av det" in mail.body) == ("avtal@region.example", True)
    assert reverse("delivery-plan", args=[plan.pk]) in mail.body


def test_a_plan_that_is_kept_is_silent_and_one_whose_year_is_over_is_looked_at_no_more(line, owner):
    plan = agreed(line, owner, {52: 1, 53: 1})
    for n in (52, 53):
        treat(line, Week(2026, n).monday, serial=n)
    now = stockholm(2027, 1, 4, 6)
    assert services.flag_behind(now=now) == 1
    plan.refresh_from_db()
    assert plan.due_at is None
    assert not DomainEvent.objects.filter(kind=services.BEHIND).exists()


# Files


def test_a_file_is_read_by_row_and_reports_what_is_wrong():
    content = "vecka;volym\n1;2\n53;0\n54;1\n1;3\n2;-1\n3;\n4;två\n5;10001\n".encode()
    read = read_weeks(content, year=2026)
    assert read.volumes == {1: 2, 53: 0}
    assert [row for row, _text in read.faults] == [4, 5, 6, 7, 8, 9]
    assert "rad 2" in dict(read.faults)[5]
    assert 3 in dict(read_weeks(b"vecka;volym\n1;1\n53;0", year=2027).faults)


def test_what_is_exported_can_be_read_in_again(line, owner):
    plan = agreed(line, owner, {12: 4, 53: 2})
    rows = report_rows(figures_of(plan, agreed_version(plan), today=TODAY))
    text = "\n".join(";".join(str(cell) for cell in row) for row in rows)
    assert read_weeks(text.encode(), year=2026).volumes == volumes_of(agreed_version(plan))


# Pages and files over the web


@pytest.fixture
def plan(line, owner):
    """This year's plan, agreed; the pages read the clock."""
    now = timezone.now()
    year = Week.of(timezone.localdate(now)).year
    numbers = [week.number for week in weeks_of(year)]
    return agreed(line, owner, dict.fromkeys(numbers, 2), year=year, now=now)


def test_a_plan_is_made_laid_out_saved_and_agreed_on_its_pages(client, line, owner):
    client.force_login(user_of(owner))
    year = Week.of(timezone.localdate()).year + 1
    answer = client.post(reverse("delivery-plan-new"), {"line": line.pk, "year": year})
    plan = DeliveryPlan.objects.get()
    edit = reverse("delivery-plan-edit", args=[plan.pk])
    assert answer["Location"] == edit
    numbers = [week.number for week in weeks_of(year)]
    typed = {f"w{n}": "0" for n in numbers} | {
        "share": "50",
        "total": "101",
        "way": WORKING_DAYS,
        "first": "1",
        "behind_percent": "80",
        "behind_weeks": "6",
    }
    shown = client.post(edit, typed | {"distribute": "1"})
    form = shown.context["form"]
    volumes = {f"w{n}": int(form[f"w{n}"].value()) for n in numbers}
    assert sum(volumes.values()) == 101
    assert not any(volumes_of(plan.versions.get()).values())
    assert client.post(edit, typed | volumes | {"save": ""}).status_code == 302
    agree = reverse("delivery-plan-agree", args=[plan.pk])
    assert client.post(agree, {"agreed_with": ""}).status_code == 422
    assert client.post(agree, {"agreed_with": "Planeringen"}).status_code == 302
    plan.refresh_from_db()
    assert (plan.state, plan.behind_percent, plan.behind_weeks) == ("agreed", 80, 6)
    assert sum(volumes_of(plan.versions.get()).values()) == 101


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"total": "", "way": EVENLY}, "total"),
        ({"way": PROPOSED}, "way"),  # nothing has come in
        ({"total": "-1"}, "total"),
        ({"total": "1", "w1": "2", "first": "2", "way": EVENLY}, "total"),
        ({"w3": ""}, "w3"),
        ({"w3": "tre"}, "w3"),
        ({"first": "60"}, "first"),
        ({"share": "0"}, "share"),
    ],
)
def test_what_cannot_be_laid_out_is_said_at_the_field(client, line, owner, changes, field):
    year = Week.of(timezone.localdate()).year + 1
    plan = draft(line, owner, year=year, now=timezone.now())
    client.force_login(user_of(owner))
    typed = {f"w{week.number}": "0" for week in weeks_of(year)} | {
        "share": "50",
        "total": "100",
        "way": EVENLY,
        "first": "1",
        "behind_percent": "90",
        "behind_weeks": "4",
        "distribute": "1",
    }
    answer = client.post(reverse("delivery-plan-edit", args=[plan.pk]), typed | changes)
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]


def test_a_file_fills_the_draft_all_or_nothing(client, line, owner):
    plan = draft(line, owner, year=Week.of(timezone.localdate()).year + 1, now=timezone.now())
    client.force_login(user_of(owner))
    address = reverse("delivery-plan-import", args=[plan.pk])

    def send(text):
        return client.post(address, {"file": SimpleUploadedFile("plan.csv", text.encode())})

    bad = send("vecka;volym\n1;2\n2;x\n")
    assert bad.status_code == 422
    assert "x är inget heltal" in bad.content.decode()
    assert not any(volumes_of(plan.versions.get()).values())
    assert send("kolumn\n1").status_code == 422
    assert send("vecka;volym\n1;2\n2;3\n").status_code == 302
    assert volumes_of(plan.versions.get())[2] == 3


def test_the_report_is_a_pdf_a_with_figures_and_swedish_letters(client, plan, line):
    ProcedureFactory(kva="NGB", name="Primära ledprotesoperationer i knäled")
    client.force_login(user_of(provider_actor(line.contract.provider)))
    answer = client.get(reverse("delivery-plan-report", args=[plan.pk, "pdf"]))
    assert answer["Content-Type"] == "application/pdf"
    assert b"pdfaid" in answer.content
    text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.content)).pages)
    assert "Primära ledprotesoperationer i knäled" in text
    for word in ("Följsamhet", "Vårdgivare", "Måndag", "Åtgärd", line.care_unit.name):
        assert word in text


def test_the_weeks_come_as_csv_and_xlsx(client, plan, owner):
    client.force_login(user_of(owner))
    csv = client.get(reverse("delivery-plan-report", args=[plan.pk, "csv"]))
    assert csv.content.decode("utf-8-sig").startswith("vecka;volym;måndag;utfall")
    xlsx = client.get(reverse("delivery-plan-report", args=[plan.pk, "xlsx"]))
    sheet = openpyxl.load_workbook(io.BytesIO(xlsx.content)).worksheets[0]
    assert sheet.max_row == len(weeks_of(plan.year)) + 1
    assert client.get(reverse("delivery-plan-report", args=[plan.pk, "txt"])).status_code == 404


def test_a_manager_sees_no_small_number_and_the_supplier_its_own(client, line, owner):
    now = timezone.now()
    year = Week.of(timezone.localdate(now)).year
    plan = agreed(line, owner, {1: 9, 2: 9}, year=year, now=now)
    if not Week(year, 3).has_ended(timezone.localdate(now)):
        pytest.skip("the year has just begun")
    treat(line, Week(year, 1).monday, 3)
    treat(line, Week(year, 2).monday, 7)
    manager = manager_actor(line.contract.owner_region)
    for actor, seen in ((manager, [None, None]), (provider_actor(line.care_unit), [3, 7])):
        client.force_login(user_of(actor))
        figures = client.get(reverse("delivery-plan", args=[plan.pk])).context["figures"]
        assert [row.delivered for row in figures.weeks[:2]] == seen
    client.force_login(user_of(manager))
    csv = client.get(reverse("delivery-plan-report", args=[plan.pk, "csv"])).content.decode()
    assert ";dolt;" in csv
    assert ";3;" not in csv.split("\n")[1]


def test_a_supplier_gets_no_draft_and_no_editing(client, plan, owner, line):
    services.revise_plan(plan, reason="Mer.", actor=owner, now=timezone.now())
    client.force_login(user_of(provider_actor(line.contract.provider)))
    page = client.get(reverse("delivery-plan", args=[plan.pk]))
    assert page.status_code == 200
    assert "<textarea" not in page.content.decode()
    assert reverse("delivery-plan-edit", args=[plan.pk]) not in page.content.decode()
    assert client.get(reverse("delivery-plan-edit", args=[plan.pk])).status_code == 403
    for number, status in ((1, 200), (2, 404)):
        address = reverse("delivery-plan-version", args=[plan.pk, number])
        assert client.get(address).status_code == status
    for verb in ("agree", "revise", "end", "discard"):
        assert client.post(reverse(f"delivery-plan-{verb}", args=[plan.pk])).status_code == 403


def test_another_regions_plan_is_not_found(client, plan):
    client.force_login(user_of(contract_owner_actor(RegionFactory(code="01"))))
    for name in ("delivery-plan", "delivery-plan-edit", "delivery-plan-import"):
        assert client.get(reverse(name, args=[plan.pk])).status_code == 404


def test_the_list_takes_the_same_queries_for_each_plan(
    client, owner, line, django_assert_max_num_queries
):
    now = timezone.now()
    year = Week.of(timezone.localdate(now)).year
    for number in range(4):
        agreed(line, owner, {30: 1}, year=year + number, now=now)
    client.force_login(user_of(owner))
    with django_assert_max_num_queries(12 + 4 * 4):
        page = client.get(reverse("delivery-plans"), {"state": "agreed", "kva": "ngb"})
    assert len(page.context["rows"]) == 4
    assert client.get(reverse("delivery-plans"), {"year": "x"}).status_code == 200


def test_plans_are_read_over_the_api_by_those_who_see_them(plan, line, owner):
    def client_of(actor):
        _row, token = ApiToken.objects.create(user_of(actor), scopes=[Scope.CONTRACTS_READ])
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
        return client

    supplier = client_of(provider_actor(line.contract.provider))
    address = reverse("api-delivery-plan-detail", args=[plan.pk])
    answer = supplier.get(address).json()
    assert (answer["kva"], answer["version"], answer["figures"]["planned"]) == (
        "NGB",
        1,
        2 * len(weeks_of(plan.year)),
    )
    assert len(answer["figures"]["weeks"]) == len(weeks_of(plan.year))
    found = supplier.get(reverse("api-delivery-plan-list"), {"year": plan.year}).json()
    assert [one["id"] for one in found["results"]] == [plan.pk]
    stranger = client_of(contract_owner_actor(RegionFactory(code="01")))
    assert stranger.get(address).status_code == 404
    clinic = client_of(clinic_actor(CareUnitFactory(region=line.contract.owner_region)))
    assert clinic.get(reverse("api-delivery-plan-list")).status_code == 403
