r"""A file whose quotes and line ends are escaped by backslashes is refused with what to do, or read by that."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import pytest

from ingest.models import Account, RejectedRecord
from tests.support.loading.loads import (
    BY_NAME,
    FILES,
    MOMENT,
    ONE_OF_EACH,
    assert_clear_error,
    hex_id,
    load,
    load_json,
    nothing_stored,
    query,
    write_files,
)

pytestmark = pytest.mark.usefixtures("committed")

PATH = FILES["order_reviews"]
COLUMNS = BY_NAME["order_reviews"].names


def written(folder: Path, *messages: str, order: int = 1) -> Path:
    """Write one good record in each file, and reviews whose messages stand there as they are given, quotes and all."""
    write_files(folder, {**ONE_OF_EACH, "order_reviews": []})
    lines = [
        f"{hex_id(number)},{hex_id(order)},5,,{message},{MOMENT},{MOMENT}\n"
        for number, message in enumerate(messages, 1)
    ]
    (folder / PATH).write_text(",".join(COLUMNS) + "\n" + "".join(lines), "utf-8", newline="")
    return folder


def stored() -> list[str]:
    return [text for (text,) in query("select review_comment_message from olist_order_reviews order by review_id")]


SPARK = [r'"disse \"bom\", e foi"', r'"\"ok\""', r'"C:\\temp\\"', r"C:\temp", '"a, b"']
SPARK_MEANS = ['disse "bom", e foi', '"ok"', "C:\\temp\\", "C:\\temp", "a, b"]
MARIADB = ['"um\\\ndois"', '"a\\\nb\r\\\nc"', '"x\\\\\\\ny"', r'"\0"']
MARIADB_MEANS = ["um\ndois", "a\nb\r\nc", "x\\\ny"]


def test_quotes_that_add_up_only_by_backslashes_refuse_the_file_before_anything_is_stored(tmp_path: Path) -> None:
    ran = load(written(tmp_path, '"bom"', *SPARK))
    assert_clear_error(
        ran, 2, PATH, "its backslashes are escapes (the quotes of 2 records add up only so, first on line 3)",
        '(Spark: .option("escape", "\\""))', "--escape backslash", "--escape none",
    )  # fmt: skip
    assert nothing_stored()


def test_line_ends_in_quotes_behind_backslashes_refuse_it_too(tmp_path: Path) -> None:
    ran = load(written(tmp_path, *MARIADB[:3]))
    assert_clear_error(
        ran, 2, PATH, "each of the 4 line ends in quotes stands behind one, first in the record on line 2"
    )
    assert nothing_stored()


def test_spark_s_file_is_read_as_it_is_meant_by_escape_backslash(tmp_path: Path) -> None:
    ran = load_json(written(tmp_path, *SPARK), "--escape", "backslash")
    assert ran.counts["order_reviews"] == {"read": 5, "inserted": 5}
    assert stored() == SPARK_MEANS


def test_mariadb_s_file_is_read_as_it_is_meant_by_escape_backslash(tmp_path: Path) -> None:
    ran = load_json(written(tmp_path, *MARIADB), "--escape", "backslash")
    assert ran.counts["order_reviews"] == {"read": 4, "inserted": 3, "rejected": 1}
    assert stored() == MARIADB_MEANS
    reject = RejectedRecord.objects.get()
    assert (reject.codes, b'"\\0"' in bytes(reject.raw)) == (["null_characters_not_allowed"], True)


def test_the_sign_is_kept_and_the_batch_says_what_was_asked(tmp_path: Path) -> None:
    told = load(written(tmp_path, *SPARK), "--escape", "backslash").out
    assert "order_reviews: escape backslash (asked for by --escape)." in told
    account = Account.objects.get(table="order_reviews")
    assert account.signs["escape"]["value"] == "backslash"
    assert account.batch.options["escape"] == "backslash"


def test_the_same_file_again_takes_the_option_of_its_last_agreement(tmp_path: Path) -> None:
    folder = written(tmp_path, *SPARK)
    load_json(folder, "--escape", "backslash")
    assert load_json(folder).counts["order_reviews"] == {"read": 5, "unchanged": 5}


def test_escape_none_takes_the_file_as_it_is(tmp_path: Path) -> None:
    ran = load_json(written(tmp_path, '"a\\\nb"', '"c\\\nd"', '"e\\\nf"', r'"g \"h\""'), "--escape", "none")
    assert ran.counts["order_reviews"] == {"read": 4, "inserted": 3, "rejected": 1}
    assert stored() == ["a\\\nb", "c\\\nd", "e\\\nf"]


@pytest.mark.parametrize(
    "messages",
    [
        ('"C:\\temp\\"', '"a"', '"b"'),
        ('"a\\\nb"', '"c\\\nd"'),
        ('"a\\\nb"', '"c\\\nd"', '"e\\\nf"', '"g\nh"'),
        ('"a \\""b\\"" c"', '"\\\\"'),
        ('"ele disse ""bom"""', '"e ""mau"""', '"C:\\temp\\"'),
    ],
    ids=["a path before a quote", "two line ends", "a bare line end", "doubled behind backslashes", "doubled"],
)
def test_a_backslash_elsewhere_is_text(messages: Sequence[str], tmp_path: Path) -> None:
    assert load_json(written(tmp_path, *messages)).counts["order_reviews"] == {
        "read": len(messages),
        "inserted": len(messages),
    }
    assert stored() == [next(csv.reader(io.StringIO(message, newline="")))[0] for message in messages]


