"""The simulator of the gateway in this process, and a program that calls it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from notices.simulator.app import create_app
from notices.simulator.book import Book
from tests.notices.simulator_parts import SECRET, Program, Receiver


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    """The application with its callback thread not started: rounds are run by the test."""
    return create_app(data_dir=tmp_path, secret=SECRET)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def program(client: FlaskClient) -> Program:
    return Program(client)


@pytest.fixture
def book(app: Flask) -> Book:
    found: Book = app.extensions["book"]
    return found


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    running = Receiver()
    yield running
    running.stop()
