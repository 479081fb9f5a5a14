"""Envelopes read with care: each record is cut out byte for byte, and what is wrong is said by its place."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from core.json_scanner import (
    MAX_DEPTH,
    DoubledMembers,
    JsonSlice,
    NotJson,
    elements,
    finish,
    members,
    scan,
    skip,
    too_deep,
    too_wide,
)
from core.web.problems import Problem
from core.web.request_bodies import not_json
from ingest.readers.json.records import TOO_DEEP, TOO_WIDE, SentRecord

MAX_RECORDS = 1000
MAX_MEMBERS = 100  # of an envelope: each is walked by itself, which takes its time
MAX_NAME_CHARACTERS = 200
TAGS = frozenset({"table", "ref", "group", "data"})


@dataclass(frozen=True, kw_only=True)
class Parcel:
    """A body taken apart: its members but ``records``, and by table the records as they were sent.

    ``tagged``: each record names its table itself. ``refs`` and ``groups`` are by index.
    """

    members: Mapping[str, Any]
    sent: Mapping[str, list[SentRecord]]
    tagged: bool = False
    refs: Mapping[int, str] = field(default_factory=dict)
    groups: Mapping[int, str] = field(default_factory=dict)


def cut(text: str) -> Parcel:
    """Take an envelope apart. Problem: 400 for what is no envelope, 413 for too many records."""
    try:
        around, records = _outer(text)
    except NotJson as error:
        raise not_json(error) from error
    if records is None:
        raise bad("The member `records` is missing: a list of 1 to 1,000 records.", "/records", code="required")
    count_records(len(records))
    _shallow(text, records)
    refuse_wide([cut.value for cut in records])
    if "table" in around:
        sent = [SentRecord(index, cut.value, _raw(text, cut)) for index, cut in enumerate(records)]
        return Parcel(members=around, sent={str(around["table"]): sent})
    return _tagged(text, around, records)


def _outer(text: str) -> tuple[dict[str, Any], list[JsonSlice] | None]:
    """Walk the envelope: its members but ``records``, and the records."""
    start = skip(text, 0)
    if text[start : start + 1] != "{":
        finish(text, scan(text, start).end)
        raise bad("The body must be an object with the member `records`.", "", code="invalid")
    around: dict[str, Any] = {}
    records: list[JsonSlice] | None = None

    def take(name: str, at: int) -> int:
        nonlocal records
        if name in around or (name == "records" and records is not None):
            raise bad(f"The member {name[:40]!r} is named twice.", "", code="invalid")
        if len(around) > MAX_MEMBERS:
            raise bad(f"There are more than {MAX_MEMBERS} members.", "", code="max_members")
        if name == "records" and text[at : at + 1] == "[":
            records, end = elements(text, at, at_most=MAX_RECORDS)
            count_records(len(records) or 1)
            return end
        cut = scan(text, at)
        if name == "records":
            raise bad("The member `records` must be a list.", "/records", code="invalid")
        if too_deep(cut.value):
            raise bad(f"The member {name[:40]!r} is nested deeper than {MAX_DEPTH} levels.", "", code="max_depth")
        around[name] = cut.value
        return cut.end

    finish(text, members(text, start, take))
    return around, records


def _tagged(text: str, around: Mapping[str, Any], records: list[JsonSlice]) -> Parcel:
    sent: dict[str, list[SentRecord]] = {}
    tags = Tags()
    for index, cut in enumerate(records):
        table = tags.read(index, cut.value)
        data = _member(text, cut.start, "data")
        sent.setdefault(table, []).append(SentRecord(index, data.value, _raw(text, data)))
    return Parcel(members=around, sent=sent, tagged=True, refs=tags.refs, groups=tags.groups)


class Tags:
    """What records say around their data; ``refs`` and ``groups`` are by index, for those that have one."""

    def __init__(self) -> None:
        self.refs: dict[int, str] = {}
        self.groups: dict[int, str] = {}

    def read(self, index: int, value: Any) -> str:
        """Take in one record, return its table; Problem 400 where it is not tagged as it should be."""
        where = f"/records/{index}"
        if not isinstance(value, dict):
            raise bad("Without a `table` beside `records`, each record is an object with `table` and `data`.", where)
        if isinstance(value, DoubledMembers):
            raise bad(f"The member {value.names[0][:40]!r} is named twice.", where)
        for name in value.keys() - TAGS:
            raise bad(f"There is no member {_plain(name)!r}: a record has table, data, ref and group.", where)
        for name in ("table", "data"):
            if name not in value:
                raise bad(f"The member `{name}` is missing.", where, code="required")
        if type(value["table"]) is not str:
            raise bad("The name of a table is a text.", f"{where}/table")
        for name, known in (("ref", self.refs), ("group", self.groups)):
            if name in value:
                known[index] = _name(value[name], f"{where}/{name}")
        return str(value["table"])


def _member(text: str, at: int, wanted: str) -> JsonSlice:
    """Cut one member out of the object at ``at``, which was scanned before."""
    cuts: dict[str, JsonSlice] = {}

    def take(name: str, start: int) -> int:
        cuts[name] = scan(text, start)
        return cuts[name].end

    members(text, at, take)
    return cuts[wanted]


def _name(value: Any, where: str) -> str:
    if type(value) is not str or not 0 < len(value) <= MAX_NAME_CHARACTERS or _plain(value) != value:
        raise bad(f"This is a text of 1 to {MAX_NAME_CHARACTERS} plain characters.", where)
    return value


def _plain(text: str) -> str:
    return "".join(mark for mark in text[:MAX_NAME_CHARACTERS] if mark.isprintable())


def _raw(text: str, cut: JsonSlice) -> bytes:
    return text[cut.start : cut.end].encode("utf-8", "surrogateescape")


def count_records(count: int) -> None:
    """Raise Problem: 400 without records, 413 with too many."""
    if not count:
        raise bad("There are no records: send 1 to 1,000.", "/records", code="min_records")
    if count > MAX_RECORDS:
        raise Problem(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"There are more than {MAX_RECORDS:,} records: send them in several batches.",
            code="max_records",
            max_records=MAX_RECORDS,
        )


def _shallow(text: str, records: list[JsonSlice]) -> None:
    """Refuse deep nesting; looked for only in records that have so many brackets."""
    for index, cut in enumerate(records):
        brackets = text.count("{", cut.start, cut.end) + text.count("[", cut.start, cut.end)
        if brackets > MAX_DEPTH and too_deep(cut.value):
            raise bad(TOO_DEEP, f"/records/{index}", code="max_depth")


def refuse_wide(records: Iterable[Any]) -> None:
    """Raise Problem 400 for a record of more members than any table has columns: each would take its time."""
    for index, value in enumerate(records):
        if isinstance(value, dict | list) and too_wide(value):
            raise bad(TOO_WIDE, f"/records/{index}", code="max_members")


def bad(detail: str, pointer: str, *, code: str = "invalid") -> Problem:
    return Problem(HTTPStatus.BAD_REQUEST, detail, code=code, pointer=pointer)
