"""Rejects read again: as they were last corrected, or from exactly the bytes that came."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from ingest.models import Account, RejectedRecord
from ingest.readers.csv.encodings import CP1252
from ingest.readers.csv.signs import Signs
from ingest.readers.json.records import SentRecord, sent_alone
from ingest.readers.signs.body import records_from_csv
from ingest.readers.signs.reading import SignReader
from ingest.rules.sources import find_source

type AccountKey = tuple[Any, str]  # batch, table


def as_kept(rejects: Sequence[RejectedRecord]) -> list[SentRecord]:
    """Return each record, by its index here; ``value`` is no object where it could not be read."""
    accounts = _accounts(rejects)
    records: list[SentRecord | None] = []
    lines: dict[AccountKey, list[int]] = defaultdict(list)
    for index, reject in enumerate(rejects):
        key = reject.batch_id, reject.table
        if reject.correction is not None:
            records.append(SentRecord(index, reject.correction, b""))
        elif key not in accounts:
            records.append(sent_alone(index, bytes(reject.raw)))
        elif reject.record is None:  # it could not be split into fields, and no rule can change that
            reason = reject.reasons[0]
            records.append(SentRecord(index, None, bytes(reject.raw), (reason["code"], reason["message"])))
        else:
            records.append(None)
            lines[key].append(index)
    for key, indices in lines.items():
        raws = [bytes(rejects[index].raw) for index in indices]
        for index, raw, fields in zip(indices, raws, _split(accounts[key], raws), strict=True):
            records[index] = SentRecord(index, fields, raw, json=False)
    return [sent for sent in records if sent is not None]


def json_lines(rejects: Sequence[RejectedRecord]) -> list[str]:
    """Write each record, all of which could be split into fields, as a line of JSON: exactly as it came, where it came
    as JSON and was not corrected; else its fields."""
    accounts = _accounts(rejects)
    return [
        json.dumps(sent.value, ensure_ascii=False)
        if reject.correction is not None or (reject.batch_id, reject.table) in accounts
        else _on_one_line(sent.raw)
        for reject, sent in zip(rejects, as_kept(rejects), strict=True)
    ]


def _on_one_line(raw: bytes) -> str:
    """Return JSON without line ends, which are no part of any text in it."""
    return raw.decode().replace("\r", " ").replace("\n", " ")


def _accounts(rejects: Sequence[RejectedRecord]) -> Mapping[AccountKey, Account]:
    """Return the account of each CSV text that a reject came in, with its header and its signs."""
    accounts = Account.objects.filter(batch__in={reject.batch_id for reject in rejects}).exclude(columns=[])
    return {(account.batch_id, account.table): account for account in accounts}


def _split(account: Account, raws: Sequence[bytes]) -> list[dict[str, str | None]]:
    """Split records of CSV into fields: all at once, where they stay the same records side by side."""
    reader, header = _reader(account), ",".join(account.columns)
    written = header.encode(CP1252 if reader and reader.signs.value("encoding") == CP1252 else "utf-8")
    text = b"\n".join([written, *raws])
    records = records_from_csv(text, account.columns, at_most=len(raws), reader=reader).records
    if records is not None and not len(records.unreadable) and records.exact().to_pylist() == list(raws):
        return list(records.columns.to_pylist())
    if len(raws) == 1:
        return [{}]
    return [fields for raw in raws for fields in _split(account, [raw])]


def _reader(account: Account) -> SignReader | None:
    """Return what reads by the account's signs, unless its table is no Source any more."""
    source = find_source(account.table)
    return SignReader(source.contract, Signs.from_json(account.signs)) if source else None
