"""A row's 64-bit hash, and from these the fingerprint of a table's content, by PostgreSQL and from Arrow columns alike.

A row is the list of its columns' elements: integers, floats and uuids as they are, texts by their UTF-8 bytes,
decimals, ``jsonb`` and arrays by their text. 64-bit numbers and moments give two elements each, since PostgreSQL folds
their halves together. Each element is hashed by ``lookup3`` (NULL is 0, -0.0 is 0.0, all NaN are one); the row's hash
is ``h = 31 * h + element`` over them, as ``hash_record_extended`` has it. The fingerprint is the sum over all rows,
whatever their order, of their hashes hashed once more, as doubles: a plain sum would not see two rows swap a value,
and the hash of an integer would fold its halves together.
"""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from psycopg2 import sql

from backups.hashing.lookup3 import Hashes, Numbers, hash_fixed, hash_numbers, hash_strings
from core.errors import DatabaseFailed
from core.postgres.fingerprint import Fingerprint
from core.postgres.tables import Cursor

type AnyArray = pa.Array[Any]

SLICE_ROWS = 131_072  # each step then runs long enough without Python's lock to leave other threads their turn
_SAMPLE_ROWS = 512
_WORTHWHILE_REPEATS = 4
_UINT64 = 1 << 64
_EPOCH_DAYS = 10_957  # PostgreSQL counts from 2000-01-01, Arrow from 1970-01-01
_DAY_US = 86_400_000_000
_PLAIN_DECIMAL_PLACES = 6  # beyond, Arrow's text form may have an exponent
_NAN = np.float64("nan")
# The hash of a row with a value of each kind, by which the functions of a server are known.
_KNOWN = r"""
select hash_record_extended(row(1, -2::bigint, 0.1::float8, 'Olá, mundo: lookup3'::text collate "C", '\x0001'::bytea,
    '00112233-4455-6677-8899-aabbccddeeff'::uuid, date '2018-02-28', timestamp '2018-02-28 12:00:00.000001',
    null::integer), 0)
"""
_KNOWN_ANSWER = -5038763622732153705


def hash_expression(schema: pa.Schema) -> sql.Composable:
    """Return the SQL that hashes a row with the columns of ``schema``: a ``bigint``."""
    elements = [
        sql.SQL(form).format(sql.Identifier(field.name)) for field in schema for form in _server_elements(field.type)
    ]
    return sql.SQL("hash_record_extended(row({}), 0)").format(sql.SQL(", ").join(elements))


def server_fingerprint(cursor: Cursor, table: sql.Composable, schema: pa.Schema) -> Fingerprint:
    """Let PostgreSQL compute the fingerprint of ``table`` over the columns of ``schema``."""
    cursor.execute(
        sql.SQL("select count(*), coalesce(sum(hashfloat8extended({}::float8, 0)), 0) from {}").format(
            hash_expression(schema), table
        )
    )
    ((rows, total),) = cursor.fetchall()
    return _fingerprint(int(rows), int(total))


def assert_server_agrees(cursor: Cursor) -> None:
    """Raise DatabaseFailed where the server's hash functions are not those of PostgreSQL 14 to 18."""
    cursor.execute(_KNOWN)
    ((answer,),) = cursor.fetchall()
    if answer != _KNOWN_ANSWER:
        raise DatabaseFailed(
            work="the check of its hash functions",
            problem="they give other results than those of PostgreSQL 14 to 18 on a little-endian machine",
            remedy="Backups need one of these, or a release of Data Forge that knows this server's functions.",
        )


class FileFingerprint:
    """The fingerprint of the rows given so far."""

    def __init__(self) -> None:
        self.rows = 0
        self.total = 0

    def add(self, rows: pa.Table | pa.RecordBatch) -> None:
        """Take in more rows."""
        hashes = _hash_floats(row_hashes(rows).astype(np.float64))
        self.rows += len(hashes)
        self.total += int(hashes.sum())  # wraps, as the fingerprint does

    def merge(self, other: "FileFingerprint") -> None:
        """Take in what another one has taken in."""
        self.rows += other.rows
        self.total += other.total

    def value(self) -> Fingerprint:
        """Return the fingerprint."""
        return _fingerprint(self.rows, self.total)


def row_hashes(rows: pa.Table | pa.RecordBatch) -> Numbers:
    """Hash each of ``rows``, as ``hash_expression`` does on the server: int64, one for each row."""
    slices = [_slice_hashes(rows.slice(start, SLICE_ROWS)) for start in range(0, rows.num_rows, SLICE_ROWS)]
    return np.concatenate([np.zeros(0, np.uint64), *slices]).view(np.int64)


