"""What an operator of backups is told of tables that they may not view: that they are backed up, and how it went."""

from pathlib import Path

import pytest

from backups.models import Backup, Restore
from tests.support.api.client import ApiClient, Json
from tests.support.backups.people import EVERYTHING, caller, person
from tests.support.backups.runs import library
from tests.support.loading.loads import query

pytestmark = pytest.mark.usefixtures("committed", "store")
BACKUPS = "/api/v1/backups/"
WHY = "Why is told to those who may view"


@pytest.fixture
def operator(committed: None) -> ApiClient:
    """One who may do everything with backups, and view no table."""
    return caller(person(*EVERYTHING, name="otto", sees_tables=False))


@pytest.fixture
def shelves(operator: ApiClient) -> Json:
    """The answer to their backup of shelves."""
    library()
    (row,) = operator.post({"tables": ["shelves"]}, to=BACKUPS).json["results"]
    return dict(row)


def test_they_back_up_and_are_told_no_figures(operator: ApiClient, ana: ApiClient, shelves: Json) -> None:
    kept = {who: who.get(f"{BACKUPS}{shelves['id']}/").json for who in (operator, ana)}
    assert kept[operator] == shelves
    assert (shelves["status"], shelves["rows"], shelves["bytes"]) == ("done", None, None)
    assert (kept[ana]["rows"], kept[ana]["bytes"] > 0) == (3, True)


def test_they_are_told_that_a_backup_is_damaged_and_not_by_what_values(
    operator: ApiClient, ana: ApiClient, shelves: Json, store: Path
) -> None:
    (file,) = store.rglob("*.parquet")
    file.write_bytes(b"PAR1")
    answer = operator.post({}, to=f"{BACKUPS}{shelves['id']}/verify/")
    assert (answer.status, answer.json["code"], answer.json["detail"]) == (422, "damaged", f"{WHY} shelves.")
    kept = {who: who.get(f"{BACKUPS}{shelves['id']}/").json["error"] for who in (operator, ana)}
    assert kept[operator] == f"{WHY} shelves."
    assert "is not the backup that was written" in kept[ana]


def test_they_try_a_restore_out_and_are_told_no_keys(operator: ApiClient, ana: ApiClient, shelves: Json) -> None:
    query("update shelves set size = 9 where id = 1")
    answer = operator.post({"dry_run": True, "mode": "merge"}, to=f"{BACKUPS}{shelves['id']}/restore/")
    (table,) = answer.json["report"]["tables"]
    assert [table[name] for name in ("rows", "changed", "examples")] == [None, None, []]
    (table,) = ana.get(answer.headers["Location"]).json["report"]["tables"]
    assert [table[name] for name in ("rows", "changed", "examples")] == [3, 1, ["~ name north: size 9 -> 1"]]


def test_why_a_restore_was_refused_may_quote_the_rows_of_tables_that_refer_to_it(
    operator: ApiClient, ana: ApiClient, shelves: Json
) -> None:
    query("insert into shelves (id, name, size) values (9, 'new', 1)")
    query("insert into books (id, shelf_id, title) values (9, 9, 'orphan')")
    answer = operator.post({}, to=f"{BACKUPS}{shelves['id']}/restore/")
    assert (answer.status, answer.json["detail"]) == (422, f"{WHY} books, loans, shelves.")
    assert "books" in ana.get(answer.headers["Location"]).json["error"]


def test_what_guards_the_site_is_not_there_whatever_rights_one_has() -> None:
    row = Backup.objects.create(table="auth_user", path="/x", status="running")
    restore = Restore.objects.create(table="auth_user", path="/x", status="done")
    staff = caller(person(*EVERYTHING))
    for path in (f"backups/{row.pk}/", f"backups/{row.pk}/verify/", f"backups/{row.pk}/restore/"):
        assert staff.post({}, to=f"/api/v1/{path}").status == 404
    assert staff.get(f"/api/v1/restores/{restore.pk}/").status == 404
