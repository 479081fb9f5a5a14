"""Refused records that are the same: in one batch, in several, and in two at once. Each is kept once, and counted."""

import re
from collections import Counter
from functools import partial
from typing import Any
from unittest import mock

import pandas as pd
import pytest
from django.db import connection
from django.utils import timezone

from core.postgres.array_literals import array_text
from core.postgres.planner import UNSORTED
from ingest.models import Batch, RejectedRecord, TotalPart
from ingest.posting import settle
from ingest.processing.frames import process_frame
from ingest.rejects import links, store
from ingest.rejects.describe import rejects_of
from ingest.rejects.file_names import FileNames
from ingest.rejects.merge import RejectOrigin
from olist.sources import SOURCES
from tests.support.api.client import ApiClient, Json, trusted
from tests.support.api.parcels import one_table, record, tagged
from tests.support.desk.plans import fill
from tests.support.loading.loads import hex_id, query
from tests.support.postgres.sessions import aside, transaction_elsewhere, wait_for_waiting

COLUMNS = [field.column for field in RejectedRecord._meta.concrete_fields if not field.generated]


@pytest.fixture
def api(committed: None) -> ApiClient:
    return trusted()


def bad(number: int) -> Json:
    """Return a record that is refused for two reasons."""
    return record("sellers", seller_id=hex_id(number), seller_state="XX", seller_zip_code_prefix="no")


def kept() -> list[tuple[Any, ...]]:
    """Return all that is kept of each reject but its number, its batches and its moments."""
    differing = {"id", "batch_id", "last_batch_id", "first_seen_at", "last_seen_at"}
    names = ", ".join(f'"{column}"' for column in COLUMNS if column not in differing)
    return query(f"select {names}, fingerprint, origin from ingest_rejectedrecord order by raw")


def rejects_by_code() -> Counter[str]:
    found: Counter[str] = Counter()
    for tally in TotalPart.objects.filter(series="rejects"):
        found[tally.detail] += tally.amount
    return found


def test_they_are_numbered_in_the_order_in_which_they_came(api: ApiClient) -> None:
    answer = api.post(one_table("sellers", *[bad(number) for number in (9, 3, 7, 1)]))
    numbers = [int(result["reject_id"]) for result in answer.json["results"]]
    assert numbers == sorted(numbers)
    assert list(RejectedRecord.objects.order_by("id").values_list("position", flat=True)) == [0, 1, 2, 3]


def test_one_that_is_known_is_seen_once_more_beside_one_that_is_new(api: ApiClient) -> None:
    first = api.post(one_table("sellers", bad(1), bad(2)))
    second = api.post(one_table("sellers", bad(2), bad(3), bad(3)))
    (_, two), (again, three, also_three) = ([r["reject_id"] for r in a.json["results"]] for a in (first, second))
    assert (again, also_three) == (two, three)
    seen = RejectedRecord.objects.order_by("natural_key").values_list("natural_key", "times_seen")
    assert list(seen) == [(hex_id(1), 1), (hex_id(2), 2), (hex_id(3), 2)]
    assert rejects_by_code() == {"invalid": 5, "invalid_choice": 5}


def test_one_that_another_batch_stores_at_the_same_time_is_seen_twice(api: ApiClient) -> None:
    api.post(one_table("sellers", bad(1)))
    names = ", ".join(f'"{column}"' for column in COLUMNS)
    with transaction_elsewhere() as other:
        other.execute(f"create temporary table kept as select {names} from ingest_rejectedrecord")
        other.connection.commit()
        RejectedRecord.objects.all().delete()
        other.execute(f"insert into ingest_rejectedrecord ({names}) select * from kept")
        with aside(partial(api.post, one_table("sellers", bad(1), bad(2)))) as (posting,):
            wait_for_waiting()  # it has seen neither
            other.connection.commit()
        answer = posting.result()
    numbers = {reject.natural_key: (str(reject.pk), reject.times_seen) for reject in RejectedRecord.objects.all()}
    assert [result["reject_id"] for result in answer.json["results"]] == [numbers[hex_id(1)][0], numbers[hex_id(2)][0]]
    assert [numbers[hex_id(number)][1] for number in (1, 2)] == [2, 1]


def pour(table: str, counted: int = 20) -> Batch:
    """Store 5,000 rejects and some, of which the planner has ``counted`` in its statistics."""
    batch = fill(counted)
    others = ", ".join(f'"{column}"' for column in COLUMNS if column not in {"id", "raw", "table", "natural_key"})
    query(
        f'insert into ingest_rejectedrecord (raw, "table", natural_key, {others})'
        f" select n::text::bytea, %s, n::text, {others}"
        " from ingest_rejectedrecord, generate_series(1000, 6000) n where position = 1 and batch_id = %s",
        table,
        batch.pk,
    )
    return batch


def planned(statement: str, facts: dict[str, Any]) -> str:
    with connection.cursor() as cursor:
        cursor.execute(statement, facts)
        return "\n".join(line for (line,) in cursor.fetchall())


