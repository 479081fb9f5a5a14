"""References: which parents exist. ``process`` asks through a ``Lookups`` and never reaches a database by itself."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from core.arrow import ArrowColumn, Mask
from ingest.rules.contract import Reference


@dataclass(frozen=True)
class Parents:
    """Answer about n keys: which exist (stored, or good in the same batch), and which this batch refused."""

    exist: Mask
    refused: Mask


class Lookups(Protocol):
    """What ``process`` may ask of the world."""

    def parents(self, reference: Reference, keys: ArrowColumn, /) -> Parents:
        """Say of n keys (no NULL among them) which parents exist."""
        ...


class NoParents:
    """A Lookups for tables without references, or for asking whether the records alone are in order."""

    def parents(self, _reference: Reference, keys: ArrowColumn) -> Parents:
        """Take every parent for granted."""
        return Parents(np.ones(len(keys), bool), np.zeros(len(keys), bool))
