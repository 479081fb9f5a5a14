"""The first line of a CSV file: it must name every column once, and no other."""

import csv
from collections import Counter
from collections.abc import Sequence

from core.errors import HeaderRefused, SourceUnreadable

BOM = b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def read_header(line: bytes, *, path: str, expected: Sequence[str]) -> list[str]:
    """Return the columns that ``line`` (without BOM and line feed) names, in its order.

    Raises SourceUnreadable if it is no UTF-8 CSV at all, HeaderRefused if its names are not exactly ``expected``.
    """
    if line.startswith(_UTF16):
        raise SourceUnreadable(path=path, problem="looks like UTF-16", remedy="Save it as UTF-8.")
    line = line.removesuffix(b"\r")
    if b"\r" in line:
        problem = "its lines end with a carriage return and no line feed"
        raise SourceUnreadable(path=path, problem=problem, remedy="Save it with LF or CRLF line ends.")
    try:
        names = next(csv.reader([line.decode()], strict=True), [])
    except UnicodeDecodeError as error:
        problem = f"the header is not UTF-8 (byte 0x{line[error.start]:02X} at offset {error.start})"
        raise SourceUnreadable(path=path, problem=problem, remedy="Save it as UTF-8.") from error
    except csv.Error as error:
        raise _refused(f"the header cannot be read ({error})", path, expected) from error
    problems = _differences(names, expected)
    if problems:
        raise _refused(f"the header {'; '.join(problems)}", path, expected)
    return names


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


def _refused(problem: str, path: str, expected: Sequence[str]) -> HeaderRefused:
    return HeaderRefused(path=path, problem=problem, expected=", ".join(expected))
