"""The first line of a CSV file: it must name every column once, and no other."""

import csv
from collections import Counter
from collections.abc import Sequence
from difflib import get_close_matches

from core.errors import HeaderRefused, SourceUnreadable

BOM = b"\xef\xbb\xbf"
BOM_TWICE = "ï»¿".encode()  # of a file that was read as Latin letters
_UTF16 = (b"\xff\xfe", b"\xfe\xff", "ÿþ".encode(), "þÿ".encode())
_NO_TEXT = {
    b"\x1f\x8b": ("packed by gzip", "Unpack it, or add .gz to its name."),
    b"\x28\xb5\x2f\xfd": ("packed by Zstandard", "Unpack it, or add .zst to its name."),
    b"PK\x03\x04": ("a .zip or a spreadsheet", "Unpack it, or save it as CSV with commas."),
    b"PAR1": ("a Parquet file", "Save it as CSV with commas."),
    b"\xd0\xcf\x11\xe0": ("a spreadsheet (.xls)", "Save it as CSV with commas."),
}
_OTHER_MARKS = {";": "semicolons", "\t": "tabs", "|": "bars"}
_ROW_NUMBERS = ("", "Unnamed: 0", "index", "rownames", "row.names", "level_0")


def read_header(line: bytes, *, path: str, expected: Sequence[str]) -> list[str]:
    """Return the columns that ``line`` (without BOM and line feed) names, in its order.

    Raises SourceUnreadable if it is no UTF-8 CSV at all, HeaderRefused if its names are not exactly ``expected``; both
    say what a program has done to the file, where that shows.
    """
    if line.startswith(_UTF16):
        raise SourceUnreadable(path=path, problem="looks like UTF-16", remedy="Save it as UTF-8.")
    if line.startswith(BOM_TWICE):
        problem = "begins with ï»¿, the mark of UTF-8 read as Latin letters"
        remedy = "If --encoding cp1252 was given, leave it out; else load it with --encoding utf-8-twice."
        raise SourceUnreadable(path=path, problem=problem, remedy=remedy)
    for begins, (what, remedy) in _NO_TEXT.items():
        if line.startswith(begins):
            raise SourceUnreadable(path=path, problem=f"is {what}, though its name does not say so", remedy=remedy)
    line = line.removesuffix(b"\r")
    if line.endswith(b"\r"):
        problem = "its lines end with two carriage returns and a line feed"
        remedy = "Write it anew with LF or CRLF line ends (Python's csv module: open the file with newline='')."
        raise SourceUnreadable(path=path, problem=problem, remedy=remedy)
    if b"\r" in line:
        problem = "its lines end with a carriage return and no line feed"
        raise SourceUnreadable(path=path, problem=problem, remedy="Save it with LF or CRLF line ends.")
    try:
        text = line.decode()
        names = next(csv.reader([text], strict=True), [])
    except UnicodeDecodeError as error:
        problem = f"the header is not UTF-8 (byte 0x{line[error.start]:02X} at offset {error.start})"
        raise SourceUnreadable(path=path, problem=problem, remedy="Save it as UTF-8.") from error
    except csv.Error as error:
        problem, advice = f"the header cannot be read ({error})", _advice(text, [], expected)
        raise header_refused(problem, path, expected, advice=advice) from error
    problems = _differences(names, expected)
    if problems:
        advice = _advice(text, names, expected)
        raise header_refused(f"the header {'; '.join(problems)}", path, expected, advice=advice)
    return names


def header_refused(problem: str, path: str, expected: Sequence[str], *, advice: str = "") -> HeaderRefused:
    """Refuse a first line; ``advice`` is a sentence, or nothing."""
    names = ", ".join(expected)
    return HeaderRefused(path=path, problem=problem, advice=f"{advice} " if advice else "", expected=names)


def _differences(names: Sequence[str], expected: Sequence[str]) -> list[str]:
    if not names:
        return ["is a blank line"]
    counts = Counter(names)
    differences = {
        "lacks": [name for name in expected if name not in counts],
        "names twice": [name for name, count in counts.items() if count > 1],
        "has unknown": [name for name in counts if name not in expected],
    }
    return [f"{verb} {', '.join(map(repr, columns))}" for verb, columns in differences.items() if columns]


def _advice(line: str, names: Sequence[str], expected: Sequence[str]) -> str:
    """Say what a program has done to the header, and how it leaves that; empty where nothing of the kind shows."""
    if line.lower().startswith("sep="):
        return "Delete its first line, which tells spreadsheets alone what separates the columns."
    for mark, word in _OTHER_MARKS.items():
        if _are_known(line.split(mark), expected):
            return f"Its columns are separated by {word}: save it with commas."
    if len(names) == 1 and _are_known(names[0].split(","), expected):
        return "The whole line stands in one pair of quotes: quote cells, not lines."
    if names and set(names[len(expected) :]) == {""} and _are_known(names[: len(expected)], expected):
        return "Its lines end in commas: a spreadsheet had empty columns behind the last one, take them out."
    unnamed = [name for name in names if name not in expected]
    if len(unnamed) == 1 and unnamed[0] in _ROW_NUMBERS and len(names) == len(expected) + 1:
        return "A column of row numbers stands there: write the file with index=False (pandas) or row.names=FALSE (R)."
    lacking = [name for name in expected if name not in names]
    near = {name: get_close_matches(name.strip().lower(), lacking, n=1, cutoff=0.8) for name in unnamed}
    meant = [f"{found[0]!r} where {name!r} stands" for name, found in near.items() if found]
    return f"Did you mean {', '.join(meant)}?" if meant else ""


def _are_known(cells: Sequence[str], expected: Sequence[str]) -> bool:
    known = {name.casefold() for name in expected}
    return len(cells) > 1 and all(cell.strip(" \"'").casefold() in known for cell in cells)
