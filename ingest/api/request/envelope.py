"""Envelopes: what a request says around its records, and the records of each table."""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import chain, islice
from typing import Any

import numpy as np
import pyarrow as pa

from core.arrow import indices
from core.json_scanner import innermost, names_each_once, read_whole
from core.web.request_bodies import Body
from ingest.api.request.careful import MAX_MEMBERS, MAX_RECORDS, Tags, count_records, cut, refuse_wide
from ingest.processing.records import Records
from ingest.readers.json.plain import Plain, records_from_plain
from ingest.readers.json.records import SentRecord, records_from_json, sent_alone
from ingest.readers.json.texts import read_texts, table_of
from ingest.rules.contract import Contract
from ingest.rules.sources import find_source

TEXTS_FROM_BYTES = 1 << 14  # below, Arrow takes longer to begin than the standard scanner to end
_BOM = "\ufeff"
# Those of `BatchSerializer`; one that is not listed here only makes the reading slower.
_MEMBERS = {name: pa.string() for name in ("table", "mode", "on_conflict", "results")} | {"dry_run": pa.bool_()}


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """A parsed body: its members but ``records``, the tables that its records are for, and those records.

    ``tagged``: each record names its table itself. ``refs`` and ``groups`` are by index. ``texts``: all records, where
    they are of texts alone; ``plain``: by table, records that need no care, as most; ``sent``: gives all as they were
    sent.
    """

    members: Mapping[str, Any]
    tables: tuple[str, ...]
    sent: Callable[[], Mapping[str, list[SentRecord]]]
    texts: Records | None = None
    plain: Mapping[str, Plain] = field(default_factory=dict)
    tagged: bool = False
    refs: Mapping[int, str] = field(default_factory=dict)
    groups: Mapping[int, str] = field(default_factory=dict)

    def records(self, contract: Contract) -> Records:
        """Return the records of one table as columns of text."""
        if self.texts is not None:
            return self.texts
        plain = self.plain.get(contract.table)
        records = records_from_plain(plain, contract) if plain else None
        return records_from_json(self.sent()[contract.table], contract) if records is None else records


def read_json(body: Body) -> Envelope:
    """Read a JSON envelope. Problem: 400 for what is no envelope, 413 for too many records."""
    sound = _is_utf8(body.data)
    texts = _read_texts(body.data) if sound and len(body.data) >= TEXTS_FROM_BYTES else None
    if texts is not None:
        return texts
    text = body.data.decode("utf-8", "surrogateescape").removeprefix(_BOM)
    plain = _read_plain(text, body.data) if sound else None
    if plain is not None:
        return plain
    parcel = cut(text)
    return Envelope(
        members=parcel.members,
        tables=tuple(parcel.sent),
        sent=lambda: parcel.sent,
        tagged=parcel.tagged,
        refs=parcel.refs,
        groups=parcel.groups,
    )


def read_ndjson(body: Body, parameters: Mapping[str, Any]) -> Envelope:
    """Read one record a line; a line that is no JSON is a record too, and rejected."""
    every = (line.rstrip(b"\n").removesuffix(b"\r") for line in io.BytesIO(body.data.removeprefix(_BOM.encode())))
    lines = list(islice((line for line in every if line.strip(b" \t\r")), MAX_RECORDS + 1))
    count_records(len(lines))
    table, sent = str(parameters.get("table", "")), [sent_alone(index, line) for index, line in enumerate(lines)]
    return Envelope(members=parameters, tables=(table,), sent=lambda: {table: sent})


def _read_texts(data: bytes) -> Envelope | None:
    """Read a document (UTF-8) of one table whose records are of texts alone; None where it is another."""
    source = find_source(table_of(data) or "")
    document = read_texts(data, _MEMBERS, source.contract.names) if source else None
    if source is None or document is None or not 0 < len(document.columns) <= MAX_RECORDS:
        return None
    count = len(document.columns)
    sent = cache(lambda: cut(data.decode()).sent)
    texts = Records(
        columns=document.columns,
        position=indices(np.arange(count)),
        raw=lambda: pa.array(_exact(data, 1 + count, sent), pa.binary()),
    )
    return Envelope(members=document.members, tables=(source.table,), sent=sent, texts=texts)


def _read_plain(text: str, data: bytes) -> Envelope | None:
    """Read a document (``data``: its UTF-8) all at once, in a third of the time; None where that will not do."""
    around = read_whole(text)
    records = around.pop("records", None) if type(around) is dict else None
    if type(records) is not list or not 0 < len(records) <= MAX_RECORDS or set(map(type, records)) != {dict}:
        return None
    refuse_wide(records)
    tagged = "table" not in around
    values: list[Any] = [record.get("data") for record in records] if tagged else records
    if set(map(type, values)) != {dict} or any(isinstance(value, dict | list) for value in around.values()):
        return None
    named = 1 + len(around) + sum(map(len, records)) + (sum(map(len, values)) if tagged else 0)
    if len(around) > MAX_MEMBERS or not names_each_once(data, named):
        return None
    sent = cache(lambda: cut(text).sent)

    raw = cache(lambda: _exact(data, 1 + len(records) * (2 if tagged else 1), sent))
    if not tagged:
        table = str(around["table"])
        plain = {table: Plain(list(range(len(values))), values, raw)}
        return Envelope(members=around, tables=(table,), sent=sent, plain=plain)
    tags, parts = Tags(), dict[str, Plain]()
    for index, record in enumerate(records):
        part = parts.setdefault(tags.read(index, record), Plain([], [], raw))
        part.index.append(index)
        part.values.append(record["data"])
    return Envelope(
        members=around, tables=tuple(parts), sent=sent, plain=parts, tagged=True, refs=tags.refs, groups=tags.groups
    )


def _exact(data: bytes, objects: int, sent: Callable[[], Mapping[str, list[SentRecord]]]) -> list[bytes]:
    """Return the bytes of each record of a document of so many objects, by index."""
    pieces = innermost(data, objects)
    return pieces or [record.raw for record in sorted(chain(*sent().values()), key=lambda record: record.index)]


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
