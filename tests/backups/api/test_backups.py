"""Backups over HTTP: asked for, seen, verified, restored; who may, and what is wrong with a request."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock
from uuid import uuid4

import pytest
from django.db import connection

from backups.models import Backup, Restore
from core.postgres.fingerprint import Fingerprint
from core.postgres.locks.held_locks import exclusive
from tests.support.api.client import Answered, ApiClient, Json
from tests.support.backups.people import EVERYTHING, caller, person
from tests.support.backups.runs import content, library
from tests.support.loading.loads import query

pytestmark = pytest.mark.usefixtures("committed", "store")
BACKUPS = "/api/v1/backups/"
RESTORES = "/api/v1/restores/"


def back_up(client: ApiClient, *tables: str) -> list[Json]:
    """Back tables up and return the rows."""
    library()
    answer = client.post({"tables": list(tables)}, to=BACKUPS)
    assert answer.status == 202, answer
    rows: list[Json] = answer.json["results"]
    return rows


@pytest.fixture
def two_tables(ana: ApiClient) -> Answered:
    """The answer to a backup of shelves and books."""
    library()
    answer = ana.post({"tables": ["shelves", "backups.Book"]}, to=BACKUPS)
    assert answer.status == 202, answer
    return answer


def test_tables_are_backed_up_by_whom_and_with_how_many_rows(two_tables: Answered) -> None:
    rows = {row["table"]: row for row in two_tables.json["results"]}
    assert {table: (row["status"], row["rows"], row["user"]) for table, row in rows.items()} == {
        "shelves": ("done", 3, "ana"),
        "books": ("done", 4, "ana"),
    }


def test_the_file_of_a_backup_is_named_without_the_folder_of_its_store(two_tables: Answered) -> None:
    (books,) = (row for row in two_tables.json["results"] if row["table"] == "books")
    assert re.fullmatch(r"[0-9TZ.]+-[0-9a-f]{8}/books/books.parquet", books["file"])


def test_the_answer_to_a_backup_links_to_its_rows(ana: ApiClient, two_tables: Answered) -> None:
    found = ana.get(two_tables.headers["Location"]).json["results"]
    assert {row["id"] for row in found} == {row["id"] for row in two_tables.json["results"]}


def test_a_backup_alone_is_shown_as_in_its_answer(ana: ApiClient, two_tables: Answered) -> None:
    (books,) = (row for row in two_tables.json["results"] if row["table"] == "books")
    assert ana.get(f"{BACKUPS}{books['id']}/").json == books


def test_all_means_the_tables_of_the_command(ana: ApiClient, settings: Any) -> None:
    settings.DATAFORGE_BACKUP_TABLES = ["backups.Shelf", "backups.Loan"]
    answer = ana.post({"tables": "all"}, to=BACKUPS)
    assert {row["table"] for row in answer.json["results"]} == {"shelves", "loans"}


@pytest.fixture
def many_rows(committed: None) -> None:
    """A hundred and one backups that failed, and one that is queued."""
    Backup.objects.bulk_create(Backup(table="shelves", path=f"/x/{n}", status="failed") for n in range(101))
    Backup.objects.create(table="books", path="/x/b", status="queued")


@pytest.mark.usefixtures("many_rows")
def test_a_list_is_paged(ana: ApiClient) -> None:
    first = ana.get(f"{BACKUPS}?table=shelves&status=failed").json
    second = ana.get(first["next"].partition("localhost")[2] or first["next"]).json
    assert [len(page["results"]) for page in (first, second)] == [100, 1]


@pytest.mark.usefixtures("many_rows")
def test_a_list_is_narrowed(ana: ApiClient) -> None:
    assert [row["table"] for row in ana.get(f"{BACKUPS}?status=queued").json["results"]] == ["books"]


@pytest.mark.parametrize("name", ["olist_order_payments", "order_payments", "olist.OrderPayment"])
@pytest.mark.parametrize(("kind", "address"), [(Backup, BACKUPS), (Restore, RESTORES)])
def test_a_list_is_narrowed_by_any_name_of_a_table(
    ana: ApiClient, kind: type[Backup] | type[Restore], address: str, name: str
) -> None:
    row = kind.objects.create(table="olist_order_payments", path="/x/a", status="failed")
    kind.objects.create(table="shelves", path="/x/b", status="failed")
    assert [each["id"] for each in ana.get(f"{address}?table={name}").json["results"]] == [str(row.pk)]


@pytest.mark.parametrize("address", [BACKUPS, RESTORES])
def test_a_list_of_a_table_that_nobody_knows_is_the_404_of_a_backup_of_it(ana: ApiClient, address: str) -> None:
    asked, listed = ana.post({"tables": ["nowhere"]}, to=BACKUPS), ana.get(f"{address}?table=nowhere")
    assert (listed.status, listed.json["code"]) == (404, "unknown_table")
    assert listed.json["detail"] == asked.json["detail"]


def test_a_backup_is_verified_and_drilled(ana: ApiClient) -> None:
    (row,) = back_up(ana, "books")
    answer = ana.post({"drill": True}, to=f"{BACKUPS}{row['id']}/verify/")
    assert (answer.status, answer.headers["Location"]) == (202, f"{BACKUPS}{row['id']}/")
    assert answer.json["verified_at"] > row["verified_at"]
    assert answer.json["drilled_at"]


def test_a_verification_needs_no_body(ana: ApiClient) -> None:
    (row,) = back_up(ana, "books")
    assert ana.post("", to=f"{BACKUPS}{row['id']}/verify/").status == 202


@pytest.fixture
def file(ana: ApiClient, store: Path) -> Path:
    """The file of a backup of books."""
    back_up(ana, "books")
    (found,) = store.rglob("*.parquet")
    return found


@pytest.mark.parametrize(("path", "body"), [("verify/", {}), ("restore/", {"dry_run": True})])
def test_a_damaged_file_is_said_without_its_folder(
    ana: ApiClient, store: Path, file: Path, path: str, body: Json
) -> None:
    file.write_bytes(file.read_bytes()[:-1] + b"X")
    answer = ana.post(body, to=f"{BACKUPS}{Backup.objects.get().pk}/{path}")
    assert (answer.status, answer.json["code"]) == (422, "damaged"), answer
    assert str(store) not in answer.text + ana.get(answer.headers["Location"]).text


def test_a_backup_whose_file_is_damaged_is_no_longer_verified(ana: ApiClient, file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1] + b"X")
    address = f"{BACKUPS}{Backup.objects.get().pk}/"
    ana.post({}, to=f"{address}verify/")
    assert ana.get(address).json["verified_at"] is None


def test_a_lost_file_is_said(ana: ApiClient, file: Path) -> None:
    file.unlink()
    answer = ana.post({}, to=f"{BACKUPS}{Backup.objects.get().pk}/verify/")
    assert (answer.status, answer.json["code"]) == (422, "unreadable")


@dataclass(frozen=True)
class Spoilt:
    """A backup of shelves, of which one was changed since: what they held before and hold now."""

    number: str
    before: Fingerprint
    now: Fingerprint

    @property
    def address(self) -> str:
        """Where a restore is asked for."""
        return f"{BACKUPS}{self.number}/restore/"


@pytest.fixture
def spoilt(ana: ApiClient) -> Spoilt:
    (row,) = back_up(ana, "shelves")
    before = content("shelves")
    query("update shelves set size = 9 where id = 1")
    return Spoilt(row["id"], before, content("shelves"))


def test_a_dry_run_says_what_would_change_and_changes_nothing(ana: ApiClient, spoilt: Spoilt) -> None:
    answer = ana.post({"dry_run": True, "mode": "merge"}, to=spoilt.address)
    assert (answer.status, answer.json["status"]) == (202, "done"), answer
    (table,) = answer.json["report"]["tables"]
    assert (table["changed"], table["examples"], table["mode"]) == (1, ["~ name north: size 9 -> 1"], "merge")
    assert content("shelves") == spoilt.now


def test_a_restore_brings_back_what_was_there(ana: ApiClient, spoilt: Spoilt) -> None:
    answer = ana.post({"mode": "merge"}, to=spoilt.address)
    assert (answer.status, content("shelves")) == (202, spoilt.before)


def test_a_restore_is_kept_as_it_was_answered_with_a_backup_of_what_it_replaced(ana: ApiClient, spoilt: Spoilt) -> None:
    answer = ana.post({"mode": "merge"}, to=spoilt.address)
    kept = ana.get(answer.headers["Location"]).json
    assert kept == answer.json
    assert (kept["backup"], kept["dry_run"], kept["user"]) == (spoilt.number, False, "ana")
    assert Backup.objects.get(pk=kept["safety"]).origin == "safety"


def test_restores_are_narrowed_by_backup_and_kind(ana: ApiClient, spoilt: Spoilt) -> None:
    for dry_run in (True, False):
        ana.post({"dry_run": dry_run, "mode": "merge"}, to=spoilt.address)
    assert len(ana.get(f"{RESTORES}?dry_run=true&backup={spoilt.number}").json["results"]) == 1


@pytest.fixture
def would_leave_orphans(ana: ApiClient) -> str:
    """Where a restore of shelves is asked for, after a book has come that stands on a newer shelf."""
    library()
    query("delete from loans; delete from books")
    (row,) = ana.post({"tables": ["shelves"]}, to=BACKUPS).json["results"]
    query("insert into shelves (id, name, size) values (9, 'new', 1)")
    query("insert into books (id, shelf_id, title) values (9, 9, 'orphan')")
    return f"{BACKUPS}{row['id']}/restore/"


def test_a_dry_run_names_the_orphans_that_a_restore_would_leave(ana: ApiClient, would_leave_orphans: str) -> None:
    answer = ana.post({"dry_run": True}, to=would_leave_orphans)
    assert [orphans["table"] for orphans in answer.json["report"]["orphans"]] == ["books"]


def test_a_restore_that_would_leave_orphans_is_refused_with_them(ana: ApiClient, would_leave_orphans: str) -> None:
    before = content("shelves")
    refused = ana.post({}, to=would_leave_orphans)
    assert (refused.status, refused.json["code"]) == (422, "refused")
    assert "books" in refused.json["detail"]
    assert content("shelves") == before
    assert Restore.objects.get(pk=refused.headers["Location"].split("/")[-2]).status == "failed"


def test_a_table_that_is_held_is_503(ana: ApiClient) -> None:
    (row,) = back_up(ana, "shelves")
    with (
        exclusive(connection, ["shelves"], what="a load", timeout_seconds=1),
        mock.patch("backups.restoring.restore.LOCK_WAIT_SECONDS", 0.05),
    ):
        answer = ana.post({}, to=f"{BACKUPS}{row['id']}/restore/")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")


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
    hidden = {"view_backup": {"view_backup", "verify_backup", "restore_backup"}, "view_restore": {"view_restore"}}
    refused = {right: answer.status for right, answer in calls.items() if answer.status in (403, 404)}
    assert refused == (dict.fromkeys(hidden[missing], 404) if missing in hidden else {missing: 403})
    assert missing in hidden or calls[missing].json["permission"] == f"backups.{missing}"


def test_nobody_but_staff_comes_in() -> None:
    outsider = caller(person(*EVERYTHING, staff=False))
    assert outsider.get(BACKUPS).status == 403


def test_nobody_but_staff_has_backups_made() -> None:
    outsider = caller(person(*EVERYTHING, staff=False))
    assert outsider.post({"tables": "all"}, to=BACKUPS).status == 403


def test_without_a_token_nobody_comes_in() -> None:
    assert ApiClient(None).get(BACKUPS).status == 401


GUARDED = pytest.mark.parametrize("table", ["auth_user", "access_token", "auth_user_groups", "backups_backup"])


@GUARDED
def test_tables_that_guard_the_site_are_backed_up_by_superusers_alone(ana: ApiClient, table: str) -> None:
    refused = ana.post({"tables": ["shelves", table]}, to=BACKUPS)
    assert (refused.status, refused.json["tables"]) == (403, [table])


@GUARDED
def test_backups_of_tables_that_guard_the_site_are_not_there_for_others(ana: ApiClient, table: str) -> None:
    row = Backup.objects.create(table=table, path="/x", status="done")
    address = f"{BACKUPS}{row.pk}/"
    answers = [
        ana.get(address),
        ana.post({"dry_run": True}, to=f"{address}restore/"),
        ana.post({}, to=f"{address}verify/"),
    ]
    assert [answer.status for answer in answers] == [404] * 3
    assert ana.get(BACKUPS).json["results"] == []


@GUARDED
def test_superusers_see_backups_of_tables_that_guard_the_site(table: str) -> None:
    Backup.objects.create(table=table, path="/x", status="done")
    assert len(caller(person(superuser=True)).get(BACKUPS).json["results"]) == 1


@GUARDED
def test_superusers_back_up_tables_that_guard_the_site(table: str) -> None:
    assert caller(person(superuser=True)).post({"tables": [table]}, to=BACKUPS).status == 202


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


@pytest.mark.parametrize("body", [{"path": "/etc/passwd"}, {"from": "s3://x/y"}, {"mode": "wipe"}, {"dry_run": "yes"}])
def test_a_restore_takes_no_path_and_nothing_odd(ana: ApiClient, body: Json) -> None:
    row = Backup.objects.create(table="shelves", path="/x", status="done")
    assert ana.post(body, to=f"{BACKUPS}{row.pk}/restore/").status == 400
    assert not Restore.objects.exists()


def test_a_restore_of_a_backup_that_is_not_there_is_404(ana: ApiClient) -> None:
    assert ana.post({}, to=f"{BACKUPS}{uuid4()}/restore/").status == 404
    assert not Restore.objects.exists()


def test_a_restore_of_a_backup_whose_file_was_pruned_is_said(ana: ApiClient) -> None:
    row = Backup.objects.create(table="shelves", path="/x", status="pruned")
    assert ana.post({}, to=f"{BACKUPS}{row.pk}/restore/").json["code"] == "no_file"
    assert not Restore.objects.exists()
