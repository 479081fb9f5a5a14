"""What a backup holds, and what it leaves when it fails."""

import json
import re
import threading
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.db import connection

from backups.backing_up import backup as backup_module
from backups.backing_up.backup import backup
from backups.backing_up.snapshot import open_snapshot
from backups.files import parquet
from backups.hashing.row_hashes import assert_server_agrees
from backups.models import Backup
from core.errors import BackupDamaged, DatabaseFailed, TableBusy
from core.postgres import copy_out
from tests.support.backups.runs import backup_file, library, manifest_of, name_of, run
from tests.support.loading.loads import PROJECT, Ran, query
from tests.support.postgres.sessions import lock_is_awaited

pytestmark = pytest.mark.usefixtures("committed")


def test_a_file_is_zstd_sorted_by_key_with_exact_types_marked_with_postgresqls(store: Path) -> None:
    query("insert into specimens (id, text) values (3, null), (1, 'b'), (2, '')")
    parquet = pq.ParquetFile(backup_file("specimens", store))
    schema = parquet.schema_arrow
    assert {
        name: schema.field(name).type for name in ("price", "at", "seen", "number", "id", "key", "fine", "day")
    } == {
        "price": pa.decimal128(10, 2),
        "at": pa.timestamp("us"),
        "seen": pa.timestamp("us", "UTC"),
        "number": pa.int32(),
        "id": pa.int64(),
        "key": pa.string(),
        "fine": pa.decimal128(38, 12),
        "day": pa.date32(),
    }
    marks = {field.name: (field.metadata or {}).get(b"postgres") for field in schema}
    assert (marks["data"], marks["raw"], marks["code"]) == (b"jsonb", b"bytea", b"character varying(20)")
    assert marks["key"] == b"uuid"
    assert parquet.metadata.row_group(0).column(0).compression == "ZSTD"
    assert parquet.read()["id"].to_pylist() == [1, 2, 3]
    assert parquet.read()["text"].to_pylist() == ["b", "", None]


@pytest.mark.slow
def test_row_groups_have_about_128_ki_rows(store: Path) -> None:
    query("insert into shelves (id, name, size) select n, n, 1 from generate_series(1, 150000) n")
    groups = pq.ParquetFile(backup_file("shelves", store)).metadata
    sizes = [groups.row_group(number).num_rows for number in range(groups.num_row_groups)]
    assert sum(sizes) == 150_000
    assert all(128 * 1024 <= size < 2 * 128 * 1024 for size in sizes[:-1])


def test_a_file_is_proved_by_two_threads_each_with_a_reader_of_its_own(store: Path) -> None:
    query("insert into shelves (id, name, size) select n, n, 1 from generate_series(1, 2000) n")
    read, readers = pq.ParquetFile.read_row_group, dict[pq.ParquetFile, set[int]]()

    def watched(reader: pq.ParquetFile, number: int, **options: Any) -> pa.Table:
        readers.setdefault(reader, set()).add(threading.get_ident())
        return read(reader, number, **options)

    with (
        mock.patch.object(parquet, "ROW_GROUP_ROWS", 1),
        mock.patch.object(copy_out, "BLOCK_BYTES", 512),
        mock.patch.object(pq.ParquetFile, "read_row_group", watched),
    ):
        backup_file("shelves", store)
    assert [len(threads) for threads in readers.values()] == [1, 1]  # one reader for two threads loses its buffers


def test_the_manifest_says_what_the_table_holds_in_the_footer_and_beside(store: Path) -> None:
    library()
    path = backup_file("shelves", store)
    beside = json.loads(manifest_of(path).read_text())
    footer = json.loads((pq.ParquetFile(path).metadata.metadata or {})[b"dataforge.manifest"])
    assert beside == footer | {name: beside[name] for name in ("file", "bytes", "sha256")}
    assert (beside["table"], beside["rows"], beside["key"]) == ("shelves", 3, ["id"])
    assert beside["bytes"] == path.stat().st_size
    newest = max(file.stem for file in (PROJECT / "backups" / "migrations").glob("0*.py"))
    assert beside["migrations"] == {"backups": newest}
    columns = {column.pop("name"): column for column in beside["columns"]}
    assert columns["name"] == {
        "type": "character varying(20)", "not_null": True, "nulls": 0,
        "minimum": "bare", "maximum": "south", "sum": None,
    }  # fmt: skip
    assert (columns["size"]["minimum"], columns["size"]["maximum"], columns["size"]["sum"]) == ("1", "3", "6")
    assert "twice" not in columns  # the database makes it again


