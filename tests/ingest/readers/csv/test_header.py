import pytest

from core.errors import HeaderRefused, SourceUnreadable
from tests.support.readers.reading import open_csv

NAMES = ["city", "state"]


@pytest.mark.parametrize(
    "header",
    [b"city,state", b'"city","state"', b"city,state\r", b'\xef\xbb\xbfcity,"state"', b"\xef\xbb\xbfcity,state\r"],
)
def test_quotes_line_end_and_byte_order_mark_do_not_matter(header: bytes) -> None:
    (records,) = open_csv(header + b"\nx,SP\n", NAMES)
    assert records.columns.to_pylist() == [{"city": "x", "state": "SP"}]


def test_columns_may_come_in_another_order() -> None:
    (records,) = open_csv(b"state,city\nSP,x\n", NAMES)
    assert records.columns.to_pylist() == [{"state": "SP", "city": "x"}]


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        (b"city", "the header lacks 'state'"),
        (b"city,state,city", "the header names twice 'city'"),
        (b"city,state,country", "the header has unknown 'country'"),
        (b"pais,state", "the header lacks 'city'; has unknown 'pais'"),
        (b"", "the header is a blank line"),
        (b'city,"state', "the header cannot be read (unexpected end of data)"),
        (b"x" * 70_000, "the first line is longer than 65536 bytes"),
    ],
)
def test_wrong_columns_refuse_the_file_by_name_before_anything_is_read(header: bytes, problem: str) -> None:
    with pytest.raises(HeaderRefused) as refused:
        open_csv(header + b"\nx,SP\n", NAMES)
    assert str(refused.value) == (
        f"file.csv: {problem}. The header must name exactly these columns, in any order: city, state"
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        ("city,state\n".encode("utf-16"), "looks like UTF-16"),
        (b"city,state\rx,SP\r", "its lines end with a carriage return and no line feed"),
        (b"cit\xe9,state\n", "the header is not UTF-8 (byte 0xE9 at offset 3)"),
    ],
)
def test_what_is_no_utf8_csv_is_unreadable(text: bytes, problem: str) -> None:
    with pytest.raises(SourceUnreadable) as unreadable:
        open_csv(text, NAMES)
    assert str(unreadable.value).startswith(f"file.csv: {problem}. ")


@pytest.mark.parametrize(
    ("header", "advice"),
    [
        (b"City;state", "Its columns are separated by semicolons: save it with commas."),
        (b'"city"\t"state"', "Its columns are separated by tabs: save it with commas."),
        (b"sep=,", "Delete its first line, which tells spreadsheets alone what separates the columns."),
        (b'"city,state"', "The whole line stands in one pair of quotes: quote cells, not lines."),
        (b",city,state", "index=False (pandas) or row.names=FALSE (R)."),
        (b'"Unnamed: 0","city","state"', "index=False (pandas) or row.names=FALSE (R)."),
        (b"city,state,", "a spreadsheet had empty columns behind the last one, take them out."),
        (b"city,state,,", "a spreadsheet had empty columns behind the last one, take them out."),
        (b"city, state", "Did you mean 'state' where ' state' stands?"),
        (b"CITY,STATE", "Did you mean 'city' where 'CITY' stands, 'state' where 'STATE' stands?"),
        (b"city,stat", "Did you mean 'state' where 'stat' stands?"),
    ],
)
def test_what_a_program_has_done_to_the_header_is_said_with_what_to_do(header: bytes, advice: str) -> None:
    with pytest.raises(HeaderRefused) as refused:
        open_csv(header + b"\nx,SP\n", NAMES)
    assert f"{advice} The header must name exactly these columns, in any order: city, state" in str(refused.value)


def test_lines_that_were_ended_twice_are_told_from_those_that_a_carriage_return_ends() -> None:
    with pytest.raises(SourceUnreadable, match=r"two carriage returns and a line feed. Write it anew .* newline=''"):
        open_csv(b"city,state\r\r\nx,SP\r\r\n", NAMES)
