"""Case numbers: form, check digit, uniqueness (design 5.1)."""

from functools import partial

import pytest
from django.db import connection, transaction
from hypothesis import given
from hypothesis import strategies as st
from stdnum import damm

from organisations.errors import WrongState
from referral import services
from referral.models import Case
from referral.models.cases import CaseNumberCounter
from referral.numbers import CaseNumber, InvalidCaseNumber, draw_case_number
from tests.concurrency import together
from tests.factories import CareUnitFactory, RegionFactory, clinic_actor, make_case, stockholm
from tests.factories import submission as a_form

counties = st.integers(1, 25).map("{:02d}".format)
numbers = st.builds(
    CaseNumber.build,
    county=counties,
    year=st.integers(2024, 2099),
    running=st.integers(1, 999_999),
)


@given(counties, st.integers(2024, 2099), st.integers(1, 999_999))
def test_a_number_is_county_year_running_number_and_check_digit(county, year, running):
    number = CaseNumber.build(county=county, year=year, running=running).value
    assert number[:-1] == f"{county}-{year % 100:02d}-{running:06d}-"
    assert len(number) == 14


@given(numbers)
def test_a_number_survives_being_written_and_read(number):
    assert CaseNumber.parse(str(number)) == number


@given(numbers)
def test_hyphens_and_spaces_may_be_left_out_or_be_of_another_kind(number):
    text = number.value
    for written in (text.replace("-", ""), text.replace("-", " "), f" {text.replace('-', '–')} "):
        assert CaseNumber.parse(written) == number


@given(numbers, st.integers(0, 10), st.sampled_from("0123456789"))
def test_every_single_wrong_digit_is_refused(number, position, wrong):
    digits = number.value.replace("-", "")
    if digits[position] == wrong:
        return
    with pytest.raises(InvalidCaseNumber, match="kontrollsiffra"):
        CaseNumber.parse(digits[:position] + wrong + digits[position + 1 :])


@given(numbers, st.integers(0, 9))
def test_every_swap_of_neighbours_is_refused(number, position):
    digits = list(number.value.replace("-", ""))
    if digits[position] == digits[position + 1]:
        return
    digits[position], digits[position + 1] = digits[position + 1], digits[position]
    with pytest.raises(InvalidCaseNumber, match="kontrollsiffra"):
        CaseNumber.parse("".join(digits))


@pytest.mark.parametrize(
    "text", ["", "13-26-000001", "13-26-000001-99", "1x-26-000001-9", "٣" * 11]
)
def test_what_has_not_eleven_digits_is_refused(text):
    with pytest.raises(InvalidCaseNumber, match="elva siffror"):
        CaseNumber.parse(text)


@pytest.mark.parametrize("running", [0, 1_000_000])
def test_a_running_number_that_does_not_fit_makes_no_number(running):
    with pytest.raises(ValueError, match="six digits"):
        CaseNumber.build(county="13", year=2026, running=running)


def test_the_example_in_the_error_text_is_itself_a_valid_number():
    with pytest.raises(InvalidCaseNumber) as caught:
        CaseNumber.parse("x")
    example = str(caught.value).split("exempel ")[1].rstrip(".")
    assert CaseNumber.parse(example).value == example


@pytest.mark.django_db
def test_the_database_and_the_library_agree_on_every_check_digit():
    bodies = [f"{n * 104_729 % 10**10:010d}" for n in range(500)]
    texts = [f"{body}{digit}" for body in bodies for digit in "0123456789"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT t, damm_holds(t) FROM unnest(%s::text[]) AS t", [texts])
        found = dict(cursor.fetchall())
    assert found == {text: damm.is_valid(text) for text in texts}
    assert sum(found.values()) == len(bodies)


@pytest.mark.django_db
def test_numbers_run_from_one_in_each_region_and_each_year():
    for code in ("13", "14"):
        RegionFactory(code=code)
    drawn = [
        draw_case_number(county=county, year=year).value[:-1]
        for county, year in [("13", 2026), ("13", 2026), ("14", 2026), ("13", 2027)]
    ]
    assert drawn == ["13-26-000001-", "13-26-000002-", "14-26-000001-", "13-27-000001-"]


@pytest.mark.django_db
def test_the_year_of_a_number_is_the_year_in_sweden():
    new_year = stockholm(2027, 1, 1, 0, 30)  # still 2026 in UTC
    assert make_case(now=new_year).case.number.startswith("13-27-")


@pytest.mark.django_db
def test_a_refused_submission_uses_up_no_number():
    first = make_case()
    now = first.case.received_at
    with pytest.raises(WrongState, match="pågående ärende"):
        services.submit(first.submission, sending_unit=first.unit, actor=first.clinic, now=now)
    assert CaseNumberCounter.objects.get().last == 1


@pytest.mark.django_db(transaction=True)
def test_numbers_drawn_at_once_are_all_different():
    RegionFactory(code="13")

    def draw_ten() -> list[str]:
        drawn = []
        for _ in range(10):
            with transaction.atomic():
                drawn.append(draw_case_number(county="13", year=2026).value)
        return drawn

    drawn = [number for numbers in together([draw_ten] * 8) for number in numbers]
    assert sorted(number[6:12] for number in drawn) == [f"{n:06d}" for n in range(1, 81)]


@pytest.mark.django_db(transaction=True)
def test_cases_submitted_at_once_get_different_numbers():
    unit = CareUnitFactory(sends=True)
    clinic = clinic_actor(unit)
    now = stockholm(2026, 3, 10, 9)
    forms = [a_form(today=now.date()) for _ in range(6)]
    submitted = together(
        partial(services.submit, form, sending_unit=unit, actor=clinic, now=now) for form in forms
    )
    assert len({case.number for case in submitted}) == 6


@pytest.mark.django_db(transaction=True)
def test_one_patients_form_submitted_at_once_by_two_makes_one_case():
    unit = CareUnitFactory(sends=True)
    now = stockholm(2026, 3, 10, 9)
    form = a_form(today=now.date())
    results = together(
        partial(services.submit, form, sending_unit=unit, actor=clinic_actor(unit), now=now)
        for _ in range(4)
    )
    assert sum(isinstance(result, WrongState) for result in results) == 3
    assert Case.objects.count() == 1