def _slice_hashes(rows: pa.Table | pa.RecordBatch) -> Hashes:
    result = np.zeros(rows.num_rows, np.uint64)
    for column in rows.columns:
        array = column if isinstance(column, pa.Array) else pa.concat_arrays(column.chunks)
        missing = pc.is_null(array).to_numpy(zero_copy_only=False) if array.null_count else None
        for element in _elements(array):
            if missing is not None:
                element[missing] = 0
            result = (result << np.uint64(5)) - result + element
    return result


def _fingerprint(rows: int, total: int) -> Fingerprint:
    return Fingerprint(rows=rows, digest=f"{total % _UINT64:016x}")


def _server_elements(kind: pa.DataType) -> tuple[str, ...]:
    if pa.types.is_boolean(kind):
        return ("{}::integer",)
    if pa.types.is_int64(kind):
        return "{0}", "({0} >> 32)"
    if isinstance(kind, pa.TimestampType):
        return "{0}", "({0} at time zone 'UTC')::date" if kind.tz else "{0}::date"
    if pa.types.is_list(kind):
        return ('to_json({})::text collate "C"',)
    if pa.types.is_string(kind) or pa.types.is_decimal(kind):
        return ('{}::text collate "C"',)
    return ("{}",)


def _elements(array: AnyArray) -> Iterator[Hashes]:
    """Yield the hashes of what ``_server_elements`` makes of a column; what stands for NULL does not matter."""
    kind = array.type
    if pa.types.is_floating(kind):
        yield _hash_floats(array.cast(pa.float64()).fill_null(0.0).to_numpy(zero_copy_only=False))
    elif pa.types.is_string(kind) or pa.types.is_binary(kind):
        yield _hash_texts(array)
    elif pa.types.is_decimal(kind):
        yield _hash_texts(_decimal_texts(array))
    elif pa.types.is_list(kind):
        texts = [
            None if value is None else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
            for value in array.to_pylist()
        ]
        yield _hash_texts(pa.array(texts, pa.string()))
    elif isinstance(array, pa.ExtensionArray) or pa.types.is_fixed_size_binary(kind):
        storage = array.storage if isinstance(array, pa.ExtensionArray) else array
        raw = np.frombuffer(storage.buffers()[1] or b"", "<u4").reshape(-1, 4)
        yield hash_fixed(raw[storage.offset : storage.offset + len(storage)].T)
    else:
        yield from _hash_integers(array)


def _hash_integers(array: AnyArray) -> Iterator[Hashes]:
    kind = array.type
    if pa.types.is_date32(kind):
        yield hash_numbers(_int64(array.cast(pa.int32())) - _EPOCH_DAYS)
    elif isinstance(kind, pa.TimestampType):
        moments = _int64(array.cast(pa.int64())) - _EPOCH_DAYS * _DAY_US
        yield hash_numbers(moments)
        yield hash_numbers(moments // _DAY_US)
    elif pa.types.is_int64(kind):
        values = _int64(array)
        yield hash_numbers(values)
        yield hash_numbers(values >> 32)
    else:
        yield hash_numbers(_int64(array.cast(pa.int32())))


def _int64(array: AnyArray) -> Numbers:
    values: Numbers = array.fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    return values


def _hash_floats(values: npt.NDArray[np.float64]) -> Hashes:
    canonical = np.where(np.isnan(values), _NAN, values)
    hashes = hash_fixed(np.ascontiguousarray(canonical).view("<u4").reshape(-1, 2).T)
    hashes[values == 0] = 0  # PostgreSQL gives 0.0 and -0.0 the seed itself
    return hashes


def _hash_texts(array: AnyArray) -> Hashes:
    """Hash each distinct text once where a look at the first ones says that there are few."""
    first = array.slice(0, _SAMPLE_ROWS)
    if len(array) > _SAMPLE_ROWS and pc.count_distinct(first).as_py() * _WORTHWHILE_REPEATS < _SAMPLE_ROWS:
        encoded = array.dictionary_encode()
        places = encoded.indices.fill_null(0).to_numpy(zero_copy_only=False)
        return np.append(_hash_each_text(encoded.dictionary), np.uint64(0))[places]  # all may be NULL
    return _hash_each_text(array)


def _hash_each_text(array: AnyArray) -> Hashes:
    _, offsets, data = array.buffers()
    ends = np.frombuffer(offsets or bytes(4), np.int32)[array.offset : array.offset + len(array) + 1].astype(np.int64)
    octets = np.frombuffer(data or b"", np.uint8)[ends[0] : ends[-1]]
    return hash_strings(ends - ends[0], octets)


def _decimal_texts(array: AnyArray) -> AnyArray:
    kind = array.type
    if isinstance(kind, pa.Decimal128Type) and kind.scale <= _PLAIN_DECIMAL_PLACES:
        return array.cast(pa.string())
    values: list[Decimal | None] = array.to_pylist()
    return pa.array([None if value is None else format(value, "f") for value in values], pa.string())
