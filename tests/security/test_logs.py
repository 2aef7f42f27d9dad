"""Nothing that a person sends begins a line of its own in a log."""

import io
import logging

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from organisations.masking import MaskingFormatter

FORGED = [
    "x\nERROR django.request Someone else did it",
    "x\r\nERROR root forged",
    "x\x1b[2K\x1b[1A\x1b[31mred",
    "x\x85next\u2028line\u2029end\x0bend\x0cend\x1cend",
    "x\u202egnihton",
    "x\x00y",
]


def lines_of(write) -> str:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(MaskingFormatter("%(levelname)s %(name)s %(message)s"))
    logger = logging.Logger("a")  # noqa: LOG001 – one of its own
    logger.addHandler(handler)
    write(logger)
    return out.getvalue()


@pytest.mark.parametrize("text", FORGED)
def test_a_message_is_one_line_whatever_was_typed(text):
    written = lines_of(lambda logger: logger.warning("refused %s", text))
    assert written.endswith("\n")
    assert len(written.splitlines()) == 1
    assert written.rstrip("\n").isprintable()


@pytest.mark.parametrize("text", FORGED)
def test_a_traceback_begins_no_line_as_a_message_does(text):
    def write(logger: logging.Logger) -> None:
        try:
            raise ValueError(text)
        except ValueError:
            logger.exception("failed", stack_info=True)

    first, *others = lines_of(write).splitlines()
    assert first == "ERROR a failed"
    assert all(line.startswith("    ") for line in others)
    assert all(line.isprintable() for line in others)


@given(st.text())
def test_no_text_makes_a_second_line(text):
    assert len(lines_of(lambda logger: logger.warning(text.replace("%", ""))).splitlines()) == 1


@pytest.mark.django_db
def test_an_address_forges_nothing(capsys, caplog):
    Client().get("/nothing%0d%0aERROR%20root%20forged%1b[31m/", headers={"user-agent": "a\nb"})
    for record in caplog.records:
        assert "\n" not in MaskingFormatter("%(message)s").format(record)
