"""/metrics: figures of the database, for whoever has the token, at a cost that does not grow with the records."""

from collections.abc import Iterator
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from backups.models import Backup
from dataforge.metrics import exposition
from ingest.accounts import totals
from ingest.models import RejectedRecord, TotalPart
from ingest.rejects.prune import prune
from tests.support.api.client import trusted
from tests.support.api.parcels import one_table, record, tagged
from tests.support.desk.plans import costs, fill
from tests.support.loading.loads import ONE_OF_EACH, hex_id, load_json, write_files

TOKEN = "of-a-scraper-in-a-test"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(autouse=True)
def token(settings: Any) -> Iterator[None]:
    settings.METRICS_TOKEN = TOKEN
    exposition.forget()
    yield
    exposition.forget()


def scrape(*, again: bool = True) -> dict[tuple[str, ...], float]:
    """Return all samples by name and values of the labels, in order of the labels' names."""
    if again:
        exposition.forget()
    response = Client().get("/metrics", secure=True, headers=BEARER)
    assert response.status_code == 200, response.content
    assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    families = text_string_to_metric_families(response.content.decode())
    samples = [sample for family in families for sample in family.samples]
    return {(sample.name, *(sample.labels[name] for name in sorted(sample.labels))): sample.value for sample in samples}


@pytest.mark.usefixtures("committed")
def test_before_anything_came_in_a_counter_is_there_and_is_zero() -> None:
    assert scrape()["dataforge_records_total", "inserted", "orders"] == 0


@pytest.fixture
def figures(committed: None, tmp_path: Path) -> dict[tuple[str, ...], float]:
    """The figures after a load of one record each, and a batch with one of each outcome."""
    scrape()
    load_json(write_files(tmp_path, ONE_OF_EACH))
    bad = record("customers", customer_id=hex_id(9), customer_state="XX", customer_zip_code_prefix="x")
    answer = trusted().post(one_table("customers", bad, record("customers"), record("customers")))
    assert answer.status == 207
    return scrape()


def test_records_are_counted_by_table_and_outcome_wherever_they_came_in(figures: dict[tuple[str, ...], float]) -> None:
    assert figures["dataforge_records_total", "inserted", "orders"] == 1
    assert figures["dataforge_records_total", "inserted", "customers"] == 1
    assert figures["dataforge_records_total", "unchanged", "customers"] == 1
    assert figures["dataforge_records_total", "duplicates", "customers"] == 1
    assert figures["dataforge_records_total", "rejected", "customers"] == 1


def test_rejects_are_counted_by_table_and_code(figures: dict[tuple[str, ...], float]) -> None:
    assert sum(count for (name, *_), count in figures.items() if name == "dataforge_rejects_total") == 2
    assert figures["dataforge_rejects_total", "invalid_choice", "customers"] == 1
    assert figures["dataforge_rejects_total", "database", "customers"] == 0
    assert figures["dataforge_open_rejects", "customers"] == 1


def test_batches_and_loads_are_counted_and_timed(figures: dict[tuple[str, ...], float]) -> None:
    assert (
        figures["dataforge_batches_total", "load", "accepted"]
        == figures["dataforge_batches_total", "api", "partial"]
        == 1
    )
    assert figures["dataforge_batch_seconds_count", "api"] == 1
    assert figures["dataforge_batch_seconds_bucket", "+Inf", "api"] == 1
    assert 0 < figures["dataforge_batch_seconds_sum", "api"] < 60


@pytest.mark.django_db
def test_retention_and_folding_lower_no_counter() -> None:
    api = trusted()
    for number in range(3):
        api.post({"records": [tagged("sellers", seller_id=hex_id(number), seller_state="XX"), tagged("customers")]})
    before, parts = scrape(), TotalPart.objects.count()
    RejectedRecord.objects.update(status="dismissed", closed_at=timezone.now() - timedelta(days=9))
    prune(older_than=timedelta(days=1), really=True)
    totals.fold()
    after = scrape()
    assert TotalPart.objects.count() < parts
    assert {name: count for name, count in after.items() if "open" not in name[0]} == {
        name: count for name, count in before.items() if "open" not in name[0]
    }
    assert (before["dataforge_open_rejects", "sellers"], after["dataforge_open_rejects", "sellers"]) == (3, 0)


@pytest.mark.django_db
def test_what_is_rolled_back_is_not_counted() -> None:
    trusted().post(one_table("sellers", record("sellers"), dry_run=True))
    assert scrape()["dataforge_records_total", "inserted", "sellers"] == 0