@pytest.mark.parametrize("table", ["customers", "order_items", "zz"])
def test_known_ones_are_looked_up_by_their_key_whatever_the_statistics_say(db: None, table: str) -> None:
    pour(table)
    facts = {"table": table, "reading": "", "hashes": array_text(["00" * 32] * 500), "count": 500}
    plan = planned(f"{UNSORTED}; explain {store._KNOWN}", facts)
    assert re.findall(r"Scan using (\w+)", plan) == ["ingest_reject_key"]
    (condition,) = re.findall(r"Index Cond: (.*)", plan)
    assert re.search(r"\"table\" = .* AND \(raw_sha256 = ANY", condition)  # each is gone to, and nothing walked through
    assert "Sort" not in plan


@pytest.mark.parametrize("table", ["customers", "order_items", "zz"])
@pytest.mark.parametrize("counted", [1, 20])
def test_rejects_are_found_by_their_natural_keys_whatever_the_statistics_say(
    db: None, table: str, counted: int
) -> None:
    batch = pour(table, counted)
    keys = array_text(range(1000, 1500))
    facts = {"table": table, "keys": keys, "batch": batch.pk, "now": batch.started_at}
    settling = {"written": keys, "awaited": "{}", "now": timezone.now(), "why": "", "replayed": []}
    for statement, more in ((links._OF_THE_BATCH, {}), (settle._SETTLE, settling)):
        plan = planned(f"{UNSORTED}; explain {statement}", facts | more)
        (condition,) = re.findall(r"ingest_reject_natural_key.*\n *Index Cond: (.*)", plan)
        assert re.search(r'"table"\)?.* = .* AND \(natural_key = ANY', condition)
        assert not re.search(r"ingest_reject_key|Sort", plan)


ITEMS_AND_PARENTS = {
    "records": [
        tagged("products", product_weight_g="x"),
        {"table": "sellers", "data": bad(2)},
        {"table": "sellers", "data": bad(2) | {"seller_city": "rio"}},  # another record with the same key
        tagged("order_items", order_item_id=1, product_id=hex_id(1), seller_id=hex_id(2)),
        tagged("order_items", order_item_id=9, product_id=hex_id(9), seller_id=hex_id(2)),
    ]
}


def linked() -> dict[int, int | None]:
    """Return the positions of rejected items, each with that of its parent."""
    rows = RejectedRecord.objects.filter(table="order_items").select_related("parent")
    return {reject.position: reject.parent.position if reject.parent else None for reject in rows}


def test_a_child_is_linked_to_the_first_of_its_parents_as_it_is_stored(api: ApiClient) -> None:
    with mock.patch.object(store, "link", side_effect=AssertionError):  # none is updated
        api.post(ITEMS_AND_PARENTS)
    assert linked() == {3: 1, 4: 1}


def test_a_child_that_is_known_is_linked_to_the_first_of_its_parents_too(api: ApiClient) -> None:
    api.post(ITEMS_AND_PARENTS)
    RejectedRecord.objects.update(parent=None)
    api.post(ITEMS_AND_PARENTS)
    assert linked() == {3: 1, 4: 1}


def test_straight_into_the_table_or_merged_into_it_the_same_is_kept(api: ApiClient) -> None:
    orphans = [record("orders", order_id=hex_id(number), customer_id=hex_id(99)) for number in range(3)]
    batches = [one_table("sellers", *map(bad, (0, 1, 1, 2, 0))), one_table("orders", *orphans, *orphans[:1])]
    ways = []
    for way in (store._add, lambda *_: None):  # None: as if another batch had been the first
        RejectedRecord.objects.all().delete()
        with mock.patch.object(store, "_add", way):
            numbers = [[r["reject_id"] for r in api.post(batch).json["results"]] for batch in batches]
        known = {str(reject.pk): bytes(reject.raw) for reject in RejectedRecord.objects.all()}
        ways.append((kept(), [[known[number] for number in each] for each in numbers]))
    assert ways[0] == ways[1]
    assert len(ways[0][0]) == 6


def test_of_one_file_in_several_chunks_each_is_kept_once(db: None) -> None:
    contract = next(source.contract for source in SOURCES if source.table == "sellers")
    rejects = rejects_of(process_frame(pd.DataFrame([bad(1), bad(2), bad(1)]), contract), contract)
    batch = Batch.objects.create(origin="load", app_version="1")
    origin = RejectOrigin(batch=batch.pk, contract=contract, now=timezone.now(), files=FileNames(("sellers.csv",)))
    with mock.patch.object(store, "CHUNK_ROWS", 1), connection.cursor() as cursor:
        chunks = [rejects.slice(number, 1).combine_chunks().to_batches()[0] for number in range(3)]
        assert store.store_rejects(cursor, chunks, origin) == 3
    seen = RejectedRecord.objects.order_by("natural_key").values_list("natural_key", "times_seen", "position")
    assert list(seen) == [(hex_id(1), 2, 0), (hex_id(2), 1, 1)]
    assert rejects_by_code() == {"invalid": 3, "invalid_choice": 3}
