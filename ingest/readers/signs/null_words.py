"""Words for NULL: what their cells become, and the question that a text column full of one asks."""

import shlex
from collections import Counter, defaultdict

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.arrow import Rows, Text, mask_of
from ingest.processing.records import Records
from ingest.readers.csv.signs import Signs
from ingest.readers.signs.refusal import Refusal
from ingest.rules.contract import Contract
from ingest.rules.null_words import NONE, NULL_WORDS

RULE = "null_word"  # under which the cells are counted
_FEWEST = 2  # cells of a column, for one may be an accident


def take_words(records: Records, contract: Contract, word: str) -> tuple[dict[str, Text], list[tuple[str, Rows]]]:
    """Return the columns that get their text back, as they may not be NULL, and by rule the rows of the other cells."""
    changed: dict[str, Text] = {}
    repaired: list[tuple[str, Rows]] = []
    for column in contract.columns:
        text = records.columns.column(column.name)
        if not text.null_count:
            continue
        if column.null:
            repaired.append((RULE, np.flatnonzero(mask_of(text.is_null()))))
        else:
            changed[column.name] = pc.fill_null(text, pa.scalar(word)).combine_chunks()
    return changed, repaired


class NullShare:
    """Counts words for NULL that were left as text where NULL may be: over half of a column is no accident.

    Where somebody has named the word, only that one counts, which must then stand in quotes.
    """

    def __init__(self, contract: Contract, signs: Signs) -> None:
        named = signs.value("null") if "null" in signs.asked.by_name else ""
        self._quoted = bool(named)
        self._words = pa.array([] if named == NONE else [named] if named else NULL_WORDS, pa.string())
        self._columns = [column.name for column in contract.columns if column.null and column.kind == "text"]
        self._cells: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._records = 0

    def see(self, records: Records) -> bool:
        """Count the words in the next records; tell whether a column is full of one so far."""
        if not len(self._words):
            return False
        self._records += records.columns.num_rows
        for name in self._columns:
            text = records.columns.column(name)
            held = pc.is_in(text, self._words)
            if pc.any(held).as_py():
                for word, count in Counter(text.filter(held).to_pylist()).items():
                    self._cells[str(word)][name] += count
        return self.refusal is not None

    @property
    def refusal(self) -> Refusal | None:
        """Say what stands there, and what to do about it; None where no column is full of a word."""
        for word, cells in self._cells.items():
            full = [
                f"{count:,} of {self._records:,} cells of {name}"
                for name, count in cells.items()
                if self._is_full(count)
            ]
            if full:
                return self._worded(word, " and ".join(full))
        return None

    def _is_full(self, count: int) -> bool:
        return count >= _FEWEST and 2 * count > self._records

    def _worded(self, word: str, cells: str) -> Refusal:
        if self._quoted:
            return Refusal(
                f"the word {word!r} stands in quotes, which make it text, in {cells}",
                "write NULL without quotes, or say --null none if it is text",
            )
        return Refusal(
            f"the word {word!r} stands in {cells}",
            f"say --null {shlex.quote(word)} if it means NULL, or --null none if it is text",
        )
