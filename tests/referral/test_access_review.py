"""Control of the access log and the patient's extract of it (HSLF-FS 2016:40 4 kap. 9 §)."""

import csv
import io
from datetime import date, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from pypdf import PdfReader

from organisations.access import Actor, record_access
from organisations.access_log.reviewing import (
    IN_LISTS,
    draw_sample,
    drawn,
    review,
    reviewable,
)
from organisations.administration.services import change_person
from organisations.errors import InvalidInput, NotAllowed
from organisations.models import AccessLog, AccessReview, AccessSample
from patients.services import ContactDetails, correct_details
from referral import services
from referral.access_log import CHANGES, LISTS, LOOKS, REVIEWS, words_for
from referral.machine import TRANSITIONS
from referral.models import CaseState
from referral.selectors.access_review import MANY_CASES, Filters, access_page, get_access, marks_on
from tests.factories import (
    CareUnitFactory,
    MadeCase,
    RegionFactory,
    make_case,
    manager_actor,
    navigator_actor,
    region_admin_actor,
    stockholm,
    user_of,
)

pytestmark = pytest.mark.django_db

NOON = stockholm(2026, 3, 10, 12)  # a Tuesday
NUL = "\x00"


def admin(code: str = "13") -> Actor:
    return region_admin_actor(RegionFactory(code=code))


def look(actor: Actor, made: MadeCase, *, at=NOON, what: str = "case") -> AccessLog:
    record_access(actor, what=what, now=at, cases=[(made.case.number, made.case.patient_id)])
    return AccessLog.objects.latest("pk")


def marks(row: AccessLog, reviewer: Actor | None = None) -> set[str]:
    found = get_access(reviewer or admin(), row.pk)
    assert found is not None
    return {mark.key for mark in marks_on(found)}


def named(actor: Actor, name: str) -> Actor:
    user = user_of(actor)
    user.name = name
    user.save()
    return Actor(**(vars(actor) | {"name": name}))


# Who may review what


def test_a_region_reviews_its_staff_and_its_patients_and_nothing_else():
    here, there = make_case(now=NOON), make_case(now=NOON, region=RegionFactory(code="14"))
    by_others = look(there.navigator, here)
    of_others = look(here.navigator, there)
    elsewhere = look(there.navigator, there)
    seen = set(reviewable(admin()).values_list("pk", flat=True))
    assert {by_others.pk, of_others.pk} <= seen
    assert elsewhere.pk not in seen
    shown = {row.pk for row in access_page(admin(), Filters()).rows}
    assert shown == seen


@pytest.mark.parametrize("make", [navigator_actor, manager_actor])
def test_nobody_but_a_region_administrator_reviews(make):
    made = make_case(now=NOON)
    row = look(made.navigator, made)
    actor = make(made.unit.region)
    assert not reviewable(actor).exists()
    with pytest.raises(NotAllowed):
        review(row, outcome="no_remark", comment="", actor=actor, now=NOON)
    with pytest.raises(NotAllowed):
        draw_sample(first_day=NOON.date(), last_day=NOON.date(), size=1, actor=actor, now=NOON)


# Marks


def test_an_ordinary_look_by_the_one_who_works_with_the_case_has_no_mark():
    made = make_case(CaseState.IN_PROGRESS, now=NOON)
    assert marks(look(made.navigator, made)) == set()


@pytest.mark.parametrize(
    ("family", "marked"),
    [("Testsson", True), ("TESTSSON", True), ("von Testsson", False), ("Testssonsson", False)],
)
def test_a_patient_with_the_users_family_name_is_marked(family: str, marked: bool):
    made = make_case(CaseState.IN_PROGRESS, now=NOON, family_name=family)
    assert ("own_name" in marks(look(named(made.navigator, "Åsa Testsson"), made))) == marked


def test_a_family_name_of_two_words_is_one_name():
    made = make_case(CaseState.IN_PROGRESS, now=NOON, family_name="af Geijer")
    assert "own_name" in marks(look(named(made.navigator, "Per af Geijer"), made))


def test_a_patient_who_is_called_what_a_colleague_is_called_is_marked():
    made = make_case(CaseState.IN_PROGRESS, now=NOON, given_name="Eva", family_name="Ek")
    named(navigator_actor(made.unit.region), "Eva Ek")
    assert "colleague" in marks(look(made.navigator, made))


def test_a_namesake_in_another_region_is_no_colleague():
    made = make_case(CaseState.IN_PROGRESS, now=NOON, given_name="Eva", family_name="Ek")
    named(navigator_actor(RegionFactory(code="01")), "Eva Ek")
    assert "colleague" not in marks(look(made.navigator, made))