@pytest.mark.django_db
def test_many_parts_are_folded_by_a_scrape() -> None:
    TotalPart.objects.bulk_create(
        TotalPart(series="records", subject="orders", detail="inserted", amount=number) for number in range(2_500)
    )
    assert scrape()["dataforge_records_total", "inserted", "orders"] == sum(range(2_500))
    assert TotalPart.objects.get().amount == sum(range(2_500))


@pytest.mark.django_db
def test_the_age_of_a_table_s_newest_verified_backup_is_infinite_where_there_is_none() -> None:
    now = timezone.now()
    for hours, verified in ((30, True), (3, True), (1, False)):
        Backup.objects.create(
            table="olist_orders",
            status="done",
            path=str(hours),
            snapshot_at=now - timedelta(hours=hours),
            verified_at=now if verified else None,
        )
    Backup.objects.create(table="olist_sellers", status="failed", path="x")
    figures = scrape()
    assert figures["dataforge_backup_age_seconds", "olist_orders"] == pytest.approx(3 * 3600, abs=60)
    assert figures["dataforge_backup_age_seconds", "olist_sellers"] == float("inf")
    assert (figures["dataforge_backups", "done"], figures["dataforge_backups", "failed"]) == (3, 1)
    assert figures["dataforge_backup_schedules_ailing",] == 0


@pytest.mark.django_db
def test_a_scrape_reads_no_table_of_rejects_and_the_next_one_asks_nothing(
    django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.metrics.COUNTED_ROWS", 500)
    fill(20_000)
    client = Client(headers=BEARER)
    exposition.forget()
    cost = costs(client, "/metrics")
    assert ("Seq Scan", "ingest_rejectedrecord") not in cost.steps
    assert cost.rows_read <= 501 * 9
    with django_assert_num_queries(0):
        figures = scrape(again=False)
    assert figures["dataforge_open_rejects", "geolocation"] == pytest.approx(16_000, rel=0.1)


@pytest.mark.django_db
def test_only_who_has_the_token_may_read() -> None:
    client = Client()
    without = client.get("/metrics", secure=True)
    assert (without.status_code, without.headers["WWW-Authenticate"]) == (401, 'Bearer realm="metrics"')
    for wrong in ("Bearer x", f"Token {TOKEN}", "Bearer", f"Bearer {TOKEN}x", "Bearer \u20ac"):
        assert client.get("/metrics", secure=True, headers={"Authorization": wrong}).status_code == 401
    assert client.post("/metrics", secure=True, headers=BEARER).status_code == 405
    assert client.get("/metrics", secure=True, headers=BEARER).status_code == 200


@pytest.mark.django_db
def test_guessing_the_token_is_slowed_down(settings: Any) -> None:
    settings.API_BAD_TOKENS_PER_MINUTE = 2
    answers = [Client().get("/metrics", secure=True, headers={"Authorization": "Bearer x"}) for _ in range(5)]
    assert answers[-1].status_code == 429


@pytest.mark.django_db
def test_without_a_token_the_metrics_are_closed_but_to_a_developer_s_own_machine(settings: Any) -> None:
    settings.METRICS_TOKEN = ""
    closed = Client().get("/metrics", secure=True)
    assert (closed.status_code, "METRICS_TOKEN" in closed.json()["detail"]) == (403, True)
    settings.DEBUG = True
    assert Client().get("/metrics", secure=True).status_code == 200
    assert Client(REMOTE_ADDR="10.0.0.7").get("/metrics", secure=True).status_code == 403


def test_a_database_that_is_away_is_a_503(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import OperationalError

    def lost() -> None:
        raise OperationalError("no")

    monkeypatch.setattr("ingest.accounts.totals.totals", lost)
    assert Client().get("/metrics", secure=True, headers=BEARER).status_code == 503


@pytest.mark.django_db
def test_what_came_before_tallies_were_kept_is_counted_by_the_migration() -> None:
    api = trusted()
    for number in range(2):
        bad = tagged("sellers", seller_id=hex_id(number), seller_state="XX")
        api.post({"records": [bad, tagged("customers"), tagged("customers")]})
    api.post({"records": [tagged("sellers", seller_state="XX")], "mode": "atomic"})
    totals.fold()
    parts = TotalPart.objects.order_by("series", "subject", "detail")
    kept = list(parts.values_list("series", "subject", "detail", "amount", "microseconds"))
    TotalPart.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute(import_module("ingest.migrations.0007_tallies")._BEFORE)
    assert list(parts.values_list("series", "subject", "detail", "amount", "microseconds")) == kept
