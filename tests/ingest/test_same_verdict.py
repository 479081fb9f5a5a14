"""One rulebook: load, endpoint and replay give the same rows and the same reasons for the same records."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.models import OUTCOMES, Account, Batch, RejectedRecord
from ingest.posting.unit import Origin
from ingest.readers.csv.file import CsvFile
from ingest.replaying.replay import Replay, run, unit_of
from ingest.rules.on_conflict import OnConflict
from ingest.rules.sources import find_source
from tests.support.api.client import trusted
from tests.support.loading.loads import PLAIN, Row, hex_id, load_json, query, write_files
from tests.support.rejects.store import store_reject

pytestmark = pytest.mark.usefixtures("committed")

type Tables = dict[str, list[Row]]
type Way = Callable[[Tables, Path, OnConflict], None]


def changed(tables: Tables) -> list[tuple[str, Row]]:
    """Return the records, in the order in which a load reads them."""
    return [(table, {**PLAIN[table], **change}) for table in PLAIN for change in tables.get(table, ())]


def by_load(tables: Tables, folder: Path, on_conflict: OnConflict = "reject") -> None:
    load_json(write_files(folder / "files", tables), "--on-conflict", on_conflict)


def by_load_in_stretches(tables: Tables, folder: Path, on_conflict: OnConflict = "reject") -> None:
    """Load with a new stretch after a record or two."""
    made = CsvFile.__init__
    with mock.patch.object(CsvFile, "__init__", lambda *given, **named: made(*given, **{**named, "chunk_bytes": 150})):
        by_load(tables, folder, on_conflict)


def by_endpoint(tables: Tables, _folder: Path, on_conflict: OnConflict = "reject") -> None:
    records = [{"table": table, "data": record} for table, record in changed(tables)]
    trusted().post({"records": records, "on_conflict": on_conflict})


def by_csv(tables: Tables, folder: Path, on_conflict: OnConflict = "reject") -> None:
    api, files = trusted(), write_files(folder / "files", tables)
    for table in tables:
        source = find_source(table)
        assert source is not None
        body = (files / source.file_name).read_bytes()
        api.post(body, to=f"/api/v1/batches/?table={table}&on_conflict={on_conflict}", kind="text/csv")


def by_replay(tables: Tables, _folder: Path, on_conflict: OnConflict = "reject") -> None:
    """Replay rejects that hold the records, all together."""
    batch = Batch.objects.create(origin="api", app_version="0")
    sent = [(table, json.dumps(record)) for table, record in changed(tables)]
    raws = list(dict.fromkeys(sent))  # the same raw is one reject
    if on_conflict == "update":
        raws = list(dict.fromkeys(reversed(sent)))[::-1]
    rejects = (
        store_reject(batch, table=table, raw=raw.encode(), record=json.loads(raw.replace("\\u0000", "\\ufffd")))
        for table, raw in raws
    )
    replay = Replay(rejects=tuple(rejects), corrections={}, on_conflict=on_conflict)
    with transaction.atomic(), connection.cursor() as cursor:
        run(cursor, replay, unit_of(replay), Origin(kind="replay"))


STORED: Tables = {
    "customers": [{}, {"customer_id": hex_id(2), "customer_city": "rio"}],
    "sellers": [{}],
    "products": [{"product_category_name": ""}],
    "orders": [{}],
    "geolocation": [{"geolocation_lat": "-27.984127336018226", "geolocation_lng": "-48.648612159451456"}],
}
CASES: dict[str, Tables] = {
    "good": {"orders": [{"order_id": hex_id(7)}], "order_items": [{"order_id": hex_id(7)}], "geolocation": [{}]},
    "unchanged and stored with other content": {
        "customers": [{}, {"customer_id": hex_id(2), "customer_state": "RJ"}, {"customer_id": hex_id(3)}],
        "orders": [{"order_status": "shipped", "order_approved_at": ""}],
    },
    "repeated and stored with other content": {
        "customers": [
            {"customer_city": "a"},
            {"customer_city": "b"},
            {},
            {"customer_city": "c"},
            {"customer_id": hex_id(2), "customer_city": "a"},
            {"customer_id": hex_id(2), "customer_city": "b"},
            {"customer_id": hex_id(3), "customer_city": "a"},
            {"customer_id": hex_id(3), "customer_city": "b"},
            {"customer_city": "a"},
        ],
    },
    "rejected parents": {
        "customers": [{"customer_id": hex_id(8), "customer_state": "XX"}],
        "orders": [
            {"order_id": hex_id(8), "customer_id": hex_id(8)},
            {"order_id": hex_id(9), "customer_id": hex_id(2)},
        ],
        "order_payments": [{"order_id": hex_id(8)}, {"order_id": hex_id(9)}],
    },
    "rejected parents that are stored": {
        "customers": [{"customer_city": "other"}],
        "orders": [{"order_id": hex_id(8)}],
    },
    "missing parents": {
        "orders": [{"order_id": hex_id(8), "customer_id": hex_id(99)}],
        "order_items": [{"order_id": hex_id(98), "product_id": hex_id(97), "seller_id": hex_id(96)}],
    },
    "repeated": {
        "customers": [
            {"customer_id": hex_id(5)},
            {"customer_id": hex_id(5)},
            {"customer_id": hex_id(5), "customer_city": "x"},
        ],
        "geolocation": [{}, {"geolocation_lat": "-23.50"}],
        "order_payments": [{}, {"payment_value": "13.2"}, {"payment_value": "14"}],
    },
    "several reasons": {
        "orders": [
            {"order_id": "x", "order_status": "?", "order_purchase_timestamp": "2018-02-30 00:00:00"},
            {"order_id": hex_id(8), "order_approved_at": "2017-01-01 00:00:00", "order_estimated_delivery_date": ""},
        ],
        "order_reviews": [{"review_score": "6", "review_creation_date": "2019-01-01 00:00:00"}],
    },
    "repairs": {
        "customers": [
            {"customer_id": hex_id(0xAB).upper(), "customer_zip_code_prefix": "1037", "customer_state": " sp"}
        ],
        "order_reviews": [{"review_score": "4.0", "review_comment_message": "cafe\u0301", "review_comment_title": ""}],
        "order_payments": [{"payment_value": "13.2"}, {"payment_sequential": "2", "payment_value": "0012.500"}],
    },
    "coordinates of fewer digits": {
        "geolocation": [
            {"geolocation_lat": "-27.9841273360182", "geolocation_lng": "-48.6486121594515"},
            {"geolocation_lat": "-27.9841273360182", "geolocation_lng": "-48.6486121594514"},
            {"geolocation_lat": "-27.984127336018226", "geolocation_lng": "-48.648612159451456"},
            {"geolocation_lat": "-27.984127336018", "geolocation_lng": "-48.6486121594515"},
            {"geolocation_lat": "-27.9841273360182", "geolocation_lng": "-48.6486121594515", "geolocation_city": "rio"},
            {"geolocation_lat": "-23.547807235516153"},
            {"geolocation_lat": "-23.5478072355162", "geolocation_lng": "-46.60"},
            {"geolocation_lat": "-23.547807235516157"},
            {"geolocation_lat": "-23.5478072355162", "geolocation_state": "XX"},
        ]
    },
    "numbers": {
        "order_payments": [
            {"payment_sequential": str(number), "payment_value": value}
            for number, value in enumerate(
                ["1e2", "12.345", "-0.01", "100000000", "NaN", "0x10", "1,5", "-0", "٣"], start=2
            )
        ],
        "geolocation": [{"geolocation_lat": value} for value in ("91", "1e400", "1e-400", "inf", "-0.0", "1e1")],
    },
    "texts": {
        "sellers": [
            {"seller_id": hex_id(30 + number), "seller_city": value}
            for number, value in enumerate(
                ["", " ", "a\tb", "\u00a0rio", "x" * 101, "\u2028", "na\u0303o", "rio\u0000"]
            )
        ]
    },
    "moments": {
        "orders": [
            {
                "order_id": hex_id(30 + number),
                "order_purchase_timestamp": value,
                "order_estimated_delivery_date": "2019-01-01 00:00:00",
            }
            for number, value in enumerate(
                [
                    "2018-01-01T10:00:00",
                    "2018-01-01T10:00:00Z",
                    "10/2/2017 10:56",
                    "0000-01-01 00:00:00",
                    "2018-01-01",
                    "now",
                ]
            )
        ]
    },
}


def outcome(*, keys: bool) -> tuple[dict[str, list[Any]], list[Any]]:
    """Return the rows of every table, and what is known of every reject; ``keys``: their natural keys too."""
    names = {table: ", ".join(PLAIN[table]) for table in PLAIN}
    rows = {table: sorted(map(repr, query(f"select {names[table]} from olist_{table}"))) for table in PLAIN}
    told = [
        (
            reject.table,
            reject.status,
            reject.record,
            [reason | {"message": re.sub(r"record \d+", "record N", reason["message"])} for reason in reject.reasons],
            reject.stage,
            sorted(reject.waits_for),
            keys and reject.natural_key,
        )
        for reject in RejectedRecord.objects.exclude(status="replayed")
    ]
    return rows, sorted(told, key=repr)


@pytest.mark.parametrize("reads_table", ["reads the table", ""])
def test_a_load_counts_what_is_repeated_and_stored_with_other_content_as_the_endpoint_does(
    reads_table: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.loading.read_ahead.worth_reading", lambda *args, **options: bool(reads_table))
    counts = []
    for way in (by_load, by_endpoint):
        query("truncate olist_customers cascade")
        load_json(write_files(tmp_path / f"stored for {way.__name__}", STORED))
        way(CASES["repeated and stored with other content"], tmp_path / way.__name__)
        account = Account.objects.filter(table="customers").latest("batch__started_at")
        counts.append({name: count for name in OUTCOMES if (count := getattr(account, name))})
    assert counts == [{"inserted": 1, "unchanged": 1, "rejected": 7}] * 2


@pytest.mark.parametrize("on_conflict", ["reject", "update"])
def test_coordinates_of_fewer_digits_are_counted_alike_every_way(on_conflict: OnConflict, tmp_path: Path) -> None:
    for way in (by_load, by_load_in_stretches, by_endpoint, by_csv, by_replay):
        query("truncate olist_geolocation")
        query("truncate auth_user cascade")
        load_json(write_files(tmp_path / f"stored for {way.__name__}", {"geolocation": STORED["geolocation"]}))
        case = {"geolocation": CASES["coordinates of fewer digits"]["geolocation"]}
        way(case, tmp_path / way.__name__, on_conflict)
        account = Account.objects.filter(table="geolocation").latest("batch__started_at")
        counts = {name: count for name in OUTCOMES if (count := getattr(account, name))}
        assert counts == {"inserted": 3, "unchanged": 1, "duplicates": 4, "rejected": 1}, way
        assert account.repaired == {"rounded": 4}, way


@pytest.mark.parametrize(("way", "known"), [(by_load, True), (by_endpoint, False), (by_replay, False)])
def test_only_a_load_knows_a_last_of_seventeen_digits_that_is_off_by_one(
    way: Way, *, known: bool, tmp_path: Path
) -> None:
    load_json(write_files(tmp_path / "stored", {"geolocation": STORED["geolocation"]}))
    way({"geolocation": [{**STORED["geolocation"][0], "geolocation_lat": "-27.98412733601823"}]}, tmp_path, "reject")
    assert query("select count(*) from olist_geolocation") == [(1 if known else 2,)]


WAYS: dict[str, Way] = {"load": by_load, "stretches": by_load_in_stretches, "endpoint": by_endpoint}


def told_by(name: str, way: Way, tables: Tables, folder: Path, on_conflict: OnConflict) -> tuple[Any, Any]:
    """Let records come over what is stored, and nothing else; return the outcome with and without keys."""
    query("truncate olist_customers, olist_sellers, olist_products, olist_orders, olist_geolocation cascade")
    query("truncate ingest_rejectedrecord, ingest_batch, auth_user cascade")
    by_endpoint(STORED, folder)
    query("truncate auth_user cascade")
    way(tables, folder / name, on_conflict)
    return outcome(keys=True), outcome(keys=False)


def assert_the_same(tables: Tables, ways: dict[str, Way], folder: Path, on_conflict: OnConflict) -> Any:
    """Assert that each way gives the same outcome; return it."""
    found = {name: told_by(name, way, tables, folder, on_conflict) for name, way in ways.items()}
    for name in ways:
        without_keys = name == "replay"  # its rejects were there before
        assert found[name][without_keys] == found["load"][without_keys], name
    return found["load"][0]


@pytest.mark.parametrize("case", list(CASES))
def test_the_same_records_get_the_same_rows_and_reasons_every_way(case: str, tmp_path: Path) -> None:
    ways: dict[str, Way] = {"load": by_load, "endpoint": by_endpoint, "replay": by_replay}
    if "parents" not in case:  # each table is a batch of its own there
        ways["csv"] = by_csv
    _, rejects = assert_the_same(CASES[case], ways, tmp_path, "reject")
    assert rejects or case in {"good", "repairs"}


@pytest.mark.parametrize("case", [case for case in CASES if "repeated" in case or "parents" in case])
def test_the_same_updates_get_the_same_rows_and_reasons_every_way(case: str, tmp_path: Path) -> None:
    _, rejects = assert_the_same(CASES[case], {**WAYS, "replay": by_replay}, tmp_path, "update")
    assert rejects or "stored" in case


CITIES = st.sampled_from(["sao paulo", "a", "b", "x" * 101])
NUMBERS = st.sampled_from([hex_id(1), hex_id(2), hex_id(3)])
SELLERS = st.lists(st.fixed_dictionaries({"seller_id": NUMBERS, "seller_city": CITIES}), max_size=9)
CUSTOMERS = st.lists(st.fixed_dictionaries({"customer_id": NUMBERS, "customer_city": CITIES}), max_size=6)
STATUSES = st.sampled_from(["shipped", "delivered", "?"])
ORDERS = st.lists(
    st.fixed_dictionaries({"order_id": NUMBERS, "customer_id": NUMBERS, "order_status": STATUSES}), max_size=6
)


@pytest.mark.slow
@given(sellers=SELLERS, customers=CUSTOMERS, orders=ORDERS)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_updates_with_keys_that_repeat_get_the_same_every_way(
    sellers: list[Row], customers: list[Row], orders: list[Row], tmp_path_factory: pytest.TempPathFactory
) -> None:
    tables = {"customers": customers, "sellers": sellers, "orders": orders}
    assert_the_same(tables, {**WAYS, "replay": by_replay}, tmp_path_factory.mktemp("same"), "update")


QUOTED = ["'=1+1", "''rio", "'", "'-1", "' x"]


@pytest.mark.parametrize("way", [by_load, by_endpoint, by_csv, by_replay])
def test_no_way_takes_an_apostrophe_off(way: Way, tmp_path: Path) -> None:
    sellers: list[Row] = [{"seller_id": hex_id(n), "seller_city": city} for n, city in enumerate(QUOTED)]
    way({"sellers": sellers}, tmp_path, "reject")
    assert query("select seller_city from olist_sellers order by seller_id") == [(city,) for city in QUOTED]
