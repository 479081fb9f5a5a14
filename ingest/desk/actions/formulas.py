"""Text of others as cells in which a spreadsheet finds nothing to run."""

import re
import unicodedata
from functools import lru_cache

# Where cells begin: at the comma, which quotes guard, and in a country whose spreadsheets cut at semicolons, which take
# our quotes for text, behind each of these.
_BREAKS = re.compile("[;\t\r\n]")
# What is one of `=+-@` once it is put in plain form: in full width, small, raised, lowered.
STARTERS = frozenset(
    "=+-@\u2212\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u207c\u207a\u207b\u208c\u208a\u208b\u2a75\u2a76\ufb29"
)
_STARTER = re.compile(f"[{re.escape(''.join(sorted(STARTERS)))}]")
_NUMBER = re.compile(r"-[0-9]+(\.[0-9]+)?")  # runs nothing; half the world's coordinates are such
_BLANK = frozenset(
    "\N{HANGUL CHOSEONG FILLER}\N{HANGUL JUNGSEONG FILLER}\N{HANGUL FILLER}\N{BRAILLE PATTERN BLANK}\uffa0"
)


def harmless(cell: str) -> str:
    """Put an apostrophe before whatever a spreadsheet might take for a formula; a plain negative number stays.

    What shows nothing (white space, control and zero-width characters, marks) and quotes may stand before it, and it
    may be written in full width. No two cells become alike: an apostrophe that came is passed over as quotes are.
    """
    if not _STARTER.search(cell) or _NUMBER.fullmatch(cell):
        return cell
    if not _BREAKS.search(cell):
        return f"'{cell}" if _begins_formula(cell) else cell
    written: list[str] = []  # backwards, so that what stands before a formula is looked at once, however long it is
    runs = False
    for mark in reversed(cell):
        if runs and _BREAKS.match(mark):
            written.append("'")
        written.append(mark)
        if not _passed_over(mark):
            runs = mark in STARTERS
    if runs:
        written.append("'")
    return "".join(reversed(written))


def _begins_formula(text: str) -> bool:
    return next((mark for mark in text if not _passed_over(mark)), "") in STARTERS


@lru_cache(maxsize=4_096)
def _passed_over(mark: str) -> bool:
    return mark in "\"'" or unicodedata.category(mark)[0] in "ZCM" or mark in _BLANK
