"""A migration neither stops the work on a table nor breaks the version that still runs beside it.

squawk reads the SQL; what it cannot see is asked here. Migrations that no installation in use will
run are exempt: released_migrations.txt.
"""

import re
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import pytest
from django.contrib.postgres.functions import RandomUUID
from django.contrib.postgres.operations import AddConstraintNotValid, AddIndexConcurrently
from django.db import connection, migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).resolve().parents[2]
EXEMPT = Path(__file__).parent / "released_migrations.txt"
SQUAWK = Path(sysconfig.get_path("scripts")) / "squawk"

_ADDED = re.compile(r"ALTER TABLE (\S+) ADD COLUMN (\S+) [^;]*NOT NULL")
_DATA = (migrations.RunPython, migrations.RunSQL)


def faults(migration: migrations.Migration, before: ProjectState) -> str:
    """What is wrong with the migration, in squawk's words and ours; empty when nothing is."""
    with connection.schema_editor(collect_sql=True, atomic=migration.atomic) as editor:
        migration.apply(before.clone(), editor, collect_sql=True)
        statements = "\n".join(editor.collected_sql)
    if migration.atomic:
        statements = f"BEGIN;\n{statements}\nCOMMIT;"
    linted = subprocess.run(
        [SQUAWK, "--config", ROOT / ".squawk.toml", "--stdin-filepath", f"{migration}.sql"],
        input=statements,
        capture_output=True,
        text=True,
        check=False,
    )
    found = [linted.stdout + linted.stderr] if linted.returncode else []
    for table, column in _ADDED.findall(statements):
        if f"ALTER TABLE {table} ALTER COLUMN {column} DROP DEFAULT" in statements:
            found.append(
                f"{table}.{column}: the version that still runs knows no value; give a db_default"
            )
    moves = [isinstance(one, migrations.RunPython) for one in migration.operations]
    if any(moves) and not all(moves):
        found.append("data is moved while the tables are locked; do it in a migration of its own")
    return "\n".join(found)


def exempt() -> dict[str, str]:
    lines = EXEMPT.read_text(encoding="utf-8").splitlines()
    return dict(line.split(".", 1) for line in lines if line and not line.startswith("#"))


def own_migrations(loader: MigrationLoader) -> list[tuple[str, str]]:
    return [
        (app, name)
        for app, name in sorted(loader.disk_migrations)
        if loader.disk_migrations[app, name].__module__.startswith(f"{app}.migrations.")
    ]


def test_no_migration_after_the_exempt_ones_locks():
    loader = MigrationLoader(connection)
    upto = exempt()
    wrong = {}
    for app, name in own_migrations(loader):
        if name <= upto.get(app, ""):
            continue
        before = loader.project_state((app, name), at_end=False)
        if fault := faults(loader.disk_migrations[app, name], before):
            wrong[f"{app}.{name}"] = fault
    assert wrong == {}, "\n".join(wrong.values())


def test_every_exempt_migration_exists():
    # A name that is gone after a squash would exempt new ones that sort before it.
    names = {f"{app}.{name}" for app, name in own_migrations(MigrationLoader(None))}
    assert {f"{app}.{name}" for app, name in exempt().items()} <= names


def notice(name: str, field: models.Field, **more: Any) -> Operation:
    return migrations.AddField("notice", name, field, **more)


LOCKING: dict[str, tuple[str, list[Operation]]] = {
    "an index that is built while nobody may write": (
        "require-concurrent-index-creation",
        [migrations.AddIndex("notice", models.Index(fields=["kind"], name="by_kind"))],
    ),
    "a default that rewrites the table": (
        "adding-field-with-default",
        [notice("token", models.UUIDField(db_default=RandomUUID()))],
    ),
    "a value that the running version does not give": (
        "db_default",
        [notice("extra", models.TextField(default="x"))],
    ),
    "a check that reads all rows under lock": (
        "constraint-missing-not-valid",
        [
            migrations.AddConstraint(
                "notice",
                models.CheckConstraint(condition=models.Q(attempts__lt=99), name="few_attempts"),
            )
        ],
    ),
    "a unique constraint that builds its index under lock": (
        "disallowed-unique-constraint",
        [
            migrations.AddConstraint(
                "notice", models.UniqueConstraint(fields=["receipt"], name="one_receipt")
            )
        ],
    ),
    "another type, which rewrites the table": (
        "changing-column-type",
        [migrations.AlterField("notice", "attempts", models.TextField())],
    ),
    "a column that the running version still reads": (
        "ban-drop-column",
        [migrations.RemoveField("notice", "last_error")],
    ),
    "another name than the running version knows": (
        "renaming-column",
        [migrations.RenameField("notice", "last_error", "error")],
    ),
    "NOT NULL on what is there": (
        "adding-not-nullable-field",
        [migrations.AlterField("notice", "read_at", models.DateTimeField())],
    ),
    "data moved under the lock of a change": (
        "a migration of its own",
        [
            notice("more", models.TextField(null=True)),
            migrations.RunPython(migrations.RunPython.noop, elidable=True),
        ],
    ),
}


def of_notices(operations: list[Operation], *, atomic: bool = True) -> str:
    loader = MigrationLoader(connection)
    migration = migrations.Migration("9999_example", "notices")
    migration.operations, migration.atomic = operations, atomic
    return faults(migration, loader.project_state())


@pytest.mark.parametrize("what", LOCKING)
def test_it_refuses(what):
    rule, operations = LOCKING[what]
    assert rule in of_notices(operations)


def test_the_same_wishes_done_right_are_let_through():
    index = models.Index(fields=["kind"], name="by_kind")
    assert of_notices([AddIndexConcurrently("notice", index)], atomic=False) == ""
    assert of_notices([notice("extra", models.TextField(db_default="x"))]) == ""
    check = models.CheckConstraint(condition=models.Q(attempts__lt=99), name="few_attempts")
    assert of_notices([AddConstraintNotValid("notice", check)]) == ""
    assert of_notices([migrations.RunPython(migrations.RunPython.noop)]) == ""
