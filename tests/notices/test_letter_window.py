"""What shows in the envelope's window: to whom the letter goes, whole, and nothing else."""

import string

import numpy
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from notices.models import Notice
from notices.pdf import LetterRefused, letter_data, letter_pdf
from patients.models import Patient
from tests.notices.letter_parts import letter, pages_of, picture, signs_of

# Of the sheet, in mm from its left upper corner: left, top, right, bottom.
# The most that the window of a C5 or E65 envelope may show, however the sheet lies in it.
MAY_SHOW = (95, 30, 210, 80)
# Where the address may have ink: its place in the template, and a millimetre for letters that lean
# out of their boxes.
SHOWS = (111, 43, 191, 71)
DOTS = 4

LETTERS = string.ascii_letters + "åäöÅÄÖéüñçşłžøæß"


def words(most: int) -> st.SearchStrategy[str]:
    return st.text(alphabet=LETTERS + " -'", min_size=1, max_size=most).filter(str.strip)


def part(page: numpy.ndarray, place: tuple[int, int, int, int]) -> numpy.ndarray:
    left, top, right, bottom = (edge * DOTS for edge in place)
    return page[top:bottom, left:right]


def only_the_address_shows(made: Notice) -> None:
    with pages_of(letter_pdf(made)[0]) as pages:
        page = picture(pages[0], dots_per_mm=DOTS).copy()
        assert part(page, SHOWS).min() < 128
        part(page, SHOWS)[:] = 255
        assert part(page, MAY_SHOW).min() == 255
        shown = "".join(sign for sign, *box in signs_of(pages[0]) if within(box, MAY_SHOW))
    shown = shown.replace("\ufffe", "-")  # what pdfium calls a hyphen at a line's end
    assert shown == "".join("".join(line.split()) for line in letter_data(made)["address"])


def within(box: list[float], place: tuple[int, int, int, int]) -> bool:
    left, top, right, bottom = box
    return place[0] <= left and right <= place[2] and place[1] <= top and bottom <= place[3]


@settings(max_examples=40, deadline=None)
@given(
    given_name=words(80),
    family_name=words(80),
    street=words(120),
    town=words(60),
    clinic=words(120),
    subject=words(200),
)
@example(
    given_name="Åsa",
    family_name="Öberg",
    street="Ängsvägen 4",
    town="Åre",
    clinic="W" * 120,
    subject="W" * 200,
)
@example(
    given_name="Wilhelmina " * 7,
    family_name="Öberg",
    street="c/o Ek, Ängsvägen 4 B, lgh 1402",
    town="Åre",
    clinic="W " * 60,
    subject="Brev",
)
def test_the_window_shows_the_whole_address_and_nothing_else_or_there_is_no_letter(
    given_name, family_name, street, town, clinic, subject
):
    made = letter(
        given_name=given_name,
        family_name=family_name,
        street=street,
        town=town,
        clinic=clinic,
        subject=subject,
    )
    refused = ""
    try:
        only_the_address_shows(made)
    except LetterRefused as error:
        refused = str(error)
    if refused:
        assert "får inte plats i kuvertets fönster" in refused
        assert len(given_name + family_name + street + town) > 100


@pytest.mark.parametrize(
    "lines",
    [
        {"street": "c/o Lindström\nStorgatan 123 B, lgh 1402\nBox 12"},
        {"street": "c/o Fastighetsbolaget Nordstjernan, Regementsgatan 123 B, lägenhet 1402"},
        {
            "given_name": "Anna-Karin Margareta Elisabeth Wilhelmina",
            "family_name": "von Schwerin-Löwenhielm af Åkerholmsberg",
            "street": "c/o Bergström\nVästra Hamngatan 12\nTrapphus C",
        },
        {"street": "", "postal_code": "", "town": ""},
    ],
)
def test_long_and_short_addresses_stand_whole_in_the_window(lines):
    only_the_address_shows(letter(**lines))


@pytest.mark.parametrize("protection", sorted(Patient.PROTECTED))
def test_a_protected_identity_shows_only_that_the_tax_agency_forwards_it(protection):
    made = letter(protection=protection, street="", postal_code="", town="")
    only_the_address_shows(made)
    assert letter_data(made)["address"] == ["Förmedlas av Skatteverket"]


def test_an_address_that_does_not_fit_is_never_cut():
    with pytest.raises(LetterRefused, match="får inte plats i kuvertets fönster"):
        letter_pdf(letter(street="Ö" * 120))


@settings(max_examples=25, deadline=None)
@given(body=st.text(alphabet=LETTERS + "WWWMMM \n", max_size=3_000))
@example("W" * 3_000)
@example("https://" + "a" * 500)
@example("م" * 400)
def test_no_text_leaves_the_page_however_long_its_words_are(body):
    with pages_of(letter_pdf(letter(body=body))[0]) as pages:
        for page in pages:
            shades = picture(page, dots_per_mm=DOTS)
            assert part(shades, (0, 0, 18, 297)).min() == 255
            assert part(shades, (187, 0, 210, 297)).min() == 255
            assert part(shades, (0, 285, 210, 297)).min() == 255


@pytest.mark.parametrize(
    "run",
    [
        "https://region.example/" + "abcdefghij/" * 20,
        "a/" * 150,
        "1/2" * 60,
        f"{'W' * 30}/" * 6,
        "https://region.example/?x=" + "å" * 200,
    ],
)
def test_what_has_no_space_to_break_at_stays_on_the_page(run):
    with pages_of(letter_pdf(letter(body=f"Se {run} nu"))[0]) as pages:
        assert max(sign[3] for page in pages for sign in signs_of(page)) < 190