@pytest.mark.parametrize(
    ("street", "postal_code", "marked"),
    [
        ("Storgatan 4", "302 31", True),
        ("storgatan 17 B, lgh 1101", "30231", True),
        ("Storgatan 4", "30232", False),
        ("Lillgatan 4", "30231", False),
        ("", "", False),
    ],
)
def test_a_patient_who_lives_in_the_users_street_is_marked(street, postal_code, marked: bool):
    made = make_case(
        CaseState.IN_PROGRESS, now=NOON, street="Storgatan 12", postal_code="30231", town="Halmstad"
    )
    live_at(made.navigator, street, postal_code)
    row = look(made.navigator, made)
    assert ("neighbour" in marks(row)) is marked
    shown = access_page(admin(), Filters(mark="neighbour")).rows
    assert (row in shown) is marked


def test_a_patient_without_an_address_is_nobodys_neighbour():
    made = make_case(
        CaseState.IN_PROGRESS, now=NOON, street="Storgatan 12", postal_code="30231", town="Halmstad"
    )
    live_at(made.navigator, "Storgatan 4", "30231")
    services.protect(
        made.case,
        protection="sekretessmarkering",
        reason="x",
        actor=made.clinic,
        now=NOON,
    )
    assert "neighbour" not in marks(look(made.navigator, made))


def test_a_move_is_followed():
    made = make_case(
        CaseState.IN_PROGRESS, now=NOON, street="Storgatan 12", postal_code="30231", town="Halmstad"
    )
    live_at(made.navigator, "Nygatan 4", "30231")
    contact = ContactDetails(
        given_name="A", family_name="B", street="Nygatan 9", postal_code="30231", town="Halmstad"
    )
    correct_details(made.patient, contact=contact)
    assert "neighbour" in marks(look(made.navigator, made))


def live_at(actor: Actor, street: str, postal_code: str) -> None:
    person = user_of(actor)
    change_person(
        person,
        name=person.name,
        email="x@example.org",
        hsa_id="",
        home_street=street,
        home_postal_code=postal_code,
        actor=admin(),
        now=NOON,
    )


def test_a_protected_patient_is_marked():
    made = make_case(CaseState.IN_PROGRESS, now=NOON, protection="sekretessmarkering")
    assert marks(look(made.navigator, made)) == {"protected"}


@pytest.mark.parametrize(
    ("at", "odd"),
    [
        (stockholm(2026, 3, 10, 5, 59), True),
        (stockholm(2026, 3, 10, 6), False),
        (stockholm(2026, 3, 10, 18, 59), False),
        (stockholm(2026, 3, 10, 19), True),
        (stockholm(2026, 3, 14, 12), True),  # Saturday
        (stockholm(2026, 7, 10, 6, 30), False),  # summer time
        (stockholm(2026, 5, 14, 12), True),  # Ascension Day, a Thursday
        (stockholm(2026, 6, 19, 12), True),  # Midsummer Eve, a Friday
        (stockholm(2026, 5, 15, 12), False),  # between holiday and weekend: many work
    ],
)
def test_evenings_nights_weekends_and_holidays_in_swedish_time_are_marked(at, odd: bool):
    made = make_case(CaseState.IN_PROGRESS, now=NOON)
    assert ("odd_hours" in marks(look(made.navigator, made, at=at))) == odd


def test_many_cases_within_an_hour_are_marked_and_the_same_case_many_times_is_not():
    made = make_case(CaseState.IN_PROGRESS, now=NOON)
    for _time in range(MANY_CASES):
        row = look(made.navigator, made)
    assert "many" not in marks(row)
    numbers = [(f"13-26-{n:06d}-0", None) for n in range(MANY_CASES - 1)]
    record_access(made.navigator, what="case", now=NOON + timedelta(minutes=5), cases=numbers)
    assert "many" in marks(look(made.navigator, made, at=NOON + timedelta(minutes=20)))
    assert "many" not in marks(look(made.navigator, made, at=NOON + timedelta(minutes=66)))


def test_a_look_by_one_who_never_does_anything_in_the_case_is_marked():
    made = make_case(CaseState.IN_PROGRESS, now=NOON)
    other = navigator_actor(made.unit.region)
    row = look(other, made)
    assert marks(row) == {"no_action"}
    services.note(made.case, text="Ringde.", actor=other, now=NOON)
    assert marks(row) == set()


def test_what_the_product_does_by_itself_has_no_marks():
    made = make_case(now=NOON, protection="sekretessmarkering")
    row = look(Actor.system("Svepet"), made, at=stockholm(2026, 3, 14, 3))
    assert marks(row) == set()


