"""The texts of a region beside those the product comes with."""

from dataclasses import dataclass

from notices.texts.kinds import CONTENTS, FIELDS, Content, Field, Sort, TextKind, example_values
from notices.texts.models import TextVersion
from notices.texts.rules import problems_of
from notices.texts.shipped import shipped_texts
from notices.texts.writing import Written, fill, shipped_version
from organisations.languages import language_names
from organisations.models import Region

State = TextVersion.State
Key = tuple[str, str, bool, str]


@dataclass
class TextRow:
    """One text of the list: what patients get now, and the draft beside it."""

    kind: TextKind
    language: str
    easy: bool
    variant: str
    in_use: TextVersion | None = None
    draft: TextVersion | None = None

    @property
    def language_name(self) -> str:
        return language_names().get(self.language, self.language)

    @property
    def ease(self) -> str:
        return ease_of(easy=self.easy)


def ease_of(*, easy: bool) -> str:
    """As the addresses have it."""
    return "easy" if easy else "plain"


def text_rows(region: Region) -> list[tuple[str, list[TextRow]]]:
    """Every text by kind, the product's where the region has none of its own."""
    rows: dict[Key, TextRow] = {}
    found = TextVersion.objects.filter(region=region, state__in=[State.DRAFT, State.PUBLISHED])
    for version in found:
        key = (version.kind, version.language, version.easy, version.variant)
        row = rows.setdefault(key, TextRow(TextKind(key[0]), *key[1:]))
        if version.state == State.DRAFT:
            row.draft = version
        else:
            row.in_use = version
    replaced = {key[:3] for key, row in rows.items() if row.in_use}
    for kind, language, easy in shipped_texts():
        if (kind, language, easy) not in replaced:
            rows.setdefault(
                (kind, language, easy, "A"), TextRow(TextKind(kind), language, easy, "A")
            )
    ordered = sorted(
        rows.values(), key=lambda r: (r.language != "sv", r.language_name, r.easy, r.variant)
    )
    return [(str(kind.label), [row for row in ordered if row.kind == kind]) for kind in TextKind]


def versions_of(region: Region, key: Key) -> list[TextVersion]:
    """The region's versions of one text, newest first."""
    kind, language, easy, variant = key
    return list(
        TextVersion.objects.filter(
            region=region, kind=kind, language=language, easy=easy, variant=variant
        )
        .select_related("saved_by", "published_by")
        .order_by("-number")
    )


def starting_text(key: Key, versions: list[TextVersion]) -> TextVersion:
    """What the editor opens with: the draft, what is in use, the product's text in the language,
    else in Swedish, to be translated."""
    kind, language, easy, _variant = key
    for state in (State.DRAFT, State.PUBLISHED):
        for version in versions:
            if version.state == state:
                return version
    found = shipped_version(kind, language, easy) or shipped_version(kind, "sv", easy)
    return found or TextVersion(kind=kind, language=language, easy=easy)


@dataclass(frozen=True)
class Preview:
    """The text with the examples' values, and all that keeps it from being used."""

    problems: dict[str, list[str]]
    written: Written | None


def preview_of(key: Key, *, subject: str, body: str) -> Preview:
    kind, language, easy, _variant = key
    problems = problems_of(kind, subject=subject, body=body)
    version = TextVersion(kind=kind, language=language, easy=easy, subject=subject, body=body)
    try:
        return Preview(problems, fill(version, dict(example_values(kind))))
    except ValueError:  # BadText: the problems say what is wrong
        return Preview(problems, None)


@dataclass(frozen=True)
class Help:
    """A field or a mark as it stands beside the editor."""

    code: str
    label: str
    note: str = ""


def fields_help(kind: str) -> list[Help]:
    return [_field_help(field) for field in FIELDS[kind]]


def _field_help(field: Field) -> Help:
    code = f"{{?{field.name}}} {{!{field.name}}}"
    if field.sort != Sort.FACT:
        code = f"{{{field.name}}}"
    return Help(code, str(field.label), "" if field.required else "optional")


def contents_help(kind: str) -> list[Content]:
    return list(CONTENTS[kind])
