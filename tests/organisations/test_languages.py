"""Languages as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from organisations.administration.forms import LanguagesField
from organisations.languages import in_words, language_names, needs_language, said_languages


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("arabiska", {"ar"}),
        ("Tolk i SOMALISKA (kvinna)", {"so"}),
        ("dari/persiska", {"prs", "fa"}),
        ("serbokroatiska", {"sr", "hr"}),
        ("svenskt teckenspråk", {"swl"}),
        ("teckenspråkstolk", {"swl"}),
        ("farsi", {"fa"}),
        ("klingonska", set()),
        ("", set()),
    ],
)
def test_a_language_is_found_in_what_was_typed(text, codes):
    assert said_languages(text) == codes


@pytest.mark.parametrize("text", ["", "Nej", "ingen", " - ", "svenska", "Inget."])
def test_some_answers_say_that_no_interpreter_is_needed(text):
    assert not needs_language(text)


@given(st.sampled_from(sorted(language_names())))
def test_every_language_is_found_by_its_own_name(code):
    assert code in said_languages(language_names()[code])
    assert LanguagesField().clean(in_words([code])) == sorted(said_languages(in_words([code])))


@given(st.text(max_size=40))
def test_no_text_makes_the_search_fail(text):
    assert said_languages(text) <= set(language_names())
    needs_language(text)
