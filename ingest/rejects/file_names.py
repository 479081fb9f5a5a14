"""Which file a reject came in, where a table's file lies in parts."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from core.arrow import ArrowColumn, Text, indices


@dataclass(frozen=True)
class FileNames:
    """Files whose records follow one another; ``later``: the position of the first record of the second, and so on."""

    names: tuple[str, ...]
    later: tuple[int, ...] = ()

    def of(self, position: ArrowColumn) -> Text:
        """Return the file of each of n records, by their positions."""
        place = np.searchsorted(np.array(self.later, np.int64), position.to_numpy(), side="right")
        return pa.array(self.names, pa.string()).take(indices(place))


REQUEST = FileNames(("",))  # no file at all
