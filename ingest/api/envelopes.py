"""Envelopes: what a request says around its records, and the records cut out of it byte for byte."""

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import islice
from typing import Any

from access.problems import Problem
from ingest.api.bodies import Body
from ingest.readers.json_records import TOO_DEEP, Sent, sent_alone
from ingest.readers.json_text import MAX_DEPTH, Cut, Doubled, NotJson, elements, finish, members, scan, skip, too_deep

MAX_RECORDS = 1000
MAX_MEMBERS = 100  # of an envelope: each is walked by itself, which takes its time
MAX_NAME_CHARACTERS = 200
_BOM = "\ufeff"
_TAGGED = frozenset({"table", "ref", "group", "data"})


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """A parsed body: its members but ``records``, and by table the records as they were sent.

    ``tagged``: each record names its table itself. ``refs`` and ``groups`` are by index.
    """

    members: Mapping[str, Any]
    sent: Mapping[str, list[Sent]]
    tagged: bool = False
    refs: Mapping[int, str] = field(default_factory=dict)
    groups: Mapping[int, str] = field(default_factory=dict)


def read_json(body: Body) -> Envelope:
    """Read a JSON envelope. Problem: 400 for what is no envelope, 413 for too many records."""
    text = body.data.decode("utf-8", "surrogateescape").removeprefix(_BOM)
    try:
        found, records = _outer(text)
    except NotJson as error:
        raise not_json(error) from error
    if records is None:
        raise _bad("The member `records` is missing: a list of 1 to 1,000 records.", "/records", code="required")
    count_records(len(records))
    _shallow(text, records)
    if "table" in found:
        sent = [Sent(index, cut.value, _raw(text, cut)) for index, cut in enumerate(records)]
        return Envelope(members=found, sent={str(found["table"]): sent})
    return _tagged(text, found, records)


def read_members(body: Body) -> dict[str, Any]:
    """Read a small JSON object, numbers as their text. Problem 400 for anything else."""
    text = body.data.decode("utf-8", "surrogateescape").removeprefix(_BOM)
    try:
        found = scan(text, 0)
        finish(text, found.end)
    except NotJson as error:
        raise not_json(error) from error
    if not isinstance(found.value, dict) or isinstance(found.value, Doubled) or too_deep(found.value):
        raise _bad("The body must be an object that names each member once and is not nested deeply.", "")
    return found.value


def not_json(error: NotJson) -> Problem:
    """Say where the body stops to be JSON."""
    detail = f"The body is not JSON: {error} (at character {error.offset})."
    return Problem(HTTPStatus.BAD_REQUEST, detail, code="parse_error")


def read_ndjson(body: Body, parameters: Mapping[str, Any]) -> Envelope:
    """Read one record a line; a line that is no JSON is a record too, and rejected."""
    every = (line.rstrip(b"\n").removesuffix(b"\r") for line in io.BytesIO(body.data.removeprefix(_BOM.encode())))
    lines = list(islice((line for line in every if line.strip(b" \t\r")), MAX_RECORDS + 1))
    count_records(len(lines))
    sent = [sent_alone(index, line) for index, line in enumerate(lines)]
    return Envelope(members=parameters, sent={str(parameters.get("table", "")): sent})


def _outer(text: str) -> tuple[dict[str, Any], list[Cut] | None]:
    """Walk the envelope: its members but ``records``, and the records."""
    start = skip(text, 0)
    if text[start : start + 1] != "{":
        finish(text, scan(text, start).end)
        raise _bad("The body must be an object with the member `records`.", "", code="invalid")
    found: dict[str, Any] = {}
    records: list[Cut] | None = None

    def take(name: str, at: int) -> int:
        nonlocal records
        if name in found or (name == "records" and records is not None):
            raise _bad(f"The member {name[:40]!r} is named twice.", "", code="invalid")
        if len(found) > MAX_MEMBERS:
            raise _bad(f"There are more than {MAX_MEMBERS} members.", "", code="max_members")
        if name == "records" and text[at : at + 1] == "[":
            records, end = elements(text, at, at_most=MAX_RECORDS)
            count_records(len(records) or 1)
            return end
        cut = scan(text, at)
        if name == "records":
            raise _bad("The member `records` must be a list.", "/records", code="invalid")
        if too_deep(cut.value):
            raise _bad(f"The member {name[:40]!r} is nested deeper than {MAX_DEPTH} levels.", "", code="max_depth")
        found[name] = cut.value
        return cut.end

    finish(text, members(text, start, take))
    return found, records


