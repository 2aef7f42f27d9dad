"""Identity numbers: what is accepted, what is refused, what a number tells."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn

from patients.identity import IdentityNumber, InvalidIdentityNumber
from tests.factories import identity_number

TODAY = date(2026, 11, 24)
TOLVAN = "191212121212"


def parse(text: str, *, today: date = TODAY) -> IdentityNumber:
    return IdentityNumber.parse(text, today=today)


def with_check_digit(first_eleven: str) -> str:
    return first_eleven + luhn.calc_check_digit(first_eleven[2:])


@pytest.mark.parametrize(
    "text",
    [
        "191212121212",
        "19121212-1212",
        "19121212 1212",
        " 19121212–1212 ",
        "121212+1212",
        "121212 + 1212",
    ],
)
def test_a_number_is_read_however_it_is_written(text):
    assert parse(text).value == TOLVAN


def test_a_number_is_shown_with_date_and_hyphen():
    assert parse(TOLVAN).formatted == "19121212-1212"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "-",
        "12",
        "1912121212123",
        "19121212+1212",
        "191212121212x",
        "åååååååååååå",
        "٣" * 12,
    ],
)
def test_what_has_not_the_form_of_a_number_is_refused(text):
    with pytest.raises(InvalidIdentityNumber):
        parse(text)


@pytest.mark.parametrize("day", ["19990229", "19991301", "19990100", "19990431", "19990160"])
def test_a_date_that_does_not_exist_is_refused(day):
    with pytest.raises(InvalidIdentityNumber):
        parse(with_check_digit(f"{day}980"))


def test_a_leap_day_is_a_date():
    assert parse(with_check_digit("20000229980")).birth_date == date(2000, 2, 29)


def test_a_date_to_come_is_refused():
    tomorrow = TODAY + timedelta(days=1)
    with pytest.raises(InvalidIdentityNumber, match="framtiden"):
        parse(with_check_digit(f"{tomorrow:%Y%m%d}980"))


def test_a_child_born_today_has_a_number():
    assert parse(with_check_digit(f"{TODAY:%Y%m%d}980")).birth_date == TODAY


@pytest.mark.parametrize("wrong", [d for d in "0123456789" if d != TOLVAN[-1]])
def test_a_wrong_check_digit_is_refused(wrong):
    with pytest.raises(InvalidIdentityNumber, match="Kontrollsiffran"):
        parse(TOLVAN[:-1] + wrong)


@given(
    n=st.integers(0, 10_000),
    born=st.dates(date(1900, 1, 1), TODAY),
    position=st.integers(2, 11),
    wrong=st.sampled_from("0123456789"),
)
def test_every_single_wrong_digit_after_the_century_is_refused(n, born, position, wrong):
    number = identity_number(n, born=born)
    if number[position] == wrong:
        return
    with pytest.raises(InvalidIdentityNumber):
        parse(number[:position] + wrong + number[position + 1 :])


@given(n=st.integers(0, 10_000), born=st.dates(date(1900, 1, 1), TODAY))
def test_every_number_of_the_test_series_is_read_as_it_stands(n, born):
    number = identity_number(n, born=born)
    found = parse(number)
    assert (found.value, found.birth_date) == (number, born)
    assert parse(found.formatted) == found


@given(born=st.dates(date(1927, 1, 1), TODAY))
def test_ten_digits_with_a_hyphen_mean_less_than_a_hundred_years(born):
    number = identity_number(0, born=born)
    assert parse(f"{number[2:8]}-{number[8:]}").value == number


@pytest.mark.parametrize(
    ("text", "century"),
    [("121212-1212", "20"), ("121212+1212", "19"), ("121212 1212", "20"), ("1212121212", "20")],
)
def test_the_separator_settles_the_century(text, century):
    assert parse(text).value == f"{century}1212121212"


def test_plus_is_used_from_the_year_the_person_turns_a_hundred():
    number = identity_number(0, born=date(1926, 12, 31))
    assert parse(f"{number[2:8]}+{number[8:]}").value == number


def test_ten_digits_for_a_day_still_to_come_this_year_mean_the_last_century():
    number = identity_number(0, born=date(1926, 12, 1))
    assert parse(f"{number[2:8]}-{number[8:]}").value == number


def test_a_coordination_number_has_sixty_added_to_the_day():
    found = parse(with_check_digit("19701063239"))
    assert (found.kind, found.birth_date) == ("samordningsnummer", date(1970, 10, 3))


def test_ten_digits_may_be_a_coordination_number():
    assert parse("701063-2391").value == "197010632391"


@pytest.mark.parametrize("day", ["60", "92"])
def test_a_coordination_number_has_a_day_from_61_to_91(day):
    with pytest.raises(InvalidIdentityNumber):
        parse(with_check_digit(f"197010{day}239"))


def test_a_wrong_check_digit_of_a_coordination_number_is_refused():
    with pytest.raises(InvalidIdentityNumber):
        parse("197010632392")


@pytest.mark.parametrize(("birth_number", "sex"), [("980", "F"), ("981", "M")])
def test_an_even_birth_number_is_a_womans(birth_number, sex):
    assert parse(with_check_digit(f"19700101{birth_number}")).sex == sex


# Examples of Inera's and HL7 Sweden's pages on reserve numbers.
@pytest.mark.parametrize("text", ["991981000010", "991945000023", "991993000032"])
def test_stockholms_reserve_numbers_bear_no_birth_date(text):
    found = parse(text)
    assert (found.kind, found.birth_date, found.sex) == ("reservnummer", None, "")


@pytest.mark.parametrize(
    ("text", "born", "sex"),
    [
        ("19810829M071", date(1981, 8, 29), "M"),
        ("19450829-K088", date(1945, 8, 29), "F"),
        ("19930829x802", date(1993, 8, 29), ""),
    ],
)
def test_vastra_gotalands_reserve_numbers_bear_date_and_sex(text, born, sex):
    found = parse(text)
    assert (found.kind, found.birth_date, found.sex) == ("reservnummer", born, sex)


def test_hallands_reserve_numbers_have_a_day_that_no_month_has():
    found = parse("198108320014")
    assert (found.kind, found.birth_date) == ("reservnummer", None)


@pytest.mark.parametrize(
    ("text", "born", "sex"),
    [
        ("98240301AA06", date(2024, 3, 1), "F"),
        ("22700101BC18", date(1970, 1, 1), "M"),
        ("23150615XYZ3", date(2015, 6, 15), ""),
        ("00702045AB12", None, "M"),
    ],
)
def test_national_reserve_numbers_hide_the_century(text, born, sex):
    found = parse(text)
    assert (found.kind, found.birth_date, found.sex) == ("reservnummer", born, sex)


@pytest.mark.parametrize(
    "text",
    [
        "991981000011",
        "19810829M072",
        "198108320015",
        "992099000016",
        "98241301AA06",
        "23990301AA06",
        "98240301AI06",
        "98240301A006",
    ],
)
def test_reserve_numbers_with_a_fault_are_refused(text):
    with pytest.raises(InvalidIdentityNumber):
        parse(text)


@given(st.text(max_size=20))
def test_no_text_makes_the_reading_fail_in_another_way(text):
    try:
        found = parse(text)
    except InvalidIdentityNumber as error:
        assert str(error)  # noqa: PT017 - the text is what a person reads
    else:
        assert len(found.value) == 12
