"""A file that is not what was written is found before anything is touched."""

import json
import random
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from backups.backing_up.verify import verify
from backups.models import Backup
from core.errors import BackupDamaged, BackupRefused, SourceUnreadable
from tests.support.backups.runs import backup_file, content, library, manifest_of, name_of, run, spawn
from tests.support.loading.loads import database_url, query

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture
def shelves(store: Path) -> Path:
    library()
    return backup_file("shelves", store)


def flip(path: Path, position: int) -> None:
    octets = bytearray(path.read_bytes())
    octets[position % len(octets)] ^= 1 << position % 8
    path.write_bytes(octets)


def assert_found(path: Path, *parts: str) -> None:
    """The check without a database, the command, and a restore find it; the table stays as it is."""
    before = content("shelves")
    with pytest.raises((BackupDamaged, BackupRefused), match=".*".join(parts)):
        verify(str(path), catalogue=False)
    assert run("verify_backup", path, code=1).out == ""
    refused = run("restore_table", "shelves", "--from", path, "--mode", "replace", code=1)
    assert refused.err.count("\n") == 1
    assert content("shelves") == before


def test_a_flipped_bit_anywhere_is_found(shelves: Path) -> None:
    whole, moments = shelves.read_bytes(), random.Random(5)
    for position in [0, len(whole) - 1, *(moments.randrange(len(whole)) for _ in range(40))]:
        flip(shelves, position)
        with pytest.raises(BackupDamaged):
            verify(str(shelves), catalogue=False)
        shelves.write_bytes(whole)
    flip(shelves, 100)
    assert_found(shelves, "SHA-256")


def test_a_flipped_bit_of_the_manifest_is_found(shelves: Path) -> None:
    beside, moments = manifest_of(shelves), random.Random(6)
    whole = beside.read_bytes()
    for position in (moments.randrange(len(whole) - 1) for _ in range(40)):
        flip(beside, position)
        if json_of(beside) != json.loads(whole):
            with pytest.raises((BackupDamaged, BackupRefused)):
                verify(str(shelves), catalogue=False)
        beside.write_bytes(whole)


def json_of(path: Path) -> object:
    try:
        content: object = json.loads(path.read_bytes())
    except ValueError:
        return None
    return content


def test_a_cut_tail_is_found(shelves: Path) -> None:
    shelves.write_bytes(shelves.read_bytes()[:-10])
    assert_found(shelves, r"bytes, and had")


def test_a_file_without_its_manifest_is_no_backup(shelves: Path) -> None:
    manifest_of(shelves).unlink()
    assert_found(shelves, "no backup that was finished")


def test_the_manifest_of_another_file_is_found(shelves: Path, store: Path) -> None:
    query("insert into shelves (id, name, size) values (9, 'new', 1)")
    other = backup_file("shelves", store)
    shutil.copy(manifest_of(other), manifest_of(shelves))
    assert_found(shelves, f"is that of {name_of(other)}")


def test_a_swapped_file_is_found_by_the_manifest_and_a_swapped_pair_by_the_catalogue(
    shelves: Path, store: Path
) -> None:
    query("insert into shelves (id, name, size) values (9, 'new', 1)")
    other = backup_file("shelves", store)
    shutil.copy(other, shelves)
    assert_found(shelves, r"bytes, and had|SHA-256")
    told = json.loads(manifest_of(other).read_text()) | {"file": name_of(shelves)}
    manifest_of(shelves).write_text(json.dumps(told))
    assert verify(str(shelves), catalogue=False).rows == 4
    with pytest.raises(BackupDamaged, match="the catalogue knows a file of another SHA-256"):
        verify(str(shelves))
    refused = run("restore_table", "shelves", "--from", shelves, code=1)
    assert "another SHA-256" in refused.err


def test_a_footer_of_another_file_is_found(shelves: Path) -> None:
    told = json.loads(manifest_of(shelves).read_text())
    told["rows"] += 1
    manifest_of(shelves).write_text(json.dumps(told))
    assert_found(shelves, "the manifest in it and its manifest's file differ")


def test_a_file_of_nobody_and_a_backup_of_another_table_are_refused(shelves: Path, store: Path, tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.parquet"
    pq.write_table(pa.table({"id": [1]}), foreign)
    assert_found(foreign, "no backup that was finished")
    refused = run("restore_table", "books", "--from", shelves, code=1)
    assert "it is a backup of shelves, not of books" in refused.err


def test_a_newer_format_is_refused(shelves: Path) -> None:
    told = json.loads(manifest_of(shelves).read_text())
    manifest_of(shelves).write_text(json.dumps(told | {"format": 3}))
    assert_found(
        shelves, "it is of format 3, and this release knows 1 to 2. Use the release of Data Forge that wrote it"
    )


def test_a_manifest_that_would_smuggle_in_sql_is_no_manifest(shelves: Path) -> None:
    told = json.loads(manifest_of(shelves).read_text())
    told["columns"][1]["type"] = "text); drop table shelves; --"
    manifest_of(shelves).write_text(json.dumps(told))
    assert_found(shelves, "its manifest cannot be read")


@pytest.mark.parametrize("named", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_a_check_needs_no_database(named: bool, shelves: Path) -> None:  # noqa: FBT001
    what = str(shelves) if named else "--all"
    line = ["manage.py", "verify_backup", what]  # as an operator writes it: with what comes before a command
    code = f"from django.core.management import execute_from_command_line as run; run({line!r})"
    nowhere = database_url(host=str(shelves.parents[2]))
    process = spawn(code, DATABASE_URL=nowhere, BACKUP_STORE=str(shelves.parents[2]))
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert f"{shelves}: whole (shelves, 3 rows" in out


def test_a_file_that_is_not_there_is_wrong_use(store: Path) -> None:
    with pytest.raises(SourceUnreadable, match="is not there"):
        verify(str(store / "nothing.parquet"), catalogue=False)
    run("restore_table", "shelves", "--from", store / "nothing.parquet", code=2)


def test_a_backup_that_was_found_damaged_does_not_count_as_verified_any_more(shelves: Path) -> None:
    flip(shelves, 50)
    run("verify_backup", "--all", code=1)
    assert Backup.objects.get(path=str(shelves)).verified_at is None
    refused = run("restore_table", "shelves", code=1)
    assert "the catalogue has no verified backup of it" in refused.err
