"""Signs turn a file's text into records: what a file means under them, posted as JSON, gives the load's verdict."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ingest.models import RejectedRecord
from tests.support.api.client import ApiClient, trusted
from tests.support.loading.loads import BY_NAME, PLAIN, Row, hex_id, load_json, query, write_csv

pytestmark = pytest.mark.usefixtures("committed")


PARENTS = ("product_category_name_translation", "customers", "sellers", "products", "orders")


@dataclass(frozen=True)
class Case:
    """Cells of one ``table`` as a file writes them and as they are meant, which is how JSON says them.

    ``options``: of the load; ``style``: how the file is written, as ``csv.writer`` names it.
    """

    table: str
    written: Row
    meant: dict[str, str | None]
    options: str = ""
    style: dict[str, Any] = field(default_factory=dict)


APPROVED, ESTIMATED = "order_approved_at", "order_estimated_delivery_date"
ZULU = "2018-03-01T13:00:00Z"
# A sign more is a line more.
CASES = {
    "times wall": Case("orders", {APPROVED: ZULU}, {APPROVED: "2018-03-01T13:00:00"}, "--times wall"),
    "times wall, spelled": Case("orders", {APPROVED: " 20180301T1300Z"}, {APPROVED: " 20180301T1300"}, "--times wall"),
    "times wall, no day": Case(
        "orders", {APPROVED: "2018-02-30 1:00Z"}, {APPROVED: "2018-02-30 1:00Z"}, "--times wall"
    ),
    "times instant": Case("orders", {APPROVED: ZULU}, {APPROVED: ZULU}, "--times instant"),
    "times of the local clock": Case("orders", {APPROVED: "2018-03-01T10:00-03"}, {APPROVED: "2018-03-01T10:00-03"}),
    "midnight": Case("orders", {ESTIMATED: "2018-03-02"}, {ESTIMATED: "2018-03-02 00:00:00"}),
    "midnight that is no day": Case("orders", {ESTIMATED: "2018-02-30"}, {ESTIMATED: "2018-02-30 00:00:00"}),
}


def records(table: str, cells: dict[str, Any]) -> list[dict[str, Any]]:
    """Write records with those cells: a good one, one that is stored with other content, a faulty one, an orphan."""
    key = next(iter(PLAIN[table]))
    fates: list[dict[str, Any]] = [{key: hex_id(1)}, {key: hex_id(5)}, {key: "x"}]
    if "customer_id" in PLAIN[table]:
        fates.append({key: hex_id(6), "customer_id": hex_id(7)})
    return [{**PLAIN[table], **cells, **fate} for fate in fates]


def outcome(table: str) -> tuple[list[Any], list[Any]]:
    rows = query(f"select {', '.join(PLAIN[table])} from olist_{table} order by 1")
    told = [(reject.record, reject.reasons, reject.stage, reject.waits_for) for reject in RejectedRecord.objects.all()]
    return rows, sorted(told, key=repr)


def begin(table: str) -> ApiClient:
    """Store the parents, and a record with another content; forget all that was done before."""
    query("truncate olist_customers, olist_sellers, olist_products, olist_geolocation cascade")
    query("truncate olist_product_category_name_translation, ingest_rejectedrecord, ingest_batch, auth_user cascade")
    api = trusted()
    stored = [(name, PLAIN[name]) for name in PARENTS] + [
        (table, {**PLAIN[table], next(iter(PLAIN[table])): hex_id(5)})
    ]
    answer = api.post({"records": [{"table": name, "data": record} for name, record in stored]})
    assert answer.status == 201, answer
    return api


@pytest.mark.parametrize("case", CASES)
def test_what_a_file_means_posted_as_json_gets_the_verdict_of_the_load(case: str, tmp_path: Path) -> None:
    told = CASES[case]
    begin(told.table)
    names = list(PLAIN[told.table])
    cells = ([record[name] for name in names] for record in records(told.table, told.written))
    write_csv(tmp_path / BY_NAME[told.table].file_name, names, cells, **told.style)
    load_json(tmp_path, "--table", told.table, *told.options.split())
    by_load = outcome(told.table)
    begin(told.table).post({"table": told.table, "records": records(told.table, told.meant)})
    assert by_load == outcome(told.table)
    assert by_load[1], "a verdict without a reject says little"
