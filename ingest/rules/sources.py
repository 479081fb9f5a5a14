"""A Source: what may be loaded. The one setting ``DATAFORGE_SOURCES`` names a tuple of them, parents first."""

from dataclasses import dataclass
from functools import cache

from django.conf import settings
from django.db import models
from django.utils.module_loading import import_string

from ingest.rules.contract import Contract, compile_contract


@dataclass(frozen=True)
class Source:
    """One table that may be loaded: its name for people and programs, its file, its model.

    ``adds_parents`` names the columns whose missing parent a load adds as a placeholder (its key, all else NULL). Never
    over HTTP, where a typing error would make a parent.
    """

    table: str
    file_name: str
    model: type[models.Model]
    adds_parents: tuple[str, ...] = ()

    @property
    def contract(self) -> Contract:
        """The model's rules compiled for columns."""
        return _contracts()[self.table]


@cache
def sources() -> tuple[Source, ...]:
    """All Sources of the setting, parents first."""
    return tuple(import_string(settings.DATAFORGE_SOURCES))


@cache
def _contracts() -> dict[str, Contract]:
    tables = {source.model: source.table for source in sources()}
    return {source.table: compile_contract(source.model, tables) for source in sources()}


def is_adopted(source: Source) -> bool:
    """Tell whether a load of another Source may add placeholders to this one's table."""
    return any(
        reference.table == source.table and reference.column in child.adds_parents
        for child in sources()
        for reference in child.contract.references
    )


def find_source(table: str) -> Source | None:
    """Return the Source of this name, or None."""
    return next((source for source in sources() if source.table == table), None)
