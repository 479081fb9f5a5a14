"""DRF's ``ModelSerializer(many=True)`` with ``bulk_create`` for every table, and for whole orders in one request.

The serializers are made from the models; written well as that of the orders (``drf_bulk.py``): no query for a single
record, one for each foreign key and one for the keys of a list. Text is trimmed and ids are lowered; zip codes are not
repaired and text is not composed, as DRF's users would leave it.
"""

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.validators import UniqueValidator
from rest_framework.views import APIView

from benchmarks.peers.drf_bulk import HexIdField, OrderSerializer
from ingest.rules import fields
from ingest.rules.sources import Source, sources

type Row = dict[str, Any]  # attribute of the model -> value

NOT_BEFORE = {"order_reviews": {"review_answer_timestamp": "review_creation_date"}}


class TableListSerializer(serializers.ListSerializer[Any]):
    """Checks of the whole list, and its storing."""

    child: Any

    def validate(self, attrs: list[Row]) -> list[Row]:
        """Look up parents and keys, a query for each foreign key and one for the keys."""
        errors: list[dict[str, list[str]]] = [{} for _ in attrs]
        model, key = self.child.Meta.model, self.child.Meta.key
        for field in model._meta.concrete_fields:
            if field.is_relation:
                wanted = {row.get(field.attname) for row in attrs} - {None}
                parents = field.related_model._default_manager.filter(pk__in=wanted)
                lost = wanted - set(parents.values_list("pk", flat=True))
                for row, told in zip(attrs, errors, strict=True):
                    if row.get(field.attname) in lost:
                        told[field.column] = ["There is no such row."]
        keys = [tuple(row[name] for name in key) for row in attrs]
        seen = _stored(model, key, keys)
        for value, told in zip(keys, errors, strict=True):
            if value in seen:
                told[key[0]] = ["A row with this key exists, or is twice in the list."]
            seen.add(value)
        if any(errors):
            raise serializers.ValidationError(errors)
        return attrs

    def create(self, validated_data: list[Row]) -> list[models.Model]:
        """Store all with as few statements as Django needs."""
        model = self.child.Meta.model
        made: list[models.Model] = model._default_manager.bulk_create([model(**row) for row in validated_data])
        return made


def _stored(model: type[models.Model], key: tuple[str, ...], keys: Iterable[tuple[Any, ...]]) -> set[tuple[Any, ...]]:
    """Return the stored keys among ``keys``, and perhaps others: those of which each part is in one of them."""
    parts = zip(key, map(set, zip(*keys, strict=True)), strict=True)
    return set(model._default_manager.filter(**{f"{name}__in": values for name, values in parts}).values_list(*key))


class TableSerializer(serializers.ModelSerializer[Any]):
    """One record of any table, by the names of its columns."""

    def build_field(self, field_name: str, info: Any, model_class: Any, nested_depth: int) -> Any:
        """Build a key that refers to a row like a plain column: the list looks them up."""
        column = next(field for field in model_class._meta.concrete_fields if field.attname == field_name)
        plain = column.target_field if column.is_relation else column
        kind, options = self.build_standard_field(field_name, plain)
        if isinstance(plain, fields.HexIdField):
            kind, options = HexIdField, {}
        if isinstance(plain, fields.ProseField):
            options["trim_whitespace"] = False
        if "validators" in options:
            options["validators"] = [check for check in options["validators"] if not isinstance(check, UniqueValidator)]
        return kind, options | ({"required": False, "allow_null": True} if column.null else {})

    def validate(self, attrs: Row) -> Row:
        """Check that nothing comes before what it follows."""
        for late, early in self.Meta.not_before.items():  # type: ignore[attr-defined]
            if attrs[late] < attrs[early]:
                raise serializers.ValidationError({late: f"This cannot be before {early}."})
        return attrs


def _serializer(source: Source) -> type[serializers.ModelSerializer[Any]]:
    """Make the serializer of one table."""
    model, names = source.model, source.contract.names
    columns = {field.column: field.attname for field in model._meta.concrete_fields if field.column in names}
    meta = {
        "model": model,
        "fields": tuple(columns),
        "extra_kwargs": {column: {"source": name} for column, name in columns.items() if column != name},
        "validators": [],  # no query for each record
        "list_serializer_class": TableListSerializer,
        "key": tuple(columns[name] for name in source.contract.natural_key),
        "not_before": NOT_BEFORE.get(source.table, {}),
    }
    return type(f"{model.__name__}Serializer", (TableSerializer,), {"Meta": type("Meta", (), meta)})


SERIALIZERS: dict[str, Any] = {  # parents first
    source.table: OrderSerializer if source.table == "orders" else _serializer(source) for source in sources()
}


class BulkMixed(APIView):
    """Store a list of records that name their tables, in one transaction."""

    def post(self, request: Request) -> Response:
        """Answer one request: table after table, so that parts find the orders that came with them."""
        body: Any = request.data
        by_table: dict[str, list[Any]] = {}
        for part in body["records"]:
            by_table.setdefault(part["table"], []).append(part["data"])
        inserted = 0
        with transaction.atomic():
            for table in (table for table in SERIALIZERS if table in by_table):
                _must_be_allowed(request, SERIALIZERS[table])
                serializer = SERIALIZERS[table](data=by_table[table], many=True)
                serializer.is_valid(raise_exception=True)
                stored: Any = serializer.save()
                inserted += len(stored)
        return Response({"inserted": inserted}, status.HTTP_201_CREATED)


def _must_be_allowed(request: Request, serializer: Any) -> None:
    model = serializer.Meta.model
    if not request.user.has_perm(f"{model._meta.app_label}.add_{model._meta.model_name}"):
        raise PermissionDenied
