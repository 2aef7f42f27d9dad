"""Attachments over the API: they come with the form, are listed on the case and can be fetched."""

import base64
from pathlib import Path
from typing import Any

import pytest

from referral.models import Attachment, Case
from tests.api.test_whole_way import Api, form
from tests.factories import CareUnitFactory, clinic_actor

pytestmark = pytest.mark.django_db

PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


@pytest.fixture(autouse=True)
def files(settings: Any, tmp_path: Path) -> Path:
    settings.STORAGES = settings.STORAGES | {
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": tmp_path, "base_url": None},
        }
    }
    return tmp_path


def attachment(content: bytes, name: str = "remiss.pdf") -> dict[str, str]:
    return {"name": name, "content": base64.b64encode(content).decode()}


def test_files_come_with_the_form_and_can_be_fetched_by_who_sees_the_case(api: Api) -> None:
    client = api(clinic_actor(CareUnitFactory(sends=True)))
    sent = client.post("/api/v1/cases/", form(attachments=[attachment(PDF)]))
    assert sent.status_code == 201, sent.content
    (listed,) = sent.json()["form"]["attachments"]
    assert (listed["name"], listed["content_type"]) == ("remiss.pdf", "application/pdf")
    address = f"/api/v1/cases/{sent.json()['number']}/attachments/{listed['id']}/"
    fetched = client.get(address)
    assert b"".join(fetched.streaming_content) == PDF
    assert "remiss.pdf" in fetched["Content-Disposition"]
    stranger = api(clinic_actor(CareUnitFactory(sends=True)))
    assert stranger.get(address).status_code == 404
    assert client.get(address.replace(str(listed["id"]), "999999999999")).status_code == 404


@pytest.mark.parametrize(
    ("files_given", "field"),
    [
        ([attachment(PDF), attachment(b"<html></html>")], "attachments.1"),
        ([attachment(b"")], "attachments"),
        ([{"name": "a.pdf", "content": "åäö"}], "attachments"),
        ([{"name": "a.pdf", "content": 17}], "attachments"),
        ([{"name": "a.pdf"}], "attachments"),
        ([attachment(PDF)] * 21, "attachments"),
        ("a.pdf", "attachments"),
    ],
    ids=["html", "empty", "not base64", "a number", "no content", "too many", "a text"],
)
def test_a_file_that_does_not_hold_leaves_neither_case_nor_file(
    api: Api, files: Path, files_given: Any, field: str
) -> None:
    client = api(clinic_actor(CareUnitFactory(sends=True)))
    answer = client.post("/api/v1/cases/", form(attachments=files_given))
    assert answer.status_code == 400, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert any(error["field"].startswith(field) for error in answer.json()["errors"])
    assert not Case.objects.exists()
    assert not Attachment.objects.exists()
    assert not [path for path in files.rglob("*") if path.is_file()]


def test_a_form_sent_twice_makes_one_case_and_the_second_answer_names_it(api: Api) -> None:
    client = api(clinic_actor(CareUnitFactory(sends=True)))
    first = client.post("/api/v1/cases/", form())
    second = client.post("/api/v1/cases/", form())
    assert second.status_code == 409
    assert second.json()["code"] == "case_running"
    assert first.json()["number"] in second.json()["detail"]
    assert Case.objects.count() == 1
