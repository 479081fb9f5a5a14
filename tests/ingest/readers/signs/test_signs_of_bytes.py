"""Files whose quotes are escaped by backslashes, or that are in Windows-1252: every byte kept, every field as meant."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.readers.csv.signs import Signs, signs_asked
from tests.support.readers.reading import Seen, left_over, read_body

ESCAPED = signs_asked("--{}", escape="backslash")
CP1252 = signs_asked("--{}", encoding="cp1252")
BOTH = signs_asked("--{}", escape="backslash", encoding="cp1252")
UNHURRIED = settings(deadline=None)  # a busy machine is no fault of the reader

PARTS = [b"a", b'"', b'"', b"\\", b"\\", b'\\"', b"\\\n", b",", b"\n", b"\r\n", b"\r", b"0", b"N", b'"a\\"",b\n']
SOUP = st.lists(st.sampled_from([*PARTS, b"\xe3", b"\x81", b"\x80", "é".encode()])).map(b"".join)
SIGNS = st.sampled_from([ESCAPED, CP1252, BOTH])
CELL = st.lists(st.sampled_from(["a", '"', "\\", ",", "\n", "\r\n", "0", "N", "é", "€", " "])).map("".join)
ROW = st.lists(CELL, min_size=3, max_size=3).filter(lambda row: "".join(row).strip(" "))  # else it may be no record
ROWS = st.lists(ROW)


def fields(body: bytes, signs: Signs = ESCAPED) -> list[tuple[str, ...] | None]:
    return [seen.fields for seen in read_body(body, signs=signs)]


def as_spark(text: str) -> str:
    r"""Quote where a comma, quote or line end needs it, and escape inside quotes alone."""
    if not set(text) & set('",\r\n'):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def as_mariadb(text: str) -> str:
    """Quote everything, and write a backslash before quotes, backslashes and line feeds."""
    return '"' + "".join("\\" + character if character in '"\\\n' else character for character in text) + '"'


@UNHURRIED
@given(body=SOUP, columns=st.integers(1, 3), limit=st.sampled_from([4, 8, 1_000]), signs=SIGNS)
def test_every_byte_is_in_exactly_one_record(body: bytes, columns: int, limit: int, signs: Signs) -> None:
    seen = read_body(body, columns, limit=limit, signs=signs)
    assert left_over(body, seen).translate(None, b", \xef\xbb\xbf") == b""  # blank lines, commas alone, marks
    assert all(len(record.raw) <= limit for record in seen)


@UNHURRIED
@given(body=SOUP, columns=st.integers(1, 3), chunk=st.integers(1, 64), limit=st.sampled_from([8, 1_000]), signs=SIGNS)
def test_the_size_of_the_chunks_changes_nothing(
    body: bytes, columns: int, chunk: int, limit: int, signs: Signs
) -> None:
    whole = read_body(body, columns, limit=limit, signs=signs)
    assert read_body(body, columns, chunk=chunk, limit=limit, signs=signs) == whole


@UNHURRIED
@given(rows=ROWS, write=st.sampled_from([as_spark, as_mariadb]), signs=st.sampled_from([ESCAPED, BOTH]))
def test_what_spark_and_mariadb_write_is_read_as_it_was_meant(
    rows: list[list[str]], write: Callable[[str], str], signs: Signs
) -> None:
    text = "".join(",".join(map(write, row)) + "\n" for row in rows)
    seen = read_body(text.encode("cp1252" if signs is BOTH else "utf-8"), 3, chunk=50, signs=signs)
    assert [record.fields for record in seen] == [tuple(row) for row in rows]


@pytest.mark.parametrize(
    ("cell", "meant"),
    [
        (rb'"\""', '"'),
        (rb'"\\"', "\\"),
        (rb'"\\\\\""', '\\\\"'),
        (b'"\\\r\n"', "\r\n"),
        (rb'"a\,b"', "a,b"),
        (rb'"\0"', "\0"),
        (rb'"\\0"', r"\0"),
        (rb'"\n\t\Z\b\N"', r"\n\t\Z\b\N"),
        (rb"\N", r"\N"),
        (rb"C:\temp\\x", r"C:\temp\\x"),
        (b'"doubled "" too"', 'doubled " too'),
        (rb'""', ""),
    ],
)
def test_a_pair_of_a_backslash_and_what_it_escapes_is_read_inside_quotes_alone(cell: bytes, meant: str) -> None:
    assert fields(b"1," + cell + b"\n2,b\n") == [("1", meant), ("2", "b")]


def test_a_backslash_at_the_end_of_an_unquoted_field_escapes_nothing() -> None:
    assert fields(b'C:\\,"a"\nC:\\temp\\\r\n"x",y\n'.replace(b"temp\\\r\n", b"temp\\,z\r\n")) == [
        ("C:\\", "a"),
        ("C:\\temp\\", "z"),
        ("x", "y"),
    ]


def test_a_broken_record_costs_its_line_and_the_next_ones_are_read_by_their_escapes() -> None:
    seen = read_body(b'1,"open\n2,"a \\"b\\""\n3,5" pipe \\x\n', signs=ESCAPED)
    assert [(one.raw, one.code or one.fields) for one in seen] == [
        (b'1,"open', "ragged_row"),
        (b'2,"a \\"b\\""', ("2", 'a "b"')),
        (b'3,5" pipe \\x', ("3", '5" pipe \\x')),
    ]


def test_a_backslash_that_ends_an_unquoted_field_with_a_quote_inside_is_text() -> None:
    assert fields(b'a"\\,b\nc,d"e\\\n') == [('a"\\', "b"), ("c", 'd"e\\')]


def test_bytes_of_windows_1252_become_its_characters_and_the_undefined_ones_are_named() -> None:
    octets = bytes(range(0x80, 0x100))
    body = b"".join(b"%d,x%c\n" % (octet, octet) for octet in octets)
    seen = read_body(body, signs=CP1252)
    assert [one.raw for one in seen] == body.split(b"\n")[:-1]
    refused = [one for one in seen if one.code]
    assert [one.raw[-1] for one in refused] == [0x81, 0x8D, 0x8F, 0x90, 0x9D]
    assert refused[0] == Seen(
        position=2,
        line=3,
        raw=b"129,x\x81",
        code="encoding",
        message="byte 0x81 at offset 5 of the record is no character of Windows-1252",
    )
    assert all(one.fields[1] == "x" + one.raw[-1:].decode("cp1252") for one in seen if one.fields)
