"""What a manifest may say: each member's kind and bounds, so that all it says can be kept, shown and reckoned with.

Whoever can write to a store can put a manifest there, and one of another release or a damaged one may say anything.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from reprlib import Repr
from typing import Any
from uuid import UUID

LARGEST_COUNT = 2**63 - 1  # of a bigint
# A day from the ends of what Python and PostgreSQL both hold would do, whatever the time zone; no clock shows these.
FIRST_MOMENT, LAST_MOMENT = datetime(1970, 1, 1, tzinfo=UTC), datetime(9998, 1, 1, tzinfo=UTC)
MANY = 1600  # columns that a table of PostgreSQL can have
NAME_BYTES = 63  # of a name in PostgreSQL
TEXT_BYTES = 1000
_FINGERPRINT = re.compile(r"[0-9a-f]{16}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SHOWN = Repr()
_SHOWN.maxstring = _SHOWN.maxlong = _SHOWN.maxother = 60


@dataclass(frozen=True)
class Rule:
    """What one member has to be, in words and as a test."""

    wanted: str
    holds: Callable[[Any], bool]


def fault_of(members: Mapping[str, Any], *, signed: bool) -> str:
    """Say what is wrong with the members of a manifest; empty where nothing is.

    ``signed``: it lies beside its file, and has to say of it what only a finished file has.
    """
    rules = {**_MANIFEST, **_SIGNED} if signed else _MANIFEST
    if fault := _first_fault(members, rules):
        return fault
    for number, column in enumerate(members["columns"], 1):
        if fault := _first_fault(column, _COLUMN):
            return f"column {number}: {fault}"
        if unknown := column.keys() - _COLUMN.keys():
            return f"column {number}: it has {shown(min(unknown))}, which nobody knows"
    names = [column["name"] for column in members["columns"]]
    if len(set(names)) < len(names):
        return "two columns have the same name"
    if not set(members["key"]) <= set(names):
        return "its key is of columns that it has not"
    return ""


def shown(value: object) -> str:
    """Write a value as a line of some length at most."""
    return _SHOWN.repr(value)


def _first_fault(members: Mapping[str, Any], rules: Mapping[str, Rule]) -> str:
    for name, rule in rules.items():
        if name not in members:
            return f"it has no {name}"
        if not rule.holds(members[name]):
            return f"{name} has to be {rule.wanted}, and is {shown(members[name])}"
    return ""


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value <= LARGEST_COUNT


def _is_uuid(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        return str(UUID(value)) == value  # as it was written, to the letter
    except ValueError:
        return False


def _is_moment(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return False
    has_zone = moment.utcoffset() is not None
    return has_zone and moment.isoformat() == value and FIRST_MOMENT <= moment < LAST_MOMENT


def _is_stored_text(value: object, most: int) -> bool:
    """Tell a text that PostgreSQL can hold, of so many bytes at most."""
    if not isinstance(value, str) or "\0" in value:
        return False
    try:
        return len(value.encode()) <= most
    except UnicodeEncodeError:  # half of a character
        return False


def _is_line(value: object, most: int) -> bool:
    return isinstance(value, str) and value.isprintable() and _is_stored_text(value, most)


def _is_name(value: object) -> bool:
    return value != "" and _is_line(value, NAME_BYTES)


def _is_value(value: object) -> bool:
    return value is None or _is_stored_text(value, TEXT_BYTES)


def _is_list(value: object, of: Callable[[Any], bool]) -> bool:
    return isinstance(value, list) and 1 <= len(value) <= MANY and all(map(of, value))


def _is_key(value: object) -> bool:
    return _is_list(value, lambda name: _is_stored_text(name, NAME_BYTES))


def _are_migrations(value: object) -> bool:
    return (
        isinstance(value, dict)
        and len(value) <= MANY
        and all(_is_line(text, TEXT_BYTES) for pair in value.items() for text in pair)
    )


def _matches(pattern: re.Pattern[str]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


_COUNT = Rule(f"a whole number from 0 to {LARGEST_COUNT}", _is_count)
_LINE = Rule("a line of text", lambda value: _is_line(value, TEXT_BYTES))
_VALUE = Rule("a text or null", _is_value)
_MANIFEST = {
    "id": Rule("a UUID", _is_uuid),
    "run": Rule("a UUID", _is_uuid),
    "table": Rule(f"a name of 1 to {NAME_BYTES} bytes", _is_name),
    "model": _LINE,
    "columns": Rule("a list of objects", lambda value: _is_list(value, lambda column: isinstance(column, dict))),
    "key": Rule("a list of names", _is_key),
    "migrations": Rule("an object of texts", _are_migrations),
    "rows": _COUNT,
    "fingerprint": Rule("16 hexadecimal digits", _matches(_FINGERPRINT)),
    "snapshot_at": Rule(
        f"a moment with its zone of the years {FIRST_MOMENT.year} to {LAST_MOMENT.year - 1}", _is_moment
    ),
    "server": _LINE,
    "app_version": _LINE,
}
_SIGNED = {
    "file": Rule("the name of a file", lambda value: value != "" and _is_line(value, TEXT_BYTES)),
    "bytes": _COUNT,
    "sha256": Rule("64 hexadecimal digits", _matches(_SHA256)),
}
_COLUMN = {
    "name": Rule(
        f"a text of 1 to {NAME_BYTES} bytes", lambda value: value != "" and _is_stored_text(value, NAME_BYTES)
    ),
    "type": Rule("a name of a type", lambda value: _is_line(value, TEXT_BYTES)),
    "not_null": Rule("true or false", lambda value: isinstance(value, bool)),
    "nulls": _COUNT,
    "minimum": _VALUE,
    "maximum": _VALUE,
    "sum": _VALUE,
}
