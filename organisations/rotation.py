"""Rotation of keys: everything encrypted or hashed under another key than the current one.

What is rotated is told apart by the key id in front of each value, so a run that was broken off is
simply run again. Batches are small transactions; the product may run meanwhile.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.apps import apps
from django.core.files.storage import storages
from django.db import connection, models, transaction
from django.utils.functional import LazyObject

from organisations.encrypted import KeyedHashField, encrypted_fields, hash_fields
from organisations.keys import hash_ring
from organisations.sealing import current_prefix, seal, unseal
from organisations.storage import EncryptedFileSystemStorage

BATCH = 500


@dataclass(frozen=True)
class Rotated:
    """What was done to one column or to the files behind it, or would be in a dry run."""

    what: str
    rotated: int
    missing: int = 0


def rotate(*, dry_run: bool = False) -> Iterator[Rotated]:
    """Re-encrypt and rehash with the current keys; must run as the tables' owner.

    Raises :class:`CannotDecrypt` for a value whose key is missing; what was done before stands.
    """
    for model in apps.get_models():
        for field in encrypted_fields(model):
            yield _rotate_column(model, field, dry_run=dry_run)
        for hashed in hash_fields(model):
            yield _rotate_hashes(model, hashed, dry_run=dry_run)
        for file in model._meta.local_fields:
            storage = encrypted_storage(file)
            if storage:
                yield _rotate_files(model, file, storage, dry_run=dry_run)


def _rotate_column(model: type[models.Model], field: models.Field, *, dry_run: bool) -> Rotated:
    table, column = model._meta.db_table, str(field.column)
    context = f"{table}.{column}"
    old = f"{column} <> '' AND NOT starts_with({column}, %s)"
    if dry_run:
        return Rotated(context, _count(table, old, current_prefix()))
    change = f"UPDATE {table} SET {column} = %s WHERE id = %s AND {column} = %s"  # noqa: S608 – names of models  # nosec B608
    done = 0
    while rows := _batch(table, column, old, current_prefix()):
        with transaction.atomic(), connection.cursor() as cursor:
            # A row that was written meanwhile has the current key already.
            cursor.executemany(
                change,
                [
                    (seal(unseal(text, context=context), context=context), key, text)
                    for key, text in rows
                ],
            )
        done += len(rows)
    return Rotated(context, done)


def _rotate_hashes(model: type[models.Model], field: KeyedHashField, *, dry_run: bool) -> Rotated:
    table, column, source = model._meta.db_table, str(field.column), field.source
    current = f"{hash_ring().current}."
    old = f"{column} <> '' AND NOT starts_with({column}, %s)"
    if dry_run:
        return Rotated(f"{table}.{column}", _count(table, old, current))
    if source not in {one.name for one in model._meta.local_fields}:
        return _rotate_computed_hashes(model, field)
    done = 0
    while rows := _batch(table, source, old, current):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.executemany(
                f"UPDATE {table} SET {column} = %s WHERE id = %s AND {source} = %s",  # noqa: S608 – names of models  # nosec B608
                [
                    (field.digests(unseal(text, context=f"{table}.{source}"))[0], key, text)
                    for key, text in rows
                ],
            )
        done += len(rows)
    return Rotated(f"{table}.{column}", done)


def _rotate_computed_hashes(model: type[models.Model], field: KeyedHashField) -> Rotated:
    """Hashes of what several columns make together."""
    old = model._base_manager.exclude(**{field.name: ""}).exclude(
        **{f"{field.name}__startswith": f"{hash_ring().current}."}
    )
    done = 0
    for row in old.order_by("pk").iterator(chunk_size=BATCH):
        # A row that was written meanwhile has another hash already.
        same = model._base_manager.filter(pk=row.pk, **{field.name: getattr(row, field.attname)})
        done += same.update(**{field.name: field.current(getattr(row, field.source))})
    return Rotated(f"{model._meta.db_table}.{field.column}", done)


def encrypted_storage(field: models.Field) -> EncryptedFileSystemStorage | None:
    """The storage of a file field, when it encrypts."""
    storage = getattr(field, "storage", None)
    # The default storage comes wrapped in one that settings may exchange.
    if isinstance(storage, LazyObject):
        storage = storages["default"]
    return storage if isinstance(storage, EncryptedFileSystemStorage) else None


def _rotate_files(
    model: type[models.Model],
    field: models.Field,
    storage: EncryptedFileSystemStorage,
    *,
    dry_run: bool,
) -> Rotated:
    done = missing = 0
    stored = model._default_manager.exclude(**{field.name: ""})  # a file whose time is over
    names = stored.order_by("pk").values_list(field.name, flat=True)
    for name in names.iterator(chunk_size=BATCH):
        try:
            if storage.is_current(name):
                continue
            if not dry_run:
                storage.reencrypt(name)
        except FileNotFoundError:  # removed meanwhile, or lost: the figure tells
            missing += 1
            continue
        done += 1
    return Rotated(f"{model._meta.db_table}.{field.column} (filer)", done, missing)


def _count(table: str, condition: str, prefix: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table} WHERE {condition}", [prefix])  # noqa: S608 – names of models  # nosec B608
        return int(cursor.fetchone()[0])


def _batch(table: str, column: str, condition: str, prefix: str) -> list[tuple[int, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id, {column} FROM {table} WHERE {condition} LIMIT {BATCH}",  # noqa: S608 – names of models  # nosec B608
            [prefix],
        )
        return cursor.fetchall()
