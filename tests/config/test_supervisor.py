"""Programs that run together are shown, restarted, given up and ended together."""

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path

import psutil
import pytest

from config import supervisor
from config.supervisor import Program, Supervisor, Terminal


def program(name: str, code: str) -> Program:
    return Program(name, [sys.executable, "-c", code])


def supervise(
    run: Callable[[Supervisor], Coroutine[None, None, None]], tmp_path: Path
) -> Supervisor:
    async def main() -> Supervisor:
        boss = Supervisor(
            name="boss",
            terminal=Terminal(["boss", "worker"]),
            environment=os.environ,
            directory=tmp_path,
        )
        boss.listen()
        await run(boss)
        return boss

    return asyncio.run(main())


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "RESTART_PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(supervisor, "STOP_SECONDS", 0.5)


def pids(tmp_path: Path) -> list[int]:
    return [int(line) for line in (tmp_path / "pids").read_text().split()]


WRITE_PID = "import os; open('pids', 'a').write(f'{os.getpid()}\\n');"


async def stop_when(boss: Supervisor, condition: Callable[[], bool]) -> None:
    while not condition() and await boss.pause(0.02):
        pass
    os.kill(os.getpid(), 15)


def test_lines_bear_the_name_of_who_says_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def run(boss: Supervisor) -> None:
        assert await boss.run_once(program("worker", "print('åäö'); print('b', end='')"))
        assert not await boss.run_once(program("boss", "raise SystemExit(3)"))

    supervise(run, tmp_path)

    assert capsys.readouterr().out == "worker | åäö\nworker | b\n"


def test_a_program_that_dies_is_started_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = WRITE_PID + "import time; n = len(open('pids').readlines()); time.sleep(n > 1 and 60)"

    async def run(boss: Supervisor) -> None:
        def restarted() -> bool:
            return (tmp_path / "pids").exists() and len(pids(tmp_path)) == 2

        await asyncio.gather(
            boss.keep_running([program("worker", code)]), stop_when(boss, restarted)
        )

    boss = supervise(run, tmp_path)

    assert not boss.gave_up
    assert "startas om" in capsys.readouterr().out
    assert not any(map(psutil.pid_exists, pids(tmp_path)))


def test_three_deaths_in_a_minute_end_everything(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dying = program("worker", WRITE_PID + "raise SystemExit(7)")
    steady = program("steady", WRITE_PID + "import time; time.sleep(60)")

    async def run(boss: Supervisor) -> None:
        await boss.keep_running([dying, steady])

    boss = supervise(run, tmp_path)

    assert boss.gave_up
    assert "felkod 7" in capsys.readouterr().out
    assert len(pids(tmp_path)) == 4
    assert not any(map(psutil.pid_exists, pids(tmp_path)))


def test_a_program_that_will_not_stop_is_killed_with_its_children(tmp_path: Path) -> None:
    child = WRITE_PID + "import time; time.sleep(60)"
    stubborn = (
        "import signal, subprocess, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        f"subprocess.Popen([sys.executable, '-c', {child!r}]);" + child
    )

    async def run(boss: Supervisor) -> None:
        def both_up() -> bool:
            return (tmp_path / "pids").exists() and len(pids(tmp_path)) == 2

        await asyncio.gather(
            boss.keep_running([program("worker", stubborn)]), stop_when(boss, both_up)
        )

    supervise(run, tmp_path)

    # A killed process needs a moment to go on a busy machine, and an orphan one to be fetched.
    left = [psutil.Process(pid) for pid in pids(tmp_path) if psutil.pid_exists(pid)]
    _gone, alive = psutil.wait_procs(left, timeout=5)
    assert [one for one in alive if one.status() != psutil.STATUS_ZOMBIE] == []


def test_nothing_more_is_begun_once_the_end_has(tmp_path: Path) -> None:
    async def run(boss: Supervisor) -> None:
        boss.give_up()
        assert not await boss.run_once(program("worker", WRITE_PID))
        await boss.keep_running([program("worker", WRITE_PID)])

    supervise(run, tmp_path)

    assert not (tmp_path / "pids").exists()


def test_a_program_that_waits_is_told_when_its_time_has_come(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = "print('ready', flush=True); print(repr(input()))"

    async def run(boss: Supervisor) -> None:
        time = asyncio.Event()
        waiting = Program("worker", [sys.executable, "-c", code], after=time)
        ended = asyncio.create_task(boss.run_once(waiting))
        while "ready" not in (said := capsys.readouterr().out):
            await asyncio.sleep(0)
        assert said == "worker | ready\n"
        assert not ended.done()
        time.set()
        assert await ended

    supervise(run, tmp_path)

    assert capsys.readouterr().out == "worker | ''\n"


def test_a_program_that_waits_is_ended_with_the_rest(tmp_path: Path) -> None:
    async def run(boss: Supervisor) -> None:
        code = WRITE_PID + "input()"
        waiting = Program("worker", [sys.executable, "-c", code], after=asyncio.Event())

        def begun() -> bool:
            return (tmp_path / "pids").exists() and len(pids(tmp_path)) == 1

        await asyncio.gather(boss.run_once(waiting), stop_when(boss, begun))

    supervise(run, tmp_path)

    assert not any(map(psutil.pid_exists, pids(tmp_path)))
