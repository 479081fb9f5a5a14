"""Characters that nobody sees are refused by name in ids, names and choices, and kept in prose."""

import pyarrow as pa
import pytest
from django.db import IntegrityError, transaction

from ingest.processing.process import process
from ingest.processing.records import Records
from ingest.rules.json_schema import json_schema
from tests.support.loading.loads import PLAIN, Row, hex_id, query
from tests.support.rules.verdicts import contract_of

INVISIBLE = [
    *("\u200b\u200e\u200f\u2060\ufeff"),
    *map(chr, range(0x202A, 0x202F)),
    *map(chr, range(0x2066, 0x206A)),
]
VISIBLE_IN_EFFECT = "\u200c\u200d"  # joiners: they change how letters around them look


def said(table: str, field: str, *values: str) -> list[tuple[str, str]]:
    """Return code and message for each of ``values`` that is refused."""
    rows: list[Row] = [{**PLAIN[table], field: value} for value in values]
    records = Records(
        columns=pa.Table.from_pylist(rows, pa.schema([(name, pa.string()) for name in PLAIN[table]])),
        position=pa.array(range(len(rows)), pa.int64()),
        raw=pa.array([b""] * len(rows), pa.binary()),
    )
    reasons = process(records, contract_of(table)).reasons.sort_by("position")
    return [(str(reason["code"]), str(reason["message"])) for reason in reasons.to_pylist()]


def held(code_point: str, place: int) -> str:
    return f"The value holds {code_point}, an invisible character, at character {place}: take it out."


@pytest.mark.parametrize("mark", INVISIBLE, ids=ascii)
@pytest.mark.parametrize(
    ("table", "field", "value", "code"),
    [
        ("orders", "order_id", hex_id(1), "invalid"),
        ("customers", "customer_zip_code_prefix", "01037", "invalid"),
        ("customers", "customer_city", "rio", "invalid"),
        ("customers", "customer_state", "SP", "invalid_choice"),
        ("products", "product_category_name", "beleza", "invalid"),
        ("orders", "order_status", "delivered", "invalid_choice"),
        ("order_payments", "payment_type", "boleto", "invalid_choice"),
    ],
)
def test_an_invisible_character_is_named_with_its_place(
    table: str, field: str, value: str, code: str, mark: str
) -> None:
    point = f"U+{ord(mark):04X}"
    values = [f"{mark}{value}", f"{value[:2]}{mark}{value[2:]}", f"{value}{mark}{mark}"]
    places = [1, 3, len(value) + 1]
    assert said(table, field, *values) == [(code, held(point, place)) for place in places]


def test_places_are_counted_in_characters_and_other_faults_keep_their_words() -> None:
    assert said("customers", "customer_city", "são\u200b", "a\x01b", "açaí\u2060\u200b", " rio\ufeff") == [
        ("invalid", held("U+200B", 4)),
        ("invalid", "Enter one line of text without control or invisible characters."),
        ("invalid", held("U+2060", 5)),
        ("invalid", held("U+FEFF", 4)),
    ]


def test_joiners_and_prose_are_left_alone() -> None:
    assert [said("customers", "customer_city", f"a{mark}b") for mark in VISIBLE_IN_EFFECT] == [[]] * 2
    assert [said("order_reviews", "review_comment_message", f"a{mark}b") for mark in INVISIBLE] == [[]] * len(INVISIBLE)
    assert said("order_reviews", "review_comment_title", "\u200b") == []


@pytest.mark.django_db
@pytest.mark.parametrize("mark", [*INVISIBLE, *VISIBLE_IN_EFFECT], ids=ascii)
def test_the_table_and_the_schema_refuse_the_same(mark: str) -> None:
    name, insert = f"bel{mark}eza", "insert into olist_product_category_name_translation values (%s, null)"
    if mark in VISIBLE_IN_EFFECT:
        query(insert, name)
    else:
        with pytest.raises(IntegrityError), transaction.atomic():
            query(insert, name)
    pattern = json_schema(contract_of("product_category_name_translation"))["properties"]["product_category_name"]
    assert query("select %s ~ %s", name, pattern["pattern"]) == [(mark in VISIBLE_IN_EFFECT,)]
