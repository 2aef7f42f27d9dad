"""Keep the catalogues of pages that are not for staff: ``python .ci/texts.py`` (``make texts``).

Reads the texts out of the code and templates that the patient's page and the public page show,
brings ``locale/*/LC_MESSAGES/django.po`` up to date and compiles them. Babel does what GNU gettext
would, which not every machine has. What is missing a translation is told, and the exit status is 1.
"""

import io
import re
import sys
from ast import literal_eval
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[1]
LOCALES = {"en": "en", "sv_X-lattlast": "sv"}
SOURCES = (
    *(
        "notices/own_page/[!m]*.py",
        "templates/notices/own_page/*.html",
        "notices/outgoing.py",
        "notices/letter_words.py",
    ),
    *("templates/components/field.html", "templates/components/field_errors.html"),
    *("templates/components/error_summary.html", "organisations/plain_forms.py"),
    *("organisations/login/openid.py", "organisations/case_numbers.py"),
    *("notices/callbacks/services.py",),
)
# The public page of open data has Swedish and English, no easy Swedish.
PUBLIC = (
    *("statistics/open_data/files.py", "statistics/open_data/measures.py"),
    *("statistics/open_data/tables.py", "statistics/open_data/views.py"),
    *("templates/statistics/open_data/*.html", "templates/components/bar_chart.html"),
)
ALSO_PUBLIC = (
    *("Inom hemregionen", "I en annan region", "Oavsett region"),
    *("Väntetiden", "Fritt vårdval", "Högspecialiserad vård", "Annat skäl"),
)
# What else the page may show, from files that mostly speak to staff.
ALSO = (
    *("Resan", "Vill till hemkliniken", "Väljer att vänta", "Redan behandlad", "Annat"),
    *("Jag vill ha ett erbjudande om vård hos en annan vårdgivare", "Jag vill bli uppringd"),
    *("Jag vill vänta kvar på vården hemma", "Jag behöver inte längre vården"),
    "Frågan är redan besvarad.",
    "Tiden är inte längre ledig. Välj en annan.",
    "Tiden har redan passerat. Välj en annan.",
    *("Tiden finns inte.", "Ärendet finns inte.", "Din roll får inte göra detta."),
    "”%(action)s” går inte när ärendet är: %(state)s.",
)
KEYWORDS = {"_": None, "gettext": None, "gettext_lazy": None, "ngettext": (1, 2)}
# The history of the files is Git's, and the same texts make the same files.
NO_DATE = datetime(2026, 1, 1, tzinfo=UTC)
Message = str | tuple[str, ...]
_CALL = re.compile(
    r"""\b(n?gettext|_)\(\s*u?((?:'(?:[^'\\]|\\.)*')|(?:"(?:[^"\\]|\\.)*"))"""
    r"""(?:\s*,\s*u?((?:'(?:[^'\\]|\\.)*')|(?:"(?:[^"\\]|\\.)*")))?"""
)


def messages(locale: str = "en") -> dict[Message, None]:
    """What the pages may show in the locale, in the order that it is found."""
    found: dict[Message, None] = {}
    public = locale == "en"
    for pattern in (*SOURCES, *(PUBLIC if public else ())):
        for path in sorted(ROOT.glob(pattern)):
            of_file = _of_template if path.suffix == ".html" else _of_code
            found.update(dict.fromkeys(of_file(path)))
    found.update(dict.fromkeys((*ALSO, *(ALSO_PUBLIC if public else ()))))
    singular = {message[0] for message in found if isinstance(message, tuple)}
    return {message: None for message in found if message not in singular}


def catalogue(locale: str) -> Catalog:
    """The translations as they lie in the repository."""
    with (folder(locale) / "django.po").open("rb") as file:
        return read_po(file, locale=LOCALES[locale])


def compiled(catalog: Catalog) -> bytes:
    made = io.BytesIO()
    write_mo(made, catalog)
    return made.getvalue()


def folder(locale: str) -> Path:
    return ROOT / "locale" / locale / "LC_MESSAGES"


def untranslated(catalog: Catalog) -> list[Message]:
    """The texts of the page that the catalogue has no words for."""
    known = {message.id: message.string for message in catalog}

    def is_whole(message: Message) -> bool:
        string = known.get(message) or ""
        return bool(string) if isinstance(string, str) else all(string)

    return [message for message in messages(str(catalog.locale)) if not is_whole(message)]


def _of_code(path: Path) -> Iterator[Message]:
    with path.open("rb") as file:
        for _line, message, _comments, _context in extract("python", file, keywords=KEYWORDS):
            yield message


def _of_template(path: Path) -> Iterator[Message]:
    for _name, first, second in _CALL.findall(templatize(path.read_text(encoding="utf-8"))):
        one = literal_eval(first)
        yield (one, literal_eval(second)) if second else one


def main() -> int:
    missing = 0
    for locale in LOCALES:
        catalog = catalogue(locale)
        renewed = Catalog(
            locale=LOCALES[locale],
            project="Vårdlots",
            version="1",
            charset="utf-8",
            fuzzy=False,
            header_comment=f"# The patient's own page in {locale}; kept by .ci/texts.py.",
            last_translator="-",
            language_team="-",
            msgid_bugs_address="-",
        )
        renewed.creation_date = renewed.revision_date = NO_DATE
        known = {message.id: message.string for message in catalog}
        for message in messages(locale):
            flags = ("python-format",) if "%(" in str(message) else ()
            renewed.add(message, known.get(message), flags=flags)
        with (folder(locale) / "django.po").open("wb") as file:
            write_po(file, renewed, width=100, omit_header=False)
        (folder(locale) / "django.mo").write_bytes(compiled(renewed))
        for message in untranslated(renewed):
            print(f"{locale}: {message}")
            missing += 1
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
