"""Floats at fifteen digits against Python's own decimals: neighbours, what is the same, and what may be."""

import math
from decimal import ROUND_DOWN, ROUND_UP, Context, Decimal

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ingest.processing.fifteen_digits import (
    among,
    beside_or_among,
    close_values,
    is_short,
    neighbours,
    same,
    within_reach,
)

QUICK = settings(max_examples=150, deadline=None)


@st.composite
def beside_powers(draw: st.DrawFn) -> float:
    """Draw a float a few steps from a power of ten, or from a decimal of fifteen digits."""
    exponent = draw(st.integers(-14, 24))
    digits = draw(st.just(10**14) | st.integers(10**14, 10**15 - 1))
    value = float(f"{digits}e{exponent - 14}")
    for _ in range(draw(st.integers(0, 4))):
        value = math.nextafter(value, draw(st.sampled_from([0.0, math.inf])))
    return draw(st.sampled_from([1, -1])) * value


FLOATS = (
    st.floats(-180, 180)
    | beside_powers()
    | st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=True)
    | st.sampled_from([0.0, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, 1e-8, 1e22, 9.999999999999999e21])
)
NUMBERS = st.lists(FLOATS, min_size=1, max_size=8).map(np.array)


def cut(value: float, rounding: str) -> float:
    """Round to fifteen digits, on the exact value."""
    return float(Context(prec=15, rounding=rounding, Emax=999, Emin=-999).create_decimal(Decimal(value)))


def named(value: float) -> bool:
    return float(f"{value:.14e}") == value


def are_same(one: float, other: float) -> bool:
    return bool(same(np.array([one]), np.array([other]))[0])


@given(NUMBERS)
@QUICK
def test_the_neighbours_are_the_decimals_of_fifteen_digits_on_both_sides(
    values: "np.ndarray[tuple[int], np.dtype[np.float64]]",
) -> None:
    inner, outer = neighbours(values)
    sides = [(v, v) if named(v) else (cut(v, ROUND_DOWN), cut(v, ROUND_UP)) for v in values.tolist()]
    assert list(zip(inner.tolist(), outer.tolist(), strict=True)) == sides
    assert is_short(values).tolist() == [named(value) for value in values.tolist()]


@given(FLOATS.filter(lambda value: abs(value) < 1e308))
@QUICK
def test_a_float_is_the_same_as_what_tools_make_of_it(value: float) -> None:
    assert are_same(value, value)
    for places in (15, 16, 17):
        assert are_same(value, float(f"{value:.{places}g}"))
        assert are_same(value, float(Context(prec=places, rounding=ROUND_DOWN).create_decimal(repr(value))))


@given(FLOATS.filter(lambda value: 1e-300 < abs(value) < 1e300), st.sampled_from([1, -1]))
@QUICK
def test_a_float_is_the_same_as_one_whose_seventeenth_digit_is_one_more_or_less(value: float, step: int) -> None:
    exact = Context(prec=17).create_decimal(Decimal(value))
    assert are_same(value, float(exact + Decimal(step).scaleb(exact.adjusted() - 16)))
    if not named(value):
        assert are_same(value, math.nextafter(value, step * math.inf))


@given(FLOATS.filter(lambda value: 1e-300 < abs(value) < 1e300), st.floats(1, 1e6), st.sampled_from([1, -1]))
@QUICK
def test_floats_that_differ_by_a_unit_of_the_fourteenth_digit_are_never_the_same(
    value: float, units: float, sign: int
) -> None:
    exact = Decimal(value)
    other = float(exact + sign * Decimal(units).scaleb(exact.adjusted() - 13))
    larger = max(exact, Decimal(other), key=abs)
    assume(
        abs(exact - Decimal(other)) >= Decimal(1).scaleb(larger.adjusted() - 13)
    )  # a digit more is ten times as much
    assert not are_same(value, other)
    assert not are_same(other, value)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (-27.984127336018226, -27.9841273360182, True),
        (-27.984127336018226, -27.9841273360183, True),
        (-27.984127336018226, -27.9841273360181, False),
        (-27.984127336018226, 27.9841273360182, False),
        (-27.9841273360182, -27.9841273360183, False),  # both are of fifteen digits: two decimals, whoever wrote them
        (9.999999999999998, 10.0, True),
        (10.000000000000002, 10.0, True),
        (9.999999999999998, 10.000000000000002, True),
        (9.99999999999999, 10.0, False),
        (99.99999999999999, 100.0, True),
        (0.09999999999999999, 0.1, True),
        (0.0, 5e-324, False),
        (0.0, -0.0, True),
    ],
)
def test_pairs(one: float, other: float, *, expected: bool) -> None:
    assert are_same(one, other) is are_same(other, one) is expected


@given(FLOATS, st.integers(-200, 200))
@QUICK
def test_what_is_the_same_is_within_reach(value: float, steps: int) -> None:
    other = value
    for _ in range(abs(steps)):
        other = math.nextafter(other, math.copysign(math.inf, steps))
    low, high = within_reach(np.array([value]))
    if math.isfinite(other) and are_same(value, other):
        assert low[0] <= other <= high[0]
        assert value == other or close_values(np.array([value, other])).tolist() == sorted([value, other])


@given(st.lists(beside_powers(), max_size=12), st.lists(beside_powers(), max_size=6))
@QUICK
def test_floats_beside_others_are_found(stored: list[float], asked: list[float]) -> None:
    ordered = np.unique(np.array(stored, np.float64))
    values = np.array([*asked, *stored[:3], *(math.nextafter(value, 0) for value in stored[3:6])], np.float64)
    beside, equal = beside_or_among(values, ordered)
    low, high = within_reach(values)
    assert equal.tolist() == [value in stored for value in values.tolist()] == among(values, ordered).tolist()
    assert beside.tolist() == [
        any(least <= other <= most and other != value for other in stored)
        for value, least, most in zip(values.tolist(), low.tolist(), high.tolist(), strict=True)
    ]
