"""What load balancers ask: does a process answer, and can it be sent work."""

import socket
from typing import Any

import pytest
from django.db import connections
from django.db.backends.postgresql.base import DatabaseWrapper
from django.test import Client

from dataforge import readiness as asked
from dataforge.readiness import readiness
from tests.support.loading.loads import query
from tests.support.postgres.roles import connected_as, limited_role
from tests.support.postgres.sessions import transaction_elsewhere

BALANCER = {"Host": "10.20.30.40:8000"}  # an address that ALLOWED_HOSTS does not know, and plain HTTP


pytestmark = pytest.mark.usefixtures("unready")


@pytest.fixture
def strict(settings: Any) -> None:
    """Serve as in production."""
    settings.SECURE_SSL_REDIRECT = True
    settings.ALLOWED_HOSTS = ["forge.example"]


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch, db: None) -> dict[str, Any]:
    """Return the settings of the connection that /readyz will open: a plain one to another server than the tests'."""
    other = DatabaseWrapper({**connections["default"].settings_dict, "OPTIONS": {}})
    monkeypatch.setattr(connections["default"], "copy", lambda: other)
    return other.settings_dict


def test_a_process_that_lives_says_so_to_anyone_and_without_the_database(client: Client, strict: None) -> None:
    answer = client.get("/healthz", headers=BALANCER)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert client.head("/healthz", headers=BALANCER).status_code == 200
    assert client.post("/healthz", headers=BALANCER).status_code == 405
    assert client.get("/healthz/", headers=BALANCER).status_code in (301, 400)


@pytest.mark.django_db
def test_a_site_that_has_its_database_and_all_migrations_is_ready(client: Client, strict: None) -> None:
    answer = client.get("/readyz", headers=BALANCER)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "database": "ok", "migrations": "ok"})
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.django_db
def test_a_missing_migration_is_named(client: Client, strict: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asked, "_expected", lambda: {("olist", "0001_initial"), ("olist", "9999_next")})
    answer = client.get("/readyz", headers=BALANCER)
    assert answer.status_code == 503
    assert answer.json() == {
        "status": "unavailable",
        "database": "ok",
        "migrations": ["olist.9999_next is not applied"],
    }


def test_a_database_that_is_away_is_named_and_no_more_is_said_of_it(
    client: Client, strict: None, database: dict[str, Any]
) -> None:
    database["HOST"] = "/nowhere/secret"
    answer = client.get("/readyz", headers=BALANCER)
    assert answer.status_code == 503
    assert answer.json() == {"status": "unavailable", "database": "cannot be reached", "migrations": "unknown"}


