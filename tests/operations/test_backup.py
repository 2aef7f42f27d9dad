"""A backup gives everything back, or is refused before anything is touched."""

import contextlib
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from config.backup import BackupError, programs
from config.backup.archive import DUMP, MANIFEST, checked
from config.embedded.postgres import SUPERUSER

# Makes the test database, which the source is a copy of.
pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parents[2]

# Cases in several states, an attachment, an event, and a view that the access log tells of.
MAKE_DATA = """
from django.core.files.base import ContentFile
from django.utils import timezone
from organisations.access import record_access
from organisations.access_log.sealing import seal_log
from organisations.events import deliver_events
from referral.models import Attachment, CaseState
from tests.factories import make_case

now = timezone.now()
for state in (CaseState.OFFERED, CaseState.ACCEPTED, CaseState.CLOSED):
    made = make_case(state)
    record_access(
        made.navigator, what="case", now=now, cases=[(made.case.number, made.patient.pk)]
    )
seal_log(now=now)
record_access(made.navigator, what="case", now=now, cases=[(made.case.number, made.patient.pk)])
Attachment.objects.create(
    form=made.case.form, name="remiss.pdf", size=6, uploaded_at=now,
    content_type="application/pdf", file=ContentFile(b"remiss", name="x.pdf"),
)
deliver_events(now=now)
"""

# What there is besides the rows, each with an order of its own.
DEFINITIONS = {
    "policies": (
        "SELECT tablename, policyname, permissive, roles::text, cmd, qual, with_check"
        " FROM pg_policies WHERE schemaname = 'public' ORDER BY 1, 2"
    ),
    "row security": (
        "SELECT relname, relrowsecurity, relforcerowsecurity FROM pg_class"
        " WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY 1"
    ),
    "triggers": (
        "SELECT pg_get_triggerdef(oid), tgenabled FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1"
    ),
    "constraints": (
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2"
    ),
    "indexes": "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1",
    "functions": (
        "SELECT pg_get_functiondef(p.oid), proacl::text FROM pg_proc p"
        " WHERE pronamespace = 'public'::regnamespace AND prokind = 'f'"
        " AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = p.oid AND deptype = 'e') ORDER BY 1"
    ),
    "grants": (
        "SELECT relname, relkind, relacl::text FROM pg_class"
        " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'S', 'v') ORDER BY 1"
    ),
    "schema": (
        "SELECT nspowner::regrole::text, nspacl::text FROM pg_namespace WHERE nspname = 'public'"
    ),
    "sequences": (
        "SELECT sequencename, start_value, increment_by, last_value FROM pg_sequences ORDER BY 1"
    ),
    "columns": (
        "SELECT table_name, column_name, data_type, column_default, is_nullable, is_identity"
        " FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2"
    ),
    "extensions": "SELECT extname, extversion FROM pg_extension ORDER BY 1",
}


def _without_casts(value: object) -> object:
    """The server writes ``ANY (ARRAY[…]::text[])`` with other casts once it has read it back."""
    if not isinstance(value, str):
        return value
    return re.sub(r"::(?:character varying|[a-z]+)(?:\[\])?|[()\s]", "", value)


@dataclass
class Installation:
    """A database and a data directory, with the commands of its operator."""

    database: str
    data: Path

    @property
    def url(self) -> str:
        return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{self.database}").geturl()

    def manage(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"DATABASE_URL": self.url, "VARDLOTS_DATA": str(self.data)}
        environment.pop("VARDLOTS_AS_OWNER", None)
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=environment | variables,
            capture_output=True,
            text=True,
            check=False,
        )

    def done(self, *arguments: str, **variables: str) -> str:
        result = self.manage(*arguments, **variables)
        assert result.returncode == 0, result.stderr
        return result.stdout

    def refused(self, *arguments: str, **variables: str) -> str:
        result = self.manage(*arguments, **variables)
        assert result.returncode == 1, result.stdout
        assert "Traceback" not in result.stderr
        return result.stderr

    def everything(self) -> dict[str, object]:
        """Every row of every table, every definition and every attachment's bytes."""
        found: dict[str, object] = {}
        with psycopg.connect(self.url) as database:
            tables = database.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
            ).fetchall()
            for (table,) in tables:
                rows = database.execute(f"SELECT t::text FROM {table} t ORDER BY 1").fetchall()
                found[f"table {table}"] = rows
            for what, query in DEFINITIONS.items():
                rows = database.execute(query).fetchall()
                found[what] = [tuple(map(_without_casts, row)) for row in rows]
        folder = self.data / "attachments"
        for path in sorted(folder.rglob("*")) if folder.is_dir() else []:
            if path.is_file():
                found[f"file {path.relative_to(folder)}"] = path.read_bytes()
        return found


