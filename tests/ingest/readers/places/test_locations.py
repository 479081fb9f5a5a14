import os
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import SourceUnreadable
from ingest.readers.places.locations import open_location
from tests.support.readers.places import content, make_zip, message

TEXT = b"a,b\n" + b"1,2\n" * 50_000


def test_a_folder_gives_its_files(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(TEXT)
    location = open_location(str(tmp_path))
    assert content(location, "a.csv") == TEXT
    assert location.find("a.csv").unpacked_size == len(TEXT)
    with pytest.raises(SourceUnreadable):
        location.find("b.csv")
    assert location.find("a.csv").path == str(tmp_path / "a.csv")


@pytest.mark.parametrize("folder", ["", "archive/"])
def test_a_zip_gives_its_members_from_any_folder_in_it(tmp_path: Path, folder: str) -> None:
    path = make_zip(tmp_path, {f"{folder}a.csv": TEXT, f"__MACOSX/{folder}a.csv": b"?", "empty/": b""})
    location = open_location(str(path))
    assert content(location, "a.csv") == TEXT
    assert location.find("a.csv").unpacked_size == len(TEXT)
    assert location.find("a.csv").path == f"{path}/{folder}a.csv"
    assert sorted(tmp_path.iterdir()) == [path], "nothing is unpacked"


def test_a_file_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    (tmp_path / "b.csv").touch()
    text = message(lambda: open_location(str(tmp_path)).find("a.csv"))
    assert text.startswith(f"{tmp_path}/a.csv: is not there; the files there are: b.csv. ")


def test_of_many_files_that_are_there_twenty_are_named(tmp_path: Path) -> None:
    path = make_zip(tmp_path, {f"{n:02}.csv": b"" for n in range(25)})
    assert "19.csv and 5 more. " in message(lambda: open_location(str(path)).find("a.csv"))


def test_an_empty_folder_is_said_to_be_empty(tmp_path: Path) -> None:
    assert "is not there, nor is any other file. " in message(lambda: open_location(str(tmp_path)).find("a.csv"))


def test_a_path_that_does_not_exist_or_is_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").touch()
    assert message(lambda: open_location(str(tmp_path / "no"))).startswith(f"{tmp_path}/no: does not exist. ")
    assert "is neither a folder nor a .zip. " in message(lambda: open_location(str(tmp_path / "a.csv")))


def test_missing_rights_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.csv").touch()

    def deny(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    location = open_location(str(tmp_path))
    monkeypatch.setattr(Path, "open", deny)
    assert message(lambda: content(location, "a.csv")).startswith(f"{tmp_path}/a.csv: may not be read. ")
    monkeypatch.setattr(Path, "iterdir", deny)
    assert message(lambda: open_location(str(tmp_path))).startswith(f"{tmp_path}: may not be read. ")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_read_rights_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").touch(mode=0)
    assert "may not be read" in message(lambda: open_location(str(tmp_path)).find("a.csv"))


@pytest.mark.parametrize("damage", [lambda whole: whole[: len(whole) // 2], lambda _: b"no archive", lambda _: b""])
def test_a_truncated_or_broken_zip_is_refused_at_once(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    path = make_zip(tmp_path, {"a.csv": TEXT})
    path.write_bytes(damage(path.read_bytes()))
    assert message(lambda: open_location(str(path))).startswith(f"{path}: is damaged or cut short (")


@pytest.mark.parametrize("offset", [0, 40, 150])
def test_a_zip_that_is_broken_inside_a_member_is_refused_while_it_is_read(tmp_path: Path, offset: int) -> None:
    path = make_zip(tmp_path, {"a.csv": TEXT})
    whole = bytearray(path.read_bytes())
    whole[offset : offset + 4] = bytes(octet ^ 0xFF for octet in whole[offset : offset + 4])
    path.write_bytes(whole)
    location = open_location(str(path))
    assert message(lambda: content(location, "a.csv")).startswith(f"{path}/a.csv: is damaged or cut short (")


def test_a_zip_that_vanishes_after_it_was_opened_is_unreadable(tmp_path: Path) -> None:
    path = make_zip(tmp_path, {"a.csv": TEXT})
    location = open_location(str(path))
    path.unlink()
    assert "cannot be read (No such file or directory)" in message(lambda: content(location, "a.csv"))


def patched_directory(path: Path, at: int, value: bytes) -> None:
    """Overwrite a field in the archive's directory entry of its first member."""
    whole = bytearray(path.read_bytes())
    start = whole.index(b"PK\x01\x02") + at
    whole[start : start + len(value)] = value
    path.write_bytes(whole)


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    path = make_zip(tmp_path, {"a.csv": TEXT})
    patched_directory(path, 8, b"\x01\x00")
    assert "/a.csv: is encrypted. " in message(lambda: content(open_location(str(path)), "a.csv"))


def test_a_member_packed_by_an_unknown_method_is_refused(tmp_path: Path) -> None:
    path = make_zip(tmp_path, {"a.csv": TEXT})
    patched_directory(path, 10, b"\x61\x00")
    assert "/a.csv: cannot be unpacked (" in message(lambda: content(open_location(str(path)), "a.csv"))


def test_a_file_that_is_in_the_zip_twice_is_refused(tmp_path: Path) -> None:
    path = make_zip(tmp_path, {"x/a.csv": TEXT, "y/a.csv": TEXT})
    assert "could be x/a.csv, y/a.csv. Leave one of them there." in message(
        lambda: content(open_location(str(path)), "a.csv")
    )


def test_a_file_is_known_in_any_case_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "A.CSV").write_bytes(TEXT)
    location = open_location(str(tmp_path))
    assert content(location, "a.csv") == TEXT
    assert location.find("a.csv").path == str(tmp_path / "A.CSV")
    assert content(open_location(str(make_zip(tmp_path, {"A.Csv": TEXT}))), "a.csv") == TEXT


def test_a_file_may_lie_in_a_folder_below_but_the_folder_itself_goes_before(tmp_path: Path) -> None:
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive" / "a.csv").write_bytes(TEXT)
    location = open_location(str(tmp_path))
    assert content(location, "a.csv") == TEXT
    assert location.find("a.csv").unpacked_size == len(TEXT)
    (tmp_path / "a.csv").write_bytes(b"newer")
    assert content(open_location(str(tmp_path)), "a.csv") == b"newer"


@pytest.mark.parametrize("names", [("a.csv", "A.csv"), ("one/a.csv", "two/a.csv")])
def test_two_files_that_could_be_meant_are_refused_by_name(names: tuple[str, str], tmp_path: Path) -> None:
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(TEXT)
    text = message(lambda: open_location(str(tmp_path)).find("a.csv"))
    assert f"{tmp_path}/a.csv: could be {', '.join(sorted(names))}. Leave one of them there." in text


@pytest.mark.parametrize(
    ("there", "remedy"),
    [
        ("a.csv.bz2", "Unpack it to a.csv."),
        ("a.csv.zip", "Unpack it to a.csv."),
        ("a.gz", "Is it that file? Then rename it to a.csv.gz."),
        ("a (1).csv.gz", "Is it that file? Then rename it to a.csv.gz."),
        ("a.tsv.gz", "Save it as CSV with commas, named a.csv."),
        ("A - Copy.csv", "Is it that file? Then rename it to a.csv."),
        ("Copy of a.csv", "Is it that file? Then rename it to a.csv."),
        ("a.xlsx", "Save it as CSV with commas, named a.csv."),
        ("a.tsv", "Save it as CSV with commas, named a.csv."),
        ("a (1).csv", "Is it that file? Then rename it to a.csv."),
        ("a", "Is it that file? Then rename it to a.csv."),
        ("a.csv.txt", "Is it that file? Then rename it to a.csv."),
    ],
)
def test_a_file_that_could_be_it_is_named_alone_with_what_to_do(there: str, remedy: str, tmp_path: Path) -> None:
    (tmp_path / there).touch()
    (tmp_path / "b.csv").touch()
    text = message(lambda: open_location(str(tmp_path)).find("a.csv"))
    assert text == f"{tmp_path}/a.csv: is not there, but {there} is. {remedy}"


def test_a_folder_below_that_may_not_be_read_is_in_nobody_s_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "closed").mkdir()
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert "nor is any other file" in message(lambda: open_location(str(tmp_path)).find("a.csv"))


def test_an_archive_s_separators_may_be_backslashes(tmp_path: Path) -> None:
    location = open_location(str(make_zip(tmp_path, {"olist\\a.csv": TEXT})))
    assert content(location, "a.csv") == TEXT
