"""The migration operations that encrypt what lay in plain text."""

from collections.abc import Callable
from typing import Any

from django.db.migrations import RunPython

from organisations.keys import hash_ring
from organisations.sealing import PREFIX, seal

BATCH = 1000


def encrypt_columns(table: str, *columns: str) -> RunPython:
    """Encrypt the text columns row by row; empty JSON becomes empty text."""
    return RunPython(_each_row(table, columns, hashed=""), RunPython.noop, elidable=True)


def encrypt_and_hash(table: str, *columns: str, hashed: str, into: str) -> RunPython:
    """As :func:`encrypt_columns`, and write the keyed hash of one of them."""
    return RunPython(
        _each_row(table, columns, hashed=hashed, into=into), RunPython.noop, elidable=True
    )


def _each_row(
    table: str, columns: tuple[str, ...], *, hashed: str, into: str = ""
) -> Callable[[Any, Any], None]:
    def encrypt(apps: Any, schema_editor: Any) -> None:
        names = ", ".join(columns)
        targets = [*columns, into] if into else list(columns)
        change = ", ".join(f"{name} = %s" for name in targets)
        last = 0
        with schema_editor.connection.cursor() as cursor:
            while True:
                cursor.execute(
                    f"SELECT id, {names} FROM {table} WHERE id > %s ORDER BY id LIMIT {BATCH}",  # noqa: S608 – names of ours
                    [last],
                )
                rows = cursor.fetchall()
                if not rows:
                    return
                last = rows[-1][0]
                cursor.executemany(
                    f"UPDATE {table} SET {change} WHERE id = %s",  # noqa: S608 – names of ours
                    [_values(row, table, columns, hashed=hashed) for row in rows],
                )

    return encrypt


def _values(
    row: tuple[Any, ...], table: str, columns: tuple[str, ...], *, hashed: str
) -> list[Any]:
    key, *texts = row
    values = [
        text
        if text.startswith(PREFIX)
        else ""
        if text in {"", "{}"}
        else seal(text, context=f"{table}.{column}")
        for column, text in zip(columns, texts, strict=True)
    ]
    if hashed:
        plain = texts[columns.index(hashed)]
        values.append(hash_ring().digests(plain, context=f"{table}.{hashed}")[0])
    return [*values, key]