@pytest.mark.parametrize("name", ["shelves", "backups.Shelf", "backups.shelf"])
def test_a_table_is_named_as_in_the_database_or_by_its_model(name: str, store: Path) -> None:
    run("backup_table", name)
    assert Backup.objects.get().table == "shelves"


def test_a_table_may_be_named_without_its_app(store: Path) -> None:
    run("backup_table", "orders", "sellers")
    assert {row.table for row in Backup.objects.all()} == {"olist_orders", "olist_sellers"}
    assert len({row.run for row in Backup.objects.all()}) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "part"),
    [
        (["orderz"], 2, "orderz: no model has such a table"),
        ([], 2, "Name the tables, or give --all"),
        (["orders", "--all"], 2, "Name the tables, or give --all"),
        (["visits"], 1, "column host: no Arrow type is written to or read from inet exactly; column length"),
    ],
)
def test_wrong_use_is_one_line(arguments: list[str], code: int, part: str, store: Path) -> None:
    ran = run("backup_table", *arguments, code=code)
    assert part in ran.err
    assert ran.err.count("\n") == 1
    assert not Backup.objects.exclude(status="failed").exists()
    assert not store.exists()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("at", "infinity"),
        ("at", "-infinity"),
        ("at", "10000-01-01"),
        ("at", "0044-03-15 BC"),
        ("seen", "infinity"),
        ("day", "infinity"),
        ("day", "20000-01-01"),
        ("price", "NaN"),
    ],
)
def test_a_value_that_no_file_holds_is_refused_by_name_and_nothing_is_left(
    column: str, value: str, store: Path
) -> None:
    library()
    query(f"insert into specimens (id, {column}) values (1, '{value}')")
    refused = run("backup_table", "shelves", "specimens", code=1)
    assert f"specimens: it holds a value that no file can hold: column {column} has one" in refused.err
    assert_nothing_left(store)


def assert_nothing_left(store: Path) -> None:
    assert set(store.rglob("*")) <= {store / "_manifests"}  # not a folder of the run
    assert run("list_backups").out.count("\n") == 1
    assert set(Backup.objects.values_list("status", flat=True)) == {"failed"}
    assert all(row.error for row in Backup.objects.all())


def test_a_file_that_reads_back_as_something_else_is_not_kept(store: Path) -> None:
    library()
    with (
        mock.patch("backups.hashing.row_hashes.hash_numbers", side_effect=lambda values: values.astype("uint64")),
        pytest.raises(BackupDamaged, match="read back"),
    ):
        backup(["shelves"])
    assert_nothing_left(store)


def test_a_failure_after_the_first_manifest_takes_that_away_too(store: Path) -> None:
    library()
    with mock.patch.object(backup_module, "enter", side_effect=OSError("no")), pytest.raises(OSError, match="no"):
        backup(["shelves", "books"])
    assert_nothing_left(store)


def test_a_place_that_cannot_be_written_to_is_named(store: Path) -> None:
    store.parent.mkdir(exist_ok=True)
    store.write_text("a file, not a folder")
    ran = run("backup_table", "shelves", code=2)
    assert str(store) in ran.err
    assert ran.err.count("\n") == 1


def test_a_server_with_other_hash_functions_is_refused() -> None:
    with (
        mock.patch("backups.hashing.row_hashes._KNOWN_ANSWER", 1),
        connection.cursor() as cursor,
        pytest.raises(DatabaseFailed, match="PostgreSQL 14 to 18"),
    ):
        assert_server_agrees(cursor)


def test_a_table_that_is_truncated_while_the_backup_waits_for_it_is_not_read_as_it_was_or_as_empty_by_halves(
    store: Path,
) -> None:
    """The lock comes before the snapshot: what is committed before the lock is there, is in the file."""
    library()
    other = connection.copy()
    other.set_autocommit(False)
    with other.cursor() as cursor:
        cursor.execute("truncate loans; insert into loans (id, book_id) values (7, 1), (8, 1)")
        results: list[Any] = []

        def work() -> None:
            try:
                results.extend(backup(["loans", "books"]))
            finally:
                connection.close()

        thread = threading.Thread(target=work)
        thread.start()
        while not lock_is_awaited("loans"):
            assert thread.is_alive()
        other.commit()
        thread.join()
    other.close()
    assert {result.table: result.rows for result in results} == {"books": 4, "loans": 2}


