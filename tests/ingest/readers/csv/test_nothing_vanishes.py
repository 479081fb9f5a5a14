"""Properties over random files: whatever they hold, every byte is in one record, and sound files read as csv reads."""

import csv
import io
from typing import Literal

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.readers.reading import read_body, reassembled

PARTS = ["a", "b", '"', '"', '""', ",", ",", "\n", "\n", "\r\n", "\r", "\ufeff", "é", "\0", " "]
SOUP = st.lists(st.sampled_from([part.encode() for part in PARTS] + [b"\xe3", b"x,y\n", b'"x","y"\n'])).map(b"".join)
CELL = st.lists(st.sampled_from(PARTS)).map("".join)
Quoting = Literal[0, 1]
QUOTINGS: st.SearchStrategy[Quoting] = st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
ROWS = st.lists(st.lists(CELL, min_size=3, max_size=3))
UNHURRIED = settings(deadline=None)  # a busy machine is no fault of the reader


@UNHURRIED
@given(body=SOUP, columns=st.integers(1, 3), limit=st.sampled_from([3, 8, 1_000]))
def test_every_byte_is_in_exactly_one_record(body: bytes, columns: int, limit: int) -> None:
    seen = read_body(body, columns, limit=limit)
    assert [record.position for record in seen] == list(range(1, len(seen) + 1))
    assert reassembled(body, seen).strip(b"\r\n") == b""
    assert all(len(record.raw) <= limit for record in seen)


@UNHURRIED
@given(body=SOUP, columns=st.integers(1, 3))
def test_a_record_begins_on_the_line_that_it_names(body: bytes, columns: int) -> None:
    lines = [b"header", *body.split(b"\n")]
    for record in read_body(body, columns):
        first = record.raw.split(b"\n")[0]
        assert lines[record.line - 1] in {first, first + b"\r"}


@UNHURRIED
@given(body=SOUP, columns=st.integers(1, 3), chunk=st.integers(1, 64), limit=st.sampled_from([3, 8, 1_000]))
def test_the_size_of_the_chunks_changes_nothing(body: bytes, columns: int, chunk: int, limit: int) -> None:
    assert read_body(body, columns, chunk=chunk, limit=limit) == read_body(body, columns, limit=limit)


@UNHURRIED
@given(rows=ROWS, end=st.sampled_from(["\n", "\r\n"]), quoting=QUOTINGS)
def test_what_csv_writes_is_read_back_without_a_reject(rows: list[list[str]], end: str, quoting: Quoting) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=end, quoting=quoting).writerows(rows)
    seen = read_body(text.getvalue().encode(), 3, chunk=50)
    assert [record.fields for record in seen] == [tuple(row) for row in rows]


@UNHURRIED
@given(body=SOUP.filter(lambda body: b"\xe3" not in body), columns=st.integers(1, 3))
def test_a_file_that_csv_accepts_has_the_same_records(body: bytes, columns: int) -> None:
    seen = read_body(body, columns)
    try:
        rows = list(csv.reader(io.StringIO(body.decode(), newline=""), strict=True))
    except csv.Error:
        return
    # csv ends records at a lone carriage return, and lets a quoted field over several lines follow `a"b`.
    if any(word in record.message for record in seen for word in ("carriage", "quote")):
        return
    while rows and not rows[-1]:
        rows.pop()
    assert len(seen) == len(rows)
    for record, row in zip(seen, rows, strict=True):
        if record.fields is None:
            assert record.message == (f"{len(row)} fields where {columns} are expected" if row else "a blank line")
        else:
            assert list(record.fields) == row
