"""What guards every way out: mutual TLS, time-outs, breakers and limits."""

import ipaddress
import smtplib
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest
import redis
import time_machine
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.core import mail
from django.core.mail import EmailMessage
from hypothesis import given
from hypothesis import strategies as st

from notices import gateways
from notices.caps import send_staff_mail
from notices.gateways import (
    GatewayError,
    Held,
    Mail,
    MessageRefused,
    breaker,
    has_mailbox,
    is_active,
    may_send,
    send_mail,
    transport,
)
from notices.models import Notice, StaffMail
from notices.sending import send_emails
from organisations.sweeps import run_due
from referral.models import CaseState
from tests.factories import make_case, stockholm

NOW = stockholm(2026, 3, 10, 9)
PATIENT = "191212121212"
DOWN = "http://127.0.0.1:9"


@pytest.fixture
def breakers(settings) -> None:
    settings.GATEWAY_BREAKER_FAILURES, settings.GATEWAY_BREAKER_PAUSE = 3, 60
    breaker.forget()


# Mutual TLS


def certificate(name: str, folder: Path, *, signed_by: SimpleNamespace | None = None, days=1):
    """A certificate and its key as files; its own authority when nobody signs it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signed_by.subject if signed_by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=signed_by is None, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(signed_by.key if signed_by else key, hashes.SHA256())
    )
    made = SimpleNamespace(
        subject=subject, key=key, cert=folder / f"{name}.pem", secret=folder / f"{name}.key"
    )
    made.cert.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    made.secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return made


class _SaysYes(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        body = b'{"active": true}'
        self.server.callers.append(self.connection.getpeercert()["subject"])
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        pass


class _Quiet(ThreadingHTTPServer):
    callers: list[object]

    def handle_error(self, request: object, client_address: object) -> None:
        """Who is turned away is no news."""


@contextmanager
def over_tls(own: SimpleNamespace, authority: SimpleNamespace) -> Iterator[ThreadingHTTPServer]:
    """A gateway that lets in only those whose certificate the authority signed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own.cert, own.secret)
    context.load_verify_locations(authority.cert)
    context.verify_mode = ssl.CERT_REQUIRED
    server = _Quiet(("127.0.0.1", 0), _SaysYes)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.callers = []
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def test_the_gateway_and_we_know_each_other_by_certificate(settings, tmp_path):
    authority = certificate("authority", tmp_path)
    server = certificate("gateway", tmp_path, signed_by=authority)
    ours = certificate("vardlots", tmp_path, signed_by=authority)
    with over_tls(server, authority) as gateway:
        settings.GATEWAY_URL = f"https://127.0.0.1:{gateway.server_port}"
        settings.GATEWAY_CA = str(authority.cert)
        settings.GATEWAY_CERT, settings.GATEWAY_KEY = str(ours.cert), str(ours.secret)
        assert is_active(PATIENT) is True
        assert gateway.callers == [((("commonName", "vardlots"),),)]

        settings.GATEWAY_CERT = settings.GATEWAY_KEY = ""  # nobody we can be
        with pytest.raises(GatewayError):
            is_active(PATIENT)
        stranger = certificate("stranger", tmp_path)
        settings.GATEWAY_CERT, settings.GATEWAY_KEY = str(stranger.cert), str(stranger.secret)
        with pytest.raises(GatewayError):
            is_active(PATIENT)
        assert len(gateway.callers) == 1


@pytest.mark.parametrize("whose", ["another authority", "expired"])
def test_a_gateway_that_cannot_show_who_it_is_gets_no_message(settings, tmp_path, whose):
    authority, other = certificate("authority", tmp_path), certificate("other", tmp_path)
    signer, days = (other, 1) if whose == "another authority" else (authority, -1)
    server = certificate("gateway", tmp_path, signed_by=signer, days=days)
    ours = certificate("vardlots", tmp_path, signed_by=authority)
    with over_tls(server, authority) as gateway:
        settings.GATEWAY_URL = f"https://127.0.0.1:{gateway.server_port}"
        settings.GATEWAY_CA = str(authority.cert)
        settings.GATEWAY_CERT, settings.GATEWAY_KEY = str(ours.cert), str(ours.secret)
        with pytest.raises(GatewayError):
            is_active(PATIENT)
        assert gateway.callers == []


# What the gateway may do wrong


@pytest.mark.parametrize("fault", ["garbage_next", "reset_next", "lose_answer_next", "fail_next"])
@pytest.mark.django_db
def test_an_answer_that_goes_wrong_leads_to_one_message_all_the_same(gateway, fault):
    make_case(CaseState.OFFERED, now=NOW)
    run_due(now=NOW - timedelta(days=1))  # the events
    lookups = {"garbage_next": 3, "reset_next": 4}.get(fault, 1)
    gateway.faults.change({fault: lookups})
    for minutes in (0, 2, 6, 14, 30, 62):
        run_due(now=NOW + timedelta(minutes=minutes))
    [message] = gateway.messages
    notice = Notice.objects.get(kind="offer")
    assert (notice.state, notice.receipt) == ("sent", message["message_id"])
    assert gateway.faults.as_json()[fault] == 0


