"""Packed files are loaded as what they hold."""

from pathlib import Path

import pytest

from tests.support.loading.loads import (
    FILES,
    ONE_OF_EACH,
    fingerprints,
    load_json,
    query,
    write_files,
)
from tests.support.loading.packing import PACKERS, pack

pytestmark = pytest.mark.usefixtures("committed")


@pytest.mark.parametrize("ending", PACKERS)
def test_packed_files_give_the_same_tables_as_plain_ones(ending: str, tmp_path: Path) -> None:
    load_json(write_files(tmp_path / "plain", ONE_OF_EACH))
    stored = fingerprints()
    query("truncate olist_product_category_name_translation, olist_geolocation, olist_customers, olist_sellers cascade")
    packed = write_files(tmp_path / "packed", ONE_OF_EACH)
    for name in FILES.values():
        pack(packed / name, ending)
    ran = load_json(packed)
    assert all(counts == {"read": 1, "inserted": 1} for counts in ran.counts.values())
    assert fingerprints() == stored
