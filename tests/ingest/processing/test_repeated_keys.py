"""Of records with one key the last counts, where that is asked for: in one piece, in stretches, in a plain model."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.processing.duplicates import LastOnce, SeenVersions
from ingest.processing.process import process
from tests.support.rules.specimens import ITEM
from tests.support.rules.verdicts import contract_of, partition, records_of

QUICK = settings(max_examples=60, deadline=None)
SENT = st.lists(st.tuples(st.sampled_from("123"), st.sampled_from(["1", "2", "3", "-1"])), max_size=14)
type Sent = list[tuple[str, str]]  # key and content; -1 is refused for itself


def told(sent: Sent) -> tuple[list[int], list[int], dict[int, int]]:
    """Return which records are written, which are duplicates, and by number of the superseded the one that counts."""
    written: list[int] = []
    duplicates: list[int] = []
    superseded: dict[int, int] = {}
    for number, (key, content) in enumerate(sent, start=1):
        if content == "-1":
            continue
        alike = [(n, c) for n, (k, c) in enumerate(sent, start=1) if k == key and c != "-1"]
        last = alike[-1][1]
        counts = min(n for n, c in alike if c == last and all(other == last for m, other in alike if m > n))
        if content == last:
            (written if number == counts else duplicates).append(number)
        elif number == min(n for n, c in alike if c == content):
            superseded[number] = counts
        else:
            duplicates.append(number)
    return written, duplicates, superseded


def items(sent: Sent) -> list[dict[str, str | None]]:
    return [ITEM | {"order_item_id": key, "price": content} for key, content in sent]


@given(sent=SENT)
@QUICK
def test_the_last_good_record_of_a_key_counts(sent: Sent) -> None:
    contract = contract_of("order_items")
    verdict = process(records_of(contract, items(sent)), contract, seen=LastOnce())
    partition(verdict)
    numbers = verdict.records.position.to_numpy()
    superseded = dict(zip(numbers[verdict.superseded].tolist(), verdict.winners.tolist(), strict=True))
    found = numbers[verdict.source].tolist(), numbers[verdict.duplicates].tolist(), superseded
    assert found == told(sent)
    reasons = [reason for reason in verdict.reasons.to_pylist() if reason["code"] == "superseded_in_batch"]
    assert [reason["position"] for reason in reasons] == list(superseded)
    assert all(reason["message"].endswith(f"record {superseded[reason['position']]}.") for reason in reasons)


@given(sent=SENT, cuts=st.lists(st.integers(0, 14), max_size=4))
@QUICK
def test_a_file_in_stretches_knows_at_its_end_which_record_of_a_key_counts(sent: Sent, cuts: list[int]) -> None:
    contract, seen, let_through, duplicates = contract_of("order_items"), SeenVersions(), [], 0
    ends = [0, *sorted(min(cut, len(sent)) for cut in cuts), len(sent)]
    for start, end in pairwise(ends):
        position = pa.array(range(start + 1, end + 1), pa.int64())
        records = replace(records_of(contract, items(sent[start:end])), position=position)
        verdict = process(records, contract, seen=seen)
        let_through += verdict.records.position.to_numpy()[verdict.source].tolist()
        duplicates += len(verdict.duplicates)
    positions, winners = seen.superseded()
    written, repeated, superseded = told(sent)
    assert dict(zip(positions.tolist(), winners.tolist(), strict=True)) == superseded
    assert (np.diff(positions) > 0).all()
    assert set(positions.tolist()) <= set(let_through)
    left = set(let_through) - set(positions.tolist())
    assert {sent[number - 1] for number in left} == {sent[number - 1] for number in written}
    assert len(left) == len(written)
    assert (duplicates, seen.contested) == (len(repeated), bool(superseded))