def test_a_table_that_is_not_to_be_had_is_busy_and_its_holder_named(store: Path) -> None:
    other = connection.copy()
    other.set_autocommit(False)
    with other.cursor() as cursor:
        cursor.execute("set application_name = 'a long repair'")
        cursor.execute("lock table loans in access exclusive mode")
        with (
            mock.patch.object(backup_module, "open_snapshot", partial(open_snapshot, timeout_seconds=0.05)),
            pytest.raises(TableBusy, match="a long repair"),
        ):
            backup(["loans"])
        other.rollback()
    other.close()
    assert_nothing_left(store)


@pytest.fixture
def three(committed: None, store: Path) -> Path:
    """Two backups of the shelves, of which this is the newer one, and one of the books."""
    library()
    backup_file("shelves", store)
    newest = backup_file("shelves", store)
    backup_file("books", store)
    return newest


@pytest.fixture
def lost(three: Path) -> Path:
    """The newest backup of the shelves, when the catalogue is lost."""
    Backup.objects.all().delete()
    return three


@pytest.fixture
def found_again(lost: Path) -> Ran:
    """A look into the folder after the catalogue is lost, with a manifest that cannot be read."""
    manifest_of(lost).with_name("junk.json").write_text("{")
    return run("list_backups", "--scan")


def test_backups_are_listed_the_newest_first(three: Path) -> None:
    listed = run("list_backups", "shelves").out
    assert listed.count("\n") == 3
    assert name_of(three) in listed.splitlines()[1]


@pytest.mark.usefixtures("lost")
def test_without_its_catalogue_no_backup_is_listed() -> None:
    assert run("list_backups").out.count("\n") == 1


def test_backups_are_found_again_when_the_catalogue_is_lost(found_again: Ran) -> None:
    assert "4 manifests, 3 of them new to the catalogue." in found_again.out
    assert "junk/junk.parquet is not the backup that was written: its manifest cannot be read" in found_again.err
    assert found_again.out.count("not yet") == 6


@pytest.mark.usefixtures("found_again")
def test_what_was_found_again_is_not_restored_before_it_is_verified() -> None:
    assert "restored" not in run("restore_table", "shelves", code=1).out


@pytest.mark.usefixtures("found_again")
def test_a_second_look_finds_nothing_new_and_keeps_what_is_verified() -> None:
    run("verify_backup", "--all")
    assert "0 of them new" in run("list_backups", "--scan").out
    assert run("list_backups").out.count("not yet") == 3


@pytest.mark.usefixtures("found_again")
def test_what_was_found_again_can_be_drilled(lost: Path) -> None:
    run("verify_backup", "--all")
    run("verify_backup", lost, "--drill")
    assert run("list_backups").out.count("not yet") == 2


@pytest.mark.usefixtures("found_again")
def test_what_was_found_again_is_restored_when_it_is_verified() -> None:
    run("verify_backup", "--all")
    run("restore_table", "shelves")


def test_a_backup_of_an_empty_table_is_one(store: Path) -> None:
    path = backup_file("loans", store)
    assert pq.ParquetFile(path).metadata.num_rows == 0
    run("verify_backup", path, "--drill")
    library()
    run("restore_table", "loans")
    assert query("select count(*) from loans") == [(0,)]


def test_all_means_the_tables_of_the_setting(store: Path, settings: Any) -> None:
    settings.DATAFORGE_BACKUP_TABLES = ["olist", "ingest.Batch", "backups.Shelf"]
    library()
    run("backup_table", "--all")
    tables = set(Backup.objects.values_list("table", flat=True))
    assert {"olist_orders", "olist_geolocation", "ingest_batch", "shelves"} <= tables
    assert len(tables) == 11


def test_the_readmes_transcript_ends_as_a_backup_does(store: Path) -> None:
    library()
    said = run("backup_table", "shelves").out.splitlines()[-1]
    transcript = (PROJECT / "README.md").read_text(encoding="utf-8").split("backup_table --all\n")[1].splitlines()
    moment = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
    assert re.sub(moment, "~", said) in [re.sub(moment, "~", line) for line in transcript]
