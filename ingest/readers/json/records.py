"""Scanned JSON values of one table to ``Records``. What JSON can say and a column cannot hold becomes a fault."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from core.arrow import ArrowColumn, bools, indices
from core.json_scanner import (
    MAX_DEPTH,
    MAX_PARTS,
    DoubledMembers,
    NonFiniteNumber,
    NotJson,
    as_text,
    finish,
    scan,
    too_deep,
    too_wide,
)
from ingest.processing.reasons import SURROGATE, UNKNOWN_FIELD
from ingest.processing.records import FAULT_SCHEMA, UNREADABLE_SCHEMA, Records
from ingest.rules.contract import Contract

MAX_UNKNOWN = 10  # unknown members of one record that get a reason each
SHOWN_CHARACTERS = 200
NOT_JSON = "The record is not JSON: {problem} (at character {offset})."
TOO_DEEP = f"The record is nested deeper than {MAX_DEPTH} levels."
TOO_WIDE = f"The record has more than {MAX_PARTS:,} members and elements."
NO_OBJECT = "A record must be an object; this is {kind}."
NOT_UTF8 = "The record holds bytes that are not UTF-8."
WRONG_TYPE = "{kind} cannot stand here."
DOUBLED = "This field is named twice."
_KINDS = {bool: "a boolean", dict: "an object", DoubledMembers: "an object", list: "an array", type(None): "null"}


@dataclass(slots=True)  # not frozen: that triples the cost of making a thousand
class SentRecord:
    """One record as it was sent: its index in the request, its scanned value, its exact bytes.

    ``problem``: code and message where it could not be read at all (``value`` is None then). ``json``: the bytes are
    JSON, and so UTF-8; others are a file's, read by its signs.
    """

    index: int
    value: Any
    raw: bytes
    problem: tuple[str, str] | None = None
    json: bool = True


def sent_alone(index: int, raw: bytes) -> SentRecord:
    """Read one record from exactly its bytes."""
    text = raw.decode("utf-8", "surrogateescape")
    try:
        cut = scan(text, 0)
        finish(text, cut.end)
    except NotJson as error:
        return SentRecord(index, None, raw, ("invalid", NOT_JSON.format(problem=error, offset=error.offset)))
    if too_deep(cut.value):
        return SentRecord(index, None, raw, ("invalid", TOO_DEEP))
    return SentRecord(index, cut.value, raw)


class _Faults:
    def __init__(self) -> None:
        self._rows: list[tuple[int, str, str, str, str | None]] = []

    def add(self, row: int, field: str, code: str, message: str, value: Any = None) -> None:
        shown = None if value is None else _harmless(as_text(value, at_most=SHOWN_CHARACTERS))
        self._rows.append((row, _harmless(field)[:SHOWN_CHARACTERS], code, message, shown))

    def table(self) -> pa.Table:
        if not self._rows:
            return FAULT_SCHEMA.empty_table()
        return pa.table(list(map(list, zip(*self._rows, strict=True))), schema=FAULT_SCHEMA)


def records_from_json(sent: Sequence[SentRecord], contract: Contract) -> Records:
    """Read records of one table; positions are their indices in the request, lines are not known."""
    problems = [_problem(record) for record in sent]
    readable = [record for record, problem in zip(sent, problems, strict=True) if problem is None]
    values: list[dict[str, Any]] = [record.value for record in readable]
    faults = _Faults()
    _find_unknown(values, frozenset(contract.names), faults)
    columns, absent = {}, {}
    for name in contract.names:
        columns[name] = _column(values, name, faults)
        if columns[name].null_count:
            missing = np.fromiter((name not in value for value in values), bool, len(values))
            if missing.any():
                absent[name] = bools(missing)
    return Records(
        columns=pa.table(columns),
        position=_positions(readable),
        raw=pa.array([record.raw for record in readable], pa.binary()),
        absent=absent,
        faults=faults.table(),
        unreadable=_unreadable([(r, problem) for r, problem in zip(sent, problems, strict=True) if problem]),
    )


def _positions(sent: Sequence[SentRecord]) -> Any:
    return indices(np.fromiter((record.index for record in sent), np.int64, len(sent)))


def _problem(record: SentRecord) -> tuple[str, str] | None:
    """Return code and message where the value is no record."""
    if record.problem:
        return record.problem
    if not isinstance(record.value, dict):
        kind = (
            "not JSON"
            if isinstance(record.value, NonFiniteNumber)
            else _KINDS.get(type(record.value), "a single value")
        )
        return "invalid", NO_OBJECT.format(kind=kind)
    if too_wide(record.value):  # before anything looks at each of them
        return "invalid", TOO_WIDE
    if record.json and not record.raw.isascii():
        try:
            record.raw.decode()
        except UnicodeDecodeError:
            return "encoding", NOT_UTF8
    return None


def _unreadable(refused: Sequence[tuple[SentRecord, tuple[str, str]]]) -> pa.Table:
    sent, problems = [record for record, _ in refused], [problem for _, problem in refused]
    columns: list[Any] = [
        _positions(sent),
        pa.nulls(len(sent), pa.int64()),
        pa.array([record.raw for record in sent], pa.binary()),
        pa.array([code for code, _ in problems], pa.string()),
        pa.array([message for _, message in problems], pa.string()),
    ]
    return pa.table(columns, schema=UNREADABLE_SCHEMA)


def _find_unknown(values: Sequence[dict[str, Any]], known: frozenset[str], faults: _Faults) -> None:
    for row, value in enumerate(values):
        if isinstance(value, DoubledMembers):
            for name in value.names[:MAX_UNKNOWN]:
                faults.add(row, name, "invalid", DOUBLED)
        if value.keys() <= known:
            continue
        unknown = [name for name in value if name not in known]
        for name in unknown[:MAX_UNKNOWN]:
            faults.add(row, name, "unknown_field", UNKNOWN_FIELD, value[name])
        if len(unknown) > MAX_UNKNOWN:
            rest = f"This table has no such field, nor {len(unknown) - MAX_UNKNOWN - 1} others that came."
            faults.add(row, unknown[MAX_UNKNOWN], "unknown_field", rest)


def _column(values: Sequence[dict[str, Any]], name: str, faults: _Faults) -> ArrowColumn:
    """Return one member's texts; NULL where it is null, absent, or nothing that a text stands for."""
    members = [value.get(name) for value in values]
    try:
        return pa.array(members, pa.string())
    except (pa.ArrowException, TypeError, UnicodeEncodeError):
        refuse = _refuser(name, faults)
        return pa.array([_text(row, value, refuse) for row, value in enumerate(members)], pa.string())


