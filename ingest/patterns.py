"""Regular expressions on which Python, RE2 (Arrow), PostgreSQL and JSON Schema agree.

A rule keeps the *body* of its pattern once; each engine gets its own anchors, because no one spelling means "the whole
text" in all of them: Python's ``$`` accepts a trailing newline, RE2 refuses ``\\Z`` and Python 3.13 refuses ``\\z``.
"""

import re

# Outside the common subset, with the reason. Anything that is not listed here means the same everywhere.
_OUTSIDE = (
    (re.compile(r"\\[^\\.^$|?*+()\[\]{}/-]"), "escapes other than of punctuation differ: list the characters"),
    (re.compile(r"\(\?(?!:)"), "look-around, flags and named groups are not understood everywhere"),
    (re.compile(r"(?:[*+?]|\})\+"), "possessive quantifiers are Python's only"),
    (re.compile(r"\[\[?[:.=]"), "POSIX classes are PostgreSQL's and RE2's only"),
)
_REPEAT = re.compile(r"\{(\d+)(?:,(\d*))?\}")
_BARE_DOT_OR_ANCHOR = re.compile(r"(?:\\.|\[\^?\]?(?:\\.|[^\]])*\]|[^.^$\\\[])*+")
MAX_REPEAT = 255  # PostgreSQL's bound; RE2's is 1000


def problem(body: str) -> str | None:
    """Say why ``body`` is outside the common subset, or None where all engines agree on it."""
    for outside, why in _OUTSIDE:
        if outside.search(body):
            return why
    if any(int(number) > MAX_REPEAT for found in _REPEAT.findall(body) for number in found if number):
        return f"a repeat above {MAX_REPEAT} is refused by PostgreSQL"
    plain = _BARE_DOT_OR_ANCHOR.match(body)
    if plain is None or plain.end() != len(body):
        return (
            "`.`, `^` and `$` differ at line ends: the body is anchored already, and a class says what may stand there"
        )
    try:
        re.compile(body)
    except re.error as error:
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
