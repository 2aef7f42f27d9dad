"""Restores a backup whole, or leaves everything as it was."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.core.files.storage import default_storage
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.utils.translation import gettext as _

from config.backup import BackupError, programs
from config.backup.archive import ATTACHMENTS, DUMP, Manifest, checked, content, opened
from config.backup.taking import key_fingerprints
from organisations.access_log.verifying import Verification, verify
from organisations.row_security import ensure_application_role

_TABLE = re.compile(r"[a-z_][a-z0-9_]*")


@dataclass(frozen=True)
class Restored:
    manifest: Manifest
    log: Verification
    # Migrations that the backup has not run: it is of an older version.
    to_migrate: list[str]

    @property
    def rows(self) -> int:
        return sum(self.manifest.rows.values())


def restore_backup(file: Path, *, replace: bool, now: datetime) -> Restored:
    """Restore the backup; raises :class:`BackupError`, with database and attachments as they were.

    Nothing is touched before every checksum holds. What is there already is refused unless
    ``replace``, and then goes in the same transaction as the backup comes. Whether the restored
    access log holds is told in the answer.
    """
    manifest = checked(file)
    to_migrate = _fits_this_version(manifest)
    _keys_are_here(manifest)
    _nobody_else_is_here()
    if not replace and (not database_is_empty() or not attachments_are_empty()):
        raise BackupError(
            _("Databasen eller mappen med bilagor är inte tom. Ersätt med --replace.")
        )
    ensure_application_role(using=connection.alias)
    with _attachments_replaced(file, manifest), opened(file) as tar:
        # The session's own locks must not stand in the way of psql's.
        connection.close()
        programs.replay(content(tar, DUMP), before=_EMPTIED, after=_proof(manifest))
    log = verify(now=now, expect=manifest.seal_hash, seal_first=False)
    return Restored(manifest, log, to_migrate)


def database_is_empty() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT NOT EXISTS (SELECT FROM pg_class WHERE relkind IN ('r', 'v', 'm', 'p', 'S')"
            " AND relnamespace = 'public'::regnamespace)"
        )
        return bool(cursor.fetchone()[0])


def attachments_are_empty() -> bool:
    folder = Path(default_storage.path(""))
    return not folder.is_dir() or not any(folder.iterdir())


def _fits_this_version(manifest: Manifest) -> list[str]:
    """The migrations to run afterwards; a backup of a newer version is refused."""
    loader = MigrationLoader(None, ignore_no_migrations=True)
    known = {f"{app}.{name}" for app, name in loader.disk_migrations}
    newer = sorted(set(manifest.migrations) - known)
    if newer:
        raise BackupError(
            _("Säkerhetskopian är från en nyare version (%(version)s): den har kört %(name)s.")
            % {"version": manifest.version, "name": newer[-1]}
        )
    wanted = {f"{app}.{name}" for app, name in loader.graph.nodes}
    return sorted(wanted - set(manifest.migrations))


def _keys_are_here(manifest: Manifest) -> None:
    here = key_fingerprints()
    lost = [
        f"{variable} {name}"
        for variable, keys in manifest.keys.items()
        for name, fingerprint in keys.items()
        if here.get(variable, {}).get(name) != fingerprint
    ]
    if lost:
        raise BackupError(
            _("Nycklar som säkerhetskopian är gjord med saknas här: %s.") % ", ".join(lost)
        )


def _nobody_else_is_here() -> None:
    with connection.cursor() as cursor:
        # Of other roles' sessions not much more than this is shown; the server's own have no user.
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND usesysid IS NOT NULL"
        )
        others = int(cursor.fetchone()[0])
    if others:
        raise BackupError(
            _("%d andra använder databasen. Stoppa webb, jobb och klocka först.") % others
        )


# The schema as PostgreSQL makes it in a new database, since 15.
_EMPTIED = """
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS public CASCADE;
CREATE SCHEMA public AUTHORIZATION pg_database_owner;
GRANT USAGE ON SCHEMA public TO PUBLIC;
"""


def _proof(manifest: Manifest) -> str:
    """Fails, and with it the whole transaction, unless every table has its rows."""
    counts = "".join(
        f"""
        IF (SELECT count(*) FROM {table}) <> {int(count)} THEN
            RAISE EXCEPTION 'rows are missing in {table}';
        END IF;"""  # noqa: S608 – only names of the shape above  # nosec B608
        for table, count in manifest.rows.items()
        if _TABLE.fullmatch(table)
    )
    return f"SET search_path = public; DO $proof$ BEGIN {counts} END $proof$;"


@contextmanager
def _attachments_replaced(file: Path, manifest: Manifest) -> Iterator[None]:
    """The backup's attachments take the old ones' place once the block has succeeded."""
    folder = Path(default_storage.path(""))
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".vardlots-restore-") as scratch:
        fresh, old = Path(scratch) / "fresh", Path(scratch) / "old"
        fresh.mkdir(mode=0o700)
        with opened(file) as tar:
            for name in manifest.attachments:
                place = fresh / name.removeprefix(ATTACHMENTS)
                place.parent.mkdir(parents=True, exist_ok=True)
                with content(tar, name) as source, place.open("xb") as target:
                    os.fchmod(target.fileno(), 0o600)
                    shutil.copyfileobj(source, target)
        yield
        if folder.exists():
            folder.rename(old)
        fresh.rename(folder)
