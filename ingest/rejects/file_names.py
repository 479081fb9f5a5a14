"""Which file a reject came in, where a table's file lies in parts."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from core.arrow import ArrowColumn, Text, indices


@dataclass(frozen=True)
class FileNames:
    """Files whose records follow one another, and the position of the first record of each."""

    names: tuple[str, ...]
    starts: tuple[int, ...]

    def of(self, position: ArrowColumn) -> Text:
        """Return the file of each of n records, by their positions."""
        place = np.searchsorted(self.starts, position.to_numpy(), side="right") - 1
        return pa.array(self.names, pa.string()).take(indices(place))


REQUEST = FileNames(("",), (0,))  # no file at all
