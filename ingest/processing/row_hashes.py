"""Sets of keys in bounded memory: 16 bytes a row instead of its content.

A row is known by a 128-bit hash keyed with a secret of this process. Two different rows share one with a probability
below 1e-24 even among ten million, and nobody outside can make two that do; so equal means equal. BLAKE2b hashes text
of free length (each distinct value of a chunk once); text of fixed width and numbers are mixed by multiplication.
"""

import hashlib
import secrets
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from core.arrow import Mask, Rows, mask_of
from ingest.rules.contract import Column

type Words = np.ndarray[Any, np.dtype[np.uint64]]
type Hashes = tuple[Words, Words]  # n hashes in two 64-bit lanes

_SECRET = secrets.token_bytes(32)
_FACTORS = np.frombuffer(secrets.token_bytes(16), np.uint64) | np.uint64(1)
_NULL = np.frombuffer(secrets.token_bytes(16), np.uint64)
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))  # SplitMix64's finaliser
_EMPTY = np.int32(-1)
_FIRST_SLOTS = 1 << 16
_MAX_LOAD = 0.6


def row_hashes(table: pa.Table, columns: Sequence[Column]) -> Hashes:
    """Hash n rows over ``columns`` of ``table``: two lanes of n words. The same content gives the same hash."""
    lanes = [np.full(table.num_rows, lane, np.uint64) for lane in _NULL]
    for column in columns:
        for lane, words in enumerate(_column_words(table.column(column.name).combine_chunks(), column)):
            lanes[lane] = _mix((lanes[lane] ^ words) * _FACTORS[lane])
    return lanes[0], lanes[1]


def joined(first: Hashes, second: Hashes) -> Hashes:
    """Hash n pairs, each of two hashes."""
    return _mix(first[0] * _FACTORS[0] + second[0]), _mix(first[1] * _FACTORS[1] + second[1])


def _mix(words: Words) -> Words:
    words = (words ^ (words >> np.uint64(30))) * _MIX[0]
    words = (words ^ (words >> np.uint64(27))) * _MIX[1]
    return words ^ (words >> np.uint64(31))


def _column_words(values: Any, column: Column) -> Hashes:
    if column.kind == "text":
        first, second = _fixed_text(values, column.width) if column.width else _free_text(values)
    elif column.kind == "decimal":
        pairs = np.frombuffer(values.buffers()[1], np.uint64).reshape(-1, 2)[
            values.offset : values.offset + len(values)
        ]
        first = second = _mix(pairs[:, 0] * _FACTORS[1]) ^ pairs[:, 1]
    else:
        dtype = np.dtype(f"V{values.type.bit_width // 8}")
        raw = np.frombuffer(values.buffers()[1], dtype)[values.offset : values.offset + len(values)]
        first = second = raw.view(f"u{values.type.bit_width // 8}").astype(np.uint64)
    if values.null_count:
        null = mask_of(values.is_null())
        first, second = np.where(null, _NULL[0], first), np.where(null, _NULL[1], second)
    return first, second


def _fixed_text(values: Any, width: int) -> Hashes:
    """Fold texts of ``width`` ASCII characters, eight at a time; a NULL among them has no characters to skip."""
    if values.null_count:
        values = values.fill_null("0" * width)
    start = np.frombuffer(values.buffers()[1], np.int32)[values.offset]
    text = np.frombuffer(values.buffers()[2], np.uint8)[start : start + width * len(values)].reshape(-1, width)
    padded = np.zeros((len(values), -(-width // 8) * 8), np.uint8)
    padded[:, :width] = text
    words = padded.view(np.uint64)
    first = second = np.zeros(len(values), np.uint64)
    for word in words.T:
        first, second = _mix((first ^ word) * _FACTORS[0]), _mix((second ^ word) * _FACTORS[1])
    return first, second


def _free_text(values: Any) -> Hashes:
    encoded = values.dictionary_encode()
    digests = b"".join(
        hashlib.blake2b(text.as_buffer() if text.is_valid else b"", digest_size=16, key=_SECRET).digest()
        for text in encoded.dictionary
    )
    words = np.frombuffer(digests, np.uint64).reshape(-1, 2)
    codes = encoded.indices.fill_null(0).to_numpy(zero_copy_only=False)
    if not len(words):
        words = np.zeros((1, 2), np.uint64)
    return words[codes, 0], words[codes, 1]


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
        """Add n keys; give for each the ordinal (0, 1, ...) of the first equal key ever added."""
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
        """Give for each of n keys the ordinal under which it was added, or -1."""
        found = np.full(len(hashes[0]), -1, np.int64)
        pending = np.arange(len(found))
        slot = self._slot(hashes[0])
        while len(pending):
            held = self._slots[slot].astype(np.int64)
            pending, slot, held = pending[held >= 0], slot[held >= 0], held[held >= 0]
            same = (self._first[held] == hashes[0][pending]) & (self._second[held] == hashes[1][pending])
            found[pending[same]] = held[same]
            pending, slot = pending[~same], (slot[~same] + 1) & (len(self._slots) - 1)
        return found

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
