"""Backups over HTTP: asked for, seen, verified, restored; who may, and what is wrong with a request."""

from pathlib import Path
from typing import Any
from unittest import mock
from uuid import uuid4

import pytest
from django.tasks import default_task_backend

from backups.models import Backup, Restore
from core.errors import TableBusy
from tests.support.api.client import ApiClient, Json
from tests.support.backups.people import EVERYTHING, caller, person
from tests.support.backups.runs import content, library
from tests.support.loading.loads import query

pytestmark = pytest.mark.usefixtures("committed", "store")
BACKUPS = "/api/v1/backups/"
RESTORES = "/api/v1/restores/"


@pytest.fixture
def ana(committed: None) -> ApiClient:
    """A member of staff with all rights to backups."""
    return caller(person(*EVERYTHING))


def back_up(client: ApiClient, *tables: str) -> list[Json]:
    """Back tables up and return the rows."""
    library()
    answer = client.post({"tables": list(tables)}, to=BACKUPS)
    assert answer.status == 202, answer
    found: list[Json] = answer.json["results"]
    return found


def test_tables_are_backed_up_and_the_answer_links_to_their_rows(ana: ApiClient) -> None:
    library()
    answer = ana.post({"tables": ["shelves", "backups.Book"]}, to=BACKUPS)
    assert answer.status == 202
    rows = {row["table"]: row for row in answer.json["results"]}
    assert {table: (row["status"], row["rows"], row["user"]) for table, row in rows.items()} == {
        "shelves": ("done", 3, "ana"),
        "books": ("done", 4, "ana"),
    }
    assert rows["books"]["file"].startswith("books-")
    assert "/" not in rows["books"]["file"]
    found = ana.get(answer.headers["Location"]).json["results"]
    assert {row["id"] for row in found} == {row["id"] for row in rows.values()}
    assert ana.get(f"{BACKUPS}{rows['books']['id']}/").json == rows["books"]


def test_all_means_the_tables_of_the_command(ana: ApiClient, settings: Any) -> None:
    settings.DATAFORGE_BACKUP_TABLES = ["backups.Shelf", "backups.Loan"]
    answer = ana.post({"tables": "all"}, to=BACKUPS)
    assert {row["table"] for row in answer.json["results"]} == {"shelves", "loans"}


def test_a_list_is_narrowed_and_paged(ana: ApiClient) -> None:
    library()
    Backup.objects.bulk_create(Backup(table="shelves", path=f"/x/{n}", status="failed") for n in range(101))
    Backup.objects.create(table="books", path="/x/b", status="queued")
    first = ana.get(f"{BACKUPS}?table=shelves&status=failed").json
    assert len(first["results"]) == 100
    assert len(ana.get(first["next"].partition("localhost")[2] or first["next"]).json["results"]) == 1
    assert [row["table"] for row in ana.get(f"{BACKUPS}?status=queued").json["results"]] == ["books"]
    assert ana.get(f"{BACKUPS}?path=/x").status == 400


@pytest.mark.parametrize("name", ["olist_order_payments", "order_payments", "olist.OrderPayment"])
def test_a_list_is_narrowed_by_any_name_of_a_table(ana: ApiClient, name: str) -> None:
    table = "olist_order_payments"
    row = Backup.objects.create(table=table, path="/x/a", status="failed")
    restore = Restore.objects.create(table=table, path="/x/a")
    for kind in (Backup, Restore):
        kind.objects.create(table="shelves", path="/x/b", status="failed")
    assert [each["id"] for each in ana.get(f"{BACKUPS}?table={name}").json["results"]] == [str(row.pk)]
    assert [each["id"] for each in ana.get(f"{RESTORES}?table={name}").json["results"]] == [str(restore.pk)]


@pytest.mark.parametrize("address", [BACKUPS, RESTORES])
def test_a_list_of_a_table_that_nobody_knows_is_the_404_of_a_backup_of_it(ana: ApiClient, address: str) -> None:
    asked, listed = ana.post({"tables": ["nowhere"]}, to=BACKUPS), ana.get(f"{address}?table=nowhere")
    assert (listed.status, listed.json["code"]) == (404, "unknown_table")
    assert listed.json["detail"] == asked.json["detail"]


