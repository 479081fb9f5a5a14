"""Whole numbers that a program wrote with an exponent."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.arrow import Text, bools, certain, mask_of

_WITH_EXPONENT = (
    r"\A(?P<sign>-?)(?P<whole>[0-9]{1,40})(?:\.(?P<fraction>[0-9]{0,40}))?[eE]\+?(?P<exponent>-?[0-9]{1,2})\z"
)


def without_exponent(text: Text) -> Text:
    """Write numbers such as ``1.5e+01`` in plain digits where they are whole; all other texts stay as they are.

    The digits themselves are shifted: no float takes part, which would lose those behind the sixteenth.
    """
    shaped = certain(pc.match_substring_regex(text, _WITH_EXPONENT))
    if not shaped.true_count:
        return text
    numbers = text.filter(shaped)
    parts = pc.extract_regex(numbers, _WITH_EXPONENT)
    sign, whole, fraction, exponent = (
        pc.struct_field(parts, part) for part in ("sign", "whole", "fraction", "exponent")
    )
    digits = pc.utf8_ltrim(pc.binary_join_element_wise(whole, fraction, ""), "0")
    shifts = pc.subtract(exponent.cast(pa.int64()), pc.utf8_length(fraction).cast(pa.int64())).to_numpy()
    shifts = np.where(mask_of(pc.equal(digits, "")), 0, shifts)  # zero stays zero
    digits = pc.replace_substring_regex(digits, r"\A\z", "0")
    for shift in np.unique(shifts).tolist():  # a few: the exponent has two digits
        plain = pc.binary_join_element_wise(sign, _shifted(digits, shift), "")
        numbers = pc.if_else(bools(shifts == shift), pc.coalesce(plain, numbers), numbers)
    return pc.replace_with_mask(text, shaped, numbers)


def _shifted(digits: Text, places: int) -> Text:
    """Move the point behind n numbers by so many places; NULL where it would leave a fraction."""
    if places >= 0:
        return pc.binary_join_element_wise(digits, "0" * places, "")
    padded = pc.utf8_lpad(digits, 1 - places, "0")
    return pc.if_else(pc.ends_with(padded, "0" * -places), pc.utf8_slice_codeunits(padded, 0, places), None)
