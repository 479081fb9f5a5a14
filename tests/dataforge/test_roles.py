"""The roles of docs/database.md, made by its own SQL: the site works as the owner of one schema, analysts only read."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from core.embedded_postgres import binary
from olist.sample import write_sample
from tests.support.loading.loads import PROJECT, database_url

pytestmark = [pytest.mark.slow, pytest.mark.django_db]
DATABASE, OWNER, ANALYSTS = "roles_of_a_test", "forge_of_a_test", "analysts_of_a_test"
SQL = dict(
    zip(
        ("owner", "analysts"),
        re.findall(r"```sql\n(.*?)```", (PROJECT / "docs" / "database.md").read_text(), re.S),
        strict=True,
    )
)


def psql(
    *options: str, given: str, user: str | None = None, database: str = DATABASE
) -> subprocess.CompletedProcess[str]:
    """Run SQL as psql does, which knows variables."""
    known = connection.get_connection_params()
    place = ["-h", str(known["host"]), "-p", str(known.get("port") or 5432), "-U", user or str(known["user"])]
    command = [str(binary("psql")), "-X", "-q", "-At", *place, "-d", database, *options]
    environment = {**os.environ, "PGPASSWORD": str(known.get("password") or "")}
    return subprocess.run(command, input=given, env=environment, capture_output=True, text=True, check=False)


def as_role(user: str, statement: str) -> str:
    """Run a statement as somebody; return what it printed, or its SQLSTATE."""
    ran = psql("-v", "VERBOSITY=sqlstate", given=statement, user=user)
    return (ran.stdout + ran.stderr).strip().removeprefix("ERROR:  ")


@pytest.fixture
def roles() -> Iterator[None]:
    """Make the database and the owner's role, and take all away again."""
    names = {"database": DATABASE, "owner": OWNER, "analysts": ANALYSTS}
    options = [part for name, value in names.items() for part in ("-v", f"{name}={value}")]
    away = f"drop database if exists {DATABASE} with (force); drop role if exists {OWNER}, {ANALYSTS}, ana_of_a_test"
    everywhere = str(connection.get_connection_params()["dbname"])
    for statement in (*away.split("; "), f"create database {DATABASE}"):
        assert psql(given=statement, database=everywhere).returncode == 0
    try:
        made = psql(*options, given=SQL["owner"])
        assert (made.returncode, made.stderr) == (0, "")
        yield
    finally:
        for statement in away.split("; "):
            assert psql(given=statement, database=everywhere).stderr == ""


def manage(*arguments: str) -> str:
    """Run a command as the site's role."""
    url = re.sub(r"//[^@]*@/[^?]*", f"//{OWNER}@/{DATABASE}", database_url())
    environment = {**os.environ, "DATABASE_URL": url, "DEBUG": "on", "SECRET_KEY": "of a test"}
    command = [sys.executable, "manage.py", *arguments]
    ran = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.mark.usefixtures("roles")
def test_the_site_runs_as_the_owner_of_one_schema_and_analysts_only_read_what_they_may(tmp_path: Path) -> None:
    manage("migrate", "--verbosity", "0")
    write_sample(tmp_path / "files", scale=0.002, seed=3)
    manage("load_olist", str(tmp_path / "files"))
    store = str(tmp_path / "store")
    manage("backup_table", "orders", "--to", store)
    manage(
        "restore_table",
        "orders",
        "--mode",
        "replace",
        "--from",
        next(map(str, (tmp_path / "store").rglob("*.parquet"))),
    )
    owned = "select distinct n.nspname from pg_class c join pg_namespace n on n.oid = c.relnamespace"
    assert as_role(OWNER, f"{owned} where pg_get_userbyid(c.relowner) = current_user and n.nspname !~ '^pg_'") == OWNER
    assert as_role(OWNER, "create table public.x ()") == "42501"
    assert as_role(OWNER, "create role x") == "42501"

    granted = psql("-v", f"owner={OWNER}", "-v", f"analysts={ANALYSTS}", given=SQL["analysts"], user=OWNER)
    assert (granted.returncode, granted.stderr) == (0, "")
    psql(given=f"create role ana_of_a_test login in role {ANALYSTS}")
    orders = f"{OWNER}.olist_orders"
    assert int(as_role("ana_of_a_test", f"select count(*) from {orders}")) > 0
    assert int(as_role("ana_of_a_test", f"select count(*) from {OWNER}.ingest_account")) == 9
    for hidden in ("auth_user", "access_token", "django_session", "ingest_rejectedrecord", "access_idempotencykey"):
        assert as_role("ana_of_a_test", f"select from {OWNER}.{hidden}") == "42501"
    for deed in (
        f"delete from {orders}",
        f"update {orders} set order_status = 'x'",
        f"drop table {orders}",
        f"create table {OWNER}.x ()",
    ):
        assert as_role("ana_of_a_test", deed) == "42501"