def _tagged(text: str, found: Mapping[str, Any], records: list[Cut]) -> Envelope:
    sent: dict[str, list[Sent]] = {}
    names: dict[str, dict[int, str]] = {"ref": {}, "group": {}}
    for index, cut in enumerate(records):
        where = f"/records/{index}"
        if not isinstance(cut.value, dict):
            raise _bad("Without a `table` beside `records`, each record is an object with `table` and `data`.", where)
        if isinstance(cut.value, Doubled):
            raise _bad(f"The member {cut.value.names[0][:40]!r} is named twice.", where)
        for name in cut.value.keys() - _TAGGED:
            raise _bad(f"There is no member {_plain(name)!r}: a record has table, data, ref and group.", where)
        for name in ("table", "data"):
            if name not in cut.value:
                raise _bad(f"The member `{name}` is missing.", where, code="required")
        if type(cut.value["table"]) is not str:
            raise _bad("The name of a table is a text.", f"{where}/table")
        for name, known in names.items():
            if name in cut.value:
                known[index] = _name(cut.value[name], f"{where}/{name}")
        data = _member(text, cut.start, "data")
        sent.setdefault(cut.value["table"], []).append(Sent(index, data.value, _raw(text, data)))
    return Envelope(members=found, sent=sent, tagged=True, refs=names["ref"], groups=names["group"])


def _member(text: str, at: int, wanted: str) -> Cut:
    """Cut one member out of the object at ``at``, which was scanned before."""
    cuts: dict[str, Cut] = {}

    def take(name: str, start: int) -> int:
        cuts[name] = scan(text, start)
        return cuts[name].end

    members(text, at, take)
    return cuts[wanted]


def _name(value: Any, where: str) -> str:
    if type(value) is not str or not 0 < len(value) <= MAX_NAME_CHARACTERS or _plain(value) != value:
        raise _bad(f"This is a text of 1 to {MAX_NAME_CHARACTERS} plain characters.", where)
    return value


def _plain(text: str) -> str:
    return "".join(mark for mark in text[:MAX_NAME_CHARACTERS] if mark.isprintable())


def _raw(text: str, cut: Cut) -> bytes:
    return text[cut.start : cut.end].encode("utf-8", "surrogateescape")


def count_records(count: int) -> None:
    """Raise Problem: 400 without records, 413 with too many."""
    if not count:
        raise _bad("There are no records: send 1 to 1,000.", "/records", code="min_records")
    if count > MAX_RECORDS:
        raise Problem(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"There are more than {MAX_RECORDS:,} records: send them in several batches.",
            code="max_records",
            max_records=MAX_RECORDS,
        )


def _shallow(text: str, records: list[Cut]) -> None:
    """Refuse deep nesting; looked for only in records that have so many brackets."""
    for index, cut in enumerate(records):
        brackets = text.count("{", cut.start, cut.end) + text.count("[", cut.start, cut.end)
        if brackets > MAX_DEPTH and too_deep(cut.value):
            raise _bad(TOO_DEEP, f"/records/{index}", code="max_depth")


def _bad(detail: str, pointer: str, *, code: str = "invalid") -> Problem:
    return Problem(HTTPStatus.BAD_REQUEST, detail, code=code, pointer=pointer)