@pytest.mark.slow
def test_a_database_that_does_not_answer_is_not_waited_for(
    client: Client, strict: None, database: dict[str, Any]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        database |= {"HOST": "127.0.0.1", "PORT": silent.getsockname()[1]}
        assert client.get("/readyz", headers=BALANCER).status_code == 503


@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize(
    ("statement", "mended_by"),
    [
        (
            "revoke insert, update on olist_orders from {role}",
            "table olist_orders: GRANT INSERT, UPDATE ON olist_orders TO",
        ),
        ("revoke select on access_token from {role}", "table access_token: GRANT SELECT ON access_token TO"),
        (
            "revoke usage on sequence ingest_rejectedrecord_id_seq from {role}",
            "GRANT USAGE, SELECT, UPDATE ON SEQUENCE ingest_rejectedrecord_id_seq TO",
        ),
        ("revoke usage on schema public from public", "table django_migrations is missing, or in no schema that"),
        ("alter table olist_orders enable row level security", "row level security hides rows of olist_orders"),
        ("revoke select on django_migrations from {role}", "GRANT SELECT ON django_migrations TO"),
    ],
)
def test_a_right_that_is_missing_is_named_in_the_log_and_to_nobody_else(
    client: Client, strict: None, caplog: pytest.LogCaptureFixture, statement: str, mended_by: str
) -> None:
    undone = {
        "revoke usage on schema": "grant usage on schema public to public",
        "alter": "alter table olist_orders disable row level security",
    }
    try:
        with limited_role(statement) as role, connected_as(role):
            answer = client.get("/readyz", headers=BALANCER)
            assert (answer.status_code, answer.json()["database"]) == (503, "lacks tables or rights")
            assert not any(name in answer.content.decode() for name in (role, "olist_orders", "access_token", "GRANT"))
            assert mended_by in caplog.text
    finally:
        for begin, statement_back in undone.items():
            if statement.startswith(begin):
                query(statement_back)


@pytest.mark.usefixtures("committed")
def test_a_role_that_may_do_all_to_the_tables_is_ready(client: Client, strict: None) -> None:
    with limited_role() as role, connected_as(role):
        answer = client.get("/readyz", headers=BALANCER)
        assert (answer.status_code, answer.json()["database"]) == (200, "ok")


@pytest.mark.usefixtures("committed")
def test_a_table_that_is_missing_is_named_in_the_log_and_seen_again_at_once(
    client: Client, strict: None, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asked, "LACK_BELIEVED_SECONDS", 0.0)
    query("alter table ingest_batch rename to elsewhere")
    try:
        assert client.get("/readyz", headers=BALANCER).json()["database"] == "lacks tables or rights"
        assert "table ingest_batch is missing" in caplog.text
        assert client.get("/readyz", headers=BALANCER).status_code == 503
        assert caplog.text.count("table ingest_batch is missing") == 1  # once a minute, however often it is asked
    finally:
        query("alter table elsewhere rename to ingest_batch")
    assert client.get("/readyz", headers=BALANCER).status_code == 200


@pytest.mark.usefixtures("committed")
def test_a_load_that_holds_tables_alone_keeps_nobody_from_being_ready(client: Client, strict: None) -> None:
    with transaction_elsewhere() as load:
        load.execute("select tablename from pg_tables where schemaname = 'public' and tablename <> 'django_migrations'")
        held = ", ".join(name for (name,) in load.fetchall())
        load.execute(f"lock table {held} in access exclusive mode")
        assert client.get("/readyz", headers=BALANCER).status_code == 200


@pytest.mark.usefixtures("committed")
def test_a_look_at_everything_locks_no_table_but_that_of_the_migrations() -> None:
    with transaction_elsewhere() as cursor:
        asked._ask(cursor)
        cursor.execute(
            "select distinct l.relation::regclass::text from pg_locks l join pg_class c on c.oid = l.relation"
            " where l.pid = pg_backend_pid() and c.relkind = 'r' and c.relnamespace = 'public'::regnamespace"
        )
        assert cursor.fetchall() == [("django_migrations",)]


@pytest.mark.django_db
def test_between_the_looks_it_is_answered_from_memory_while_the_server_answers(
    client: Client, strict: None, database: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = connections["default"].get_connection_params()
    database |= {"HOST": known["host"], "PORT": known["port"], "USER": known["user"], "NAME": known["dbname"]}
    assert client.get("/readyz", headers=BALANCER).status_code == 200
    monkeypatch.setattr(asked, "_expected", lambda: {("olist", "9999_next")})
    assert client.get("/readyz", headers=BALANCER).status_code == 200  # as it was a moment ago
    monkeypatch.setattr("dataforge.readiness.time.monotonic", lambda: 1e12)
    assert client.get("/readyz", headers=BALANCER).status_code == 503
    readiness.forget()
    monkeypatch.undo()


@pytest.mark.usefixtures("committed")
def test_a_server_that_takes_no_writes_is_not_ready_at_once(client: Client, strict: None) -> None:
    with limited_role() as role, connected_as(role):
        assert client.get("/readyz", headers=BALANCER).status_code == 200
        query(f"alter role {role} set default_transaction_read_only = on")
        answer = client.get("/readyz", headers=BALANCER)
        assert (answer.status_code, answer.json()["database"]) == (503, "takes no writes")
        query(f"alter role {role} reset default_transaction_read_only")
        assert client.get("/readyz", headers=BALANCER).status_code == 200
