"""Nobody changes the access log without being found out (patientdatalagen 4 kap. 3 §).

Each test tampers as the one who owns the database: with the triggers off and raw SQL.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections, transaction
from hypothesis import given
from hypothesis import strategies as st

from organisations.access import Actor, record_access
from organisations.access_log.runs import gaps, numbers, pairs, runs_of
from organisations.access_log.sealing import GENESIS, seal_log
from organisations.access_log.verifying import Verification, verify
from organisations.models import AccessLog, AccessLogSeal
from organisations.sweeps import run_due
from tests.factories import stockholm

pytestmark = pytest.mark.django_db

NOW = stockholm(2026, 3, 10, 9)
MINUTE = timedelta(minutes=1)
LOG, SEALS = "organisations_accesslog", "organisations_accesslogseal"
SYSTEM = Actor.system("prov")


def write(count: int = 3, *, at=NOW, actor: Actor = SYSTEM) -> list[int]:
    """Rows in the log; returns their ids in order."""
    before = AccessLog.objects.order_by("pk").values_list("pk", flat=True).last() or 0
    cases = [(f"13-26-{n:06d}-0", n) for n in range(count)]
    record_access(actor, what="case", now=at, cases=cases)
    return list(AccessLog.objects.filter(pk__gt=before).order_by("pk").values_list("pk", flat=True))


def sealed_blocks() -> tuple[list[int], list[int], list[int]]:
    blocks = []
    for n in range(3):
        blocks.append(write(at=NOW + n * MINUTE))
        assert seal_log(now=NOW + n * MINUTE) == 3
    return blocks[0], blocks[1], blocks[2]


@contextmanager
def guards_off() -> Iterator[None]:
    with connection.cursor() as cursor:
        for table in (LOG, SEALS):
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; RESET ROLE")
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        yield
        for table in (LOG, SEALS):
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def tamper(*statements: str) -> Verification:
    """Do it as the owner, cover the tracks, and verify."""
    with guards_off(), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
    return verify(now=NOW + timedelta(hours=1))


def first(found: Verification) -> tuple[str, int | None]:
    assert not found.holds
    return found.breaks[0].text, found.breaks[0].row


def test_an_untouched_log_holds_and_is_counted():
    sealed_blocks()
    found = verify(now=NOW)
    assert (found.holds, found.rows, found.seals) == (True, 9, 3)


def test_an_empty_log_holds():
    found = verify(now=NOW)
    assert (found.holds, found.rows, found.last_hash) == (True, 0, GENESIS.hex())


def test_verifying_seals_what_has_come_since():
    write(5)
    assert (verify(now=NOW).rows, AccessLogSeal.objects.count()) == (5, 1)


def test_without_sealing_nothing_is_written():
    write(5)
    assert verify(now=NOW, seal_first=False).rows == 0
    assert not AccessLogSeal.objects.exists()


def test_the_sweep_seals_every_minute():
    write(2)
    assert run_due(now=NOW)["access log"] == 2
    assert run_due(now=NOW)["access log"] == 0


@pytest.mark.parametrize(
    "change",
    [
        "at = at + interval '1 microsecond'",
        "user_id = NULL, actor_name = 'Någon Annan'",
        "role = 'navigator'",
        "unit = 'x'",
        "region = '01'",
        "home_region = '01'",
        "case_number = '13-26-000009-0'",
        "form_id = 1",
        "patient_id = NULL",
        "what = 'list'",
        "mac = decode(repeat('00', 32), 'hex')",
    ],
)
def test_a_changed_row_is_found(change: str):
    _one, two, _three = sealed_blocks()
    found = tamper(f"UPDATE {LOG} SET {change} WHERE id = {two[1]}")
    assert first(found) == ("Raden är ändrad, eller skriven utan nyckeln.", two[1])
    assert len(found.breaks) == 1


def test_a_row_under_a_key_that_is_not_ours_is_found():
    _one, two, _three = sealed_blocks()
    found = tamper(f"UPDATE {LOG} SET key_id = 'mine' WHERE id = {two[0]}")
    assert first(found) == ("Raden bär en nyckel som saknas: mine.", two[0])


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_row_deleted_in_the_middle_is_found(place: int):
    _one, two, _three = sealed_blocks()
    found = tamper(f"DELETE FROM {LOG} WHERE id = {two[place]}")
    assert first(found) == ("Raden är borttagen.", two[place])
    assert len(found.breaks) == 1


def test_a_row_deleted_at_the_end_is_found():
    _one, _two, three = sealed_blocks()
    found = tamper(f"DELETE FROM {LOG} WHERE id = {three[-1]}")
    assert first(found) == ("Raden är borttagen.", three[-1])


def test_the_end_cut_with_its_seal_is_found_by_the_hash_noted_outside():
    _one, _two, three = sealed_blocks()
    noted = verify(now=NOW).last_hash
    found = tamper(
        f"DELETE FROM {LOG} WHERE id >= {three[0]}", f"DELETE FROM {SEALS} WHERE number = 3"
    )
    assert found.holds  # the chain alone cannot know
    found = verify(now=NOW, expect=noted)
    assert first(found) == ("Den noterade förseglingen finns inte: loggens slut saknas.", None)


def test_an_older_hash_that_is_still_in_the_chain_is_as_expected():
    sealed_blocks()
    noted = verify(now=NOW).last_hash
    write(at=NOW + MINUTE)
    assert verify(now=NOW + MINUTE, expect=noted).holds


@pytest.mark.parametrize("number", [1, 2])
def test_a_seal_taken_out_of_the_chain_is_found(number: int):
    sealed_blocks()
    found = tamper(f"DELETE FROM {SEALS} WHERE number = {number}")
    assert found.breaks[0].seal == number + 1
    assert first(found)[0] == "En eller flera förseglingar saknas före denna."


@pytest.mark.parametrize(
    "change",
    ["runs = '{1,1}'", "marks = ''", "sealed_at = sealed_at + interval '1 s'", "mac = previous"],
)
def test_a_changed_seal_is_found(change: str):
    sealed_blocks()
    found = tamper(f"UPDATE {SEALS} SET {change} WHERE number = 2")
    assert any(b.seal == 2 and b.text == "Förseglingen är ändrad." for b in found.breaks)


def copied(row: int, *, as_id: int, **changes: str) -> str:
    columns = [f.column for f in AccessLog._meta.concrete_fields]
    values = [str(as_id) if c == "id" else changes.get(c, c) for c in columns]
    return (
        f"INSERT INTO {LOG} ({', '.join(columns)}) SELECT {', '.join(values)}"
        f" FROM {LOG} WHERE id = {row}"
    )


def test_a_row_made_without_the_key_is_found_although_it_gets_sealed():
    one, _two, three = sealed_blocks()
    forged = three[-1] + 1
    found = tamper(copied(one[0], as_id=forged, actor_name="'Oskyldig'"))
    assert first(found) == ("Raden är ändrad, eller skriven utan nyckeln.", forged)


def test_a_row_slipped_in_where_a_number_was_never_used_is_found():
    one, _two, _three = sealed_blocks()
    with connection.cursor() as cursor:  # drawn long ago, and rolled back
        cursor.execute(f"SELECT nextval('{LOG}_id_seq')")
        hole = cursor.fetchone()[0]
    write(at=NOW)
    seal_log(now=NOW)
    with guards_off(), connection.cursor() as cursor:
        cursor.execute(copied(one[0], as_id=hole))
    found = verify(now=NOW + timedelta(days=3))
    assert first(found) == ("Raden är tillagd i efterhand.", hole)


def test_a_row_put_before_the_log_begins_is_found():
    one, _two, _three = sealed_blocks()
    found = tamper(copied(one[0], as_id=-5))
    assert first(found) == ("Raden är tillagd i efterhand.", -5)


def test_two_rows_that_changed_places_are_found():
    one, _two, _three = sealed_blocks()
    found = tamper(
        f"UPDATE {LOG} SET id = -1 WHERE id = {one[0]}",
        f"UPDATE {LOG} SET id = {one[0]} WHERE id = {one[2]}",
        f"UPDATE {LOG} SET id = {one[2]} WHERE id = -1",
    )
    assert first(found) == ("Raden är utbytt mot en annan.", one[0])
    assert [b.row for b in found.breaks] == [one[0], one[2]]


def test_a_row_replaced_by_a_copy_of_another_is_found():
    one, two, _three = sealed_blocks()
    found = tamper(f"DELETE FROM {LOG} WHERE id = {two[0]}", copied(one[0], as_id=two[0]))
    assert first(found) == ("Raden är utbytt mot en annan.", two[0])


@pytest.mark.parametrize("table", [LOG, SEALS])
def test_a_guard_left_off_is_found(table: str):
    sealed_blocks()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; RESET ROLE")
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        found = verify(now=NOW)
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    assert first(found)[0] == f"Skyddet mot ändringar är avstängt i {table}."


def test_old_rows_are_verified_with_the_old_key_and_new_ones_made_with_the_new(settings):
    settings.ACCESS_LOG_KEYS = {"1": "old"}
    write()
    seal_log(now=NOW)
    settings.ACCESS_LOG_KEYS = {"2": "new", "1": "old"}
    write()
    assert verify(now=NOW).holds
    assert set(AccessLog.objects.values_list("key_id", flat=True)) == {"1", "2"}
    settings.ACCESS_LOG_KEYS = {"2": "new"}
    assert {b.text for b in verify(now=NOW).breaks} == {
        "Nyckeln 1 saknas.",
        "Raden bär en nyckel som saknas: 1.",
    }


def test_whoever_guesses_the_key_wrong_breaks_the_chain(settings):
    settings.ACCESS_LOG_KEYS = {"1": "right"}
    sealed_blocks()
    settings.ACCESS_LOG_KEYS = {"1": "wrong"}
    assert len(verify(now=NOW).breaks) == 12  # nine rows and three seals


def test_the_command_says_so_in_numbers_and_fails_with_one():
    _one, two, _three = sealed_blocks()
    out = StringIO()
    call_command("verify_log", stdout=out)
    last = AccessLogSeal.objects.last()
    assert "9 rader i 3 förseglingar kontrollerade, 0 fel." in out.getvalue()
    assert f"Sista förseglingen: 3 {bytes(last.mac).hex()}" in out.getvalue()
    tamper(f"UPDATE {LOG} SET what = 'x' WHERE id = {two[1]}")
    with pytest.raises(CommandError, match=rf"Först: rad {two[1]}, försegling 2: ") as refused:
        call_command("verify_log", stdout=StringIO(), stderr=StringIO())
    assert refused.value.returncode == 1


@pytest.mark.django_db(transaction=True)
def test_a_row_that_commits_after_a_later_one_was_sealed_is_sealed_late():
    other = connections.create_connection("default")
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:  # draws its number first and is slow
            cursor.execute(f"SELECT nextval('{LOG}_id_seq')")
            early = cursor.fetchone()[0]
            write(2)
            assert seal_log(now=NOW) == 2
            cursor.execute(copied_now(early))
            other.commit()
    finally:
        other.close()
    assert verify(now=NOW + MINUTE).breaks[0].row == early  # sealed late; written without the key
    assert list(AccessLogSeal.objects.last().runs) == [early, early]


def copied_now(row: int) -> str:
    return (
        f"INSERT INTO {LOG} (id, at, actor_name, role, unit, region, home_region, case_number,"
        f" what, key_id, mac) VALUES ({row}, now(), 'x', 'system', '', '', '', '', 'x', '1', '')"
    )


def test_a_transaction_rolled_back_leaves_a_gap_that_is_no_break():
    write()
    with transaction.atomic():
        write()
        transaction.set_rollback(True)
    write()
    assert verify(now=NOW).holds
    assert len(AccessLogSeal.objects.get().runs) == 4


# Properties

ids = st.sets(st.integers(1, 60))


@given(ids)
def test_runs_stand_for_exactly_their_numbers(found: set[int]):
    assert list(numbers(runs_of(sorted(found)))) == sorted(found)


@given(ids, st.integers(0, 30), st.integers(0, 60))
def test_gaps_are_exactly_what_is_not_covered(found: set[int], above: int, upto: int):
    open_ids = {
        n
        for a, b in gaps(pairs(runs_of(sorted(found))), above=above, upto=upto)
        for n in range(a, b + 1)
    }
    assert open_ids == set(range(above + 1, upto + 1)) - found


FIELDS: dict[str, Callable[[], str]] = {
    "actor_name": lambda: "actor_name || 'x'",
    "case_number": lambda: "'13-26-999999-0'",
    "what": lambda: "what || ' '",
    "patient_id": lambda: "coalesce(patient_id, 0) + 1",
}


@given(
    blocks=st.lists(st.integers(1, 4), min_size=1, max_size=4),
    victim=st.integers(0, 15),
    act=st.sampled_from(["delete", *FIELDS]),
)
def test_whichever_row_is_touched_it_is_the_first_that_is_named(blocks, victim, act):
    with transaction.atomic():
        rows = []
        for size in blocks:
            rows += write(size)
            seal_log(now=NOW)
        target = rows[victim % len(rows)]
        change = f"SET {act} = {FIELDS[act]()}" if act in FIELDS else ""
        found = tamper(
            f"UPDATE {LOG} {change} WHERE id = {target}"
            if change
            else f"DELETE FROM {LOG} WHERE id = {target}"
        )
        assert [b.row for b in found.breaks] == [target]
        transaction.set_rollback(True)
