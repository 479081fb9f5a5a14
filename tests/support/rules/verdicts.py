"""Two judges of the same typed rows: ``process``, and PostgreSQL itself."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from django.db import DatabaseError
from django.db.backends.utils import CursorWrapper
from psycopg2 import sql
from psycopg2.extensions import AsIs, QuotedString

from core.arrow import Rows
from ingest.processing.duplicates import Duplicates, SeenRows
from ingest.processing.lookups import Lookups
from ingest.processing.process import Verdict, process
from ingest.processing.records import Records
from ingest.rules.contract import Contract
from ingest.rules.sources import sources
from tests.support.rules.strategies import BeyondPython, Row, text_of


class Forgetful(SeenRows):
    """Finds no duplicates: each row is judged as if it came alone."""

    def sort_out(self, rows: pa.Table, contract: Contract, _position: Rows) -> Duplicates:
        nothing = np.zeros(rows.num_rows, bool)
        return Duplicates(nothing, nothing, (np.zeros(rows.num_rows, np.uint64), np.zeros(rows.num_rows, np.uint64)))


def contract_of(table: str) -> Contract:
    """Return the contract of one of the Sources."""
    return next(source.contract for source in sources() if source.table == table)


def records_of(contract: Contract, records: Sequence[dict[str, str | None]]) -> Records:
    """Return records of texts; a member that a record lacks is absent from it."""
    columns = {name: pa.array([r.get(name) for r in records], pa.string()) for name in contract.names}
    return Records(
        columns=pa.table(columns),
        position=pa.array(range(1, len(records) + 1), pa.int64()),
        raw=pa.array([repr(r).encode("utf-8", "surrogatepass") for r in records], pa.binary()),
        absent={name: pa.array([name not in r for r in records], pa.bool_()) for name in contract.names},
    )


def texts_of(contract: Contract, rows: Sequence[Row]) -> Records:
    """Return typed rows as records of their plain texts."""
    return records_of(contract, [{name: text_of(value) for name, value in row.items()} for row in rows])


def accepted_by_process(
    contract: Contract, rows: Sequence[Row], *, lookups: Lookups | None = None, seen: SeenRows | None = None
) -> list[bool]:
    """Tell which rows ``process`` takes unchanged; a row that needs a repair counts as refused."""
    result = process(texts_of(contract, rows), contract, lookups=lookups, seen=seen)
    partition(result)
    verdicts = [False] * len(rows)
    for index, accepted in zip(result.source, result.rows.to_pylist(), strict=True):
        verdicts[index] = accepted == rows[index]
    return verdicts


def partition(result: Verdict) -> None:
    """Assert that each record is in exactly one of rows, duplicates and reasons."""
    parts = [*result.source.tolist(), *result.duplicates.tolist(), *result.refused.tolist()]
    assert sorted(parts) == list(range(result.records.columns.num_rows))
    assert result.rows.num_rows == len(result.source)
    assert (
        result.reasons["position"].unique().to_pylist() == result.records.position.to_numpy()[result.refused].tolist()
    )
    assert result.rows.schema.types == [column.type for column in result.checked.schema]


def accepted_by_postgres(
    cursor: CursorWrapper, contract: Contract, rows: Sequence[Row], *, keep: bool = False
) -> list[bool]:
    """Tell which rows an INSERT with typed parameters stores unchanged. ``keep``: accepted rows stay inserted."""
    names = sql.SQL(", ").join(map(sql.Identifier, contract.names))
    insert = sql.SQL("savepoint one_row; insert into {} ({}) values ({}) returning {}").format(
        sql.Identifier(contract.db_table), names, sql.SQL(", ").join([sql.Placeholder()] * len(contract.names)), names
    )
    verdicts = []
    for row in rows:
        try:
            cursor.execute(insert, [_parameter(row[name]) for name in contract.names])
            stored = cursor.fetchone()
            accepted = stored is not None and list(stored) == [row[name] for name in contract.names]
        except DatabaseError:
            accepted = False
        except ValueError as error:
            assert "NUL" in str(error)  # noqa: PT017 - psycopg2's only objection before it asks the server
            verdicts.append(False)
            continue
        verdicts.append(accepted)
        undo = "" if accepted and keep else "rollback to savepoint one_row; "
        cursor.execute(f"{undo}release savepoint one_row")
    return verdicts


def _parameter(value: Any) -> Any:
    if isinstance(value, BeyondPython):
        return AsIs(f"{QuotedString(value.text).getquoted().decode()}::timestamp")
    return value
