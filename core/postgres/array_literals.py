"""Python values as PostgreSQL's text of an array: one literal, which the server reads far faster than a thousand."""

from collections.abc import Iterable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc


def array_text(values: Iterable[Any]) -> str:
    """Write ``values`` for a parameter that is cast to an array, as ``%s::integer[]``; None is NULL.

    Each value is written by ``str``: text, numbers, decimals, dates and naive moments come back exactly.
    """
    return "{" + ",".join("NULL" if value is None else _quoted(str(value)) for value in values) + "}"


def _quoted(text: str) -> str:
    if "\\" in text or '"' in text:
        text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def texts_array(texts: "pa.Array[Any]") -> str:
    """Write a column of texts without NULL likewise, all at once."""
    if not len(texts):
        return "{}"
    plain: Any = pc.replace_substring(pc.replace_substring(texts, "\\", "\\\\"), '"', '\\"')
    every = pa.ListArray.from_arrays(pa.array([0, len(texts)], pa.int32()), plain)
    return '{"' + str(pc.binary_join(every, '","')[0].as_py()) + '"}'
