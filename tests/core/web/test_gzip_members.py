"""Gzip of several members: read like one, within the same bounds."""

import gzip
import itertools
import random
import time
import tracemalloc

import pytest

from core.web.gzip_members import MAX_MEMBERS, NotGzip, unpack

LIMIT = 1 << 20
EMPTY = gzip.compress(b"", mtime=0)


@pytest.mark.parametrize("count", [1, 2, 7, 1000])
def test_members_are_read_one_behind_the_other(count: int) -> None:
    parts = [random.Random(number).randbytes(number) for number in range(count)]
    assert unpack(b"".join(map(gzip.compress, parts)), at_most=LIMIT) == b"".join(parts)


def test_a_member_may_end_anywhere_between_two_looks() -> None:
    noise = random.Random(1).randbytes(4000)
    for length in itertools.chain(range(400, 600), range(1400, 1600)):
        part = gzip.compress(noise[:length], mtime=0)
        assert unpack(part + part, at_most=LIMIT) == noise[:length] * 2


@pytest.mark.parametrize("length", [LIMIT - 1, LIMIT])
def test_what_fits_is_unpacked_whole(length: int) -> None:
    halves = gzip.compress(b"x" * (length // 2)) + gzip.compress(b"x" * (length - length // 2))
    assert len(unpack(halves, at_most=LIMIT)) == length


@pytest.mark.parametrize("parts", [1, 2, 50])
def test_a_bomb_of_any_number_of_members_takes_no_more_memory_than_what_fits(parts: int) -> None:
    bomb = gzip.compress(b"0" * (100 * LIMIT // parts)) * parts
    tracemalloc.start()
    try:
        assert len(unpack(bomb, at_most=LIMIT)) == LIMIT + 1
        assert tracemalloc.get_traced_memory()[1] < 6 * LIMIT
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "behind", [b"x", b"\0", b"\0" * 600, EMPTY[:-1], EMPTY[:5], EMPTY[:-8] + b"12345678", b"\n" + EMPTY]
)
def test_what_follows_a_member_and_is_none_is_refused(behind: bytes) -> None:
    with pytest.raises(NotGzip):
        unpack(gzip.compress(b"some text", mtime=0) + behind, at_most=LIMIT)


def test_members_without_end_are_refused_soon() -> None:
    sent = EMPTY * 500_000
    started = time.process_time()
    with pytest.raises(NotGzip, match="members"):
        unpack(sent, at_most=LIMIT)
    assert time.process_time() - started < 2
    assert unpack(EMPTY * MAX_MEMBERS, at_most=LIMIT) == b""