def test_a_backup_is_verified_and_drilled(ana: ApiClient) -> None:
    (row,) = back_up(ana, "books")
    verified = row["verified_at"]
    answer = ana.post({"drill": True}, to=f"{BACKUPS}{row['id']}/verify/")
    assert (answer.status, answer.headers["Location"]) == (202, f"{BACKUPS}{row['id']}/")
    assert answer.json["verified_at"] > verified
    assert answer.json["drilled_at"]
    assert ana.post("", to=f"{BACKUPS}{row['id']}/verify/").status == 202


def test_a_damaged_or_lost_file_is_said_without_its_folder(ana: ApiClient, store: Path) -> None:
    (row,) = back_up(ana, "books")
    (file,) = store.rglob("*.parquet")
    file.write_bytes(file.read_bytes()[:-1] + b"X")
    for path, body in (("verify/", {}), ("restore/", {"dry_run": True})):
        answer = ana.post(body, to=f"{BACKUPS}{row['id']}/{path}")
        assert (answer.status, answer.json["code"]) == (422, "damaged"), answer
        assert str(store) not in answer.text + ana.get(answer.headers["Location"]).text
    assert ana.get(f"{BACKUPS}{row['id']}/").json["verified_at"] is None
    file.unlink()
    answer = ana.post({}, to=f"{BACKUPS}{row['id']}/verify/")
    assert (answer.status, answer.json["code"]) == (422, "unreadable")


def test_a_dry_run_says_what_would_change_and_the_restore_does_it(ana: ApiClient) -> None:
    (row,) = back_up(ana, "shelves")
    before = content("shelves")
    query("update shelves set size = 9 where id = 1")
    damaged = content("shelves")
    asked = ana.post({"dry_run": True, "mode": "merge"}, to=f"{BACKUPS}{row['id']}/restore/")
    assert (asked.status, asked.json["status"]) == (202, "done"), asked
    (table,) = asked.json["report"]["tables"]
    assert (table["changed"], table["examples"], table["mode"]) == (1, ["~ 1"], "merge")
    assert content("shelves") == damaged
    done = ana.post({"mode": "merge"}, to=f"{BACKUPS}{row['id']}/restore/")
    assert (done.status, content("shelves")) == (202, before)
    kept = ana.get(done.headers["Location"]).json
    assert kept == done.json
    assert (kept["backup"], kept["dry_run"], kept["user"]) == (row["id"], False, "ana")
    assert Backup.objects.get(pk=kept["safety"]).origin == "safety"
    assert len(ana.get(f"{RESTORES}?dry_run=true&backup={row['id']}").json["results"]) == 1


def test_a_restore_that_would_leave_orphans_is_refused_with_them(ana: ApiClient) -> None:
    library()
    query("delete from loans; delete from books")
    (row,) = ana.post({"tables": ["shelves"]}, to=BACKUPS).json["results"]
    query("insert into shelves (id, name, size) values (9, 'new', 1)")
    query("insert into books (id, shelf_id, title) values (9, 9, 'orphan')")
    before = content("shelves")
    asked = ana.post({"dry_run": True}, to=f"{BACKUPS}{row['id']}/restore/").json
    assert [orphans["table"] for orphans in asked["report"]["orphans"]] == ["books"]
    refused = ana.post({}, to=f"{BACKUPS}{row['id']}/restore/")
    assert (refused.status, refused.json["code"]) == (422, "refused")
    assert "books" in refused.json["detail"]
    assert content("shelves") == before
    assert Restore.objects.get(pk=refused.headers["Location"].split("/")[-2]).status == "failed"


def test_a_table_that_is_held_is_503(ana: ApiClient) -> None:
    (row,) = back_up(ana, "shelves")
    busy = TableBusy(tables="shelves", holder="a load", remedy="Wait.")
    with mock.patch("backups.restoring.restore.exclusive", side_effect=busy):
        answer = ana.post({}, to=f"{BACKUPS}{row['id']}/restore/")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")


