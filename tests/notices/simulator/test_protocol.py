"""The gateway simulator: the protocol it speaks, what it refuses, how it misbehaves."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from werkzeug.test import TestResponse

from notices.simulator import signature
from notices.simulator.app import create_app
from tests.notices.simulator_parts import (
    PATIENT,
    SECRET,
    Program,
    a_message,
    is_problem,
)


class TestSignature:
    def test_a_signature_holds_for_its_body_and_secret_only(self):
        header = signature.sign(b"body", SECRET)
        assert signature.verify(header, b"body", SECRET)
        assert not signature.verify(header, b"other", SECRET)
        assert not signature.verify(header, b"body", "another secret")

    @pytest.mark.parametrize(("age", "holds"), [(299, True), (302, False), (-302, False)])
    def test_a_signature_holds_for_five_minutes(self, monkeypatch, age, holds):
        signed_at = time.time() - age
        with monkeypatch.context() as patch:
            patch.setattr(signature.time, "time", lambda: signed_at)
            header = signature.sign(b"", SECRET)
        assert signature.verify(header, b"", SECRET) is holds

    @pytest.mark.parametrize(
        "header", ["", "t=,v1=", "t=1", "v1=ab", "t=²,v1=ab", "t=9" + "9" * 40 + ",v1=ab", "å=,,,="]
    )
    def test_what_is_no_signature_is_refused(self, header):
        assert not signature.verify(header, b"", SECRET)

    def test_the_gateway_refuses_what_is_not_signed(self, client, program):
        assert is_problem(client.post("/1177/messages", json=a_message()), 401)
        assert is_problem(program.post("/1177/messages", a_message(), secret="wrong"), 401)
        lookup = {"identity_number": PATIENT}
        assert is_problem(program.post("/1177/recipients/lookup", lookup, secret="wrong"), 401)
        assert is_problem(client.get(f"/1177/messages/{program.sent()}"), 401)


class TestMessages:
    def test_a_message_is_taken_once_per_key(self, program, book):
        first = program.offer(key="k-1")
        again = program.offer(key="k-1")
        assert (first.status_code, again.status_code) == (201, 200)
        assert again.get_json() == first.get_json() | {"duplicate": True}
        (message,) = book.messages()
        assert message["offered"] == 2

    def test_another_body_under_a_used_key_is_refused(self, program, book):
        program.sent(key="k-1")
        assert is_problem(program.offer(key="k-1", subject="Något annat"), 409)
        assert book.messages()[0]["content"]["subject"] == "Erbjudande om vård"

    def test_the_same_key_at_the_same_moment_gives_one_message(self, app, book):
        def offer(_number: int) -> int:
            return Program(app.test_client()).offer(key="k-1").status_code

        with ThreadPoolExecutor(8) as threads:
            statuses = sorted(threads.map(offer, range(16)))
        assert statuses == [200] * 15 + [201]
        assert [message["offered"] for message in book.messages()] == [16]

    def test_a_patient_without_an_inbox_gets_no_message(self, client, program, book):
        def active() -> bool:
            lookup = {"identity_number": PATIENT}
            return bool(program.post("/1177/recipients/lookup", lookup).get_json()["active"])

        assert active()
        client.post("/recipients.json", json={"identity_number": PATIENT, "active": False})
        assert not active()
        assert is_problem(program.offer(), 404)
        assert book.messages() == []
        client.post("/recipients.json", json={"identity_number": PATIENT, "active": True})
        assert active()
        assert program.offer().status_code == 201

    @pytest.mark.parametrize(
        ("way", "answer", "found"),
        [("1177", "active", [False, True]), ("digital-post", "reachable", [True, False])],
    )
    def test_many_recipients_are_looked_up_at_once(self, program, book, way, answer, found):
        numbers = [PATIENT, "201212121212"]
        book.set_active(PATIENT, False)
        book.set_mailbox(PATIENT, True)
        told = program.post(f"/{way}/recipients/lookup", {"identity_numbers": numbers}).get_json()
        assert told == {
            "recipients": [
                {"identity_number": number, answer: reached}
                for number, reached in zip(numbers, found, strict=True)
            ]
        }

    @pytest.mark.parametrize("numbers", ["x", {}, 1, [1], [None], ["1"] * 501])
    @pytest.mark.parametrize("way", ["1177", "digital-post"])
    def test_a_list_that_is_none_is_a_bad_request(self, program, way, numbers):
        lookup = {"identity_numbers": numbers}
        assert is_problem(program.post(f"/{way}/recipients/lookup", lookup), 400)

    def test_a_digital_letter_is_taken_once_for_whoever_has_a_mailbox(self, client, program, book):
        def reachable() -> bool:
            lookup = {"identity_number": PATIENT}
            answer = program.post("/digital-post/recipients/lookup", lookup)
            return bool(answer.get_json()["reachable"])

        def letter() -> TestResponse:
            content = a_message()
            del content["thread"]
            headers = {"Idempotency-Key": "k-1"}
            taken: TestResponse = program.post("/digital-post/messages", content, **headers)
            return taken

        assert not reachable()
        assert is_problem(letter(), 404)
        client.post("/recipients.json", json={"identity_number": PATIENT, "mailbox": True})
        assert reachable()
        assert [letter().status_code for _ in range(2)] == [201, 200]
        [message] = book.messages()
        assert (message["content"]["channel"], message["offered"]) == ("digital", 2)
        assert message["content"]["answerable"] is False

    def test_a_receipt_is_given_again_though_the_inbox_was_closed_since(self, program, book):
        program.sent(key="k-1")
        book.set_active(PATIENT, False)
        assert program.offer(key="k-1").status_code == 200

    def test_the_status_tells_whether_it_was_read_and_answered(self, client, program):
        message_id = program.sent()

        def status() -> Any:
            headers = {signature.HEADER: signature.sign(b"", SECRET)}
            return client.get(f"/1177/messages/{message_id}", headers=headers).get_json()

        assert status() == {"message_id": message_id, "read_at": None, "answer": None}
        client.get(f"/meddelanden/{message_id}")
        assert status()["read_at"]
        client.post(f"/meddelanden/{message_id}", data={"answer": "yes"})
        assert status()["answer"] == {"accepted": True, "reason": None, "comment": ""}

    def test_the_book_is_there_after_a_restart(self, program, tmp_path):
        program.sent(key="k-1")
        restarted = Program(create_app(data_dir=tmp_path, secret=SECRET).test_client())
        assert restarted.offer(key="k-1").status_code == 200


BROKEN_BODIES = [
    b"",
    b"{",
    b"[]",
    b"null",
    b'"text"',
    b"\xff\xfe",
    b'{"subject": "\\ud800"}',
    b'{"delay_seconds": NaN}',
    b'{"a": 1e999}',
    b"[" * 100_000,
    b'{"a":' * 20_000,
    b"9" * 10_000,
]


WAYS = ("1177", "digital-post")
NO_REASONS: list[Any] = [None, {}, {"decline_reasons": []}]


class TestBadInput:
    @pytest.mark.parametrize("body", BROKEN_BODIES, ids=lambda body: repr(body[:12]))
    def test_a_body_that_is_no_object_is_refused_everywhere(self, program, body):
        paths = [f"/{way}/{what}" for way in WAYS for what in ("messages", "recipients/lookup")]
        for path in paths:
            assert is_problem(program.post(path, body, **{"Idempotency-Key": "k"}), 400)
        for path in ("/faults", "/recipients.json", "/answer.json"):
            assert is_problem(program.post(path, body), 400)

    @pytest.mark.parametrize(
        "change",
        [
            {"recipient": ""},
            {"recipient": 1},
            {"body": None},
            {"thread": ["17"]},
            {"language": 5},
            {"answerable": "yes"},
            {"answer_options": "travel"},
            {"answer_options": {"decline_reasons": {}}},
            {"answer_options": {"decline_reasons": ["travel"]}},
            {"answer_options": {"decline_reasons": [{"code": "travel"}]}},
            {"callback_url": 7},
            {"callback_url": "ftp://127.0.0.1/"},
            {"callback_url": "http://"},
            {"callback_url": "http://[::1/"},
            {"callback_url": "http://127.0.0.1:99999999/"},
        ],
        ids=str,
    )
    def test_a_malformed_message_is_refused_by_the_field(self, program, book, change):
        answer = program.offer(**change)
        assert is_problem(answer, 400)
        assert next(iter(change)) in answer.get_json()["title"]
        assert book.messages() == []

    @pytest.mark.parametrize("key", ["", "k" * 201])
    def test_a_key_is_needed(self, program, key):
        answer = program.post("/1177/messages", a_message(), **{"Idempotency-Key": key})
        assert is_problem(answer, 400)

    def test_a_message_without_reasons_can_be_opened_and_answered_yes(self, client, program):
        for options in NO_REASONS:
            message_id = program.sent(answer_options=options)
            assert client.get(f"/meddelanden/{message_id}").status_code == 200
            said_no = client.post(f"/meddelanden/{message_id}", data={"answer": "no"})
            assert said_no.status_code == 422
            said_yes = client.post(f"/meddelanden/{message_id}", data={"answer": "yes"})
            assert said_yes.status_code == 302

    def test_too_much_is_refused(self, program):
        assert is_problem(program.offer(body="å" * 300_000), 413)

    @pytest.mark.parametrize(
        ("fault", "value"),
        [
            ("delay_seconds", -1),
            ("delay_seconds", 10**400),
            ("delay_seconds", True),
            ("fail_next", -1),
            ("fail_next", 1.5),
            ("lose_answer_next", "1"),
            ("double_callbacks", 1),
            ("change", 1),
        ],
    )
    def test_a_fault_out_of_range_is_refused_and_nothing_is_set(self, app, client, fault, value):
        before = app.extensions["faults"].as_json()
        assert is_problem(client.post("/faults", json={"fail_next": 3, fault: value}), 400)
        assert app.extensions["faults"].as_json() == before

    def test_the_wrong_address_or_method_is_a_problem_too(self, client, program):
        assert is_problem(client.get("/nowhere"), 404)
        assert is_problem(client.get("/faults"), 405)
        assert is_problem(client.post("/recipients.json", json={"identity_number": PATIENT}), 400)

    @pytest.mark.parametrize("path", ["/meddelanden/none", "/e-post/1", f"/e-post/{10**30}"])
    def test_a_person_who_is_lost_sees_a_page(self, client, path):
        answer = client.get(path)
        assert answer.status_code == 404
        assert "Sidan finns inte" in answer.text


class TestFaults:
    def test_it_fails_as_often_as_told_and_takes_nothing(self, client, program, book):
        client.post("/faults", json={"fail_next": 2})
        assert [program.offer(key="k").status_code for _ in range(3)] == [503, 503, 201]
        assert book.messages()[0]["offered"] == 1

    def test_it_loses_its_answer_after_taking_the_message(self, client, program, book):
        client.post("/faults", json={"lose_answer_next": 1})
        assert is_problem(program.offer(key="k"), 503)
        assert len(book.messages()) == 1
        again = program.offer(key="k")
        assert (again.status_code, again.get_json()["duplicate"]) == (200, True)

    def test_it_counts_exactly_when_many_call_at_once(self, app, client):
        client.post("/faults", json={"fail_next": 10})

        def offer(_number: int) -> int:
            return Program(app.test_client()).offer().status_code

        with ThreadPoolExecutor(8) as threads:
            assert list(threads.map(offer, range(30))).count(503) == 10

    def test_it_is_slow(self, client, program):
        client.post("/faults", json={"delay_seconds": 0.2})
        began = time.monotonic()
        program.offer()
        assert time.monotonic() - began >= 0.2
