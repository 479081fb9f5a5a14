"""A database in which backups and restores commit, a folder for them, and a server that speaks S3."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection
from pyarrow import fs
from pytest_django import DjangoDbBlocker, Settings

from tests.support.aws.moto import amazon, buckets, emptied, name_by_environment
from tests.support.backups.models import MODELS


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
    emptied(s3_server)  # a test before may have left what pyarrow does not take away
    files = buckets(s3_server)
    files.create_dir("safe")
    yield files
    files.delete_dir_contents("safe")
