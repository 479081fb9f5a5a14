r"""Backslashes that escape, inside quotes alone: what Spark writes by default, and MariaDB under ENCLOSED BY.

There ``\"`` is a quote, ``\\`` a backslash, a backslash before a line end or a comma is none, and ``\0`` is NUL
(MariaDB). Any other pair is text, for neither writes one; so is every backslash outside quotes, where Spark leaves
them as they are and MariaDB writes nothing but numbers and ``\N``.
"""

import re

import numpy as np

from core.arrow import Mask, Rows

_BACKSLASH, _QUOTE, _ZERO = b'\\"0'
_ESCAPED = b'\\"\n\r,0'
_PAIRS = re.compile(rb'\\[\\"]')
_FILLER = b"__"


def without_pairs(text: bytes) -> bytes:
    r"""Return ``text``, as long as it was, with ``\"`` and ``\\`` filled up: what cutting it into records may see.

    Quotes that are left open and close fields, wherever reading begins: no count of those before is needed.
    """
    return _PAIRS.sub(_FILLER, text) if b"\\" in text else text


def with_doubled_quotes(text: bytes) -> bytes:
    """Write whole, sound records as a strict parser reads them."""
    if b"\\" not in text:
        return text
    octets = np.frombuffer(text, np.uint8)
    escapes, inside = _escaping(text)
    escapes = escapes[inside]
    escapes = escapes[np.isin(octets[escapes + 1], np.frombuffer(_ESCAPED, np.uint8))]
    meant, escaped = octets.copy(), octets[escapes + 1]
    meant[escapes[escaped == _QUOTE]] = _QUOTE
    meant[escapes[escaped == _ZERO] + 1] = 0
    return np.delete(meant, escapes[escaped != _QUOTE]).tobytes()


def outside_quotes(text: bytes) -> Rows:
    r"""Return the offsets of backslashes before a quote that stand outside quotes, in whole, sound records."""
    if b'\\"' not in text:
        return np.empty(0, np.int64)
    escapes, inside = _escaping(text)
    found = escapes[~inside]
    return found[np.frombuffer(text, np.uint8)[np.minimum(found + 1, len(text) - 1)] == _QUOTE]


def _escaping(text: bytes) -> tuple[Rows, Mask]:
    """Return the offsets of backslashes that would escape what follows, and which of them stand inside quotes."""
    quotes = np.flatnonzero(np.frombuffer(without_pairs(text), np.uint8) == _QUOTE)
    slashes = np.flatnonzero(np.frombuffer(text, np.uint8) == _BACKSLASH)
    # In a run of them the first, the third, ... escape what follows.
    begins = np.diff(slashes, prepend=-2) != 1
    in_run = np.arange(len(slashes)) - np.maximum.accumulate(np.where(begins, np.arange(len(slashes)), 0))
    escapes = slashes[in_run % 2 == 0]
    return escapes, np.searchsorted(quotes, escapes) % 2 == 1


def quoted(text: bytes) -> bytes:
    """Write the text of a field outside quotes as one in quotes."""
    return b'"' + text.replace(b"\\", b"\\\\").replace(b'"', b'""') + b'"'
