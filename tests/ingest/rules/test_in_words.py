"""Rules in words: one sentence a column, one message a rule between columns."""

import pytest

from ingest.rules.contract import Contract
from ingest.rules.in_words import rules_in_words
from tests.support.rules.kinds import CONTRACTS

A_MOMENT = "Enter a date and time as YYYY-MM-DD HH:MM:SS"


@pytest.mark.parametrize(
    ("table", "column", "words"),
    [
        ("orders", "customer_id", "Enter 32 hexadecimal digits (0-9, a-f), the key of a record of customers."),
        ("order_payments", "payment_type", "Choose one of: credit_card, boleto, voucher, debit_card, not_defined."),
        ("orders", "order_approved_at", f"{A_MOMENT}, without a zone; it may be left empty."),
        ("orders", "order_purchase_timestamp", f"{A_MOMENT}, without a zone."),
        ("order_reviews", "review_score", "Enter a whole number from 1 to 5."),
        ("order_items", "price", "Enter a number from 0 to 99999999.99 in plain digits, with at most 2 decimals."),
        ("geolocation", "geolocation_lat", "Enter a number from -90 to 90."),
        (
            "sellers",
            "seller_city",
            "Enter one line of text without control or invisible characters, at most 100 characters.",
        ),
        ("every kind", "text", "Enter text; it may be left empty."),
    ],
)
def test_a_rule_in_words_is_one_sentence(table: str, column: str, words: str) -> None:
    assert rules_in_words(CONTRACTS[table]).columns[column] == words


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS)
def test_every_column_and_every_row_check_is_put_into_words(contract: Contract) -> None:
    words = rules_in_words(contract)
    assert tuple(words.columns) == contract.names
    assert all(sentence.endswith(".") for sentence in words.columns.values())
    assert words.checks == {check.name: check.message for check in contract.row_checks}
