"""Where the embedded servers keep their files, and who may reach them."""

import hashlib
import os
import pwd
import socket
import stat
import struct
import subprocess  # nosec B404 # starts our own programs
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.embedded.errors import EmbeddedServiceError

# A Unix socket's path has room for 107 bytes on Linux and 103 on macOS.
_LONGEST_SOCKET_PATH = 100


@dataclass(frozen=True)
class Places:
    """The paths under one data directory."""

    data: Path

    @property
    def pgdata(self) -> Path:
        """PostgreSQL's own directory."""
        return self.data / "postgres"

    @property
    def valkey(self) -> Path:
        """Valkey's working directory; it keeps nothing there but its log."""
        return self.data / "valkey"

    @property
    def run(self) -> Path:
        """Locks, and the sockets when the path is short enough."""
        return self.data / "run"

    @property
    def sockets(self) -> Path:
        """Directory of the sockets, the same on every call for the same data directory.

        It moves to the machine's temporary directory when the path is too long for a socket, or
        has a comma or a quote, which PostgreSQL's clients and settings would split it at.
        """
        longest = os.fsencode(self.run / "postgres" / ".s.PGSQL.5432")
        if len(longest) <= _LONGEST_SOCKET_PATH and not set(longest) & set(b",'\""):
            return self.run
        digest = hashlib.sha256(os.fsencode(self.data)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"vardlots-{os.geteuid()}-{digest}"

    @property
    def postgres_sockets(self) -> Path:
        """Directory that holds PostgreSQL's socket."""
        return self.sockets / "postgres"

    @property
    def postgres_socket(self) -> Path:
        """PostgreSQL's socket."""
        return self.postgres_sockets / ".s.PGSQL.5432"

    @property
    def valkey_socket(self) -> Path:
        """Valkey's socket."""
        return self.sockets / "valkey" / "valkey.sock"

    def make(self, account: "Account") -> None:
        """Create the directories that are missing, private to their owner."""
        try:
            self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.run.mkdir(mode=0o700, exist_ok=True)
            self.sockets.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise EmbeddedServiceError(
                f"Datakatalogen {self.data} går inte att skapa: {error}"
            ) from error
        # In a shared temporary directory someone else may have made it first, with their rights.
        owner = self.sockets.stat()
        if owner.st_uid != os.geteuid() or self.sockets.is_symlink():
            raise EmbeddedServiceError(f"{self.sockets} tillhör någon annan än den som startar.")
        for directory in (self.valkey, self.postgres_sockets, self.valkey_socket.parent):
            directory.mkdir(mode=0o700, exist_ok=True)
            account.own(directory)
        account.let_pass(self.data)
        account.let_pass(self.run)
        account.let_pass(self.sockets)


_SYSTEM_USER = "vardlots-embedded"


@dataclass(frozen=True)
class Account:
    """The system account the servers run as: the caller's own, or another one for root.

    PostgreSQL refuses to run as root.
    """

    uid: int
    gid: int

    @classmethod
    def of(cls, places: Places) -> "Account":
        """Return the account for a data directory; as root it may have to be created.

        Data keeps the owner it has: a new container may number its system users otherwise.
        """
        if os.geteuid() != 0:
            return cls(os.geteuid(), os.getegid())
        try:
            owner = places.pgdata.stat()
        except OSError:
            pass
        else:
            if owner.st_uid != 0:
                return cls(owner.st_uid, owner.st_gid)
        entry = _system_user(_SYSTEM_USER)
        return cls(entry.pw_uid, entry.pw_gid)

    @property
    def is_other(self) -> bool:
        """Whether the servers run as another user than the caller."""
        return self.uid != os.geteuid()

    @property
    def process_options(self) -> dict[str, Any]:
        """Keyword arguments for ``subprocess`` that start a program as this account.

        The working directory is the root, since the account may be barred from the caller's.
        """
        options: dict[str, Any] = {"cwd": "/", "umask": 0o077}
        if self.is_other:
            options |= {"user": self.uid, "group": self.gid, "extra_groups": []}
        return options

    def own(self, path: Path) -> None:
        """Hand the file or directory to this account."""
        if self.is_other:
            os.chown(path, self.uid, self.gid)

    def let_pass(self, directory: Path) -> None:
        """Let this account pass through the directory and all above it, and no more than that.

        An access control entry names this account alone, where the file system knows such; else
        everyone may pass, still without listing what is there. Directories open already are left.
        """
        if not self.is_other:
            return
        for step in (directory, *directory.parents):
            status = step.stat()
            if status.st_mode & stat.S_IXOTH or status.st_uid == self.uid:
                continue
            try:
                _allow_passage(step, self.uid, stat.S_IMODE(status.st_mode))
            except OSError:
                step.chmod(stat.S_IMODE(status.st_mode) | stat.S_IXOTH)


def _system_user(name: str) -> pwd.struct_passwd:
    """Return the system user, created first where it is missing (as root)."""
    try:
        return pwd.getpwnam(name)
    except KeyError:
        command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", name]
        # A failure may mean that another process created it a moment before.
        result = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603  # nosec B603 # our own program and arguments, no shell
    try:
        return pwd.getpwnam(name)
    except KeyError:
        raise EmbeddedServiceError(
            "PostgreSQL kan inte köras som root, och användaren "
            f"{name} gick inte att skapa: {result.stderr.strip()}"
        ) from None


def listening(path: Path) -> bool:
    """Whether a server accepts connections on the socket; answered by the kernel at once."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(2)
        try:
            probe.connect(os.fspath(path))
        except OSError:
            return False
        return True


# Layout of a POSIX access control list in its extended attribute (Linux, posix_acl_xattr.h).
_ACL_ATTRIBUTE = "system.posix_acl_access"
_ACL_VERSION = 2
_ACL_OWNER, _ACL_USER, _ACL_GROUP, _ACL_MASK, _ACL_OTHERS = 0x01, 0x02, 0x04, 0x10, 0x20
_ACL_NOBODY = 0xFFFFFFFF
_PASS = 1


def _allow_passage(directory: Path, uid: int, mode: int) -> None:
    """Add ``user:<uid>:--x`` to the directory's access control list; OSError where unknown."""
    if sys.platform != "linux":
        raise OSError("No POSIX access control lists here.")
    try:
        packed = os.getxattr(directory, _ACL_ATTRIBUTE)
    except OSError:
        entries = {
            (_ACL_OWNER, _ACL_NOBODY): mode >> 6 & 7,
            (_ACL_GROUP, _ACL_NOBODY): mode >> 3 & 7,
            (_ACL_MASK, _ACL_NOBODY): mode >> 3 & 7,
            (_ACL_OTHERS, _ACL_NOBODY): mode & 7,
        }
    else:
        entries = {
            (tag, who): rights for tag, rights, who in struct.iter_unpack("<HHI", packed[4:])
        }
    entries[_ACL_USER, uid] = entries.get((_ACL_USER, uid), 0) | _PASS
    entries[_ACL_MASK, _ACL_NOBODY] = entries.get((_ACL_MASK, _ACL_NOBODY), 0) | _PASS
    # The kernel wants them in the order of tag and then id.
    packed = b"".join(
        struct.pack("<HHI", tag, rights, who) for (tag, who), rights in sorted(entries.items())
    )
    os.setxattr(directory, _ACL_ATTRIBUTE, struct.pack("<I", _ACL_VERSION) + packed)
