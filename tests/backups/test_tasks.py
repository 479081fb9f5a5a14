"""Backups and restores in the worker of `django-tasks-db`: asked for over HTTP, followed on their rows, killed."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.backups.queue import QueueSite, queue_site

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("committed")]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[QueueSite]:
    with queue_site(tmp_path) as running:
        yield running


def test_the_worker_backs_up_and_restores_what_http_asks_for(site: QueueSite) -> None:
    before, queued = site.content(), site.back_up()
    assert site.becomes(queued, "queued")["file"] == ""
    with site.worker():
        backup = site.becomes(queued, "done", "failed")
        assert (backup["status"], backup["rows"]) == ("done", 50)
        with site.sql.cursor() as cursor:
            cursor.execute("update olist_sellers set seller_city = 'rio' where seller_id like '0%'")
        assert site.content() != before
        dry_run = site.becomes(site.restore(backup["id"], dry_run=True), "done", "failed")
        assert dry_run["report"]["tables"][0]["changed"] > 0
        restored = site.becomes(site.restore(backup["id"]), "done", "failed")
        assert (restored["status"], restored["mode"], restored["error"]) == ("done", "merge", "")
    assert site.content() == before


def test_what_a_killed_worker_left_is_said_to_have_failed_and_the_next_worker_goes_on(site: QueueSite) -> None:
    with site.worker():
        backup = site.becomes(site.back_up(), "done")
    before = site.content()
    asked: dict[str, Callable[[], str]] = {
        "The process ended before the backup did.": site.back_up,
        "The process ended before the restore did: nothing was changed.": lambda: site.restore(backup["id"]),
    }
    for error, ask in asked.items():
        with site.holding("ACCESS EXCLUSIVE"), site.worker() as worker:
            link = ask()
            assert site.becomes(link, "running", "done", "failed")["status"] == "running"
            worker.kill()
            assert site.becomes(link, "done", "failed")["error"] == error
    assert site.content() == before
    with site.worker():
        assert site.becomes(site.back_up(), "done", "failed")["status"] == "done"
        assert site.becomes(site.restore(backup["id"]), "done", "failed")["status"] == "done"
