"""Delivers callbacks, again with growing pauses and jitter until the receiver says 2xx or 4xx."""

import json
import logging
import random
import threading
import time
from functools import cached_property
from typing import Any

import httpx

from notices.simulator.book import Book
from notices.simulator.faults import Faults
from notices.simulator.signature import HEADER, sign

logger = logging.getLogger("simulator")

LONGEST_PAUSE_SECONDS = 300


class CallbackSender(threading.Thread):
    """A thread that looks for due callbacks twice a second, or at once when woken."""

    def __init__(self, book: Book, secret: str, faults: Faults) -> None:
        super().__init__(daemon=True, name="callbacks")
        self.book, self.secret, self.faults = book, secret, faults
        self._wake, self._stopped = threading.Event(), threading.Event()

    @cached_property
    def _client(self) -> httpx.Client:
        """Made when there is something to tell: it reads the machine's trusted certificates."""
        return httpx.Client(timeout=10)

    def wake(self) -> None:
        self._wake.set()

    def stop(self) -> None:
        self._stopped.set()
        self._wake.set()

    def run(self) -> None:
        while not self._stopped.is_set():
            try:
                self.deliver_due()
            except Exception:  # one bad round must not silence all callbacks to come
                logger.exception("callbacks could not be delivered")
            self._wake.wait(0.5)
            self._wake.clear()

    def deliver_due(self) -> None:
        due = self.book.due_callbacks(time.time())
        if self.faults.shuffle_callbacks:
            random.shuffle(due)
        for callback in due:
            for _time in range(2 if self.faults.double_callbacks else 1):
                if self._stopped.is_set():
                    return
                self._deliver(callback)

    def _deliver(self, callback: dict[str, Any]) -> None:
        if self.faults.spend("lose_callbacks"):
            self.book.callback_tried(callback["delivery_id"], "lost", done=True, next_try=0.0)
            return
        body = str(callback["payload"]).encode()
        try:
            response = self._client.post(
                callback["url"],
                content=body,
                headers={"Content-Type": "application/json", HEADER: sign(body, self.secret)},
            )
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:  # also impossible hosts
            status, done = type(error).__name__, False
        else:
            status = str(response.status_code)
            done = response.is_success or response.is_client_error
        pause = min(LONGEST_PAUSE_SECONDS, 2 ** min(callback["attempts"], 9))
        self.book.callback_tried(
            callback["delivery_id"],
            status,
            done=done,
            next_try=time.time() + pause * random.uniform(0.8, 1.2),  # noqa: S311 – jitter  # nosec B311
        )
        payload = json.loads(callback["payload"])
        logger.info("callback %s case %s: %s", payload["type"], payload["reference"], status)
