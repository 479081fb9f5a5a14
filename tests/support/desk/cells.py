"""Cells that begin like formulas, however they hide it; what counts as such is said here once more, by itself."""

import re
import unicodedata

from hypothesis import strategies as st

STARTERS = "=+-@＝＋－＠﹦﹢﹣﹫−"
UNSEEN = "\t\r\n\v\f\x01\x1b\x85\xa0\xad\u200b\u200d\u2028\u202e\u2060\u3000\ufeff\ufe0f\u3164 "
CELLS = st.text(st.one_of(st.sampled_from(STARTERS + UNSEEN + ";,'\"1a"), st.characters(codec="utf-8")))
NUMBER = re.compile(r"-[0-9.]+")


def first_seen(text: str) -> str:
    """Return the first character that is neither white space nor a control, format or unassigned one; or none."""
    return next((mark for mark in text if not (mark.isspace() or unicodedata.category(mark)[0] in "CM")), "")
