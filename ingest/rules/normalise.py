"""Safe spellings of a value: what normalising may change, one step each, on columns of text.

A step only ever sees values that their rule refuses as they stand, and only a change after which the rule accepts the
value counts as a repair.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import pyarrow.compute as pc

from core.arrow import Text
from ingest.rules.kinds.exponents import without_exponent
from ingest.rules.kinds.timestamp import respelled, to_local_time

# Unicode's White_Space: what trimming takes off, the same list for every engine.
WHITE_SPACE = (
    "\t\n\x0b\x0c\r \x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"
)


@dataclass(frozen=True)
class Step:
    """One way of normalising: its name is the rule under which repairs are counted."""

    name: str
    apply: Callable[[Text], Text] = field(repr=False, compare=False)


TRIM = Step("trim", lambda text: pc.utf8_trim(text, WHITE_SPACE))
COMPOSE = Step("nfc", lambda text: pc.utf8_normalize(text, "NFC"))
LOWER = Step("lower", pc.ascii_lower)
UPPER = Step("upper", pc.ascii_upper)
# `51.0`, as pandas writes an integer column that once held a NULL; `3e+05`, as R writes one of round numbers
INTEGRAL = Step(
    "integral", lambda text: pc.replace_substring_regex(without_exponent(text), r"\A(-?[0-9]+)\.0+\z", r"\1")
)
MOMENT = Step("moment", respelled)
LOCAL_TIME = "local_time"


def local_time(zone: str) -> Step:
    """Turn a moment with an offset (or ``Z``) into the wall-clock time of ``zone``."""
    return Step(LOCAL_TIME, lambda text: to_local_time(text, zone))
