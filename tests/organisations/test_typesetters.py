"""Processes that set documents say what this one would say, and end with whoever began them."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest

from notices.pdf import STANDARDS, TEMPLATE, letter_data
from organisations.typesetters import Typesetters, TypesettingFailed
from organisations.typesetting import SignsLacking, TypesettingStopped, compile_pdf
from tests.notices.letter_parts import letter

AT = datetime(2026, 3, 24, tzinfo=UTC)
HOW: dict[str, Any] = {"at": AT, "standards": STANDARDS, "exact": True}


def data(**changes: Any) -> dict[str, Any]:
    return letter_data(letter()) | changes


def typesetting_processes() -> list[psutil.Process]:
    """Not the browser or the services that other tests of this process have begun."""
    found = []
    for process in psutil.Process().children():
        with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            if "organisations.typesetters" in process.cmdline():
                found.append(process)
    return found


def test_a_document_has_the_same_bytes_wherever_it_is_set():
    here = compile_pdf(TEMPLATE, data(), **HOW)
    with Typesetters() as typesetters, ThreadPoolExecutor(3) as threads:
        made = threads.map(lambda _turn: typesetters.compile_pdf(TEMPLATE, data(), **HOW), range(9))
        assert set(made) == {here}


def test_many_who_ask_one_process_get_each_their_own_document():
    clinics = [f"Kliniken {n}" for n in range(12)] + ["Kliniken \U00013000"]
    here = {clinic: compile_pdf(TEMPLATE, data(clinic=clinic), **HOW) for clinic in clinics[:-1]}

    def ask(clinic: str) -> bytes | Exception:
        try:
            return typesetters.compile_pdf(TEMPLATE, data(clinic=clinic), **HOW)
        except SignsLacking as error:
            return error

    with Typesetters(most=1) as typesetters, ThreadPoolExecutor(6) as threads:
        asked = clinics * 3
        for clinic, made in zip(asked, threads.map(ask, asked), strict=True):
            if clinic in here:
                assert made == here[clinic]
            else:
                assert isinstance(made, SignsLacking)
        assert len(typesetting_processes()) == 1


def test_what_cannot_be_set_is_told_as_here_and_the_process_goes_on():
    with Typesetters() as typesetters:
        with pytest.raises(SignsLacking) as lacking:
            typesetters.compile_pdf(TEMPLATE, data(clinic="Kliniken \U00013000"), **HOW)
        assert lacking.value.signs == {"\U00013000"}
        with pytest.raises(TypesettingStopped, match="address-too-long"):
            typesetters.compile_pdf(TEMPLATE, data(address=["Ö" * 120]), **HOW)
        with pytest.raises(TypesettingFailed, match="dictionary does not contain key"):
            typesetters.compile_pdf(TEMPLATE, {}, **HOW)
        assert typesetters.compile_pdf(TEMPLATE, data(), **HOW).startswith(b"%PDF")
        assert len(typesetting_processes()) == 1
    assert typesetting_processes() == []


def test_a_process_that_is_lost_is_an_error_of_its_document_alone():
    with Typesetters() as typesetters:
        typesetters.compile_pdf(TEMPLATE, data(), **HOW)
        [process] = typesetting_processes()
        process.kill()
        process.wait()
        with pytest.raises(OSError, match=r"lost|Broken pipe"):
            typesetters.compile_pdf(TEMPLATE, data(), **HOW)
        assert typesetters.compile_pdf(TEMPLATE, data(), **HOW).startswith(b"%PDF")


def test_no_process_outlives_a_worker_that_was_killed():
    program = (
        "import time\n"
        "from organisations.typesetters import _Process\n"
        "print(_Process()._process.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=root, stdout=subprocess.PIPE, text=True
    ) as worker:
        assert worker.stdout is not None
        typesetter = psutil.Process(int(worker.stdout.readline()))
        os.kill(worker.pid, signal.SIGKILL)
    _gone, alive = psutil.wait_procs([typesetter], timeout=20)
    assert not alive


def test_it_gets_none_of_the_secrets(monkeypatch):
    monkeypatch.setenv("VARDLOTS_SECRET_KEY", "hemlig")
    with Typesetters() as typesetters:
        typesetters.compile_pdf(TEMPLATE, data(), **HOW)
        [process] = typesetting_processes()
        assert set(process.environ()) <= {"PATH", "RAYON_NUM_THREADS", "LC_CTYPE"}
