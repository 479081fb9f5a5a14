"""FastAPI, Pydantic v2 and psycopg 3: ``POST /batches`` with 1 to 1,000 records of one table or of several.

One transaction a batch: token; table by table, parents first, references by one query a foreign key, COPY into a
temporary table that the connection keeps, one INSERT that tells what it stored; rejects by COPY, one commit. Tried in
its place: COPY as text 16 % slower in the database's part, ``unnest`` 50 %, a temporary table dropped at each commit as
fast, locking the parents 1.5 ms more, async psycopg as fast with 1,000 records and slower with one.
"""

import hashlib
import os
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from operator import itemgetter
from typing import Annotated, Any, TypedDict

from anyio.to_thread import current_default_thread_limiter
from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from psycopg import Connection, Cursor, sql
from psycopg.errors import ForeignKeyViolation
from psycopg.types.json import Jsonb
from psycopg_pool import ConnectionPool
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import from_json, to_json

from benchmarks.peers.fastapi_tables import TABLES, Table

# Its own tables: fastapi_service.sql.
THREADS_A_PROCESS = 4

type Row = tuple[Any, ...]
type Errors = list[Any]


class Envelope(BaseModel):
    """A request with the records of one table."""

    model_config = ConfigDict(extra="forbid")

    table: str
    records: Annotated[list[Any], Field(min_length=1, max_length=1000)]


