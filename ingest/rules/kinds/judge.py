"""What one rule says of a column of text: the typed values it accepts, and why it refuses the rest.

``judge`` and ``explain`` are the two halves of one verdict: ``explain`` gives at least one reason for each value that
``judge`` refuses. Values are judged by their exact text; each kind of column has a module here.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from core.arrow import Mask, Text, mask_of
from ingest.rules.contract import Column
from ingest.rules.kinds import decimal, integer, timestamp
from ingest.rules.kinds import float as binary_float
from ingest.rules.kinds import text as plain_text
from ingest.rules.kinds.masks import Fault

type Parse = Callable[[Text, Column], tuple[Any, Mask]]
type Explain = Callable[[Text, Column], Iterator[Fault]]


def _parse_moment(text: Text, _column: Column) -> tuple[Any, Mask]:
    return timestamp.parse(text)


def _explain_moment(text: Text, column: Column) -> Iterator[Fault]:
    dates = mask_of(timestamp.is_bare_date(text))
    yield "invalid", f"The time is missing. {column.message}", dates
    yield "invalid", column.message, ~dates


_KINDS: Mapping[str, tuple[Parse, Explain]] = {
    "text": (plain_text.parse, plain_text.explain),
    "integer": (integer.parse, integer.explain),
    "decimal": (decimal.parse, decimal.explain),
    "float": (binary_float.parse, binary_float.explain),
    "moment": (_parse_moment, _explain_moment),
}


def judge(text: Text, column: Column) -> tuple[Any, Mask]:
    """Return n typed values (NULL where refused or NULL) and the mask of those accepted; NULL and '' are not."""
    parse, _ = _KINDS[column.kind]
    return parse(text, column)


def explain(text: Text, column: Column) -> Iterator[Fault]:
    """Yield every reason for values that ``judge`` refused (and that are not empty), as masks over ``text``."""
    _, why = _KINDS[column.kind]
    return why(text, column)
