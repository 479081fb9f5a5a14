"""Everything works behind PgBouncer in transaction mode, with a small pool, and nothing of ours stays in its sessions.

Slow proofs, and only where ``pgbouncer`` is installed, which it is not in CI: see docs/servers.md.
"""

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client

from backups.catalogue.liveness import close_abandoned
from backups.models import Restore
from core.postgres.locks.held_locks import exclusive
from dataforge.metrics import exposition
from ingest.models import Batch, RejectedRecord
from tests.support.access.people import browser
from tests.support.api.client import trusted
from tests.support.api.parcels import one_table, record, stored, tagged
from tests.support.desk.bulk_jobs import RIO, begun, press, sellers
from tests.support.desk.people import staff
from tests.support.loading.loads import ONE_OF_EACH, PROJECT, finish, hex_id, load, load_json, query, spawn, write_files
from tests.support.postgres.pooler import POOL_SIZE, Pooler, running_pooler, through
from tests.support.postgres.sessions import (
    transaction_elsewhere,
    wait_for_a_lock_on,
    wait_for_an_advisory_lock,
    wait_until,
)

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("committed")]
# What PgBouncer itself gives back to each client; any other setting of a session would be the next client's, too.
TRACKED = ["client_encoding", "DateStyle", "TimeZone", "standard_conforming_strings", "application_name"]


@pytest.fixture
def pooler(committed: None) -> Iterator[Pooler]:
    with running_pooler() as running:
        yield running


