"""What one rule says of a text, against the oracles of Python: int, Decimal, float, the calendar, the zone database."""

import datetime
import math
import re
from dataclasses import replace
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.arrow import Text
from ingest.processing.check_column import check_column
from ingest.rules.contract import Column
from ingest.rules.kinds.judge import explain, judge
from ingest.rules.sources import sources
from tests.support.rules.strategies import odd_values, text_of
from tests.support.rules.verdicts import contract_of

QUICK = settings(max_examples=40, deadline=None)
EVERY_COLUMN = [
    pytest.param(source.table, column.name, id=column.name)
    for source in sources()
    for column in source.contract.columns
]
FULL_WIDTH_51 = "\uff15\uff11"
NUMBERS_OF_A_KIND = st.lists(
    st.text("0123456789", max_size=3) | st.sampled_from([*"+-.eE_,x \n\x00", "00", "999"]), max_size=5
)
LIKE_NUMBERS = (
    st.integers().map(str)
    | st.integers(-12, 12).map(str)
    | st.decimals(allow_nan=True).map(str)
    | st.floats().map(repr)
    | st.integers(0, 10**12).map(lambda n: f"{n:030d}")
    | NUMBERS_OF_A_KIND.map("".join)
    | st.builds("{}{}".format, st.floats(-200, 200), st.sampled_from(["0", "e0", "e-2", "E+1", "e-400", "\n"]))
)
LIKE_MOMENTS = st.datetimes().map(str) | st.builds(
    "{}-{}-{}{}{}:{}:{}{}".format,
    st.sampled_from(["0000", "0001", "1900", "2000", "2016", "2017", "2018", "9999", "10000", "18", " 2018"]),
    st.integers(0, 13).map("{:02}".format),
    st.integers(0, 32).map("{:02}".format),
    st.sampled_from([" ", "T", "t", "  ", ""]),
    st.sampled_from(["00", "09", "23", "24", "1", "-1"]),
    st.sampled_from(["00", "59", "60"]),
    st.sampled_from(["00", "59", "60", "61"]),
    st.sampled_from(["", "", "", ".0", ".123456", ".1234567", ".", "Z", "+00:00", "-03", " "]),
)


def column_of(name: str) -> Column:
    return next(c for source in sources() for c in source.contract.columns if c.name == name)


PRICE, SCORE, LATITUDE = column_of("price"), column_of("review_score"), column_of("geolocation_lat")
WEIGHT, PURCHASE = column_of("product_weight_g"), column_of("order_purchase_timestamp")


def judged(texts: list[str], column: Column) -> list[Any]:
    """Return the typed value of each text, and None where it is refused."""
    values, ok = judge(pa.array(texts, pa.string()), column)
    assert [value is not None for value in values.to_pylist()] == ok.tolist()
    return list(values.to_pylist())


def explained(text: str, column: Column) -> set[str]:
    return {code for code, _, mask in explain(pa.array([text], pa.string()), column) if mask[0]}


@pytest.mark.parametrize("column", [SCORE, WEIGHT], ids=lambda column: column.name)
@given(texts=st.lists(LIKE_NUMBERS, max_size=20))
@example(["0" * 30 + "3", "-0", "-" + "0" * 30, "9" * 400, "-" + "9" * 400, "0x1", "1_0", "+5", FULL_WIDTH_51])
@example(["1"])
@QUICK
def test_an_integer_is_what_int_reads_of_plain_digits_within_the_bounds(column: Column, texts: list[str]) -> None:
    def expected(text: str) -> int | None:
        value = int(text) if re.fullmatch("-?[0-9]+", text) else None
        return value if value is not None and column.min_value <= value <= column.max_value else None

    assert judged(texts, column) == [expected(text) for text in texts]


BIG = [int(f"{sign}{2**63 + off}") for sign in ("", "-") for off in (-2, -1, 0, 1)] + [10**18, 10**19, -(10**18)]


