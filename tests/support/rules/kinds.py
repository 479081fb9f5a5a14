"""Contracts to try a rule of every kind on: the dataset's, and one of what the dataset lacks."""

from decimal import Decimal
from typing import Any

from django.db import models
from django.test.utils import isolate_apps

from ingest.rules import fields
from ingest.rules.contract import Contract, compile_contract
from ingest.rules.sources import sources


def every_kind() -> Contract:
    """Compile a table of what the dataset lacks: Django's own fields, NULL everywhere, bounds on both sides of 0."""
    columns: dict[str, models.Field[Any, Any]] = {
        "key": fields.HexIdField(primary_key=True),
        "word": models.CharField(max_length=3),
        "text": models.TextField(null=True),
        "big": models.BigIntegerField(null=True),
        "below": fields.IntegerField(min_value=-40, max_value=-3),
        "choice": fields.ChoiceField(max_length=9, choices=[("a", "A"), ("bc", "B")], null=True),
        "share": fields.DecimalField(max_digits=3, decimal_places=3, null=True),
        "whole": fields.DecimalField(max_digits=3, decimal_places=0, min_value=Decimal(-999)),
        "exact": models.DecimalField(max_digits=20, decimal_places=2),
        "float": fields.FloatField(min_value=0.25, max_value=1e300, null=True),
        "moment": fields.LocalDateTimeField(null=True),
    }
    with isolate_apps("ingest"):
        meta = type("Meta", (), {"app_label": "ingest"})
        model: Any = type("Thing", (models.Model,), {"__module__": __name__, "Meta": meta, **columns})
        return compile_contract(model, {model: "things"})


CONTRACTS = {source.table: source.contract for source in sources()} | {"every kind": every_kind()}
