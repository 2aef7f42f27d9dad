"""The product calls the addresses in its settings and no others."""

import ast
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from django import forms
from django.apps import apps
from django.core import mail
from django.db import models
from django.test import Client
from django.urls import reverse
from rest_framework import serializers

from config.api import ProblemSchemaGenerator
from notices.gateways import GatewayError, InboxMessage, send_message
from organisations.login import openid

ROOT = Path(__file__).resolve().parents[2]
APPS = ("organisations", "patients", "contracts", "capacity", "referral", "notices", "statistics")
# Who may open a connection, and to what. All else goes through PostgreSQL, Redis and Django's mail.
CALLERS = {
    "notices/gateways/transport.py": "VARDLOTS_GATEWAY_URL",
    "notices/gateways/printing.py": "VARDLOTS_PRINT_SFTP",
    "notices/gateways/mail.py": "only names smtplib's errors; Django's mail calls EMAIL_URL",
    "organisations/login/openid.py": "VARDLOTS_OIDC_ISSUER and VARDLOTS_IDENTITY_ISSUER",
    "config/management/commands/start.py": "the web process it started itself",
    "config/embedded/places.py": "whether a port of this machine is free",
}
CLIENTS = {
    "httpx",
    "requests",
    "urllib3",
    "aiohttp",
    "socket",
    "smtplib",
    "ftplib",
    "asyncssh",
    "http",
    "urllib",
}
HARMLESS = {"urllib.parse", "http.HTTPStatus"}


def sources() -> Iterator[tuple[str, ast.Module]]:
    for top in (*APPS, "config"):
        for path in (ROOT / top).rglob("*.py"):
            name = path.relative_to(ROOT).as_posix()
            if "/simulator/" not in name and "/migrations/" not in name:
                yield name, ast.parse(path.read_text())


def test_few_modules_can_call_out_and_each_is_known():
    found = set()
    for name, tree in sources():
        for node in ast.walk(tree):
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            if any(n.split(".")[0] in CLIENTS and n not in HARMLESS for n in names):
                found.add(name)
    assert found <= CALLERS.keys()
    assert {"notices/gateways/transport.py", "organisations/login/openid.py"} <= found


def test_no_row_form_or_body_holds_an_address_to_call():
    fields = [
        f"{model.__name__}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if isinstance(field, models.URLField) or field.name.endswith(("url", "uri", "webhook"))
    ]
    assert fields == []

    def below(kind: Any) -> Iterator[Any]:
        for one in kind.__subclasses__():
            yield one
            yield from below(one)

    for form in below(forms.BaseForm):
        if form.__module__.split(".")[0] in APPS:
            declared = getattr(form, "base_fields", {})
            assert not [n for n, field in declared.items() if isinstance(field, forms.URLField)]
    for serializer in below(serializers.Serializer):
        declared = getattr(serializer, "_declared_fields", {})
        if serializer.__module__.split(".")[0] in APPS:
            assert not [n for n, f in declared.items() if isinstance(f, serializers.URLField)]
    schema = ProblemSchemaGenerator().get_schema(request=None, public=True)
    bodies = [name for name in schema["components"]["schemas"] if "Webhook" in name]
    assert bodies == []


class _Answers(BaseHTTPRequestHandler):
    location = ""

    def do_POST(self) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        self.send_response(307 if self.server.leads_to else 200)  # type: ignore[attr-defined]
        if self.server.leads_to:  # type: ignore[attr-defined]
            self.send_header("Location", self.server.leads_to)  # type: ignore[attr-defined]
        self.end_headers()
        self.wfile.write(b'{"message_id": "stolen"}')

    do_GET = do_POST

    def log_message(self, *_args: object) -> None:
        pass


@contextmanager
def server(leads_to: str = "") -> Iterator[HTTPServer]:
    made = HTTPServer(("127.0.0.1", 0), _Answers)
    made.asked, made.leads_to = [], leads_to  # type: ignore[attr-defined]
    thread = threading.Thread(target=made.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.shutdown()
        made.server_close()
        thread.join()


MESSAGE = InboxMessage(
    recipient="191212121212",
    sender_hsa_id="http://127.0.0.1:1/",
    sender_name="//evil.example",
    subject="@evil.example",
    body="http://evil.example",
    reference="../../x",
    thread="?x=#",
    answerable=True,
)


def test_the_gateway_leads_nowhere_else(settings):
    with server() as elsewhere, server(f"http://127.0.0.1:{elsewhere.server_port}/x") as gateway:
        settings.GATEWAY_URL = f"http://127.0.0.1:{gateway.server_port}"
        with pytest.raises(GatewayError):
            send_message(MESSAGE, key="a")
        assert gateway.asked == ["/1177/messages"]  # type: ignore[attr-defined]
        assert elsewhere.asked == []  # type: ignore[attr-defined]


@pytest.mark.django_db
def test_the_identity_provider_leads_nowhere_else(settings):
    with server() as elsewhere, server(f"http://127.0.0.1:{elsewhere.server_port}/x") as provider:
        settings.OIDC_ISSUER = f"http://127.0.0.1:{provider.server_port}"
        settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET = "a", "b"
        openid.client_for.cache_clear()
        answer = Client().get(reverse("siths-start"))
        assert answer.status_code == 503
        assert provider.asked == ["/.well-known/openid-configuration"]  # type: ignore[attr-defined]
        assert elsewhere.asked == []  # type: ignore[attr-defined]


def test_mail_goes_by_the_server_in_the_settings(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "mail.example", 587
    connection = mail.get_connection()
    assert (connection.host, connection.port) == ("mail.example", 587)
    source = (ROOT / "notices" / "sending.py").read_text()
    assert "get_connection" not in source or "host" not in source
