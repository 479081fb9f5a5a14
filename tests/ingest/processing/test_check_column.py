"""Codes, repairs and what is left alone: one bad value at a time, through ``process``."""

import pyarrow as pa
import pytest

from ingest.processing.process import process
from ingest.processing.reasons import BLANK, NULL, REQUIRED
from ingest.processing.records import FAULT_SCHEMA, UNREADABLE_SCHEMA, Records
from tests.support.rules.specimens import GOOD, ID, ITEM, ORDER, OTHER, Refused, processed, told
from tests.support.rules.verdicts import contract_of, partition, records_of


def one_wrong(table: str, field: str, value: str | None) -> list[tuple[str | None, str, str | None]]:
    return told(processed(table, GOOD[table] | {field: value}))


@pytest.mark.parametrize("table", GOOD)
def test_a_good_record_passes_without_a_word(table: str) -> None:
    result = processed(table, GOOD[table])
    assert (result.rows.num_rows, result.repairs, told(result)) == (1, {}, [])


@pytest.mark.parametrize(
    ("table", "field", "value", "codes"),
    [
        ("orders", "order_id", None, ["null"]),
        ("orders", "order_id", "", ["blank"]),
        ("orders", "order_id", " \u00a0\u2028", ["blank"]),
        ("orders", "order_id", "0" * 31, ["invalid"]),
        ("orders", "order_id", "0" * 33, ["invalid"]),
        ("orders", "order_id", "0" * 31 + "g", ["invalid"]),
        ("orders", "order_id", "0" * 31 + "\x00", ["null_characters_not_allowed"]),
        ("orders", "order_status", "teleported", ["invalid_choice"]),
        ("orders", "order_status", "DELIVERED", ["invalid_choice"]),
        ("orders", "order_purchase_timestamp", "2018-02-30 00:00:00", ["invalid"]),
        ("orders", "order_purchase_timestamp", "10/2/2017 10:56", ["invalid"]),
        ("order_items", "price", "-0.01", ["min_value"]),
        ("order_items", "price", "100000000.00", ["max_digits"]),
        ("order_items", "price", "12.505", ["max_decimal_places"]),
        ("order_items", "price", "12,50", ["invalid"]),
        ("order_items", "order_item_id", "0", ["min_value"]),
        ("order_items", "order_item_id", "1.5", ["invalid"]),
        ("order_items", "order_item_id", "9" * 400, ["max_value"]),
        ("order_reviews", "review_score", "6", ["max_value"]),
        ("order_reviews", "review_comment_title", "a" * 201, ["max_length"]),
        ("order_reviews", "review_comment_message", "a\x00b", ["null_characters_not_allowed"]),
        ("customers", "customer_city", "a" * 101, ["max_length"]),
        ("customers", "customer_city", "rio\nclaro", ["invalid"]),
        ("customers", "customer_city", "rio\x01" + "o" * 100, ["max_length", "invalid"]),
        ("customers", "customer_state", "XX", ["invalid_choice"]),
        ("customers", "customer_zip_code_prefix", "103", ["invalid"]),
        ("customers", "customer_zip_code_prefix", "01037-000", ["invalid"]),
        ("customers", "customer_zip_code_prefix", "\uff10\uff11\uff10\uff13\uff17", ["invalid"]),
    ],
)
def test_a_wrong_value_gets_its_codes_with_the_field_and_the_value_as_it_came(
    table: str, field: str, value: str | None, codes: list[str]
) -> None:
    assert one_wrong(table, field, value) == [(field, code, value) for code in codes]


def test_an_absent_member_is_required_an_explicit_null_is_null_and_an_empty_text_blank() -> None:
    absent = {name: value for name, value in ORDER.items() if name != "order_status"}
    result = processed("orders", absent, ORDER | {"order_status": None}, ORDER | {"order_status": ""})
    assert [(reason["code"], reason["message"]) for reason in result.reasons.to_pylist()] == [
        ("required", REQUIRED),
        ("null", NULL),
        ("blank", BLANK),
    ]


