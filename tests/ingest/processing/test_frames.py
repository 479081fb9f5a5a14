"""A notebook's DataFrame through ``process``: the same verdicts as for a file."""

import datetime
import json
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ingest.processing.frames import process_frame
from ingest.processing.process import Verdict
from tests.support.rules.specimens import CUSTOMER, ITEM, ORDER, REVIEW, told
from tests.support.rules.verdicts import contract_of, partition


def of_frame(table: str, frame: pd.DataFrame) -> Verdict:
    result = process_frame(frame, contract_of(table))
    partition(result)
    return result


def frame_of(*records: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(list(records))


def test_a_frame_of_typed_columns_passes() -> None:
    item = ITEM | {
        "order_item_id": 1,
        "price": 58.9,
        "freight_value": 13.29,
        "shipping_limit_date": pd.Timestamp("2017-10-06 11:07:15"),
    }
    result = of_frame("order_items", frame_of(item, item | {"order_item_id": 2, "price": 12.5}))
    assert told(result) == []
    assert result.rows["price"].to_pylist() == [Decimal("58.90"), Decimal("12.50")]
    assert result.rows["shipping_limit_date"].to_pylist() == [datetime.datetime(2017, 10, 6, 11, 7, 15)] * 2


@pytest.mark.parametrize("missing", [None, np.nan, pd.NaT, pd.NA], ids=repr)
def test_what_pandas_calls_missing_is_null(missing: object) -> None:
    result = of_frame("orders", frame_of(ORDER, ORDER | {"order_id": "f" * 32, "order_approved_at": missing}))
    assert result.rows["order_approved_at"].to_pylist()[1] is None
    assert told(of_frame("orders", frame_of(ORDER, ORDER | {"order_status": missing}))) == [
        ("order_status", "null", None)
    ]


def test_whole_numbers_that_pandas_made_floats_are_whole_numbers() -> None:
    products = pd.DataFrame({"product_id": ["a" * 32, "b" * 32], "product_photos_qty": [51, np.nan]})
    assert products["product_photos_qty"].dtype == float
    assert of_frame("products", products).rows["product_photos_qty"].to_pylist() == [51, None]


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (np.inf, "invalid"),
        (-np.inf, "invalid"),
        (1.5, "invalid"),
        (6.0, "max_value"),
        (np.nan, "null"),
        (1e300, "invalid"),
    ],
)
def test_a_float_that_is_no_whole_number_in_the_bounds_is_refused(value: float, code: str) -> None:
    reviews = frame_of(REVIEW | {"review_score": 4.0}, REVIEW | {"review_score": value, "review_id": "f" * 32})
    ((field, found, _),) = told(of_frame("order_reviews", reviews))
    assert (field, found) == ("review_score", code)


def test_a_float_with_more_decimals_than_money_has_is_refused() -> None:
    assert [code for _, code, _ in told(of_frame("order_items", frame_of(ITEM | {"price": 0.1 + 0.2})))] == [
        "max_decimal_places"
    ]


@pytest.mark.parametrize("dtype", ["bool", "boolean", "object"])
def test_a_boolean_is_no_number(dtype: str) -> None:
    reviews = frame_of(REVIEW)
    reviews["review_score"] = pd.Series([True], dtype=dtype)
    assert [(field, code) for field, code, _ in told(of_frame("order_reviews", reviews))] == [
        ("review_score", "invalid")
    ]


def test_an_unknown_column_refuses_each_record_by_name() -> None:
    frame = frame_of(ORDER, ORDER).assign(colour="red")
    assert [(field, code) for field, code, _ in told(of_frame("orders", frame))] == [("colour", "unknown_field")] * 2


def test_a_missing_column_is_required_unless_it_may_be_null() -> None:
    frame = frame_of(ORDER)[["order_id", "customer_id", "order_purchase_timestamp", "order_estimated_delivery_date"]]
    assert told(of_frame("orders", frame)) == [("order_status", "required", None)]


def test_columns_may_come_in_any_order_and_the_index_is_no_matter() -> None:
    frame = frame_of(ORDER, ORDER | {"order_id": "f" * 32}).iloc[:, ::-1].set_index(pd.Index([7, 7]))
    assert of_frame("orders", frame).source.tolist() == [0, 1]


