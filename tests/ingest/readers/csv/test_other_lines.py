"""Lines that are no records, and byte-order marks inside a file: what ``cat`` and spreadsheets leave in it."""

import csv
import io

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.readers.csv.file import CsvFile
from ingest.readers.csv.pick import pick
from tests.support.readers.reading import Seen, everything, open_csv

BOM = b"\xef\xbb\xbf"
NAMES = ["city", "state"]


def read(text: bytes, *, names: list[str] = NAMES, chunk: int = 1_000) -> tuple[list[Seen], CsvFile]:
    file = open_csv(text, names, chunk=chunk)
    seen = [seen for records in file for seen in everything(records)]
    return sorted(seen, key=lambda seen: seen.position), file


def fields(text: bytes) -> list[tuple[str, ...] | None]:
    return [one.fields for one in read(text)[0]]


def marked(text: bytes) -> int:
    return sum(len(rows) for records in open_csv(text, NAMES) for _, rows in records.repaired)


@pytest.mark.parametrize(
    "line",
    [
        b"city,state\n",
        b"city,state\r\n",
        b'"city","state"\n',
        b'city,"state"\r\n',
        BOM + b"city,state\n",
        BOM + b'"city","state"\r\n',
        BOM + BOM + b"city,state\n",
    ],
)
def test_the_header_once_more_is_no_record_however_it_is_quoted(line: bytes) -> None:
    seen, file = read(b"city,state\nx,SP\n" + line + b"y,RJ\n")
    assert [(one.position, one.line, one.fields) for one in seen] == [(1, 2, ("x", "SP")), (2, 4, ("y", "RJ"))]
    assert file.skipped == {"header_line": 1}


@pytest.mark.parametrize(
    "line", [b"state,city", b"city,state,", b"city", b" city,state", b"City,state", b"city,state2"]
)
def test_a_line_that_is_not_quite_the_header_is_a_record(line: bytes) -> None:
    seen, file = read(b"city,state\nx,SP\n" + line + b"\ny,RJ\n")
    assert [one.raw for one in seen] == [b"x,SP", line, b"y,RJ"]
    assert not file.skipped


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_a_header_as_the_last_line_is_no_record(end: bytes) -> None:
    seen, file = read(b"city,state\nx,SP\ncity,state" + end)
    assert ([one.raw for one in seen], file.skipped) == ([b"x,SP"], {"header_line": 1})


def test_a_file_of_headers_alone_holds_no_record() -> None:
    seen, file = read(b"city,state\n" * 4)
    assert (seen, file.records_read, file.skipped) == ([], 0, {"header_line": 3})


def test_a_header_inside_quotes_belongs_to_its_record() -> None:
    seen, file = read(b'city,state\n"x\ncity,state\n",SP\n')
    assert [one.fields for one in seen] == [("x\ncity,state\n", "SP")]
    assert not file.skipped


def test_a_header_behind_a_quote_left_open_is_no_record() -> None:
    seen, file = read(b'city,state\n1,"open\ncity,state\n2,SP\n')
    assert [(one.position, one.line, one.code or one.fields) for one in seen] == [
        (1, 2, "ragged_row"),
        (2, 4, ("2", "SP")),
    ]
    assert file.skipped == {"header_line": 1}


def test_a_quote_left_open_swallows_no_marked_header_with_the_quote_of_another_file() -> None:
    seen, file = read(b'city,state\n1,x,"open\n' + BOM + b'"city","state"\n2,"SP"\n')
    assert [one.code or one.fields for one in seen] == ["ragged_row", ("2", "SP")]
    assert file.skipped == {"header_line": 1}


