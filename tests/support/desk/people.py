"""Members of staff with rights at the desk, and records that were refused."""

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import User

from core.json_scanner import scan
from core.postgres.retry import in_transaction
from ingest.models import Batch, RejectedRecord
from ingest.posting.post import post
from ingest.posting.unit import Origin, TableRecords, Unit
from ingest.readers.json.records import SentRecord, records_from_json
from ingest.rules.sources import sources
from tests.support.access.people import person
from tests.support.loading.loads import PLAIN

DESK = tuple(f"ingest.{deed}_rejectedrecord" for deed in ("view", "repair", "dismiss", "export"))


def staff(name: str = "ana", *rights: str, superuser: bool = False) -> User:
    """Make a member of staff with rights named ``app.codename``; the password is the name twice."""
    return person(name, *rights, superuser=superuser, password=name * 2)


def send(*records: tuple[str, dict[str, Any] | str], group: str = "", mode: Any = "partial") -> Batch:
    """Post records (table, and changes of its plain record, or raw JSON), as the endpoint does."""
    unit = Unit(
        tables=tuple(
            TableRecords(source=source, records=records_from_json(sent, source.contract))
            for source in sources()
            if (sent := list(_sent(records, source.table)))
        ),
        groups=dict.fromkeys(range(len(records)), group) if group else {},
        mode=mode,
    )
    posted = in_transaction(lambda cursor: post(cursor, unit, Origin(kind="api")))
    assert posted.batch
    return posted.batch


def _sent(records: Iterable[tuple[str, dict[str, Any] | str]], table: str) -> Iterable[SentRecord]:
    for index, (name, given) in enumerate(records):
        if name == table:
            text = given if isinstance(given, str) else _json({**PLAIN[table], **given})
            yield SentRecord(index, scan(text, 0).value, text.encode())


def _json(record: dict[str, Any]) -> str:
    import json

    return json.dumps(record, ensure_ascii=False)


def refused(table: str, **changes: Any) -> RejectedRecord:
    """Have one record refused, and return its reject."""
    batch = send((table, changes))
    return RejectedRecord.objects.get(last_batch=batch)
