"""Typed values for Hypothesis, made from a Contract's columns: good ones, and those at and beyond every edge."""

import datetime
import math
import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from ingest.rules import patterns
from ingest.rules.contract import Column, Contract
from ingest.rules.normalise import WHITE_SPACE

type Row = dict[str, Any]  # typed values by column


@dataclass(frozen=True)
class BeyondPython:
    """A moment that PostgreSQL knows and Python's ``datetime`` does not."""

    text: str


_ZERO_WIDTH_AND_OTHER = ("\u200b", "\ufeff", "\u180e", "\x1c", "\x1f", "\x7f", "\x9f", "\x01")
_UNCOMPOSED = ("sa\u0303o paulo", "\u212b", "\u0958", "\u1100\u1161", "a\u0323\u0307", "\U0001d160")
_ODD_TEXTS = (
    *("", " ", "\n", "null", "NaN", "\\N", "\\.", "'", '"', "\\", "%s", "a\x00b", "\x00"),
    *("\U0001f600", "e\u0301", "a\nb", "a\r\nb", "a\u2028b", "a\u00a0b", "\ud7ff", "\U0010ffff", "\ufffe"),
    *(
        "\uff11\uff12\uff13\uff14\uff15",
        "sp",
        "SP ",
        "XX",
        "S\u00c3",
        "Delivered",
        "delivered\n",
        "teleported",
        "1037",
        "01037-000",
    ),
    *_UNCOMPOSED,
)
_WORDS = st.text("abcdefghijklmnopqrstuvwxyz áãçéíõú'-.()/&0123456789東京🚚", min_size=1, max_size=12)
_FREE = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


def good_values(column: Column) -> st.SearchStrategy[Any]:
    """Values that the column's rule accepts as they stand, NULL among them where it may be."""
    good = {"text": _good_texts, "integer": _good_integers, "decimal": _good_decimals, "float": _good_floats}
    values = good.get(column.kind, _good_moments)(column)
    return st.none() | values if column.null else values


def odd_values(column: Column) -> st.SearchStrategy[Any]:
    """Values at the edges of the column's rule and just beyond them."""
    odd = {"text": _odd_texts, "integer": _odd_integers, "decimal": _odd_decimals, "float": _odd_floats}
    return st.none() | odd.get(column.kind, _odd_moments)(column)


def rows(contract: Contract, **given: st.SearchStrategy[Any]) -> st.SearchStrategy[Row]:
    """Rows of which most are good but for one or two values; ``given`` says where a column's good values come from."""
    good = {column.name: given.get(column.name, good_values(column)) for column in contract.columns}
    odd = {column.name: odd_values(column) for column in contract.columns}

    @st.composite
    def row(draw: st.DrawFn) -> Row:
        wrong = draw(st.lists(st.sampled_from(contract.names), max_size=2))
        return {name: draw(odd[name] if name in wrong else good[name]) for name in contract.names}

    return row()


def texts(contract: Contract) -> st.SearchStrategy[list[dict[str, str | None]]]:
    """Records as they may come: texts of good values and odd ones, in odd dress, or anything; some members absent."""
    anything = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
    members = {c.name: dressed(good_values(c) | odd_values(c)) | anything for c in contract.columns}
    return st.lists(st.fixed_dictionaries({}, optional=members), max_size=8)


def dressed(values: st.SearchStrategy[Any]) -> st.SearchStrategy[str | None]:
    """Texts of values, plain or in a spelling that normalising may or may not undo."""
    dress = st.sampled_from(["{}", "{}", "{}", " {}\n", "{}.0", "{}Z", "{}+14:00", "{}-11:30", "0{}"])
    return st.builds(lambda value, form: None if value is None else form.format(text_of(value)), values, dress)


