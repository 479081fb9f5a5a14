"""Floats at fifteen significant digits: what is left of one where a tool writes no more of them.

Every decimal of fifteen digits is a float of its own, so a float that such a decimal names is known again. One that
takes sixteen or seventeen digits lies between two of these decimals, its neighbours: who rounds it writes one of them,
who cuts it off perhaps the other. Two floats are the same at fifteen digits if they have a neighbour in common.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from core.arrow import Mask

type Floats = np.ndarray[Any, np.dtype[np.float64]]

# Two floats that are the same lie less than two units of the fifteenth digit apart, which is 2e-14 of either at most.
REACH = 2.5e-14
_DIGITS = 15
_LEAST, _BEYOND = 1e-8, 1e22  # of sizes whose decimals are an exact integer times or over an exact power of ten
_SIZES = np.array([float(f"1e{exponent}") for exponent in range(-8, 23)])
_POWERS = np.array([float(10**exponent) for exponent in range(23)])


def neighbours(values: Floats) -> tuple[Floats, Floats]:
    """Return the decimals of fifteen digits beside n finite floats: those nearer to zero, and those farther from it.

    Of a float that fifteen digits name, both are the float itself.
    """
    size = np.abs(values)
    inner, outer = size.copy(), size.copy()
    usual = (size >= _LEAST) & (size < _BEYOND)
    inner[usual], outer[usual] = _beside(size[usual])
    for row in np.flatnonzero(~usual & (size > 0)).tolist():  # seldom: no coordinate but within a millimetre of zero
        inner[row], outer[row] = _beside_one(float(size[row]))
    return np.copysign(inner, values) + 0.0, np.copysign(outer, values) + 0.0  # there is one zero


def is_short(values: Floats) -> Mask:
    """Mark those of n finite floats that fifteen digits name."""
    size = np.abs(values)
    usual = (size >= _LEAST) & (size < _BEYOND)
    if usual.all():
        return np.asarray(_nearest(size)[0] == size)
    inner, outer = neighbours(values)
    return np.asarray(inner == outer)


def same(first: Floats, second: Floats) -> Mask:
    """Mark those of n pairs that are the same at fifteen digits."""
    ours, theirs = neighbours(first), neighbours(second)
    return np.logical_or.reduce([mine == other for mine in ours for other in theirs])


def within_reach(values: Floats) -> tuple[Floats, Floats]:
    """Return bounds within which all floats lie that are the same as these n."""
    reach = np.abs(values) * REACH
    with np.errstate(over="ignore"):
        return values - reach, values + reach


def close_values(values: Floats) -> Floats:
    """Return, each once and ascending, those of n floats beside which another one lies that may be the same.

    ``values`` are sorted in their place: there may be millions of them, each time that a file is loaded.
    """
    values.sort()
    values = values[: np.searchsorted(values, np.inf, "right")]  # NaN, which is last, is beside nothing
    with np.errstate(over="ignore"):
        apart = np.diff(values)
    widest = max(abs(values[0]), abs(values[-1])) * REACH if len(values) else 0.0
    left = np.flatnonzero(apart <= widest)
    left = left[apart[left] > 0]
    low, high = values[left], values[left + 1]
    close = apart[left] <= np.maximum(np.abs(low), np.abs(high)) * REACH
    return np.unique(np.concatenate([low[close], high[close]]))


def among(values: Floats, ordered: Floats) -> Mask:
    """Mark those of n floats that are in ``ordered``."""
    return beside_or_among(values, ordered)[1]


def beside_or_among(values: Floats, ordered: Floats) -> tuple[Mask, Mask]:
    """Mark those of n floats beside which ``ordered`` (each once, ascending) has another one that may be the same, and
    those that are in it."""
    if not len(ordered):
        return np.zeros(len(values), bool), np.zeros(len(values), bool)
    places = np.searchsorted(ordered, values)
    framed = np.concatenate([[-np.inf], ordered, [np.inf, np.inf]])
    equal = framed[places + 1] == values
    low, high = within_reach(values)
    return (framed[places] >= low) | (framed[places + 1 + equal] <= high), equal


def _nearest(size: Floats) -> tuple[Floats, Floats, Callable[[Floats], Floats]]:
    """Return the decimals of fifteen digits that are nearest to floats from ``_LEAST`` up to ``_BEYOND``, their digits
    as whole numbers, and what makes decimals of such numbers.

    Powers of ten are exact here, so each product and quotient is rounded once: a decimal is its own float, and the
    digits before the point of a float are found but for a tenth.
    """
    places = _DIGITS - np.searchsorted(_SIZES, size, "right") + 8
    whole, power = places < 0, _POWERS[np.abs(places)]

    def decimals(digits: Floats) -> Floats:
        return np.where(whole, digits * power, digits / power)

    digits = np.rint(np.where(whole, size / power, size * power))
    return decimals(digits), digits, decimals


def _beside(size: Floats) -> tuple[Floats, Floats]:
    """Do it for floats from ``_LEAST`` up to ``_BEYOND``: the nearest decimal is one, and its float says which."""
    nearest, digits, decimals = _nearest(size)
    inner = np.where(nearest > size, decimals(digits - 1), nearest)
    outer = np.where(nearest < size, decimals(digits + 1), nearest)
    return inner, outer


def _beside_one(size: float) -> tuple[float, float]:
    mantissa, exponent = f"{size:.{_DIGITS - 1}e}".split("e")
    digits, power = int(mantissa.replace(".", "")), int(exponent) - _DIGITS + 1
    nearest = float(f"{digits}e{power}")
    if nearest == size:
        return size, size
    if nearest < size:
        return nearest, float(f"{digits + 1}e{power}")
    if digits == 10 ** (_DIGITS - 1):  # rounded up to a power of ten: below it a digit is worth a tenth
        digits, power = digits * 10, power - 1
    return float(f"{digits - 1}e{power}"), nearest
