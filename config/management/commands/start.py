"""``manage.py start``: the whole product in one terminal, for development and demonstration."""

import asyncio
import fcntl
import itertools
import os
import socket
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from config.demo import demo_logins
from config.embedded import (
    EmbeddedServiceError,
    Services,
    ensure_secrets,
    save_environment,
    saved_environment,
)
from config.supervisor import Deaths, Program, Supervisor, Terminal

HOST = "127.0.0.1"
DEFAULT_PORT = 8000
# The simulator's ports lie at a fixed distance from the product's, when they are free.
SIMULATOR_PORT_OFFSET = 71
SIMULATOR_SMTP_OFFSET = 72
# A product that was killed outright needs a moment to let its port go.
PORT_PATIENCE_SECONDS = 3.0
SERVICES_CHECK_SECONDS = 5.0


class Command(BaseCommand):
    """Starts databases, web, jobs and the gateway simulator, and ends them all together."""

    help = _(
        "Startar hela Vårdlots i en terminal: databas, webb, bakgrundsjobb och simulerad 1177."
    )
    # The database may not exist yet.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--port", type=int, default=DEFAULT_PORT, help=_("webbens port (%(default)s)")
        )
        parser.add_argument("--no-demo", action="store_true", help=_("gör inga demodata"))
        parser.add_argument(
            "--data", metavar="DIR", help=_("datakatalog i stället för var/ (VARDLOTS_DATA)")
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError(
                _("start är för utveckling och demonstration; se docs/operations.md för drift.")
            )
        if not 0 < options["port"] < 65536:
            raise CommandError(_("En port är ett tal mellan 1 och 65535."))
        # Everything that is written under the data directory is for its owner only.
        os.umask(0o077)
        data: Path = settings.DATA_DIR
        run = data / "run"
        try:
            run.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise CommandError(
                _("Datakatalogen %(data)s går inte att skapa: %(error)s")
                % {"data": data, "error": error}
            ) from error
        address = f"http://{HOST}:{options['port']}"
        with only_instance(run / "start.lock", address) as other:
            if other is not None:
                self.stdout.write(_("Vårdlots kör redan: %s") % other)
                return
            wait_for_port(options["port"])
            started = Start(
                data=data, port=options["port"], demo=settings.DEMO and not options["no_demo"]
            )
            if not asyncio.run(started.run()):
                sys.exit(1)


class Start:
    """One run of the product, from nothing to nothing."""

    def __init__(self, *, data: Path, port: int, demo: bool) -> None:
        self.data = data
        self.port = port
        self.demo = demo
        self.address = f"http://{HOST}:{port}"
        self.simulator_ports: tuple[int, int] | None = None
        if not os.environ.get("VARDLOTS_GATEWAY_URL") and find_spec("notices.simulator"):
            http = free_port(port + SIMULATOR_PORT_OFFSET)
            smtp = free_port(port + SIMULATOR_SMTP_OFFSET, taken=http)
            self.simulator_ports = (http, smtp)

    async def run(self) -> bool:
        """Run until someone asks it to stop; return False when it ended by a failure."""
        ensure_secrets(self.data)
        environment = self.environment()
        programs = itertools.chain(*self.programs())
        names = [_("vårdlots"), *(program.name for program in programs)]
        self.supervisor = Supervisor(
            name=names[0],
            terminal=Terminal(names),
            environment=environment,
            directory=settings.BASE_DIR,
        )
        self.supervisor.listen()
        services = Services(
            self.data,
            postgres=not os.environ.get("DATABASE_URL"),
            valkey=not os.environ.get("REDIS_URL"),
        )
        try:
            self.supervisor.say(_("Startar databas och meddelandekö i %s") % self.data)
            await asyncio.to_thread(services.start)
            tables = asyncio.Event()
            async with asyncio.TaskGroup() as group:
                # It reads its code while the tables are made.
                preparation = group.create_task(self.prepare(after=tables))
                if await self.migrate():
                    tables.set()
                    pages, jobs = self.programs()
                    group.create_task(self.watch(services))
                    group.create_task(self.supervisor.keep_running(pages))
                    group.create_task(self.announce(after=preparation))
                    # What is due is not done before the demonstration is whole.
                    if await preparation:
                        group.create_task(self.supervisor.keep_running(jobs))
        except EmbeddedServiceError as error:
            self.supervisor.say(str(error))
            self.supervisor.give_up()
        finally:
            await asyncio.to_thread(services.stop)
        self.supervisor.say(_("Allt är stoppat."))
        return not self.supervisor.gave_up

    def environment(self) -> dict[str, str]:
        """Return the programs' environment; its addresses are saved for other terminals."""
        addresses = {"VARDLOTS_BASE_URL": self.address}
        if self.simulator_ports:
            http, smtp = self.simulator_ports
            addresses["VARDLOTS_GATEWAY_URL"] = f"http://{HOST}:{http}"
            addresses["VARDLOTS_IDENTITY_ISSUER"] = (
                f"http://{HOST}:{http}{settings.SIMULATED_IDENTITY}"
            )
            addresses["VARDLOTS_IDENTITY_CLIENT_ID"] = "vardlots-demo"
            addresses["EMAIL_URL"] = f"smtp://{HOST}:{smtp}"
        else:
            addresses["EMAIL_URL"] = "consolemail://"
        given = os.environ
        public = ("VARDLOTS_BASE_URL", "VARDLOTS_GATEWAY_URL", "VARDLOTS_IDENTITY_ISSUER")
        save_environment(
            self.data, addresses | {name: given[name] for name in public if given.get(name)}
        )
        return {
            **saved_environment(self.data),
            **addresses,
            **given,
            "VARDLOTS_DATA": os.fspath(self.data),
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "PYTHONUNBUFFERED": "1",
        }

    def programs(self) -> tuple[list[Program], list[Program]]:
        """Return what runs side by side: what shows pages, and what does the work."""
        python = sys.executable
        # Celery warns at length about root, which is who runs in a container.
        root = ["-W", "ignore:You're running the worker"]
        celery = [python, *root, "-m", "celery", "--quiet", "-A", "config"]
        # Static files are collected for production only.
        static = ["-W", "ignore:No directory at"]
        gunicorn = [python, *static, "-m", "gunicorn", "-c", "python:config.gunicorn"]
        gunicorn += ["--bind", f"{HOST}:{self.port}", "--workers", "2"]
        gunicorn += ["--graceful-timeout", "5", "--log-level", "warning"]
        worker = [*celery, "worker", "--concurrency", "2", "--loglevel", "WARNING"]
        # Worker processes that talk to each other are of no use when there is one.
        worker += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        beat = [*celery, "beat", "--loglevel", "WARNING", "--pidfile", ""]
        pages = [Program(_("webb"), gunicorn)]
        if self.simulator_ports:
            http, smtp = map(str, self.simulator_ports)
            simulator = [python, "-m", "notices.simulator", "--port", http, "--smtp-port", smtp]
            simulator += ["--data", os.fspath(self.data)]
            # Without a printer of one's own the simulator plays that too.
            given = ("VARDLOTS_PRINT_DROP", "VARDLOTS_PRINT_SFTP")
            if not any(map(os.environ.get, given)):
                simulator += ["--print-drop", os.fspath(self.data / "print")]
            pages.append(Program(_("1177-simulator"), simulator))
        return pages, [Program(_("jobb"), worker), Program(_("klocka"), beat)]

    async def migrate(self) -> bool:
        """Bring the database's tables up to date; return whether all went well."""
        self.supervisor.say(_("Uppdaterar databasens tabeller"))
        # The checks read every page's code; the programs do that again in a moment.
        return await self.manage("migrate", "--verbosity", "0", "--skip-checks")

    async def prepare(self, *, after: asyncio.Event) -> bool:
        """Fill the tables with what is there from the beginning; return whether all went well."""
        options = ["--when-told", *([] if self.demo else ["--no-demo"])]
        return await self.manage("prepare", *options, after=after)

    async def manage(self, *command: str, after: asyncio.Event | None = None) -> bool:
        """Run a command to its end; one that fails is the end of everything."""
        manage = os.fspath(settings.BASE_DIR / "manage.py")
        program = Program(self.supervisor.name, [sys.executable, manage, *command], after)
        went_well = await self.supervisor.run_once(program)
        if not went_well and not self.supervisor.stopping():
            self.supervisor.say(_("Förberedelsen misslyckades, se felet ovan."))
            self.supervisor.give_up()
        return went_well

    async def watch(self, services: Services) -> None:
        """Start an embedded server again if it dies."""
        deaths = Deaths(asyncio.get_running_loop().time)
        while await self.supervisor.pause(SERVICES_CHECK_SECONDS):
            try:
                dead = await asyncio.to_thread(services.ensure_running)
            except EmbeddedServiceError as error:
                self.supervisor.say(str(error))
                self.supervisor.give_up()
                return
            if dead:
                self.supervisor.say(_("%s hade dött och är startad igen.") % ", ".join(dead))
                if deaths.too_many():
                    self.supervisor.say(_("Det händer för ofta. Allt stoppas."))
                    self.supervisor.give_up()

    async def announce(self, *, after: asyncio.Task[bool]) -> None:
        """Say where the product is, once it answers and ``after`` has gone well."""
        if await self.answers() and await after:
            for line in self.welcome():
                self.supervisor.say(line)

    async def answers(self) -> bool:
        """Wait until the pages answer; False when the end came first."""
        async with httpx.AsyncClient(trust_env=False) as client:
            while await self.supervisor.pause(0.2):
                with suppress(httpx.HTTPError):
                    await client.get(self.address, timeout=10)
                    return True
        return False

    def welcome(self) -> Iterator[str]:
        """Yield the lines that tell a person what to do next."""
        yield ""
        yield _("Vårdlots är igång:  %s") % self.address
        if self.simulator_ports:
            yield _("1177-simulatorn:    %s") % f"http://{HOST}:{self.simulator_ports[0]}"
        yield _("Data ligger i       %s") % self.data
        if self.demo:
            yield ""
            yield _("Logga in som:")
            yield from (f"  {login}" for login in demo_logins())
        yield ""
        yield _("Stoppa med Ctrl-C.")


@contextmanager
def only_instance(lock: Path, address: str) -> Iterator[str | None]:
    """Hold the data directory's lock, or yield the address of who holds it.

    The kernel drops the lock with the process, so a killed one leaves nothing in the way.
    """
    with lock.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            yield file.read().strip() or "…"
            return
        file.truncate(0)
        process = _("process %d") % os.getpid()
        file.write(f"{address} ({process})\n")
        file.flush()
        yield None


def wait_for_port(port: int) -> None:
    """Return when the port is free; CommandError when it stays taken."""
    deadline = time.monotonic() + PORT_PATIENCE_SECONDS
    while not is_free(port):
        if time.monotonic() > deadline:
            raise CommandError(
                _('Port %(port)d är upptagen. Välj en annan: make start ARGS="--port %(other)d"')
                % {"port": port, "other": free_port(port + 100)}
            )
        time.sleep(0.2)


def is_free(port: int) -> bool:
    """Whether a server could listen on the port on this machine."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError):
            return False
        return True


def free_port(wanted: int, *, taken: int | None = None) -> int:
    """Return the wanted port, or any free one when it is not to be had or 0."""
    if wanted and wanted != taken and is_free(wanted):
        return wanted
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
