"""Attachments: PDF, JPEG and PNG by their content, at most 20 MB."""

import base64

import pytest

from organisations.errors import InvalidInput, NotAllowed, WrongState
from organisations.models import CareUnit
from referral import services
from referral.models import Attachment, CaseState, IntakeForm
from tests.factories import CareUnitFactory, clinic_actor, make_case, stockholm

pytestmark = pytest.mark.django_db

NOW = stockholm(2026, 3, 10, 9)

PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII="
)
JPEG = bytes.fromhex("ffd8ffe000104a46494600010100000100010000") + b"\x00" * 64 + b"\xff\xd9"


@pytest.fixture(autouse=True)
def _files_in_a_place_of_their_own(settings, tmp_path):
    settings.STORAGES = settings.STORAGES | {
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": tmp_path, "base_url": None},
        }
    }


@pytest.fixture
def clinic():
    return clinic_actor(CareUnitFactory(sends=True))


@pytest.fixture
def draft(clinic):
    unit = CareUnit.objects.get(pk=clinic.care_unit_id)
    return services.create_draft(actor=clinic, sending_unit=unit, now=NOW)


def add(draft, clinic, content: bytes, name: str = "bilaga.pdf") -> Attachment:
    return services.add_attachment(draft, name=name, content=content, actor=clinic, now=NOW)


@pytest.mark.parametrize(
    ("content", "kind"),
    [(PDF, "application/pdf"), (PNG, "image/png"), (JPEG, "image/jpeg")],
    ids=["pdf", "png", "jpeg"],
)
def test_pdf_png_and_jpeg_are_taken_whatever_they_are_called(draft, clinic, content, kind):
    assert add(draft, clinic, content, name="utan.ändelse").content_type == kind


OTHERS = {
    "html": b"<!DOCTYPE html><html><script>alert(1)</script></html>",
    "html that speaks of pdf": b"<html>%PDF-1.7</html>",
    "gif": b"GIF89a\x01\x00\x01\x00\x00\x00\x00;",
    "zip": b"PK\x03\x04" + b"\x00" * 40,
    "windows program": b"MZ\x90\x00" + b"\x00" * 60,
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>',
    "linux program": b"\x7fELF" + b"\x00" * 60,
    "text": b"vanlig text",
    "nothing": b"\x00",
}


@pytest.mark.parametrize("content", OTHERS.values(), ids=OTHERS)
@pytest.mark.parametrize("name", ["bilaga.pdf", "bild.png", "bild.jpg"])
def test_what_is_something_else_is_refused_whatever_it_is_called(draft, clinic, content, name):
    with pytest.raises(InvalidInput) as caught:
        add(draft, clinic, content, name=name)
    assert list(caught.value.fields) == ["file"]
    assert not Attachment.objects.exists()


def test_an_empty_file_is_refused(draft, clinic):
    with pytest.raises(InvalidInput, match="tom"):
        add(draft, clinic, b"")


def test_twenty_megabytes_are_taken_and_one_byte_more_is_refused(draft, clinic):
    whole = PDF + b"\x00" * (20 * 1024 * 1024 - len(PDF))
    assert add(draft, clinic, whole).size == 20 * 1024 * 1024
    with pytest.raises(InvalidInput, match="20 MB"):
        add(draft, clinic, whole + b"\x00")


def test_a_form_has_at_most_twenty_attachments(draft, clinic):
    for _ in range(20):
        add(draft, clinic, PNG)
    with pytest.raises(InvalidInput, match="högst 20"):
        add(draft, clinic, PNG)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\x\\remiss.pdf", "remiss.pdf"),
        ('a"b<c>.pdf', "abc.pdf"),
        ("", "bilaga"),
        ("...", "bilaga"),
        ("rad\r\nbryt.pdf", "radbryt.pdf"),
        ("röntgen åäö.pdf", "röntgen åäö.pdf"),
    ],
)
def test_a_name_is_only_a_name(draft, clinic, given, kept):
    assert add(draft, clinic, PDF, name=given).name == kept


def test_a_long_name_keeps_its_end(draft, clinic):
    name = add(draft, clinic, PDF, name="x" * 300 + ".pdf").name
    assert (len(name), name[-4:]) == (150, ".pdf")


def test_the_file_lies_under_a_random_name(draft, clinic):
    first, second = add(draft, clinic, PDF), add(draft, clinic, PDF)
    assert first.file.name != second.file.name
    assert "bilaga" not in first.file.name


def test_the_file_is_kept_as_it_came(draft, clinic):
    attachment = Attachment.objects.get(pk=add(draft, clinic, PNG).pk)
    assert attachment.file.read() == PNG


def test_another_clinic_adds_and_removes_nothing(draft, clinic):
    attachment = add(draft, clinic, PDF)
    other = clinic_actor(CareUnitFactory(sends=True))
    with pytest.raises(NotAllowed):
        add(draft, other, PDF)
    with pytest.raises(NotAllowed):
        services.remove_attachment(attachment, actor=other, now=NOW)


def test_a_submitted_form_takes_no_more_attachments():
    made = make_case(now=NOW)
    with pytest.raises(WrongState):
        add(made.case.form, made.clinic, PDF)


def test_a_returned_form_takes_attachments_again():
    made = make_case(CaseState.RETURNED, now=NOW)
    assert add(made.case.form, made.clinic, PDF).form == made.case.form


def test_a_removed_attachment_takes_its_file_along(
    draft, clinic, django_capture_on_commit_callbacks
):
    attachment = add(draft, clinic, PDF)
    storage, name = attachment.file.storage, attachment.file.name
    with django_capture_on_commit_callbacks(execute=True):
        services.remove_attachment(attachment, actor=clinic, now=NOW)
        assert storage.exists(name)  # until it is certain
    assert not storage.exists(name)
    assert not Attachment.objects.exists()


def test_a_discarded_draft_takes_its_files_along(draft, clinic, django_capture_on_commit_callbacks):
    attachment = add(draft, clinic, PDF)
    storage, name = attachment.file.storage, attachment.file.name
    with django_capture_on_commit_callbacks(execute=True):
        services.discard_draft(draft, actor=clinic, now=NOW)
    assert not storage.exists(name)
    assert not IntakeForm.objects.exists()
