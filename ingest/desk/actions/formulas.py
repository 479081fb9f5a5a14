"""Text of others as cells in which a spreadsheet finds nothing to run."""

import re
import unicodedata

# Where cells begin: at the comma, which quotes guard, and in a country whose spreadsheets cut at semicolons, which take
# our quotes for text, behind each of these.
_BREAKS = re.compile("[;\t\r\n]")
_FORMULA = frozenset("=+-@\N{MINUS SIGN}")
_NUMBER = re.compile(r"-[0-9]+(\.[0-9]+)?")  # runs nothing; half the world's coordinates are such
_BLANK = frozenset(
    "\N{HANGUL CHOSEONG FILLER}\N{HANGUL JUNGSEONG FILLER}\N{HANGUL FILLER}\N{BRAILLE PATTERN BLANK}\uffa0"
)


def harmless(cell: str) -> str:
    """Put an apostrophe before whatever a spreadsheet might take for a formula; a plain negative number stays.

    What shows nothing (white space, control and zero-width characters, marks) and quotes may stand before it, and it
    may be written in full width. No two cells become alike: an apostrophe that came is passed over as quotes are.
    """
    if _NUMBER.fullmatch(cell):
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
            runs = _starts(mark)
    if runs:
        written.append("'")
    return "".join(reversed(written))


def _begins_formula(text: str) -> bool:
    return _starts(next((mark for mark in text if not _passed_over(mark)), ""))


def _starts(mark: str) -> bool:
    return unicodedata.normalize("NFKC", mark)[:1] in _FORMULA


def _passed_over(mark: str) -> bool:
    return mark in "\"'" or unicodedata.category(mark)[0] in "ZCM" or mark in _BLANK
