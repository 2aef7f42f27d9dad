"""Lock-out: after some failed logins one must wait, whether or not the password is right.

A try is written down before it is judged, and taken back when it succeeds; so a hundred tries at
once get no further than a hundred in a row. The views that call this run outside any transaction.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils.crypto import salted_hmac

from organisations.models import FailedLogin

WINDOW = timedelta(minutes=15)
# One login from one address; one login from anywhere, far more so that nobody is shut out by
# someone else's tries; and one address, which a whole hospital may share.
PAIR_LIMIT = 5
LOGIN_LIMIT = 30
ADDRESS_LIMIT = 100
SWEEP_LIMIT = 1000


@dataclass(frozen=True)
class Attempt:
    """A try that has been counted; ``wait_seconds`` is not 0 when it came one too many."""

    row: int
    login: str
    address: str
    wait_seconds: int

    def succeeded(self) -> None:
        """Forget the login's failures from this address."""
        FailedLogin.objects.filter(login=self.login, address=self.address).delete()

    def was_no_guess(self) -> None:
        """Take the try back: it failed for another reason than a wrong secret."""
        FailedLogin.objects.filter(pk=self.row).delete()


def attempt(*, login: str, address: str, now: datetime) -> Attempt:
    """Count a try by ``login`` from ``address``; of a SITHS login only the address is known."""
    hidden = salted_hmac("failed-login", login.lower(), algorithm="sha256").hexdigest()
    row = FailedLogin.objects.create(login=hidden, address=address, at=now)
    since = FailedLogin.objects.filter(at__gt=now - WINDOW)
    waits = [
        _wait(since.filter(login=hidden, address=address), PAIR_LIMIT, now) if login else 0,
        _wait(since.filter(login=hidden), LOGIN_LIMIT, now) if login else 0,
        _wait(since.filter(address=address), ADDRESS_LIMIT, now),
    ]
    wait = max(waits)
    if wait:
        # A refused try is not judged, so it says nothing and does not make the wait longer.
        row.delete()
    return Attempt(row.pk or 0, hidden, address, wait)


def _wait(rows: QuerySet[FailedLogin], limit: int, now: datetime) -> int:
    """Seconds until fewer than ``limit`` tries, this one not counted, lie in the window."""
    times = list(rows.order_by("-at", "-pk").values_list("at", flat=True)[: limit + 1])
    if len(times) <= limit:
        return 0
    return max(1, int((times[limit] + WINDOW - now).total_seconds()) + 1)


def sweep_failed_logins(*, now: datetime) -> int:
    """Delete tries that count no more."""
    old = FailedLogin.objects.filter(at__lte=now - WINDOW).values("pk")[:SWEEP_LIMIT]
    deleted, _rows = FailedLogin.objects.filter(pk__in=old).delete()
    return deleted
