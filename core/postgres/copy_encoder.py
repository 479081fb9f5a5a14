"""Arrow batches as the bytes of ``COPY ... (FORMAT binary)``; needs no connection, so any thread may do it."""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

import pyarrow as pa
from pgpq import ArrowToPostgresBinaryEncoder
from pgpq.encoders import StringEncoderBuilder
from pgpq.schema import Jsonb

from core.postgres.column_types import is_jsonb

# pgpq holds the GIL while it encodes a batch (about 50 ns a value), so a slice bounds how long other threads wait.
SLICE_ROWS = 16_384


class Encoder:
    """The encoder of one COPY: ``header``, then ``block`` for each batch, then ``finish``; any of them may be empty."""

    def __init__(self, schema: pa.Schema) -> None:
        """Prepare for batches of exactly ``schema``, as returned by ``columns.assert_matches``."""
        self.schema = schema
        # By field: schemas that differ in their metadata alone count as equal to Arrow.
        builders = {field.name: _builder(field.name, field.type, jsonb=is_jsonb(field)) for field in schema}
        self._encoder = ArrowToPostgresBinaryEncoder.new_with_encoders(schema, builders)

    def header(self) -> bytes:
        """Begin the stream."""
        return self._encoder.write_header()

    def block(self, batch: pa.RecordBatch) -> bytes:
        """Encode ``batch``; empty while pgpq collects batches into blocks of a MiB. ``TypeError`` for other types."""
        if batch.schema.names != self.schema.names or batch.schema.types != self.schema.types:
            raise TypeError(f"a batch of\n{batch.schema}\ncannot be encoded as\n{self.schema}")
        return self._encoder.write_batch(batch)

    def finish(self) -> bytes:
        """End the stream: what was collected, and the trailer."""
        return self._encoder.finish()


@lru_cache(maxsize=512)
def _builder(name: str, kind: pa.DataType, *, jsonb: bool) -> Any:
    """Choose the encoder of a column, which takes longer than encoding a few rows."""
    field = pa.field(name, kind)
    if jsonb:
        return StringEncoderBuilder.new_with_output(field, Jsonb())
    return ArrowToPostgresBinaryEncoder.infer_encoder(field)


def encode(batches: Iterable[pa.RecordBatch | pa.Table], schema: pa.Schema) -> Iterator[bytes]:
    """Encode ``batches`` (of exactly ``schema``, as ``columns.assert_matches`` returned it) into non-empty blocks."""
    encoder = Encoder(schema)
    yield encoder.header()
    for batch in batches:
        for piece in _slices(batch):
            if block := encoder.block(piece):
                yield block
    yield encoder.finish()


def _slices(batch: pa.RecordBatch | pa.Table) -> Iterator[pa.RecordBatch]:
    if isinstance(batch, pa.Table):
        yield from batch.to_batches(max_chunksize=SLICE_ROWS)
    else:
        for start in range(0, batch.num_rows, SLICE_ROWS):
            yield batch.slice(start, SLICE_ROWS)
