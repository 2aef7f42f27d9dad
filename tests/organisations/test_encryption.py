"""What is encrypted at rest, and that keys can be exchanged (docs/decisions/0006-encryption.md)."""

import io

import pytest
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from organisations.keys import CannotDecrypt, KeyRing, new_ring
from organisations.sealing import seal, unseal
from organisations.storage import EncryptedFileSystemStorage
from patients.models import Patient
from patients.selectors import identity_hashes
from referral.models import CaseState
from tests.factories import PatientFactory, make_case

OLD, NEW = new_ring("k1"), new_ring("k2")
BOTH = f"{NEW},{OLD}"


def stored(table: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT t::text FROM {table} t")
        return "\n".join(row for (row,) in cursor.fetchall())


@pytest.fixture
def as_owner(db):
    """The rotation's role: the one that owns the tables."""
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
        yield
        cursor.execute("SET ROLE vardlots_app")


def rotated(**options: bool) -> str:
    said = io.StringIO()
    call_command("rotate_keys", stdout=said, **options)
    return said.getvalue()


@given(st.text(min_size=1, alphabet=st.characters(codec="utf-8")))
def test_what_is_sealed_comes_back_and_only_where_it_was_written(text):
    sealed = seal(text, context="a.b")
    assert unseal(sealed, context="a.b") == text
    assert len(text) < 4 or text not in sealed
    with pytest.raises(CannotDecrypt):
        unseal(sealed, context="a.c")


@given(st.integers(min_value=7), st.characters(min_codepoint=32, max_codepoint=126))
def test_a_changed_character_is_never_read(place, other):
    sealed = seal("Provgatan 1", context="a.b")
    place %= len(sealed)
    changed = sealed[:place] + other + sealed[place + 1 :]
    try:
        read = unseal(changed, context="a.b")
    except CannotDecrypt:
        return
    # Base64 has spare bits and signs that it skips: then nothing was changed.
    assert read == "Provgatan 1"


@pytest.mark.parametrize(
    "text",
    ["", "k1", "k1:abc", "K1:" + "A" * 43 + "=", f"{OLD},{OLD}", ":"],
    ids=["empty", "no key", "short", "capital", "twice", "nothing"],
)
def test_a_bad_ring_is_refused_without_telling_the_key(text):
    with pytest.raises(ImproperlyConfigured) as caught:
        KeyRing.parse(text)
    assert "A" * 20 not in str(caught.value)
    assert OLD.split(":")[1] not in str(caught.value) + repr(KeyRing.parse(OLD))


@pytest.mark.django_db
def test_identity_number_address_and_phone_do_not_lie_in_the_database():
    made = make_case(CaseState.ACCEPTED, street="Hemvägen 77", town="Gömorten", phone="070-1740699")
    number = made.patient.identity_number
    for table in (
        "patients_patient",
        "referral_intakeform",
        "referral_intakeformversion",
        "referral_certificate",
        "organisations_domainevent",
        "referral_caselog",
        "notices_notice",
        "organisations_accesslog",
    ):
        text = stored(table)
        for secret in (number, number[2:], f"{number[:8]}-{number[8:]}", "Hemvägen", "070-1740699"):
            assert secret not in text, (table, secret)
    patient = Patient.objects.get()
    assert (patient.identity_number, patient.street) == (number, "Hemvägen 77")


@pytest.mark.django_db
@pytest.mark.parametrize("condition", [{"street": "X"}, {"town__icontains": "x"}])
def test_a_filter_that_could_find_nothing_is_refused(condition):
    with pytest.raises(FieldError):
        list(Patient.objects.filter(**condition))


@pytest.mark.django_db
@pytest.mark.parametrize(
    "details",
    [{"identity_number": "1940", "birth_date": None}, {"postal_code": "302 3"}, {"town": "x" * 61}],
)
def test_the_field_holds_the_shape_that_the_database_cannot_see(details):
    with pytest.raises(ValueError, match=next(iter(details))):
        PatientFactory(**details)


@pytest.mark.django_db
def test_two_patients_never_share_an_identity_number_and_the_refusal_does_not_quote_it():
    patient = PatientFactory()
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        PatientFactory(identity_number=patient.identity_number)
    assert patient.identity_number not in str(caught.value)


@pytest.mark.django_db
def test_a_value_moved_to_another_column_is_not_read():
    patient = PatientFactory(street="Provgatan 1")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE patients_patient SET town = street")
    with pytest.raises(CannotDecrypt):
        Patient.objects.get(pk=patient.pk)


def test_rotation_leaves_nothing_under_the_old_key(as_owner, settings):
    settings.ENCRYPTION_KEYS, settings.HASH_KEYS = OLD, OLD
    made = make_case(CaseState.ACCEPTED, street="Provgatan 1")
    number = made.patient.identity_number
    settings.ENCRYPTION_KEYS, settings.HASH_KEYS = BOTH, BOTH

    would = rotated(dry_run=True)
    assert "patients_patient.identity_number: 1 att kryptera om" in would
    assert ".k1." not in rotated()
    assert "Totalt: 0" in rotated()

    settings.ENCRYPTION_KEYS, settings.HASH_KEYS = NEW, NEW
    patient = Patient.objects.get()
    assert (patient.identity_number, patient.street) == (number, "Provgatan 1")
    assert patient.identity_hash.startswith("k2.")
    form = made.refresh().form
    assert form.typed["identity_number"] == form.versions.get().content["identity_number"]


@pytest.mark.django_db
def test_a_patient_is_found_while_hashes_of_two_keys_lie_side_by_side(settings):
    settings.HASH_KEYS = OLD
    made = make_case()
    settings.HASH_KEYS = BOTH
    again = make_case(identity_number=made.patient.identity_number, kva="CJE20")
    assert again.patient.pk == made.patient.pk
    assert again.patient.identity_hash.startswith("k2.")


def test_rotation_without_the_old_key_says_which_key_is_missing(as_owner, settings):
    settings.ENCRYPTION_KEYS = OLD
    PatientFactory()
    settings.ENCRYPTION_KEYS = NEW
    with pytest.raises(CommandError, match="'k1' is missing"):
        rotated()


def test_a_file_lies_encrypted_and_is_rotated(tmp_path, settings):
    settings.ENCRYPTION_KEYS = OLD
    storage = EncryptedFileSystemStorage(location=tmp_path)
    storage.save("a", ContentFile(b"%PDF-1.7 journal"))
    assert b"journal" not in (tmp_path / "a").read_bytes()
    settings.ENCRYPTION_KEYS = BOTH
    assert not storage.is_current("a")
    storage.reencrypt("a")
    settings.ENCRYPTION_KEYS = NEW
    assert storage.is_current("a")
    with storage.open("a") as file:
        assert file.read() == b"%PDF-1.7 journal"
    (tmp_path / "a").rename(tmp_path / "b")
    with pytest.raises(CannotDecrypt):
        storage.open("b")


def test_hashes_differ_between_keys(settings):
    from datetime import date

    from patients.identity import IdentityNumber

    identity = IdentityNumber.parse("191212121212", today=date(2026, 1, 1))
    settings.HASH_KEYS = BOTH
    first, second = identity_hashes(identity)
    assert first.split(".")[1] != second.split(".")[1]
