"""The kinds of damage: what is done to a cell or a line, and what must come of it."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from olist.sample.layout import MAX_INTEGER, CellKind, FileColumn, FileLayout

type Outcome = Literal["rejected", "duplicate", "repaired"]

_FULL_WIDTH: Final = str.maketrans("0123456789", "０１２３４５６７８９")  # noqa: RUF001 - the look-alikes are the point
_LONG_AGO: Final = "2000-01-01 00:00:00"


@dataclass(frozen=True)
class Damage:
    """Something done to one cell, then rejected (``code``) or repaired (``rule``); ``needs``: what it must hold."""

    name: str
    edit: Callable[[str], str]
    code: str | None = "invalid"
    rule: str | None = None
    needs: str = ""
    about_field: bool = True  # a reason between columns names no single field

    @property
    def outcome(self) -> Outcome:
        """What becomes of the record."""
        return "repaired" if self.rule else "rejected"


@dataclass(frozen=True)
class LineDamage:
    """Something done to a whole record, after which it cannot be split into fields."""

    name: str
    edit: Callable[[bytes], bytes]
    code: str = "ragged_row"


def _becomes(name: str, value: str, code: str = "invalid") -> Damage:
    return Damage(name, lambda _: value, code)


def _last_field_opened(line: bytes) -> bytes:
    head, comma, last = line.rpartition(b",")
    return head + comma + b'"' + last


def _bad_byte(line: bytes) -> bytes:
    head, comma, last = line.rpartition(b",")
    return head + comma + b"\xff" + last


LINE_DAMAGES: Final = (
    LineDamage("missing_field", lambda line: line.rpartition(b",")[0]),
    LineDamage("extra_field", lambda line: line + b",sobra"),
    LineDamage("unclosed_quote", _last_field_opened),
    LineDamage("invalid_utf8", _bad_byte, "encoding"),
)
_BLANK: Final = _becomes("empty", "", "blank")
_PADDED: Final = Damage("padded", lambda text: f"  {text} ", code=None, rule="trim")
_NUL: Final = Damage("nul", lambda text: f"{text[:1]}\0{text[1:]}", "null_characters_not_allowed")
_TEXT: Final = _becomes("text", "muito")
_NOT_A_NUMBER: Final = _becomes("not_a_number", "NaN")
_FULL_WIDTH_DIGITS: Final = Damage("full_width_digits", lambda text: text.translate(_FULL_WIDTH), needs="[0-9]")
_BEYOND_FLOAT: Final = (_NOT_A_NUMBER, _becomes("infinite", "inf"), _becomes("huge", "1e400"))

_BY_KIND: Final[dict[CellKind, tuple[Damage, ...]]] = {
    CellKind.ID: (
        Damage("id_too_short", lambda text: text[:-1]),
        Damage("id_not_hexadecimal", lambda text: "g" + text[1:]),
        Damage("id_upper_case", str.upper, code=None, rule="lower", needs="[a-f]"),
    ),
    CellKind.ZIP: (
        Damage("zip_with_letter", lambda text: text[:-1] + "x"),
        _FULL_WIDTH_DIGITS,
        Damage("zip_without_leading_zero", lambda text: text[1:], code=None, rule="leading_zero", needs="^0[1-9]"),
    ),
    CellKind.STATE: (
        _becomes("unknown_choice", "XX", "invalid_choice"),
        Damage("state_lower_case", str.lower, code=None, rule="upper"),
    ),
    CellKind.CHOICE: (_becomes("unknown_choice", "teleported", "invalid_choice"), _PADDED),
    CellKind.LINE: (
        _NUL,
        _becomes("too_long", "x" * 300, "max_length"),
        Damage("control_character", lambda text: f"{text[:1]}\x07{text[1:]}"),
        _PADDED,
    ),
    CellKind.PROSE: (_NUL,),
    CellKind.INTEGER: (
        _TEXT,
        _NOT_A_NUMBER,
        _becomes("fraction", "1.5"),
        _FULL_WIDTH_DIGITS,
        Damage("integer_with_point", lambda text: f"{text}.0", code=None, rule="integral"),
    ),
    CellKind.MONEY: (
        _TEXT,
        *_BEYOND_FLOAT,
        _FULL_WIDTH_DIGITS,
        _becomes("decimal_comma", "12,50"),
        _becomes("below_minimum", "-5.00", "min_value"),
        _becomes("too_many_places", "12.345", "max_decimal_places"),
        _becomes("too_many_digits", "123456789.00", "max_digits"),
    ),
    CellKind.LATITUDE: (
        _TEXT,
        *_BEYOND_FLOAT,
        _becomes("decimal_comma", "-23,5456"),
        _becomes("below_minimum", "-91", "min_value"),
        _becomes("above_maximum", "91", "max_value"),
    ),
    CellKind.LONGITUDE: (
        _TEXT,
        *_BEYOND_FLOAT,
        _becomes("decimal_comma", "-46,6395"),
        _becomes("below_minimum", "-181", "min_value"),
        _becomes("above_maximum", "181", "max_value"),
    ),
    CellKind.MOMENT: (
        _TEXT,
        _becomes("other_format", "10/2/2017 10:56"),
        _becomes("no_such_day", "2017-02-30 10:56:33"),
        _becomes("year_zero", "0000-01-01 00:00:00"),
        _becomes("year_ten_thousand", "10000-01-01 00:00:00"),
        _FULL_WIDTH_DIGITS,
    ),
}
_TOO_EARLY: Final = Damage("before_its_start", lambda _: _LONG_AGO, "check", about_field=False)
_CHECKED: Final = frozenset(
    {
        "order_approved_at",
        "order_delivered_customer_date",
        "order_estimated_delivery_date",
        "review_answer_timestamp",
    }
)
# A stranger's id that depends only on the one it replaces.
_NO_PARENT: Final = Damage(
    "missing_parent", lambda text: hashlib.blake2b(text.encode(), digest_size=16).hexdigest(), "does_not_exist"
)
# How a record with the same key differs from the earlier one.
ALTERED: Final[dict[str, tuple[str, Callable[[str], str]]]] = {
    "product_category_name_translation": ("product_category_name_english", lambda text: f"{text}_again"),
    "customers": ("customer_city", lambda text: f"{text} velha"),
    "sellers": ("seller_city", lambda text: f"{text} velha"),
    "products": ("product_weight_g", lambda text: str(int(text) + 1)),
    "orders": ("order_estimated_delivery_date", lambda _: "2030-01-01 00:00:00"),
    "order_items": ("freight_value", lambda _: "77777.77"),
    "order_payments": ("payment_value", lambda _: "99999.99"),
    "order_reviews": ("review_score", lambda text: str(int(text) % 5 + 1)),
}


def damages_of(table: FileLayout, column: FileColumn) -> Iterator[Damage]:
    """Yield every damage that a cell of ``column`` can have, each with exactly one reason or repair."""
    yield from _BY_KIND[column.kind]
    if not column.null:
        yield _BLANK
    if column.kind is CellKind.INTEGER:
        yield _becomes("below_minimum", str(column.low - 1), "min_value")
        yield _becomes("above_maximum", str(column.high + 1), "max_value")
        if column.high < MAX_INTEGER:
            yield _becomes("beyond_integer", str(MAX_INTEGER + 1), "max_value")
    if column.name in _CHECKED:
        yield _TOO_EARLY
    if column.name in table.references:
        yield _NO_PARENT
