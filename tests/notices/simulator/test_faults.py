"""The gateway simulator told to misbehave, by a program and by a person."""

import time

import httpx
import pytest
from flask import Flask

from notices.simulator.callbacks import CallbackSender
from notices.simulator.faults import WORDS, Faults


@pytest.fixture
def sender(app: Flask) -> CallbackSender:
    found: CallbackSender = app.extensions["sender"]
    return found


def test_every_fault_has_words_for_the_page():
    assert WORDS.keys() == Faults().as_json().keys()


def test_it_answers_what_cannot_be_read_though_it_took_the_message(app, client, program):
    client.post("/faults", json={"garbage_next": 1})
    answer = program.offer(key="k")
    assert answer.status_code == 201
    with pytest.raises(UnicodeDecodeError):
        answer.data.decode()
    assert program.offer(key="k").get_json()["duplicate"] is True


def test_it_breaks_off_in_the_middle_of_its_answer(gateway):
    gateway.faults.change({"reset_next": 1})
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{gateway.url}/1177/messages/x")
    assert httpx.get(f"{gateway.url}/1177/messages/x").status_code == 401


def test_it_is_slow_by_chance_up_to_so_many_seconds(client, program):
    client.post("/faults", json={"jitter_seconds": 0.05})
    began = time.monotonic()
    for _time in range(5):
        program.offer()
    assert time.monotonic() - began < 5


def test_a_callback_it_loses_never_comes(app, client, program, receiver, sender):
    client.post("/faults", json={"lose_callbacks": 1})
    for key in ("lost", "told"):
        client.get(f"/meddelanden/{program.sent(key=key, callback_url=receiver.url)}")
    sender.deliver_due()
    sender.deliver_due()
    assert receiver.types == ["message.read"]


def test_a_callback_that_is_late_comes_later(app, client, program, receiver, sender):
    client.post("/faults", json={"late_callbacks_seconds": 300.0})
    client.get(f"/meddelanden/{program.sent(callback_url=receiver.url)}")
    sender.deliver_due()
    assert receiver.taken == []
    [callback] = app.extensions["book"].due_callbacks(time.time() + 301)
    assert callback["attempts"] == 0


def test_other_pages_than_the_gateways_go_on_working(client):
    client.post("/faults", json={"garbage_next": 5, "reset_next": 5, "jitter_seconds": 60.0})
    for path in ("/", "/fel", "/tryckeri", "/healthz", "/book.json"):
        assert client.get(path).status_code == 200
        assert client.get(path).data.decode()


def test_a_person_sets_faults_on_a_page_and_takes_them_back(app, client):
    page = client.get("/fel").text
    assert all(text in page for text in WORDS.values())
    answer = client.post("/fel", data={"fail_next": "3", "delay_seconds": "0,5"} | double("1"))
    assert answer.status_code == 302
    faults = app.extensions["faults"]
    assert (faults.fail_next, faults.delay_seconds, faults.double_callbacks) == (3, 0.5, True)
    client.post("/fel")
    assert not any(faults.as_json().values())


def double(value: str) -> dict[str, str]:
    return {"double_callbacks": value}


@pytest.mark.parametrize("typed", ["många", "-1", "1e999", "nan", "2.5", "\x00", "9" * 5000])
def test_what_is_no_number_is_said_at_the_page_and_changes_nothing(app, client, typed):
    answer = client.post("/fel", data={"fail_next": typed, "return_letters": "2"})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert not any(app.extensions["faults"].as_json().values())


def test_the_press_shows_its_letters(client):
    assert "Inga brev" in client.get("/tryckeri").text
    for number in (1, 2**63, 2**70):
        assert client.post(f"/tryckeri/{number}/retur").status_code == 404