def test_what_may_be_null_may_be_absent_null_or_empty() -> None:
    absent = {name: value for name, value in ORDER.items() if name != "order_approved_at"}
    result = processed(
        "orders",
        absent,
        *(
            ORDER | {"order_id": key * 32, "order_approved_at": value}
            for key, value in (("1", None), ("2", ""), ("3", "  "))
        ),
    )
    assert result.rows["order_approved_at"].to_pylist() == [None] * 4


def test_all_reasons_of_a_record_are_told() -> None:
    wrong: dict[str, str | None] = {
        "order_id": "x",
        "order_status": "",
        "order_purchase_timestamp": "2018-13-01 00:00:00",
    }
    assert told(processed("orders", ORDER, ORDER | wrong)) == [
        ("order_id", "invalid", "x"),
        ("order_status", "blank", ""),
        ("order_purchase_timestamp", "invalid", "2018-13-01 00:00:00"),
    ]


def test_a_broken_rule_between_columns_names_its_constraint_and_a_bad_value_elsewhere_hides_it_not() -> None:
    result = processed("orders", ORDER | {"order_status": "?", "order_approved_at": "2017-10-02 10:56:32"})
    invalid, check = result.reasons.to_pylist()
    assert invalid["code"] == "invalid_choice"
    assert invalid["constraint"] is None
    assert (check["code"], check["constraint"]) == ("check", "olist_orders_approved_after_purchase")
    assert check["message"] == "An order cannot be approved before its purchase."
    assert "order_approved_at=2017-10-02 10:56:32" in check["value"]


def test_all_broken_rules_between_columns_are_told() -> None:
    late = ORDER | {"order_purchase_timestamp": "2019-01-01 00:00:00"}
    assert [code for _, code, _ in told(processed("orders", late))] == ["check"] * 3


def test_a_rule_between_columns_is_not_judged_on_a_value_that_was_refused() -> None:
    assert told(processed("orders", ORDER | {"order_purchase_timestamp": "9999"})) == [
        ("order_purchase_timestamp", "invalid", "9999")
    ]


def test_a_parcel_may_be_with_the_carrier_before_the_purchase() -> None:
    assert told(processed("orders", ORDER | {"order_delivered_carrier_date": "2017-10-01 00:00:00"})) == []


def test_a_missing_parent_and_a_rejected_one_are_told_apart_for_every_reference() -> None:
    item = ITEM | {"order_id": OTHER}
    assert sorted(told(processed("order_items", item, lookups=Refused(OTHER)))) == [
        ("order_id", "parent_rejected", OTHER),
        ("product_id", "does_not_exist", ID),
        ("seller_id", "does_not_exist", ID),
    ]


def test_a_missing_parent_is_named_with_its_table() -> None:
    (reason,) = processed("orders", ORDER, lookups=Refused()).reasons.to_pylist()
    assert "customers" in reason["message"]


def test_a_parent_that_may_be_added_is_adopted_instead() -> None:
    product: dict[str, str | None] = {"product_id": ID, "product_category_name": " pc_gamer"}
    result = processed("products", product, lookups=Refused(), adopts=("product_category_name",))
    assert told(result) == []
    assert result.adopted["product_category_name"].to_pylist() == ["pc_gamer"]


def test_a_reference_that_is_null_needs_no_parent() -> None:
    assert told(processed("products", {"product_id": ID}, lookups=Refused())) == []


def test_the_same_record_again_is_a_duplicate_and_other_content_under_its_key_is_refused() -> None:
    again, other = ORDER | {"order_id": ID.upper()}, ORDER | {"order_status": "shipped"}
    result = processed("orders", ORDER, again, other)
    assert (result.source.tolist(), result.duplicates.tolist()) == ([0], [1])
    (reason,) = result.reasons.to_pylist()
    assert (reason["position"], reason["field"], reason["code"], reason["value"]) == (3, "order_id", "unique", ID)