@pytest.fixture
def pooled(pooler: Pooler) -> Iterator[Pooler]:
    """This process, too, works behind the pooler."""
    with through(pooler):
        yield pooler


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One good record for each table."""
    return write_files(tmp_path / "files", ONE_OF_EACH)


# Of one session: settings, advisory locks, cursors and prepared statements that outlast a transaction.
_LEFT = """
select name, setting from pg_settings where source = 'session' and not name = any(%s)
union all select 'cursor', name from pg_cursors where is_holdable
union all select 'prepared', name from pg_prepared_statements
union all select 'lock', locktype from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()
"""


def left_behind(pooler: Pooler) -> dict[str, str]:
    """Return what stayed in sessions of the pool: the next one to use them would meet it."""
    found: dict[str, str] = {}
    with ExitStack() as stack:
        for _ in range(POOL_SIZE):  # all of them at once
            session = stack.enter_context(closing(psycopg2.connect(pooler.url)))  # which sets nothing by itself
            cursor = stack.enter_context(session.cursor())
            cursor.execute(_LEFT, [TRACKED])
            found |= dict(cursor.fetchall())
    return found


def test_a_load_lets_go_of_its_tables_and_the_next_one_finds_nothing_to_do(pooled: Pooler, folder: Path) -> None:
    assert load_json(folder).report["status"] == "accepted"
    for _ in range(2):
        assert "Nothing changed" in load(folder).out
    assert left_behind(pooled) == {}


def test_a_load_that_is_killed_is_failed_for_whoever_looks_and_the_next_one_goes_on(
    pooled: Pooler, folder: Path
) -> None:
    with transaction_elsewhere() as cursor:
        cursor.execute("lock table olist_orders in row exclusive mode")
        process = spawn(folder, url=pooled.url)
        wait_for_a_lock_on("olist_orders")
        api = trusted()
        assert api.get("/api/v1/batches/").json["results"][0]["status"] == "running"
        busy = load(folder)
        assert busy.code == 3
        assert f"held by load {Batch.objects.get(status='running').id} (pid " in busy.err
        process.kill()
        finish(process)
        wait_until(lambda: api.get("/api/v1/batches/?status=running").json["results"] == [])
    statuses = [batch["status"] for batch in api.get("/api/v1/batches/").json["results"]]
    assert statuses == ["failed", "failed"]
    assert load_json(folder).report["status"] == "accepted"
    assert left_behind(pooled) == {}


def test_another_process_loads_beside_it_and_waits_for_its_turn(pooled: Pooler, folder: Path) -> None:
    with exclusive(connection, ["olist_orders"], what="another", timeout_seconds=1):
        process = spawn(folder, "--wait", "30", url=pooled.url)
        wait_for_an_advisory_lock()
    assert finish(process).code == 0
    assert stored("orders") == 1


def test_batches_desk_and_bulk_jobs_work(pooled: Pooler, folder: Path) -> None:
    api = trusted()
    for number in range(3):  # the stage of rejects is made once a session
        good, bad = record("sellers", seller_id=hex_id(number)), record("sellers", seller_id=f"bad {number}")
        answer = api.post(one_table("sellers", good, bad), Idempotency_Key=str(number))
        assert (answer.status, answer.counts) == (207, {"read": 2, "inserted": 1, "rejected": 1})
        assert api.post(one_table("sellers", good, bad), Idempotency_Key=str(number)).text == answer.text
    orphan = api.post({"records": [tagged("orders")]})
    assert orphan.status == 422
    assert api.post({"records": [tagged("customers")]}).status == 201
    assert RejectedRecord.objects.get(table="orders").status == "replayed"
    ana: Client = browser(staff("ana", superuser=True))
    rejects = RejectedRecord.objects.filter(table="sellers")
    for path in (
        "",
        "ingest/batch/",
        "ingest/rejectedrecord/",
        f"ingest/rejectedrecord/{rejects[0].pk}/change/",
        "ingest/rejectedrecord/?by=group",
        "auth/user/add/",
        f"auth/user/{staff('bob').pk}/change/",  # Django reads choices by cursors of the server where it may
        "olist/seller/",
        "backups/backupschedule/add/",
    ):
        assert ana.get(f"/admin/{path}", secure=True).status_code == 200, path
    sellers("Rio", "Rio", "YY", first=10)
    job = begun(ana)
    for deed in (RIO, {"deed": "carry_out"}):
        press(ana, job, **deed)
    assert set(RejectedRecord.objects.filter(record__seller_state="Rio").values_list("status", flat=True)) == {
        "replayed"
    }
    call_command("tend_rejects", stdout=io.StringIO())
    assert left_behind(pooled) == {}


def test_backup_and_restore_work(pooled: Pooler, folder: Path, tmp_path: Path, settings: Any) -> None:
    settings.DATAFORGE_BACKUP_STORE = str(tmp_path / "store")
    load_json(folder)
    out = io.StringIO()
    call_command("backup_table", "--all", stdout=out)
    for mode in ("replace", "merge"):
        query("delete from olist_order_reviews")
        call_command("restore_table", "order_reviews", mode=mode, stdout=out)
        assert stored("order_reviews") == 1
    call_command("verify_backup", "--all", "--drill", stdout=out)
    call_command("run_scheduled_backups", stdout=out)
    assert left_behind(pooled) == {}


def test_a_restore_that_is_killed_is_failed_and_the_next_one_is_done(
    pooled: Pooler, folder: Path, tmp_path: Path, settings: Any
) -> None:
    settings.DATAFORGE_BACKUP_STORE = store = str(tmp_path / "store")
    load_json(folder)
    call_command("backup_table", "order_reviews", stdout=io.StringIO())
    query("delete from olist_order_reviews")

    def is_failed() -> bool:
        close_abandoned()
        return Restore.objects.get().status == "failed"

    with transaction_elsewhere() as cursor:
        cursor.execute("lock table olist_order_reviews in row exclusive mode")
        command = [sys.executable, "manage.py", "restore_table", "order_reviews"]
        told = {"DATABASE_URL": pooled.url, "DEBUG": "on", "SECRET_KEY": "of a test", "BACKUP_STORE": store}
        process = subprocess.Popen(command, cwd=PROJECT, env={**os.environ, **told})
        wait_for_a_lock_on("olist_order_reviews")
        assert not is_failed()
        process.kill()
        process.wait()
        wait_until(is_failed)
    call_command("restore_table", "order_reviews", stdout=io.StringIO())
    assert stored("order_reviews") == 1
    assert left_behind(pooled) == {}


@pytest.mark.usefixtures("unready")
def test_health_and_metrics_answer_and_leave_nothing_behind(pooled: Pooler, settings: Any) -> None:
    settings.METRICS_TOKEN = "of-a-scraper"
    exposition.forget()
    answer = Client().get("/readyz")
    assert answer.status_code == 200, answer.content
    answer = Client().get("/metrics", secure=True, headers={"Authorization": "Bearer of-a-scraper"})
    assert answer.status_code == 200
    assert left_behind(pooled) == {}
