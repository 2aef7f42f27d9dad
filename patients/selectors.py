"""Reads of patients that other apps share."""

from django.db.models.expressions import RawSQL


def patients_named(words: list[str]) -> RawSQL:
    """Keys of patients whose names hold every word, for ``patient__in``; at most five words.

    Never a protected identity, whose name lists do not show. See patients/migrations/0002.
    """
    return RawSQL("SELECT patients_named(%s)", [words[:5]])
