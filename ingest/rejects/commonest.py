"""Which reason most rejects of a file have: what is wrong with the file as a whole, where all of them are."""

import json
from collections import Counter
from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc


def commonest_reason(rejects: Iterable[pa.RecordBatch]) -> str:
    """Say of rejects (``REJECT_SCHEMA``) which first reason most of them have, of how many; empty where there are none.

    Rejects with the same codes of the same fields count as alike.
    """
    counts: Counter[str] = Counter()
    examples: dict[str, str] = {}
    for stretch in rejects:
        codes, fields = (pc.binary_join(stretch.column(name), ",") for name in ("codes", "fields"))
        kinds = pc.binary_join_element_wise(codes, fields, " of ")
        for found in pc.value_counts(kinds).to_pylist():
            counts[found["values"]] += found["counts"]
            if found["values"] not in examples:
                first = pc.index(kinds, found["values"]).as_py()
                examples[found["values"]] = stretch.column("reasons")[first].as_py()
    if not counts:
        return ""
    ((kind, count),) = counts.most_common(1)
    reason = json.loads(examples[kind])[0]
    told = f"{reason['field']}: {reason['message']}" if reason["field"] else reason["message"]
    return f"most often ({count:,} of them) for this reason: {told.removesuffix('.')}"
