"""Text: of a pattern, of choices, or of any characters up to a length."""

from collections.abc import Generator, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.arrow import Mask, Text, certain, indices, mask_of
from ingest.rules import patterns
from ingest.rules.contract import Column
from ingest.rules.invisible import INVISIBLE
from ingest.rules.kinds.masks import Fault, masked, matches

NULL_CHARACTERS = "Null characters are not allowed."
ROUNDED = "A spreadsheet has made a number of it and dropped digits: import this column as text."
_ROUNDED = r"\A[0-9](?:[.,][0-9]+)?[eE][+-]?[0-9]{1,3}\z"
HOLDS_INVISIBLE = "The value holds U+{code_point:04X}, an invisible character, at character {place}: take it out."
_INVISIBLE = f"\\A(?P<before>[^{INVISIBLE}]*)(?P<mark>[{INVISIBLE}])"
_ANY_LENGTH = 2**30


def parse(text: Text, column: Column) -> tuple[Any, Mask]:
    """Return n texts (NULL where refused) and the mask of those accepted."""
    if column.choices:
        return masked(text, pc.is_in(text, pa.array(column.choices)))
    if column.pattern is not None:
        ok = matches(text, patterns.re2(column.pattern))
    else:
        ok = certain(pc.greater(pc.binary_length(text), 0))
    if column.width is None:
        ok = pc.and_(ok, pc.invert(_has_nul(text)))
        ok = pc.and_(ok, certain(pc.less_equal(pc.utf8_length(text), column.max_length or _ANY_LENGTH)))
    if column.composed:
        ok = pc.and_(ok, _is_composed(text))
    return masked(text, ok)


def explain(text: Text, column: Column) -> Iterator[Fault]:
    """Yield every reason for values that ``parse`` refused."""
    nul = mask_of(_has_nul(text))
    if nul.any():
        yield "null_characters_not_allowed", NULL_CHARACTERS, nul
    if column.choices:
        unseen = yield from _invisible(text, "invalid_choice", ~nul)
        yield "invalid_choice", f"Choose one of: {', '.join(column.choices)}.", ~nul & ~unseen
        return
    longest = column.max_length or _ANY_LENGTH
    too_long = mask_of(pc.greater(pc.utf8_length(text), longest)) & ~nul & (column.width is None)
    if too_long.any():
        yield "max_length", f"Ensure this field has no more than {longest} characters.", too_long
    misshapen = ~nul if column.pattern is None else ~mask_of(matches(text, patterns.re2(column.pattern))) & ~nul
    if column.pattern is None:
        misshapen &= ~too_long
    if column.pattern is not None and misshapen.any():
        misshapen &= ~(yield from _invisible(text, "invalid", misshapen))
        rounded = misshapen & mask_of(matches(text, _ROUNDED))
        if rounded.any():
            yield "invalid", f"{column.message} {ROUNDED}", rounded
        misshapen &= ~rounded
    if misshapen.any():
        yield "invalid", column.message, misshapen


def _invisible(text: Text, code: str, among: Mask) -> Generator[Fault, None, Mask]:
    """Name the first invisible character of each text ``among`` them, and its place in it; return which have one."""
    found = pc.extract_regex(pc.if_else(pa.array(among), text, None), _INVISIBLE)
    rows = np.flatnonzero(mask_of(found.is_valid()))
    unseen = np.zeros(len(text), bool)
    unseen[rows] = True
    if len(rows):
        before, mark = (found.field(name).take(indices(rows)) for name in ("before", "mark"))
        places = pc.binary_join_element_wise(mark, pc.add(pc.utf8_length(before), 1).cast(pa.string()), "")
        for place in places.unique().to_pylist():
            here = np.zeros(len(text), bool)
            here[rows[mask_of(pc.equal(places, place))]] = True
            yield code, HOLDS_INVISIBLE.format(code_point=ord(place[0]), place=place[1:]), here
    return unseen


def _has_nul(text: Text) -> Any:
    return certain(pc.match_substring(text, "\x00"))


def _is_composed(text: Text) -> Any:
    ascii_only = pc.string_is_ascii(text).fill_null(True)
    if ascii_only.true_count == len(text):
        return ascii_only
    other = pc.if_else(ascii_only, None, text)
    return pc.coalesce(pc.equal(pc.utf8_normalize(other, "NFC"), other), True)
