import hashlib
import io

import pyarrow as pa
import pytest

from tests.support.readers.reading import Seen, everything, open_csv, read_body


def fields(body: bytes, columns: int = 2) -> list[tuple[str, ...] | None]:
    return [seen.fields for seen in read_body(body, columns)]


def test_records_carry_position_physical_line_and_exact_bytes() -> None:
    assert read_body(b'1,"a\nb"\n"2",c\n') == [
        Seen(position=1, line=2, raw=b'1,"a\nb"', fields=("1", "a\nb")),
        Seen(position=2, line=4, raw=b'"2",c', fields=("2", "c")),
    ]


def test_a_file_without_final_newline_keeps_its_last_record() -> None:
    assert fields(b"1,a\n2,b") == [("1", "a"), ("2", "b")]


def test_a_file_cut_between_carriage_return_and_line_feed_keeps_its_last_record() -> None:
    assert read_body(b"1,a\r\n2,b\r")[1].raw == b"2,b"


def test_crlf_and_lf_may_be_mixed_and_stay_inside_quotes() -> None:
    assert fields(b'1,a\r\n2,"b\r\nc"\n3,"d\re"\r\n') == [("1", "a"), ("2", "b\r\nc"), ("3", "d\re")]


def test_an_empty_cell_is_an_empty_text_whether_quoted_or_not() -> None:
    assert fields(b',""\n') == [("", "")]


def test_words_that_pyarrow_takes_for_null_stay_text() -> None:
    assert fields(b"NULL,NaN\nnan,#N/A\n") == [("NULL", "NaN"), ("nan", "#N/A")]


def test_nul_characters_pass_through() -> None:
    assert fields(b'a\0b,"\0"\n') == [("a\0b", "\0")]


def test_all_columns_are_text_in_the_order_of_the_header() -> None:
    (records,) = open_csv(b'"b",a\n1,2\n', ["a", "b"])
    assert records.columns.schema == pa.schema([("b", pa.string()), ("a", pa.string())])
    assert records.exact().type == pa.binary()


def test_a_file_of_one_column_can_be_read() -> None:
    assert fields(b'a\n""\n"b\nc"\n', 1) == [("a",), ("",), ("b\nc",)]


def test_a_file_with_only_a_header_has_no_records() -> None:
    assert list(open_csv(b"a,b\n", ["a", "b"])) == []
    assert list(open_csv(b"a,b", ["a", "b"])) == []


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"1", "1 fields where 2 are expected"),
        (b'1,"b,b",3', "3 fields where 2 are expected"),
        (b"1,a\rb", "a carriage return without a line feed, outside quotes"),
        (b'"1"x,a', "text after a closing quote"),
        (b'1,"a', "a quote is opened and never closed"),
        (b'a"b,"c', "a quote inside an unquoted field beside a field that cannot be read"),
    ],
)
def test_a_line_that_is_no_record_is_refused_alone(line: bytes, message: str) -> None:
    before, refused, after = read_body(b'"1",a\n' + line + b'\n"2",b\n')
    assert (before.fields, after.fields) == (("1", "a"), ("2", "b"))
    assert refused == Seen(position=2, line=3, raw=line, code="ragged_row", message=message)


def test_bytes_that_are_not_utf8_are_refused_with_their_place() -> None:
    assert read_body(b"1,ok\n2,S\xe3o Paulo\n")[1] == Seen(
        position=2,
        line=3,
        raw=b"2,S\xe3o Paulo",
        code="encoding",
        message="byte 0xE3 at offset 3 of the record is not UTF-8",
    )


def test_an_unclosed_quote_costs_one_line_however_much_follows() -> None:
    body = b'1,"open\n' + b"2,b\n" * 5_000
    seen = read_body(body, limit=2_000)
    assert len(seen) == 5_001
    assert [one.position for one in seen if one.code] == [1]


def test_an_unclosed_quote_that_a_later_stray_quote_closes_costs_one_line() -> None:
    seen = read_body(b'1,"open\n2,b\n3,"\n4,d\n')
    assert [(one.raw, one.fields) for one in seen] == [
        (b'1,"open\n2,b\n3,"', ("1", "open\n2,b\n3,")),
        (b"4,d", ("4", "d")),
    ]
    seen = read_body(b'1,x,"open\n2,b\n3,"\n4,d\n')
    assert [one.code for one in seen] == ["ragged_row", "", "ragged_row", ""]


def test_a_ragged_record_over_several_lines_is_one_reject() -> None:
    seen = read_body(b'1,"a\nb\nc",2\n3,d\n')
    assert [(one.line, one.raw, one.code) for one in seen] == [(2, b'1,"a\nb\nc",2', "ragged_row"), (5, b"3,d", "")]


def test_a_quote_inside_an_unquoted_field_is_kept_as_text() -> None:
    assert fields(b'5" pipe,a\n"x",6"" pipe\n') == [('5" pipe', "a"), ("x", '6"" pipe')]


def test_a_record_over_the_limit_is_refused_without_being_read_whole() -> None:
    seen = read_body(b"1," + b"a" * 98 + b"\n2," + b"b" * 99 + b"\n3,c\n", limit=100, chunk=64)
    assert [(one.line, len(one.raw), one.code) for one in seen] == [
        (2, 100, ""),
        (3, 100, "ragged_row"),
        (3, 1, "ragged_row"),
        (4, 3, ""),
    ]
    assert seen[1].message == "longer than 100 bytes; is a quote left open?"
    assert seen[2].message == "more of a line that is longer than 100 bytes; is a quote left open?"


def test_no_more_than_a_chunk_and_a_record_is_held_in_memory() -> None:
    source = open_csv(b"a,b\n" + b"x" * 100_000, ["a", "b"], chunk=1_000, limit=500)
    for records in source:
        assert sum(len(seen.raw) for seen in everything(records)) <= 2_000


def test_progress_and_checksum_of_the_whole_file_are_known() -> None:
    text = b"\xef\xbb\xbfa,b\r\n" + b"1,2\r\n" * 1_000
    source = open_csv(text, ["a", "b"], chunk=100)
    next(iter(source))
    assert 0 < source.bytes_read < len(text)
    with pytest.raises(RuntimeError, match="not read to its end"):
        _ = source.sha256
    assert sum(map(len, source)) + 0 < 1_000
    assert (source.records_read, source.bytes_read) == (1_000, len(text))
    assert source.sha256 == hashlib.sha256(text).hexdigest()


def test_a_stream_that_gives_fewer_bytes_than_asked_for_is_read_whole() -> None:
    class Trickle(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(3)

    from ingest.readers.csv.file import CsvFile

    source = CsvFile(Trickle(b'a,b\n"1\n",2\n3,4\n'), path="file.csv", expected=["a", "b"])
    assert [len(records) for records in source] == [1, 1]
