"""Bare dates where moments belong: midnights, as pandas writes a column in which every moment is one."""

import numpy as np
import pyarrow.compute as pc

from core.arrow import Rows, Text, mask_of
from ingest.processing.records import Records
from ingest.readers.csv.signs import Sign
from ingest.rules.contract import Contract
from ingest.rules.kinds.timestamp import is_bare_date

RULE = "midnight"  # under which the values are counted
_MIDNIGHT = " 00:00:00"
_FEWEST = 2  # dates in a column, for one may be an accident


class MidnightLook:
    """Looks for columns of one file in which every value that is not empty is a bare date."""

    def __init__(self, contract: Contract) -> None:
        self._dates = {column.name: 0 for column in contract.columns if column.kind == "moment"}

    def see(self, records: Records) -> bool:
        """Look at the next records; tell whether later ones can still change what was seen."""
        for name in list(self._dates):
            text = records.columns.column(name).combine_chunks()
            filled = int(mask_of(pc.greater(pc.binary_length(text), 0)).sum())
            dates = int(mask_of(is_bare_date(text)).sum())
            self._dates[name] += dates
            if dates < filled:
                del self._dates[name]
        return bool(self._dates)

    def sign(self) -> Sign | None:
        """Return what was found, after the last records."""
        columns = tuple(name for name, dates in self._dates.items() if dates >= _FEWEST)
        if not columns:
            return None
        counts = ", ".join(f"{name}: {self._dates[name]:,}" for name in columns)
        return Sign(columns=columns, evidence=f"every value is a date without a time ({counts})")


def to_midnight(text: Text) -> tuple[Text, Rows]:
    """Write bare dates as midnights; return which rows these are."""
    dates = is_bare_date(text)
    rows = np.flatnonzero(mask_of(dates))
    if not len(rows):
        return text, rows
    return pc.if_else(dates, pc.binary_join_element_wise(text, _MIDNIGHT, ""), text), rows
