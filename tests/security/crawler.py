"""A small crawler: what a page links to, what its forms hold, and what in it could run."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

MARK = "vl7xss"
TEXTLIKE = {"text", "search", "email", "tel", "url", "password", "number", "date", "hidden"}
TEXTLIKE |= {"datetime-local"}


@dataclass
class Form:
    """A form as the browser would send it."""

    action: str
    method: str = "get"
    values: dict[str, list[str]] = field(default_factory=dict)
    typed: list[str] = field(default_factory=list)
    chosen: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)

    def data(self, **changes: Any) -> dict[str, Any]:
        return self.values | changes

    @property
    def fields(self) -> list[str]:
        return self.typed + self.chosen


class Page(HTMLParser):
    """One page, parsed as a browser would."""

    def __init__(self, text: str, *, at: str) -> None:
        super().__init__(convert_charrefs=True)
        self.at = at
        self.links: list[str] = []
        self.forms: list[Form] = []
        self.runs: list[str] = []
        self._form: Form | None = None
        self._area = ""
        self._select = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {name: value or "" for name, value in attrs}
        self._see_what_runs(tag, names)
        if tag == "a" and "href" in names:
            self.links.append(urljoin(self.at, names["href"]))
        for name in ("hx-get", "data-suggest"):
            if names.get(name, "").startswith("/"):
                self.links.append(names[name])
        if tag == "form":
            action = urljoin(self.at, names.get("action") or self.at)
            self._form = Form(action, names.get("method", "get").casefold())
            self.forms.append(self._form)
        elif self._form is not None and names.get("name"):
            self._control(self._form, tag, names)
        elif tag == "option" and self._form is not None and self._select:
            chosen = self._form.values[self._select]
            if "selected" in names or not chosen:
                self._form.values[self._select] = [names.get("value", "")]

    def _control(self, form: Form, tag: str, names: dict[str, str]) -> None:
        name, kind = names["name"], names.get("type", "text").casefold()
        if tag == "textarea":
            self._area = name
            form.values[name] = [""]
            form.typed.append(name)
        elif tag == "select":
            self._select = name
            form.values[name] = []
            form.chosen.append(name)
        elif tag == "input" and kind == "file":
            form.files.append(name)
        elif tag == "input" and kind in {"checkbox", "radio"}:
            if name not in form.chosen:
                form.chosen.append(name)
            if kind == "radio" or "checked" in names:
                form.values.setdefault(name, [names.get("value", "on")])
        elif tag == "input" and kind in TEXTLIKE and name != "csrfmiddlewaretoken":
            form.values[name] = [names.get("value", "")]
            (form.typed if kind != "hidden" else form.chosen).append(name)

    def handle_data(self, data: str) -> None:
        if self._area and self._form is not None:
            self._form.values[self._area] = [self._form.values[self._area][0] + data]

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "textarea":
            self._area = ""
        elif tag == "select":
            self._select = ""

    def _see_what_runs(self, tag: str, names: dict[str, str]) -> None:
        """Anything that a payload could have made of itself."""
        if MARK in tag or any(MARK in name or name.startswith("on") for name in names):
            self.runs.append(f"{tag} {names}")
        if tag in {"script", "iframe", "object", "embed", "base", "svg"} and MARK in str(names):
            self.runs.append(f"{tag} {names}")
        for name in ("href", "src", "action", "formaction", "hx-get", "hx-post"):
            address = names.get(name, "").strip().casefold()
            if address.startswith(("javascript:", "data:text", "vbscript:")):
                self.runs.append(f"{tag} {name}={address}")


def is_ours(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme in {"", "http"} and parts.netloc in {"", "testserver"}


def is_page(address: str) -> bool:
    """Not an address to write or ring to."""
    return not address.startswith(("mailto:", "tel:"))
