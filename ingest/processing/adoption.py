"""Which missing parents may be added as placeholders: never one that a word for NULL, or a broken rule, would make."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.arrow import ArrowColumn, Mask, bools, indices, mask_of
from ingest.processing.check_records import check_records
from ingest.processing.records import Records
from ingest.rules.contract import Contract
from ingest.rules.key_text import value_texts
from ingest.rules.null_words import NULL_WORDS


def may_be_added(keys: ArrowColumn, parent: Contract, *, null_word: str) -> Mask:
    """Tell for which of n keys (typed) a placeholder, all else of which is NULL, may be added to ``parent``'s table."""
    distinct = keys.unique()
    texts = value_texts(distinct)
    placeholders = Records(
        columns=pa.table({parent.natural_key[0]: texts}),
        position=indices(np.arange(len(texts))),
        raw=pa.repeat(pa.scalar(b""), len(texts)),
    )
    good = ~mask_of(pc.is_in(texts, pa.array([*NULL_WORDS, null_word])))
    for block in check_records(placeholders, parent).reasons:
        good[block["row"].to_numpy()] = False
    return mask_of(pc.is_in(keys, distinct.filter(bools(good))))
