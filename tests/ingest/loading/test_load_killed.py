"""A load whose process was killed is failed for whoever looks, and one that may not begin says who is at work."""

import io
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client

from core.errors import DatabaseFailed
from core.postgres.locks.held_locks import exclusive
from dataforge.metrics import exposition
from ingest.accounts.load_batches import KILLED, close_dead_loads, load_name
from ingest.loading.load import load as load_place
from ingest.loading.options import LoadOptions
from ingest.models import Account, Batch
from olist.models import Customer
from tests.support.access.people import browser
from tests.support.api.client import trusted
from tests.support.desk.admin_pages import page
from tests.support.desk.people import staff
from tests.support.loading.loads import (
    ONE_OF_EACH,
    assert_clear_error,
    finish,
    load,
    load_json,
    spawn,
    write_files,
)
from tests.support.postgres.sessions import (
    aside,
    lock_is_awaited,
    terminate,
    transaction_elsewhere,
    wait_for_a_lock_on,
    wait_for_an_advisory_lock,
    wait_until,
)

pytestmark = pytest.mark.usefixtures("committed")
TOKEN = "of-a-scraper-in-a-test"
FAILED_LOADS = 'dataforge_batches_total{origin="load",status="failed"}'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One good record for each table."""
    return write_files(tmp_path / "files", ONE_OF_EACH)


@contextmanager
def at_work(folder: Path) -> Iterator[Any]:
    """Return the process of a load that waits for a table, which is locked here."""
    with transaction_elsewhere() as cursor:
        cursor.execute("lock table olist_orders in row exclusive mode")
        process = spawn(folder)
        try:
            wait_until(lambda: process.poll() is not None or lock_is_awaited("olist_orders"), patience_seconds=90)
            assert process.poll() is None, process.communicate()
            yield process
        finally:
            process.kill()
            process.communicate()


def failed_loads(settings: Any) -> float:
    settings.METRICS_TOKEN = TOKEN
    exposition.forget()
    answer = Client().get("/metrics", secure=True, headers={"Authorization": f"Bearer {TOKEN}"})
    (line,) = [line for line in answer.content.decode().splitlines() if line.startswith(FAILED_LOADS)]
    return float(line.rpartition(" ")[2])


def status_by_api() -> str:
    (batch,) = trusted().get("/api/v1/batches/").json["results"]
    return str(batch["status"])


def status_by_its_address() -> str:
    return str(trusted().get(f"/api/v1/batches/{Batch.objects.get().pk}/").json["status"])


def status_in_list() -> str:
    html = page(browser(staff(superuser=True)), "ingest/batch/?status__exact=failed")
    return "failed" if "1 batch" in html else html


def status_on_page() -> str:
    html = page(browser(staff(superuser=True)), f"ingest/batch/{Batch.objects.get().pk}/change/")
    return "failed" if KILLED in html else html


def status_on_front_page() -> str:
    page(browser(staff(superuser=True)), "")
    return Batch.objects.get().status


def status_after_chores() -> str:
    out = io.StringIO()
    call_command("tend_rejects", stdout=out)
    assert "loads: 1 whose process ended before they did are marked as failed." in out.getvalue()
    return Batch.objects.get().status


PLACES = (
    status_by_api,
    status_by_its_address,
    status_in_list,
    status_on_page,
    status_on_front_page,
    status_after_chores,
)


@pytest.fixture
def dead(committed: None) -> Batch:
    """What the books say of a load that was killed."""
    return Batch.objects.create(origin="load", options={"tables": ["orders"]}, app_version="1")


@pytest.mark.usefixtures("dead")
@pytest.mark.parametrize("look", PLACES)
def test_a_load_whose_process_is_gone_is_failed_wherever_one_looks_first(look: Callable[[], str]) -> None:
    assert look() == "failed"
    batch = Batch.objects.get()
    assert (batch.status, batch.error) == ("failed", KILLED)
    assert batch.finished_at is not None


def test_it_is_counted_once_by_the_metrics_however_often_one_looks(dead: Batch, settings: Any) -> None:
    assert [failed_loads(settings) for _ in range(2)] == [1, 1]
    status_by_its_address()
    assert failed_loads(settings) == 1


@pytest.mark.slow
def test_a_load_that_is_killed_is_failed_at_the_next_look_and_not_before(folder: Path, settings: Any) -> None:
    with at_work(folder) as process:
        assert status_by_api() == "running"
        assert failed_loads(settings) == 0
        process.kill()
        process.communicate()
        wait_until(lambda: failed_loads(settings) == 1)  # the server has seen its death
    assert Batch.objects.get().error == KILLED
    assert load_json(folder).report["status"] == "accepted"


def test_a_look_at_lists_costs_two_queries_more_however_many_loads_run(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        assert close_dead_loads() == 0
    batches = Batch.objects.bulk_create(Batch(origin="load", app_version="1") for _ in range(20))
    names = [load_name(batch.pk) for batch in batches]
    with exclusive(connection, names, what="loads", timeout_seconds=1), django_assert_num_queries(2):
        assert close_dead_loads() == 0
    assert close_dead_loads() == 20


def test_two_that_look_at_once_count_it_once(dead: Batch, settings: Any) -> None:
    with aside(*[close_dead_loads] * 4) as looks:
        assert sum(look.result(30) for look in looks) == 1
    assert failed_loads(settings) == 1


def test_a_load_that_is_turned_away_leaves_a_failed_batch_that_names_the_holder(folder: Path, settings: Any) -> None:
    with exclusive(connection, ["olist_orders"], what="load 6f1c", timeout_seconds=1):
        busy = load(folder, "--wait", "0")
        assert_clear_error(
            busy, 3, "olist_orders: held by load 6f1c (pid ", "user ", "Run it again when that has ended"
        )
        batch = Batch.objects.get()
        assert (batch.status, batch.source) == ("failed", str(folder))
        assert batch.error in busy.err
        assert batch.finished_at is not None
        assert failed_loads(settings) == 1
        assert_clear_error(load(folder, "--dry-run", "--wait", "0"), 3, "held by load")
        assert Batch.objects.count() == 1
    assert load_json(folder).report["status"] == "accepted"


def test_a_load_may_wait_for_its_turn(folder: Path) -> None:
    def wait() -> str:
        assert begun.wait(5)
        return load_place(str(folder), LoadOptions(wait_seconds=30)).status

    begun = threading.Event()
    with aside(wait) as (waiting,):
        with exclusive(connection, ["olist_orders"], what="restore 1", timeout_seconds=1):
            begun.set()
            wait_for_an_advisory_lock()
            assert not Batch.objects.exists()
        assert waiting.result(30) == "accepted"
    assert Batch.objects.get().status == "accepted"


@pytest.mark.parametrize("wait", ["-1", "soon", "nan", "inf", "1e9"])
def test_a_wait_that_is_no_time_is_wrong_use(wait: str, folder: Path) -> None:
    ran = load(folder, "--wait", wait)
    assert ran.code == 2
    assert "is no number of seconds from 0 to 86400" in ran.err


@pytest.mark.slow
def test_ctrl_c_ends_the_waiting(folder: Path) -> None:
    with exclusive(connection, ["olist_orders"], what="restore 1", timeout_seconds=1):
        process = spawn(folder, "--wait", "600")
        wait_for_an_advisory_lock()
        begun = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert finish(process).code == 130
        assert time.monotonic() - begun < 10
    assert not Batch.objects.exists()


def test_a_load_that_loses_its_locks_commits_no_file_more_and_says_so(folder: Path) -> None:
    def end_its_locks() -> None:
        wait_for_a_lock_on("olist_customers")
        terminate(load_name(Batch.objects.get().pk))
        assert status_by_api() == "failed"  # its process may live, and so may another load's that holds its tables
        held.connection.rollback()

    with transaction_elsewhere() as held:
        held.execute("lock table olist_customers in row exclusive mode")
        with aside(end_its_locks) as (ending,):
            options = LoadOptions(tables=("customers",))
            with pytest.raises(DatabaseFailed, match=r"that held its locks was lost .* rolled back: run it again"):
                load_place(str(folder), options)
            ending.result()
    assert not Customer.objects.exists()
    assert not Account.objects.exists()
    batch = Batch.objects.get()
    assert batch.status == "failed"
    assert "connection that held its locks was lost" in batch.error
    assert load_json(folder).report["status"] == "accepted"
