"""A file that is not in UTF-8, or in it twice, is refused with what to do, or read by what an option says of it."""

from pathlib import Path

import pytest

from ingest.models import Account, RejectedRecord
from tests.support.loading.loads import (
    FILES,
    ONE_OF_EACH,
    PLAIN,
    Row,
    assert_clear_error,
    hex_id,
    load,
    load_json,
    nothing_stored,
    query,
    seller_cities,
    write_files,
)

pytestmark = pytest.mark.usefixtures("committed")

PATH = FILES["sellers"]
CITY = "são josé"
LATIN = CITY.encode().decode("latin-1")  # as SheetJS reads UTF-8
WINDOWS = "café – “açaí” 10 €"
AS_WINDOWS = WINDOWS.encode().decode("cp1252", "replace").replace("\ufffd", "\x9d")  # as spreadsheets do


def sellers(*cities: str) -> dict[str, list[Row]]:
    rows = [{"seller_id": hex_id(number), "seller_city": city} for number, city in enumerate(cities, 1)]
    return {**ONE_OF_EACH, "sellers": rows, "order_items": []}


def written(folder: Path, *cities: str, encoding: str = "utf-8") -> Path:
    write_files(folder, sellers(*cities))
    path = folder / PATH
    path.write_bytes(path.read_text("utf-8").encode(encoding))
    return folder


def spoiled(folder: Path, *octets: bytes) -> Path:
    """Put ``octets`` in place of the cities ``1``, ``2``, ... of the sellers."""
    path = folder / PATH
    for number, spoiling in enumerate(octets, 1):
        path.write_bytes(path.read_bytes().replace(b",city%d," % number, b"," + spoiling + b","))
    return folder


@pytest.mark.parametrize(("sent", "meant"), [(LATIN, CITY), (AS_WINDOWS, WINDOWS)], ids=["latin-1", "cp1252"])
def test_letters_that_are_utf8_once_more_refuse_the_file_until_an_option_says_so(
    sent: str, meant: str, tmp_path: Path
) -> None:
    folder = written(tmp_path, "rio", *[sent] * 19, f"x {sent}")
    assert_clear_error(
        load(folder), 2, PATH, "20 of 20 cells with letters beyond ASCII are UTF-8 once more, first on line 3: ",
        f"{sent!r} for {meant!r}", "--encoding utf-8-twice", "--encoding utf-8 takes it as it is",
    )  # fmt: skip
    assert nothing_stored()
    ran = load_json(folder, "--encoding", "utf-8-twice")
    assert ran.counts["sellers"] == {"read": 21, "inserted": 21}
    assert ran.report["tables"]["sellers"]["repaired"] == {"utf_8_twice": 20}
    assert seller_cities() == ["rio", *[meant] * 19, f"x {meant}"]
    assert Account.objects.get(table="sellers").batch.options["encoding"] == "utf-8-twice"


def test_encoding_utf_8_takes_such_letters_as_they_are(tmp_path: Path) -> None:
    ran = load_json(written(tmp_path, *[LATIN] * 20), "--encoding", "utf-8")
    assert (ran.counts["sellers"], seller_cities()) == ({"read": 20, "inserted": 20}, [LATIN] * 20)


def test_cells_that_do_not_decode_once_more_stay_and_the_account_says_how_many(tmp_path: Path) -> None:
    told = load(written(tmp_path, *[LATIN] * 20, "são", "🙂"), "--encoding", "utf-8-twice").out
    assert seller_cities()[-3:] == [CITY, "são", "🙂"]
    why = "20 cells were decoded once more, 2 beyond ASCII were not UTF-8 twice"
    assert f"sellers: encoding utf-8-twice (asked for by --encoding; {why})." in told
    assert why in Account.objects.get(table="sellers").signs["encoding"]["evidence"]


@pytest.mark.parametrize(
    "cities",
    [[LATIN] * 19, [LATIN] * 20 + [CITY] * 3, ["Ã", "ÃO LUÍS"] * 15, ["🙂 são"] * 30, ["SÃO PAULO"] * 30],
    ids=["too few", "too many others", "real letters", "emoji", "capitals"],
)
def test_letters_that_may_be_meant_are_stored_as_they_are(cities: list[str], tmp_path: Path) -> None:
    assert load_json(written(tmp_path, *cities)).counts["sellers"] == {"read": len(cities), "inserted": len(cities)}
    assert seller_cities() == cities


def test_a_file_of_windows_1252_is_refused_as_a_whole_until_an_option_says_so(tmp_path: Path) -> None:
    folder = written(tmp_path, "rio", *[WINDOWS] * 20, encoding="cp1252")
    assert_clear_error(
        load(folder), 2, PATH, "looks like Windows-1252 (20 records hold bytes above 0x7F", "first on line 3: ",
        "café – “", "Save it as UTF-8, or load it with --encoding cp1252.",
    )  # fmt: skip
    assert nothing_stored()
    ran = load_json(folder, "--encoding", "cp1252")
    assert ran.counts["sellers"] == {"read": 21, "inserted": 21}
    assert seller_cities() == ["rio", *[WINDOWS] * 20]


