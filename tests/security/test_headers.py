"""What every answer bears, whatever kind of page it is."""

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.signals import got_request_exception
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from organisations.models import ApiToken
from organisations.scopes import Scope
from referral.models import CaseState
from tests.config.test_settings import PRODUCTION, read_settings
from tests.factories import RegionFactory, make_case, navigator_actor, user_of

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parents[2]
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains; preload",
}
POLICY = {
    "default-src 'self'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "object-src 'none'",
    "base-uri 'none'",
    # The region's identity provider, where logging out leads on (docs/decisions/0010).
    "form-action 'self' https://idp.example/",
    "frame-ancestors 'none'",
}


@pytest.fixture
def production(settings, monkeypatch):
    """The headers' and cookies' settings as they are in production."""
    real = read_settings(monkeypatch, PRODUCTION)
    monkeypatch.undo()
    for name, value in real.items():
        if name.startswith(("SECURE_", "SESSION_COOKIE", "CSRF_COOKIE", "X_FRAME", "CONTENT_")):
            setattr(settings, name, value)
    settings.ALLOWED_HOSTS = ["vardlots.example"]
    settings.DEBUG = False
    return settings


def page_client(**options):
    return Client(headers={"host": "vardlots.example"}, **options)


def kinds() -> dict[str, Any]:
    """An answer of every kind: pages, parts, refusals, files, JSON, redirects and faults."""
    made = make_case(CaseState.ACCEPTED)
    number = made.case.number
    lots = page_client(raise_request_exception=False)
    lots.force_login(user_of(made.navigator))
    strict = page_client(enforce_csrf_checks=True)
    strict.force_login(user_of(made.navigator))
    _row, token = ApiToken.objects.create(user_of(made.navigator), scopes=Scope.values)
    api = APIClient(headers={"host": "vardlots.example"})
    api.credentials(HTTP_AUTHORIZATION=f"Token {token}", HTTP_HOST="vardlots.example")
    case = reverse("case", args=[number])
    action = reverse("case-action", args=[number, "note"])
    return {
        "login": page_client().get("/login/", secure=True),
        "worklist": lots.get("/cases/", secure=True),
        "case": lots.get(case, secure=True),
        "part": lots.get(
            reverse("case-notices", args=[number]), secure=True, headers={"HX-Request": "true"}
        ),
        "form with an error": lots.post(action, {"text": ""}, secure=True),
        "file": lots.get(reverse("certificate", args=[number, 1]), secure=True),
        "spreadsheet": lots.get(reverse("statistics-csv"), secure=True),
        "redirect": lots.get("/", secure=True),
        "not found": lots.get("/nothing/", secure=True),
        "not allowed": lots.get(reverse("forms"), secure=True),
        "wrong method": lots.get(reverse("case-search"), secure=True),
        "form from elsewhere": strict.post(action, {"text": "x"}, secure=True),
        "wrong host": Client(headers={"host": "evil.example"}).get("/login/", secure=True),
        "session": lots.get(reverse("session-status"), secure=True),
        "API": api.get(f"/api/v1/cases/{number}/", secure=True),
        "API list": api.get("/api/v1/cases/", secure=True),
        "API refusal": api.post(f"/api/v1/cases/{number}/note/", {}, secure=True),
        "API without token": APIClient().get(
            "/api/v1/cases/", secure=True, HTTP_HOST="vardlots.example"
        ),
        "API schema": api.get("/api/schema/", secure=True),
        "API docs": api.get("/api/docs/", secure=True),
        "callback": page_client().post("/gateway/1177/callback/", b"{}", "text/x", secure=True),
    }


def test_every_kind_of_answer_bears_every_header(production):
    wrong = {}
    for name, answer in kinds().items():
        missing = {
            header: answer.headers.get(header)
            for header, value in HEADERS.items()
            if not (answer.headers.get(header) or "").startswith(value)
            and not (header == "Cache-Control" and "no-store" in answer.headers.get(header, ""))
        }
        policy = set(answer.headers.get("Content-Security-Policy", "").split("; "))
        if missing or policy != POLICY:
            wrong[name] = (missing, POLICY ^ policy)
        if answer.status_code < 300:
            assert "charset" in answer["Content-Type"] or not answer["Content-Type"].startswith(
                "text/"
            )
        assert "Server" not in answer.headers
        assert "X-Powered-By" not in answer.headers
        assert "Access-Control-Allow-Origin" not in answer.headers
    assert wrong == {}


