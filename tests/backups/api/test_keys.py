"""``Idempotency-Key`` with backups, verifications and restores: asked for twice, done once."""

from functools import partial
from threading import Event
from typing import Any
from unittest import mock

import pytest
from django.db import connection

from access.models import IdempotencyKey
from backups import tasks
from backups.models import Backup, Restore
from core.postgres.locks.held_locks import exclusive
from tests.support.api.client import Answered, ApiClient, Json
from tests.support.backups.runs import content, library
from tests.support.loading.loads import query
from tests.support.postgres.sessions import PATIENCE_SECONDS, aside

pytestmark = pytest.mark.usefixtures("committed", "store")
BACKUPS = "/api/v1/backups/"
SHELVES = {"tables": ["shelves"]}


class Killed(BaseException):
    """What a killed process does to its work: nobody catches it."""


def ask(client: ApiClient, path: str, body: Json | str, key: str = "k") -> Answered:
    return client.post(body, to=path, Idempotency_Key=key)


def assert_again(first: Answered, again: Answered) -> None:
    """The same answer, and told that it is."""
    assert (again.status, again.text, again.headers["Location"]) == (
        first.status,
        first.text,
        first.headers["Location"],
    )
    assert ("Idempotency-Replayed" in first.headers, again.headers["Idempotency-Replayed"]) == (False, "true")


@pytest.fixture
def backup(ana: ApiClient) -> str:
    """The address of a backup of shelves, of which one was changed since."""
    library()
    (row,) = ana.post(SHELVES, to=BACKUPS).json["results"]
    query("update shelves set size = 9 where id = 1")
    return f"{BACKUPS}{row['id']}/"


def test_a_backup_that_is_asked_for_twice_is_made_once(ana: ApiClient) -> None:
    library()
    first = ask(ana, BACKUPS, SHELVES)
    assert first.status == 202
    assert_again(first, ask(ana, BACKUPS, SHELVES))
    assert Backup.objects.count() == 1


def test_without_a_key_a_backup_that_is_asked_for_twice_is_made_twice(ana: ApiClient) -> None:
    library()
    assert [ana.post(SHELVES, to=BACKUPS).status for _ in range(2)] == [202, 202]
    assert Backup.objects.count() == 2


def test_a_restore_that_is_asked_for_twice_takes_back_nothing_that_came_after_it(ana: ApiClient, backup: str) -> None:
    first = ask(ana, f"{backup}restore/", {"mode": "replace"})
    query("insert into shelves (id, name, size) values (9, 'new', 1)")
    now = content("shelves")
    assert_again(first, ask(ana, f"{backup}restore/", {"mode": "replace"}))
    assert (content("shelves"), Restore.objects.count()) == (now, 1)


def test_a_verification_that_is_asked_for_twice_is_made_once(ana: ApiClient, backup: str) -> None:
    first = ask(ana, f"{backup}verify/", "")
    assert_again(first, ask(ana, f"{backup}verify/", ""))
    assert ana.get(backup).json["verified_at"] == first.json["verified_at"]


def test_a_refused_restore_is_refused_again_by_the_same_words(ana: ApiClient, backup: str) -> None:
    query("delete from shelves where id = 3")
    query("insert into shelves (id, name, size) values (4, 'fourth', 4)")
    query("insert into books (id, shelf_id, title) values (5, 4, 'five')")
    first = ask(ana, f"{backup}restore/", {"mode": "replace"})
    assert (first.status, first.headers["Content-Type"]) == (422, "application/problem+json")
    again = ask(ana, f"{backup}restore/", {"mode": "replace"})
    assert_again(first, again)
    assert again.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("path", "body"),
    [("", {"tables": ["books"]}), ("", {"tables": ["shelves"], "x": 1}), ("{}verify/", ""), ("{}restore/", {})],
)
def test_a_key_of_another_request_is_refused(ana: ApiClient, backup: str, path: str, body: Any) -> None:
    ask(ana, BACKUPS, SHELVES)
    before = Backup.objects.count()
    answer = ask(ana, path.format(backup) or BACKUPS, body)
    assert (answer.status, answer.json["code"]) in {(422, "key_reused"), (400, "invalid")}
    assert (Backup.objects.count(), Restore.objects.count()) == (before, 0)


def test_a_dry_run_claims_no_key(ana: ApiClient, backup: str) -> None:
    assert ask(ana, f"{backup}restore/", {"dry_run": True}).status == 202
    assert ask(ana, f"{backup}restore/", {"mode": "merge"}).json["dry_run"] is False


