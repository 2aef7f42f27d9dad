"""The code of the case number, read off the printed page as a scanner reads it."""

import pytest
import zxingcpp
from stdnum import damm

from notices.outgoing import answer_place
from notices.pdf import letter_pdf
from tests.notices.letter_parts import BODY, LINK, NUMBER, letter, pages_of, picture, text


def codes(page) -> list[str]:
    return [code.text for code in zxingcpp.read_barcodes(picture(page, dots_per_mm=6))]


@pytest.mark.parametrize("kind", ["offer_letter", "booked_time"])
def test_the_first_page_of_every_letter_and_the_slip_have_the_case_number_as_a_code(kind):
    made = letter()
    made.kind = kind
    with pages_of(letter_pdf(made)[0]) as pages:
        assert NUMBER in codes(pages[0])
        assert sorted(codes(pages[-1])) == sorted([NUMBER, LINK])


def test_pages_between_have_no_code():
    with pages_of(letter_pdf(letter(body="\n\n".join([BODY] * 12)))[0]) as pages:
        assert [codes(page) for page in pages] == [[NUMBER], [], [LINK, NUMBER]]


@pytest.mark.parametrize("running", range(0, 1_000_000, 24_691))
def test_the_mask_that_all_letters_share_can_be_read(running):
    digits = f"2126{running:06}"
    number = f"21-26-{running:06}-{damm.calc_check_digit(digits)}"
    with pages_of(letter_pdf(letter(number=number))[0]) as pages:
        assert number in codes(pages[0])


def test_a_letter_that_leads_nowhere_has_no_code_of_a_link(monkeypatch):
    monkeypatch.setattr("notices.pdf.answer_place", lambda made: None)
    with pages_of(letter_pdf(letter())[0]) as pages:
        assert [codes(page) for page in pages] == [[NUMBER], [NUMBER]]


def test_the_code_of_the_link_does_not_hold_the_answer_code():
    made = letter()
    place = answer_place(made)
    assert place is not None
    assert place.url == LINK
    assert place.code not in LINK
    assert place.code in text(letter_pdf(made)[0])