@pytest.mark.parametrize(
    "line", ["", ",", ",,,", ", ", " ,\t", " ", "\t", "\v\f", "\u00a0,\u3000", "\u2028", "\ufeff", "\ufeff,"]
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_commas_and_white_space_without_quotes_are_no_record(line: str, end: str) -> None:
    seen, file = read(b"city,state\nx,SP\n" + f"{line}{end}".encode() + b"y,RJ\n")
    assert [(one.position, one.line, one.fields) for one in seen] == [(1, 2, ("x", "SP")), (2, 4, ("y", "RJ"))]
    assert file.skipped == {"blank_line": 1}


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_padding_at_the_end_is_no_record(end: bytes) -> None:
    seen, file = read(b"city,state\nx,SP\n,\n\n,,\r\n , " + end)
    assert ([one.raw for one in seen], file.skipped) == ([b"x,SP"], {"blank_line": 4})


@pytest.mark.parametrize("line", [b'"",""', b'"",', b',""', b'," "', b'"\n,\n",""'])
def test_quoted_empty_cells_are_a_record(line: bytes) -> None:
    seen, file = read(b"city,state\n" + line + b"\n")
    assert ([one.raw for one in seen], [one.code for one in seen], file.skipped) == ([line], [""], {})


def test_of_one_column_an_empty_line_is_none_and_quotes_are_a_record() -> None:
    seen, file = read(b'city\n\n""\ncity\nx\n', names=["city"])
    assert ([one.fields for one in seen], file.skipped) == ([("",), ("x",)], {"blank_line": 1, "header_line": 1})


def test_columns_whose_names_need_quotes_have_a_header_too() -> None:
    names = ['a"b', "c,d"]
    seen, file = read(b'"a""b","c,d"\na"b,"c,d"\n"a""b","c,d"\n"a""b",c\n', names=names)
    assert ([one.fields for one in seen], file.skipped) == ([('a"b', "c")], {"header_line": 2})


def test_a_byte_order_mark_before_a_record_is_taken_off_and_counted() -> None:
    text = b"city,state\n" + BOM + b"x,SP\n" + BOM + BOM + b'"y",RJ\r\n"' + BOM + b'z",MG\n' + BOM + b'w"v,BA\n'
    assert fields(text) == [("x", "SP"), ("y", "RJ"), ("\ufeffz", "MG"), ('w"v', "BA")]
    assert [one.raw for one in read(text)[0]][1] == BOM + BOM + b'"y",RJ'
    assert marked(text) == 3


def test_a_marked_line_that_is_no_record_is_refused_with_its_exact_bytes() -> None:
    seen, _ = read(b"city,state\n" + BOM + b"x\n" + BOM + b'"y"z,RJ\n' + BOM + b"x,S\xe3o\n")
    assert [(one.raw, one.code) for one in seen] == [
        (BOM + b"x", "ragged_row"),
        (BOM + b'"y"z,RJ', "ragged_row"),
        (BOM + b"x,S\xe3o", "encoding"),
    ]


def test_two_marks_before_the_header_are_as_good_as_one() -> None:
    assert fields(BOM + BOM + b"city,state\nx,SP\n") == [("x", "SP")]


def test_picked_records_have_the_positions_and_marks_of_the_first_reading() -> None:
    text = b"city,state\n\nx,SP\ncity,state\n" + BOM + b"y,RJ\n,\nz,MG\n" + BOM + b"w,BA\n"
    first, _ = read(text)
    parts = list(pick(open_csv(text, NAMES), pa.array([2, 3, 4])))
    assert [one for records in parts for one in everything(records)] == first[1:]
    assert [rows.tolist() for records in parts for _, rows in records.repaired] == [[0, 2]]


def test_a_million_lines_of_padding_are_passed_over_at_once() -> None:
    seen, file = read(b"city,state\nx,SP\n" + b",\r\n" * 1_000_000, chunk=2**21)
    assert (len(seen), file.skipped) == (1, {"blank_line": 1_000_000})


CELL = st.text(st.sampled_from('ab", \n\r\ufeff'), max_size=4)
FILES = st.lists(
    st.tuples(
        st.booleans(),  # begins with a mark
        st.sampled_from(["\n", "\r\n"]),
        st.lists(st.tuples(CELL, CELL), max_size=3),
        st.sampled_from(["", ",\n", "\n", " ,\r\n", "\ufeff\n"]),  # padding
    ),
    min_size=1,
    max_size=4,
)


@settings(deadline=None)
@given(files=FILES, chunk=st.integers(1, 64))
def test_files_joined_by_cat_hold_the_records_of_all(
    files: list[tuple[bool, str, list[tuple[str, str]], str]], chunk: int
) -> None:
    text = io.StringIO(newline="")
    for has_mark, end, rows, padding in files:
        text.write("\ufeff" * has_mark)
        csv.writer(text, lineterminator=end, quoting=csv.QUOTE_ALL).writerows([NAMES, *rows])
        text.write(padding)
    seen, file = read(text.getvalue().encode(), chunk=chunk)
    assert [one.fields for one in seen] == [row for _, _, rows, _ in files for row in rows]
    assert [one.position for one in seen] == list(range(1, len(seen) + 1))
    assert file.skipped["header_line"] == len(files) - 1
    assert file.skipped["blank_line"] == sum(bool(padding) for _, _, _, padding in files)
