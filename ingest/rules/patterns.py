"""Regular expressions on which Python, RE2 (Arrow), PostgreSQL and JSON Schema agree.

A rule keeps the *body* of its pattern once; each engine gets its own anchors, because no one spelling means "the whole
text" in all of them: Python's ``$`` accepts a trailing newline, RE2 refuses ``\\Z`` and Python 3.13 refuses ``\\z``.
"""

import math
import re
import warnings

_ESCAPED = r"\\[\\.^$|?*+()\[\]{}/-]"
_CLASS = rf"\[\^?\]?(?:{_ESCAPED}|[^\\\[\]])*\]"
_REPEAT = r"\{[0-9]+(?:,[0-9]*)?\}"
# What means the same everywhere. No `.`, `^`, `$`, `\d`, look-around, POSIX class or possessive quantifier.
_TOKEN = re.compile(
    rf"{_ESCAPED}|{_CLASS}|\(\?:|\((?![?])|\)|\||(?:[*+?]|{_REPEAT})\??(?![+*?{{])|[^\\.^$|?*+()\[\]{{}}]"
)
_SET_OPERATION = re.compile(r"--|&&|\|\||~~")
_COUNTS = re.compile(r"\{([0-9]+)(?:,([0-9]*))?\}")
MAX_REPEAT = 255  # PostgreSQL's bound
MAX_NESTED_REPEATS = 1000  # RE2's, for repeats within repeats


def problem(body: str) -> str | None:
    """Say why ``body`` is outside the common subset, or None where all engines agree on it."""
    end = 0
    while end < len(body):
        token = _TOKEN.match(body, end)
        if token is None:
            return (
                f"{body[end : end + 2]!r} at offset {end} is not understood everywhere: use explicit classes and groups"
            )
        if token[0].startswith("[") and _SET_OPERATION.search(token[0]):
            return f"{token[0]} looks like an operation on sets in some engines: escape the character or reorder it"
        end = token.end()
    counts = [int(high or low) for low, high in _COUNTS.findall(re.sub(_CLASS, "", body))]
    if max(counts, default=0) > MAX_REPEAT:
        return f"a repeat above {MAX_REPEAT} is refused by PostgreSQL"
    if "){" in body and math.prod(count or 1 for count in counts) > MAX_NESTED_REPEATS:
        return f"repeats within repeats above {MAX_NESTED_REPEATS} in all are refused by RE2"
    try:
        with warnings.catch_warnings(action="error"):
            re.compile(body)
    except (re.error, Warning) as error:
        return f"not a regular expression: {error}"
    return None


def python(body: str) -> str:
    """Anchor for ``re``."""
    return rf"^(?:{body})\Z"


def re2(body: str) -> str:
    """Anchor for Arrow's ``match_substring_regex``."""
    return rf"\A(?:{body})\z"


def postgres(body: str) -> str:
    """Anchor for PostgreSQL's ``~`` and JSON Schema's ``pattern``."""
    return f"^(?:{body})$"