def test_the_list_can_be_narrowed_to_a_mark_a_case_a_user_a_day_or_what_is_not_reviewed():
    made = make_case(CaseState.IN_PROGRESS, now=NOON)
    other = navigator_actor(made.unit.region)
    row = look(other, made)
    reviewer = admin()

    def found(**chosen) -> list[int]:
        return [r.pk for r in access_page(reviewer, Filters(**chosen)).rows]

    assert found(mark="no_action") == [row.pk]
    assert found(user_id=other.user_id) == found(name=other.name) == [row.pk]
    assert row.pk in found(case_number=made.case.number)
    assert found(first_day=date(2026, 3, 11)) == []
    assert row.pk in found(first_day=date(2026, 3, 10), last_day=date(2026, 3, 10))
    assert row.pk in found(outcome="none")
    review(row, outcome="follow_up", comment="Fråga.", actor=reviewer, now=NOON)
    assert row.pk not in found(outcome="none")
    assert found(outcome="follow_up") == [row.pk]


def test_the_pages_follow_by_key_without_gap_or_repeat():
    made = make_case(now=NOON)
    record_access(made.navigator, what="case", now=NOON, cases=[("13-26-000001-9", None)] * 120)
    reviewer, seen, cursor = admin(), [], ""
    while True:
        page = access_page(reviewer, Filters(), cursor=cursor)
        seen += [row.pk for row in page.rows]
        cursor = page.next_cursor
        if not cursor:
            break
    assert seen == sorted(reviewable(reviewer).values_list("pk", flat=True), reverse=True)


# Samples and reviews


def sampled(reviewer: Actor, *, size: int = 5, seed: int | None = None) -> AccessSample:
    day = NOON.date()
    return draw_sample(first_day=day, last_day=day, size=size, actor=reviewer, now=NOON, seed=seed)


def many_looks(count: int = 40) -> MadeCase:
    made = make_case(now=NOON)
    for _time in range(count):
        look(made.navigator, made)
    return made


def test_the_same_seed_draws_the_same_rows_also_after_more_have_come():
    made, reviewer = many_looks(), admin()
    sample = sampled(reviewer, seed=7)
    rows = list(sample.rows.values_list("access_id", flat=True))
    look(made.navigator, made)
    assert drawn(sample, actor=reviewer) == rows
    assert len(set(rows)) == 5


def test_another_seed_draws_other_rows():
    many_looks()
    reviewer = admin()
    draws = {tuple(drawn(sampled(reviewer, seed=seed), actor=reviewer)) for seed in range(4)}
    assert len(draws) == 4


def test_a_sample_is_drawn_among_what_people_did_with_single_patients():
    made = make_case(now=NOON)
    look(made.navigator, made, what="list")
    look(Actor.system("Svepet"), made)
    row = look(made.navigator, made)
    sample = sampled(admin(), size=50)
    drawn_rows = set(sample.rows.values_list("access__what", flat=True))
    assert row.pk in sample.rows.values_list("access_id", flat=True)
    assert not drawn_rows & IN_LISTS
    assert sample.size == sample.population == sample.rows.count()


@pytest.mark.parametrize(
    ("first", "last", "size", "field"),
    [
        (date(2026, 3, 10), date(2026, 3, 9), 5, "last_day"),
        (date(2026, 3, 11), date(2026, 3, 12), 5, "first_day"),
        (date(1, 1, 1), date(2026, 3, 10), 5, "first_day"),
        (date(2026, 3, 10), date(2026, 3, 10), 0, "size"),
        (date(2026, 3, 10), date(2026, 3, 10), 201, "size"),
        (date(2026, 3, 1), date(2026, 3, 2), 5, "first_day"),  # nothing to draw from
    ],
)
def test_a_sample_that_cannot_be_drawn_says_why_at_its_field(first, last, size, field):
    many_looks(1)
    with pytest.raises(InvalidInput) as refused:
        draw_sample(first_day=first, last_day=last, size=size, actor=admin(), now=NOON)
    assert field in refused.value.fields


def test_nobody_reviews_their_own_look():
    reviewer = admin()
    made = make_case(now=NOON)
    with pytest.raises(NotAllowed):
        review(look(reviewer, made), outcome="no_remark", comment="", actor=reviewer, now=NOON)


def test_what_needs_follow_up_says_why():
    made = make_case(now=NOON)
    with pytest.raises(InvalidInput):
        review(
            look(made.navigator, made), outcome="follow_up", comment=" ", actor=admin(), now=NOON
        )


def test_the_latest_outcome_counts_and_the_first_one_stays():
    made, reviewer = make_case(now=NOON), admin()
    row = look(made.navigator, made)
    review(row, outcome="follow_up", comment="Fråga.", actor=reviewer, now=NOON)
    review(row, outcome="no_remark", comment="Jour.", actor=reviewer, now=NOON)
    assert get_access(reviewer, row.pk).latest_outcome == "no_remark"
    assert AccessReview.objects.filter(access=row).count() == 2


