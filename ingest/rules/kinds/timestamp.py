"""Moments as text: which texts are one, and offsets to local time.

A cast alone is too lenient (bare dates, year 0) and one impossible day fails the whole column, so the calendar is in
the pattern, but for 29 February.
"""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.arrow import ArrowColumn, Mask, Text, bools, certain, indices, mask_of

SHAPE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?"
_YEAR = r"(?:000[1-9]|00[1-9][0-9]|0[1-9][0-9]{2}|[1-9][0-9]{3})"
_DAY = (
    r"(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|[12][0-9]))"
)
_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6})?"
_OFFSET = r"(?:[Zz]|[+-](?:0[0-9]|1[0-4]):?[0-5][0-9])"
# Years 1 to 9999; 29 February of every year.
CALENDAR = rf"{_YEAR}-{_DAY}[ T]{_CLOCK}"
# How ISO 8601 and PostgreSQL write moments, and how this program does, one step after the other. A moment that needs
# none of them, or is none, stays as it is.
_DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
ZONE = r"(?: *(?:[Zz]|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?))"
_BASIC_ZONE = r"(?: *(?:[Zz]|[+-][0-9]{2}(?:[0-9]{2})?))"
_SPELLINGS = (
    (rf"\A([0-9]{{4}})([0-9]{{2}})([0-9]{{2}})[Tt]([0-9]{{2}})([0-9]{{2}})({_BASIC_ZONE}?)\z", r"\1-\2-\3T\4:\5\6"),
    (
        rf"\A([0-9]{{4}})([0-9]{{2}})([0-9]{{2}})[Tt]([0-9]{{2}})([0-9]{{2}})([0-9]{{2}}(?:[.,][0-9]+)?{_BASIC_ZONE}?)\z",
        r"\1-\2-\3T\4:\5:\6",
    ),
    (rf"\A({_DATE})(?: +|t)([0-9])", r"\1 \2"),
    (rf"\A({_DATE}[ T][0-9]{{2}}:[0-9]{{2}})({ZONE}?)\z", r"\1:00\2"),
    (rf"\A({_DATE}[ T][0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}})[.,]([0-9]{{1,6}})0*({ZONE}?)\z", r"\1.\2\3"),
    (r"(:[0-9]{2}(?:\.[0-9]+)?) *(?:z|UTC|GMT)\z", r"\1Z"),
    (r"(:[0-9]{2}(?:\.[0-9]+)?) *([+-][0-9]{2})\z", r"\1\2:00"),
    (r"(:[0-9]{2}(?:\.[0-9]+)?) +([Zz]|[+-][0-9]{2}:?[0-9]{2})\z", r"\1\2"),
)
_USUAL_LENGTH = len("2018-03-01 10:00:00")
_LEAP_DAY = r"\A([0-9]{4})-02-29"


def is_moment(text: Text, *, with_offset: bool = False) -> Any:
    """Mark the texts that name a day and time of the calendar (years 1 to 9999); NULL counts as not."""
    tail = _OFFSET if with_offset else ""
    ok = certain(pc.match_substring_regex(text, rf"\A{CALENDAR}{tail}\z"))
    leap_day = np.flatnonzero(mask_of(pc.match_substring_regex(text, _LEAP_DAY)))
    if not len(leap_day):
        return ok
    years = pc.utf8_slice_codeunits(text.take(indices(leap_day)), 0, 4).cast(pa.int64()).to_numpy()
    mask = mask_of(ok).copy()
    mask[leap_day[(years % 4 != 0) | ((years % 100 == 0) & (years % 400 != 0))]] = False
    return bools(mask)


def is_bare_date(text: Text) -> ArrowColumn:
    """Mark the texts that are written as a date without a time; NULL counts as not."""
    return certain(pc.match_substring_regex(text, rf"\A{_DATE}\z"))


def parse(text: Text) -> tuple[ArrowColumn, Mask]:
    """Return the moments, ``timestamp[us]`` with NULL where there is none, and the mask of those that are one."""
    shaped = _shaped(text)
    candidates = text if shaped.true_count == len(text) else pc.if_else(shaped, text, None)
    try:
        moments = candidates.cast(pa.timestamp("us"))
    except pa.ArrowInvalid:  # some day or hour is not on the calendar, and Arrow does not say which
        shaped = is_moment(text)
        moments = pc.if_else(shaped, text, None).cast(pa.timestamp("us"))
    # The cast takes year 0, which neither Python nor the publisher has.
    first = pa.scalar(-62135596800000000, pa.timestamp("us"))
    ok = certain(pc.greater_equal(moments, first))
    if ok.true_count != shaped.true_count:
        moments = pc.if_else(ok, moments, None)
    return moments, mask_of(ok)


def _shaped(text: Text) -> Any:
    """Mark the texts that are written as a moment, or that the cast refuses.

    Of texts with 19 characters (bytes, which digits are) the cast takes only those that are, so it need not be asked.
    """
    lengths = pc.min_max(pc.binary_length(text)).as_py() if len(text) and not text.null_count else {}
    if set(lengths.values()) == {_USUAL_LENGTH}:
        return bools(np.ones(len(text), bool))
    return certain(pc.match_substring_regex(text, rf"\A{SHAPE}\z"))


def respelled(text: Text) -> Text:
    """Write moments in other spellings of ISO 8601 and PostgreSQL as ``YYYY-MM-DD HH:MM:SS.ffffff+HH:MM``.

    The basic format, no seconds, a comma before the fraction, digits of it that say nothing, `` UTC``, ``+00``.
    """
    if is_moment(text, with_offset=True).true_count == len(text):
        return text
    for spelling, ours in _SPELLINGS:
        text = pc.replace_substring_regex(text, spelling, ours)
    return text


def to_local_time(text: Text, zone: str) -> Text:
    """Rewrite the texts that carry an offset as the wall-clock time of ``zone``; leave the others alone."""
    with_offset = is_moment(text, with_offset=True)
    if not mask_of(with_offset).any():
        return text
    instants = pc.if_else(with_offset, pc.ascii_upper(text), None).cast(pa.timestamp("us", "UTC"))
    local = pc.local_timestamp(instants.cast(pa.timestamp("us", zone)))
    return pc.if_else(with_offset, local.cast(pa.string()), text)