def test_with_a_worker_the_answer_comes_first_and_the_row_says_the_rest(ana: ApiClient, settings: Any) -> None:
    library()
    settings.TASKS = {"default": {"BACKEND": "django.tasks.backends.dummy.DummyBackend"}}
    (row,) = ana.post({"tables": ["shelves"]}, to=BACKUPS).json["results"]
    assert (row["status"], row["file"]) == ("queued", "")
    assert ana.post({}, to=f"{BACKUPS}{row['id']}/restore/").status == 409
    (waiting,) = default_task_backend.results  # type: ignore[attr-defined]  # the dummy's
    assert waiting.args == [row["run"]]
    waiting.task.call(*waiting.args, **waiting.kwargs)
    assert ana.get(f"{BACKUPS}{row['id']}/").json["status"] == "done"
    restore = ana.post({}, to=f"{BACKUPS}{row['id']}/restore/")
    assert (restore.status, restore.json["status"]) == (202, "queued")
    (_, waiting) = default_task_backend.results  # type: ignore[attr-defined]
    waiting.task.call(*waiting.args, **waiting.kwargs)
    waiting.task.call(*waiting.args, **waiting.kwargs)  # a worker that gets it twice does it once
    assert ana.get(restore.headers["Location"]).json["status"] == "done"


@pytest.mark.parametrize("missing", EVERYTHING)
def test_each_right_is_asked_for(missing: str) -> None:
    some = caller(person(*(right for right in EVERYTHING if right != missing)))
    row, restore = (kind.objects.create(table="shelves", path="/x", status="done") for kind in (Backup, Restore))
    calls = {
        "add_backup": some.post({"tables": ["shelves"]}, to=BACKUPS),
        "view_backup": some.get(f"{BACKUPS}{row.pk}/"),
        "verify_backup": some.post({}, to=f"{BACKUPS}{row.pk}/verify/"),
        "restore_backup": some.post({}, to=f"{BACKUPS}{row.pk}/restore/"),
        "view_restore": some.get(f"{RESTORES}{restore.pk}/"),
    }
    assert {right for right, answer in calls.items() if answer.status == 403} == {missing}
    assert calls[missing].json["permission"] == f"backups.{missing}"


def test_nobody_but_staff_comes_in() -> None:
    outsider = caller(person(*EVERYTHING, staff=False))
    assert outsider.get(BACKUPS).status == outsider.post({"tables": "all"}, to=BACKUPS).status == 403
    assert ApiClient(None).get(BACKUPS).status == 401


@pytest.mark.parametrize("table", ["auth_user", "access_token", "auth_user_groups", "backups_backup"])
def test_tables_that_guard_the_site_are_for_superusers(ana: ApiClient, table: str) -> None:
    refused = ana.post({"tables": ["shelves", table]}, to=BACKUPS)
    assert (refused.status, refused.json["tables"]) == (403, [table])
    row = Backup.objects.create(table=table, path="/x", status="done")
    for answer in (
        ana.get(f"{BACKUPS}{row.pk}/"),
        ana.post({"dry_run": True}, to=f"{BACKUPS}{row.pk}/restore/"),
        ana.post({}, to=f"{BACKUPS}{row.pk}/verify/"),
    ):
        assert answer.status == 404
    assert ana.get(BACKUPS).json["results"] == []
    root = caller(person(superuser=True, name="root"))
    assert len(root.get(BACKUPS).json["results"]) == 1
    assert root.post({"tables": [table]}, to=BACKUPS).status == 202


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"tables": []}, 400),
        ({"tables": "some"}, 400),
        ({"tables": [1]}, 400),
        ({"tables": ["shelves"], "to": "s3://elsewhere"}, 400),
        ({"tables": ["nowhere\ud800"]}, 400),
        ({"tables": ["nowhere"]}, 404),
        ("[" * 100_000, 400),
        ('{"tables": "all", "tables": "all"}', 400),
    ],
)
def test_what_is_no_request_is_said(ana: ApiClient, body: Any, status: int) -> None:
    assert ana.post(body, to=BACKUPS).status == status
    assert not Backup.objects.exists()


def test_a_restore_takes_no_path_and_no_other_number(ana: ApiClient) -> None:
    (row,) = back_up(ana, "shelves")
    path = f"{BACKUPS}{row['id']}/restore/"
    for body in ({"path": "/etc/passwd"}, {"from": "s3://x/y"}, {"mode": "wipe"}, {"dry_run": "yes"}):
        assert ana.post(body, to=path).status == 400, body
    assert ana.post({}, to=f"{BACKUPS}{uuid4()}/restore/").status == 404
    Backup.objects.update(status="pruned")
    assert ana.post({}, to=path).json["code"] == "no_file"
    assert not Restore.objects.exists()
