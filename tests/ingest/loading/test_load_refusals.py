"""What cannot be loaded is refused in one clear line, with an exit code, and nothing is written."""

import os
import shutil
import socket
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import pytest
from django.db import connection, connections

from core.postgres.locks.held_locks import exclusive
from tests.support.loading.loads import (
    FILES,
    ONE_OF_EACH,
    assert_clear_error,
    database_url,
    finish,
    load,
    load_json,
    nothing_stored,
    query,
    spawn,
    write_files,
)

pytestmark = pytest.mark.usefixtures("committed")
NOBODY = 65534


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One good record in each of the nine files."""
    return write_files(tmp_path / "files", ONE_OF_EACH)


def _without_file(folder: Path) -> None:
    (folder / FILES["orders"]).unlink()


def _empty_file(folder: Path) -> None:
    (folder / FILES["orders"]).write_bytes(b"")


def _header(change: Callable[[str], str]) -> Callable[[Path], None]:
    """Change the header of the last file: all headers are read before anything is written."""

    def edit(folder: Path) -> None:
        path = folder / FILES["order_reviews"]
        path.write_text(change(path.read_text("utf-8")), "utf-8")

    return edit


def _no_header(folder: Path) -> None:
    path = folder / FILES["sellers"]
    path.write_text(path.read_text("utf-8").split("\n", 1)[1], "utf-8")


def _utf16(folder: Path) -> None:
    path = folder / FILES["sellers"]
    path.write_bytes(path.read_text("utf-8").encode("utf-16"))


def _folder_for_file(folder: Path) -> None:
    (folder / FILES["orders"]).unlink()
    (folder / FILES["orders"]).mkdir()


REFUSED: dict[str, tuple[Callable[[Path], None], tuple[str, ...]]] = {
    "missing_folder": (shutil.rmtree, ("does not exist", "Name the folder")),
    "missing_file": (_without_file, ("orders_dataset.csv: is not there", "--table")),
    "folder_named_as_the_file": (_folder_for_file, ("orders_dataset.csv: is a folder without part files",)),
    "empty_file": (_empty_file, ("orders_dataset.csv", "empty")),
    "missing_column": (_header(lambda text: text.replace("review_score,", "", 1)), ("lacks 'review_score'",)),
    "doubled_column": (
        _header(lambda text: text.replace("review_score,", "review_score,review_score,", 1)),
        ("names twice 'review_score'",),
    ),
    "unknown_column": (
        _header(lambda text: text.replace("review_id,", "review_id,nota,", 1)),
        ("has unknown 'nota'", "exactly these columns"),
    ),
    "no_header": (_no_header, ("lacks 'seller_id'",)),
    "utf_16": (_utf16, ("UTF-16", "Save it as UTF-8")),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_folder_that_cannot_be_loaded_is_refused_by_name(case: str, folder: Path) -> None:
    spoil, parts = REFUSED[case]
    spoil(folder)
    assert_clear_error(load(folder), 2, str(folder), *parts)
    assert_clear_error(load(folder, "--format", "json"), 2, *parts)
    assert nothing_stored()


def test_all_files_that_are_wrong_are_named_at_once(folder: Path) -> None:
    _without_file(folder)
    (folder / FILES["products"]).unlink()
    _no_header(folder)
    _header(lambda text: text.replace(",", ";"))(folder)
    ran = load(folder)
    assert (ran.code, ran.out) == (2, "")
    first, *others = ran.err.splitlines()
    assert "4 files cannot be read as they are, so nothing was loaded:" in first
    told = {
        name: next(line for line in others if file in line.split(": ")[0])
        for name, file in FILES.items()
        if name in ("orders", "products", "sellers", "order_reviews")
    }
    assert "the files there are: " in told["products"]
    assert told["orders"].endswith(": is not there, either.")
    assert "lacks 'seller_id'" in told["sellers"]
    assert "save it with commas" in told["order_reviews"]
    assert len(others) == 4
    assert all(line.startswith("- ") for line in others)
    assert nothing_stored()


def zipped(folder: Path, path: Path, *, below: str = "") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in FILES.values():
            archive.write(folder / name, below + name)
    return path


def test_a_zip_loads_without_being_unpacked(folder: Path, tmp_path: Path) -> None:
    good = zipped(folder, tmp_path / "good.zip", below="olist/")
    entries = sorted(tmp_path.iterdir())
    assert all(counts == {"read": 1, "inserted": 1} for counts in load_json(good).counts.values())
    assert sorted(tmp_path.iterdir()) == entries


def _cut_zip(good: Path) -> None:
    good.write_bytes(good.read_bytes()[:-200])


def _no_zip(good: Path) -> None:
    good.write_text("no archive")


def _partial_zip(good: Path) -> None:
    with zipfile.ZipFile(good) as whole:
        customers = whole.read(FILES["customers"])
    with zipfile.ZipFile(good, "w") as archive:
        archive.writestr(FILES["customers"], customers)


@pytest.mark.parametrize(
    ("spoil", "parts"),
    [(_cut_zip, ()), (_no_zip, ()), (_partial_zip, ("8 files cannot be read", "files there are: olist_customers"))],
    ids=["cut off", "no archive", "some files only"],
)
def test_a_broken_zip_is_refused_by_name(
    spoil: Callable[[Path], None], parts: tuple[str, ...], folder: Path, tmp_path: Path
) -> None:
    spoil(zipped(folder, tmp_path / "olist.zip"))
    ran = load(tmp_path / "olist.zip")
    assert (ran.code, ran.out) == (2, "")
    for part in ("olist.zip", *parts):
        assert part in ran.err
    assert nothing_stored()


def test_an_archive_of_another_kind_is_refused(folder: Path, tmp_path: Path) -> None:
    other = zipped(folder, tmp_path / "files.tar")
    assert_clear_error(load(other), 2, "neither a folder nor a .zip")
    assert nothing_stored()


def test_a_zip_whose_member_breaks_in_its_middle_keeps_only_whole_files(folder: Path, tmp_path: Path) -> None:
    archive = zipped(folder, tmp_path / "torn.zip")
    octets = bytearray(archive.read_bytes())
    with zipfile.ZipFile(archive) as opened:
        member = opened.getinfo(FILES["orders"])
    data = member.header_offset + 30 + len(member.filename)
    octets[data + member.compress_size - 12 : data + member.compress_size] = b"\xff" * 12
    archive.write_bytes(octets)
    ran = load(archive)
    assert_clear_error(ran, 2, FILES["orders"])
    assert query("select count(*) from olist_orders") == [(0,)]
    assert {status for (status,) in query("select status from ingest_batch")} <= {"failed"}


@pytest.fixture
def open_folder(folder: Path) -> Iterator[Path]:
    """The same files in a folder that every user may reach."""
    with tempfile.TemporaryDirectory() as name:
        shutil.copytree(folder, name, dirs_exist_ok=True)
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def unprivileged() -> Iterator[None]:
    """Be nobody while the test runs: root may read everything."""
    if os.geteuid() != 0:
        yield
        return
    connection.ensure_connection()
    os.seteuid(NOBODY)
    yield
    os.seteuid(0)


def test_files_that_this_user_may_not_read_are_named(open_folder: Path, request: pytest.FixtureRequest) -> None:
    (open_folder / FILES["orders"]).chmod(0)
    request.getfixturevalue("unprivileged")
    refused = load(open_folder)
    assert_clear_error(refused, 2, FILES["orders"], "may not be read")
    closed = open_folder / "closed"
    if os.geteuid() == NOBODY:
        os.seteuid(0)
        closed.mkdir(mode=0o700)
        os.seteuid(NOBODY)
    else:
        closed.mkdir(mode=0)
    assert_clear_error(load(closed), 2, "closed", "may not be read")


@pytest.mark.parametrize("named", ["customers", "zip"])
def test_rejects_out_is_never_a_file_that_is_to_be_loaded(named: str, folder: Path, tmp_path: Path) -> None:
    source, out = folder, folder / FILES["customers"]
    if named == "zip":
        source = out = Path(shutil.make_archive(str(tmp_path / "olist"), "zip", folder))
    before = out.read_bytes()
    assert_clear_error(load(source, "--rejects-out", str(out)), 2, "is what is to be loaded", "Name another file")
    assert out.read_bytes() == before


def test_a_load_that_may_not_begin_leaves_the_file_of_rejects_alone(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "rejects"
    out.write_text("of the last load")
    with exclusive(connection.copy(), ["olist_customers"], what="another", timeout_seconds=1):
        assert_clear_error(load(folder, "--rejects-out", str(out)), 3, "held by another")
    assert out.read_text() == "of the last load"


def test_a_disk_that_fills_with_rejects_is_said_and_their_file_is_not_kept(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "files", {"customers": [{"customer_state": "XX"}]})
    ran = load(folder, "--rejects-out", "/dev/full")
    assert_clear_error(ran, 2, "/dev/full: cannot be written (No space left on device)", "Name another file")
    assert query("select status from ingest_batch") == [("failed",)]
    assert query("select count(*) from ingest_rejectedrecord") == [(0,)]


def test_rejects_out_that_cannot_be_written_refuses_before_anything_is_written(folder: Path) -> None:
    ran = load(folder, "--rejects-out", str(folder / "no" / "such" / "place"))
    assert_clear_error(ran, 2, "cannot be written", "--rejects-out")
    assert nothing_stored()


def test_files_with_only_a_header_load_no_record(tmp_path: Path) -> None:
    ran = load_json(write_files(tmp_path / "files", {}))
    assert ran.report["status"] == "accepted"
    assert ran.counts == {name: {} for name in FILES}


def test_a_header_alone_may_lack_its_line_end(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "files", {})
    for name in FILES.values():
        path = folder / name
        path.write_bytes(path.read_bytes().strip())
    assert load_json(folder).counts == {name: {} for name in FILES}


@pytest.mark.parametrize(
    "options",
    [
        ["--max-rejects", "few"],
        ["--max-rejects", "-1"],
        ["--max-rejects", "1.5"],
        ["--max-rejects", "101%"],
        ["--max-rejects", "nan"],
        ["--max-rejects", "inf"],
        ["--max-rejects", "nan%"],
        ["--on-conflict", "ignore"],
        ["--format", "xml"],
        ["--table", "order"],
        ["--unknown"],
    ],
)
def test_a_wrong_option_is_wrong_use(options: list[str], folder: Path) -> None:
    ran = load(folder, *options)
    assert (ran.code, ran.out) == (2, "")
    assert f"error: {'unrecognized arguments' if options == ['--unknown'] else 'argument ' + options[0]}" in ran.err
    assert nothing_stored()


def test_a_database_that_is_down_at_the_start_is_said_in_one_line(folder: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = database_url(host="127.0.0.1", port=str(unused.getsockname()[1]))
    assert_clear_error(finish(spawn(folder, url=url)), 3, "The database cannot be used", "DATABASE_URL")
    assert nothing_stored()


def test_a_database_without_the_tables_says_to_migrate(folder: Path) -> None:
    # Its own connection's search path finds no table.
    with mock.patch.dict(connections["default"].settings_dict["OPTIONS"], {"options": "-c search_path=pg_temp"}):
        connection.close()
        try:
            ran = load(folder)
        finally:
            connection.close()
    assert_clear_error(ran, 3, "manage.py migrate")
