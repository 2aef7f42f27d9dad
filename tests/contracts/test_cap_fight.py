"""The last places, fought for by threads and processes whose connections are killed (design 5.5).

``python -m benchmarks.cap --rounds 1000`` is the same fight at full length.
"""

import os

import pytest
from django.core.management import call_command
from django.db import connection

from benchmarks.cap import PLACES, fight
from config.embedded.urls import DATABASE


@pytest.mark.django_db(transaction=True)
def test_a_fight_with_killed_connections_loses_no_place_and_passes_no_cap(monkeypatch):
    call_command("load_reference", verbosity=0)
    name = connection.settings_dict["NAME"]
    url = os.environ["DATABASE_URL"]
    if f"@/{DATABASE}?" not in url:
        pytest.skip("needs the database that the suite starts itself")
    monkeypatch.setenv("DATABASE_URL", url.replace(f"@/{DATABASE}?", f"@/{name}?", 1))
    outcome = fight(30, processes=2, threads=8)
    assert outcome.wrong == []
    assert outcome.rounds == 30
    assert outcome.killed > 0
    assert outcome.taken >= 30 * PLACES