def test_a_moment_with_a_zone_becomes_local_time() -> None:
    utc = pd.Timestamp("2017-10-02 13:56:33", tz="UTC")
    result = of_frame("orders", frame_of(ORDER | {"order_purchase_timestamp": utc}))
    assert result.rows["order_purchase_timestamp"].to_pylist() == [datetime.datetime(2017, 10, 2, 10, 56, 33)]
    assert result.repairs == {"local_time": 1}


def test_fractions_of_a_second_survive_and_nanoseconds_are_not_cut_silently() -> None:
    half = pd.Timestamp("2017-10-06 11:07:15.5")
    result = of_frame("order_items", frame_of(ITEM | {"shipping_limit_date": half}))
    assert result.rows["shipping_limit_date"].to_pylist() == [half.to_pydatetime()]
    finer = frame_of(ITEM | {"shipping_limit_date": pd.Timestamp("2017-10-06 11:07:15.000000001")})
    assert [code for _, code, _ in told(of_frame("order_items", finer))] == ["invalid"]


@pytest.mark.parametrize("fraction", ["", ".25"])
def test_a_moment_with_a_zone_keeps_its_fraction(fraction: str) -> None:
    utc = pd.Timestamp(f"2017-10-06 14:07:15{fraction}", tz="UTC")
    result = of_frame("order_items", frame_of(ITEM | {"shipping_limit_date": utc}))
    assert [str(moment) for moment in result.rows["shipping_limit_date"].to_pylist()] == [
        str(utc.tz_convert("America/Sao_Paulo").tz_localize(None))
    ]


def test_objects_of_decimal_and_datetime_and_categories_are_read() -> None:
    item = ITEM | {"price": Decimal("12.50"), "shipping_limit_date": datetime.datetime(2017, 10, 6)}
    result = of_frame("order_items", frame_of(item).astype({"seller_id": "category"}))
    assert told(result) == []
    assert result.rows["price"].to_pylist() == [Decimal("12.50")]


def test_values_of_several_types_in_one_column_are_judged_one_by_one() -> None:
    frame = frame_of(*({**ITEM, "order_item_id": value} for value in (1, "2", 3.0, "four", None, True)))
    assert [(reason["position"], reason["code"]) for reason in of_frame("order_items", frame).reasons.to_pylist()] == [
        (3, "invalid"),
        (4, "null"),
        (5, "invalid"),
    ]


def test_a_lone_surrogate_is_a_reason_and_no_traceback() -> None:
    frame = pd.DataFrame([CUSTOMER, CUSTOMER | {"customer_city": "a\ud800b"}], dtype=object)
    assert [code for _, code, _ in told(of_frame("customers", frame))] == ["surrogate_characters_not_allowed"]


@pytest.mark.parametrize("comment", ["a\nb", "a\u2028b", "a\x85b", "a\x0bb", "a\r\nb", "a\x1cb"], ids=ascii)
def test_the_raw_record_belongs_to_its_row_whatever_line_breaks_are_in_it(comment: str) -> None:
    frame = frame_of(REVIEW | {"review_comment_message": comment}, REVIEW | {"review_id": "f" * 32})
    result = of_frame("order_reviews", frame)
    assert result.rows["review_comment_message"].to_pylist() == [comment, "ok"]
    raw = [json.loads(record or b"") for record in result.records.exact().to_pylist()]
    assert [record["review_comment_message"] for record in raw] == [comment, "ok"]


@pytest.mark.parametrize("frame", [pd.DataFrame(), frame_of(ORDER).iloc[:0]], ids=["nothing", "no rows"])
def test_an_empty_frame_has_no_records(frame: pd.DataFrame) -> None:
    result = of_frame("orders", frame)
    assert (result.read, result.rows.num_rows) == (0, 0)


def test_a_frame_without_any_column_of_the_table_is_refused_record_by_record() -> None:
    result = of_frame("orders", pd.DataFrame({"x": [1, 2]}))
    assert result.rejected == 2
    assert {code for _, code, _ in told(result)} == {"unknown_field", "required"}


def test_two_columns_of_one_name_are_named_in_the_error() -> None:
    frame = frame_of(ORDER)
    frame.columns = pd.Index(["order_id", "order_id", *frame.columns[2:]])
    with pytest.raises(ValueError, match="order_id"):
        of_frame("orders", frame)
