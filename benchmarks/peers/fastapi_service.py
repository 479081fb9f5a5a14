"""FastAPI, Pydantic v2 and psycopg 3: ``POST /batches`` with 1 to 1,000 records of one table.

One transaction a batch: token, references by one query a foreign key, COPY into a temporary table that the connection
keeps, one INSERT that tells what it stored, rejects by COPY, one commit. Tried in its place: COPY as text 16 % slower
in the database's part, ``unnest`` 50 %, a temporary table dropped at each commit as fast, locking the parents 1.5 ms
more, async psycopg as fast with 1,000 records and slower with one.
"""

import hashlib
import os
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property
from operator import itemgetter
from typing import Annotated, Any

from anyio.to_thread import current_default_thread_limiter
from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from psycopg import Connection, Cursor, sql
from psycopg.errors import ForeignKeyViolation
from psycopg.types.json import Jsonb
from psycopg_pool import ConnectionPool
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import from_json, to_json

from benchmarks.peers import rules

# Its own tables: fastapi_service.sql.
THREADS_A_PROCESS = 4

type Row = tuple[Any, ...]
type Errors = list[Any]


@dataclass(frozen=True)
class Table:
    """One table: its Pydantic model, natural key, and its references as column -> (table, key)."""

    name: str
    model: type[rules.Record]
    key: tuple[str, ...]
    references: dict[str, tuple[str, str]] = field(default_factory=dict)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Names in the order of the model's fields."""
        return tuple(self.model.model_fields)

    @cached_property
    def many(self) -> TypeAdapter[list[rules.Record]]:
        """Validates a clean batch in one call."""
        return TypeAdapter(list[self.model])  # type: ignore[name-defined]

    def places(self, names: Iterable[str]) -> tuple[int, ...]:
        """Where in a row these columns are."""
        return tuple(map(self.columns.index, names))

    def statement(self, text: str) -> sql.Composed:
        """Fill in the names of tables and columns."""
        return sql.SQL(text).format(
            table=sql.Identifier(f"olist_{self.name}"),
            incoming=sql.Identifier(f"incoming_{self.name}"),
            columns=sql.SQL(", ").join(map(sql.Identifier, self.columns)),
            key=sql.SQL(", ").join(map(sql.Identifier, self.key)),
        )

    @cached_property
    def copy(self) -> sql.Composed:
        """Send rows to the temporary table."""
        return self.statement("copy {incoming} ({columns}) from stdin (format binary)")

    @cached_property
    def insert(self) -> sql.Composed:
        """Store them in the order of their keys, so that two batches cannot wait for each other."""
        return self.statement(
            "insert into {table} ({columns}) select {columns} from {incoming} order by {key} on conflict do nothing"
            " returning {key}"
        )


ORDER = {"order_id": ("olist_orders", "order_id")}
CATEGORY = {"product_category_name": ("olist_product_category_name_translation", "product_category_name")}
CUSTOMER = {"customer_id": ("olist_customers", "customer_id")}
PARTS = {"product_id": ("olist_products", "product_id"), "seller_id": ("olist_sellers", "seller_id")}
TABLES = {
    table.name: table
    for table in (
        Table("product_category_name_translation", rules.Category, ("product_category_name",)),
        Table("geolocation", rules.Geolocation, tuple(rules.Geolocation.model_fields)),
        Table("customers", rules.Customer, ("customer_id",)),
        Table("sellers", rules.Seller, ("seller_id",)),
        Table("products", rules.Product, ("product_id",), CATEGORY),
        Table("orders", rules.Order, ("order_id",), CUSTOMER),
        Table("order_items", rules.OrderItem, ("order_id", "order_item_id"), ORDER | PARTS),
        Table("order_payments", rules.OrderPayment, ("order_id", "payment_sequential"), ORDER),
        Table("order_reviews", rules.OrderReview, ("review_id", "order_id"), ORDER),
    )
}


class Envelope(BaseModel):
    """A request."""

    model_config = ConfigDict(extra="forbid")

    table: str
    records: Annotated[list[Any], Field(min_length=1, max_length=1000)]


class Batch:
    """The records of one request on their way: each ends as a stored row or with its errors."""

    def __init__(self, table: Table, records: list[Any]) -> None:
        """Validate."""
        self.table, self.records = table, records
        self.rows: dict[int, Row] = {}
        self.errors: dict[int, Errors] = {}
        try:
            self.rows = {i: tuple(vars(one).values()) for i, one in enumerate(table.many.validate_python(records))}
        except ValidationError:
            self._validate_each()

    def _validate_each(self) -> None:
        validate = self.table.model.model_validate
        for index, record in enumerate(self.records):
            try:
                self.rows[index] = tuple(vars(validate(record)).values())
            except ValidationError as error:
                self.errors[index] = error.errors(include_url=False, include_context=False, include_input=False)

    def refuse(self, indices: Iterable[int], column: str, code: str, message: str) -> None:
        """Note one more error for each of these records."""
        for index in indices:
            self.errors.setdefault(index, []).append({"loc": [column], "type": code, "msg": message})

    def check_references(self, cursor: Cursor[Row]) -> None:
        """Look all parents up, a query for each foreign key, without locks: a parent deleted since fails the commit."""
        for column, (parents, key) in self.table.references.items():
            (place,) = self.table.places([column])
            names = {"key": sql.Identifier(key), "parents": sql.Identifier(parents)}
            query = "select {key} from {parents} where {key} = any(%s)"
            wanted = {row[place] for row in self.rows.values()}
            found = {parent for (parent,) in cursor.execute(sql.SQL(query).format(**names), [list(wanted)])} | {None}
            if wanted - found:
                lost = [index for index, row in self.rows.items() if row[place] not in found]
                self.refuse(lost, column, "does_not_exist", "There is no such row.")

    def store(self, cursor: Cursor[Row]) -> int:
        """Write what has no error yet; a key that is there, or twice in the batch, is an error. Returns the rows."""
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
        return len(stored)

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
    """Give a new connection its temporary tables; the types of columns are the server's own."""
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
    with pool.connection() as connection, connection.cursor() as cursor:
        owner = _authenticate(cursor, bearer.credentials)
        batch = _parse(body)
        batch.check_references(cursor)
        inserted = batch.store(cursor)
        batch.log_rejects(cursor, owner)
    counts = {"read": len(batch.records), "inserted": inserted, "rejected": len(batch.errors)}
    results = [{"index": index, "errors": errors} for index, errors in sorted(batch.errors.items())]
    status = 201 if not results else 207 if inserted else 422
    return Response(to_json({"counts": counts, "results": results}), status, media_type="application/json")


def _authenticate(cursor: Cursor[Row], token: str) -> str:
    digest = hashlib.sha256(token.encode()).digest()
    found = cursor.execute("select owner from fastapi_tokens where digest = %s", [digest]).fetchone()
    if found is None:
        raise HTTPException(401, "This token is not known.")
    return str(found[0])


def _parse(body: bytes) -> Batch:
    if b"\\u0000" in body:
        raise HTTPException(400, "Text cannot hold the character NUL.")
    try:
        envelope = Envelope.model_validate(from_json(body, allow_inf_nan=False))
    except ValueError as error:
        raise HTTPException(400, str(error)) from error
    if envelope.table not in TABLES:
        raise HTTPException(404, f"There is no table {envelope.table}.")
    return Batch(TABLES[envelope.table], envelope.records)
