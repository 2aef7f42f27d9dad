"""The texts the product comes with tell what they must, in every language, and hold no holes."""

import pytest

from notices.texts.kinds import CONTENTS, Sort, TextKind, example_values, fields_of
from notices.texts.rules import problems_of
from notices.texts.shipped import Shipped, shipped_texts
from notices.texts.writing import fill, shipped_version

ALL = list(shipped_texts().values())
NAMES = [f"{text.kind}.{text.language}{'-easy' * text.easy}" for text in ALL]


def test_every_kind_comes_in_swedish_easy_swedish_and_english() -> None:
    wanted = {(kind, *way) for kind in TextKind for way in (("sv", False), ("sv", True))}
    assert shipped_texts().keys() == wanted | {(kind, "en", False) for kind in TextKind}


@pytest.mark.parametrize("text", ALL, ids=NAMES)
def test_a_shipped_text_could_be_published(text: Shipped) -> None:
    assert problems_of(text.kind, subject=text.subject, body=text.body) == {}


@pytest.mark.parametrize("text", ALL, ids=NAMES)
def test_a_shipped_text_renders_whole_with_the_examples(text: Shipped) -> None:
    version = shipped_version(text.kind, text.language, text.easy)
    assert version is not None
    written = fill(version, dict(example_values(text.kind)))
    for read in (written.subject, written.body):
        assert read.strip()
        assert not any(hole in read for hole in ("None", "{", "}"))
    said = fields_of(text.kind)
    for name in {name for content in CONTENTS[text.kind] for name in content.fields}:
        if said[name].sort == Sort.TEXT:
            assert str(said[name].example) in written.body