def test_a_slow_gateway_is_not_waited_for_longer_than_set(gateway, settings):
    settings.GATEWAY_TIMEOUT_SECONDS = 0.2
    gateway.faults.change({"delay_seconds": 600.0})
    began = datetime.now(UTC)
    with pytest.raises(GatewayError, match="does not answer"):
        transport.hand_over("1177", "/1177/messages", {}, key="a")
    assert datetime.now(UTC) - began < timedelta(seconds=10)


@pytest.mark.parametrize("receipt", ["", "x" * 81, "a\nb", 7, None])
def test_a_receipt_that_cannot_be_kept_is_none(settings, monkeypatch, receipt):
    answer = SimpleNamespace(status_code=201, json=lambda: {"message_id": receipt})
    monkeypatch.setattr(transport, "_call", lambda *_a, **_k: answer)
    with pytest.raises(GatewayError, match="receipt"):
        transport.hand_over("1177", "/1177/messages", {}, key="a")


# Breakers


def test_after_so_many_failures_in_a_row_no_call_is_made_until_the_pause_is_over(
    breakers, gateway, settings
):
    up = settings.GATEWAY_URL
    with time_machine.travel(NOW, tick=False) as clock:
        settings.GATEWAY_URL = DOWN
        for _time in range(3):
            with pytest.raises(GatewayError, match="does not answer"):
                is_active(PATIENT)
        settings.GATEWAY_URL = up
        clock.shift(59)
        with pytest.raises(Held):
            is_active(PATIENT)
        assert not may_send("1177")
        clock.shift(2)
        assert may_send("1177")
        assert is_active(PATIENT) is True
        assert breaker.state_of("1177").state == "closed"


def test_one_gateways_breaker_is_no_others(breakers, gateway):
    gateway.faults.change({"fail_lookups": 3})
    for _time in range(3):
        with pytest.raises(GatewayError):
            is_active(PATIENT)
    assert has_mailbox(PATIENT) is False
    assert [state.name for state in breaker.states() if state.retry_at] == ["1177"]


@pytest.mark.parametrize("refusal", [MessageRefused("no"), gateways.RecipientNotActive("no")])
def test_a_no_is_an_answer_and_opens_nothing(breakers, refusal):
    for _time in range(10):
        with pytest.raises(type(refusal)), breaker.guard("1177"):
            raise refusal
    assert breaker.state_of("1177").state == "closed"


def test_a_fault_of_our_own_says_nothing_of_the_gateway(breakers):
    for _time in range(10):
        with pytest.raises(ZeroDivisionError), breaker.guard("1177"):
            raise ZeroDivisionError
    assert breaker.state_of("1177").state == "closed"


@given(
    calls=st.lists(st.tuples(st.booleans(), st.integers(0, 90)), max_size=60),
    failures=st.integers(1, 5),
    pause=st.integers(1, 60),
)
def test_a_breaker_never_calls_while_open_and_always_closes_again(settings, calls, failures, pause):
    settings.GATEWAY_BREAKER_FAILURES, settings.GATEWAY_BREAKER_PAUSE = failures, pause
    breaker.forget()
    opened_at, in_a_row = None, 0
    with time_machine.travel(NOW, tick=False) as clock:
        for works, seconds in [*calls, (True, pause)]:
            clock.shift(seconds)
            now, called = datetime.now(UTC), False
            try:
                with breaker.guard("digital"):
                    called = True
                    if not works:
                        raise GatewayError("down")
            except Held:
                assert not called
            except GatewayError:
                pass
            rests = opened_at is not None and (now - opened_at).total_seconds() < pause
            assert called is not rests
            if called and works:
                opened_at, in_a_row = None, 0
            elif called:
                in_a_row += 1
                if in_a_row >= failures:
                    opened_at = now
        assert breaker.state_of("digital").state == "closed"


def test_processes_tell_each_other_that_a_gateway_rests_and_that_it_is_back(breakers, monkeypatch):
    monkeypatch.setattr(breaker, "HEARD_SECONDS", -1.0)
    here, there = breaker.SharedStorage("1177"), breaker.SharedStorage("1177")
    here.opened_at = datetime.now(UTC)
    here.state = "open"
    assert there.state == "open"
    assert there.opened_at == here.opened_at
    there.state = "half-open"
    there.state = "closed"
    assert here.state == "closed"


def test_without_the_cache_each_process_goes_by_itself(breakers, monkeypatch, settings):
    class Away:
        def __getattr__(self, _name):
            raise redis.ConnectionError("away")

    monkeypatch.setattr(breaker, "HEARD_SECONDS", -1.0)
    monkeypatch.setattr(breaker, "caches", {settings.GATEWAY_BREAKER_CACHE: Away()})
    for _time in range(3):
        with pytest.raises(GatewayError), breaker.guard("1177"):
            raise GatewayError("down")
    with pytest.raises(Held), breaker.guard("1177"):
        raise AssertionError("called while open")


