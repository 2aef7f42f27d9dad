"""The syntax of texts that a region's administrator writes: named fields and nothing more.

A text is lines of prose. Nothing in it is ever evaluated; what stands in braces is a name out of
the kind's table or the text is refused:

``{town}``
    the value of the field; a line in which an optional field is empty falls away.
``{?escort}``, ``{!escort}``
    the line stands only when the optional field or fact is there, or only when it is not.
``{#travel}``
    what the lines from here to the next blank line tell of: it prints nothing, and the kind says
    what a text must tell (notices.texts.kinds).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

_TOKEN = re.compile(r"\{([^{}]*)\}")
_NAME = re.compile(r"([?!#]?)([a-z][a-z0-9_]*)")
LONGEST = 8000


class BadText(ValueError):
    """The text cannot be understood; the message says where and why, in Swedish."""


@dataclass(frozen=True)
class Line:
    """One line of a text: its parts, when it stands and what it tells of."""

    parts: tuple[tuple[str, str], ...]  # ("text" or "field", what)
    when: tuple[tuple[str, bool], ...] = ()
    tells: frozenset[str] = frozenset()

    @property
    def fields(self) -> frozenset[str]:
        return frozenset(what for sort, what in self.parts if sort == "field")

    @property
    def is_blank(self) -> bool:
        return not self.fields and not "".join(what for _sort, what in self.parts).strip()

    def stands(self, values: Mapping[str, Any]) -> bool:
        """Whether the line is printed: its conditions hold and none of its fields is empty."""
        return all(_there(values.get(name)) == wanted for name, wanted in self.when) and all(
            _there(values.get(name)) for name in self.fields
        )


def _there(value: Any) -> bool:
    return value is not None and value is not False and value != ""


@dataclass(frozen=True)
class Text:
    """A text that has been understood."""

    lines: tuple[Line, ...] = field(default=())

    @property
    def fields(self) -> frozenset[str]:
        return frozenset(name for line in self.lines for name in line.fields)

    @property
    def conditions(self) -> frozenset[str]:
        return frozenset(name for line in self.lines for name, _wanted in line.when)

    @property
    def tells(self) -> frozenset[str]:
        return frozenset(name for line in self.lines for name in line.tells)

    def render(self, values: Mapping[str, Any], *, show: Callable[[str, Any], str]) -> str:
        """The text with its values; ``show`` writes one. Never two blank lines together."""
        printed: list[str] = []
        for line in self.lines:
            if line.is_blank and not line.when:
                if printed and printed[-1]:
                    printed.append("")
            elif line.stands(values):
                printed.append(_print(line, values, show).strip())
        return "\n".join(printed).strip()


def _print(line: Line, values: Mapping[str, Any], show: Callable[[str, Any], str]) -> str:
    return "".join(
        what if sort == "text" else show(what, values[what]) for sort, what in line.parts
    )


def parse(source: str) -> Text:
    """Understand a text, or raise :class:`BadText`. Which names exist is for the kind to say."""
    if "\x00" in source or source.encode(errors="replace").decode() != source:
        raise BadText(_("Texten innehåller tecken som inte kan sparas."))
    lines: list[Line] = []
    tells: frozenset[str] = frozenset()
    for number, raw in enumerate(source.replace("\r\n", "\n").replace("\r", "\n").split("\n"), 1):
        line = _line(raw, number)
        if not raw.strip():
            tells = frozenset()
        tells = line.tells or tells
        lines.append(Line(line.parts, line.when, tells))
    return Text(tuple(lines))


def _line(raw: str, number: int) -> Line:
    parts: list[tuple[str, str]] = []
    when: list[tuple[str, bool]] = []
    tells: set[str] = set()
    end = 0
    for token in _TOKEN.finditer(raw):
        parts.append(("text", _prose(raw[end : token.start()], number)))
        end = token.end()
        found = _NAME.fullmatch(token[1])
        if not found:
            raise BadText(
                _("Rad %(line)s: {%(name)s} är inget fält. Skriv fältets namn som i listan.")
                % {"line": number, "name": token[1][:40]}
            )
        mark, name = found.groups()
        if mark == "#":
            tells.add(name)
        elif mark:
            when.append((name, mark == "?"))
        else:
            parts.append(("field", name))
    parts.append(("text", _prose(raw[end:], number)))
    return Line(tuple(part for part in parts if part[1]), tuple(when), frozenset(tells))


def _prose(text: str, number: int) -> str:
    if "{" in text or "}" in text:
        raise BadText(_("Rad %(line)s: en klammer { eller } saknar sin andra.") % {"line": number})
    return text
