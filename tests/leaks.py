"""A pytest plugin: no patient's identity number in a log, address, e-mail or error page.

All that the product writes and answers during the run is looked through for the shape of an
identity number; at the end those that belong to somebody whom the run knew as a patient, or read in
a form, fail the run with their places. A page of 422 is a form that shows again what its own person
typed, and no error page. A test that itself sends a number in an address, to see it refused, says
so by ``@pytest.mark.number_in_address``.

It stands in ``addopts``: each process of pytest-xdist looks for itself and the first one reports.
"""

import contextlib
import logging
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

import pytest
from django.core.mail import EmailMessage
from django.core.signals import request_started
from django.db.models.signals import post_save

SHAPE = re.compile(r"(?<![0-9])(?:18|19|20)?([0-9]{6})[-+ ]?([0-9]{4})(?![0-9])")
FORM_SHOWN_AGAIN = 422


class Watch:
    """What was seen with the shape of a number and where, and which numbers belong to somebody."""

    def __init__(self) -> None:
        self.known: set[str] = set()
        self.seen: dict[str, set[str]] = {}
        self.test = ""
        self.sends_number = False

    def know(self, number: str) -> None:
        self.known.update(short_forms(number))

    def look(self, text: str, where: str) -> None:
        for number in short_forms(text):
            self.seen.setdefault(number, set()).add(f"{where}, {self.test}")

    def found(self, known: Iterable[str] = ()) -> list[str]:
        """The places where numbers of ``known`` stand, without the numbers."""
        numbers = self.known.union(known)
        return sorted(
            {place for n, places in self.seen.items() if n in numbers for place in places}
        )


def short_forms(text: str) -> Iterator[str]:
    """Everything with the shape of an identity number as ten digits."""
    for day, rest in SHAPE.findall(text):
        yield day + rest


class LogHandler(logging.Handler):
    """Sees the line before it is masked: that nobody writes a number is the first net."""

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self.watch = watch
        self.setFormatter(logging.Formatter())

    def emit(self, record: logging.LogRecord) -> None:
        line = self.format(record)
        if self.watch.sends_number:  # the address stands in the line, masked by the second net
            from organisations.masking import masked  # settings must have been read

            line = masked(line)
        self.watch.look(line, f"log {record.name}")


class LeakPlugin:
    """Listens where the product speaks, and reports at the end."""

    def __init__(self) -> None:
        self.watch = Watch()
        self.from_processes: list[str] = []
        self.known_to_processes: set[str] = set()
        self.reported: list[str] = []
        self._patch = pytest.MonkeyPatch()

    def pytest_sessionstart(self) -> None:
        from django.core.handlers.base import BaseHandler

        from patients.identity import IdentityNumber
        from patients.models import Patient

        watch = self.watch
        self._listen()
        request_started.connect(self._address, weak=False)
        post_save.connect(self._patient, sender=Patient, weak=False)
        send, answer, parse = EmailMessage.send, BaseHandler.get_response, IdentityNumber.parse

        def sending(message: EmailMessage, *args: Any, **options: Any) -> Any:
            self._mail(message)
            return send(message, *args, **options)

        def answering(handler: BaseHandler, request: Any) -> Any:
            response = answer(handler, request)
            self._answer(response)
            return response

        def parsing(text: str, *args: Any, **options: Any) -> IdentityNumber:
            identity = parse(text, *args, **options)
            watch.know(identity.value)
            return identity

        self._patch.setattr(EmailMessage, "send", sending)
        self._patch.setattr(BaseHandler, "get_response", answering)
        self._patch.setattr(IdentityNumber, "parse", staticmethod(parsing))

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        self._listen()
        self.watch.test = item.nodeid
        self.watch.sends_number = item.get_closest_marker("number_in_address") is not None

    def _listen(self) -> None:
        """Anew for each test: one that sets up logging itself takes away what listens."""
        root = logging.getLogger()
        if not any(isinstance(handler, LogHandler) for handler in root.handlers):
            root.addHandler(LogHandler(self.watch))

    def _address(self, environ: dict[str, Any], **_signal: Any) -> None:
        if not self.watch.sends_number:
            address = f"{environ.get('PATH_INFO', '')}?{environ.get('QUERY_STRING', '')}"
            self.watch.look(unquote_plus(address), "address")

    def _patient(self, instance: Any, **_signal: Any) -> None:
        self.watch.know(instance.identity_number)

    def _mail(self, message: EmailMessage) -> None:
        """The parts before they are encoded for transport."""
        alternatives = getattr(message, "alternatives", [])
        headers = [message.subject, *message.recipients(), str(message.extra_headers)]
        texts = [*headers, str(message.body), *(str(one[0]) for one in alternatives)]
        self.watch.look("\n".join(texts), "e-mail")

    def _answer(self, response: Any) -> None:
        self.watch.look(unquote_plus(response.get("Location", "")), "redirect")
        status = response.status_code
        if status >= 400 and status != FORM_SHOWN_AGAIN and not response.streaming:
            self.watch.look(response.content.decode(errors="replace"), f"page with {status}")

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        output = getattr(node, "workeroutput", {})
        self.from_processes += output.get("leaks", [])
        self.known_to_processes.update(output.get("known_numbers", []))

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        self._patch.undo()
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output["leaks"] = self.watch.found()
            output["known_numbers"] = sorted(self.watch.known)
            return
        self.watch.test = "written by a process of the product"
        for path in log_files(session.config):
            for line in path.read_text(errors="replace").splitlines():
                if SHAPE.search(line):
                    self.watch.look(line, f"{path.name}: {SHAPE.sub('[nummer]', line)[:200]}")
        self.reported = self.from_processes + self.watch.found(self.known_to_processes)
        if self.reported:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.reported:
            terminalreporter.section("identity numbers where none may be", red=True)
            for place in self.reported:
                terminalreporter.write_line(f"FAILED identity number in {place}", red=True)


def log_files(config: pytest.Config) -> list[Path]:
    """What the servers and the product's processes have written beside their data."""
    places = [os.environ.get("VARDLOTS_TEST_DIRECTORY")]
    with contextlib.suppress(AttributeError, OSError):
        places.append(str(config._tmp_path_factory.getbasetemp()))
    return [path for place in places if place for path in Path(place).rglob("*.log")]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "number_in_address: sends an identity number in an address, to see it refused"
    )
    config.pluginmanager.register(LeakPlugin(), "leaks")
