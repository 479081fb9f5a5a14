"""Timeouts of a database end no load, backup or restore, and are named where they end anything; so is read-only."""

import time
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest
from django.db import connection
from pytest_django import Settings

from backups.backing_up import write_file
from core.errors import DatabaseFailed
from core.postgres.engine import poolers
from core.postgres.explain_errors import explained
from ingest.loading import load_file
from tests.support.api.client import ApiClient, trusted
from tests.support.api.parcels import one_table, record, stored
from tests.support.backups.runs import run
from tests.support.loading.loads import (
    ONE_OF_EACH,
    assert_clear_error,
    fingerprints,
    load_json,
    query,
    write_files,
)
from tests.support.postgres.sabotage import sabotage
from tests.support.postgres.server_settings import BY_DATABASE, set_by

pytestmark = pytest.mark.usefixtures("committed")
SHORT = {
    "statement_timeout": "150ms",
    "idle_in_transaction_session_timeout": "150ms",
    "transaction_timeout": "150ms",
    "idle_session_timeout": "150ms",
}
PAUSE_SECONDS = 0.4
SLOW_STATEMENT = f"perform pg_sleep({PAUSE_SECONDS});"
TWO = ("--table", "customers", "--table", "orders")
READ_ONLY = {"default_transaction_read_only": "on"}


@pytest.fixture(autouse=True)
def store(tmp_path: Path, settings: Settings) -> Path:
    """The folder where backups go by themselves."""
    settings.DATAFORGE_BACKUP_STORE = str(tmp_path / "store")
    return tmp_path / "store"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    return write_files(tmp_path / "files", ONE_OF_EACH)


@pytest.fixture
def api(committed: None) -> ApiClient:
    return trusted()


@pytest.fixture
def slow_table(committed: None) -> Iterator[None]:
    """Let each statement that inserts orders take its time."""
    with sabotage("olist_orders", SLOW_STATEMENT):
        yield


@pytest.fixture(params=["directly", "behind a pooler"])
def short(request: pytest.FixtureRequest, slow_table: None) -> Iterator[None]:
    """Be reached by short timeouts."""
    refuses = request.param == "behind a pooler"
    # There it is the pooler whose sessions are idle between transactions.
    given = {name: value for name, value in SHORT.items() if not (refuses and name == "idle_session_timeout")}
    with set_by(BY_DATABASE, given), mock.patch.object(poolers, "refuses_options", return_value=refuses):
        yield


def slowly(module: object, name: str) -> "mock._patch[object]":
    """Let a function of the program take its time, while its transaction is idle."""
    whole = getattr(module, name)

    def slow(*arguments: object, **options: object) -> object:
        time.sleep(PAUSE_SECONDS)
        return whole(*arguments, **options)

    return mock.patch.object(module, name, slow)


@pytest.mark.usefixtures("short")
def test_a_load_takes_the_time_that_it_takes(files: Path) -> None:
    connection.close()  # one that is idle before the load begins may end
    with slowly(load_file, "account_row"):
        load_json(files, *TWO)
        load_json(files, *TWO, "--on-conflict", "update")


@pytest.mark.usefixtures("short")
def test_a_backup_and_a_restore_take_the_time_that_they_take(files: Path) -> None:
    load_json(files, *TWO)
    before = fingerprints()
    with slowly(write_file, "write_parquet"):
        run("backup_table", "olist_orders", "olist_customers")
    query("delete from olist_orders")
    run("restore_table", "olist_orders", "--mode", "replace")
    assert fingerprints() == before


@pytest.mark.parametrize("name", ["statement_timeout", "transaction_timeout"])
def test_a_batch_is_ended_and_told_by_which_setting(name: str, api: ApiClient) -> None:
    with set_by(BY_DATABASE, {name: SHORT[name]}):
        with sabotage("olist_sellers", SLOW_STATEMENT):
            answer = api.post(one_table("sellers", record("sellers")))
        assert (answer.status, answer.json["code"], stored("sellers")) == (503, "unavailable", 0), answer
        assert name in answer.json["detail"]
    assert api.post(one_table("sellers", record("sellers"))).status == 201


def test_a_session_that_was_idle_too_long_is_told_by_which_setting(api: ApiClient) -> None:
    from ingest.posting import post

    name = "idle_in_transaction_session_timeout"
    with set_by(BY_DATABASE, {name: SHORT[name]}), slowly(post, "status_of"):
        answer = api.post(one_table("sellers", record("sellers")))
        assert (answer.status, stored("sellers")) == (503, 0), answer
        assert name in answer.json["detail"]


@pytest.mark.parametrize("name", ["statement_timeout", "transaction_timeout"])
def test_a_command_that_a_timeout_ends_names_the_setting(name: str) -> None:
    ended = f"the database user, the database or the server ended it: .*{name}|{name} of the database user"
    with set_by(BY_DATABASE, {name: SHORT[name]}), pytest.raises(DatabaseFailed, match=ended), explained("the work"):
        query("select pg_sleep(%s)", PAUSE_SECONDS)


def test_what_somebody_cancelled_is_not_laid_to_a_timeout(api: ApiClient) -> None:
    with sabotage("olist_sellers", "perform pg_cancel_backend(pg_backend_pid()); perform pg_sleep(5);"):
        answer = api.post(one_table("sellers", record("sellers")))
    assert answer.status == 503
    assert "timeout" not in answer.text


@pytest.mark.parametrize("command", [["load_olist", "{files}"], ["backup_table", "olist_orders"]])
def test_a_read_only_database_stops_a_command_with_one_sentence(command: list[str], files: Path) -> None:
    with set_by(BY_DATABASE, READ_ONLY):
        ran = run(*(part.format(files=files) for part in command), code=3)
    assert_clear_error(ran, 3, "default_transaction_read_only is on for the database user, the database or the server")


def test_a_read_only_database_stops_a_restore_with_one_sentence(files: Path) -> None:
    load_json(files)
    run("backup_table", "olist_orders")
    with set_by(BY_DATABASE, READ_ONLY):
        ran = run("restore_table", "olist_orders", code=3)
    assert_clear_error(ran, 3, "default_transaction_read_only is on")


def test_a_read_only_database_answers_a_batch_with_what_is_wrong(api: ApiClient) -> None:
    with set_by(BY_DATABASE, READ_ONLY):
        answer = api.post(one_table("sellers", record("sellers")))
    assert answer.status == 503
    assert "default_transaction_read_only is on" in answer.json["detail"]


def test_a_statement_outside_of_a_transaction_is_not_ended_either(short: None) -> None:
    from core.postgres.engine.session_settings import without_timeouts

    with without_timeouts(), connection.cursor() as cursor:
        cursor.execute("select pg_sleep(%s)", [PAUSE_SECONDS])
