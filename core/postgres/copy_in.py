"""Arrow into a table by binary COPY, in the caller's transaction."""

import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing

import pyarrow as pa
from psycopg2 import sql

from core.postgres.column_types import assert_matches
from core.postgres.copy_encoder import encode
from core.postgres.prefetch import ahead
from core.postgres.tables import Cursor, django_errors

BLOCKS_AHEAD = 4  # of about a MiB each

_TRAILER = b"\xff\xff"
_INTERRUPTED = "error in .read() call: KeyboardInterrupt"


def copy_in(
    cursor: Cursor,
    table: str,
    batches: Iterable[pa.RecordBatch | pa.Table],
    *,
    schema: pa.Schema,
    ahead_of_server: bool = False,
) -> int:
    """Append ``batches`` (each of exactly ``schema``) to ``table``; return the server's count of rows.

    ``ahead_of_server``: they are taken and encoded on a thread of their own while the server works on the last ones,
    which pays where they are many.
    ``schema`` is checked by ``columns.assert_matches`` first (``DatabaseFailed``). Django's database errors pass
    through, and so does, unchanged, whatever ``batches`` raises: the COPY is then aborted, and the caller has to roll
    back, to a savepoint at least.
    """
    matched = assert_matches(cursor, table, schema)
    if not ahead_of_server:
        return copy_encoded(cursor, table, schema.names, encode(batches, matched))
    with closing(ahead(encode(batches, matched), count=BLOCKS_AHEAD)) as blocks:
        return copy_encoded(cursor, table, schema.names, blocks)


def copy_encoded(cursor: Cursor, table: str, columns: Sequence[str], blocks: Iterable[bytes]) -> int:
    """Append the rows in ``blocks`` (of ``encoding.encode``, in order) to ``columns`` of ``table``; return their count.

    The types are not checked here: encode by the schema that ``columns.assert_matches`` returned for this table.
    """
    feed = _Feed(blocks)
    statement = sql.SQL("copy {} ({}) from stdin (format binary, encoding 'UTF8')").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    try:
        with django_errors(cursor):
            cursor.copy_expert(statement, feed)
    except Exception as error:
        if feed.failure is not None:  # psycopg2 hides it behind its own QueryCanceled
            raise feed.failure from None
        if _INTERRUPTED in str(error):  # Ctrl-C in the gap between psycopg2's call and our code
            raise KeyboardInterrupt from None
        raise
    return int(cursor.rowcount)


class _Feed(io.RawIOBase):
    """What ``copy_expert`` reads from: each call hands out one whole block, however few bytes were asked for."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._blocks: Iterator[bytes] = iter(blocks)
        self._tail = b""
        self.failure: BaseException | None = None

    def read(self, size: int = -1, /) -> bytes:
        """Return the next block that is not empty (an empty one would mean the end), or ``b""`` at the end."""
        try:
            for block in self._blocks:
                if block:
                    self._tail = block[-len(_TRAILER) :]
                    return block
            if self._tail != _TRAILER:  # PostgreSQL takes a stream without its end for a complete one
                raise EOFError("the encoded rows end without their trailer: not all of them were handed over")
        except BaseException as failure:
            self.failure = failure
            raise
        return b""
