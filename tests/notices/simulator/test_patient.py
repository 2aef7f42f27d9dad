"""The gateway simulator: one plays the patient, and Vårdlots is told by callbacks."""

import re
import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from flask import Flask

from tests.notices.simulator_parts import (
    CASE,
    NOWHERE,
    is_problem,
)


@pytest.fixture
def deliver(app: Flask) -> Callable[[], None]:
    """One round of callbacks."""
    found: Callable[[], None] = app.extensions["sender"].deliver_due
    return found


class TestPages:
    def test_the_inbox_shows_the_newest_first_and_finds_a_case(self, client, program):
        program.sent(subject="Det första")
        program.sent(subject="Det andra", reference="14-26-000009-1")
        page = client.get("/").text
        assert page.index("Det andra") < page.index("Det första")
        assert page.count("oläst") == 2
        found = client.get("/?reference=+14-26-000009-1+").text
        assert "Det andra" in found
        assert "Det första" not in found
        assert "Inga meddelanden" in client.get("/?reference=%27").text

    def test_opening_marks_read_once(self, client, program, book):
        message_id = program.sent(callback_url=NOWHERE)
        client.get(f"/meddelanden/{message_id}")
        page = client.get(f"/meddelanden/{message_id}").text
        assert "Du kan få vård tidigare" in page
        assert "läst väntar" in page
        assert len(book.callbacks_of(message_id)) == 1

    def test_what_others_wrote_is_shown_as_text(self, client, program):
        message_id = program.sent(subject="<b>fet</b>", body="<script>alert(1)</script>")
        for path in ("/", f"/meddelanden/{message_id}"):
            page = client.get(path).text
            assert "&lt;b&gt;" in page
            assert "<script" not in page

    def test_a_no_needs_one_of_the_reasons_and_keeps_what_was_typed(self, client, program, book):
        path = f"/meddelanden/{program.sent()}"
        for data in ({"answer": "no"}, {"answer": "no", "reason": "made up"}, {}):
            refused = client.post(path, data=data | {"comment": "Min kommentar"})
            assert refused.status_code == 422
            assert "Välj varför du tackar nej." in refused.text
            assert "Min kommentar" in refused.text
        client.post(path, data={"answer": "no", "reason": "travel", "comment": "För långt"})
        assert book.messages()[0]["answer"] == {
            "accepted": False,
            "reason": "travel",
            "comment": "För långt",
        }
        page = client.get(path).text
        assert "Du har svarat nej. Orsak: Resan." in page
        assert "<form" not in page

    def test_enter_among_the_reasons_cannot_say_yes(self, client, program):
        page = client.get(f"/meddelanden/{program.sent()}").text
        yes, no = re.findall(r"<form.*?</form>", page, re.DOTALL)
        assert 'value="yes"' in yes
        assert 'name="reason"' not in yes
        assert 'value="yes"' not in no

    @pytest.mark.parametrize("second", [{"answer": "no", "reason": "travel"}, {}])
    def test_there_is_one_answer_to_a_message(self, client, program, book, second):
        path = f"/meddelanden/{program.sent(callback_url=NOWHERE)}"
        client.post(path, data={"answer": "yes"})
        refused = client.post(path, data=second)
        assert refused.status_code == 422
        assert "Du har redan svarat." in refused.text
        assert book.messages()[0]["answer"]["accepted"] is True
        assert len(book.due_callbacks(time.time())) == 1

    def test_a_plain_message_takes_no_answer(self, client, program, book):
        path = f"/meddelanden/{program.sent(answerable=False)}"
        assert "<form" not in client.get(path).text
        for data in ({"answer": "yes"}, {"answer": "no"}):
            assert "går inte att svara på" in client.post(path, data=data).text
        assert book.messages()[0]["answer"] is None

    def test_nothing_is_fetched_from_elsewhere_or_written_inline(self, client, program):
        for path in ("/", f"/meddelanden/{program.sent()}", "/e-post"):
            page = client.get(path).text
            assert 'lang="sv"' in page
            assert not re.search(r'style=|<style|<script|\son\w+=|(src|href)="(https?:)?//', page)
        assert client.get("/static/simulator.css").status_code == 200


class TestProgramPlaysThePatient:
    def test_it_answers_once(self, client, program):
        wanted = {"message_id": program.sent(), "accepted": False, "reason": "other"}
        answer = client.post("/answer.json", json=wanted)
        assert answer.get_json() == {"accepted": False, "reason": "other", "comment": ""}
        assert is_problem(client.post("/answer.json", json=wanted), 409)

    @pytest.mark.parametrize(
        "wrong",
        [
            {"accepted": None},
            {"accepted": "true"},
            {"accepted": False},
            {"accepted": False, "reason": "made up"},
            {"accepted": False, "reason": ["travel"]},
            {"accepted": True, "comment": {"a": 1}},
        ],
        ids=str,
    )
    def test_an_answer_that_the_message_does_not_allow_is_refused(self, client, program, wrong):
        wanted = {"message_id": program.sent()} | wrong
        assert is_problem(client.post("/answer.json", json=wanted), 400)

    def test_an_unknown_message_is_not_found(self, client):
        assert is_problem(client.post("/answer.json", json={"message_id": 1}), 404)

    def test_the_book_shows_keys_and_how_often_each_was_offered(self, client, program):
        program.offer(key="k-1")
        program.offer(key="k-1")
        (message,) = client.get("/book.json").get_json()["messages"]
        assert (message["idempotency_key"], message["offered"]) == ("k-1", 2)
        assert (message["read_at"], message["answer"]) == (None, None)


