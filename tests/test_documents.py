"""The documents name nothing that is not there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FOLDERS = (
    "benchmarks", "capacity", "config", "contracts", "decisions", "docs", "notices",
    "organisations", "patients", "referral", "statistics", "templates", "tests",
)  # fmt: skip
# A path in prose: begins with a folder of ours and names a Python or Markdown file.
PATH = re.compile(rf"(?<![\w/.-])(?:{'|'.join(FOLDERS)})/[\w./-]*\.(?:py|md)\b")
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#]+)")


def test_decisions_have_numbers_of_their_own() -> None:
    numbers = [path.name[:4] for path in (ROOT / "docs/decisions").glob("*.md")]
    assert sorted(set(numbers)) == sorted(numbers)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_file_that_a_document_names_exists(document: Path) -> None:
    text = document.read_text()
    named = {ROOT / path for path in PATH.findall(text) if not path.startswith("decisions/")}
    named |= {ROOT / "docs" / path for path in PATH.findall(text) if path.startswith("decisions/")}
    named |= {document.parent / path for path in LINK.findall(text)}
    assert [str(path.relative_to(ROOT)) for path in sorted(named) if not path.exists()] == []
