"""A cell that is the word for NULL without quotes is NULL, however the file is cut, and no other is."""

import io

import pytest

from ingest.readers.csv.file import CsvFile
from ingest.readers.csv.signs import Sign, Signs

type Cells = tuple[str | None, ...]

WORD = r"\N"


def read(body: str, *, word: str = WORD, chunk: int = 1 << 20, escape: str = "") -> list[Cells]:
    signs = Signs({"null": Sign(value=word), "escape": Sign(value=escape)})
    file = CsvFile(io.BytesIO(f"a,b\n{body}".encode()), path="x", expected=("a", "b"), signs=signs, chunk_bytes=chunk)
    return [tuple(row.values()) for records in file for row in records.columns.to_pylist()]


LINES: dict[str, Cells] = {
    r"\N,\N": (None, None),
    r'"\N",x': (WORD, "x"),
    r'"",\N': ("", None),
    ",x": ("", "x"),
    r"\N ,\n": (r"\N ", r"\n"),
    r'"\N""",\N\N': (r'\N"', r"\N\N"),
    '"a\nb",\\N': ("a\nb", None),
    r'5" wide,\N': ('5" wide', None),  # the careful way
    r'5" wide,"\N"': ('5" wide', WORD),
    r'\N",x': (r'\N"', "x"),
}


@pytest.mark.parametrize("chunk", [1 << 20, 7])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_word_without_quotes_is_null_and_nothing_else_is(chunk: int, end: str) -> None:
    assert read(end.join([*LINES, ""]), chunk=chunk) == list(LINES.values())


@pytest.mark.parametrize("word", ["NA", "não há", "-", " ", "''"])
def test_any_word_will_do(word: str) -> None:
    assert read(f'{word},"{word}"\n5" x,{word}\n', word=word) == [(None, word), ('5" x', None)]


def test_where_backslashes_escape_the_word_is_read_as_it_stands() -> None:
    body = '\\N,"a \\"b\\""\n"\\N",\\N\n5" x,\\N\n'
    meant: list[Cells] = [(None, 'a "b"'), (WORD, None), ('5" x', None)]
    assert read(body, escape="backslash") == read(body, escape="backslash", chunk=7) == meant


def test_none_is_no_word() -> None:
    assert read("none,None\n", word="none") == [("none", "None")]
