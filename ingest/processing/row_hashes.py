"""Hashes of rows: 16 bytes a row instead of its content.

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

from core.arrow import mask_of
from ingest.rules.contract import Column

type Words = np.ndarray[Any, np.dtype[np.uint64]]
type Hashes = tuple[Words, Words]  # n hashes in two 64-bit lanes

_SECRET = secrets.token_bytes(32)
_FACTORS = np.frombuffer(secrets.token_bytes(16), np.uint64) | np.uint64(1)
_NULL = np.frombuffer(secrets.token_bytes(16), np.uint64)
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))  # SplitMix64's finaliser


def row_hashes(table: pa.Table, columns: Sequence[Column]) -> Hashes:
    """Hash n rows over ``columns`` of ``table``: two lanes of n words. The same content gives the same hash."""
    lanes = [np.full(table.num_rows, lane, np.uint64) for lane in _NULL]
    for column in columns:
        for lane, words in enumerate(_column_words(table.column(column.name).combine_chunks(), column)):
            lanes[lane] = _fold(lanes[lane], words, lane)
    return lanes[0], lanes[1]


def folded(hashes: Hashes, words: Words) -> Hashes:
    """Hash n hashes with a word each, or as their shapes go together."""
    return _fold(hashes[0], words, 0), _fold(hashes[1], words, 1)


def joined(first: Hashes, second: Hashes) -> Hashes:
    """Hash n pairs, each of two hashes."""
    return _mix(first[0] * _FACTORS[0] + second[0]), _mix(first[1] * _FACTORS[1] + second[1])


def _fold(hashes: Words, words: Words, lane: int) -> Words:
    return _mix((hashes ^ words) * _FACTORS[lane])


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
