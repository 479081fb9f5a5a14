"""What a file means by its signs, posted as JSON, gets the load's verdict."""

from pathlib import Path
from typing import Any

import pytest

from ingest.models import RejectedRecord
from ingest.rules.sources import find_source
from tests.support.api.client import ApiClient, trusted
from tests.support.loading.loads import PLAIN, Row, hex_id, load_json, query, write_files

pytestmark = pytest.mark.usefixtures("committed")

WORD = r"\N"
PARENTS: dict[str, list[Row]] = {"product_category_name_translation": [{}], "customers": [{}], "orders": [{}]}
WORDS: dict[str, list[Row]] = {
    "products": [
        {"product_weight_g": WORD},
        {"product_id": hex_id(2), "product_category_name": WORD, "product_length_cm": WORD},
        {"product_id": WORD},
    ],
    "orders": [
        {"order_id": hex_id(8), "order_approved_at": WORD, "order_status": WORD},
        {"order_id": hex_id(9), "order_approved_at": WORD, "customer_id": hex_id(99)},
        {"order_id": hex_id(7), "order_purchase_timestamp": WORD},
    ],
    "order_reviews": [
        {"review_comment_title": WORD, "review_comment_message": WORD},
        {"review_id": hex_id(2), "review_comment_title": WORD, "review_score": WORD},
    ],
}


def post(client: ApiClient, tables: dict[str, list[Row]], *, word: str = "") -> None:
    """Post the records, with null for ``word`` wherever null may be."""
    for table, changes in tables.items():
        source = find_source(table)
        assert source is not None
        may_be_null = {column.name for column in source.contract.columns if column.null}
        records = [
            {name: None if word and cell == word and name in may_be_null else cell for name, cell in record.items()}
            for record in ({**PLAIN[table], **change} for change in changes)
        ]
        client.post({"table": table, "records": records})


def outcome() -> tuple[list[Any], list[Any]]:
    """Return the rows of the tables, and what is known of the rejects."""
    rows = [query(f"select {', '.join(PLAIN[table])} from olist_{table} order by 1") for table in WORDS]
    rejects = RejectedRecord.objects.order_by("table", "natural_key")
    return rows, [(reject.table, reject.natural_key, reject.record, reject.reasons) for reject in rejects]


def test_a_word_for_null_gets_the_verdict_of_null(tmp_path: Path) -> None:
    client = trusted()
    post(client, PARENTS)
    load_json(write_files(tmp_path, WORDS), *(option for table in WORDS for option in ("--table", table)))
    by_load = outcome()
    query("truncate olist_products, olist_orders, ingest_rejectedrecord cascade")
    post(client, {"orders": [{}]})
    post(client, WORDS, word=WORD)
    assert outcome() == by_load
    assert [len(rows) for rows in by_load[0]] == [2, 1, 1]
    assert len(by_load[1]) == 5