@pytest.mark.parametrize(
    ("table", "field", "value", "kept", "rules"),
    [
        ("orders", "order_id", ID.upper(), ID, {"lower"}),
        ("orders", "order_id", f" {ID}\n", ID, {"trim"}),
        ("orders", "order_id", f"\u00a0{ID.upper()}\u2028", ID, {"trim", "lower"}),
        ("orders", "order_status", "delivered\r", "delivered", {"trim"}),
        ("customers", "customer_state", "sp", "SP", {"upper"}),
        ("customers", "customer_city", "sa\u0303o paulo", "são paulo", {"nfc"}),
        ("customers", "customer_city", "\tsa\u0303o paulo ", "são paulo", {"trim", "nfc"}),
        ("customers", "customer_zip_code_prefix", "1037", "01037", {"leading_zero"}),
        ("customers", "customer_zip_code_prefix", "1037.0", "01037", {"integral", "leading_zero"}),
        ("customers", "customer_zip_code_prefix", "13056.0", "13056", {"integral"}),
        ("order_items", "order_item_id", "51.0", 51, {"integral"}),
        ("order_items", "order_item_id", " 51.000", 51, {"trim", "integral"}),
    ],
)
def test_a_safe_spelling_is_repaired_and_counted_by_rule_and_the_raw_value_stays(
    table: str, field: str, value: str, kept: object, rules: set[str]
) -> None:
    result = processed(table, GOOD[table] | {field: value})
    assert result.rows[field].to_pylist() == [kept]
    assert result.repairs == dict.fromkeys(rules, 1)
    assert result.records.columns[field].to_pylist() == [value]


def test_a_moment_with_an_offset_is_a_repair() -> None:
    result = processed("orders", ORDER | {"order_purchase_timestamp": "2017-10-02T13:56:33Z"})
    assert result.repairs == {"local_time": 1}
    assert [str(moment) for moment in result.rows["order_purchase_timestamp"].to_pylist()] == ["2017-10-02 10:56:33"]


@pytest.mark.parametrize(
    ("table", "field", "value"),
    [
        ("order_reviews", "review_comment_message", "  Recebi\r\n\r\nbem antes\t \n"),
        ("order_reviews", "review_comment_message", " "),
        ("order_reviews", "review_comment_title", "\u00a0\U0001f600\u2028"),
        ("customers", "customer_city", "sao  paulo - sp"),
        ("customers", "customer_city", "SÃO PAULO"),
        ("customers", "customer_city", "\u00b4teresopolis"),
        ("customers", "customer_city", "são\u200dpaulo"),
    ],
)
def test_content_is_never_changed(table: str, field: str, value: str) -> None:
    result = processed(table, GOOD[table] | {field: value})
    assert (result.rows[field].to_pylist(), result.repairs) == ([value], {})


@pytest.mark.parametrize("value", ["12.5", "13.2", "12.500", "12", "0012.50"])
def test_another_spelling_of_a_number_is_no_repair(value: str) -> None:
    assert processed("order_items", ITEM | {"price": value}).repairs == {}


def test_a_record_that_is_refused_all_the_same_counts_no_repair() -> None:
    assert processed("orders", ORDER | {"order_id": ID.upper(), "order_status": "?"}).repairs == {}


def test_a_value_with_a_fault_of_its_format_gets_that_reason_alone() -> None:
    contract = contract_of("orders")
    records = records_of(contract, [ORDER | {"order_status": None}, ORDER | {"order_id": OTHER}])
    faults = pa.table(
        [
            [0, 1],
            ["order_status", "colour"],
            ["invalid", "unknown_field"],
            ["Not a text.", "No such field."],
            ["true", "1"],
        ],
        schema=FAULT_SCHEMA,
    )
    result = process(
        Records(columns=records.columns, position=records.position, raw=records.raw, faults=faults), contract
    )
    partition(result)
    assert told(result) == [("order_status", "invalid", "true"), ("colour", "unknown_field", "1")]


def test_a_record_without_fields_is_read_and_rejected() -> None:
    contract = contract_of("orders")
    records = records_of(contract, [ORDER])
    unreadable = pa.table([[2], [3], [b"a,b"], ["ragged_row"], ["2 fields instead of 8."]], schema=UNREADABLE_SCHEMA)
    result = process(
        Records(columns=records.columns, position=records.position, raw=records.raw, unreadable=unreadable), contract
    )
    assert (result.read, result.rows.num_rows, result.rejected) == (2, 1, 1)