def test_calls_go_on_beside_each_other(breakers):
    """A slow call must not make the others wait for it."""
    inside = threading.Barrier(4, timeout=10)

    def call() -> None:
        with breaker.guard("1177"):
            inside.wait()

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not inside.broken


# Breakers and limits in the sweeps


def rest(name: str) -> None:
    for _time in range(3):
        with pytest.raises(GatewayError), breaker.guard(name):
            raise GatewayError("down")


@pytest.mark.django_db
def test_what_is_held_stays_due_with_no_try_used_up(breakers, gateway):
    make_case(CaseState.OFFERED, now=NOW)
    rest("1177")
    run_due(now=NOW)
    notice = Notice.objects.get(kind="offer")
    assert (notice.state, notice.attempts, notice.last_error) == ("waiting", 0, "")
    assert notice.due_at <= NOW
    assert gateway.messages == []
    breaker.forget()
    run_due(now=NOW)
    assert len(gateway.messages) == 1


@pytest.mark.django_db
def test_digital_post_that_rests_holds_nobody_who_is_in_1177(breakers, gateway):
    first, second = (make_case(CaseState.OFFERED, now=NOW) for _ in range(2))
    gateway.book.set_active(first.patient.identity_number, False)
    gateway.book.set_mailbox(first.patient.identity_number, True)
    rest("digital")
    run_due(now=NOW)
    states = dict(Notice.objects.filter(kind="offer").values_list("case__number", "state"))
    assert states == {first.case.number: "waiting", second.case.number: "sent"}
    held = Notice.objects.get(kind="offer", case=first.case)
    assert (held.attempts, held.due_at <= NOW) == (0, True)
    breaker.forget()
    run_due(now=NOW)
    held.refresh_from_db()
    assert (held.state, held.channel) == ("sent", "digital")


@pytest.mark.django_db
def test_a_minutes_share_is_kept_and_the_rest_goes_in_the_next(gateway, settings):
    settings.RATES = settings.RATES | {"gateway_1177": 2}
    for _ in range(5):
        make_case(CaseState.OFFERED, now=NOW)
    with time_machine.travel(NOW, tick=False) as clock:
        taken = []
        for _minute in range(4):
            run_due(now=NOW)
            taken.append(len(gateway.messages))
            clock.shift(60)
    assert taken == [2, 4, 5, 5]
    assert set(Notice.objects.filter(kind="offer").values_list("state", "attempts")) == {
        ("sent", 1)
    }


@pytest.mark.django_db
def test_zero_is_no_limit(gateway, settings):
    settings.RATES = settings.RATES | {"gateway_1177": 0}
    for _ in range(3):
        make_case(CaseState.OFFERED, now=NOW)
    run_due(now=NOW)
    assert len(gateway.messages) == 3


# SMTP


def test_a_mail_bears_its_key(db):
    receipt = send_mail(Mail(to="a@example.org", subject="A", body="B"), key="case/1/x")
    assert mail.outbox[0].extra_headers["Message-ID"] == receipt == "<case.1.x@vardlots>"


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (smtplib.SMTPRecipientsRefused({"a@example.org": (550, b"no such user")}), MessageRefused),
        (smtplib.SMTPRecipientsRefused({"a@example.org": (450, b"later")}), GatewayError),
        (smtplib.SMTPDataError(554, b"no"), MessageRefused),
        (smtplib.SMTPDataError(451, b"later"), GatewayError),
        (smtplib.SMTPServerDisconnected("gone"), GatewayError),
        (TimeoutError("slow"), GatewayError),
    ],
)
def test_what_the_mail_server_says_for_good_is_not_tried_again(monkeypatch, raised, expected):
    def send(_mail, fail_silently=False):
        raise raised

    monkeypatch.setattr(EmailMessage, "send", send)
    with pytest.raises(GatewayError) as caught:
        send_mail(Mail(to="a@example.org", subject="A", body="B"), key="k")
    assert type(caught.value) is expected
    assert "example.org" not in str(caught.value)


@pytest.mark.django_db
def test_staff_mail_is_held_while_the_mail_server_rests(breakers):
    StaffMail.objects.create(
        to="a@b.example", subject="A", body="B", idempotency_key="k", created_at=NOW, due_at=NOW
    )
    rest("email")
    assert (send_staff_mail(now=NOW), send_emails(now=NOW)) == (0, 0)
    waiting = StaffMail.objects.get()
    assert (waiting.state, waiting.attempts, waiting.due_at) == ("waiting", 0, NOW)
    breaker.forget()
    assert send_staff_mail(now=NOW) == 1


@pytest.mark.django_db
def test_a_mail_to_nobody_there_is_given_up_at_once(monkeypatch):
    StaffMail.objects.create(
        to="a@b.example", subject="A", body="B", idempotency_key="k", created_at=NOW, due_at=NOW
    )

    def send(_mail, fail_silently=False):
        raise smtplib.SMTPRecipientsRefused({"a@b.example": (550, b"no such user")})

    monkeypatch.setattr(EmailMessage, "send", send)
    send_staff_mail(now=NOW)
    assert StaffMail.objects.get().state == "failed"