@pytest.mark.parametrize(
    ("cities", "bad"), [(["city1"] * 1, 1), (["city1"] * 19, 19), (["city1"] * 20 + [CITY], 20)],
    ids=["one", "too few", "beside UTF-8"],
)  # fmt: skip
def test_bytes_that_are_not_utf8_are_single_rejects_where_they_prove_nothing(
    cities: list[str], bad: int, tmp_path: Path
) -> None:
    folder = spoiled(written(tmp_path, "rio", *cities), b"s\xe3o")
    assert load_json(folder).counts["sellers"]["rejected"] == bad
    assert RejectedRecord.objects.filter(codes=["encoding"], table="sellers").count() == min(bad, bad)


def test_bytes_that_windows_1252_does_not_know_are_rejects_of_their_records(tmp_path: Path) -> None:
    folder = spoiled(written(tmp_path, "city1", "city2", "rio"), b"s\xe3o", b"caf\xe9 \x81")
    ran = load_json(folder, "--encoding", "cp1252")
    assert ran.counts["sellers"] == {"read": 3, "inserted": 2, "rejected": 1}
    reject = RejectedRecord.objects.get(table="sellers")
    assert bytes(reject.raw) == f"{hex_id(2)},01037,".encode() + b"caf\xe9 \x81,SP"
    assert reject.reasons[0]["message"] == "byte 0x81 at offset 44 of the record is no character of Windows-1252"


def test_utf8_that_an_option_calls_windows_1252_is_refused(tmp_path: Path) -> None:
    ran = load(written(tmp_path, CITY), "--encoding", "cp1252")
    assert_clear_error(ran, 2, PATH, "is UTF-8, not Windows-1252", "Load it without --encoding cp1252.")


def test_a_mark_of_utf8_is_no_header_in_windows_1252_and_taken_off_where_it_is_twice(tmp_path: Path) -> None:
    bare = written(tmp_path, "rio", *[LATIN] * 20)
    path = bare / PATH
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert_clear_error(load(bare, "--encoding", "cp1252"), 2, PATH, "begins with ï»¿", "leave it out")
    path.write_bytes(path.read_bytes().decode("latin-1").encode()[:6] + path.read_bytes()[3:])
    assert_clear_error(load(bare), 2, PATH, "begins with ï»¿", "--encoding utf-8-twice")
    load_json(bare, "--encoding", "utf-8-twice")
    assert seller_cities() == ["rio", *[CITY] * 20]


@pytest.mark.parametrize(
    ("late", "encoding", "word"),
    [(LATIN, "utf-8", "took its UTF-8 for Latin letters"), (CITY, "cp1252", "looks like Windows-1252")],
    ids=["twice", "cp1252"],
)
def test_an_encoding_that_shows_only_late_rolls_the_file_back_whole(
    late: str, encoding: str, word: str, tmp_path: Path
) -> None:
    folder = written(tmp_path, *["rio"] * 60_000, *[late] * 20, encoding=encoding)
    told = load(folder)
    assert (told.code, seller_cities()) == (1, [])
    assert f"sellers: refused, {'a program ' if encoding == 'utf-8' else 'it is not UTF-8 but '}{word}" in told.out
    assert query("select count(*) from olist_orders") == [(1,)]


@pytest.mark.parametrize(
    ("option", "sent", "encoding"),
    [("utf-8-twice", LATIN, "utf-8"), ("cp1252", CITY, "cp1252")],
    ids=["twice", "cp1252"],
)
def test_an_orphan_is_healed_by_the_encoding_of_its_file(option: str, sent: str, encoding: str, tmp_path: Path) -> None:
    header = ",".join(PLAIN["order_reviews"])
    reviews: list[Row] = [
        {"review_id": hex_id(number), "order_id": hex_id(7), "review_comment_message": sent} for number in range(1, 4)
    ]
    folder = write_files(tmp_path / "first", {**ONE_OF_EACH, "order_reviews": reviews})
    path = folder / FILES["order_reviews"]
    path.write_bytes(path.read_text("utf-8").encode(encoding))
    ran = load_json(folder, "--encoding", option, code=1)
    assert ran.counts["order_reviews"] == {"read": 3, "rejected": 3}
    reject = RejectedRecord.objects.get(natural_key__startswith=hex_id(2))
    assert bytes(reject.raw) == path.read_bytes().removeprefix(header.encode()).split(b"\n")[2]
    assert (reject.record or {})["review_comment_message"] == CITY
    load_json(write_files(tmp_path / "second", {"orders": [{"order_id": hex_id(7)}]}), "--table", "orders")
    assert query("select review_comment_message from olist_order_reviews") == [(CITY,)] * 3
