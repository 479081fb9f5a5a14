"""A database in which backups and restores commit, a folder for them, and a server that speaks S3."""

import logging
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest
from django.db import connection, transaction
from django.test import TransactionTestCase
from pyarrow import fs
from pytest_django import DjangoDbBlocker, Settings

from tests.support.aws.moto import amazon, buckets, name_by_environment
from tests.support.backups.models import MODELS
from tests.support.backups.runs import all_tables

PEOPLE = (
    "access_counter",
    "access_idempotencykey",
    "access_token",
    "django_session",
    "django_admin_log",
    "auth_user_user_permissions",
    "auth_user",
)


@pytest.fixture(scope="session")
def model_tables(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Make the tables of the models here, which no migration makes."""
    with django_db_blocker.unblock():
        there = connection.introspection.table_names()
        with connection.schema_editor() as editor:
            for model in MODELS:
                if model._meta.db_table not in there:
                    editor.create_model(model)
        connection.close()


def empty_tables(_: object = None) -> None:
    """Take away what a test committed."""
    tables = all_tables()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"select array[{', '.join(f'exists (select from {table})' for table in tables)}]")
        ((filled,),) = cursor.fetchall()
        if any(filled):  # to truncate a table takes a file for each of its indexes
            names = ", ".join(table for table, is_filled in zip(tables, filled, strict=True) if is_filled)
            cursor.execute("set local lock_timeout = '20s'")
            cursor.execute(f"truncate {names} cascade")
        cursor.execute("; ".join(f"delete from {table}" for table in PEOPLE))  # few rows, and many tables refer to them


@pytest.fixture
def cheap_flush() -> Iterator[None]:
    """Set up before ``transactional_db``, so that it outlives it."""
    with mock.patch.object(TransactionTestCase, "_fixture_teardown", empty_tables):
        yield


@pytest.fixture
def committed(model_tables: None, cheap_flush: None, transactional_db: None) -> None:
    """Let the test commit, as a backup of another session needs it, and end with empty tables."""


@pytest.fixture
def store(tmp_path: Path, settings: Settings) -> Path:
    """The folder where backups go by themselves."""
    settings.DATAFORGE_BACKUP_STORE = str(tmp_path / "store")
    return tmp_path / "store"


@pytest.fixture
def elsewhere(store: Path, tmp_path: Path, settings: Settings) -> Path:
    """The folder of a second store, which is named so."""
    settings.DATAFORGE_BACKUP_STORES = {"elsewhere": str(tmp_path / "elsewhere")}
    return tmp_path / "elsewhere"


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    logging.getLogger("werkzeug").propagate = False  # it runs in this process, and its log is not the commands'
    with amazon() as address:
        yield address


@pytest.fixture
def bucket(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[fs.S3FileSystem]:
    """An empty bucket ``safe`` on a server that speaks S3, named by the environment."""
    name_by_environment(monkeypatch, s3_server)
    files = buckets(s3_server)
    files.create_dir("safe")
    yield files
    files.delete_dir_contents("safe")