def test_a_bigint_is_accepted_to_its_own_ends_and_explained_beyond() -> None:
    column = replace(WEIGHT, arrow_type=pa.int64(), min_value=-(2**63), max_value=2**63 - 1)
    expected = [value if -(2**63) <= value < 2**63 else None for value in BIG]
    assert judged([str(value) for value in BIG], column) == expected
    assert judged([f"{value:+031d}".removeprefix("+") for value in BIG], column) == expected
    assert {code for value in BIG if value >= 2**63 for code in explained(str(value), column)} == {"max_value"}
    assert {code for value in BIG if value < -(2**63) for code in explained(str(value), column)} == {"min_value"}
    assert explained("1e18", column) == {"invalid"}


@given(texts=st.lists(LIKE_NUMBERS, max_size=20))
@example(["0" * 400 + "12.50" + "0" * 400])
@example(["12.50" + "0" * 37])
@example(["1" * 400, "0." + "0" * 400 + "1", "99999999.99", "99999999.990", "-0.00"])
@QUICK
def test_a_decimal_is_what_decimal_reads_of_plain_digits_where_the_column_holds_it_exactly(texts: list[str]) -> None:
    def expected(text: str) -> Decimal | None:
        value = Decimal(text) if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text) else None
        if value is None or not PRICE.min_value <= value <= PRICE.max_value:
            return None
        return value if value == round(value, 2) else None

    assert judged(texts, PRICE) == [expected(text) for text in texts]


@given(texts=st.lists(LIKE_NUMBERS, max_size=20))
@example(["1e400", "1e-400", "-1e-400", "0e-400", "5e-324", "2e-324", "1e-323", "-0.0", "90.0000000000000000001"])
@QUICK
def test_a_float_is_the_nearest_double_unless_it_overflows_or_vanishes(texts: list[str]) -> None:
    def expected(text: str) -> float | None:
        if not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,4})?", text):
            return None
        value = float(text)
        vanished = value == 0 and re.search("[1-9]", re.split("[eE]", text)[0])
        return None if vanished or not -90 <= value <= 90 else value

    found = judged(texts, LATITUDE)
    assert found == [expected(text) for text in texts]
    assert all(math.copysign(1, value) == 1 for value in found if value == 0)  # one zero: -0.0 is 0.0


@given(texts=st.lists(LIKE_MOMENTS, max_size=30))
@example(["2018-02-29 00:00:00", "2016-02-29 00:00:00", "1900-02-29 00:00:00", "2000-02-29 00:00:00"])
@example(["0001-01-01 00:00:00", "9999-12-31 23:59:59.999999"])
@QUICK
def test_a_moment_is_a_day_and_time_of_the_calendar(texts: list[str]) -> None:
    shape = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?")

    def expected(text: str) -> datetime.datetime | None:
        try:
            # Python 3.13 takes 24:00 for the next midnight; here an hour is 0 to 23.
            return datetime.datetime.fromisoformat(text) if shape.fullmatch(text) and text[11:13] < "24" else None
        except ValueError:
            return None

    assert judged(texts, PURCHASE) == [expected(text) for text in texts]


@given(
    moments=st.lists(st.datetimes() | st.datetimes(datetime.datetime(1985, 1, 1), datetime.datetime(2025, 1, 1))),
    offset=st.sampled_from(["Z", "z", "+00:00", "-03:00", "-0300", "-02:00", "+02:00", "+14:00", "-1130", "+05:45"]),
    glue=st.sampled_from(" T"),
)
@example([datetime.datetime.min, datetime.datetime.max], "+14:00", "T")
@example([datetime.datetime.min, datetime.datetime.max], "-1130", " ")
@QUICK
def test_a_moment_with_an_offset_becomes_the_wall_clock_time_of_sao_paulo(
    moments: list[datetime.datetime], offset: str, glue: str
) -> None:
    texts = [f"{moment.isoformat(glue)}{offset}" for moment in moments]

    def expected(text: str) -> datetime.datetime | None:
        try:
            return (
                datetime.datetime.fromisoformat(text.upper())
                .astimezone(ZoneInfo("America/Sao_Paulo"))
                .replace(tzinfo=None)
            )
        except OverflowError:
            return None

    assert checked(texts, PURCHASE) == [expected(text) for text in texts]


