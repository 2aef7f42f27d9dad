"""Runs several programs in one terminal: prefixed output, restarts, and a clean end.

Small process managers exist (honcho, circus, supervisor), but the ones that share a terminal end
everything when one program dies, and the ones that restart are daemons with their own files.
"""

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation import gettext as _

STOP_SECONDS = 7.0
RESTART_PAUSE_SECONDS = 2.0
# This many deaths within this time, and it is no accident.
DEATHS_TO_GIVE_UP = 3
DEATHS_WINDOW_SECONDS = 60.0

_COLOURS = (36, 32, 33, 35, 34, 31)
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Program:
    """A program to run, and the name its lines are shown under.

    One with an ``after`` makes itself ready at once, and is told by a line on its standard input
    when that has happened.
    """

    name: str
    command: Sequence[str]
    after: asyncio.Event | None = None


class Terminal:
    """Lines with the name of who says them, in colour where a person reads."""

    def __init__(self, names: Sequence[str]) -> None:
        self._width = max(len(name) for name in names)
        self._colours = (
            {name: _COLOURS[i % len(_COLOURS)] for i, name in enumerate(names)}
            if sys.stdout.isatty() and "NO_COLOR" not in os.environ
            else {}
        )

    def line(self, name: str, text: str) -> None:
        """Print one line; a terminal that has gone away is no error."""
        prefix = f"{name:<{self._width}} |"
        if colour := self._colours.get(name):
            prefix = f"\033[{colour}m{prefix}\033[0m"
        with contextlib.suppress(OSError, ValueError):
            print(f"{prefix} {text}".rstrip(), flush=True)


class Supervisor:
    """Keeps programs running until it is told to stop or one of them keeps dying."""

    def __init__(
        self, *, name: str, terminal: Terminal, environment: Mapping[str, str], directory: Path
    ) -> None:
        """``name`` is the one that the supervisor's own lines are shown under."""
        self.name = name
        self._terminal = terminal
        self._environment = dict(environment)
        self._directory = directory
        self._stop = asyncio.Event()
        self.gave_up = False

    def listen(self) -> None:
        """Take Ctrl-C, TERM and a closed terminal as a wish to stop."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._stop.set)

    def stopping(self) -> bool:
        """Whether the end has begun."""
        return self._stop.is_set()

    def say(self, text: str) -> None:
        """Print a line of the supervisor's own."""
        self._terminal.line(self.name, text)

    def give_up(self) -> None:
        """End everything, as a failure."""
        self.gave_up = True
        self._stop.set()

    async def pause(self, seconds: float) -> bool:
        """Wait; return False as soon as the end has begun."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)
        return not self.stopping()

    async def run_once(self, program: Program) -> bool:
        """Run a program to its end; return whether it succeeded and nothing is to stop."""
        if self.stopping():
            return False
        return await self._run(program) == 0 and not self.stopping()

    async def keep_running(self, programs: Sequence[Program]) -> None:
        """Run the programs until the end begins; all are gone when this returns."""
        async with asyncio.TaskGroup() as group:
            for program in programs:
                group.create_task(self._keep_running(program))

    async def _keep_running(self, program: Program) -> None:
        deaths = Deaths(asyncio.get_running_loop().time)
        while not self.stopping():
            code = await self._run(program)
            if self.stopping():
                return
            what = _ended(code)
            if deaths.too_many():
                self.say(
                    _("%(name)s har dött %(count)d gånger på en minut (%(what)s). Allt stoppas.")
                    % {"name": program.name, "count": DEATHS_TO_GIVE_UP, "what": what}
                )
                self.give_up()
                return
            self.say(
                _("%(name)s dog (%(what)s) och startas om.") % {"name": program.name, "what": what}
            )
            await self.pause(RESTART_PAUSE_SECONDS)

    async def _run(self, program: Program) -> int:
        """Run the program until it ends or is to be stopped; return its exit code."""
        process = await asyncio.create_subprocess_exec(
            *program.command,
            cwd=self._directory,
            env=self._environment,
            stdin=asyncio.subprocess.PIPE if program.after else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            # A group of its own: Ctrl-C reaches only the supervisor, which ends all in order.
            start_new_session=True,
            preexec_fn=_die_with_parent,
        )
        output = asyncio.create_task(self._relay(program.name, process))
        ended = asyncio.create_task(process.wait())
        told = asyncio.create_task(self._stop.wait())
        waiting = asyncio.create_task(_tell(process, program.after))
        try:
            await asyncio.wait({ended, told}, return_when=asyncio.FIRST_COMPLETED)
            if not ended.done():
                with contextlib.suppress(ProcessLookupError):
                    process.terminate()
                await asyncio.wait({ended}, timeout=STOP_SECONDS)
        finally:
            # What is left of the group: a program that did not stop, or its orphans.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            told.cancel()
            waiting.cancel()
        code = await ended
        await asyncio.wait({output}, timeout=1)
        output.cancel()
        return code

    async def _relay(self, name: str, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None  # noqa: S101 - asked for as a pipe  # nosec B101
        rest = b""
        while chunk := await process.stdout.read(65536):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                self._terminal.line(name, line.decode(errors="replace"))
        if rest:
            self._terminal.line(name, rest.decode(errors="replace"))


class Deaths:
    """Counts deaths and tells when they come too close together."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._times: deque[float] = deque(maxlen=DEATHS_TO_GIVE_UP)

    def too_many(self) -> bool:
        """Count one more; return whether that is too many within the window."""
        self._times.append(self._clock())
        full = len(self._times) == DEATHS_TO_GIVE_UP
        return full and self._times[-1] - self._times[0] < DEATHS_WINDOW_SECONDS


async def _tell(process: asyncio.subprocess.Process, after: asyncio.Event | None) -> None:
    if after is not None and process.stdin is not None:
        await after.wait()
        with contextlib.suppress(OSError):
            process.stdin.write(b"\n")
            await process.stdin.drain()


def _ended(code: int) -> str:
    if code >= 0:
        return _("felkod %d") % code
    return _("signal %s") % signal.Signals(-code).name


def _die_with_parent() -> None:
    """In the new process: ask the kernel for TERM if the supervisor is killed outright."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
