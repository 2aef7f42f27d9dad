"""Has this been seen before? For millions of keys, in some forty bytes each and no object kept."""

from array import array

_EMPTY = 0
_FIRST_SLOTS = 1 << 12
_FULLEST = 0.6
_SIGNED = (1 << 64) - 1


class FirstSeen:
    """The row where a key was first seen, by the key's 64-bit hash in an open-addressed table.

    The hash is Python's own, keyed anew in each process, so that no file can be made to collide.
    Two different keys among a million share a hash once in some forty million files.
    """

    def __init__(self) -> None:
        self._reserve(_FIRST_SLOTS)
        self._used = 0

    def __len__(self) -> int:
        return self._used

    def put(self, key: str, row: int) -> int:
        """The row of the key's first time, or 0 and the row is kept."""
        mark = (hash(key) & _SIGNED) or 1
        mask, marks = self._mask, self._marks
        slot = mark & mask
        while found := marks[slot]:
            if found == mark:
                return self._rows[slot]
            slot = (slot + 1) & mask
        marks[slot] = mark
        self._rows[slot] = row
        self._used += 1
        if self._used > self._limit:
            self._grow()
        return 0

    def _reserve(self, slots: int) -> None:
        self._marks = array("Q", bytes(8 * slots))
        self._rows = array("I", bytes(4 * slots))
        self._mask = slots - 1
        self._limit = int(slots * _FULLEST)

    def _grow(self) -> None:
        marks, rows = self._marks, self._rows
        self._reserve(2 * len(marks))
        for mark, row in zip(marks, rows, strict=True):
            if mark != _EMPTY:
                slot = mark & self._mask
                while self._marks[slot]:
                    slot = (slot + 1) & self._mask
                self._marks[slot] = mark
                self._rows[slot] = row
