"""docs/security.md answers each requirement of ASVS 4.0.3, level 2, and names what exists."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text()
# The requirements of levels 1 and 2 in each section of the standard.
SECTIONS = """
1.1: 1-7; 1.2: 1-4; 1.4: 1,4,5; 1.5: 1-4; 1.6: 1-4; 1.7: 1,2; 1.8: 1,2; 1.9: 1,2; 1.10: 1;
1.11: 1,2; 1.12: 2; 1.14: 1-6; 2.1: 1-12; 2.2: 1-3; 2.3: 1-3; 2.4: 1-5; 2.5: 1-7; 2.6: 1-3;
2.7: 1-6; 2.8: 1-7; 2.9: 1-3; 2.10: 1-4; 3.1: 1; 3.2: 1-4; 3.3: 1-4; 3.4: 1-5; 3.5: 1-3; 3.7: 1;
4.1: 1-3,5; 4.2: 1,2; 4.3: 1-3; 5.1: 1-5; 5.2: 1-8; 5.3: 1-10; 5.4: 1-3; 5.5: 1-4; 6.1: 1-3;
6.2: 1-6; 6.3: 1,2; 6.4: 1,2; 7.1: 1-4; 7.2: 1,2; 7.3: 1,3,4; 7.4: 1-3; 8.1: 1-4; 8.2: 1-3;
8.3: 1-8; 9.1: 1-3; 9.2: 1-4; 10.2: 1,2; 10.3: 1-3; 11.1: 1-8; 12.1: 1-3; 12.2: 1; 12.3: 1-6;
12.4: 1,2; 12.5: 1,2; 12.6: 1; 13.1: 1,3-5; 13.2: 1-3,5,6; 13.3: 1,2; 13.4: 1,2; 14.1: 1-4;
14.2: 1-6; 14.3: 2,3; 14.4: 1-7; 14.5: 1-4
"""


def numbers(text: str) -> set[int]:
    found: set[int] = set()
    for part in text.split(","):
        first, _dash, last = part.strip().partition("-")
        found |= set(range(int(first), int(last or first) + 1))
    return found


def required() -> set[str]:
    pairs = [one.strip().split(":") for one in SECTIONS.split(";")]
    return {f"{section.strip()}.{n}" for section, what in pairs for n in numbers(what)}


def answered() -> list[str]:
    """The numbers in the tables' first column, with ``2.1.1–2.1.4`` for each between."""
    found = []
    for cell in re.findall(r"^\| ([0-9][0-9., –]*) \|", PAGE, re.MULTILINE):
        for part in cell.split(","):
            first, _dash, last = part.strip().partition("–")
            section, _dot, low = first.rpartition(".")
            high = last.rpartition(".")[2] or low
            found += [f"{section}.{n}" for n in range(int(low), int(high) + 1)]
    return found


def test_every_requirement_is_answered_once():
    found = answered()
    assert len(required()) == 259
    assert required() == set(found)
    assert len(found) == len(set(found))


def test_every_file_that_the_page_names_exists():
    named = set(re.findall(r"`((?:[a-z_]+/)+[A-Za-z0-9_.-]+)`", PAGE)) - {"static/js"}
    assert len(named) > 40
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


def test_every_answer_says_where_it_stands():
    for line in re.findall(r"^\| [0-9][0-9., –]* \| (.*) \|$", PAGE, re.MULTILINE):
        assert line.startswith(("Met", "Partly", "n/a", "Operator", "Not met", "As ")), line
