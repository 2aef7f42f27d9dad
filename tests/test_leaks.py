"""The run's own net for identity numbers (tests/leaks.py) can catch what it is made to catch."""

import logging
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.http import HttpResponse, HttpResponseRedirect

from tests.factories import PatientFactory, identity_number
from tests.leaks import LeakPlugin, LogHandler, Watch, short_forms

NUMBER = identity_number(77)


def caught(plugin: LeakPlugin) -> list[str]:
    """What the end of the run would report."""
    plugin.watch.know(NUMBER)
    return [place.split(",")[0] for place in plugin.watch.found()]


@pytest.mark.parametrize(
    "text", [NUMBER, NUMBER[2:], f"{NUMBER[:8]}-{NUMBER[8:]}", f"{NUMBER[2:8]}+{NUMBER[8:]}"]
)
def test_every_way_of_writing_a_number_is_seen_as_the_same(text: str):
    assert list(short_forms(f"för {text}.")) == [NUMBER[2:]]


@pytest.mark.parametrize("text", ["13-26-000001-7", "5599000014000", f"1{NUMBER}", f"{NUMBER}9"])
def test_what_only_holds_as_many_digits_is_not_taken_for_one(text: str):
    assert NUMBER[2:] not in short_forms(text)


def test_a_number_in_a_log_line_or_its_traceback_is_caught():
    for message, error in (("för %s", None), ("fel %s", ValueError(NUMBER))):
        plugin = LeakPlugin()
        info = (type(error), error, None) if error else None
        argument = "" if error else NUMBER
        record = logging.LogRecord("a", logging.INFO, "f", 1, message, (argument,), info)
        LogHandler(plugin.watch).emit(record)
        assert caught(plugin) == ["log a"]


def test_a_number_in_a_path_a_query_or_a_redirect_is_caught():
    for environ in (
        {"PATH_INFO": f"/a/{NUMBER}/"},
        {"QUERY_STRING": f"q={NUMBER[2:8]}%2B{NUMBER[8:]}"},
    ):
        plugin = LeakPlugin()
        plugin._address(environ)
        assert caught(plugin) == ["address"]
    plugin = LeakPlugin()
    plugin._answer(HttpResponseRedirect(f"/cases/?q={NUMBER}"))
    assert caught(plugin) == ["redirect"]


@pytest.mark.parametrize("status", [400, 404, 409, 500])
def test_a_number_on_an_error_page_is_caught(status: int):
    plugin = LeakPlugin()
    plugin._answer(HttpResponse(f"<p>{NUMBER}</p>", status=status))
    assert caught(plugin) == [f"page with {status}"]


@pytest.mark.parametrize("status", [200, 422])
def test_a_page_of_a_patient_and_a_form_shown_again_may_hold_it(status: int):
    plugin = LeakPlugin()
    plugin._answer(HttpResponse(NUMBER, status=status))
    assert caught(plugin) == []


@pytest.mark.parametrize("where", ["subject", "body", "to"])
def test_a_number_in_an_e_mail_is_caught(where: str):
    plugin = LeakPlugin()
    plugin._mail(EmailMessage(**{where: [f"{NUMBER}@example.org"] if where == "to" else NUMBER}))
    assert caught(plugin) == ["e-mail"]


def test_a_number_that_belongs_to_nobody_is_no_leak():
    watch = Watch()
    watch.look(NUMBER, "log a")
    assert watch.found() == []


@pytest.mark.parametrize(("text", "failed"), [(NUMBER, True), ("13-26-000001-7", False)])
def test_a_catch_fails_the_run(text: str, failed: bool, monkeypatch: Any, tmp_path: Any):
    monkeypatch.setenv("VARDLOTS_TEST_DIRECTORY", str(tmp_path))
    (tmp_path / "server.log").write_text(f"ERROR {text}")
    session: Any = SimpleNamespace(config=SimpleNamespace(), exitstatus=0)
    plugin = LeakPlugin()
    plugin.known_to_processes.add(NUMBER[2:])
    plugin.pytest_sessionfinish(session)
    (tmp_path / "server.log").unlink()  # or the run itself would catch it
    assert bool(session.exitstatus) is failed
    assert NUMBER not in "".join(plugin.reported)


@pytest.mark.django_db
def test_this_run_knows_its_patients_and_listens(request: pytest.FixtureRequest):
    plugin: Any = request.config.pluginmanager.get_plugin("leaks")
    patient = PatientFactory.create()
    assert patient.identity_number[2:] in plugin.watch.known
    assert any(
        isinstance(handler, LogHandler) and handler.watch is plugin.watch
        for handler in logging.getLogger().handlers
    )
