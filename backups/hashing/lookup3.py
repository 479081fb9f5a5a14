"""Bob Jenkins' lookup3 on whole columns, bit for bit as PostgreSQL's 64-bit hash functions compute it (``hashfn.c``).

PostgreSQL builds hash partitions on these functions, so 11 to 18 have kept them as they are; a server is asked for
known answers before its hashes are trusted (``row_hashes.assert_server_agrees``). They take a fifth of MD5's time,
and on columns run at some 20 ns a value here.
"""

import numpy as np
import numpy.typing as npt

type Words = npt.NDArray[np.uint32]
type Hashes = npt.NDArray[np.uint64]
type Numbers = npt.NDArray[np.int64]

_START = np.uint32((0x9E3779B9 + 3923095) % (1 << 32))
_BLOCK_BYTES = 12
_WORD_BYTES = 4
# What a word of the last block keeps when only so many of its bytes belong to the value.
_KEPT = np.array([0, 0xFF, 0xFFFF, 0xFFFFFF, 0xFFFFFFFF], np.uint32)


def hash_numbers(values: Numbers) -> Hashes:
    """Hash integers as ``hashint8extended(value, 0)``, which agrees with ``hashint4extended`` where that applies."""
    if len(values) and (values == values[0]).all():  # such as the upper halves of small numbers
        return np.full(len(values), _hash_numbers(values[:1])[0])
    return _hash_numbers(values)


def _hash_numbers(values: Numbers) -> Hashes:
    low = values.astype(np.uint32)
    high = (values >> 32).astype(np.uint32)
    low ^= np.where(values >= 0, high, ~high)
    a = np.full(len(values), (int(_START) + _WORD_BYTES) % (1 << 32), np.uint32)
    b, c = a.copy(), a.copy()
    a += low
    return _final(a, b, c)


def hash_fixed(words: Words) -> Hashes:
    """Hash values of equal width, given as one row of little-endian words for each four bytes: (width / 4, n)."""
    width = len(words) * _WORD_BYTES
    a = np.full(words.shape[1], (int(_START) + width) % (1 << 32), np.uint32)
    b, c = a.copy(), a.copy()
    whole = len(words) // 3 * 3
    for at in range(0, whole, 3):
        a += words[at]
        b += words[at + 1]
        c += words[at + 2]
        a, b, c = _mix(a, b, c)
    if whole < len(words):
        a += words[whole]
    if whole + 1 < len(words):
        b += words[whole + 1]
    return _final(a, b, c)


def hash_strings(offsets: Numbers, data: npt.NDArray[np.uint8]) -> Hashes:
    """Hash the byte strings ``data[offsets[i]:offsets[i + 1]]`` as ``hashtextextended(value COLLATE "C", 0)``."""
    starts, lengths = offsets[:-1], np.diff(offsets)
    padded = np.concatenate([data, np.zeros(2 * _BLOCK_BYTES, np.uint8)])
    at_any_byte = np.ndarray(len(padded) - _WORD_BYTES + 1, "<u4", padded.data, strides=(1,))
    a = lengths.astype(np.uint32) + _START
    b, c = a.copy(), a.copy()
    blocks = lengths // _BLOCK_BYTES
    for number in range(int(blocks.max(initial=0))):
        rows = slice(None) if number < blocks.min() else np.flatnonzero(blocks > number)
        place = starts[rows] + number * _BLOCK_BYTES
        a[rows], b[rows], c[rows] = _mix(
            a[rows] + at_any_byte[place],
            b[rows] + at_any_byte[place + _WORD_BYTES],
            c[rows] + at_any_byte[place + 2 * _WORD_BYTES],
        )
    rest = lengths - blocks * _BLOCK_BYTES
    place = starts + blocks * _BLOCK_BYTES
    a += at_any_byte[place] & _KEPT[np.clip(rest, 0, 4)]
    b += at_any_byte[place + _WORD_BYTES] & _KEPT[np.clip(rest - 4, 0, 4)]
    # The lowest byte of c is left to the length.
    c += (at_any_byte[place + 2 * _WORD_BYTES] & _KEPT[np.clip(rest - 8, 0, 4)]) << np.uint32(8)
    return _final(a, b, c)


def _rotate(word: Words, bits: int) -> Words:
    return (word << np.uint32(bits)) | (word >> np.uint32(32 - bits))


def _mix(a: Words, b: Words, c: Words) -> tuple[Words, Words, Words]:
    a = (a - c) ^ _rotate(c, 4)
    c = c + b
    b = (b - a) ^ _rotate(a, 6)
    a = a + c
    c = (c - b) ^ _rotate(b, 8)
    b = b + a
    a = (a - c) ^ _rotate(c, 16)
    c = c + b
    b = (b - a) ^ _rotate(a, 19)
    a = a + c
    c = (c - b) ^ _rotate(b, 4)
    b = b + a
    return a, b, c


def _final(a: Words, b: Words, c: Words) -> Hashes:
    c = (c ^ b) - _rotate(b, 14)
    a = (a ^ c) - _rotate(c, 11)
    b = (b ^ a) - _rotate(a, 25)
    c = (c ^ b) - _rotate(b, 16)
    a = (a ^ c) - _rotate(c, 4)
    b = (b ^ a) - _rotate(a, 14)
    c = (c ^ b) - _rotate(b, 24)
    return (b.astype(np.uint64) << np.uint64(32)) | c
