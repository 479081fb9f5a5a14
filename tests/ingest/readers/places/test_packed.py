"""Files packed by gzip or Zstandard: read piece by piece, or refused in one sentence."""

import gzip
import io
import os
import random
import resource
import subprocess
import tracemalloc
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from pytest_django import Settings

from ingest.readers.csv.parts import CsvParts
from ingest.readers.places.locations import open_location
from ingest.readers.places.streams import SourceStream
from tests.support.loading.packing import PACKERS, zstandard
from tests.support.readers.places import content, lay_out, make_zip, message

TEXT = b"a,b\n" + os.urandom(200_000).hex().encode() + b",2\n"
PACKED = {ending: packer(TEXT) for ending, packer in PACKERS.items()}
SKIPPED_FRAME = b"\x50\x2a\x4d\x18" + (8).to_bytes(4, "little") + b"of pzstd"


def read(folder: Path, ending: str, packed: bytes) -> bytes:
    return content(open_location(str(lay_out(folder, {f"a.csv{ending}": packed}))), "a.csv")


@pytest.mark.parametrize("ending", [".gz", ".zst", ".GZ", ".Zst"])
def test_a_packed_file_is_read_in_any_case_of_its_name(ending: str, tmp_path: Path) -> None:
    assert read(tmp_path, ending, PACKED[ending.lower()]) == TEXT
    found = open_location(str(tmp_path)).find("a.csv")
    assert found.path == str(tmp_path / f"a.csv{ending}")
    assert (found.size, found.unpacked_size) == (len(PACKED[ending.lower()]), None)


@pytest.mark.parametrize(
    ("ending", "packed", "holds"),
    [
        (".gz", PACKED[".gz"] * 3, TEXT * 3),  # several members, as bgzip, pigz or cat write them
        (".gz", PACKED[".gz"] + bytes(512), TEXT),  # padded, as on tapes
        (".gz", gzip.compress(b"") + PACKED[".gz"], TEXT),
        (".zst", PACKED[".zst"] * 3, TEXT * 3),
        (".zst", SKIPPED_FRAME + PACKED[".zst"] + SKIPPED_FRAME, TEXT),
        (".zst", zstandard(b"") + PACKED[".zst"], TEXT),
    ],
)
def test_all_that_was_packed_one_after_another_is_read(
    ending: str, packed: bytes, holds: bytes, tmp_path: Path
) -> None:
    assert read(tmp_path, ending, packed) == holds


@pytest.mark.parametrize("ending", PACKED)
def test_a_packed_file_that_is_cut_short_anywhere_is_refused(ending: str, tmp_path: Path) -> None:
    whole = PACKED[ending]
    inside = random.Random(1).sample(range(5, len(whole)), 12)
    for end in (*range(4, 12), *inside, 65_536, len(whole) - 1, len(whole) - 8):
        text = message(partial(read, tmp_path, ending, whole[:end]))
        assert text.startswith(f"{tmp_path}/a.csv{ending}: is damaged or cut short ("), end
        assert text.endswith(". Fetch the file again.")
        # And so is one whose first member, or frame, is whole.
        assert "is damaged or cut short" in message(partial(read, tmp_path, ending, whole + whole[:end])), end


@pytest.mark.parametrize("ending", PACKED)
def test_what_follows_a_packed_file_and_is_none_is_refused(ending: str, tmp_path: Path) -> None:
    assert "is damaged or cut short" in message(lambda: read(tmp_path, ending, PACKED[ending] + b"and more"))


def test_a_changed_byte_of_a_gzip_file_is_found(tmp_path: Path) -> None:
    changed = bytearray(PACKED[".gz"])
    changed[len(changed) // 2] ^= 1
    assert "is damaged or cut short" in message(lambda: read(tmp_path, ".gz", bytes(changed)))


@pytest.mark.parametrize(("ending", "program"), [(".gz", "gzip"), (".zst", "Zstandard")])
def test_a_file_that_only_its_name_packs_is_said_to_be_none(ending: str, program: str, tmp_path: Path) -> None:
    said = f"a.csv{ending}: is not packed by {program}, though its name says so. If it is plain text, take {ending} off"
    for text in (b"a,b\n1,2\n", b"a", PACKED[".zst" if ending == ".gz" else ".gz"]):
        assert said in message(partial(read, tmp_path, ending, text))
    assert f"a.csv{ending}: is empty. " in message(lambda: read(tmp_path, ending, b""))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (PACKED[".gz"], "is packed by gzip, though its name does not say so. Unpack it, or add .gz to its name."),
        (PACKED[".zst"], "is packed by Zstandard, though its name does not say so. Unpack it, or add .zst"),
        (b"PK\x03\x04\n", "is a .zip or a spreadsheet, though its name does not say so. Unpack it, or save it as CSV"),
        (
            b"\xd0\xcf\x11\xe0\n",
            "is a spreadsheet (.xls), though its name does not say so. Save it as CSV with commas.",
        ),
        (b"PAR1\n", "is a Parquet file, though its name does not say so. Save it as CSV with commas."),
    ],
)
def test_a_file_whose_name_hides_what_it_is_is_said_to_be_that(text: bytes, said: str, tmp_path: Path) -> None:
    found = open_location(str(lay_out(tmp_path, {"a.csv": text}))).find("a.csv")
    assert f"{tmp_path}/a.csv: {said}" in message(lambda: CsvParts(found, expected=["a", "b"]))


