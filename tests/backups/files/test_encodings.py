"""Every reader knows what is written: dictionaries and plain pages; lists by dictionaries alone, in each row group."""

import random
from pathlib import Path
from unittest import mock

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from backups.files import encodings, parquet
from core.postgres import copy_out
from tests.support.backups.every_kind import COLUMNS, every_kind
from tests.support.backups.runs import backup_file
from tests.support.loading.loads import query
from tests.support.readers.parquet_pages import PLAIN, RLE_DICTIONARY, data_encodings

pytestmark = pytest.mark.usefixtures("committed")
TAGS = "tags.list.element"


def physical(path: Path) -> dict[str, str]:
    schema = pq.ParquetFile(path).schema
    return {schema.column(place).path: schema.column(place).physical_type for place in range(len(schema.names))}


def test_decimals_are_integers_where_they_fit_and_a_uuid_is_text(store: Path) -> None:
    every_kind()
    kinds = physical(backup_file("specimens", store))
    assert {name: kinds[name] for name in ("price", "fine", "key")} == {
        "price": "INT64",
        "fine": "FIXED_LEN_BYTE_ARRAY",
        "key": "BYTE_ARRAY",
    }


def test_no_page_is_written_in_a_newer_way(store: Path) -> None:
    every_kind()
    path = backup_file("specimens", store)
    used = {name: data_encodings(path, TAGS if name == "tags" else name) for name in COLUMNS}
    assert {name: found for name, found in used.items() if not set().union(*found) <= {PLAIN, RLE_DICTIONARY}} == {}


def test_lists_have_a_dictionary_in_each_row_group(store: Path) -> None:
    query("insert into specimens (id, tags) select n, array[n::text, null, 'same'] from generate_series(1, 20000) n")
    query("insert into specimens (id, tags) select n, null from generate_series(20001, 40000) n")
    with mock.patch.object(parquet, "ROW_GROUP_ROWS", 10_000), mock.patch.object(copy_out, "BLOCK_BYTES", 1 << 16):
        found = data_encodings(backup_file("specimens", store), TAGS)
    assert len(found) >= 2
    assert set().union(*found) == {RLE_DICTIONARY}


def test_a_list_keeps_its_dictionary_however_large_that_grows(store: Path) -> None:
    query(
        "insert into specimens (id, tags) select n, array(select md5(n || '-' || m) || repeat(' ', 400)"
        " from generate_series(1, 3000) m) from generate_series(1, 5) n"
    )
    path = backup_file("specimens", store)
    assert set().union(*data_encodings(path, TAGS)) == {RLE_DICTIONARY}
    assert len(set().union(*(tags or () for tags in pq.read_table(path)["tags"].to_pylist()))) == 15_000


def test_with_the_writers_own_limit_they_would_lose_it(store: Path) -> None:
    """So the test above sees what it looks for."""
    query(
        "insert into specimens (id, tags) select n, array(select md5(n || '-' || m) || repeat(' ', 400)"
        " from generate_series(1, 3000) m) from generate_series(1, 5) n"
    )
    with mock.patch.object(encodings, "NEVER_LEFT_BYTES", 1 << 20):
        assert PLAIN in set().union(*data_encodings(backup_file("specimens", store), TAGS))


def test_columns_have_a_dictionary_where_it_makes_them_smaller() -> None:
    count, dice = 20_000, random.Random(7)
    rows = pa.table(
        {
            "number": pa.array(range(count), pa.int64()),
            "state": pa.array([f"state {dice.randrange(27)}" for _ in range(count)]),
            "score": pa.array([dice.randrange(1, 6) for _ in range(count)], pa.int32()),
            "tags": pa.array([["a"]] * count, pa.list_(pa.string())),
        }
    )
    assert encodings.writer_options(rows)["use_dictionary"] == ["state", "score", "tags.list.element"]
