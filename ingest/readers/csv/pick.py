"""A second look at some records of a file, by their positions."""

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow.compute as pc

from core.arrow import ArrowColumn, mask_of
from ingest.processing.records import Records


def pick(file: Iterable[Records], positions: ArrowColumn) -> Iterator[Records]:
    """Read ``file`` to its end and yield only the readable records at ``positions`` (from 1), stretch by stretch."""
    for records in file:
        wanted = pc.is_in(records.position, positions)
        if wanted.true_count:
            row = np.cumsum(mask_of(wanted)) - 1  # of each wanted record among these
            yield Records(
                columns=records.columns.filter(wanted),
                position=records.position.filter(wanted),
                raw=records.exact().filter(wanted),
                line=None if records.line is None else records.line.filter(wanted),
                repaired=tuple((rule, row[rows[mask_of(wanted)[rows]]]) for rule, rows in records.repaired),
            )
