"""What more than one room's tests need: a database in which work commits, and folders of files."""

from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest
from django.test import TransactionTestCase

from olist.sample import write_sample
from tests.support.loading.loads import SHARED
from tests.support.postgres.emptying import empty_tables


@pytest.fixture
def cheap_flush() -> Iterator[None]:
    """Set up before ``transactional_db``, so that it outlives it."""
    with mock.patch.object(TransactionTestCase, "_fixture_teardown", empty_tables):
        yield


@pytest.fixture
def committed(cheap_flush: None, transactional_db: None) -> None:
    """Let the test commit, as a load does, and begin and end with empty tables."""


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clean files with all habits of the published ones: some 3,000 records."""
    folder = tmp_path_factory.mktemp("small")
    write_sample(folder, scale=0.002, seed=7)
    return folder


@pytest.fixture(scope="session")
def real_sample() -> Path:
    """The published files, cut down to 3,000 orders; they are not ours to copy into the project."""
    if not (SHARED / "olist_orders_dataset.csv").exists():
        pytest.skip(f"the real sample is not there: {SHARED}")
    return SHARED
