"""Processes that set many documents side by side (docs/decisions/0027).

Threads of one process share Typst's memory of what it has set before, and wait for each other
there: two set 1.6 times as many letters as one, two processes twice as many. A process gets its
documents on standard input and ends when that does, so none outlives whoever began it.

Run as a program this module is such a process. A document comes as one line of JSON, which tells
how it is to be set and the number of bytes of its data, and then those; the answer is one line of
JSON that tells the number of bytes and then those, or why there are none.
"""

import json
import os
import subprocess  # nosec B404 # starts our own program
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Lock
from types import TracebackType
from typing import IO, Any, Protocol, Self

from organisations.typesetting import (
    PDF_STANDARDS,
    SignsLacking,
    Standard,
    TypesettingStopped,
    as_text,
    compile_text,
)

_ROOT = Path(__file__).resolve().parent.parent


class Setter(Protocol):
    """What sets a document: :func:`organisations.typesetting.compile_pdf`, here or elsewhere."""

    def __call__(
        self,
        template: str,
        data: dict[str, Any],
        *,
        at: datetime,
        standards: Sequence[Standard] = PDF_STANDARDS,
        exact: bool = False,
    ) -> bytes: ...


class Typesetters:
    """Processes that set documents, at most one for each core, for as long as the ``with`` lasts.

    Each begins with the first document that finds no other idle. One that sets a document has the
    next at hand: it does not wait until Python has put away what it made.
    """

    def __init__(self, most: int = os.cpu_count() or 1) -> None:
        self._most = most
        self._choosing = Lock()
        self._begun: list[_Process] = []
        self._able: list[_Process] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for process in self._begun:
            process.tell_to_end()
        for process in self._begun:
            process.await_end()

    def compile_pdf(
        self,
        template: str,
        data: dict[str, Any],
        *,
        at: datetime,
        standards: Sequence[Standard] = PDF_STANDARDS,
        exact: bool = False,
    ) -> bytes:
        """As :func:`organisations.typesetting.compile_pdf`, from any thread.

        Raises :class:`OSError` when the process is lost.
        """
        text = as_text(data).encode()
        asked = {
            "template": template,
            "bytes": len(text),
            "at": at.timestamp(),
            "standards": list(standards),
            "exact": exact,
        }
        with self._one() as process:
            return process.answer_to(json.dumps(asked).encode() + b"\n" + text)

    @contextmanager
    def _one(self) -> Iterator["_Process"]:
        """The process that has least to do; one that is lost is not asked again."""
        with self._choosing:
            process = min(self._able, key=lambda one: one.waiting, default=None)
            if process is None or (process.waiting and len(self._able) < self._most):
                process = _Process()
                self._begun.append(process)
                self._able.append(process)
            process.waiting += 1
        try:
            yield process
        except (SignsLacking, TypesettingStopped, TypesettingFailed):
            raise
        except BaseException:  # whoever stopped waiting left an answer that nobody reads
            process.kill()
            with self._choosing:
                if process in self._able:
                    self._able.remove(process)
            raise
        finally:
            with self._choosing:
                process.waiting -= 1


class _Process:
    """A process and those who wait for its answers, which come in the order of the questions."""

    def __init__(self) -> None:
        self.waiting = 0
        self._asking = Lock()
        self._last = Event()
        self._last.set()
        self._process = subprocess.Popen(  # noqa: S603 - our own program and arguments  # nosec B603
            [sys.executable, "-m", __name__],
            cwd=_ROOT,
            # It needs none of the secrets. Each process sets one document at a time.
            env={"PATH": os.environ.get("PATH", ""), "RAYON_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        if self._process.stdin is None or self._process.stdout is None:
            raise TypeError("The process was begun without its pipes.")
        self._questions, self._answers = self._process.stdin, self._process.stdout

    def answer_to(self, question: bytes) -> bytes:
        answered = Event()
        try:
            with self._asking:
                before, self._last = self._last, answered
                self._questions.write(question)
                self._questions.flush()
            before.wait()
            return _answer(self._answers)
        finally:
            answered.set()

    def kill(self) -> None:
        self._process.kill()

    def tell_to_end(self) -> None:
        # What a lost process has not read is of no use to anyone.
        with suppress(BrokenPipeError):
            self._questions.close()

    def await_end(self) -> None:
        self._process.wait()
        self._answers.close()


class TypesettingFailed(Exception):
    """Typst could not set the document; the message is its own."""


def _answer(source: IO[bytes]) -> bytes:
    line = source.readline()
    if not line.endswith(b"\n"):
        raise OSError("A process that sets documents was lost.")
    told = json.loads(line)
    if "signs" in told:
        raise SignsLacking(set(told["signs"]))
    if "stopped" in told:
        raise TypesettingStopped(told["stopped"])
    if "failed" in told:
        raise TypesettingFailed(told["failed"])
    content = source.read(told["bytes"])
    if len(content) < told["bytes"]:
        raise OSError("A process that sets documents was lost.")
    return content


def serve(source: IO[bytes], target: IO[bytes]) -> None:
    """Set the documents that come until no more do."""
    for line in source:
        asked = json.loads(line)
        told, content = _set(asked, source.read(asked.pop("bytes")).decode())
        target.write(json.dumps(told).encode() + b"\n" + content)
        target.flush()


def _set(asked: dict[str, Any], text: str) -> tuple[dict[str, Any], bytes]:
    at = datetime.fromtimestamp(asked.pop("at"), UTC)
    try:
        content = compile_text(asked.pop("template"), text, at=at, **asked)
    except SignsLacking as error:
        return {"signs": sorted(error.signs)}, b""
    except TypesettingStopped as error:
        return {"stopped": str(error)}, b""
    except Exception as error:  # noqa: BLE001 - told to whoever asked, who may have other documents
        return {"failed": f"{type(error).__name__}: {error}"}, b""
    return {"bytes": len(content)}, content


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
