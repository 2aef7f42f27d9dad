"""Takes a backup while the product runs: everything as it stood at one moment."""

import hashlib
import hmac
import os
import tarfile
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import FileField
from django.utils import timezone
from django.utils.translation import gettext as _

from config.backup import BackupError, programs
from config.backup.archive import ATTACHMENTS, DUMP, Manifest, Writer
from organisations.access_log.sealing import GENESIS, seal_log
from organisations.acting import acting_as
from organisations.keys import encryption_ring, hash_ring
from organisations.models import AccessLogSeal


def take_backup(target: Path, *, now: datetime) -> tuple[Path, Manifest]:
    """Write the backup to ``target``, a new file or a folder; returns the file and what it holds.

    Raises :class:`BackupError`. A file is there only when it is whole.
    """
    file = target
    if target.is_dir():
        file = target / f"vardlots-{timezone.localtime(now):%Y-%m-%dT%H%M%S}.tar"
    if file.exists():
        raise BackupError(_("%s finns redan.") % file)
    while seal_log(now=now):  # so that the manifest's seal vouches for every row
        pass
    try:
        with tempfile.TemporaryDirectory(dir=file.parent, prefix=".vardlots-backup-") as folder:
            partial = Path(folder) / "partial.tar"
            with _one_moment() as snapshot:
                manifest = _manifest(now)
                _write(partial, manifest, snapshot=snapshot, scratch=Path(folder))
            os.chmod(partial, 0o600)
            partial.rename(file)
    except OSError as error:
        raise BackupError(
            _("%(file)s går inte att skriva: %(why)s") % {"file": file, "why": error.strerror}
        ) from error
    return file, manifest


@contextmanager
def _one_moment() -> Iterator[str]:
    """A transaction that sees the database as it stands now, and the name that others see it by."""
    # Nobody acts: the level must be set before anything is asked, and naming the actor asks.
    with acting_as(None), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SELECT pg_export_snapshot()")
        (snapshot,) = cursor.fetchone()
        yield snapshot


def _manifest(now: datetime) -> Manifest:
    seal = AccessLogSeal.objects.order_by("-number").first()
    return Manifest(
        version=product_version(),
        taken_at=now.isoformat(),
        postgresql=connection.connection.info.parameter_status("server_version"),
        migrations=sorted(
            f"{app}.{name}" for app, name in MigrationRecorder(connection).applied_migrations()
        ),
        rows=count_rows(),
        seal_number=seal.number if seal else 0,
        seal_hash=(bytes(seal.mac) if seal else GENESIS).hex(),
        keys=key_fingerprints(),
    )


def _write(partial: Path, manifest: Manifest, *, snapshot: str, scratch: Path) -> None:
    dump = scratch / DUMP
    programs.dump(dump, snapshot=snapshot)
    with partial.open("wb") as out:
        with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
            writer = Writer(tar)
            with dump.open("rb") as file:
                writer.add(DUMP, file, dump.stat().st_size)
            dump.unlink()
            for name, path in _attachments():
                try:
                    with path.open("rb") as file:
                        writer.add(ATTACHMENTS + name, file, os.fstat(file.fileno()).st_size)
                except FileNotFoundError:  # thinned in between
                    continue
            held = {name.removeprefix(ATTACHMENTS) for name in writer.checksums}
            manifest.missing = sorted(_named_in_rows() - held)
            writer.finish(manifest)
        out.flush()
        os.fsync(out.fileno())


def _attachments() -> Iterator[tuple[str, Path]]:
    """Name and place of every stored file. Each is written once and never changed in place."""
    root = Path(default_storage.path(""))
    for path in sorted(root.rglob("*")):
        if path.is_file() and not path.name.startswith("."):
            yield path.relative_to(root).as_posix(), path


def _named_in_rows() -> set[str]:
    """The files that the database's rows name, at the moment of the snapshot."""
    found: set[str] = set()
    for model in apps.get_models():
        for column in model._meta.local_fields:
            if isinstance(column, FileField):
                found.update(model._base_manager.values_list(column.name, flat=True))
    return {name for name in found if name}


def count_rows() -> dict[str, int]:
    """Number of rows in each table."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.oid::regclass::text FROM pg_class c"
            " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' ORDER BY 1"
        )
        tables = [table for (table,) in cursor.fetchall()]
        counts = {}
        for table in tables:
            cursor.execute(f"SELECT count(*) FROM {table}")  # noqa: S608 – quoted by the server  # nosec B608
            counts[table] = int(cursor.fetchone()[0])
    return counts


def key_fingerprints() -> dict[str, dict[str, str]]:
    """Tells, without giving any away, which keys a backup can be read with."""
    log_keys = {name: key.encode() for name, key in settings.ACCESS_LOG_KEYS.items()}
    return {
        "VARDLOTS_ENCRYPTION_KEYS": _fingerprints(encryption_ring().keys),
        "VARDLOTS_HASH_KEYS": _fingerprints(hash_ring().keys),
        "VARDLOTS_LOG_KEYS": _fingerprints(log_keys),
    }


def _fingerprints(keys: Mapping[str, bytes]) -> dict[str, str]:
    return {
        name: hmac.new(key, b"vardlots backup", hashlib.sha256).hexdigest()[:16]
        for name, key in keys.items()
    }


def product_version() -> str:
    project = settings.BASE_DIR / "pyproject.toml"
    return str(tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"])
