"""A second look at some records of a file, by their positions."""

from collections.abc import Iterable, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from ingest.readers.csv_file import CHUNK_BYTES, MAX_RECORD_BYTES, CsvFile, Readable
from ingest.records import UNREADABLE_SCHEMA, Records

_NO_NUMBERS: pa.Int64Array = pa.array([], pa.int64())


def pick(
    stream: Readable,
    *,
    path: str,
    expected: Sequence[str],
    positions: Iterable[int],
    chunk_bytes: int = CHUNK_BYTES,
    max_record_bytes: int = MAX_RECORD_BYTES,
) -> Records:
    """Read a CSV file again and give only the records at ``positions`` (from 1), stopping after the last of them.

    Positions that the file does not have are left out. Raises what ``CsvFile`` raises.
    """
    source = CsvFile(stream, path=path, expected=expected, chunk_bytes=chunk_bytes, max_record_bytes=max_record_bytes)
    wanted = pa.array(sorted(set(positions)), pa.int64())
    last = wanted[-1].as_py() if len(wanted) else 0
    found: list[Records] = []
    for records in source if last else ():
        found.append(_only(records, wanted))
        if source.records_read >= last:
            break
    return _joined(found, source.names)


def _only(records: Records, wanted: pa.Int64Array) -> Records:
    readable = pc.is_in(records.position, wanted)
    return Records(
        columns=records.columns.filter(readable),
        position=records.position.filter(readable),
        raw=records.raw.filter(readable),
        line=records.line.filter(readable) if records.line is not None else None,
        unreadable=records.unreadable.filter(pc.is_in(records.unreadable["position"], wanted)),
    )


def _joined(parts: Sequence[Records], names: Sequence[str]) -> Records:
    no_rows = pa.schema([(name, pa.string()) for name in names]).empty_table()
    return Records(
        columns=pa.concat_tables([no_rows, *(part.columns for part in parts)]),
        position=pa.concat_arrays([_NO_NUMBERS, *(part.position for part in parts)]),
        raw=pa.concat_arrays([pa.array([], pa.binary()), *(part.raw for part in parts)]),
        line=pa.concat_arrays([_NO_NUMBERS, *(part.line for part in parts if part.line is not None)]),
        unreadable=pa.concat_tables([UNREADABLE_SCHEMA.empty_table(), *(part.unreadable for part in parts)]),
    )
