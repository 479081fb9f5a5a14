"""A query's rows as typed Arrow, exactly, by ``COPY (query) TO STDOUT`` in the caller's transaction.

The way is CSV with every text in quotes: an unquoted nothing is NULL and ``""`` the empty text, and pyarrow parses
numbers, dates and shortest floats exactly. What it has no parser for travels in another form: see ``copy_csv_forms``.
"""

import io
import queue
import threading
from collections.abc import Generator, Iterator
from contextlib import suppress
from contextvars import copy_context

import pyarrow as pa
import pyarrow.csv as pa_csv
from psycopg2 import sql

from core.arrow import read_csv
from core.postgres import copy_csv_forms
from core.postgres.tables import Cursor, django_errors

BLOCK_BYTES = 2 << 20
BLOCKS_AHEAD = 2  # fetched from the server while the caller works on a batch

POLL_SECONDS = 0.01

type Query = str | sql.Composable


def copy_out(cursor: Cursor, query: Query, *, schema: pa.Schema) -> pa.Table:
    """Read all rows of ``query`` (without parameters; compose literals with ``psycopg2.sql``) into memory.

    ``schema`` names the query's columns, each with the type of ``columns.arrow_type``. Django's database errors pass
    through; ``pa.ArrowInvalid`` where a value has no place in its type (``infinity`` in a timestamp).
    """
    return pa.Table.from_batches(copy_out_batches(cursor, query, schema=schema), schema=schema)


def copy_out_batches(cursor: Cursor, query: Query, *, schema: pa.Schema) -> Generator[pa.RecordBatch]:
    """Stream what ``copy_out`` reads, in batches of about ``BLOCK_BYTES`` of text.

    The cursor's connection is busy until the last batch. Closing the iterator earlier cancels the query: the
    transaction then has to be rolled back.
    """
    options = copy_csv_forms.csv_options(schema)
    fetched = _Fetch(cursor, _statement(query, schema))
    try:
        for block in filter(None, fetched.blocks()):
            yield from copy_csv_forms.to_types(_parse(block, schema.names, options), schema).to_batches()
    finally:
        fetched.close()


def _statement(query: Query, schema: pa.Schema) -> sql.Composable:
    texts = sql.SQL(", ").join(map(sql.Identifier, copy_csv_forms.quoted(schema)))
    return sql.SQL("copy (select {} from ({}) as rows) to stdout (format csv, encoding 'UTF8'{})").format(
        copy_csv_forms.select_list(schema),
        sql.SQL(query) if isinstance(query, str) else query,
        sql.SQL(", force_quote ({})").format(texts) if texts.seq else sql.SQL(""),
    )


def _parse(block: bytes, names: list[str], options: pa_csv.ConvertOptions) -> pa.Table:
    return read_csv(
        io.BytesIO(block),
        # One block for the parser too, however long its rows are: it ends with a row.
        read_options=pa_csv.ReadOptions(column_names=names, use_threads=False, block_size=len(block) + 1),
        parse_options=pa_csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        convert_options=options,
    )


class _Fetch:
    """Runs COPY on a thread of its own, since psycopg2 only pushes, and hands over blocks of whole rows."""

    def __init__(self, cursor: Cursor, statement: sql.Composable) -> None:
        self._cursor = cursor
        self._rows = io.BytesIO()
        self._queue: queue.Queue[bytes | BaseException | None] = queue.Queue(BLOCKS_AHEAD)
        # In the caller's context, by which a COPY that is a transaction of its own knows whether it may be ended.
        run = copy_context().run
        self._thread = threading.Thread(target=run, args=[self._run, statement], name="copy-out", daemon=True)
        self._ended = False

    def blocks(self) -> Iterator[bytes]:
        """Start, and yield CSV until the query ends; raise what it raised."""
        self._thread.start()
        while isinstance(block := self._queue.get(), bytes):
            yield block
        self._ended = True
        if block is not None:
            raise block

    def close(self) -> None:
        """Cancel the query if it has not ended, and wait for the thread."""
        if not self._ended:
            self._cursor.connection.cancel()
        while self._thread.is_alive():
            with suppress(queue.Empty):  # whatever the thread still wants to hand over is not wanted any more
                self._queue.get(timeout=POLL_SECONDS)

    def write(self, row: bytes) -> None:
        """Take one row: psycopg2 calls this for each."""
        self._rows.write(row)
        if self._rows.tell() >= BLOCK_BYTES:
            self._hand_over()

    def _hand_over(self) -> None:
        self._queue.put(self._rows.getvalue())
        self._rows = io.BytesIO()

    def _run(self, statement: sql.Composable) -> None:
        try:
            with django_errors(self._cursor):
                self._cursor.copy_expert(statement, self)
            self._hand_over()
        except BaseException as failure:  # raised again where the blocks are read
            self._queue.put(failure)
        else:
            self._queue.put(None)
