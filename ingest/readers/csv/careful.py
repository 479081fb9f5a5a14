"""The careful way to cut CSV into records, for the stretches whose quotes or fields do not add up.

A record is fields between commas up to LF or CRLF; a field is quoted (quotes inside doubled) or holds no quote, comma,
CR or LF. Where no such record begins, one *physical line* is refused and reading goes on behind it, so that a quote
left open costs one line. A line such as ``a"b,c``, whose only oddity is a quote inside an unquoted field, is kept as it
is meant, but not behind a refused line, whose rest it may be. A record over several lines with a wrong number of
fields, of which a later line is a record by itself, has swallowed that line through a quote left open: only its first
line is refused. Byte-order marks before a record are taken off, and lines that are no records (``other_lines``) are
passed over.
"""

import re
from bisect import bisect_left
from codecs import utf_8_decode
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ingest.readers.csv.escapes import quoted, without_pairs
from ingest.readers.csv.header import BOM
from ingest.readers.csv.other_lines import OtherLines, behind_marks
from ingest.readers.csv.quick import doubtful_lines, split_records

_QUOTED = rb'"(?:[^"]++|"")*+"'
_FIELD = rb"(?:" + _QUOTED + rb'|[^",\r\n]*+)'
_RECORD = re.compile(_FIELD + rb"(?:," + _FIELD + rb")*+\r?\n")
_SOUND_PART = re.compile(rb"(?:" + _FIELD + rb",)*+" + _FIELD)
_QUOTED_PARTS = re.compile(_QUOTED)
# One line on which unquoted fields may hold quotes behind their first character.
_LINE_FIELD = rb'"(?:[^"\r\n]++|"")*+"|[^",\r\n][^,\r\n]*+'
_LINE = re.compile(rb"(?:" + _LINE_FIELD + rb")?+(?:,(?:" + _LINE_FIELD + rb")?+)*+")
_LINE_FIELDS = re.compile(_LINE_FIELD)

UNCLOSED = "a quote is opened and never closed"
TEXT_AFTER_QUOTE = "text after a closing quote"
QUOTE_INSIDE = "a quote inside an unquoted field beside a field that cannot be read"
QUOTE_BEHIND_FAULT = "a quote inside an unquoted field behind a line that cannot be read, which it may belong to"
LONE_RETURN = "a carriage return without a line feed, outside quotes"


class Piece(NamedTuple):
    """One record, readable or not, or a part of a line that is too long to be one, or lines that are ``skipped``."""

    raw: bytes  # exact bytes without the line end
    end: int  # offset behind the line end
    lines: int = 1  # physical lines that it ends: 0 for a part of a line, more than 1 with line feeds in quotes
    clean: bytes = b""  # the record and LF as a strict parser reads it; empty where `problem` says why there is none
    code: str = "ragged_row"
    problem: str = ""
    skipped: str = ""  # of what kind the lines are, which are no record

    @property
    def marked(self) -> bool:
        """Whether a readable record begins with a byte-order mark, which ``clean`` has no more."""
        return bool(self.clean) and self.raw.startswith(BOM)