class TestCallbacks:
    def test_a_wish_to_be_called_is_told_and_answers_nothing(
        self, client, program, receiver, deliver
    ):
        message_id = program.sent(callback_url=receiver.url)
        address = f"/meddelanden/{message_id}"
        assert "Vad gäller det?" in client.get(f"{address}/uppringning").text
        client.post(f"{address}/uppringning", data={"phone": " 070-1 ", "about": "Resan"})
        deliver()
        (told,) = receiver.taken
        assert (told["type"], told["call"]) == (
            "call.requested",
            {"phone": "070-1", "about": "Resan"},
        )
        assert "Ja, tack" in client.get(address).text
        assert client.post(f"/meddelanden/{program.sent(key='k2')}/uppringning").status_code == 422

    def test_read_and_answer_are_told_signed_and_in_order(self, client, program, receiver, deliver):
        message_id = program.sent(callback_url=receiver.url)
        client.get(f"/meddelanden/{message_id}")
        client.post(
            f"/meddelanden/{message_id}",
            data={"answer": "no", "reason": "other", "comment": "Åker bort"},
        )
        deliver()
        deliver()
        assert receiver.types == ["message.read", "message.answered"]
        assert all(receiver.signed)
        read, answered = receiver.taken
        assert "answer" not in read
        assert answered["answer"] == {"accepted": False, "reason": "other", "comment": "Åker bort"}
        for payload in receiver.taken:
            assert payload["message_id"] == message_id
            assert (payload["thread"], payload["reference"]) == ("17", CASE)
        assert read["delivery_id"] != answered["delivery_id"]
        assert "svar lämnad (200, 1 försök)" in client.get(f"/meddelanden/{message_id}").text

    def test_it_is_delivered_again_with_the_same_id_until_it_is_taken(
        self, client, program, receiver, deliver, book, monkeypatch
    ):
        receiver.statuses = [500, 503, 302, 200]
        message_id = program.sent(callback_url=receiver.url)
        client.get(f"/meddelanden/{message_id}")
        clock, pauses = time.time() + 1, []
        monkeypatch.setattr("notices.simulator.callbacks.time.time", lambda: clock)
        for _round in range(6):
            deliver()
            (callback,) = book.callbacks_of(message_id)
            pauses.append(callback["next_try"] - clock)
            clock = max(clock, callback["next_try"])
        assert len(receiver.taken) == 4
        assert len({payload["delivery_id"] for payload in receiver.taken}) == 1
        assert pauses[0] < pauses[1] < pauses[2]
        assert callback["done_at"]

    def test_it_is_not_delivered_again_before_its_pause_is_over(
        self, client, program, receiver, deliver
    ):
        receiver.statuses = [500]
        client.get(f"/meddelanden/{program.sent(callback_url=receiver.url)}")
        deliver()
        deliver()
        assert len(receiver.taken) == 1

    def test_a_refusal_ends_it(self, client, program, receiver, deliver, book):
        receiver.statuses = [400]
        message_id = program.sent(callback_url=receiver.url)
        client.get(f"/meddelanden/{message_id}")
        deliver()
        (callback,) = book.callbacks_of(message_id)
        assert (callback["last_status"], bool(callback["done_at"])) == ("400", True)

    @pytest.mark.parametrize("address", [NOWHERE, "http://a..b/"])
    def test_nobody_there_holds_up_nobody_else(
        self, client, program, receiver, deliver, book, address
    ):
        lost = program.sent(callback_url=address)
        client.get(f"/meddelanden/{lost}")
        client.get(f"/meddelanden/{program.sent(callback_url=receiver.url)}")
        deliver()
        assert receiver.types == ["message.read"]
        (callback,) = book.callbacks_of(lost)
        assert (callback["attempts"], callback["done_at"]) == (1, None)
        assert callback["last_status"].endswith("Error")

    def test_it_calls_back_twice_with_the_same_id(self, client, program, receiver, deliver):
        client.post("/faults", json={"double_callbacks": True})
        client.get(f"/meddelanden/{program.sent(callback_url=receiver.url)}")
        deliver()
        assert len(receiver.taken) == 2
        assert len({payload["delivery_id"] for payload in receiver.taken}) == 1

    def test_callbacks_overtake_each_other(self, client, program, receiver, deliver, monkeypatch):
        waits = iter([1.0, 0.0])
        drawn = SimpleNamespace(uniform=lambda *_limits: next(waits))
        monkeypatch.setattr("notices.simulator.app.random", drawn)
        client.post("/faults", json={"shuffle_callbacks": True})
        path = f"/meddelanden/{program.sent(callback_url=receiver.url)}"
        client.get(path)
        client.post(path, data={"answer": "yes"})
        deliver()
        ahead = time.time() + 2
        monkeypatch.setattr("notices.simulator.callbacks.time.time", lambda: ahead)
        deliver()
        assert receiver.types == ["message.answered", "message.read"]
