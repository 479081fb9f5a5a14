"""JSON written on whole columns of text: no Python object a value, but for the few texts that need care."""

import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from core.arrow import ArrowColumn, Text, octets_of

_NEEDS_CARE = r"[\x00-\x1f]"


def json_texts(values: Text, *, nul: str = "\ufffd") -> Text:
    """Write n texts as JSON; NULL stays NULL, and a NUL becomes ``nul``: ``jsonb`` holds none."""
    octets = octets_of(values)
    if not ((octets < ord(" ")) | (octets == ord('"')) | (octets == ord("\\"))).any():
        return pc.binary_join_element_wise('"', values, '"', "")
    plain = pc.replace_substring(pc.replace_substring(values, "\\", "\\\\"), '"', '\\"')
    quoted = pc.binary_join_element_wise('"', plain, '"', "")
    care = pc.match_substring_regex(values, _NEEDS_CARE).fill_null(False)
    if not care.true_count:
        return quoted
    texts = [str(text) for text in values.filter(care).to_pylist()]
    written = [json.dumps(text.replace("\x00", nul), ensure_ascii=False) for text in texts]
    return pc.replace_with_mask(quoted, care, pa.array(written, pa.string()))


def json_objects(table: pa.Table, *, absent: Mapping[str, ArrowColumn] | None = None, nul: str = "\ufffd") -> Text:
    """Write n rows of text columns as JSON objects: NULL as ``null``, members marked ``absent`` left out."""
    names = [f"{json.dumps(name)}: " for name in table.column_names]
    texts = [json_texts(values.combine_chunks(), nul=nul) for values in table.columns]
    texts = [pc.coalesce(text, "null") if text.null_count else text for text in texts]
    if not absent and names:
        members = [piece for name, text in zip(names, texts, strict=True) for piece in (f", {name}", text)]
        return pc.binary_join_element_wise("{" + names[0], *members[1:], "}", "")
    pieces = []
    for name, label, text in zip(table.column_names, names, texts, strict=True):
        piece = pc.binary_join_element_wise(label, text, ", ", "")
        gone = (absent or {}).get(name)
        pieces.append(piece if gone is None else pc.if_else(gone, None, piece))
    # Not `null_handling="skip"` with a separator: Arrow drops the rows in which nothing is left.
    inner = pc.binary_join_element_wise(*pieces, "", null_handling="replace", null_replacement="")
    inner = pc.utf8_slice_codeunits(inner, 0, -2)
    return pc.binary_join_element_wise("{", inner, "}", "")


def json_lists(objects: Text, offsets: Any) -> Text:
    """Join JSON values into lists; ``offsets`` (int32) as those of an Arrow list."""
    lists = pa.ListArray.from_arrays(offsets, objects)
    return pc.binary_join_element_wise("[", pc.binary_join(lists, ", "), "]", "")
