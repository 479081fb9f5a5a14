"""A right or a table that is missing is told at every door: 503, never 500, and the log says what to do."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from access.tokens import create_token
from tests.support.access.people import person
from tests.support.api.client import BATCHES
from tests.support.api.parcels import one_table, record, tagged
from tests.support.backups.runs import run
from tests.support.loading.loads import ONE_OF_EACH, assert_clear_error, load, query, write_files
from tests.support.postgres.roles import connected_as, limited_role

pytestmark = pytest.mark.usefixtures("committed")
TABLES = (
    "access_token",
    "auth_group",  # whose names a form reads by a cursor of the server
    "django_session",
    "ingest_rejectedrecord",
    "olist_orders",
    *(
        pytest.param(name, marks=pytest.mark.slow)
        for name in (
            "access_counter",
            "auth_user",
            "backups_backup",
            "backups_restore",
            "ingest_account",
            "ingest_batch",
            "ingest_tally",
        )
    ),
)
PAGES = (
    "/admin/",
    "/admin/olist/order/",
    "/admin/olist/order/1/change/",
    "/admin/ingest/rejectedrecord/",
    "/admin/ingest/batch/",
    "/admin/backups/backup/",
    "/admin/backups/backup/back-up-now/",
    "/admin/auth/user/",
    "/admin/auth/user/add/",
    "/admin/access/token/add/",
)
API = ("batches", "rejects", "rejects/1", "tables", "tables/orders", "backups", "restores")


class Site:
    """Everybody who comes to the site: a signed-in browser, a stranger's, a program with a token, and Prometheus."""

    def __init__(self, user: User, store: Path) -> None:
        self.browser, self.stranger = (Client(raise_request_exception=False) for _ in range(2))
        self.browser.force_login(user)
        self.token = {"Authorization": f"Token {create_token(user, name='t', expires=None)}"}
        self.store = store

    def answers(self) -> Iterator[tuple[str, Any]]:
        """Come by every door."""
        batch = {"records": [tagged("orders"), tagged("customers"), tagged("sellers", seller_id="bad")]}
        for body in (batch, one_table("orders", record("orders"), dry_run=True)):
            yield "batch", self.stranger.post(BATCHES, body, "application/json", secure=True, headers=self.token)
        backup = {"tables": ["orders"]}
        address = "/api/v1/backups/"
        yield "backup", self.stranger.post(address, backup, "application/json", secure=True, headers=self.token)
        for name in API:
            yield name, self.stranger.get(f"/api/v1/{name}/", secure=True, headers=self.token)
        yield "metrics", self.stranger.get("/metrics", secure=True, headers={"Authorization": "Bearer of a test"})
        for page in PAGES:
            yield page, self.browser.get(page, secure=True)
        yield "login", self.stranger.post("/admin/login/", {"username": "x", "password": "y"}, secure=True)


@pytest.fixture
def site(settings: Any, tmp_path: Path) -> Site:
    settings.METRICS_TOKEN = "of a test"
    settings.DATAFORGE_BACKUP_STORE = str(tmp_path / "store")
    settings.API_REQUESTS_PER_MINUTE = 100_000
    return Site(person("root", superuser=True), tmp_path)


def assert_told(answers: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Assert that no door has a fault, and what those say that are closed; return these."""
    assert [(door, answer.status_code) for door, answer in answers if answer.status_code >= 500] == [
        (door, 503) for door, answer in answers if answer.status_code >= 500
    ]
    closed = [(door, answer) for door, answer in answers if answer.status_code == 503]
    for door, answer in closed:
        text = answer.content.decode()
        assert answer["Retry-After"] == "5", door
        assert "The database lacks something that this site needs" in text or "The database cannot be used" in text
        assert not any(word in text for word in ("GRANT", "permission denied", "limited_in")), (door, text)
        kind = (
            "text/html; charset=utf-8"
            if ("/" in door and door.startswith("/")) or door == "login"
            else "application/problem+json"
        )
        assert answer["Content-Type"] == kind, door
    return closed


def test_a_role_that_owns_nothing_and_may_use_all_tables_serves_every_door(site: Site) -> None:
    with limited_role() as role, connected_as(role):
        closed = {door: answer.status_code for door, answer in site.answers() if answer.status_code >= 400}
        assert set(closed) <= {"rejects/1"}


@pytest.mark.parametrize("table", TABLES)
def test_a_table_that_may_not_be_used_closes_doors_and_is_named_in_the_log(
    site: Site, table: str, caplog: pytest.LogCaptureFixture
) -> None:
    with limited_role() as role, connected_as(role) as as_owner:
        as_owner(f"revoke all on {table} from {role}")
        assert assert_told(list(site.answers()))
    assert f"permission denied for table {table}" in caplog.text
    assert f'GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO "{role}"' in caplog.text


@pytest.mark.parametrize(
    ("statement", "back", "log"),
    [
        ("alter table olist_orders rename to away", "alter table away rename to olist_orders", "olist_orders"),
        ("alter table ingest_batch rename to away", "alter table away rename to ingest_batch", "ingest_batch"),
        ("alter table access_token rename to away", "alter table away rename to access_token", "access_token"),
        (
            "alter table ingest_account rename inserted to away",
            "alter table ingest_account rename away to inserted",
            "inserted",
        ),
    ],
)
def test_a_migration_that_was_not_applied_closes_doors_and_is_named_in_the_log(
    site: Site, statement: str, back: str, log: str, caplog: pytest.LogCaptureFixture
) -> None:
    query(statement)
    try:
        assert assert_told(list(site.answers()))
    finally:
        query(back)
    assert log in caplog.text
    assert "manage.py migrate" in caplog.text


def test_a_sequence_that_may_not_be_used_closes_the_batches_that_have_rejects(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    with limited_role("revoke all on sequence ingest_rejectedrecord_id_seq from {role}") as role, connected_as(role):
        closed = assert_told(list(site.answers()))
    assert "batch" in dict(closed)
    assert f'GRANT USAGE, SELECT, UPDATE ON SEQUENCE ingest_rejectedrecord_id_seq TO "{role}"' in caplog.text


QUICK = {"backup_table", "dumpdata", "create_token"}
COMMANDS = (
    ("backup_table", "orders"),
    ("list_backups",),
    ("create_token", "root", "--name", "x"),
    ("replay_rejects",),
    ("prune_rejects",),
    ("run_scheduled_backups",),
    ("unlock_login", "root"),
    ("createsuperuser", "--noinput", "--username", "x", "--email", "x@example.org"),
    ("dumpdata", "olist.order"),
    ("migrate",),
)


@pytest.mark.parametrize(
    "command",
    [pytest.param(names, id=names[0], marks=() if names[0] in QUICK else pytest.mark.slow) for names in COMMANDS],
)
def test_a_command_that_lacks_a_right_ends_with_one_sentence(site: Site, command: tuple[str, ...]) -> None:
    with limited_role() as role, connected_as(role) as as_owner:
        as_owner(f"revoke all on all tables in schema public from {role}")
        ran = run(*command, code=3)
    assert ran.err.strip().count("\n") == 0, ran.err
    assert "permission denied for table" in ran.err
    assert "GRANT SELECT, INSERT, UPDATE, DELETE ON" in ran.err


def test_a_load_of_a_role_without_rights_ends_with_one_sentence(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "files", ONE_OF_EACH)
    with limited_role("revoke insert on olist_orders from {role}") as role, connected_as(role):
        ran = load(folder)
    assert_clear_error(ran, 3, "permission denied for table olist_orders", "GRANT SELECT, INSERT, UPDATE, DELETE ON")
