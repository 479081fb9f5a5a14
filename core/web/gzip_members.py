"""Gzip unpacked within bounds: one member, or several one behind the other, which are one document (RFC 1952)."""

import zlib

MAX_MEMBERS = 10_000  # each takes its time, also where it holds nothing
_GZIP_WINDOW = 31  # zlib's word for "a gzip header"
_FIRST_PIECE_BYTES = 512
_LARGEST_PIECE_BYTES = 1 << 20


class NotGzip(ValueError):
    """What is wrong with it."""


def unpack(data: bytes, *, at_most: int) -> bytes:
    """Unpack ``data``; where that is more than ``at_most`` bytes, stop at the next one. Raises NotGzip."""
    unpacked, rest = bytearray(), memoryview(data)
    for _ in range(MAX_MEMBERS):
        length = _unpack_member(rest, unpacked, at_most=at_most)
        rest = rest[length:]
        if not rest or len(unpacked) > at_most:
            return bytes(unpacked)
    raise NotGzip(f"It has more than {MAX_MEMBERS:,} members.")


def _unpack_member(data: memoryview, unpacked: bytearray, *, at_most: int) -> int:
    """Add the content of the first member of ``data`` to ``unpacked``; return the member's bytes.

    By pieces that grow with the member: what zlib was given beyond its end, it copies.
    """
    member, given, piece = zlib.decompressobj(_GZIP_WINDOW), 0, _FIRST_PIECE_BYTES
    while not member.eof:
        if given >= len(data):
            raise NotGzip("It is cut short.")
        try:
            unpacked += member.decompress(data[given : given + piece], at_most + 1 - len(unpacked))
        except zlib.error as error:
            raise NotGzip("It is damaged, or something else follows it." if unpacked else "It is damaged.") from error
        given += min(piece, len(data) - given)
        if len(unpacked) > at_most:
            return given
        piece = min(2 * piece, _LARGEST_PIECE_BYTES)
    return given - len(member.unused_data)