def test_one_backslash_before_a_quote_in_a_file_of_doubled_ones_is_one_reject(tmp_path: Path) -> None:
    ran = load_json(written(tmp_path, '"ele ""disse"""', r'"um \"erro\""'))
    assert ran.counts["order_reviews"] == {"read": 2, "inserted": 1, "rejected": 1}


def test_escapes_that_show_only_late_roll_the_file_back_whole(tmp_path: Path) -> None:
    folder = written(tmp_path, *['"bom"'] * 20_000, *SPARK)
    ran = load_json(folder, code=1)
    assert ran.counts["order_reviews"] == {"read": 20_005, "rejected": 2, "rolled_back": 20_003}
    assert (stored(), query("select count(*) from olist_orders")) == ([], [(1,)])
    assert "order_reviews: refused, its backslashes are escapes" in load(folder).out


def test_an_orphan_is_healed_by_the_escapes_of_its_file(tmp_path: Path) -> None:
    load_json(written(tmp_path / "first", *SPARK, order=7), "--escape", "backslash", code=1)
    assert not stored()
    raw = bytes(RejectedRecord.objects.get(natural_key__startswith=hex_id(2)).raw)
    assert raw == f"{hex_id(2)},{hex_id(7)},5,,{SPARK[1]},{MOMENT},{MOMENT}".encode()
    orders = write_files(tmp_path / "second", {"orders": [{"order_id": hex_id(7)}]})
    load_json(orders, "--table", "orders")
    assert stored() == SPARK_MEANS


def test_a_record_that_only_the_table_refuses_is_kept_as_it_was_meant(tmp_path: Path) -> None:
    load_json(written(tmp_path / "first", '"bom"', '"ok"'))
    ran = load_json(written(tmp_path / "second", '"bom"', SPARK[0]), "--escape", "backslash")
    assert ran.counts["order_reviews"] == {"read": 2, "unchanged": 1, "rejected": 1}
    reject = RejectedRecord.objects.get()
    assert (reject.codes, (reject.record or {})["review_comment_message"]) == (["unique"], SPARK_MEANS[0])
    assert SPARK[0].encode() in bytes(reject.raw)


def test_the_rest_of_an_escaped_text_is_no_record_of_its_own(tmp_path: Path) -> None:
    write_files(tmp_path, {**ONE_OF_EACH, "order_reviews": []})
    names = ["review_comment_title", *(name for name in COLUMNS if name != "review_comment_title")]
    line = f'"\\"\na","{hex_id(1)}","{hex_id(1)}","5","","{MOMENT}","{MOMENT}"\n'
    (tmp_path / PATH).write_text(",".join(names) + "\n" + line, "utf-8", newline="")
    assert_clear_error(load(tmp_path), 2, PATH, "its backslashes are escapes")
    assert nothing_stored()
    told = load(tmp_path, "--escape", "backslash")
    assert (told.code, query("select review_comment_title from olist_order_reviews")) == (0, [('"\na',)])


def test_an_escape_outside_quotes_is_refused_and_not_stored_with_its_backslash(tmp_path: Path) -> None:
    folder = written(tmp_path, r'"disse \"bom\", e foi"', r"disse \"ok\"", r"C:\temp", r'"C:\\\"x"')
    ran = load_json(folder, "--escape", "backslash")
    assert ran.counts["order_reviews"] == {"read": 4, "inserted": 3, "rejected": 1}
    assert stored() == ['disse "bom", e foi', "C:\\temp", 'C:\\"x']
    reject = RejectedRecord.objects.get(table="order_reviews")
    assert (reject.codes, reject.position) == (["ragged_row"], 2)
    assert "have its writer quote all fields" in reject.reasons[0]["message"]
