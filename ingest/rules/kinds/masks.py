"""What all kinds need: masks over a column of text, and values where the mask lets them be."""

from typing import Any

import pyarrow.compute as pc

from core.arrow import Mask, Text, certain

type Fault = tuple[str, str, Mask]  # code, message, which values


def matches(text: Text, regex: str) -> Any:
    """Return the mask (a boolean array without NULLs) of the values that ``regex`` (RE2) finds something in."""
    return certain(pc.match_substring_regex(text, regex))


def masked(values: Any, ok: Any) -> tuple[Any, Mask]:
    """Return the values with NULL where ``ok`` is false, and ``ok`` as a mask."""
    mask = ok.to_numpy(zero_copy_only=False)
    return (values if mask.all() else pc.if_else(ok, values, None)), mask


def only(text: Text, ok: Any) -> Text:
    """Return the texts with NULL where ``ok`` is false."""
    return text if ok.true_count == len(text) else pc.if_else(ok, text, None)