def test_a_window_that_would_fill_memory_is_refused_with_what_to_do(tmp_path: Path) -> None:
    # The header of a frame with a window of 2 GiB: magic, descriptor, window, and a last raw block of no bytes.
    frame = b"\x28\xb5\x2f\xfd" + b"\x00" + bytes([(31 - 10) << 3]) + b"\x01\x00\x00"
    assert "a.csv.zst: was packed with a window of more than 128 MiB. " in message(
        lambda: read(tmp_path, ".zst", frame)
    )


def bomb(ending: str) -> bytes:
    """Pack 64 MiB of nothing into some kilobytes."""
    return PACKERS[ending](bytes(64 << 20))


@pytest.mark.parametrize("ending", PACKED)
def test_a_bomb_is_refused_while_it_is_read_and_fills_no_memory(
    ending: str, tmp_path: Path, settings: Settings
) -> None:
    settings.LOAD_MAX_UNPACKED_BYTES = 8 << 20
    location = open_location(str(lay_out(tmp_path, {f"a.csv{ending}": bomb(ending)})))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    tracemalloc.start()
    given = io.BytesIO()
    try:
        text = message(lambda: given.writelines(location.find("a.csv").blocks()))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert text == (
        f"{tmp_path}/a.csv{ending}: holds more than 8,388,608 bytes unpacked. "
        "If that is right, raise the setting LOAD_MAX_UNPACKED_BYTES."
    )
    assert len(given.getvalue()) <= 8 << 20
    assert peak < 32 << 20
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 << 10, "kilobytes"


def test_the_parts_of_a_file_share_what_may_come_out(tmp_path: Path, settings: Settings) -> None:
    settings.LOAD_MAX_UNPACKED_BYTES = 3 * len(TEXT) - 1
    parts = {f"a.csv/{number}.gz": PACKED[".gz"] for number in range(3)}
    location = open_location(str(lay_out(tmp_path, parts)))
    assert f"{tmp_path}/a.csv/2.gz: holds more than " in message(lambda: content(location, "a.csv"))
    settings.LOAD_MAX_UNPACKED_BYTES = 3 * len(TEXT)
    assert content(location, "a.csv") == 3 * TEXT


def test_a_plain_file_is_as_large_as_it_is(tmp_path: Path, settings: Settings) -> None:
    settings.LOAD_MAX_UNPACKED_BYTES = 1
    assert read(tmp_path, "", TEXT) == TEXT


def test_a_member_of_an_archive_is_bounded_packed_once_or_twice(tmp_path: Path, settings: Settings) -> None:
    settings.LOAD_MAX_UNPACKED_BYTES = 8 << 20
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SourceStream, "read", pytest.fail)  # an archive says how large its members are
        location = open_location(str(make_zip(tmp_path, {"a.csv": bytes(9 << 20)})))
        assert "holds more than 8,388,608 bytes" in message(lambda: content(location, "a.csv"))
    for members in ({"a.csv": bytes(9 << 20)}, {"a.csv.gz": bomb(".gz")}):
        location = open_location(str(make_zip(tmp_path, members)))
        said = message(partial(content, location, "a.csv"))
        assert f"{tmp_path}/data.zip/{next(iter(members))}: holds more than 8,388,608 bytes unpacked. " in said


@pytest.mark.parametrize(("method", "name"), [(zipfile.ZIP_BZIP2, "bzip2"), (zipfile.ZIP_LZMA, "LZMA")])
def test_methods_that_unpack_without_a_bound_are_not_used(method: int, name: str, tmp_path: Path) -> None:
    location = open_location(str(make_zip(tmp_path, {"a.csv": TEXT}, method=method)))
    said = message(lambda: content(location, "a.csv"))
    assert f"/a.csv: cannot be unpacked ({name}). Pack it again with the usual method (deflate)." in said


@pytest.mark.parametrize(
    "command", [["zstd", "-q", "-T2", "--long=27"], ["pzstd", "-q"], ["gzip"], ["pigz"], ["bgzip"]]
)
def test_what_command_line_tools_pack_is_read(
    command: list[str], tmp_path: Path, run: Callable[[list[str]], None]
) -> None:
    (tmp_path / "a.csv").write_bytes(TEXT)
    run([*command, str(tmp_path / "a.csv")])
    (tmp_path / "a.csv").unlink(missing_ok=True)
    assert content(open_location(str(tmp_path)), "a.csv") == TEXT


@pytest.fixture
def run() -> Callable[[list[str]], None]:
    """Run a program, if this machine has it."""

    def start(command: list[str]) -> None:
        try:
            subprocess.run(command, check=True)
        except FileNotFoundError:
            pytest.skip(f"there is no {command[0]} here")

    return start