def test_a_probe_s_answer_is_nothing_to_look_at_or_keep(production):
    """It is answered before all that is made for people, pages' headers included."""
    answer = page_client().get("/healthz", secure=True)
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cache-Control"] == "no-store"
    assert not answer["Content-Type"].startswith("text/html")


def test_an_answer_of_the_api_is_a_download_to_a_browser(production):
    for name, answer in kinds().items():
        if name.startswith("API") and "json" in answer["Content-Type"]:
            assert answer["Content-Disposition"] == 'attachment; filename="api.json"', name


def test_a_fault_bears_them_too_and_tells_nothing(production, monkeypatch):
    made = make_case()
    client = page_client(raise_request_exception=False)
    client.force_login(user_of(made.navigator))

    def fails(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError("the inside of the machine")

    monkeypatch.setattr("referral.views.worklist.worklist", fails)
    seen = []
    listen = lambda **_kwargs: seen.append(True)  # noqa: E731 – kept alive by name
    got_request_exception.connect(listen)
    answer = client.get("/cases/", secure=True)
    assert (answer.status_code, seen) == (500, [True])
    assert b"inside of the machine" not in answer.content
    assert b"Traceback" not in answer.content
    assert {k: answer.headers.get(k) for k in HEADERS} == HEADERS
    assert set(answer["Content-Security-Policy"].split("; ")) == POLICY


@pytest.mark.parametrize("host", ["evil.example", "vardlots.example.evil.example", "a b", "x@y"])
def test_a_host_that_is_not_ours_is_refused(production, host):
    answer = Client(headers={"host": host}, raise_request_exception=False).get(
        "/login/", secure=True
    )
    assert answer.status_code == 400
    assert "Location" not in answer


def test_plain_http_is_led_to_https_and_nowhere_else(production):
    answer = page_client().get("/login/?next=//evil.example")
    assert answer.status_code == 301
    assert answer["Location"].startswith("https://vardlots.example/login/")


def test_cookies_are_for_this_host_over_tls_and_out_of_reach_of_scripts(production):
    user = user_of(navigator_actor(RegionFactory()))
    user.set_password("correct horse battery")
    user.save()
    answer = page_client().post(
        "/login/", {"username": user.login, "password": "correct horse battery"}, secure=True
    )
    cookies = answer.cookies
    assert cookies.keys() == {"__Host-sessionid", "__Host-csrftoken"}
    for cookie in cookies.values():
        assert cookie["httponly"]
        assert cookie["secure"]
        assert cookie["samesite"] == "Lax"
        assert cookie["path"] == "/"
        assert not cookie["domain"]
    assert not cookies["__Host-sessionid"]["max-age"]  # ends with the browser


def test_a_form_from_elsewhere_is_told_in_swedish_and_changes_nothing(production):
    made = make_case(CaseState.IN_PROGRESS)
    client = page_client(enforce_csrf_checks=True)
    client.force_login(user_of(made.navigator))
    address = reverse("case-action", args=[made.case.number, "note"])
    answer = client.post(address, {"text": "x"}, secure=True)
    assert answer.status_code == 403
    assert "Formuläret kunde inte tas emot" in answer.content.decode()
    assert not made.case.log.filter(verb="note").exists()


class _Inline(HTMLParser):
    """Finds what the policy would stop."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        if tag == "style" or (tag == "script" and "src" not in names):
            self.found.append(f"<{tag}>")
        for name, value in attrs:
            if re.fullmatch(r"on[a-z]+|style|srcdoc", name):
                self.found.append(f"{tag} {name}")
            if (value or "").strip().casefold().startswith(("javascript:", "http:", "//")):
                self.found.append(f"{tag} {name}={value}")


@pytest.mark.parametrize(
    "path", sorted((ROOT / "templates").rglob("*.html")), ids=lambda path: path.stem
)
def test_no_template_holds_anything_inline_or_from_elsewhere(path):
    parser = _Inline()
    parser.feed(path.read_text())
    assert parser.found == []
    assert "|safe" not in path.read_text()
    assert "autoescape off" not in path.read_text()


def test_debug_pages_and_demo_are_off_in_production(monkeypatch):
    real = read_settings(monkeypatch, PRODUCTION | {"DEBUG": "1"})
    assert (real["DEBUG"], real["DEMO"]) == (False, False)
    assert "django.contrib.auth.backends.ModelBackend" not in real["AUTHENTICATION_BACKENDS"]
    assert "django.contrib.admin" not in django_settings.INSTALLED_APPS
