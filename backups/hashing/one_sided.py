"""Which row hashes are on one side only: in memory for tables of a million rows, else by way of the disk.

Both sides are given as record batches with a column ``HASH`` (int64), which is compared. Large ones are parted by their
hashes into temporary files, so that memory stays bounded whatever the size.
"""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

type Hashes = npt.NDArray[np.int64]

PART_ROWS = 1 << 20
MAX_PARTS = 256
HASH = "restore_hash"  # beside the columns of a key


class HashSide:
    """The rows of one side, parted; a context manager that takes its files away again."""

    def __init__(self, schema: pa.Schema, *, parts: int) -> None:
        """Prepare for record batches of ``schema``; one part is kept in memory, more on disk."""
        self.schema, self.rows = schema, 0
        self._parts = parts
        self._stack = ExitStack()
        self._held: list[pa.RecordBatch] = []
        self._folder: Path | None = None
        self._writers: list[pa.ipc.RecordBatchStreamWriter] = []

    def __enter__(self) -> Self:
        """Open the files."""
        if self._parts > 1:
            self._folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="dataforge-")))
            for number in range(self._parts):
                sink = self._stack.enter_context(pa.OSFile(str(self._folder / str(number)), "wb"))
                self._writers.append(self._stack.enter_context(pa.ipc.new_stream(sink, self.schema)))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Remove the files."""
        self._stack.__exit__(kind, error, traceback)

    def add(self, batch: pa.RecordBatch) -> None:
        """Take in more rows."""
        self.rows += batch.num_rows
        if self._folder is None:
            self._held.append(batch)
            return
        parts = batch.column(HASH).to_numpy().view(np.uint64) % np.uint64(self._parts)
        for number, writer in enumerate(self._writers):
            writer.write_batch(batch.take(pa.array(np.flatnonzero(parts == number))))

    def part(self, number: int) -> pa.Table:
        """Return the rows of one part, when all have been added."""
        if self._folder is None:
            return pa.Table.from_batches(self._held, self.schema)
        self._writers[number].close()
        with pa.OSFile(str(self._folder / str(number)), "rb") as source, pa.ipc.open_stream(source) as reader:
            return reader.read_all()


def parts_for(rows: int) -> int:
    """Choose the number of parts for so many rows."""
    return min(max(1, -(-rows // PART_ROWS)), MAX_PARTS)


def only_on_one_side(left: HashSide, right: HashSide, *, parts: int) -> Iterator[tuple[pa.Table, pa.Table]]:
    """Yield, part by part, the rows of ``left`` whose hash ``right`` has not, and the other way round."""
    for number in range(parts):
        mine, theirs = left.part(number), right.part(number)
        alone = _alone(mine[HASH].to_numpy(), theirs[HASH].to_numpy())
        yield mine.filter(pc.is_in(mine[HASH], value_set=alone)), theirs.filter(pc.is_in(theirs[HASH], value_set=alone))


def _alone(left: Hashes, right: Hashes) -> "pa.Array[Any]":
    """Return the hashes that come once on both sides together: half the work of looking up each side in the other.

    Two rows of one side with one hash (1 in 37 million for a million rows) would be missed, and a restore would then
    end at its last check, unfinished.
    """
    hashes = np.sort(np.concatenate([left, right]))
    paired = np.zeros(len(hashes), np.bool_)
    paired[1:] = hashes[1:] == hashes[:-1]
    paired[:-1] |= paired[1:]
    return pa.array(hashes[~paired])
