"""Every page that any role reaches by links, and every form on them with every field attacked."""

import io
from collections.abc import Iterator
from datetime import timedelta
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import transaction
from django.http import Http404
from django.test import Client
from django.test import client as test_client
from django.urls import resolve
from django.utils import timezone

from config.demo import build
from organisations.models import User
from tests.security import files
from tests.security.crawler import MARK, Form, Page, is_ours, is_page

ROLES = {
    "clinic": "klinik.falun-ortopedi",
    "navigator": "lots.dalarna",
    "provider": "vardgivare.granhojden",
    "contract owner": "avtal.dalarna",
    "manager": "chef.dalarna",
    "region administrator": "admin.dalarna",
    "operator": "drift",
    "integration": "integration.halland",
}
# Kept by a field that takes text, and shown again: must be text wherever it stands.
STORED = (
    f"\"'><{MARK} onload={MARK}()><script>{MARK}()</script>{{{{7*7}}}}${{7*7}}'; DROP TABLE a; --"
)
ODD = "\u202eabc\u200b👩‍⚕️𝕏\ufffe漢ع ../../../etc/passwd\\..\\win.ini"
PAYLOADS = {
    "markup": STORED,
    "lines": "a\r\nSet-Cookie: x=1\r\n\r\n<html>" + ODD,
    "NUL": "a\x00b",
    "long": "9" * 20_000,
    "dates and numbers": "-1e308",
    "an impossible date": "9999-99-99T99:99",
}
PAGES_OF_A_KIND = 2


@pytest.fixture(scope="module")
def demonstration(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Fewer cases than the real one: each kind of page is enough."""
    with (
        django_db_blocker.unblock(),
        pytest.MonkeyPatch.context() as patch,
        transaction.atomic(),
    ):
        patch.setattr(build, "CASES", 12)
        # Nobody asks which templates were shown with what; to keep it is to copy all of it.
        patch.setattr(test_client, "store_rendered_templates", lambda *_args, **_kept: None)
        now = timezone.now() - timedelta(minutes=1)
        call_command("demo_data", "--at", now.isoformat(), stdout=io.StringIO())
        yield
        transaction.set_rollback(True)


pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("demonstration")]


def kind_of(address: str) -> tuple[Any, ...]:
    """What route an address leads to; pages of one route are one kind."""
    parts = urlsplit(address)
    try:
        found = resolve(parts.path)
    except Http404:
        return ("unknown", parts.path)
    words = {name: v for name, v in found.kwargs.items() if name in {"verb", "kind", "way"}}
    return (found.url_name, *sorted(words.items()), *sorted(_names(parts.query)))


def _names(query: str) -> set[str]:
    return {part.split("=")[0] for part in query.split("&") if part}


class Crawl:
    def __init__(self, login: str) -> None:
        self.client = Client(raise_request_exception=False)
        self.client.force_login(User.objects.get(login=login))
        self.cookies = self.client.cookies.output(header="", sep=";")
        self.seen: dict[tuple[Any, ...], int] = {}
        self.pages: list[Page] = []
        self.faults: list[str] = []

    def run(self) -> None:
        waiting, done = ["/"], set()
        while waiting:
            address = waiting.pop(0)
            if address in done:
                continue
            done.add(address)
            kind = kind_of(address)
            self.seen[kind] = self.seen.get(kind, 0) + 1
            if self.seen[kind] > PAGES_OF_A_KIND:
                continue
            page = self._open(address)
            if page is not None:
                self.pages.append(page)
                waiting += [link.split("#")[0] for link in page.links if is_ours(link)]

    def _open(self, address: str) -> Page | None:
        answer = self.client.get(address, follow=True)
        if answer.status_code >= 400:
            self.faults.append(f"{address}: {answer.status_code}")
        at = answer.request["PATH_INFO"]
        return self._look(answer, at=at, why=address)

    def _look(self, answer: Any, *, at: str, why: str) -> Page | None:
        for target in [
            answer.get("Location", ""),
            *(to for to, _s in getattr(answer, "redirect_chain", [])),
        ]:
            if not is_ours(target):
                self.faults.append(f"{why}: led to {target}")
        if answer.streaming or not answer["Content-Type"].startswith("text/html"):
            return None
        text = answer.content.decode()
        page = Page(text, at=at)
        self.faults += [f"{why}: {run}" for run in page.runs]
        if "$49" in text or ">49$" in text:
            self.faults.append(f"{why}: a template was run")
        page.links = [link for link in page.links if is_page(link)]
        self.faults += [f"{why}: link to {link}" for link in page.links if not is_ours(link)]
        return page

    def attack(self, form: Form, data: dict[str, Any], *, what: str) -> None:
        """Send it, look at the answer and at where it leads, and undo what it did."""
        why = f"{form.method} {form.action} {what}"
        self.client.cookies = SimpleCookie(self.cookies)
        with transaction.atomic():
            send = self.client.post if form.method == "post" else self.client.get
            answer = send(form.action, data)
            if answer.status_code >= 500:
                self.faults.append(f"{why}: {answer.status_code}")
            self._look(answer, at=urlsplit(form.action).path, why=why)
            if answer.status_code in {302, 303} and is_ours(answer["Location"]):
                after = self.client.get(answer["Location"], follow=True)
                if after.status_code >= 500:
                    self.faults.append(f"{why}, then {answer['Location']}: {after.status_code}")
                self._look(after, at=answer["Location"], why=why)
            transaction.set_rollback(True)


@pytest.fixture(scope="module")
def tried() -> set[tuple[Any, ...]]:
    """Kinds of forms attacked so far; what several roles share is attacked once."""
    return set()


def new_forms(crawl: Crawl, tried: set[tuple[Any, ...]]) -> Iterator[Form]:
    for page in crawl.pages:
        for form in page.forms:
            kind = (kind_of(form.action), form.method, *sorted(form.fields))
            if kind not in tried:
                tried.add(kind)
                yield form


@pytest.mark.parametrize("role", ROLES)
def test_no_link_is_broken_and_no_attack_on_a_form_comes_through(role, tried):
    crawl = Crawl(ROLES[role])
    crawl.run()
    assert crawl.faults == []
    assert len(crawl.pages) > (1 if role == "integration" else 2)
    for form in new_forms(crawl, tried):
        for name, payload in PAYLOADS.items() if form.typed else ():
            crawl.attack(form, form.data(**dict.fromkeys(form.typed, payload)), what=name)
        # A text may be the last thing wrong with a form; a choice is judged by itself.
        for name in form.typed:
            crawl.attack(form, form.data(**{name: STORED}), what=f"in {name}")
        if form.chosen:
            crawl.attack(form, form.data(**dict.fromkeys(form.chosen, ODD)), what="choices")
        for name in form.files:
            file = SimpleUploadedFile(f'../<{MARK}>".pdf', files.PDF, f"text/html;{MARK}")
            crawl.attack(form, form.data(**{name: file}), what=f"file in {name}")
        if not form.fields and not form.files:
            crawl.attack(form, {}, what="as it is")
    assert crawl.faults == []
