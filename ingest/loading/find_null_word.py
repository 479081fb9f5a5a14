"""The word that stands for NULL in all files of a load, for one writer wrote them all."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ingest.processing.records import Records
from ingest.readers.csv.assemble import FieldSplitter
from ingest.readers.csv.signs import Sign, Signs
from ingest.rules.contract import Contract
from ingest.rules.null_words import NULL_WORDS
from ingest.rules.sources import Source

# Shows the records of a file, read by signs, from its first ones on until the function says that it saw enough.
type Show = Callable[[Source, Signs, Callable[[Records], bool]], None]


def find_null_word(chosen: Sequence[Source], signs: Mapping[str, Signs], show: Show) -> Sign | None:
    """Look for a word that stands without quotes where a number or a moment may be NULL, and no such cell is empty.

    None: there is no such word, or more than one. The beginnings of all files come first, for one empty cell answers;
    more is read only where they show neither.
    """
    search = _Search()
    typed = [source for source in chosen if _typed(source.contract)]
    for source in typed:
        if search.empty:
            return None
        show(source, signs[source.table], search.at_beginning(source.contract))
    for source in typed:
        if not search.answered:
            show(source, signs[source.table], search.until_one_shows(source.contract))
    waiting = sorted(search.seen)
    while waiting and not search.empty:
        word = waiting.pop()
        for source in typed:
            known = set(search.seen)
            show(source, signs[source.table].with_sign("null", Sign(value=word)), search.to_the_end(source, word))
            waiting += sorted(search.seen - known)
    return None if search.empty else search.sign()


class _Search:
    """What the cells showed: ``seen`` words, quoted or not; ``empty``: a cell is, which ends the search."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self.empty = False
        self._cells: dict[str, Counter[str]] = {}  # by word: cells without quotes, by column

    def at_beginning(self, contract: Contract) -> Callable[[Records], bool]:
        """Look at the first records alone."""

        def see(records: Records) -> bool:
            self._look(records, contract)
            return False

        return see

    @property
    def answered(self) -> bool:
        """Whether a word or an empty cell was seen."""
        return self.empty or bool(self.seen)

    def until_one_shows(self, contract: Contract) -> Callable[[Records], bool]:
        """Look at records until a word or an empty cell is among them."""

        def see(records: Records) -> bool:
            self._look(records, contract)
            return not self.answered

        return see

    def to_the_end(self, source: Source, word: str) -> Callable[[Records], bool]:
        """Count the cells that are NULL by ``word``, until one is empty."""

        def see(records: Records) -> bool:
            for name in _typed(source.contract):
                if null := records.columns.column(name).null_count:
                    self._cells.setdefault(word, Counter())[f"{source.table}.{name}"] += null
            self._look(records, source.contract)
            return not self.empty

        return see

    def _look(self, records: Records, contract: Contract) -> None:
        for name in _typed(contract):
            text = records.columns.column(name)
            empty = pc.equal(text, "")
            if pc.any(empty).as_py() and _any_without_quotes(records, name, empty):
                self.empty = True
                return
            words = text.filter(pc.is_in(text, pa.array(NULL_WORDS))).unique()
            self.seen.update(map(str, words.to_pylist()))

    def sign(self) -> Sign | None:
        if len(self._cells) != 1:
            return None
        ((word, cells),) = self._cells.items()
        counts = ", ".join(f"{name}: {count:,}" for name, count in cells.most_common(3))
        return Sign(
            value=word, evidence=f"it stands where numbers and times belong ({counts}), and no such cell is empty"
        )


def _any_without_quotes(records: Records, name: str, empty: Any) -> bool:
    """Tell whether any of the empty cells of a column is so without quotes: in quotes it is a text of a tool that has
    another word for NULL, as base R writes texts that it read from nothing."""
    chosen = pc.fill_null(empty, False).combine_chunks()
    lines = [line for line in records.exact().filter(chosen).to_pylist() if line is not None]
    splitter = FieldSplitter(records.columns.column_names, null_words=[""])
    try:
        return splitter.split(pa.py_buffer(b"\n".join([*lines, b""]))).column(name).null_count > 0
    except pa.ArrowInvalid:  # a record that was only to be read with care
        return True


def _typed(contract: Contract) -> list[str]:
    return [column.name for column in contract.columns if column.null and column.kind != "text"]
