"""Writes a batch's letters as files with their index, several at a time (decisions/0027).

Threads ask processes for the PDF, two for each, so that none waits for its next letter. Few letters
are begun before the first of them is written: however many there are, a handful is in memory.
"""

import csv
import hashlib
import logging
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from django.db import DatabaseError
from django.utils.translation import gettext as _

from notices.models import Notice
from notices.pdf import LetterRefused, letter_data, set_letter
from organisations.spreadsheets import safe
from organisations.typesetters import Setter, Typesetters
from organisations.typesetting import compile_pdf

logger = logging.getLogger(__name__)

INDEX_NAME = "index.csv"
INDEX_COLUMNS = ("file", "case_number", "pages", "sha256", "recipient", "delivery")

THREADS = 2 * (os.cpu_count() or 1)
# So few are set sooner than other processes begin.
MOST_SET_HERE = 20


@dataclass(frozen=True)
class Setting:
    """Who sets the letters, and how many at once."""

    typesetters: Typesetters
    threads: int


@dataclass(frozen=True)
class Printed:
    """A letter that has been written, by its row in the index."""

    letter: Notice
    pages: int
    sha256: str

    @property
    def file(self) -> str:
        return file_of(self.letter)


def file_of(letter: Notice) -> str:
    """The letter's file name, which tells nothing about the patient."""
    return f"{letter.case.number}_{letter.pk}.pdf"


def write_letters(
    letters: list[Notice], *, folder: Path, setting: Setting
) -> tuple[list[Printed], list[Notice]]:
    """Write the letters as PDF that the disk keeps; returns them, and those that cannot be made.

    One that cannot be made is marked failed and holds up nobody else; a disk that takes no more
    stops them all.
    """
    printed, failed, kept = [], [], []
    few = len(letters) <= MOST_SET_HERE
    setter = compile_pdf if few else setting.typesetters.compile_pdf
    with ThreadPoolExecutor(setting.threads) as threads, ThreadPoolExecutor(1) as disk:
        begin = partial(_begin, threads=threads, folder=folder, setter=setter)
        for letter, made in _in_turn(letters, begin, ahead=2 * setting.threads):
            try:
                pages, checksum = made.result()
            except (OSError, DatabaseError):
                raise
            except Exception as error:  # noqa: BLE001 - it holds up nobody else
                _fail(letter, error)
                failed.append(letter)
            else:
                printed.append(Printed(letter, pages, checksum))
                # The next ones are set while the disk takes this one.
                kept.append(disk.submit(_sync, folder / file_of(letter)))
    for on_the_disk in kept:
        on_the_disk.result()
    return printed, failed


Made = Future[tuple[int, str]]


def _in_turn(
    letters: Iterable[Notice], begin: Callable[[Notice], Made], *, ahead: int
) -> Iterator[tuple[Notice, Made]]:
    """Each letter with the future of its file, in order; few are begun before one is asked for."""
    begun: deque[tuple[Notice, Made]] = deque()
    for letter in letters:
        begun.append((letter, begin(letter)))
        if len(begun) > ahead:
            yield begun.popleft()
    yield from begun


def _begin(letter: Notice, *, threads: ThreadPoolExecutor, folder: Path, setter: Setter) -> Made:
    """What the database has is read here: each thread would have a connection of its own."""
    try:
        data = letter_data(letter)
    except DatabaseError:
        raise
    except Exception as error:  # noqa: BLE001 - told where the letter's outcome is asked for
        unwritten: Made = Future()
        unwritten.set_exception(error)
        return unwritten
    path = folder / file_of(letter)
    return threads.submit(_make, data, at=letter.due_at, path=path, setter=setter)


def _make(data: dict[str, Any], *, at: datetime, path: Path, setter: Setter) -> tuple[int, str]:
    """Set and write one letter; returns its number of pages and its checksum."""
    content, pages = set_letter(data, at=at, setter=setter)
    write_file(path, content)
    return pages, hashlib.sha256(content).hexdigest()


def _fail(letter: Notice, error: Exception) -> None:
    told = str(error)
    if not isinstance(error, LetterRefused):
        logger.error("the letter in case %s could not be made", letter.case.number, exc_info=error)
        told = _("Brevet kunde inte göras (%(error)s).") % {"error": type(error).__name__}
    letter.state = Notice.State.FAILED
    letter.batch = None
    letter.attempts += 1
    letter.last_error = told[:300]


def write_index(folder: Path, letters: Iterable[Printed]) -> None:
    """Write the index of the letters that lie in the folder, and have the disk keep it."""
    with (folder / INDEX_NAME).open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, delimiter=";", lineterminator="\r\n")
        rows.writerow(INDEX_COLUMNS)
        rows.writerows(_index_row(made) for made in letters)
        file.flush()
        os.fsync(file.fileno())
    sync_folder(folder)


def files_in(index: bytes) -> set[str]:
    """The letters' files that a folder's index names."""
    return {row["file"] for row in csv.DictReader(index.decode().splitlines(), delimiter=";")}


def _index_row(made: Printed) -> tuple[str | int, ...]:
    patient = made.letter.case.patient
    return (
        made.file,
        made.letter.case.number,
        made.pages,
        made.sha256,
        "" if patient.is_protected else safe(patient.full_name),
        # Skatteverket forwards post to people with protected identity.
        "skatteverket" if patient.is_protected else "post",
    )


def write_file(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def sync_folder(folder: Path) -> None:
    """Have the disk keep the folder's entries: files written, moved in and out."""
    _sync(folder)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
