"""Keys of one batch that are the same at fifteen digits, whatever the stretches, and the look that proves: none are."""

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.processing.fifteen_digits import same
from ingest.processing.near_keys import CloseValues, NearKeys, digits_of, key_floats, watched, with_digits
from tests.support.rules.verdicts import contract_of

QUICK = settings(max_examples=60, deadline=None)
GEOLOCATION = contract_of("geolocation")

type Key = tuple[str, float, float]


def steps(value: float, count: int) -> float:
    for _ in range(abs(count)):
        value = math.nextafter(value, math.copysign(math.inf, count))
    return value


CLOSE = st.builds(steps, st.sampled_from([-27.9841273360182, 10.0, 0.1, 0.0]), st.integers(-90, 90))
KEYS: st.SearchStrategy[list[Key]] = st.lists(
    st.tuples(st.sampled_from(["01037", "01038"]), CLOSE, CLOSE | st.just(-46.6)), max_size=14
)


def rows_of(keys: Sequence[Key]) -> pa.Table:
    zips, lats, lngs = zip(*keys, strict=True) if keys else ((), (), ())
    cities, states = ["sao paulo"] * len(keys), ["SP"] * len(keys)
    return pa.table(
        [
            pa.array(column, field.type)
            for column, field in zip([zips, lats, lngs, cities, states], GEOLOCATION.schema, strict=True)
        ],
        schema=GEOLOCATION.schema,
    )


def are_same(one: Key, other: Key) -> bool:
    return one[0] == other[0] and bool(same(np.array(one[1:]), np.array(other[1:])).all())


def by_hand(keys: Sequence[Key]) -> list[Key]:
    """Let each key be the first before it that is the same and is itself; to the letter first."""
    counting: dict[Key, Key] = {}
    for key in keys:
        if key not in counting:
            counting[key] = next(
                (other for other, owner in counting.items() if other == owner and are_same(other, key)), key
            )
    return [counting[key] for key in keys]


@given(KEYS, st.lists(st.integers(0, 14), max_size=3))
@QUICK
def test_each_key_takes_the_digits_of_the_first_that_is_the_same_whatever_the_stretches(
    keys: list[Key], cuts: list[int]
) -> None:
    near, settled = NearKeys(GEOLOCATION), []
    for start, end in pairwise([0, *sorted(min(cut, len(keys)) for cut in cuts), len(keys)]):
        settled += near.settle(rows_of(keys[start:end])).tolist()
    assert settled == [[lat, lng] for _, lat, lng in by_hand(keys)]


@given(KEYS, st.integers(0, 14))
@QUICK
def test_where_nothing_is_close_no_two_keys_are_the_same(keys: list[Key], cut: int) -> None:
    noted = CloseValues()
    for part in (keys[:cut], keys[cut:]):
        noted.add(rows_of(part), GEOLOCATION, np.ones(len(part), bool))
    close = noted.find()
    seen = watched(digits_of(rows_of(keys), GEOLOCATION), close) if close else np.zeros(len(keys), bool)
    for number, key in enumerate(keys):
        if any(are_same(key, other) and key != other for other in keys):
            assert seen[number]
    if close:
        points = {key[1:] for key in keys}
        assert any(are_same(("", *one), ("", *other)) and one != other for one in points for other in points)


def test_many_small_steps_lead_nowhere() -> None:
    chain = [("01037", steps(-27.9841273360182, 20 * number), -46.6) for number in range(100)]
    kept = NearKeys(GEOLOCATION).settle(rows_of(chain))[:, 0]
    assert (np.abs(kept - [lat for _, lat, _ in chain]) < 2e-13).all()
    assert len(np.unique(kept)) > 10


def test_only_floats_of_the_key_are_compared_so() -> None:
    assert key_floats(GEOLOCATION) == ["geolocation_lat", "geolocation_lng"]
    assert key_floats(contract_of("order_items")) == []
    rows = rows_of([("01037", 1.0, 2.0)])
    assert with_digits(rows, np.array([[3.0, 4.0]]), GEOLOCATION).equals(rows_of([("01037", 3.0, 4.0)]))