class Cutter:
    """Cuts buffers of one file with the columns ``names``; a record may have ``max_bytes`` without its line end.

    ``escaped``: quotes in quotes are so by backslashes; then offsets are found where such pairs are filled up.
    ``behind_fault``: the line before the next one was refused; whoever cuts records in another way says that none was.
    """

    def __init__(self, names: Sequence[str], others: OtherLines, *, max_bytes: int, escaped: bool = False) -> None:
        self._fields = len(names)
        self._others = others
        self._max_bytes = max_bytes
        later = rb"(?:," + _FIELD + rb"){%d}\r?\n" % (len(names) - 1)
        self._sound = re.compile(rb"(?!" + others.pattern + rb")" + _FIELD + later)
        self._buffer, self._doubtful = b"", [0]  # the lines of the buffer at work that need the regular expressions
        self._escaped = escaped
        self.behind_fault = False  # whether the line before the next one was refused
        self._in_file, self._filled = b"", b""  # a buffer, and what cutting may see of it

    def _visible(self, buffer: bytes) -> bytes:
        if not self._escaped:
            return buffer
        if buffer is not self._in_file:
            self._in_file, self._filled = buffer, without_pairs(buffer)
        return self._filled

    def sound_run(self, buffer: bytes, at: int) -> int:
        """Return the offset behind the readable records that follow one another from ``at`` on; ``at`` for none."""
        buffer = self._visible(buffer)
        end = self._sound_end(buffer, at, len(buffer))
        if end == at:
            return at
        self.behind_fault = False
        try:
            utf_8_decode(memoryview(buffer)[at:end], "strict", True)
        except UnicodeDecodeError as error:
            end = self._sound_end(buffer, at, at + error.start)
        if end - at <= self._max_bytes:
            return end
        split = split_records(buffer[at:end])
        sizes = split.sizes if split else np.array([end - at])
        too_long = np.flatnonzero(sizes > self._max_bytes)
        return at + int(sizes[: too_long[0]].sum()) if len(too_long) else end

    def _sound_end(self, buffer: bytes, at: int, stop: int) -> int:
        if buffer is not self._buffer:
            doubtful = doubtful_lines(buffer, fields=self._fields)
            self._buffer, self._doubtful = buffer, sorted({*doubtful, *self._others.likely_starts(buffer).tolist()})
        while True:
            at = self._doubtful[bisect_left(self._doubtful, at)]
            if at > stop:
                return buffer.rfind(b"\n", 0, stop) + 1
            match = self._sound.match(buffer, at, stop)
            if match is None:
                return at
            at = match.end()

    def record(self, buffer: bytes, at: int, *, final: bool, mid_line: bool) -> Piece | None:
        """Cut one record, one refused line, or lines that are none at ``at``.

        None if, not being ``final``, the buffer ends too early to tell. A final buffer must end with a line feed.
        ``mid_line``: a line that is too long has begun before ``at``.
        """
        visible = self._visible(buffer)
        piece = self._rest_of_line(visible, at) if mid_line else self._record(visible, at, final=final)
        if piece and not piece.skipped:
            self.behind_fault = bool(piece.problem)
        return _in_file(piece, buffer, at) if piece and self._escaped else piece

    def _record(self, buffer: bytes, at: int, *, final: bool) -> Piece | None:
        # Never looking further than this keeps the verdict independent of how the file was cut into buffers.
        stop = min(len(buffer), at + self._max_bytes + 2)
        begin = behind_marks(buffer, at, stop)
        other = self._others.match(buffer, begin, stop)
        if other and len(_without_line_end(buffer[at : buffer.index(b"\n", at) + 1])) <= self._max_bytes:
            return Piece(raw=b"", end=other.end, lines=buffer.count(b"\n", at, other.end), skipped=other.kind)
        match = _RECORD.match(buffer, begin, stop)
        if match is None:
            return self._fault(buffer, at, begin, stop, final=final)
        raw, text = _without_line_end(buffer[at : match.end()]), _without_line_end(match[0])
        if len(raw) > self._max_bytes:
            return self._first_line(buffer, at, stop, self._too_long())
        if b"\n" in raw and self._swallowed_a_record(text):
            return self._first_line(buffer, at, stop, UNCLOSED)
        return self._judge(raw, text, end=match.end(), lines=raw.count(b"\n") + 1)

    def _fault(self, buffer: bytes, at: int, begin: int, stop: int, *, final: bool) -> Piece | None:
        """Say what is wrong with the line at ``at``, whose text begins at ``begin``."""
        sound = _SOUND_PART.match(buffer, begin, stop)
        broken = sound.end() if sound else begin
        odd = buffer[broken : min(broken + 2, stop)]
        open_quote = odd[:1] == b'"' and (broken == begin or buffer[broken - 1] == ord(","))
        if open_quote or odd in {b"", b"\r"}:
            if stop - at == self._max_bytes + 2:
                return self._first_line(buffer, at, stop, self._too_long())
            return self._first_line(buffer, at, stop, UNCLOSED) if final else None
        if odd[:1] == b'"':
            return self._first_line(buffer, at, stop, QUOTE_INSIDE, lenient=True)
        if odd[:1] == b"\r":
            return self._first_line(buffer, at, stop, LONE_RETURN)
        on_one_line = buffer.find(b"\n", at, broken) < 0
        return self._first_line(buffer, at, stop, TEXT_AFTER_QUOTE if on_one_line else UNCLOSED)

    def _first_line(self, buffer: bytes, at: int, stop: int, problem: str, *, lenient: bool = False) -> Piece | None:
        """Refuse the physical line at ``at``; None while its end is not in the buffer."""
        feed = buffer.find(b"\n", at, stop)
        if feed < 0 and stop - at < self._max_bytes + 2:
            return None
        raw = _without_line_end(buffer[at : feed + 1]) if feed >= 0 else buffer[at:stop]
        if len(raw) > self._max_bytes:
            end = _between_characters(buffer, at, at + self._max_bytes)
            return Piece(raw=buffer[at:end], end=end, lines=0, problem=self._too_long())
        text = raw[behind_marks(raw, 0, len(raw)) :]
        if lenient and self.behind_fault:
            return Piece(raw=raw, end=feed + 1, problem=QUOTE_BEHIND_FAULT)
        if lenient and _LINE.fullmatch(text):
            return self._judge(raw, _LINE_FIELDS.sub(_quote, text), end=feed + 1, lines=1)
        return Piece(raw=raw, end=feed + 1, problem=problem)

    def _rest_of_line(self, buffer: bytes, at: int) -> Piece | None:
        problem = f"more of a line that is {self._too_long()}"
        return self._first_line(buffer, at, min(len(buffer), at + self._max_bytes + 2), problem)

    def _judge(self, raw: bytes, clean: bytes, *, end: int, lines: int) -> Piece:
        """Accept a record, unless its encoding or its number of fields is wrong."""
        try:
            raw.decode()
        except UnicodeDecodeError as error:
            problem = f"byte 0x{raw[error.start]:02X} at offset {error.start} of the record is not UTF-8"
            return Piece(raw=raw, end=end, lines=lines, code="encoding", problem=problem)
        fields = _count_fields(clean)
        if fields == self._fields:
            return Piece(raw=raw, end=end, lines=lines, clean=clean + b"\n")
        return Piece(raw=raw, end=end, lines=lines, problem=f"{fields} fields where {self._fields} are expected")

    def _swallowed_a_record(self, raw: bytes) -> bool:
        if self._fields == 1 or _count_fields(raw) == self._fields:
            return False
        later = (line[behind_marks(line, 0, len(line)) :] + b"\n" for line in raw.split(b"\n")[1:])
        return any(_RECORD.fullmatch(line) and _count_fields(line) == self._fields for line in later)

    def _too_long(self) -> str:
        return f"longer than {self._max_bytes} bytes; is a quote left open?"


