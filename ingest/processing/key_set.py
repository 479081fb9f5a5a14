"""Sets of keys in bounded memory: an open-addressed table of row hashes, looked up and grown on whole columns."""

import numpy as np

from core.arrow import Mask, Rows
from ingest.processing.row_hashes import Hashes, Words

_EMPTY = np.int32(-1)
_FIRST_SLOTS = 1 << 16
_MAX_LOAD = 0.6


class KeySet:
    """Keys with the order in which they came; an open-addressing table whose look-ups are whole columns.

    Memory: 16 bytes a key and 4 a slot; 10 million keys take about 230 MB.
    """

    def __init__(self, *, expected: int = 0) -> None:
        """Begin empty, with room for ``expected`` keys."""
        self._slots = np.full(_FIRST_SLOTS, _EMPTY)
        self._first = np.empty(_FIRST_SLOTS, np.uint64)
        self._second = np.empty(_FIRST_SLOTS, np.uint64)
        self._count = 0
        self._reserve(expected)

    def __len__(self) -> int:
        return self._count

    def add(self, hashes: Hashes) -> Rows:
        """Add n keys; return for each the ordinal (0, 1, ...) of the first equal key ever added."""
        count = len(hashes[0])
        self._reserve(count)
        base = self._count
        self._first[base : base + count], self._second[base : base + count] = hashes
        self._count += count
        ordinals = np.arange(base, base + count, dtype=np.int64)
        owners = self._settle(ordinals)
        fresh = owners == ordinals
        if fresh.all():
            return owners
        return self._compact(base, owners, fresh)

    def contains(self, hashes: Hashes) -> Mask:
        """Mark those of n keys that were added."""
        return self.find(hashes) >= 0

    def find(self, hashes: Hashes) -> Rows:
        """Return for each of n keys the ordinal under which it was added, or -1."""
        ordinals = np.full(len(hashes[0]), -1, np.int64)
        pending = np.arange(len(ordinals))
        slot = self._slot(hashes[0])
        while len(pending):
            held = self._slots[slot].astype(np.int64)
            pending, slot, held = pending[held >= 0], slot[held >= 0], held[held >= 0]
            same = (self._first[held] == hashes[0][pending]) & (self._second[held] == hashes[1][pending])
            ordinals[pending[same]] = held[same]
            pending, slot = pending[~same], (slot[~same] + 1) & (len(self._slots) - 1)
        return ordinals

    def _slot(self, words: Words) -> Rows:
        return (words & np.uint64(len(self._slots) - 1)).astype(np.int64)

    def _settle(self, ordinals: Rows) -> Rows:
        """Find each stored key's slot by linear probing; the earliest of equal keys wins an empty one."""
        owners = ordinals.copy()
        pending = np.arange(len(ordinals))
        slot = self._slot(self._first[ordinals])
        while len(pending):
            claims = np.flatnonzero(self._slots[slot] == _EMPTY)[::-1]
            self._slots[slot[claims]] = ordinals[pending[claims]]  # the last assignment stays, so the earliest key wins
            held = self._slots[slot]
            lost = np.flatnonzero(held != ordinals[pending])
            pending, slot, held = pending[lost], slot[lost], held[lost]
            mine = ordinals[pending]
            same = (self._first[held] == self._first[mine]) & (self._second[held] == self._second[mine])
            owners[pending[same]] = held[same]
            pending, slot = pending[~same], (slot[~same] + 1) & (len(self._slots) - 1)
        return owners

    def _compact(self, base: int, owners: Rows, fresh: Mask) -> Rows:
        """Forget the repeated keys just added, so that only distinct ones take memory, and renumber the others."""
        kept = np.flatnonzero(fresh) + base
        renumbered = np.arange(base, base + len(kept), dtype=np.int64)
        moved = np.empty(len(owners), np.int64)
        moved[kept - base] = renumbered
        slot = self._find_slots(kept)
        self._first[renumbered], self._second[renumbered] = self._first[kept], self._second[kept]
        self._slots[slot] = renumbered
        self._count = base + len(kept)
        recent = owners >= base
        owners[recent] = moved[owners[recent] - base]
        return owners

    def _find_slots(self, ordinals: Rows) -> Rows:
        slot = self._slot(self._first[ordinals])
        pending = np.arange(len(ordinals))
        while len(pending):
            pending = pending[self._slots[slot[pending]] != ordinals[pending]]
            slot[pending] = (slot[pending] + 1) & (len(self._slots) - 1)
        return slot

    def _reserve(self, count: int) -> None:
        needed = self._count + count
        if needed > len(self._first):
            size = max(needed, len(self._first) * 3 // 2)
            self._first, self._second = np.resize(self._first, size), np.resize(self._second, size)
        slots = len(self._slots)
        while needed > slots * _MAX_LOAD:
            slots *= 2
        if slots != len(self._slots):
            self._slots = np.full(slots, _EMPTY)
            self._settle(np.arange(self._count, dtype=np.int64))
