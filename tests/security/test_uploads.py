"""Uploads: type by content, nothing that acts, stored unseen, handed out as a download."""

import contextlib
import time
import zipfile
from io import BytesIO

import openpyxl
import pytest
from django.conf import settings as django_settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import settings as example_settings
from hypothesis import strategies as st

from contracts.services import documents
from organisations.errors import InvalidInput
from organisations.models import CareUnit
from organisations.uploads import DOCX, JPEG, PDF, PNG, XLSX, checked_type
from referral import services
from referral.models import Attachment, CaseState
from tests.factories import (
    CareUnitFactory,
    ContractFactory,
    clinic_actor,
    contract_owner_actor,
    make_case,
    user_of,
)
from tests.security import files

ALL = {PDF, JPEG, PNG, DOCX, XLSX}


def kind_of(content: bytes) -> str:
    return checked_type(content, allowed=ALL, refusal="fel slag")


def workbook() -> bytes:
    out = BytesIO()
    openpyxl.Workbook().save(out)
    return out.getvalue()


HARMLESS = {
    "pdf": (files.PDF, PDF),
    "pdf with a link": (files.pdf(b"/A<</S/URI/URI(https://a.example)>>"), PDF),
    "pdf with compressed text": (files.pdf_with_stream(b"BT (Launch of JavaScript) Tj ET"), PDF),
    "png": (files.PNG, PNG),
    "jpeg": (files.JPEG, JPEG),
    "docx": (files.docx(), DOCX),
    "docx with a link": (files.docx(relation="hyperlink"), DOCX),
    "xlsx": (workbook(), XLSX),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_documents_that_only_show_something_are_taken(name):
    content, kind = HARMLESS[name]
    assert kind_of(content) == kind


ACTIVE = {
    "pdf with javascript": files.pdf(b"/OpenAction<</S/JavaScript/JS(app.alert(1))>>"),
    "pdf with javascript spelled out": files.pdf(b"/OpenAction<</S/J#61va#53cript/JS(x)>>"),
    "pdf with javascript in a compressed object": files.pdf_with_stream(
        b"1 0 <</S/JavaScript/JS(app.alert(1))>>"
    ),
    "pdf with javascript where two pieces meet": files.pdf_with_stream(
        bytes(i % 251 for i in range(70_000)) + b"<</S/JavaScript>>"
    ),
    "pdf that starts a program": files.pdf(b"/OpenAction<</S/Launch/F(cmd.exe)>>"),
    "pdf with an embedded file": files.pdf(b"/Names<</EmbeddedFiles 2 0 R>>"),
    "pdf with a film": files.pdf(b"/Subtype/RichMedia"),
    "pdf with an XFA form": files.pdf(b"/AcroForm<</XFA 3 0 R>>"),
    "pdf that sends its form": files.pdf(b"/A<</S/SubmitForm/F(https://a.example)>>"),
    "pdf that cannot be looked through": files.pdf(b"/Encrypt 4 0 R"),
    "pdf that is a zip file too": files.PDF + files.ZIP_END,
    "png that is a zip file too": files.PNG + files.ZIP_END,
    "jpeg that is a page too": files.JPEG + b"<ScRiPt>alert(1)</sCrIpT>",
    "png with svg inside": files.PNG + b"<svg onload='x'>",
    "png that is php too": files.PNG + b"<?php system('id') ?>",
    "jpeg that is a pdf too": files.JPEG[:20] + files.PDF + files.JPEG[20:],
    "docx with macros": files.docx(more={"word/vbaProject.bin": b"x"}),
    "docx with macros by its type": files.docx(
        types=b'<Default Extension="bin" ContentType="application/vnd.ms-word.document.'
        b'macroEnabled.main+xml"/>'
    ),
    "docx with an embedded program": files.docx(more={"word/embeddings/oleObject1.bin": b"x"}),
    "docx with ActiveX": files.docx(more={"word/activeX/activeX1.bin": b"x"}),
    "docx that fetches its template": files.docx(relation="attachedTemplate"),
    "docx that fetches an object": files.docx(relation="oleObject"),
    "docx with entities": files.docx(
        more={"x.rels": b'<!DOCTYPE a [<!ENTITY b "c">]><Relationships>&b;</Relationships>'}
    ),
    "docx that unpacks without end": files.docx(more={"word/media/a.png": bytes(30_000_000)}),
    "docx with thousands of parts": files.docx(more={f"a/{n}": b"" for n in range(5_001)}),
    "docx cut short": files.docx()[:-40],
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "html": b"<!doctype html><script>alert(1)</script>",
    "xml": b'<?xml version="1.0"?><a/>',
    "zip": files.zipped({"a.txt": b"x"}),
    "old word document": bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600),
    "program": b"MZ\x90\x00" + bytes(60),
}