def checked(texts: list[str], column: Column) -> list[Any]:
    """Return each text's typed value after normalising, None where it is refused."""
    none = np.zeros(len(texts), bool)
    result = check_column(pa.array(texts, pa.string()), column, absent=none, faulty=none)
    refused = {row for block in result.reasons for row in block["row"].to_pylist()}
    values = list(result.values.to_pylist())
    assert refused.isdisjoint(row for row, value in enumerate(values) if value is not None)
    assert column.null or refused == {row for row, value in enumerate(values) if value is None}
    return values


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(("12.50", "12.5"), ("12.5", "12.5"), ("13.2", "13.20"), ("12.500", "12.5"), ("012.5", "12.5"), ("7", "7")),
        *(("99999999.99", "99999999.99"), ("-0", "0"), ("0" * 400, "0"), ("1." + "0" * 400, "1"), (" 12.5\n", "12.5")),
    ],
)
def test_equal_decimals_are_one_value_whatever_their_spelling(text: str, value: str) -> None:
    assert checked([text], PRICE) == [Decimal(value)]


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        *(("12.505", {"max_decimal_places"}), ("12.0000001", {"max_decimal_places"}), ("-0.01", {"min_value"})),
        *(("100000000", {"max_digits"}), ("100000000.001", {"max_digits", "max_decimal_places"})),
        *(("9" * 400, {"max_digits"}), ("0." + "3" * 400, {"max_decimal_places"})),
        *(("-12.505", {"max_decimal_places", "min_value"}), ("-100000000", {"max_digits", "min_value"})),
        *((text, {"invalid"}) for text in ("1e3", "1E-2", "0x10", ".5", "5.", "+5", "--5", "-", ".", "1_000", "1 000")),
        *((text, {"invalid"}) for text in ("NaN", "nan", "inf", "Infinity", "1e400", "1e-400", "12,50", "1.234,50")),
        *(
            (text, {"invalid"})
            for text in (FULL_WIDTH_51, "\u0665\u0661", "R$ 5", "true", "yesterday", "5\x00", "\u22125")
        ),
    ],
)
def test_a_refused_decimal_says_why(text: str, codes: set[str]) -> None:
    assert checked([text], PRICE) == [None]
    assert explained(text, PRICE) == codes


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        *(("0", {"min_value"}), ("6", {"max_value"}), ("-1", {"min_value"}), ("0" * 30 + "6", {"max_value"})),
        *(("9" * 400, {"max_value"}), ("-" + "9" * 400, {"min_value"}), ("2147483648", {"max_value"})),
        *(("9223372036854775808", {"max_value"}), ("0" * 30, {"min_value"}), ("-" + "0" * 30 + "1", {"min_value"})),
        *(
            (text, {"invalid"})
            for text in ("5.5", "0x10", "1e3", "+5", "5.", ".5", "--5", "NaN", "inf", "1e400", "1e-400")
        ),
        *((text, {"invalid"}) for text in (FULL_WIDTH_51, "5,0", "1_0", "five", "true", "5\x00")),
    ],
)
def test_a_refused_integer_says_why(text: str, codes: set[str]) -> None:
    assert checked([text], SCORE) == [None]
    assert explained(text, SCORE) == codes


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        *(
            ("90.1", {"max_value"}),
            ("-90.00000000000002", {"min_value"}),
            ("1e300", {"max_value"}),
            ("-91", {"min_value"}),
        ),
        *(
            (text, {"invalid"})
            for text in ("NaN", "inf", "-Infinity", "1e400", "-1e400", "1e-400", "0x10", ".5", "5.", "+5")
        ),
        *((text, {"invalid"}) for text in ("-23,5", "1e", "1e+", "--5", FULL_WIDTH_51, "1d5", "5f", "5\x00")),
    ],
)
def test_a_refused_float_says_why(text: str, codes: set[str]) -> None:
    assert checked([text], LATITUDE) == [None]
    assert explained(text, LATITUDE) == codes