def _count_fields(record: bytes) -> int:
    return (_QUOTED_PARTS.sub(b"", record) if b'"' in record else record).count(b",") + 1


def _quote(field: re.Match[bytes]) -> bytes:
    """Quote what needs it, and nothing else: a word for NULL is one only without quotes."""
    if field[0].startswith(b'"') or b'"' not in field[0]:
        return field[0]
    return b'"' + field[0].replace(b'"', b'""') + b'"'


def _between_characters(buffer: bytes, at: int, end: int) -> int:
    """Return the last offset up to ``end``, but behind ``at``, where a character of UTF-8 may begin."""
    begins = (offset for offset in range(end, max(at, end - 4), -1) if buffer[offset] & 0xC0 != 0x80)
    return next(begins, end)


def _in_file(piece: Piece, buffer: bytes, at: int) -> Piece:
    """Give a piece whose pairs are filled up the bytes of the file."""
    raw = buffer[at : at + len(piece.raw)]
    marks = behind_marks(piece.raw, 0, len(piece.raw))
    seen, text = piece.raw[marks:], raw[marks:]
    clean = piece.clean and text + b"\n"
    if piece.clean not in {b"", seen + b"\n"}:  # quotes were put around fields
        clean = _LINE_FIELDS.sub(lambda field: _quote_escaped(field, text), seen) + b"\n"
    return Piece(raw, piece.end, piece.lines, clean, piece.code, piece.problem, piece.skipped)


def _quote_escaped(field: re.Match[bytes], raw: bytes) -> bytes:
    text = raw[slice(*field.span())]
    return text if field[0].startswith(b'"') or b'"' not in text else quoted(text)


def _without_line_end(line: bytes) -> bytes:
    return line[:-2] if line.endswith(b"\r\n") else line[:-1]
