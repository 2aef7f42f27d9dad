"""What makes a text good enough to publish: its names are known, and it tells what it must."""

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from django.utils.translation import gettext as _

from notices.texts.kinds import CONTENTS, Content, Sort, fields_of
from notices.texts.syntax import BadText, Text, parse

SUBJECT_LONGEST = 120


def read(kind: str, *, subject: str, body: str) -> tuple[Text, Text]:
    """Subject and body understood, or :class:`BadText` with the first thing that is wrong."""
    texts = parse(subject), parse(body)
    for text in texts:
        for problem in _unknown_names(kind, text):
            raise BadText(problem)
    return texts


def problems_of(kind: str, *, subject: str, body: str) -> dict[str, list[str]]:
    """Everything that keeps the text from being published, by input; empty when nothing does."""
    found: dict[str, list[str]] = {}
    for name, source in (("subject", subject), ("body", body)):
        try:
            text = parse(source)
        except BadText as error:
            found[name] = [str(error)]
            continue
        problems = list(_unknown_names(kind, text))
        if not source.strip():
            problems.append(_("Skriv texten."))
        elif name == "subject":
            problems += _subject_problems(kind, text, source)
        else:
            problems += _untold(kind, text)
        if problems:
            found[name] = problems
    return found


def _unknown_names(kind: str, text: Text) -> Iterator[str]:
    known, contents = fields_of(kind), {content.name for content in CONTENTS[kind]}
    for name in sorted(text.fields - known.keys()):
        yield _("Fältet {%(name)s} finns inte för den här texten.") % {"name": name}
    for name in sorted(text.fields & known.keys()):
        if known[name].sort == Sort.FACT:
            yield _("{%(name)s} är ja eller nej: skriv {?%(name)s} eller {!%(name)s}.") % {
                "name": name
            }
    for name in sorted(text.conditions):
        if name not in known or (known[name].required and known[name].sort != Sort.FACT):
            yield _("{?%(name)s} kan inte vara ett villkor.") % {"name": name}
    for name in sorted(text.tells - contents):
        yield _("Märket {#%(name)s} finns inte för den här texten.") % {"name": name}


def _subject_problems(kind: str, text: Text, source: str) -> Iterator[str]:
    known = fields_of(kind)
    if len(source) > SUBJECT_LONGEST or "\n" in source.strip():
        yield _("Rubriken är en rad, högst %(most)s tecken.") % {"most": SUBJECT_LONGEST}
    if text.conditions or any(not known[n].required for n in text.fields & known.keys()):
        yield _("I rubriken kan bara stå fält som alltid har ett värde.")


def _untold(kind: str, text: Text) -> Iterator[str]:
    """The contents that some patient would not be told."""
    for content in CONTENTS[kind]:
        if content.name not in text.tells:
            yield _("Texten säger inte: %(what)s. Märk stycket med {#%(name)s}.") % {
                "what": content.label,
                "name": content.name,
            }
        elif not all(_told(content, text, case) for case in _cases(kind, text)):
            names = " ".join(f"{{{name}}}" for name in sorted(content.fields))
            told = _("Stycket {#%(name)s} (%(what)s) måste alltid stå")
            told += _(", med %(fields)s.") % {"fields": names} if names else "."
            yield told % {"name": content.name, "what": content.label}


def _cases(kind: str, text: Text) -> Iterator[Mapping[str, Any]]:
    """Every way in which what the text depends on can be there or not."""
    known = fields_of(kind)
    open_names = sorted(
        name
        for name in (text.fields | text.conditions) & known.keys()
        if not known[name].required or known[name].sort == Sort.FACT
    )
    certain = {name: True for name in known if name not in open_names}
    for there in product((True, False), repeat=len(open_names)):
        yield certain | dict(zip(open_names, there, strict=True))


def _told(content: Content, text: Text, case: Mapping[str, Any]) -> bool:
    lines = [
        line
        for line in text.lines
        if content.name in line.tells and not line.is_blank and line.stands(case)
    ]
    said = frozenset(name for line in lines for name in line.fields)
    return bool(lines) and content.fields <= said