@pytest.mark.parametrize("name", ACTIVE)
def test_a_file_that_acts_or_is_two_things_is_refused_in_words(name):
    with pytest.raises(InvalidInput) as caught:
        kind_of(ACTIVE[name])
    assert caught.value.fields.keys() == {"file"}


def test_a_refusal_says_what_to_do():
    with pytest.raises(InvalidInput, match="Skriv ut den till en ny PDF"):
        kind_of(ACTIVE["pdf with javascript"])


@example_settings(max_examples=60)
@given(
    st.sampled_from([b"", b"%PDF-1.7\n", b"PK\x03\x04", *(c for c, _k in HARMLESS.values())]),
    st.data(),
)
def test_no_bytes_break_the_check(start, data):
    content = bytearray(start + data.draw(st.binary(max_size=60)))
    for _n in range(data.draw(st.integers(0, 4))):
        if content:
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(InvalidInput):
        assert kind_of(bytes(content)) in ALL


@pytest.mark.parametrize(
    "piece", [b"stream\n", b"stream\nx\x9c", b"/J#61", b"/#4", b"<", b"/JavaScrip", b"PK\x05"]
)
def test_the_check_takes_time_in_proportion_to_the_file(piece):
    def seconds(size: int) -> float:
        content = b"%PDF-1.7\n" + piece * (size // len(piece))
        started = time.process_time()
        with contextlib.suppress(InvalidInput):
            kind_of(content)
        return time.process_time() - started

    small = min(seconds(200_000) for _n in range(3))
    assert seconds(1_600_000) < 8 * 4 * max(small, 0.002)


@pytest.fixture
def kept_here(settings, tmp_path):
    settings.STORAGES = settings.STORAGES | {
        "default": settings.STORAGES["default"]
        | {"OPTIONS": {"location": tmp_path, "base_url": None}}
    }
    return tmp_path


@pytest.mark.django_db
def test_both_ways_in_refuse_the_same(kept_here):
    clinic = clinic_actor(CareUnitFactory(sends=True))
    unit, now = CareUnit.objects.get(pk=clinic.care_unit_id), timezone.now()
    draft = services.create_draft(actor=clinic, sending_unit=unit, now=now)
    contract = ContractFactory()
    owner = contract_owner_actor(contract.owner_region)
    content = ACTIVE["pdf with javascript"]
    with pytest.raises(InvalidInput):
        services.add_attachment(draft, name="a.pdf", content=content, actor=clinic, now=now)
    with pytest.raises(InvalidInput):
        documents.add_document(contract, name="a.pdf", content=content, actor=owner, now=now)
    assert not list(kept_here.rglob("*.*"))


@pytest.mark.django_db
def test_a_file_lies_outside_the_web_root_under_a_name_nobody_can_guess_and_not_as_it_came(
    kept_here, client
):
    made = make_case(CaseState.RETURNED)
    client.force_login(user_of(made.clinic))
    client.post(
        reverse("form-attachments", args=[made.case.form.pk]),
        {"file": SimpleUploadedFile("../../static/x.html", files.PDF, "text/html")},
    )
    attachment = Attachment.objects.get()
    assert (attachment.name, attachment.content_type) == ("x.html", PDF)
    (stored,) = [path for path in kept_here.rglob("*") if path.is_file()]
    assert len(stored.name) >= 32
    assert "x.html" not in stored.name
    assert b"%PDF" not in stored.read_bytes()
    place = django_settings.DATA_DIR / "attachments"
    for root in (django_settings.STATIC_ROOT, *django_settings.STATICFILES_DIRS):
        assert not place.is_relative_to(root)
    assert client.get(f"/{attachment.file.name}").status_code == 404


@pytest.mark.django_db
def test_a_file_comes_out_as_a_download_of_its_own_type_whatever_it_was_called(kept_here, client):
    made = make_case(CaseState.RETURNED)
    services.add_attachment(
        made.case.form,
        name='x";\r\nX: y.html',
        content=files.PDF,
        actor=made.clinic,
        now=timezone.now(),
    )
    client.force_login(user_of(made.clinic))
    address = reverse("attachment", args=[made.case.number, Attachment.objects.get().pk])
    answer = client.get(address)
    assert answer["Content-Type"] == PDF
    assert answer["Content-Disposition"].startswith("attachment;")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in answer["Cache-Control"]
    assert "X" not in answer


def test_a_password_on_a_zip_is_told(tmp_path):
    content = bytearray(files.docx())
    first = content.index(b"PK\x01\x02")
    content[first + 8] |= 1  # the flag that says encrypted (APPNOTE 4.4.4)
    assert zipfile.is_zipfile(BytesIO(bytes(content)))
    with pytest.raises(InvalidInput, match="lösenord"):
        kind_of(bytes(content))
