"""JSON whose values keep their exact text, and whose parts can be cut out byte for byte.

The standard scanner does the work; only the outer levels are walked here, since no parser tells where a value began.
Numbers never pass through a binary float.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np

MAX_DEPTH = 32
MAX_PARTS = 2_000  # of one record: more than a table of PostgreSQL has columns

_BLANKS = frozenset(" \t\n\r")
_blank = re.compile(r"[ \t\n\r]*").match


class NumberText(str):
    """A number, as it was written."""

    __slots__ = ()


class NonFiniteNumber:
    """``NaN``, ``Infinity`` or ``-Infinity``: what JavaScript writes where JSON has nothing."""

    def __init__(self, text: str) -> None:
        self.text = text


class DoubledMembers(dict[str, Any]):
    """An object that names a member twice; ``names`` are those members."""

    names: tuple[str, ...] = ()


class NotJson(Exception):
    """The text is not JSON: ``str()`` says why, ``offset`` where, in characters."""

    def __init__(self, problem: str, offset: int) -> None:
        super().__init__(problem)
        self.offset = offset


class JsonSlice(NamedTuple):
    """A value, and where its text begins and ends."""

    value: Any
    start: int
    end: int


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    by_name = dict(pairs)
    if len(by_name) == len(pairs):
        return by_name
    doubled = DoubledMembers(by_name)
    doubled.names = tuple(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
    return doubled


_scan_once = json.JSONDecoder(
    object_pairs_hook=_members, parse_float=NumberText, parse_int=NumberText, parse_constant=NonFiniteNumber
).scan_once  # type: ignore[attr-defined]  # public by its name, and unknown to the stubs

_encoder = json.JSONEncoder(ensure_ascii=False, default=lambda other: getattr(other, "text", None))
_scan_whole = json.JSONDecoder(parse_float=NumberText, parse_int=NumberText, parse_constant=NonFiniteNumber).scan_once  # type: ignore[attr-defined]


def scan(text: str, at: int) -> JsonSlice:
    """Read the value that begins at or after ``at``; NotJson where there is none, or it is nested too deeply."""
    start = skip(text, at)
    try:
        value, end = _scan_once(text, start)
    except StopIteration as error:
        raise NotJson("a value is missing", start) from error
    except json.JSONDecodeError as error:
        raise NotJson(error.msg, error.pos) from error
    except RecursionError as error:
        raise NotJson(f"it is nested deeper than {MAX_DEPTH} levels", start) from error
    return JsonSlice(value, start, end)


def read_whole(text: str) -> Any:
    """Read a document as ``scan`` does, but at once: of members that are named twice the last is kept, and nothing is
    said of what is wrong. None where it is no JSON; see ``names_each_once``."""
    start = skip(text, 0)
    with suppress(StopIteration, ValueError, RecursionError):
        value, end = _scan_whole(text, start)
        return value if skip(text, end) == len(text) else None
    return None


def names_each_once(data: bytes, members: int) -> bool:
    """Tell whether a UTF-8 document in which so many members were found names none of them twice; False where in doubt.

    Each name ends with a quote and a colon. A text may hold such marks too: then there seem to be more names.
    """
    marks = np.frombuffer(data, np.uint8)
    before = marks[np.flatnonzero(marks == ord(":")) - 1]
    return not (before <= ord(" ")).any() and int((before == ord('"')).sum()) == members


def innermost(data: bytes, objects: int) -> list[bytes] | None:
    """Cut the objects that hold no others out of a UTF-8 document of so many objects; None where a text holds braces.

    In a sound document these are the braces that close right after they open.
    """
    marks = np.frombuffer(data, np.uint8)
    braces = np.flatnonzero((marks == ord("{")) | (marks == ord("}")))
    if len(braces) != 2 * objects:
        return None
    closing = marks[braces] == ord("}")
    pairs = np.flatnonzero(~closing[:-1] & closing[1:])
    return [
        data[start : end + 1] for start, end in zip(braces[pairs].tolist(), braces[pairs + 1].tolist(), strict=True)
    ]


def elements(text: str, at: int, *, at_most: int) -> tuple[list[JsonSlice], int]:
    """Read the array whose ``[`` is at ``at``: up to ``at_most`` + 1 elements, and where the reading ended."""
    slices: list[JsonSlice] = []
    end = skip(text, at + 1)
    if text[end : end + 1] == "]":
        return slices, end + 1
    while True:
        end = _run(text, end, slices, at_most)
        slices.append(scan(text, end))
        end = skip(text, slices[-1].end)
        if text[end : end + 1] == "]" or len(slices) > at_most:
            return slices, end + 1
        end = skip(text, _expect(text, end, ","))


def _run(text: str, at: int, slices: list[JsonSlice], at_most: int) -> int:
    """Read elements that follow one another as programs write them (`, ` or `,` between); return where that ends.

    Only a short cut, for it takes half the time: it stops before whatever is not plain, and before the last one.
    """
    with suppress(StopIteration, ValueError, RecursionError):
        while len(slices) < at_most:
            value, end = _scan_once(text, at)
            if text[end : end + 1] != ",":
                break
            slices.append(JsonSlice(value, at, end))
            at = end + 2 if text[end + 1 : end + 2] == " " else end + 1
    return at


def members(text: str, at: int, take: Callable[[str, int], int]) -> int:
    """Walk the object whose ``{`` is at ``at``: ``take`` gets each name and where its value begins, and returns where
    that ends. Returns where the object ends."""
    end = skip(text, at + 1)
    if text[end : end + 1] == "}":
        return end + 1
    while True:
        name = scan(text, end)
        if type(name.value) is not str:
            raise NotJson("a member has no name", name.start)
        end = skip(text, take(name.value, skip(text, _expect(text, name.end, ":"))))
        if text[end : end + 1] == "}":
            return end + 1
        end = _expect(text, end, ",")


def finish(text: str, at: int) -> None:
    """Make sure that only white space follows; else NotJson."""
    end = skip(text, at)
    if end != len(text):
        raise NotJson("something follows its end", end)


def too_deep(value: Any, *, limit: int = MAX_DEPTH) -> bool:
    """Tell whether arrays and objects are nested deeper than ``limit``."""
    level: Sequence[Any] = [value]
    for _ in range(limit):
        level = [
            child
            for parent in level
            if isinstance(parent, dict | list)
            for child in (parent.values() if isinstance(parent, dict) else parent)
        ]
        if not level:
            return False
    return True


def too_wide(value: dict[str, Any] | list[Any], *, limit: int = MAX_PARTS) -> bool:
    """Tell whether there are more than ``limit`` members and elements, on all levels; it looks at no more of them."""
    waiting, parts = [value], 0
    while waiting:
        parent = waiting.pop()
        parts += len(parent)
        if parts > limit:
            return True
        children = parent.values() if isinstance(parent, dict) else parent
        waiting += [child for child in children if isinstance(child, dict | list)]
    return False


def as_text(value: Any, *, at_most: int) -> str:
    """Write any scanned value for a person: a text as it is, all else as JSON; cut after so many characters."""
    if isinstance(value, str):
        return value[:at_most]
    if isinstance(value, NonFiniteNumber):
        return value.text
    pieces: list[str] = []
    length = 0
    for piece in _encoder.iterencode(value):  # no more of it than is shown
        pieces.append(piece)
        length += len(piece)
        if length >= at_most:
            break
    return "".join(pieces)[:at_most]


def skip(text: str, at: int) -> int:
    """Pass over white space."""
    if text[at : at + 1] not in _BLANKS:  # the usual case, a hundred thousand times
        return at
    blank = _blank(text, at)
    return blank.end() if blank else at


def _expect(text: str, at: int, mark: str) -> int:
    at = skip(text, at)
    if text[at : at + 1] != mark:
        raise NotJson(f"{mark!r} is missing", at)
    return at + 1
