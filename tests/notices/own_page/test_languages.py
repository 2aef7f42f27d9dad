"""Every text of the patient's own page has its words in English and in easy Swedish."""

import re
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import read_mo
from django.conf import settings
from django.test import Client
from django.utils import translation

from notices.own_page.languages import EASY, ENGLISH, NAMES, SWEDISH
from notices.own_page.words import STANDINGS
from referral.models import CaseState, DeclineReason
from tests.factories import make_case

ROOT = Path(__file__).resolve().parents[3]


def _tool() -> ModuleType:
    spec = spec_from_file_location("texts", ROOT / ".ci" / "texts.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TOOL = _tool()


def by_id(catalog: Catalog) -> dict[Any, list[str]]:
    """Each text's words, the forms of a plural in a list."""

    def listed(text: Any) -> list[str]:
        return [text] if isinstance(text, str) else list(text)

    return {tuple(listed(m.id)): listed(m.string) for m in catalog if m.id}


@pytest.fixture(params=TOOL.LOCALES)
def locale(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_every_text_of_the_page_is_translated(locale):
    assert TOOL.untranslated(TOOL.catalogue(locale)) == []


def test_the_catalogues_hold_nothing_else(locale):
    found = {message.id for message in TOOL.catalogue(locale) if message.id}
    assert found == set(TOOL.messages(locale))


def test_what_is_compiled_is_what_is_written(locale):
    with (TOOL.folder(locale) / "django.mo").open("rb") as file:
        compiled = by_id(read_mo(file))
    assert compiled == by_id(TOOL.catalogue(locale))


def test_translations_keep_the_fields(locale):
    wrong = []
    for message in TOOL.catalogue(locale):
        ids = message.id if isinstance(message.id, tuple) else (message.id,)
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        for said, wanted in zip(strings, ids, strict=True):
            missing = set(re.findall(r"%\(\w+\)s", said)) - set(re.findall(r"%\(\w+\)s", wanted))
            lost = set(re.findall(r"%\((?:url|code|number|day|clock)\)s", wanted)) - set(
                re.findall(r"%\(\w+\)s", said)
            )
            if missing or lost:
                wrong.append(said)
    assert wrong == []


def test_each_sentence_of_easy_swedish_is_short():
    for message in TOOL.catalogue("sv_X-lattlast"):
        said = message.string if isinstance(message.string, str) else message.string[1]
        for sentence in re.split(r"(?<=[.?!])\s+|\n", said):
            assert len(sentence.split()) <= 16, sentence


def test_english_has_no_swedish_letters():
    for message in filter(lambda message: message.id, TOOL.catalogue("en")):
        said = message.string if isinstance(message.string, str) else " ".join(message.string)
        assert not set("åäöÅÄÖ") & set(said), said


def test_the_languages_are_djangos_too():
    assert set(NAMES) == {code for code, _name in settings.LANGUAGES}


@pytest.mark.parametrize("language", [ENGLISH, EASY])
def test_states_and_reasons_are_said_in_each_language(language):
    with translation.override(language):
        said = [str(text) for standing in STANDINGS.values() for text in standing]
        said += [str(reason.label) for reason in DeclineReason]
    with translation.override(SWEDISH):
        plain = [str(text) for standing in STANDINGS.values() for text in standing]
        plain += [str(reason.label) for reason in DeclineReason]
    differing = sum(one != other for one, other in zip(said, plain, strict=True))
    assert differing == len(said) if language == ENGLISH else differing > len(said) / 2


@pytest.mark.django_db
def test_the_language_is_chosen_by_a_link_and_kept():
    client = Client()
    assert '<html lang="sv"' in client.get("/svar/").content.decode()
    page = client.get("/svar/?language=en").content.decode()
    assert '<html lang="en"' in page
    assert "Answer your offer of care" in page
    assert "Answer your offer of care" in client.get("/svar/").content.decode()
    cookie = client.cookies[settings.LANGUAGE_COOKIE_NAME]
    assert (cookie["path"], cookie["httponly"]) == ("/svar/", True)
    assert "Svara på" in client.get(f"/svar/?language={EASY}").content.decode()
    assert client.get("/svar/?language=xx").status_code == 200


@pytest.mark.django_db
def test_a_browser_that_asks_for_english_gets_it():
    page = Client().get("/svar/", headers={"accept-language": "en-GB,en;q=0.9"}).content.decode()
    assert '<html lang="en"' in page


@pytest.mark.django_db
def test_staff_pages_stay_in_swedish(client):
    client.get("/svar/?language=en")
    answer = client.get("/login/", headers={"accept-language": "en"})
    assert "Logga in" in answer.content.decode()


@pytest.mark.django_db
def test_the_offer_is_shown_in_the_language_of_the_page(enter: Any):
    made = make_case(CaseState.OFFERED)
    client = enter(made)
    swedish = client.get("/svar/case/").content.decode()
    english = client.get("/svar/case/?language=en").content.decode()
    easy = client.get(f"/svar/case/?language={EASY}").content.decode()
    assert "Läs texten som den skickades" not in swedish
    assert '<div class="own__text" lang="en">' in english
    assert "Read the text as it was sent" in english
    assert "Läs texten som den skickades" in easy
    first_line = made.offer.text.split("\n")[0]
    assert all(first_line in page for page in (swedish, english, easy))