def _refuser(name: str, faults: _Faults) -> Callable[[int, str, str, Any], None]:
    def refuse(row: int, code: str, message: str, value: Any) -> None:
        faults.add(row, name, code, message, value)

    return refuse


def _text(row: int, value: Any, refuse: Callable[[int, str, str, Any], None]) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        kind = _KINDS.get(type(value), "This")
        shown = value.text if isinstance(value, NonFiniteNumber) else kind
        refuse(row, "invalid", WRONG_TYPE.format(kind=shown[0].upper() + shown[1:]), value)
        return None
    try:
        value.encode()
    except UnicodeEncodeError:
        refuse(row, "surrogate_characters_not_allowed", SURROGATE, value)
        return None
    return value


def is_storable(value: Any) -> bool:
    """Tell whether ``jsonb`` can hold a scanned value such that it is judged again as it is judged now."""
    if isinstance(value, DoubledMembers | NonFiniteNumber):
        return False
    if isinstance(value, dict):
        return all(_harmless(name) == name and is_storable(member) for name, member in value.items())
    if isinstance(value, list):
        return all(map(is_storable, value))
    return not isinstance(value, str) or _harmless(value) == value


def storable(value: Any) -> Any:
    """Return a scanned value as ``jsonb`` can hold it, to be judged again later: numbers as their exact texts."""
    if isinstance(value, dict):
        return {_harmless(name): storable(member) for name, member in value.items()}
    if isinstance(value, list):
        return [storable(element) for element in value]
    if isinstance(value, NonFiniteNumber):
        return value.text
    return _harmless(value) if isinstance(value, str) else value


def _harmless(text: str) -> str:
    """Make a text that PostgreSQL and JSON can hold: what they cannot becomes U+FFFD."""
    if "\x00" not in text and (text.isascii() or not any("\ud800" <= mark <= "\udfff" for mark in text)):
        return text
    return "".join("\ufffd" if mark == "\x00" or "\ud800" <= mark <= "\udfff" else mark for mark in text)