class Part(TypedDict):
    """A record that names its table."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[misc]

    table: str
    data: Any


class Mixed(BaseModel):
    """A request with records of several tables, in any order."""

    model_config = ConfigDict(extra="forbid")

    records: Annotated[list[Part], Field(min_length=1, max_length=1000)]


class Batch:
    """The records of one table in a request, by their places in it: each ends as a stored row or with its errors."""

    def __init__(self, table: Table, records: dict[int, Any]) -> None:
        """Validate, each record once: a list in one call is no faster when all is good, and slower when not."""
        self.table, self.records = table, records
        self.rows: dict[int, Row] = {}
        self.errors: dict[int, Errors] = {}
        validate = table.validator.validator.validate_python
        for index, record in records.items():
            try:
                self.rows[index] = tuple(validate(record).__dict__.values())
            except ValidationError as error:
                self.errors[index] = error.errors(include_url=False, include_context=False, include_input=False)

    def refuse(self, indices: Iterable[int], column: str, code: str, message: str) -> None:
        """Note one more error for each of these records."""
        for index in indices:
            self.errors.setdefault(index, []).append({"loc": [column], "type": code, "msg": message})

    def check_references(self, cursor: Cursor[Row], new: dict[str, set[Any]]) -> None:
        """Look all parents up, a query for each foreign key, but for ``new`` ones, which this request stored itself.

        Without locks: a parent deleted since fails the commit.
        """
        for column, (parents, key) in self.table.references.items():
            (place,) = self.table.places([column])
            wanted = {row[place] for row in self.rows.values()} - {None} - new.get(parents, set())
            if not wanted:
                continue
            names = {"key": sql.Identifier(key), "parents": sql.Identifier(parents)}
            query = sql.SQL("select {key} from {parents} where {key} = any(%s)").format(**names)
            lost = wanted - {parent for (parent,) in cursor.execute(query, [list(wanted)])}
            if lost:
                indices = [index for index, row in self.rows.items() if row[place] in lost]
                self.refuse(indices, column, "does_not_exist", "There is no such row.")

    def store(self, cursor: Cursor[Row]) -> set[Any]:
        """Write what has no error yet; a key that is there, or twice in the batch, is an error. Returns the keys."""
        key_of = itemgetter(*self.table.places(self.table.key))
        good: dict[Any, int] = {}
        for index, row in self.rows.items():
            if index not in self.errors and good.setdefault(key_of(row), index) != index:
                self.refuse([index], self.table.key[0], "unique", "This key is twice in the batch.")
        with cursor.copy(self.table.copy) as copy:
            copy.set_types(_types[self.table.name])
            for index in good.values():
                copy.write_row(self.rows[index])
        key_of = itemgetter(*range(len(self.table.key)))
        stored = {key_of(row) for row in cursor.execute(self.table.insert)}
        if len(stored) != len(good):
            there = [index for key, index in good.items() if key not in stored]
            self.refuse(there, self.table.key[0], "unique", "A row with this key exists.")
        return stored

    def log_rejects(self, cursor: Cursor[Row], owner: str) -> None:
        """Keep every refused record with its errors."""
        if not self.errors:
            return
        statement = "copy fastapi_rejects (owner, table_name, position, record, errors) from stdin"
        with cursor.copy(statement) as copy:
            for index, errors in self.errors.items():
                copy.write_row((owner, self.table.name, index, Jsonb(self.records[index]), Jsonb(errors)))


_types: dict[str, list[str]] = {}


def _configure(connection: Connection) -> None:
    """Make a new connection's temporary tables; the types of columns are the server's own."""
    query = "select column_name, udt_name::text from information_schema.columns where table_name = %s"
    for table in TABLES.values():
        make = "create temporary table {incoming} on commit delete rows as select {columns} from {table} limit 0"
        connection.execute(table.statement(make))
        types = dict(connection.execute(query, [f"olist_{table.name}"]).fetchall())
        _types[table.name] = [types[name] for name in table.columns]
    connection.commit()


pool = ConnectionPool(
    os.environ["DATABASE_URL"], min_size=1, max_size=THREADS_A_PROCESS, configure=_configure, open=False
)


@asynccontextmanager
async def _lifespan(_: FastAPI) -> AsyncIterator[None]:
    pool.open(wait=True)
    current_default_thread_limiter().total_tokens = THREADS_A_PROCESS
    yield
    pool.close()


app = FastAPI(lifespan=_lifespan)


@app.exception_handler(ForeignKeyViolation)
def _parent_is_gone(_: Request, error: ForeignKeyViolation) -> Response:
    return Response(to_json({"detail": f"{error.diag.message_detail} Send it again."}), 409)


async def _body(request: Request) -> bytes:
    return await request.body()


@app.post("/batches")
def post_batch(
    body: Annotated[bytes, Depends(_body)], bearer: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]
) -> Response:
    """Store what is good of a batch."""
    new: dict[str, set[Any]] = {}
    with pool.connection() as connection, connection.cursor() as cursor:
        owner = _authenticate(cursor, bearer.credentials)
        batches = _parse(body)
        for batch in batches:
            batch.check_references(cursor, new)
            new[f"olist_{batch.table.name}"] = batch.store(cursor)
            batch.log_rejects(cursor, owner)
    return _answer(batches, inserted=sum(map(len, new.values())))


def _answer(batches: list[Batch], *, inserted: int) -> Response:
    errors = {index: of_record for batch in batches for index, of_record in batch.errors.items()}
    read = sum(len(batch.records) for batch in batches)
    counts = {"read": read, "inserted": inserted, "rejected": len(errors)}
    results = [{"index": index, "errors": of_record} for index, of_record in sorted(errors.items())]
    status = 201 if not results else 207 if inserted else 422
    return Response(to_json({"counts": counts, "results": results}), status, media_type="application/json")


def _authenticate(cursor: Cursor[Row], token: str) -> str:
    digest = hashlib.sha256(token.encode()).digest()
    row = cursor.execute("select owner from fastapi_tokens where digest = %s", [digest]).fetchone()
    if row is None:
        raise HTTPException(401, "This token is not known.")
    return str(row[0])


def _parse(body: bytes) -> list[Batch]:
    """Return a batch for each table, parents first."""
    if b"\\u0000" in body:
        raise HTTPException(400, "Text cannot hold the character NUL.")
    try:
        by_table = _by_table(from_json(body, allow_inf_nan=False))
    except ValueError as error:
        raise HTTPException(400, str(error)) from error
    unknown = by_table.keys() - TABLES.keys()
    if unknown:
        raise HTTPException(404, f"There is no table {', '.join(unknown)}.")
    return [Batch(table, by_table[name]) for name, table in TABLES.items() if name in by_table]


def _by_table(told: Any) -> dict[str, dict[int, Any]]:
    if not isinstance(told, dict) or "table" in told:
        envelope = Envelope.model_validate(told)
        return {envelope.table: dict(enumerate(envelope.records))}
    by_table: dict[str, dict[int, Any]] = {}
    for index, part in enumerate(Mixed.model_validate(told).records):
        by_table.setdefault(part["table"], {})[index] = part["data"]
    return by_table
