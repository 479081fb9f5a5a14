"""What a session has set, however it was reached, and what that costs."""

import subprocess
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any
from unittest import mock

import psycopg2
import pyarrow as pa
import pytest
from django.db import OperationalError, connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg2 import extensions

from core.postgres.copy_out import copy_out
from core.postgres.engine import poolers, session_settings
from core.postgres.engine.sessions import Session, SessionCursor
from tests.support.loading.loads import PROJECT, query
from tests.support.postgres.server_settings import BY_DATABASE, set_by

pytestmark = pytest.mark.django_db(transaction=True)
SHOWN = "select current_setting('extra_float_digits'), current_setting('transaction_isolation')"
SETTINGS = {"extra_float_digits": "0", "default_transaction_isolation": "serializable"}
DURABLE = [("off", "on"), ("local", "on"), ("on", "on"), ("remote_write", "remote_write"), ("remote_apply",) * 2]


@pytest.fixture
def led(settings: object) -> Iterator[None]:
    """Reach the server through what takes no options, where each transaction has to begin with its settings."""
    with mock.patch.object(poolers, "refuses_options", return_value=True):
        connection.close()
        yield
    connection.close()


@pytest.fixture(params=["directly", "behind a pooler"])
def either_way(request: pytest.FixtureRequest) -> None:
    if request.param == "behind a pooler":
        request.getfixturevalue("led")


@pytest.mark.usefixtures("either_way")
def test_a_transaction_and_a_statement_outside_of_one_are_set_as_the_program_needs_them() -> None:
    with set_by(BY_DATABASE, SETTINGS):
        assert query(SHOWN) == [("1", "read committed")]
        with transaction.atomic():
            with transaction.atomic():
                assert query(SHOWN) == [("1", "read committed")]
            assert query(SHOWN) == [("1", "read committed")]


@pytest.mark.usefixtures("led")
def test_nothing_is_left_to_the_next_client_of_a_pooled_session() -> None:
    with set_by(BY_DATABASE, SETTINGS):
        query("select 1")
        with transaction.atomic():
            query("select 1")
        with connection.connection.cursor() as cursor, mock.patch.object(Session, "lead", return_value=""):
            cursor.execute("select current_setting('extra_float_digits'), current_setting('DateStyle')")
            assert cursor.fetchall() == [("0", "ISO, MDY")]


@pytest.mark.usefixtures("either_way")
def test_a_transaction_may_choose_an_isolation_of_its_own() -> None:
    with transaction.atomic():
        query("set transaction isolation level repeatable read, read only")
        assert query("show transaction_isolation") == [("repeatable read",)]


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize(("found", "used"), DURABLE)
def test_a_commit_is_as_durable_as_the_database_asks_and_at_least_on(found: str, used: str) -> None:
    with set_by(BY_DATABASE, {"synchronous_commit": found}):
        assert query("show synchronous_commit") == [(used,)]


@pytest.mark.usefixtures("either_way")
def test_options_of_the_settings_reach_the_server_beside_ours() -> None:
    given = {"options": "-c search_path=pg_catalog,\\ public -c work_mem=5MB -c extra_float_digits=-3"}
    with mock.patch.dict(connection.settings_dict["OPTIONS"], given):
        connection.close()
        found = (
            "select current_setting('search_path'), current_setting('work_mem'), current_setting('extra_float_digits')"
        )
        ((path, memory, digits),) = query(found)
        assert (path.replace('"', ""), memory, digits) == ("pg_catalog, public", "5MB", "1")
    connection.close()


@pytest.mark.usefixtures("either_way")
def test_what_cannot_share_a_message_is_sent_alone() -> None:
    with session_settings.without_timeouts():
        query("vacuum olist_sellers")


@pytest.mark.usefixtures("led")
def test_a_copy_and_percent_signs_may_begin_a_transaction() -> None:
    with mock.patch.dict(connection.settings_dict["OPTIONS"], {"options": "-c search_path=public,100%s"}):
        connection.close()
        with transaction.atomic():
            assert query("select %s || '%%'", "a") == [("a%",)]
        with transaction.atomic(), connection.cursor() as cursor, open("/dev/null", "w") as nowhere:  # noqa: PTH123
            cursor.copy_expert("copy (select 1) to stdout", nowhere)
    connection.close()


def test_timeouts_are_as_they_were_after_the_block() -> None:
    with set_by(BY_DATABASE, {"statement_timeout": "1min"}):
        with session_settings.without_timeouts():
            assert query("show statement_timeout") == [("0",)]
        assert query("show statement_timeout") == [("1min",)]


def test_a_copy_that_is_a_transaction_of_its_own_is_not_ended_within_the_block() -> None:
    with set_by(BY_DATABASE, {"statement_timeout": "200ms"}), session_settings.without_timeouts():
        connection.close()
        with connection.cursor() as cursor:
            waited = copy_out(cursor, "select 1::bigint as n from pg_sleep(0.6)", schema=pa.schema({"n": pa.int64()}))
    assert waited.num_rows == 1


def test_settings_cost_one_message_as_the_connection_is_made_and_none_later(other: BaseDatabaseWrapper) -> None:
    with mock.patch.object(SessionCursor, "execute", autospec=True, side_effect=SessionCursor.execute) as executed:
        other.ensure_connection()
    assert executed.call_count == 1
    assert other.connection.lead() == ""


@pytest.mark.parametrize(
    ("words", "refused"),
    [
        ("FATAL:  unsupported startup parameter: options", True),
        ("FATAL:  unsupported startup parameter in options: extra_float_digits", True),
        ("FATAL:  Feature not supported: RDS Proxy currently doesn't support command-line options.", True),
        ("FATAL:  password authentication failed", False),
    ],
)
def test_a_pooler_that_refuses_options_is_asked_once(words: str, *, refused: bool, other: BaseDatabaseWrapper) -> None:
    asked, connect = list[str](), psycopg2.connect

    def pooler(**parameters: Any) -> extensions.connection:
        asked.append(parameters["options"])
        if parameters["options"]:
            raise psycopg2.OperationalError(words)
        made: extensions.connection = connect(**parameters)
        return made

    with mock.patch.object(poolers, "_refusing", set()), mock.patch("psycopg2.connect", pooler):
        for _ in range(2):
            with nullcontext() if refused else pytest.raises(OperationalError, match=words):
                other.ensure_connection()
            other.close()
    assert [bool(options) for options in asked] == ([True, False, False] if refused else [True, True])


def test_dbshell_is_set_as_the_program_is() -> None:
    with set_by(BY_DATABASE, SETTINGS):
        arguments, environment = connection.client.settings_to_cmd_args_env(connection.settings_dict, ["-XAtc", SHOWN])
        shown = subprocess.run(arguments, env=environment, cwd=PROJECT, capture_output=True, text=True, check=True)
    assert shown.stdout == "1|read committed\n"
