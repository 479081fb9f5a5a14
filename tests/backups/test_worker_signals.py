"""A worker that is told to stop ends what it has begun; of one that was cut off or lost its database, that is said."""

import signal
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.backups.queue import QueueSite, queue_site
from tests.support.postgres.sessions import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("committed")]
MANY = "insert into olist_sellers select md5(n::text), '01037', 'sao paulo', 'SP' from generate_series(51, 300000) n"
ENDED = "The process ended before the backup did."
DROP_SESSIONS = (
    "select count(pg_terminate_backend(pid)) from pg_stat_activity"
    " where datname = current_database() and pid <> pg_backend_pid()"
)


@pytest.fixture(scope="module")
def one_site(tmp_path_factory: Any, django_db_setup: None, django_db_blocker: Any) -> Iterator[QueueSite]:
    """One for all of these: to make its database takes longer than the tests."""
    with django_db_blocker.unblock(), queue_site(tmp_path_factory.mktemp("queue")) as running:
        yield running


@pytest.fixture
def site(one_site: QueueSite) -> QueueSite:
    """The site with an empty queue."""
    with one_site.sql.cursor() as cursor:
        cursor.execute("truncate django_tasks_database_dbtaskresult")
    return one_site


def heard(site: QueueSite, worker: subprocess.Popen[bytes]) -> None:
    """Tell a worker to stop, and wait until it has said that it will."""
    before = site.said().count("finished first")
    worker.send_signal(signal.SIGTERM)
    wait_until(lambda: site.said().count("finished first") > before)


def test_a_worker_that_waits_stops_at_once(site: QueueSite) -> None:
    with site.worker() as worker:
        site.becomes(site.back_up(), "done")
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(10) == 0


def test_a_backup_that_is_at_work_when_the_worker_is_told_to_stop_is_done(site: QueueSite) -> None:
    with site.worker() as worker:
        with site.holding("ACCESS EXCLUSIVE"):
            link = site.back_up()
            site.becomes(link, "running")
            heard(site, worker)
            assert worker.poll() is None
        assert worker.wait(60) == 0
    assert site.becomes(link, "done", "failed")["status"] == "done"
    assert site.results() == ["SUCCESSFUL"]


def test_a_backup_whose_rows_are_being_parsed_when_the_stop_comes_is_done(site: QueueSite) -> None:
    with site.sql.cursor() as cursor:
        cursor.execute("begin")
        cursor.execute(MANY)
        cursor.execute("commit")
    try:
        with site.worker() as worker:
            link = site.back_up()
            wait_until(
                lambda: bool(site.ask("select count(*) from pg_stat_progress_copy where datname = current_database()"))
            )
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(60) == 0
        assert site.becomes(link, "done", "failed")["rows"] == 300_000
    finally:
        with site.sql.cursor() as cursor:
            cursor.execute("delete from olist_sellers where seller_id <> all(select md5(generate_series(1, 50)::text))")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_the_task_which_is_said_to_have_failed_and_done_by_the_next(
    site: QueueSite, number: signal.Signals
) -> None:
    with site.worker() as worker, site.holding("ACCESS EXCLUSIVE"):
        link = site.back_up()
        site.becomes(link, "running")
        heard(site, worker)
        worker.send_signal(number)
        assert worker.wait(10) == 1
        assert site.results() == ["FAILED"]
        assert site.becomes(link, "done", "failed")["error"] == ENDED
    with site.worker():
        assert site.becomes(site.back_up(), "done", "failed")["status"] == "done"
    assert site.results() == ["FAILED", "SUCCESSFUL"]


def test_what_a_killed_worker_was_at_is_said_to_have_failed_when_the_next_one_starts(site: QueueSite) -> None:
    with site.worker() as worker, site.holding("ACCESS EXCLUSIVE"):
        link = site.back_up()
        site.becomes(link, "running")
        worker.kill()
        worker.wait()
    assert site.results() == ["RUNNING"]
    assert site.becomes(link, "done", "failed")["error"] == ENDED
    with site.sql.cursor() as cursor:
        cursor.execute("update django_tasks_database_dbtaskresult set started_at = started_at - interval '2 minutes'")
    with site.worker():
        wait_until(lambda: site.results() == ["FAILED"])
        assert site.becomes(site.back_up(), "done", "failed")["status"] == "done"


def test_a_worker_that_lost_its_database_says_what_failed_and_goes_on(site: QueueSite) -> None:
    with site.worker() as worker:
        with site.holding("ACCESS EXCLUSIVE"):
            link = site.back_up()
            site.becomes(link, "running")
            site.ask(DROP_SESSIONS)
            failed = site.becomes(link, "done", "failed")
            assert failed["status"] == "failed"
            wait_until(lambda: site.results() == ["FAILED"])
        assert site.becomes(site.back_up(), "done", "failed")["status"] == "done"
        site.ask(DROP_SESSIONS)  # while it waits
        time.sleep(0.5)
        assert site.becomes(site.back_up(), "done", "failed")["status"] == "done"
        assert worker.poll() is None
