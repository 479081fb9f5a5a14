"""Tables of another team, whose keys are of kinds that no key of the dataset is, as the Sources of a test."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, models
from django.test.utils import isolate_apps, override_settings

from ingest.rules import fields
from ingest.rules import sources as registry
from ingest.rules.contract import Contract, compile_contract
from ingest.rules.sources import Source


def _model(name: str, constraints: list[models.BaseConstraint], **columns: "models.Field[Any, Any]") -> Any:
    meta = type("Meta", (), {"app_label": "ingest", "db_table": f"other_{name.lower()}", "constraints": constraints})
    return type(name, (models.Model,), {"__module__": __name__, "Meta": meta, **columns})


def _unique(*names: str) -> list[models.BaseConstraint]:
    return [models.UniqueConstraint(fields=names, name=f"other_{'_'.join(names)}")]


with isolate_apps("ingest"):
    # A key with a column of each kind, any of them NULL.
    KEYED = _model(
        "Keyed",
        _unique("word", "number", "share", "size", "moment"),
        word=models.TextField(null=True),
        number=models.BigIntegerField(null=True),
        share=models.DecimalField(max_digits=20, decimal_places=10, null=True),
        size=models.FloatField(null=True),
        moment=fields.LocalDateTimeField(null=True),
    )
    ROUND = _model("Round", [], at=fields.LocalDateTimeField(primary_key=True), guard=models.CharField(max_length=9))
    READING = _model(
        "Reading",
        _unique("round", "size"),
        round=models.ForeignKey(ROUND, models.PROTECT),
        size=fields.FloatField(min_value=-1, max_value=1e30),
        depth=fields.IntegerField(min_value=0, max_value=9),
    )
SOURCES = (Source("rounds", "rounds.csv", ROUND), Source("readings", "readings.csv", READING))


def keyed() -> Contract:
    """Compile the table whose key has a column of each kind."""
    return compile_contract(KEYED, {KEYED: "keyed"})


@contextmanager
def made(*chosen: Any) -> Iterator[None]:
    """Make the tables of ``chosen``, and take them away."""
    with connection.schema_editor() as editor:
        for model in chosen:
            editor.create_model(model)
    try:
        yield
    finally:
        with connection.schema_editor() as editor:
            for model in reversed(chosen):
                editor.delete_model(model)


@contextmanager
def other_sources() -> Iterator[None]:
    """Let ``SOURCES`` be the Sources, with their tables made."""
    try:
        with override_settings(DATAFORGE_SOURCES=f"{__name__}.SOURCES"), made(ROUND, READING):
            _forget()
            yield
    finally:
        _forget()


def _forget() -> None:
    registry.sources.cache_clear()
    registry._contracts.cache_clear()
