"""Uploaded files, encrypted on disk and plain in the product's hands."""

import os
import tempfile
from pathlib import Path

from django.core.files.base import ContentFile, File
from django.core.files.storage import FileSystemStorage

from organisations.keys import CannotDecrypt, encryption_ring

MAGIC = b"VL1"


class EncryptedFileSystemStorage(FileSystemStorage):
    """Whole files of at most 20 MB, each bound to its own name so that two cannot change places."""

    def _save(self, name: str, content: File) -> str:
        return super()._save(name, ContentFile(_seal(content.read(), name=name)))  # type: ignore[misc]

    def _open(self, name: str, mode: str = "rb") -> File:
        if mode != "rb":
            raise ValueError("An encrypted file is read whole or replaced.")
        with super()._open(name, "rb") as file:  # type: ignore[misc]
            _key, plain = _unseal(file.read(), name=name)
        return ContentFile(plain, name=name)

    def reencrypt(self, name: str) -> None:
        """Encrypt with the current key, or for the first time.

        A reader meets the old file or the new one, never half of one.
        """
        path = self.path(name)
        with open(path, "rb") as file:
            stored = file.read()
        plain = _unseal(stored, name=name)[1] if stored.startswith(MAGIC) else stored
        replace_file(path, _seal(plain, name=name))

    def is_current(self, name: str) -> bool:
        """Whether the file is encrypted with the current key."""
        with super()._open(name, "rb") as file:  # type: ignore[misc]
            start = file.read(len(MAGIC) + 17)
        return start.startswith(MAGIC) and _header(start, name=name) == encryption_ring().current

    def is_encrypted(self, name: str) -> bool:
        with super()._open(name, "rb") as file:  # type: ignore[misc]
            return bool(file.read(len(MAGIC)) == MAGIC)


def replace_file(path: str, content: bytes) -> None:
    """Put the content in the file's place in one step."""
    handle, temporary = tempfile.mkstemp(dir=Path(path).parent, prefix=".rotating-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(Path(path).stat().st_mode & 0o777)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _context(name: str) -> str:
    return f"file {name}"


def _seal(plain: bytes, *, name: str) -> bytes:
    key_id, sealed = encryption_ring().encrypt(plain, context=_context(name))
    return MAGIC + bytes([len(key_id)]) + key_id.encode() + sealed


def _header(start: bytes, *, name: str) -> str:
    if not start.startswith(MAGIC) or len(start) <= len(MAGIC):
        raise CannotDecrypt(f"The file {name} is not encrypted.")
    length = start[len(MAGIC)]
    return start[len(MAGIC) + 1 : len(MAGIC) + 1 + length].decode("ascii", "replace")


def _unseal(stored: bytes, *, name: str) -> tuple[str, bytes]:
    key_id = _header(stored, name=name)
    sealed = stored[len(MAGIC) + 1 + len(key_id) :]
    return key_id, encryption_ring().decrypt(key_id, sealed, context=_context(name))
