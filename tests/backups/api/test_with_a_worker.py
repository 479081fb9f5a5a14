"""Where a worker does them, backups and restores are answered first, and their rows say the rest."""

from typing import Any

import pytest
from django.tasks import default_task_backend

from tests.support.api.client import ApiClient, Json
from tests.support.backups.runs import library

pytestmark = pytest.mark.usefixtures("committed", "store")
BACKUPS = "/api/v1/backups/"


@pytest.fixture
def queued(ana: ApiClient, settings: Any) -> Json:
    """The row of a backup that waits for a worker."""
    library()
    settings.TASKS = {"default": {"BACKEND": "django.tasks.backends.dummy.DummyBackend"}}
    row: Json
    (row,) = ana.post({"tables": ["shelves"]}, to=BACKUPS).json["results"]
    return row


def work() -> None:
    """Do, as a worker would, what was queued last."""
    waiting = default_task_backend.results[-1]  # type: ignore[attr-defined]  # the dummy's
    waiting.task.call(*waiting.args, **waiting.kwargs)


def test_with_a_worker_the_answer_to_a_backup_comes_first(queued: Json) -> None:
    (waiting,) = default_task_backend.results  # type: ignore[attr-defined]  # the dummy's
    assert (queued["status"], queued["file"]) == ("queued", "")
    assert waiting.args == [queued["run"]]


def test_the_queue_holds_numbers_and_no_place(ana: ApiClient, queued: Json) -> None:
    work()
    ana.post({"drill": True}, to=f"{BACKUPS}{queued['id']}/verify/")
    restore = ana.post({"mode": "merge", "with_children": True}, to=f"{BACKUPS}{queued['id']}/restore/").json
    sent = [(waiting.args, waiting.kwargs) for waiting in default_task_backend.results]  # type: ignore[attr-defined]
    assert sent == [([queued["run"]], {}), ([queued["id"]], {"drill": True}), ([restore["id"]], {})]


def test_a_backup_that_is_still_queued_is_not_restored(ana: ApiClient, queued: Json) -> None:
    assert ana.post({}, to=f"{BACKUPS}{queued['id']}/restore/").status == 409


def test_the_row_of_a_backup_says_when_a_worker_has_done_it(ana: ApiClient, queued: Json) -> None:
    work()
    assert ana.get(f"{BACKUPS}{queued['id']}/").json["status"] == "done"


def test_with_a_worker_the_answer_to_a_restore_comes_first(ana: ApiClient, queued: Json) -> None:
    work()
    restore = ana.post({}, to=f"{BACKUPS}{queued['id']}/restore/")
    assert (restore.status, restore.json["status"]) == (202, "queued")


def test_a_worker_that_gets_a_restore_twice_does_it_once(ana: ApiClient, queued: Json) -> None:
    work()
    restore = ana.post({}, to=f"{BACKUPS}{queued['id']}/restore/")
    work()
    work()
    assert ana.get(restore.headers["Location"]).json["status"] == "done"
