"""Zones in moments: put on wall-clock times by a program that needed one, or meant. A file alone does not say which."""

from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.arrow import ArrowColumn, Mask, Rows, Text, bools, indices, mask_of, octets_of
from ingest.processing.records import Records
from ingest.readers.signs.refusal import Refusal
from ingest.rules.contract import Column, Contract
from ingest.rules.kinds.timestamp import ZONE, is_moment, parse
from ingest.rules.normalise import LOCAL_TIME, MOMENT, TRIM, WHITE_SPACE

RULE = "wall_time"  # under which the values are counted
ASK = "load it with --times wall (zones are taken off) or with --times instant (each is the local time of its instant)"
_SHOWN = 3  # columns of a question, and spellings of zones of one column
_PLAIN_LENGTH = len("2018-03-01 10:00:00")
_COLON = ord(":")
_COLONS = (13, 16)  # where texts of that length have them that are a moment without a zone, and no other does
_LAST_ZONE = rf"{ZONE}([{WHITE_SPACE}]*)\z"
_NAMED_ZONE = rf"(?P<zone>{ZONE})[{WHITE_SPACE}]*\z"
_VALUE = rf"\A[{WHITE_SPACE}]*[0-9]"  # else it is a word, which stands for no value or is refused however it is read


class TimesLook:
    """Looks at the records of one file for zones that change what is stored."""

    def __init__(self, contract: Contract) -> None:
        zoned = (column for column in contract.columns if any(step.name == LOCAL_TIME for step in column.normalise))
        self._columns = [_Stamps(column) for column in zoned]

    def see(self, records: Records) -> bool:
        """Look at the next records; tell whether any carried a zone so far."""
        for column in self._columns:
            column.see(records)
        return any(column.zoned for column in self._columns)

    @property
    def refusal(self) -> Refusal | None:
        """Ask, with what was seen and what each answer would store; None where nothing needs an answer."""
        asking = [column for column in self._columns if column.asks]
        if not asking:
            return None
        counted = [column.counted for column in asking[:_SHOWN]]
        if len(asking) > _SHOWN:
            counted.append(f"and so in {len(asking) - _SHOWN} more columns")
        told = f"its times carry zones, and may be wall-clock times ({'; '.join(counted)})"
        midnights = filter(None, (column.midnights for column in asking))
        return Refusal("; ".join([told, asking[0].example, *midnights]), ASK)


class _Stamps:
    """What was seen of one column. ``zoned``: values with a zone; ``moved``: those for which it makes a difference."""

    def __init__(self, column: Column) -> None:
        self.column, self.example = column, ""
        self.filled = self.zoned = self.moved = 0
        self._at_midnight = {"wall": 0, "instant": 0}
        self._zones: Counter[str] = Counter()

    def see(self, records: Records) -> None:
        came = records.columns.column(self.column.name).combine_chunks()
        doubtful, plain = _doubtful(came)
        self.filled += plain
        if not len(doubtful):
            return
        texts = came.take(indices(doubtful))
        self.filled += int(mask_of(pc.match_substring_regex(texts, _VALUE)).sum())
        rows, normal = _zoned(texts)
        if not len(rows):
            return
        wall, _ = parse(pc.replace_substring_regex(normal, rf"{ZONE}\z", ""))
        instant = self._instants(normal)
        self.zoned += len(rows)
        self._zones.update(_zones(texts.take(indices(rows))))
        for answer, moments in (("wall", wall), ("instant", instant)):
            days = pc.floor_temporal(moments, unit="day")
            self._at_midnight[answer] += int(mask_of(pc.equal(days, moments)).sum())
        moved = np.flatnonzero(~mask_of(pc.equal(wall, instant)))
        if len(moved) and not self.moved:
            self.example = self._exemplified(records, int(doubtful[rows[moved[0]]]), wall[moved[0]], instant[moved[0]])
        self.moved += len(moved)

    def _instants(self, normal: Text) -> ArrowColumn:
        for step in self.column.normalise:
            if step.name == LOCAL_TIME:
                normal = step.apply(normal)
        return parse(normal)[0]

    def _exemplified(self, records: Records, row: int, wall: Any, instant: Any) -> str:
        line = "" if records.line is None else f"line {records.line[row]}, "
        came = records.columns.column(self.column.name)[row]
        return f"{line}{self.column.name}: {came} is {_shown(wall)} as wall time, {_shown(instant)} as an instant"

    @property
    def asks(self) -> bool:
        return self.moved > 0 and 2 * self.zoned > self.filled

    @property
    def counted(self) -> str:
        zones = [zone for zone, _ in self._zones.most_common(_SHOWN + 1)]
        named = ", ".join(zones[:_SHOWN]) + (", ..." if len(zones) > _SHOWN else "")
        return f"{self.column.name}: {self.zoned:,} of {self.filled:,} values, {named}"

    @property
    def midnights(self) -> str:
        """Say under which answer alone every value is at midnight; ``""`` where neither or both have it so."""
        only = [answer for answer, count in self._at_midnight.items() if count == self.filled]
        if len(only) != 1 or self.filled < 2:  # a single one is an accident
            return ""
        so = "at midnight, and stay so only as wall time" if only == ["wall"] else "at midnight only as instants"
        return f"all values of {self.column.name} are {so}"


def to_wall_time(text: Text) -> tuple[Text, Rows]:
    """Take the zones off moments; return which rows had one."""
    doubtful, _ = _doubtful(text)
    if not len(doubtful):
        return text, doubtful
    texts = text.take(indices(doubtful))
    rows, _ = _zoned(texts)
    stamped = doubtful[rows]
    if not len(stamped):
        return text, stamped
    mask = np.zeros(len(text), bool)
    mask[stamped] = True
    bare = pc.replace_substring_regex(texts.take(indices(rows)), _LAST_ZONE, r"\1")
    return pc.replace_with_mask(text, bools(mask), bare), stamped


def moments_of(contract: Contract) -> tuple[str, ...]:
    """Name the columns of moments."""
    return tuple(column.name for column in contract.columns if column.kind == "moment")


def _doubtful(text: Text) -> tuple[Rows, int]:
    """Return the rows that may carry a zone, and how many others have a value: judged by length and colons alone."""
    text = text.fill_null("") if text.null_count else text
    sizes = pc.binary_length(text).to_numpy().astype(np.int64)
    plain: Mask = sizes == _PLAIN_LENGTH
    octets, starts = octets_of(text), (np.cumsum(sizes) - sizes)[plain]
    plain[plain] = np.logical_and.reduce([octets[starts + place] == _COLON for place in _COLONS])
    return np.flatnonzero(~plain & (sizes > 0)), int(plain.sum())


def _zoned(texts: Text) -> tuple[Rows, Text]:
    """Return the rows that are moments with a zone, and these in the spelling of ours."""
    normal = MOMENT.apply(TRIM.apply(texts))
    rows = np.flatnonzero(mask_of(is_moment(normal, with_offset=True)))
    return rows, normal if len(rows) == len(normal) else normal.take(indices(rows))


def _zones(texts: Text) -> Counter[str]:
    """Count the zones of moments that have one, as they are written."""
    zones = pc.struct_field(pc.extract_regex(texts, pattern=_NAMED_ZONE), "zone")
    return Counter({str(item["values"]).strip(): item["counts"] for item in pc.value_counts(zones).to_pylist()})


def _shown(moment: Any) -> str:
    return "no moment" if not moment.is_valid else str(moment.cast(pa.string())).removesuffix(".000000")
