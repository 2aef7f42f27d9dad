"""Faults that befall whatever the gateway was asked: slow, unreadable or broken-off answers."""

import random
import socket
import struct
import time

from flask import Flask, Response, request

from notices.simulator.faults import Faults

GATEWAY = ("/1177/", "/digital-post/")
# Reads as HTTP, not as JSON.
GARBAGE = b"<html>\xff\x00 {{ underhall }}"


def misbehave(app: Flask, faults: Faults) -> None:
    """Have the gateway's answers go wrong as told."""

    @app.before_request
    def be_slow() -> None:
        if request.path.startswith(GATEWAY) and faults.jitter_seconds:
            time.sleep(random.uniform(0, faults.jitter_seconds))  # noqa: S311  # nosec B311

    @app.after_request
    def spoil(response: Response) -> Response:
        if not request.path.startswith(GATEWAY):
            return response
        if faults.spend("garbage_next"):
            response.set_data(GARBAGE)
        elif faults.spend("reset_next"):
            _break_off(response)
        return response


def _break_off(response: Response) -> None:
    """Send half of the answer and then a reset; the server finds the connection gone."""
    connection = request.environ.get("gunicorn.socket") or request.environ.get("werkzeug.socket")
    if not isinstance(connection, socket.socket):
        response.set_data(b"")
        return
    half = b"HTTP/1.1 201 CREATED\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n{"
    connection.sendall(half)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.shutdown(socket.SHUT_RDWR)
