"""Whatever is written as a text is refused in words or can be read; nothing in it is evaluated."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from notices.texts.kinds import CONTENTS, FIELDS, TextKind, example_values
from notices.texts.models import TextVersion
from notices.texts.rules import problems_of
from notices.texts.shipped import shipped_texts
from notices.texts.syntax import BadText, parse
from notices.texts.values import MissingField, as_json, from_json, refuse_missing
from notices.texts.writing import fill, shipped_version

kinds = st.sampled_from(list(TextKind))
NAMES = sorted({field.name for fields in FIELDS.values() for field in fields})
pieces = st.one_of(
    st.text(max_size=20),
    st.sampled_from(["{", "}", "{{", "\n", "\n\n", "{ }", "{provider.name}", "{x!r}", "{0}"]),
    st.builds("{{{}{}}}".format, st.sampled_from(["", "?", "!", "#"]), st.sampled_from(NAMES)),
)
sources = st.lists(pieces, max_size=25).map("".join)


@pytest.mark.parametrize(
    "text",
    [
        *("{provider.__class__}", "{provider!r}", "{provider:>9}", "{}", "{0}", "{a[0]}"),
        *("{Provider}", "{provider", "provider}", "{{provider}}", "{% if x %}", "{ provider }"),
        *("a\x00b", "\ud800"),
    ],
)
def test_only_a_plain_name_in_braces_is_a_field(text: str) -> None:
    with pytest.raises(BadText):
        parse(text)


@given(kinds, sources, sources)
@example(TextKind.OFFER, "{answer_by}", "{message}")
def test_any_text_is_refused_in_words_or_renders(kind: str, subject: str, body: str) -> None:
    problems = problems_of(kind, subject=subject, body=body)
    assert all(problem for told in problems.values() for problem in told)
    version = TextVersion(kind=kind, language="sv", subject=subject, body=body)
    try:
        written = fill(version, dict(example_values(kind)))
    except BadText:
        assert problems
    else:
        assert "{" not in written.subject + written.body


@given(kinds, st.data())
def test_without_a_required_field_there_is_no_text(kind: str, data: st.DataObject) -> None:
    required = [field for field in FIELDS[kind] if field.required]
    gone = data.draw(st.sets(st.sampled_from(required), min_size=1))
    empty = data.draw(st.sampled_from([None, "", "  "]))
    values = dict(example_values(kind)) | {field.name: empty for field in gone}
    with pytest.raises(MissingField) as refused:
        refuse_missing(kind, values)
    assert set(refused.value.missing) == {field.name for field in gone}
    assert all(str(field.label) in str(refused.value) for field in gone)


@given(st.sampled_from(sorted(shipped_texts())), st.data())
def test_whatever_is_optional_and_missing_a_shipped_text_has_no_hole(
    key: tuple[str, str, bool], data: st.DataObject
) -> None:
    optional = [field for field in FIELDS[key[0]] if not field.required]
    gone = data.draw(st.sets(st.sampled_from(optional)))
    values = dict(example_values(key[0])) | {field.name: None for field in gone}
    version = shipped_version(*key)
    assert version is not None
    body = fill(version, values).body
    assert not any(hole in body for hole in ("None", "{", "}", "  ", "\n\n\n", ", ,", ", ."))


@pytest.mark.parametrize("kind", TextKind)
def test_a_text_that_leaves_something_out_is_told_which(kind: str) -> None:
    shipped = shipped_texts()[kind, "sv", False]
    for content in CONTENTS[kind]:
        unmarked = shipped.body.replace(f"{{#{content.name}}}", "")
        told = problems_of(kind, subject=shipped.subject, body=unmarked)["body"]
        assert any(str(content.label) in problem for problem in told)


def test_what_must_be_told_may_not_hang_on_a_condition() -> None:
    shipped = shipped_texts()[TextKind.OFFER, "sv", False]
    body = shipped.body.replace("{#cost}", "{#cost}{?escort}")
    assert "{#cost}" in problems_of(TextKind.OFFER, subject="Vård", body=body)["body"][0]


def test_both_sides_of_a_condition_tell_it() -> None:
    shipped = shipped_texts()[TextKind.OFFER, "sv", False]
    body = shipped.body.replace("{#cost}", "{#cost}{?escort}Det är gratis.\n{!escort}")
    assert not problems_of(TextKind.OFFER, subject="Vård", body=body)


@pytest.mark.parametrize("kind", TextKind)
def test_values_are_kept_as_they_were(kind: str) -> None:
    values = dict(example_values(kind))
    assert from_json(kind, as_json(values)) == values
