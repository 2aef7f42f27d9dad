"""No sign that a person types keeps a document from being made."""

import io

import pytest
from pypdf import PdfReader

from referral.models import CaseState
from referral.pdf import certificate_pdf
from tests.factories import make_case

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "name",
    ["Åsa 漢字 Öberg", "Zoë \U0001f600", "علي", "a\ufffe\u202eb", "#let x = 1 $ * _", "\\u{41}"],
)
def test_a_name_of_any_signs_gets_its_certificate_and_what_can_be_shown_is(name):
    made = make_case(CaseState.ACCEPTED, given_name=name)
    text = PdfReader(io.BytesIO(certificate_pdf(made.certificate))).pages[0].extract_text()
    assert "Testsson" in text
    for word in name.split():
        if word.isascii() or word in {"Åsa", "Öberg", "Zoë"}:
            assert word in text


def test_more_lacking_signs_than_are_tried_one_by_one():
    name = "".join(chr(0x4E00 + n) for n in range(60))
    made = make_case(CaseState.ACCEPTED, given_name=name)
    assert certificate_pdf(made.certificate).startswith(b"%PDF")