# Words


def test_all_that_the_product_writes_in_the_log_has_words():
    for what in (*LOOKS, *LISTS, *CHANGES, *REVIEWS, *TRANSITIONS, "submit", "notice_sent"):
        assert words_for(what) != what
    assert set(LISTS) == IN_LISTS


# Pages


def logged_in(actor: Actor) -> Client:
    client = Client()
    client.force_login(user_of(actor))
    return client


def test_the_reviewer_never_reads_the_patients_name_or_identity_number():
    made = make_case(CaseState.IN_PROGRESS, family_name="Hemligsson")
    look(made.navigator, made)
    client = logged_in(admin())
    for address in (
        reverse("access-review"),
        f"{reverse('access-review')}?case={made.case.number}",
        reverse("access-review-row", args=[AccessLog.objects.latest("pk").pk]),
        reverse("log-extract", args=[made.case.number]),
    ):
        text = client.get(address).content.decode()
        assert made.case.number in text
        assert "Hemligsson" not in text
        assert made.patient.identity_number[2:] not in text.replace("-", "")


def test_a_sample_is_drawn_and_reviewed_on_its_pages():
    made, client = many_looks(3), logged_in(admin())
    form = {"first_day": "2026-03-10", "last_day": "2026-03-10", "size": "2"}
    drawn_page = client.post(reverse("access-samples"), form, follow=True)
    sample = AccessSample.objects.get()
    assert "0 av 2 är granskade" in drawn_page.content.decode()
    row = sample.rows.first().access
    address = f"{reverse('access-review-row', args=[row.pk])}?sample={sample.pk}"
    assert client.post(address, {"outcome": "follow_up"}).status_code == 422
    done = client.post(address, {"outcome": "no_remark", "comment": ""}, follow=True)
    assert "1 av 2 är granskade" in done.content.decode()
    assert made.case.number in done.content.decode()


@pytest.mark.parametrize("number", ["abc", "13-26-000001-9", NUL, "9" * 20, ""])
def test_an_extract_for_what_is_not_the_regions_is_refused_at_the_field(number: str):
    answer = logged_in(admin()).post(reverse("log-extracts"), {"number": number})
    assert answer.status_code == 422


def test_another_regions_patient_has_no_extract_here():
    made = make_case(region=RegionFactory(code="14"))
    client = logged_in(admin("13"))
    assert client.get(reverse("log-extract", args=[made.case.number])).status_code == 404
    answer = client.post(reverse("log-extracts"), {"number": made.submission.identity_number})
    assert answer.status_code == 422


@pytest.mark.parametrize(
    "query", ["case=1", "mark=x", "user=x", "first_day=igår", "after=x", "name=%00"]
)
def test_what_cannot_be_read_in_the_address_is_answered(query: str):
    assert logged_in(admin()).get(f"{reverse('access-review')}?{query}").status_code == 200


def test_the_extract_tells_units_and_times_of_all_the_patients_cases_in_the_region():
    unit = CareUnitFactory(region=RegionFactory(), sends=True, name="=Ortopedkliniken")
    made = make_case(CaseState.IN_PROGRESS, unit=unit, now=NOON)
    look(made.clinic, made)
    look(made.clinic, made, at=NOON + timedelta(minutes=30))
    client = logged_in(admin())
    found = client.post(
        reverse("log-extracts"), {"number": made.submission.identity_number}, follow=True
    )
    assert found.redirect_chain[-1][0] == reverse("log-extract", args=[made.case.number])
    text = found.content.decode()
    assert "12.00–12.30" in text
    assert made.clinic.name not in text

    file = client.get(reverse("log-extract-file", args=[made.case.number, "csv"]))
    rows = list(csv.reader(io.StringIO(file.content.decode("utf-8-sig")), delimiter=";"))
    assert ["2026-03-10 12:00:00", "'=Ortopedkliniken", "Klinik", "Öppnade ärendet"] in [
        row[:4] for row in rows
    ]
    pdf = client.get(reverse("log-extract-file", args=[made.case.number, "pdf"]))
    page = " ".join(PdfReader(io.BytesIO(pdf.content)).pages[0].extract_text().split())
    assert made.case.number in page
    assert "12.00–12.30, 2 gånger" in page
    assert AccessLog.objects.filter(what="log_extract", case_number=made.case.number).count() == 3


def test_the_extract_holds_what_was_done_with_the_form_before_it_was_a_case():
    unit = CareUnitFactory(region=RegionFactory(), sends=True)
    made = make_case(unit=unit, now=NOON)
    record_access(made.clinic, what="form", now=NOON, forms=[made.case.form.pk])
    page = logged_in(admin()).get(reverse("log-extract", args=[made.case.number]))
    assert "Öppnade blanketten" in page.content.decode()