@pytest.mark.parametrize(
    "text",
    [
        *("2018-02-30 10:00:00", "2018-01-01 24:00:00", "2018-01-01 23:60:00", "2018-01-01 23:59:60"),
        *("0000-01-01 00:00:00", "10000-01-01 00:00:00", "2018-13-01 00:00:00", "2018-00-10 00:00:00"),
        *("2018-01-01", "2018-01-01 10", "10/2/2017 10:56", "20180101 100000", "2018-1-1 10:00:00", "1514764800"),
        *("2018-01-01 10:00:00.1234567", "2018-01-01 10:00:00;5", "2018-01-01_10:00:00", "2018-01-01 10:00:00."),
        *("now", "today", "infinity", "-infinity", "NaT", "2018-01-01 10:00:00 BRT", "2018-01-01 10:00:00+99:00"),
        *("2018-02-30T10:00:00Z", "2018-01-01 10:00:00+2", "2018-01-01 10:00:00Z+02:00", "2018-01-01 10:00:00\x00"),
        "2018-01-01 10:00:\uff10\uff10",
    ],
)
def test_what_is_no_moment_is_refused(text: str) -> None:
    assert checked([text], PURCHASE) == [None]
    assert explained(text, PURCHASE) == {"invalid"}


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2018-01-01T10:56:33", datetime.datetime(2018, 1, 1, 10, 56, 33)),
        ("2018-01-01 10:56:33.5", datetime.datetime(2018, 1, 1, 10, 56, 33, 500000)),
        ("2018-01-01T10:56:33Z", datetime.datetime(2018, 1, 1, 8, 56, 33)),  # DST: two hours behind UTC
        ("2018-06-01T10:56:33Z", datetime.datetime(2018, 6, 1, 7, 56, 33)),
        ("2018-06-01 10:56:33-0300", datetime.datetime(2018, 6, 1, 10, 56, 33)),
        ("2018-06-01 10:56:33+02:00", datetime.datetime(2018, 6, 1, 5, 56, 33)),
        ("2018-11-04 00:00:00", datetime.datetime(2018, 11, 4)),  # the midnight that DST skipped
        ("2018-02-17 23:30:00", datetime.datetime(2018, 2, 17, 23, 30)),  # the hour that the end of DST repeats
    ],
)
def test_a_moment_may_be_spelt_in_several_ways(text: str, moment: datetime.datetime) -> None:
    assert checked([text], PURCHASE) == [moment]


@pytest.mark.parametrize(("table", "name"), EVERY_COLUMN)
def test_each_refused_value_has_a_reason_and_no_accepted_one_has(table: str, name: str) -> None:
    column = contract_of(table).column(name)
    odd = odd_values(column).map(text_of).filter(lambda text: text not in (None, ""))
    any_text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)

    @settings(max_examples=12, deadline=None)
    @given(st.lists(odd | LIKE_NUMBERS.filter(bool) | LIKE_MOMENTS | any_text, min_size=1))
    def holds(texts: list[str]) -> None:
        normal: Text = pa.array(texts, pa.string())
        for step in column.normalise:
            normal = step.apply(normal)
        refused = [text for text in normal.to_pylist() if text and judged([text], column) == [None]]
        if refused:
            masks = [mask for _, _, mask in explain(pa.array(refused, pa.string()), column)]
            assert np.any(masks, axis=0).all()
        checked(texts, column)

    holds()