@pytest.fixture(scope="module")
def new(tmp_path_factory) -> Iterator[Callable[[str], Installation]]:
    """Makes installations whose databases are empty, and drops them all in the end."""
    made: list[str] = []
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as server:

        def make(name: str, template: str = "template1") -> Installation:
            database = f"backup_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{name}"
            server.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
            server.execute(f"CREATE DATABASE {database} TEMPLATE {template}")
            made.append(database)
            return Installation(database, tmp_path_factory.mktemp(name))

        yield make
        for database in made:
            server.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")


@pytest.fixture(scope="module")
def source(new, django_db_setup) -> Installation:
    connection.close()  # a database in use is no template
    installation = new("source", template=connection.settings_dict["NAME"])
    installation.done("shell", "-c", MAKE_DATA)
    return installation


@pytest.fixture(scope="module")
def backup(source, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("backups")
    said = source.done("backup", str(folder))
    [file] = folder.iterdir()
    assert str(file) in said
    return file


@pytest.fixture(scope="module")
def restored(new, backup) -> Installation:
    installation = new("restored")
    said = installation.done("restore", str(backup))
    assert "Åtkomstloggen håller: 19 rader i 2 förseglingar" in said
    return installation


def rewritten(backup: Path, target: Path, **changes: object) -> Path:
    """The backup with other values in its manifest."""
    with tarfile.open(backup) as old, tarfile.open(target, "w") as made:
        for member in old.getmembers():
            body = old.extractfile(member).read()
            if member.name == MANIFEST:
                body = json.dumps(json.loads(body) | changes).encode()
                member.size = len(body)
            made.addfile(member, BytesIO(body))
    return target


def manifest_of(backup: Path) -> dict:
    with tarfile.open(backup) as tar:
        return json.loads(tar.extractfile(MANIFEST).read())


def test_a_restored_backup_is_the_same_row_for_row_rule_for_rule_and_byte_for_byte(
    source, restored
):
    before, after = source.everything(), restored.everything()
    assert before.keys() == after.keys()
    assert [what for what in before if before[what] != after[what]] == []
    assert len(before["table referral_case"]) == 3
    assert [what for what in before if what.startswith("file ")]
    assert before["policies"]
    assert before["triggers"]


def test_the_restored_product_works_and_its_log_verifies(restored, backup):
    seal = manifest_of(backup)["seal_hash"]
    assert "0 fel" in restored.done("verify_log", "--expect", seal)
    assert restored.manage("migrate", "--check").returncode == 0
    reading = "from referral.models import Attachment as A; print(A.objects.get().file.read())"
    assert "remiss" in restored.done("shell", "-c", reading)


def test_nothing_is_restored_over_what_is_there_unless_it_is_to_be_replaced(
    restored, source, backup
):
    before = restored.everything()
    assert "--replace" in restored.refused("restore", str(backup))
    assert restored.everything() == before

    restored.done(
        "shell", "-c", "from organisations.models import User; User.objects.update(name='Annan')"
    )
    with psycopg.connect(restored.url) as database:
        database.execute("CREATE TABLE of_a_newer_version (user_id bigint)")
    (restored.data / "attachments" / "later.bin").write_bytes(b"later")
    assert restored.everything() != before
    restored.done("restore", str(backup), "--replace", "--no-input")
    assert restored.everything() == before == source.everything()


def test_a_restore_that_fails_leaves_everything_as_it_was(restored, backup, tmp_path):
    before = restored.everything()
    rows = manifest_of(backup)["rows"]
    short = rewritten(
        backup, tmp_path / "short.tar", rows=rows | {"referral_case": rows["referral_case"] + 1}
    )
    said = restored.refused("restore", str(short), "--replace", "--no-input")
    assert "rows are missing in referral_case" in said
    assert "Inget är ändrat" in said
    assert restored.everything() == before


def test_it_is_refused_while_others_use_the_database_whoever_they_are(restored, backup):
    others = [psycopg.connect(restored.url)]
    with contextlib.suppress(psycopg.OperationalError):  # a server that was given has other roles
        others.append(psycopg.connect(restored.url, user=SUPERUSER))
    for other in others:
        with other:
            said = restored.refused("restore", str(backup), "--replace", "--no-input")
        assert f"{len(others)} andra använder databasen. Stoppa webb" in said
        others = others[1:]


def test_without_the_keys_it_was_made_with_it_is_refused(restored, backup):
    other = "k2:" + "C" * 42 + "A="
    said = restored.refused(
        *("restore", str(backup), "--replace", "--no-input"), VARDLOTS_ENCRYPTION_KEYS=other
    )
    assert "VARDLOTS_ENCRYPTION_KEYS dev" in said


def test_a_backup_of_a_newer_version_is_refused(restored, backup, tmp_path):
    newer = [*manifest_of(backup)["migrations"], "referral.9999_from_the_future"]
    file = rewritten(backup, tmp_path / "newer.tar", migrations=newer)
    said = restored.refused("restore", str(file), "--replace", "--no-input")
    assert "referral.9999_from_the_future" in said


def test_the_file_is_its_owners_alone_and_holds_no_key(backup):
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    with tarfile.open(backup) as tar:
        text = b"".join(tar.extractfile(member).read() for member in tar.getmembers())
    for key in (settings.SECRET_KEY, settings.ENCRYPTION_KEYS, *settings.ACCESS_LOG_KEYS.values()):
        assert key.rpartition(":")[2].encode() not in text


def test_a_backup_never_writes_over_a_file(source, backup):
    assert "finns redan" in source.refused("backup", str(backup))


def test_a_file_that_was_cut_off_is_refused(backup, tmp_path):
    whole = backup.read_bytes()
    for length in (0, 100, len(whole) // 2, len(whole) - 20_000):
        file = tmp_path / "cut.tar"
        file.write_bytes(whole[:length])
        with pytest.raises(BackupError):
            checked(file)


@hypothesis_settings(max_examples=60)
@given(st.data())
def test_a_changed_byte_is_found_or_changes_nothing(backup, tmp_path, data):
    whole = bytearray(backup.read_bytes())
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] ^= data.draw(st.integers(1, 255))
    file = tmp_path / "changed.tar"
    file.write_bytes(whole)
    try:
        found = checked(file)
    except BackupError:
        return
    assert found == checked(backup)


@pytest.mark.parametrize("name", ["attachments/../../x", "/etc/x", "attachments//../../x", "x"])
def test_a_file_with_a_name_that_leads_elsewhere_is_refused(name, backup, tmp_path):
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    sums = manifest_of(backup)["checksums"] | {name: empty}
    file = rewritten(backup, tmp_path / "odd.tar", checksums=sums)
    with tarfile.open(file, "a") as tar:
        tar.addfile(tarfile.TarInfo(name), BytesIO())
    with pytest.raises(BackupError):
        checked(file)


def test_what_is_no_backup_is_refused_in_words(tmp_path):
    for body in (b"", b"not a tar", b"\0" * 10_240):
        (tmp_path / "file").write_bytes(body)
        with pytest.raises(BackupError, match="ingen hel säkerhetskopia"):
            checked(tmp_path / "file")
    with pytest.raises(BackupError, match="går inte att läsa"):
        checked(tmp_path / "nowhere")


def test_a_missing_program_is_said_in_words_with_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setenv("VARDLOTS_PG_BIN", str(tmp_path))
    with pytest.raises(BackupError, match="postgresql-client"):
        programs.dump(tmp_path / DUMP, snapshot="0")


def test_an_older_program_than_the_server_is_passed_over(monkeypatch, tmp_path):
    old = tmp_path / "pg_dump"
    old.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 9.6.1'\n")
    old.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda name: str(old))
    connection.ensure_connection()
    assert programs._program("pg_dump") != old
