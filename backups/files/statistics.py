"""What the manifest says of a column's values, gathered batch by batch."""

from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from core.postgres.column_types import ArrowField, is_jsonb

type Values = pa.Array[Any] | pa.ChunkedArray[Any]

TEXT_CHARACTERS = 64  # of a text's minimum and maximum
_EXACT_INT64 = pa.decimal128(19, 0)
_SUMMABLE_DIGITS = 30  # 38 that Arrow holds, less those that the sum of a batch may add


class ColumnStatistics:
    """Nulls, minimum and maximum of a type with an order, sum of exact numbers."""

    def __init__(self, field: ArrowField) -> None:
        kind = field.type
        self._ordered = not is_jsonb(field) and (
            pa.types.is_primitive(kind) or pa.types.is_decimal(kind) or pa.types.is_string(kind)
        )
        self._exact = pa.types.is_integer(kind) or pa.types.is_decimal(kind)
        self._nulls = 0
        self._minimum: Any = None
        self._maximum: Any = None
        self._sum: Decimal | None = None

    def add(self, values: Values) -> None:
        """Take in more values."""
        self._nulls += values.null_count
        if self._ordered:
            ends = pc.min_max(values).as_py()
            if ends["min"] is not None:
                self._minimum = ends["min"] if self._minimum is None else min(self._minimum, ends["min"])
                self._maximum = ends["max"] if self._maximum is None else max(self._maximum, ends["max"])
        if self._exact and values.null_count < len(values):
            self._sum = (self._sum or Decimal(0)) + _sum(values)

    def facts(self) -> dict[str, Any]:
        """Return them as the members of ``manifest.ColumnFacts``."""
        return {
            "nulls": self._nulls,
            "minimum": _text(self._minimum),
            "maximum": _text(self._maximum),
            "sum": None if self._sum is None else format(self._sum, "f"),
        }


def _sum(values: Values) -> Decimal:
    kind = values.type
    if isinstance(kind, pa.Decimal128Type) and kind.precision > _SUMMABLE_DIGITS:
        return sum((value for value in values.to_pylist() if value is not None), Decimal(0))
    exact = values.cast(_EXACT_INT64) if pa.types.is_int64(kind) else values
    return Decimal(pc.sum(exact).as_py())


def _text(value: Any) -> str | None:
    return None if value is None else str(value)[:TEXT_CHARACTERS]
