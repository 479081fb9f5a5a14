"""Whatever a database or its user is set to: the same rows, the same reasons, the same files."""

from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from pytest_django import Settings

from backups.models import Backup
from core.postgres.engine import poolers
from ingest.models import Account, RejectedRecord
from tests.support.api.client import trusted
from tests.support.api.parcels import order_with_parts, record, tagged
from tests.support.backups.runs import run
from tests.support.loading.loads import Row, assert_clear_error, fingerprints, hex_id, load_json, query, write_files
from tests.support.postgres.emptying import empty_tables
from tests.support.postgres.server_settings import BY_DATABASE, BY_USER, UNFRIENDLY, set_by

pytestmark = pytest.mark.usefixtures("committed")
POINTS = [
    {"geolocation_lat": f"-{12 + n}.{n}1345678901234{n}", "geolocation_lng": f"-46.{n}98765432101{n}"} for n in range(9)
]
FILES: dict[str, list[Row]] = {
    "product_category_name_translation": [{}],
    "geolocation": POINTS,
    "customers": [{}, {"customer_id": hex_id(2), "customer_city": "são \\ joão ' d'água"}],
    "sellers": [{}, {"seller_id": hex_id(2), "seller_state": "XX"}],
    "products": [{}, {"product_id": hex_id(2), "product_category_name": ""}],
    "orders": [{}, {"order_id": hex_id(2), "order_approved_at": "2018-03-11 10:00:00"}, {"order_id": "\\x"}],
    "order_items": [{}, {"order_id": hex_id(9)}],
    "order_payments": [{}, {"payment_value": "12.5.0"}],
    "order_reviews": [{"review_comment_message": "boa \\\\ 'noite' \U0001f600"}],
}
POSTED = [
    *order_with_parts(5),
    *(tagged("geolocation", **point) for point in POINTS),  # stored by the load
    tagged("geolocation", geolocation_lat="-1.2345678901234567", geolocation_city="nã\\o"),
    tagged("orders", order_id=hex_id(6), customer_id=hex_id(66)),
    tagged("sellers", seller_id=hex_id(7), seller_city="a\x00b"),
    tagged("products", product_id=hex_id(8), product_category_name=None, product_weight_g=None),
    tagged("products", product_id=hex_id(8), product_category_name=None, product_weight_g="7"),
]
BACKED_UP = ("olist_customers", "olist_geolocation", "olist_order_reviews", "ingest_rejectedrecord")


def everything(folder: Path) -> dict[str, Any]:
    """Load twice, post, replay, back up and restore; return what came of it, but for numbers and moments."""
    api, files = trusted(), write_files(folder / "files", FILES)
    loads = [load_json(files).counts for _ in range(2)]
    answers = [api.post({"records": POSTED, "on_conflict": conflict}) for conflict in ("reject", "update")]
    seller = RejectedRecord.objects.get(table="sellers", record__seller_state="XX")
    address = f"/api/v1/rejects/{seller.pk}/replay/"
    answers += [api.post(b"", to=address), api.post({"record": record("sellers", seller_id=hex_id(2))}, to=address)]
    answers.append(api.post({"records": [tagged("customers", customer_id=hex_id(66))]}))  # an order waits for it
    rejects = RejectedRecord.objects.order_by("table", "raw_sha256")
    stored = fingerprints()
    run("backup_table", *BACKED_UP)
    query(
        "update olist_customers set customer_city = 'x'; delete from olist_geolocation; delete from olist_order_reviews"
    )
    for table in BACKED_UP:
        run("restore_table", table, "--mode", "merge" if table == "ingest_rejectedrecord" else "replace")
    return {
        "loads": loads,
        "answers": [(answer.status, answer.counts, answer.codes) for answer in answers],
        "rejects": [
            (reject.table, bytes(reject.raw), reject.record, reject.reasons, reject.natural_key, reject.status)
            for reject in rejects
        ],
        "accounts": sorted(
            Account.objects.values_list("table", "read", "inserted", "updated", "unchanged", "duplicates", "rejected")
        ),
        "rows": stored,
        "backups": sorted(Backup.objects.filter(table="olist_customers").values_list("origin", "rows", "fingerprint")),
        "restored": fingerprints() == stored,
    }


@cache
def friendly(folder: Path) -> dict[str, Any]:
    """What comes of it where nobody has set anything."""
    outcome = everything(folder)
    empty_tables()
    return outcome


@pytest.fixture
def expected(tmp_path_factory: pytest.TempPathFactory, committed: None, settings: Settings) -> dict[str, Any]:
    folder = tmp_path_factory.getbasetemp()
    settings.DATAFORGE_BACKUP_STORE = str(folder / "store")
    return friendly(folder)


def test_a_friendly_database_gives_what_the_others_are_measured_by(expected: dict[str, Any]) -> None:
    assert [status for status, _, _ in expected["answers"]] == [207, 207, 422, 201, 201]
    assert expected["answers"][0][1] == {"read": 21, "inserted": 9, "unchanged": 9, "rejected": 3}
    assert expected["restored"]
    assert len({reject[0] for reject in expected["rejects"]}) == 5


@pytest.mark.parametrize("by", [pytest.param(BY_DATABASE, marks=pytest.mark.slow), BY_USER])
def test_unfriendly_settings_change_nothing(by: str, expected: dict[str, Any], tmp_path: Path) -> None:
    with set_by(by, UNFRIENDLY):
        assert everything(tmp_path) == expected


@pytest.mark.slow
def test_unfriendly_settings_change_nothing_behind_a_pooler_that_takes_no_options(
    expected: dict[str, Any], tmp_path: Path
) -> None:
    settings = {name: value for name, value in UNFRIENDLY.items() if name != "standard_conforming_strings"}
    with set_by(BY_DATABASE, settings), mock.patch.object(poolers, "refuses_options", return_value=True):
        assert everything(tmp_path) == expected


@pytest.mark.slow
@pytest.mark.parametrize("name", UNFRIENDLY)
def test_no_unfriendly_setting_is_hidden_by_another(name: str, expected: dict[str, Any], tmp_path: Path) -> None:
    with set_by(BY_DATABASE, {name: UNFRIENDLY[name]}):
        assert everything(tmp_path) == expected


def test_backslashes_that_psycopg2_and_the_server_would_read_in_two_ways_are_refused(committed: None) -> None:
    with (
        set_by(BY_DATABASE, {"standard_conforming_strings": "off"}),
        mock.patch.object(poolers, "refuses_options", return_value=True),
    ):
        ran = run("list_backups", code=3)
    assert_clear_error(ran, 3, "standard_conforming_strings is off", "alter role NAME set")
