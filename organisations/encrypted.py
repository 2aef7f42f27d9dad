"""Model fields that the application encrypts, and the hash that finds them.

An empty value stays empty, so that the database can still say that nothing may be there. Everything
else is ciphertext to the database: no order, no search, no comparison. Such a filter would silently
find nothing, so it is refused.
"""

import json
import re
from typing import Any

from django.core.exceptions import FieldError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Field, Lookup
from django.db.models.lookups import Exact, IsNull

from organisations.keys import hash_ring
from organisations.sealing import SHAPE, seal, unseal


class Sealed(Lookup):
    """``column__sealed=True``: what is stored is ciphertext. For constraints."""

    lookup_name = "sealed"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        column, parameters = self.process_lhs(compiler, connection)
        return f"{column} ~ '{SHAPE}'", tuple(parameters)


class _Encrypted(models.TextField):
    """What the encrypted fields share: the context, and no lookups."""

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name == "sealed":
            return Sealed
        if lookup_name == "isnull":
            return IsNull
        if lookup_name == "exact":
            return _ExactlyEmpty
        raise FieldError(f"{self.name} is encrypted and cannot be compared ({lookup_name}).")

    @property
    def context(self) -> str:
        """What binds a value to its column."""
        return f"{self.model._meta.db_table}.{self.column}"

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        if hasattr(value, "as_sql"):
            raise FieldError(f"{self.name} is encrypted and cannot be computed by the database.")
        text = self.to_text(value)
        return seal(text, context=self.context) if text else text

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Any:
        return self.from_text(unseal(value, context=self.context) if value else value or "")

    def to_text(self, value: Any) -> str:
        raise NotImplementedError

    def from_text(self, text: str) -> Any:
        raise NotImplementedError


class _ExactlyEmpty(Exact):
    """The one comparison that ciphertext allows: whether there is anything."""

    def __init__(self, lhs: Any, rhs: Any) -> None:
        if rhs != "":
            name = getattr(getattr(lhs, "target", None), "name", "value")
            raise FieldError(f"{name} is encrypted; look for its hash instead.")
        super().__init__(lhs, rhs)


class EncryptedTextField(_Encrypted):
    """A text that is encrypted at rest. ``shape`` is what the database can no longer check."""

    def __init__(self, *args: Any, shape: str = "", **kwargs: Any) -> None:
        self.shape = shape
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        if self.shape:
            kwargs["shape"] = self.shape
        return name, path, args, kwargs

    def to_text(self, value: Any) -> str:
        """Raises :class:`ValueError`, which does not quote the value."""
        text = "" if value is None else str(value)
        if self.max_length is not None and len(text) > self.max_length:
            raise ValueError(f"{self.name} has more than {self.max_length} characters.")
        if not text and not self.blank:
            raise ValueError(f"{self.name} cannot be empty.")
        if text and self.shape and not re.fullmatch(self.shape, text):
            raise ValueError(f"{self.name} has not the shape {self.shape}.")
        return text

    def from_text(self, text: str) -> str:
        return text


class EncryptedJSONField(_Encrypted):
    """A JSON object that is encrypted at rest as a whole; an empty one is an empty text."""

    # What django-stubs takes as the attribute's type.
    _pyi_private_set_type: Any
    _pyi_private_get_type: Any

    def to_text(self, value: Any) -> str:
        return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False) if value else ""

    def from_text(self, text: str) -> Any:
        return json.loads(text) if text else {}

    def get_prep_value(self, value: Any) -> Any:
        return value

    def to_python(self, value: Any) -> Any:
        return value


class KeyedHashField(models.CharField):
    """HMAC-SHA-256 of another field's value: unique, and found by an exact match.

    It follows its source, a field or a property, at each save; :func:`digests` gives what to look
    for. Hashes of two tables are alike only when they share a ``meaning``. Nothing has no hash.
    """

    def __init__(self, *args: Any, source: str, meaning: str = "", **kwargs: Any) -> None:
        self.source = source
        self.meaning = meaning
        super().__init__(*args, **{"max_length": 81, "editable": False, **kwargs})

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        kwargs |= {"source": self.source} | ({"meaning": self.meaning} if self.meaning else {})
        return name, path, args, kwargs

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        digest = self.current(getattr(model_instance, self.source))
        setattr(model_instance, self.attname, digest)
        return digest

    def current(self, value: str) -> str:
        """What the value is stored as now."""
        return self.digests(value)[0] if value else ""

    def digests(self, value: str) -> list[str]:
        """Under each key that is known, the current one's first."""
        context = self.meaning or f"{self.model._meta.db_table}.{self.source}"
        return hash_ring().digests(value, context=context)


def encrypted_fields(model: type[models.Model]) -> list[_Encrypted]:
    return [field for field in model._meta.local_fields if isinstance(field, _Encrypted)]


def hash_fields(model: type[models.Model]) -> list[KeyedHashField]:
    fields: list[Field] = list(model._meta.local_fields)
    return [field for field in fields if isinstance(field, KeyedHashField)]
