"""The file of a backup: a tar of the dump, the attachments and, last, a manifest with checksums.

A file that was cut off thus has no manifest and is refused. Attachments and what is encrypted in
the database stay encrypted; the keys are not in the file.
"""

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any

from django.utils.translation import gettext as _

from config.backup import BackupError

FORMAT = 1
MANIFEST = "manifest.json"
DUMP = "database.dump"
ATTACHMENTS = "attachments/"
_CHUNK = 1024 * 1024


@dataclass
class Manifest:
    """What a backup holds, and what must be true of it once it is restored."""

    version: str
    taken_at: str
    postgresql: str
    # Every migration that had run, as "app.name".
    migrations: list[str]
    rows: dict[str, int]
    # Of the access log: ``verify_log --expect`` with it shows that the log's end is there.
    seal_number: int
    seal_hash: str
    # Id and fingerprint of each key that was in use, never the key.
    keys: dict[str, dict[str, str]]
    checksums: dict[str, str] = field(default_factory=dict)
    # Attachments that a row names and no file had: a fault before the backup was taken.
    missing: list[str] = field(default_factory=list)
    format: int = FORMAT

    @property
    def attachments(self) -> list[str]:
        return [name for name in self.checksums if name.startswith(ATTACHMENTS)]


class Writer:
    """Adds files to the archive and keeps their checksums."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self.checksums: dict[str, str] = {}

    def add(self, name: str, file: IO[bytes], size: int) -> None:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = size, 0o600
        reader = _Hashing(file)
        self._tar.addfile(entry, reader)
        self.checksums[name] = reader.digest.hexdigest()

    def finish(self, manifest: Manifest) -> None:
        manifest.checksums = self.checksums
        text = json.dumps(asdict(manifest), ensure_ascii=False, indent=1).encode()
        entry = tarfile.TarInfo(MANIFEST)
        entry.size, entry.mode = len(text), 0o600
        self._tar.addfile(entry, io.BytesIO(text))


class _Hashing:
    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.digest = file, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        chunk = self._file.read(size)
        self.digest.update(chunk)
        return chunk


@contextmanager
def opened(file: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(file, "r:") as tar:
            yield tar
    except (tarfile.TarError, EOFError) as error:
        raise BackupError(_("%s är ingen hel säkerhetskopia.") % file) from error
    except OSError as error:
        raise BackupError(
            _("%(file)s går inte att läsa: %(why)s") % {"file": file, "why": error.strerror}
        ) from error


def checked(file: Path) -> Manifest:
    """The manifest, once every file in the archive is what it says. Raises :class:`BackupError`."""
    with opened(file) as tar:
        members = {member.name: member for member in tar.getmembers()}
        if MANIFEST not in members:
            raise BackupError(_("%s är ingen hel säkerhetskopia: manifestet saknas.") % file)
        manifest = _parsed(content(tar, MANIFEST).read())
        if members.keys() - {MANIFEST} != manifest.checksums.keys():
            raise BackupError(_("Filerna i säkerhetskopian är inte de som manifestet räknar upp."))
        for name, expected in manifest.checksums.items():
            if not members[name].isfile() or not _is_safe(name):
                raise BackupError(_("Säkerhetskopian innehåller något annat än filer: %s") % name)
            if _sha256(content(tar, name)) != expected:
                raise BackupError(_("Kontrollsumman stämmer inte för %s.") % name)
    return manifest


def content(tar: tarfile.TarFile, name: str) -> IO[bytes]:
    found = tar.extractfile(name)
    if found is None:
        raise BackupError(_("Säkerhetskopian innehåller något annat än filer: %s") % name)
    return found


def _parsed(text: bytes) -> Manifest:
    try:
        values: dict[str, Any] = json.loads(text)
        if values.get("format") != FORMAT:
            raise BackupError(_("Säkerhetskopian har ett format som denna version inte läser."))
        return Manifest(**values)
    except (ValueError, TypeError, AttributeError) as error:
        raise BackupError(_("Säkerhetskopians manifest går inte att läsa.")) from error


def _is_safe(name: str) -> bool:
    path = PurePosixPath(name)
    inside = name == DUMP or name.startswith(ATTACHMENTS)
    return inside and not path.is_absolute() and ".." not in path.parts


def _sha256(file: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()