@pytest.mark.parametrize("path", ["", "{}verify/", "{}restore/"])
def test_two_keys_are_refused(ana: ApiClient, backup: str, path: str) -> None:
    assert ask(ana, path.format(backup) or BACKUPS, SHELVES if not path else {}, key="a,a").status == 400


def test_of_two_at_once_one_is_told_that_the_other_is_at_work(ana: ApiClient, backup: str) -> None:
    asked = partial(ask, ana, f"{backup}restore/", {"mode": "replace"})
    enqueue, at_work, go_on = tasks._enqueue, Event(), Event()

    def wait(*given: Any, **options: Any) -> Any:
        at_work.set()
        go_on.wait(PATIENCE_SECONDS)
        return enqueue(*given, **options)

    with mock.patch.object(tasks, "_enqueue", wait), aside(asked) as (first,):
        at_work.wait(PATIENCE_SECONDS)
        busy, other = asked(), ask(ana, BACKUPS, SHELVES)
        go_on.set()
    for refused in (busy, other):
        assert (refused.status, refused.json["code"], refused.headers["Retry-After"]) == (409, "in_flight", "1")
    assert_again(first.result(), asked())
    assert Restore.objects.count() == 1


def test_a_restore_that_found_its_table_held_may_be_asked_for_again_by_its_key(ana: ApiClient, backup: str) -> None:
    session = connection.copy()
    with exclusive(session, ["shelves"], what="load", timeout_seconds=1):
        assert ask(ana, f"{backup}restore/", {"mode": "merge"}).status == 503
    session.close()
    assert ask(ana, f"{backup}restore/", {"mode": "merge"}).json["status"] == "done"


@pytest.mark.parametrize("moment", ["before its work", "after its work"])
@pytest.mark.parametrize("what", ["back_up", "bring_back"])
def test_where_a_process_dies_the_same_request_ends_what_it_began(
    ana: ApiClient, backup: str, what: str, moment: str
) -> None:
    """Killed between the entry and the work, or between the work and its answer."""
    enqueue = tasks._enqueue

    def die(*given: Any, **options: Any) -> None:
        if moment == "after its work":
            enqueue(*given, **options)
        raise Killed

    path, body = (BACKUPS, SHELVES) if what == "back_up" else (f"{backup}restore/", {"mode": "replace"})
    with mock.patch.object(tasks, "_enqueue", die), pytest.raises(Killed):
        ask(ana, path, body)
    made = Backup.objects.count(), Restore.objects.count()
    entered = IdempotencyKey.objects.get()
    assert entered.work
    answer = ask(ana, path, body)
    assert (answer.status, entered.work in answer.headers["Location"]) == (202, True)
    assert '"status":"done"' in answer.text
    safety = (what, moment) == ("bring_back", "before its work")
    assert (Backup.objects.count(), Restore.objects.count()) == (made[0] + safety, made[1])
    assert_again(answer, ask(ana, path, body))


def test_a_restore_whose_process_died_at_its_work_is_made_anew(ana: ApiClient, backup: str) -> None:
    def die(*_: Any, **__: Any) -> None:
        Restore.objects.update(status="running")  # by the books, and nobody holds its lock
        raise Killed

    with mock.patch.object(tasks, "_enqueue", die), pytest.raises(Killed):
        ask(ana, f"{backup}restore/", {"mode": "merge"})
    answer = ask(ana, f"{backup}restore/", {"mode": "merge"})
    assert (answer.status, answer.json["status"]) == (202, "done")
    assert sorted(Restore.objects.values_list("status", flat=True)) == ["done", "failed"]


def test_with_a_worker_the_same_request_finds_what_is_queued(ana: ApiClient, settings: Any) -> None:
    library()
    settings.TASKS = {"default": {"BACKEND": "django.tasks.backends.dummy.DummyBackend"}}
    first = ask(ana, BACKUPS, SHELVES)
    assert first.json["results"][0]["status"] == "queued"
    assert_again(first, ask(ana, BACKUPS, SHELVES))
    assert Backup.objects.count() == 1


def test_a_table_that_nobody_knows_leaves_the_key_free(ana: ApiClient) -> None:
    library()
    assert ask(ana, BACKUPS, {"tables": ["nowhere"]}).status == 404
    assert ask(ana, BACKUPS, SHELVES).status == 202
