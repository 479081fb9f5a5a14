"""Counts of rejects: exact while they are few, then the planner's estimate or a lower bound, and saying so."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

COUNTED_ROWS = 1_000  # as far as one kind of rejects is counted one by one

type Exactness = Literal["exact", "about", "over"]
_VAGUE: tuple[Exactness, ...] = ("exact", "about", "over")


@dataclass(frozen=True)
class Count:
    """How many there are: exactly, by estimate, or at least."""

    rows: int = 0
    kind: Exactness = "exact"

    def __str__(self) -> str:
        return f"{self.rows:,}" if self.kind == "exact" else f"{self.kind} {self.rows:,}"


def total(counts: Iterable[Count]) -> Count:
    """Add counts; the sum is as vague as its vaguest part."""
    parts = list(counts)
    kind = _VAGUE[max((_VAGUE.index(count.kind) for count in parts), default=0)]
    return Count(sum(count.rows for count in parts), kind)


def rounded(rows: int) -> int:
    """Keep three digits of an estimate: more would look exact."""
    return round(rows, 3 - len(str(rows)))
