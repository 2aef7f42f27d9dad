"""Where the demonstration is off there is no password: no form, no address, no backend."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.factories import RegionFactory, navigator_actor, user_of

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = """
import json
import django
django.setup()
from django.conf import settings
from django.contrib.auth import authenticate
from django.test import Client
client = Client()
print(json.dumps({
    "form": "password" in client.get("/login/").content.decode(),
    "post": client.post("/login/", {"username": "x", "password": "y"}).status_code,
    "api": client.post("/api/v1/login/", "{}", content_type="application/json").status_code,
    "backends": settings.AUTHENTICATION_BACKENDS,
    "api_get": client.get("/api/v1/login/").status_code,
    "schema": "/api/v1/login/" in client.get("/api/schema/?format=json").json()["paths"],
}))
"""


def test_without_demo_no_password_login_exists_anywhere() -> None:
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=ROOT,
        env=os.environ | {"VARDLOTS_DEMO": "false", "DJANGO_SETTINGS_MODULE": "config.settings"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout.splitlines()[-1]) == {
        "form": False,
        "post": 405,
        "api": 404,
        "api_get": 404,
        "backends": ["organisations.login.backends.SithsBackend"],
        "schema": False,
    }


@pytest.mark.django_db
def test_the_page_leads_to_siths_where_it_is_set_up(settings: Any, client: Client) -> None:
    settings.DEMO = False
    assert "inte inställd" in client.get("/login/").content.decode()
    settings.OIDC_ISSUER, settings.OIDC_CLIENT_ID = "https://idp.example", "vardlots"
    page = client.get("/login/?next=/forms/").content.decode()
    assert "/login/siths/?next=%2Fforms%2F" in page
    assert 'type="password"' not in page


@pytest.mark.django_db
def test_the_demonstrations_login_still_serves(client: Client) -> None:
    user = user_of(navigator_actor(RegionFactory()))
    user.set_password("correct horse battery")
    user.save()
    page = client.get("/login/?next=/cases/").content.decode()
    assert 'type="password"' in page
    body = {"username": user.login, "password": "correct horse battery", "next": "/cases/"}
    answer = client.post("/login/", body)
    assert (answer.status_code, answer["Location"]) == (302, "/cases/")
