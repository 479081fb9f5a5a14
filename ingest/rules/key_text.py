"""The natural key as text, by which rejects are found: written by Arrow and by PostgreSQL, equal to the last character.

A load compares the one with the other. So no form depends on what a session may set (``DateStyle``,
``extra_float_digits``), and none is left to either's taste: Arrow writes ``0E-10`` and ``10:00:00.000000`` where
PostgreSQL writes ``0.0000000000`` and ``10:00:00``.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from psycopg2 import sql

from core.arrow import Text, certain
from ingest.rules.contract import Contract

KEY_LENGTH = 500  # characters kept of a key: one that long is none, and PostgreSQL cannot index it

# Without a fraction that is none, as people write moments.
_MOMENT_SQL = "rtrim(rtrim(to_char({0}, 'YYYY-MM-DD HH24:MI:SS.US'), '0'), '.')"
# 15 digits where they say it all (the cast to numeric gives as many), else 17; plain unless that would be very long.
_FLOAT_SQL = """case when {0} = 0 then '0'
    when abs({0}) < 1e-30 or abs({0}) >= 1e30 then ltrim(to_char({0}, '9.9999999999999999EEEE'))
    when {0}::numeric::float8 = {0} then trim_scale({0}::numeric)::text
    else trim_scale(to_char({0}, '9.9999999999999999EEEE')::numeric)::text end"""
_PLAIN_FROM, _PLAIN_BELOW = 1e-30, 1e30
_USUAL_FROM, _USUAL_BELOW = 1e-4, 1e10  # between them Arrow writes plain digits


def key_texts(rows: pa.Table, contract: Contract, *, refused: pa.Table | None = None) -> Text:
    """Write the natural keys of n typed rows; NULL as an empty text.

    ``refused``: columns of the same n rows as texts, for those values that are NULL only because they were refused.
    """
    parts = []
    for name in contract.natural_key:
        text = value_texts(rows.column(name).combine_chunks())
        if text.null_count and refused is not None and name in refused.column_names:
            came = refused.column(name).combine_chunks()
            text = pc.coalesce(text, pc.replace_substring(came, "\x00", "\ufffd"))
        parts.append(text.fill_null("") if text.null_count else text)
    return pc.binary_join_element_wise(*parts, " ") if len(parts) > 1 else parts[0]


def kept_part(keys: Text) -> Text:
    """Cut keys to what is kept of them."""
    return pc.utf8_slice_codeunits(keys, 0, KEY_LENGTH)


def value_texts(values: Any) -> Text:
    """Write n values of one key column; NULL stays NULL."""
    texts = values.cast(pa.string())
    if pa.types.is_timestamp(values.type):
        return pc.utf8_rtrim(pc.utf8_rtrim(texts, "0"), ".")
    if pa.types.is_floating(values.type):
        return _float_texts(values)
    if pa.types.is_decimal(values.type):
        with_exponent = certain(pc.match_substring(texts, "E"))
        if with_exponent.true_count:
            plain = [format(value, "f") for value in values.filter(with_exponent).to_pylist()]
            return pc.replace_with_mask(texts, with_exponent, pa.array(plain, pa.string()))
    return texts


def _float_texts(values: Any) -> Text:
    """Write n floats. Arrow writes the fewest digits that say one: up to 15 are ours, and so are 17, but 16 are not."""
    values = pc.add(values, 0.0)  # no -0.0
    texts = values.cast(pa.string())
    size = pc.abs(values)
    usual = pc.or_(pc.equal(size, 0.0), pc.and_(pc.greater_equal(size, _USUAL_FROM), pc.less(size, _USUAL_BELOW)))
    texts = pc.replace_substring_regex(texts, r"\.0\z", "")
    length = pc.utf8_length(pc.utf8_ltrim(texts, "-0."))  # of its digits, and of the point where that is among them
    sixteen = certain(pc.and_(usual, pc.equal(length, pc.if_else(pc.less(size, 1.0), 16, 17))))
    texts = _replaced(texts, sixteen, values, _with_seventeen_digits)
    return _replaced(texts, certain(pc.invert(usual)), values, _unusual_texts)


def _replaced(texts: Text, rows: Any, values: Any, write: Callable[[list[float]], list[str]]) -> Text:
    """Write some rows as Python does: those whose form Arrow does not have."""
    if not rows.true_count:
        return texts
    return pc.replace_with_mask(texts, rows, pa.array(write(values.filter(rows).to_pylist()), pa.string()))


def _with_seventeen_digits(values: list[float]) -> list[str]:
    return ("%.17g " * len(values) % tuple(values)).split()


def _unusual_texts(values: list[float]) -> list[str]:
    return [_unusual_text(value) for value in values]


def _unusual_text(value: float) -> str:
    exact = f"{value:.16e}"
    if not _PLAIN_FROM <= abs(value) < _PLAIN_BELOW:
        return exact
    short = f"{value:.15g}"
    return format(Decimal(short if float(short) == value else exact).normalize(), "f")


def key_sql(contract: Contract, row: str) -> sql.Composable:
    """Compose the expression of the same text for the stored or staged ``row`` (a table's alias)."""
    parts = []
    for name in contract.natural_key:
        column, value = contract.column(name), sql.Identifier(row, name)
        text = sql.SQL(_form(column.arrow_type)).format(value)
        parts.append(sql.SQL("coalesce({}, '')").format(text) if column.null else text)
    return sql.SQL(" || ' ' || ").join(parts)


def kept_part_sql(contract: Contract, row: str) -> sql.Composable:
    """Compose the expression of what ``kept_part`` leaves of it."""
    return sql.SQL("left({}, {})").format(key_sql(contract, row), sql.Literal(KEY_LENGTH))


def _form(kind: pa.DataType) -> str:
    if pa.types.is_timestamp(kind):
        return _MOMENT_SQL
    return _FLOAT_SQL if pa.types.is_floating(kind) else "{0}::text"
