"""Folders of files that several tests share."""

from pathlib import Path

import pytest

from olist.sample import write_sample
from tests.olist.loads import SHARED


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
