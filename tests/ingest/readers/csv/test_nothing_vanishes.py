"""Properties over random files: whatever they hold, every byte is in one record or in a line that is counted as none,
and sound files read as csv reads."""

import csv
import io
from typing import Literal

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.readers.reading import left_over, open_csv, read_body

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
    assert left_over(body, seen).translate(None, b", \xef\xbb\xbf") == b""
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


def as_meant(row: list[str], quoting: Quoting) -> tuple[str, ...] | None:
    """Return the fields of a row that ``csv`` wrote; None where the line is no record."""
    bare = [quoting == csv.QUOTE_MINIMAL and not set(cell) & set('",\r\n') for cell in row]
    first = row[0].lstrip("\ufeff") if bare[0] else row[0]
    if all(bare) and not "".join([first, *row[1:]]).strip(" "):
        return None
    return (first, *row[1:])


@UNHURRIED
@given(rows=ROWS, end=st.sampled_from(["\n", "\r\n"]), quoting=QUOTINGS)
def test_what_csv_writes_is_read_back_without_a_reject(rows: list[list[str]], end: str, quoting: Quoting) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=end, quoting=quoting).writerows(rows)
    seen = read_body(text.getvalue().encode(), 3, chunk=50)
    assert [record.fields for record in seen] == [meant for row in rows if (meant := as_meant(row, quoting))]


@UNHURRIED
@given(body=SOUP.map(lambda body: body.translate(None, b"\xe3\xef\xbb\xbf ")), columns=st.integers(1, 3))
def test_a_file_that_csv_accepts_has_the_same_records(body: bytes, columns: int) -> None:
    seen = read_body(body, columns)
    try:
        lines = csv.reader(io.StringIO(body.decode(), newline=""), strict=True, quoting=csv.QUOTE_NOTNULL)
        rows = [[cell or "" for cell in row] for row in lines if any(cell is not None for cell in row)]
    except csv.Error:
        return
    # csv ends records at a lone carriage return, and lets a quoted field over several lines follow `a"b`.
    if any(word in record.message for record in seen for word in ("carriage", "quote")):
        return
    assert len(seen) == len(rows)
    for record, row in zip(seen, rows, strict=True):
        if record.fields is None:
            assert record.message == f"{len(row)} fields where {columns} are expected"
        else:
            assert list(record.fields) == row


@UNHURRIED
@given(body=SOUP.map(lambda body: body.translate(None, b'"\xe3')), columns=st.integers(1, 3))
def test_without_quotes_each_line_is_a_record_or_counted_as_none(body: bytes, columns: int) -> None:
    names = [f"c{number}" for number in range(columns)]
    lines = body.decode().removesuffix("\n").split("\n") if body else []
    filled = [line for line in lines if line.removesuffix("\r").lstrip("\ufeff").strip(", ")]
    source = open_csv(f"{','.join(names)}\n".encode() + body, names, chunk=40)
    assert sum(map(len, source)) == len(filled)
    assert source.skipped["blank_line"] == len(lines) - len(filled)
