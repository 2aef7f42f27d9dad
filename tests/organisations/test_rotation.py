"""Keys are exchanged in everything that is encrypted, broken off and taken up again if need be."""

import io
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection, models
from django.utils import timezone

from notices.callbacks.services import ask_for_call
from notices.models import GatewayCallback
from organisations import rotation
from organisations.encrypted import encrypted_fields, hash_fields
from organisations.keys import CannotDecrypt, new_ring
from organisations.models import KeptText, User
from organisations.storage import EncryptedFileSystemStorage
from patients.identity import IdentityNumber
from patients.models import Patient
from patients.selectors import patient_with
from patients.services import ContactDetails
from referral import services
from referral.models import CaseState, IntakeForm
from tests.factories import WAIT_IS_KNOWN, MadeCase, make_case, user_of
from tests.organisations.test_encryption import as_owner as as_owner

OLD, NEW = new_ring("k1"), new_ring("k2")
PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF"
ENCRYPTED = [(m, f) for m in apps.get_models() for f in encrypted_fields(m)]
HASHED = [(m, f) for m in apps.get_models() for f in hash_fields(m)]


def everything_encrypted() -> tuple[MadeCase, IntakeForm]:
    """A row with something in every encrypted column, and files behind it."""
    now = timezone.now()
    made = make_case(
        CaseState.IN_PROGRESS,
        street="Provgatan 1",
        postal_code="30231",
        town="Halmstad",
        phone="070-1740699",
    )
    contact = ContactDetails(
        given_name="A", family_name="B", street="Provgatan 2", postal_code="30231", town="Halmstad"
    )
    services.correct_patient(
        made.case, contact=contact, reason="Flyttat.", actor=made.clinic, now=now
    )
    Patient.objects.update(phone="070-1740699")
    User.objects.filter(pk=user_of(made.navigator).pk).update(
        home_street="Provgatan 7", home_postal_code="30231"
    )
    user_of(made.navigator).save()  # the hash follows
    offer = services.send_offer(
        made.case, line=made.line, actor=made.navigator, now=now, wishes=WAIT_IS_KNOWN
    )
    services.answer_offer(offer, accepted=True, channel="phone", actor=made.navigator, now=now)
    draft = services.create_draft(actor=made.clinic, sending_unit=made.unit, now=now)
    for name in ("a.pdf", "b.pdf", "c.pdf"):
        services.add_attachment(draft, name=name, content=PDF, actor=made.clinic, now=now)
    ask_for_call(made.case, about="Resan", phone="070-1740699", actor=made.navigator, now=now)
    GatewayCallback.objects.create(
        delivery_id="1", received_at=now, payload={"answer": "yes"}, outcome="x"
    )
    KeptText.objects.create(
        user=user_of(made.clinic), worked_as="x", action="/x/", fields={"a": "b"}, saved_at=now
    )
    return made, draft


def stored(model: type[models.Model], field: Any) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {field.column} FROM {model._meta.db_table} WHERE {field.column} <> ''"
        )
        return [text for (text,) in cursor.fetchall()]


def all_in_plain() -> dict[str, list[Any]]:
    return {
        f"{model.__name__}.{field.name}": [
            getattr(row, field.name) for row in model._base_manager.order_by("pk")
        ]
        for model, field in ENCRYPTED
    }


def rotate() -> str:
    said = io.StringIO()
    call_command("rotate_keys", stdout=said)
    return said.getvalue()


@pytest.fixture
def rows(as_owner: Any, settings: Any) -> tuple[MadeCase, IntakeForm]:
    settings.ENCRYPTION_KEYS = settings.HASH_KEYS = OLD
    made = everything_encrypted()
    for model, field in (*ENCRYPTED, *HASHED):
        assert stored(model, field), f"nothing in {model.__name__}.{field.name}"
    return made


def assert_all_is_read_with_the_new_key_alone(
    rows: tuple[MadeCase, IntakeForm], plain: dict[str, list[Any]], settings: Any
) -> None:
    made, draft = rows
    settings.ENCRYPTION_KEYS = settings.HASH_KEYS = NEW
    for model, field in ENCRYPTED:
        assert all(text.startswith("v1.k2.") for text in stored(model, field)), field
    for model, hashed in HASHED:
        assert all(text.startswith("k2.") for text in stored(model, hashed)), hashed
    assert all_in_plain() == plain
    for attachment in draft.attachments.all():
        with attachment.file.open("rb") as file:
            assert file.read() == PDF
    number = IdentityNumber.parse(Patient.objects.get().identity_number, today=timezone.localdate())
    assert patient_with(number) == made.patient
    assert (
        Patient.objects.get().neighbourhood_hash
        == User.objects.exclude(home_hash="").get().home_hash
    )


def test_after_a_rotation_everything_is_read_and_found_without_the_old_key(rows, settings):
    plain = all_in_plain()
    settings.ENCRYPTION_KEYS = settings.HASH_KEYS = f"{NEW},{OLD}"
    rotate()
    assert "Totalt: 0" in rotate()
    assert_all_is_read_with_the_new_key_alone(rows, plain, settings)


@pytest.mark.parametrize("where", ["columns", "hashes", "files"])
def test_a_rotation_that_is_broken_off_is_taken_up_again(where, rows, settings, monkeypatch):
    """Meanwhile both keys are known and everything is read."""
    plain = all_in_plain()
    settings.ENCRYPTION_KEYS = settings.HASH_KEYS = f"{NEW},{OLD}"
    monkeypatch.setattr(rotation, "BATCH", 1)
    with monkeypatch.context() as patch:
        owner, name = {
            "columns": (rotation, "seal"),
            "hashes": (rotation.KeyedHashField, "digests"),
            "files": (EncryptedFileSystemStorage, "reencrypt"),
        }[where]
        patch.setattr(owner, name, once(getattr(owner, name)))
        with pytest.raises(KeyboardInterrupt):
            rotate()
    assert all_in_plain() == plain
    assert "Totalt: 0" not in rotate()
    assert_all_is_read_with_the_new_key_alone(rows, plain, settings)


def once(work: Any) -> Any:
    """Does its work once; the second time somebody presses Ctrl-C."""
    calls = []

    def guarded(*args: Any, **options: Any) -> Any:
        calls.append(1)
        if len(calls) > 1:
            raise KeyboardInterrupt
        return work(*args, **options)

    return guarded


def test_without_the_old_key_nothing_that_was_not_rotated_is_read(rows, settings):
    settings.ENCRYPTION_KEYS = settings.HASH_KEYS = NEW
    for model, _field in ENCRYPTED:
        with pytest.raises(CannotDecrypt):
            list(model._base_manager.all())