def text_of(value: Any) -> str | None:
    """Write a typed value as its plain text, the form in which records come."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, BeyondPython):
        return value.text
    if isinstance(value, datetime.datetime):
        return value.isoformat(sep=" ")
    return format(value, "f") if isinstance(value, Decimal) else repr(value)


def _good_texts(column: Column) -> st.SearchStrategy[str]:
    if column.choices:
        return st.sampled_from(column.choices)
    if column.width is not None:
        width = column.width
        numbers = st.integers(0, 99).map(lambda number: f"{number:0{width}d}")
        letters = [text for text in ("abcdef" * width, "f0" * width) if _matches(text[:width], column)]
        return numbers | st.sampled_from([text[:width] for text in letters]) if letters else numbers
    return _WORDS.map(lambda text: unicodedata.normalize("NFC", text.strip()) or "x")


def _matches(text: str, column: Column) -> bool:
    return column.pattern is None or re.match(patterns.python(column.pattern), text) is not None


def _odd_texts(column: Column) -> st.SearchStrategy[str]:
    longest = column.max_length or 10
    one = (column.choices or ("1" * column.width if column.width else "vila nova",))[0]
    outer = [text for space in (*WHITE_SPACE, *_ZERO_WIDTH_AND_OTHER) for text in (space + one, one + space)]
    inner = [f"a{space}b" for space in (*WHITE_SPACE, *_ZERO_WIDTH_AND_OTHER)]
    sizes = ["a" * size for size in (longest - 1, longest, longest + 1) if size >= 0]
    sizes += ["a" * longest + "  ", "🚚" * longest, "🚚" * (longest + 1), "1" * (longest + 1), "e\u0301" * longest]
    cases = [one.upper(), one.lower(), one.title(), ("AbCdEf" * longest)[:longest], ("ffffffg" * longest)[:longest]]
    return st.sampled_from([*_ODD_TEXTS, *outer, *inner, *sizes, *cases]) | _FREE


def _good_integers(column: Column) -> st.SearchStrategy[int]:
    return st.integers(column.min_value, min(column.max_value, column.min_value + 3)) | st.integers(
        column.min_value, column.max_value
    )


def _odd_integers(column: Column) -> st.SearchStrategy[int]:
    low, high = column.min_value, column.max_value
    powers = [sign * (2**bits + off) for sign in (1, -1) for bits in (15, 31, 32, 63, 64) for off in (-1, 0, 1)]
    return st.sampled_from([low - 1, low, low + 1, high - 1, high, high + 1, 0, -1, *powers, 10**40, -(10**400)])


def _good_decimals(column: Column) -> st.SearchStrategy[Decimal]:
    unit = Decimal(1).scaleb(-(column.decimal_places or 0))
    ends = [int(bound / unit) for bound in (column.min_value, column.max_value)]
    return st.integers(*ends).map(lambda number: number * unit)


def _odd_decimals(column: Column) -> st.SearchStrategy[Decimal]:
    unit = Decimal(1).scaleb(-(column.decimal_places or 0))
    edges = [bound + step for bound in (column.min_value, column.max_value) for step in (-unit, 0, unit, unit / 10)]
    texts = ("NaN", "Infinity", "-Infinity", "-0", "-0.00", "12.5", "12.505", "0.001", "0.004", "1E+400", "-1E-400")
    return st.sampled_from([*edges, *map(Decimal, texts)]) | st.integers(-(10**4), 10**4).map(
        lambda number: number * unit
    )


def _good_floats(column: Column) -> st.SearchStrategy[float]:
    return st.floats(column.min_value, column.max_value)


def _odd_floats(column: Column) -> st.SearchStrategy[float]:
    low, high = column.min_value, column.max_value
    edges = [low, high, math.nextafter(low, -math.inf), math.nextafter(high, math.inf)]
    special = [math.nan, math.inf, -math.inf, -0.0, 0.0, 5e-324, -5e-324, 1.7976931348623157e308]
    return st.sampled_from([*edges, *special]) | st.floats()


def _good_moments(_: Column) -> st.SearchStrategy[datetime.datetime]:
    near = st.integers(0, 9).map(lambda hours: datetime.datetime(2018, 11, 3, 20) + datetime.timedelta(hours=hours))
    return near | st.datetimes()


def _odd_moments(_: Column) -> st.SearchStrategy[Any]:
    ends = [datetime.datetime.min, datetime.datetime.max, datetime.datetime(9999, 12, 31, 23, 59, 59)]
    skipped_by_dst = datetime.datetime(2018, 11, 4)
    texts = ("infinity", "-infinity", "10000-01-01 00:00:00", "294276-12-31 23:59:59", "0001-12-31 23:59:59 BC")
    return st.sampled_from([*ends, skipped_by_dst, *map(BeyondPython, texts)])
