"""The product as processes, with everything broken at once (design 5.3).

``python -m benchmarks.faults --notices 5000`` is the same at full length. PostgreSQL, Valkey and
simulator are its own. It ends well only if the simulator's book has each notice once, each case has
one outcome, nothing waits past its time, and the checks have found every fault planted for them.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# What the suite has set for its own database, and the run's programs must not see.
OF_THE_SUITE = ("DATABASE_URL", "REDIS_URL", "VARDLOTS_ENV", "VARDLOTS_AS_OWNER", "CONN_MAX_AGE")


@pytest.fixture(scope="module")
def told() -> str:
    """What the run says of itself."""
    environment = {name: value for name, value in os.environ.items() if name not in OF_THE_SUITE}
    command = [sys.executable, "-m", "benchmarks.faults", "--notices", "120", "--rounds", "6"]
    run = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=900, check=False
    )
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
    return run.stdout


def count(what: str, told: str) -> int:
    found = re.search(rf"{re.escape(what)} (\d+)", told)
    assert found, told
    return int(found[1])


def test_nothing_is_lost_or_doubled_while_everything_breaks(told):
    assert "every rule holds" in told


@pytest.mark.parametrize(
    "what",
    [
        "workers killed",
        "Valkey emptied",
        "PostgreSQL restarted (SIGINT)",
        "PostgreSQL restarted (SIGQUIT)",
        "gateway troubled",
        "answers",
    ],
)
def test_each_kind_of_fault_has_happened(told, what):
    assert count(what, told) > 0


def test_the_checks_find_what_is_planted_for_them(told):
    assert count("planted faults found:", told) >= 13
