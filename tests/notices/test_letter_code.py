"""The code of the case number, read off the printed page as a scanner reads it."""

import pytest
import zxingcpp
from stdnum import damm

from notices.pdf import letter_pdf
from tests.notices.letter_parts import BODY, NUMBER, letter, pages_of, picture


def codes(page) -> list[str]:
    return [code.text for code in zxingcpp.read_barcodes(picture(page, dots_per_mm=6))]


@pytest.mark.parametrize("kind", ["offer_letter", "booked_time"])
def test_the_first_page_of_every_letter_and_the_slip_have_the_case_number_as_a_code(kind):
    made = letter()
    made.kind = kind
    with pages_of(letter_pdf(made)[0]) as pages:
        assert codes(pages[0]) == [NUMBER]
        assert codes(pages[-1]) == [NUMBER]


def test_pages_between_have_no_code():
    with pages_of(letter_pdf(letter(body="\n\n".join([BODY] * 12)))[0]) as pages:
        assert [codes(page) for page in pages] == [[NUMBER], [], [NUMBER]]


@pytest.mark.parametrize("running", range(0, 1_000_000, 24_691))
def test_the_mask_that_all_letters_share_can_be_read(running):
    digits = f"2126{running:06}"
    number = f"21-26-{running:06}-{damm.calc_check_digit(digits)}"
    with pages_of(letter_pdf(letter(number=number))[0]) as pages:
        assert codes(pages[0]) == [number]


def test_a_link_has_a_code_of_its_own_on_the_slip(monkeypatch):
    link = "https://vardlots.example/svar/abcdefghijkmnpqr"
    monkeypatch.setattr("notices.pdf.link_of", lambda made: link)
    with pages_of(letter_pdf(letter())[0]) as pages:
        assert codes(pages[0]) == [NUMBER]
        assert sorted(codes(pages[-1])) == sorted([NUMBER, link])
