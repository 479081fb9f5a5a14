"""Loads of files that were joined by ``cat`` or padded by a spreadsheet: only records count, and are found again."""

from pathlib import Path

import pytest

from ingest.models import Account, RejectedRecord
from tests.support.loading.loads import BY_NAME, FILES, MOMENT, Row, hex_id, load, load_json, query, write_files

pytestmark = pytest.mark.usefixtures("committed")

MARK = "\ufeff"


def joined(folder: Path, table: str, *parts: list[Row], padding: str = "") -> Path:
    """Write ``parts`` as files with a mark each, and their bytes one after the other as the file of ``table``."""
    texts = []
    for number, rows in enumerate(parts):
        path = write_files(folder / str(number), {table: rows}) / FILES[table]
        texts.append(f"{MARK}{path.read_text(encoding='utf-8')}{padding}")
    write_files(folder / "joined", {})
    (folder / "joined" / FILES[table]).write_text("".join(texts), encoding="utf-8", newline="")
    return folder / "joined"


def test_skipped_lines_are_told_on_the_console_and_kept_in_the_account(tmp_path: Path) -> None:
    folder = joined(tmp_path, "sellers", [{}], [{"seller_id": hex_id(2)}], padding=",,,\n\n")
    out = load(folder, "--table", "sellers").out
    assert "sellers: 1 line is no record, and was skipped (header_line)." in out
    assert "sellers: 4 lines are no records, and were skipped (blank_line)." in out
    account = Account.objects.get(table="sellers")
    assert (account.read, account.skipped) == (2, {"header_line": 1, "blank_line": 4})
    assert load_json(folder, "--table", "sellers").report["tables"]["sellers"]["skipped"] == account.skipped


def test_padding_does_not_count_for_the_limit_of_rejects(tmp_path: Path) -> None:
    folder = joined(tmp_path, "sellers", [{}, {"seller_state": "XX"}], padding=",,,\n" * 100)
    ran = load_json(folder, "--table", "sellers", "--max-rejects", "1")
    assert ran.counts["sellers"] == {"read": 2, "inserted": 1, "rejected": 1}


def test_a_file_of_lines_that_are_no_records_is_an_empty_one(tmp_path: Path) -> None:
    folder = joined(tmp_path, "sellers", [], [], padding=" , ,\t,\r\n")
    ran = load_json(folder, "--table", "sellers")
    assert (ran.report["status"], ran.counts) == ("accepted", {"sellers": {}})


def test_records_that_a_later_one_replaces_are_found_again_by_their_positions(tmp_path: Path) -> None:
    changed = [{"seller_city": "rio"}, {"seller_id": hex_id(3)}]
    folder = joined(tmp_path, "sellers", [{"seller_id": hex_id(2)}, {}], changed, padding=",,,\n")
    path = folder / FILES["sellers"]
    path.write_text(
        path.read_text(encoding="utf-8").replace(f"\n{hex_id(1)}", f"\n{MARK}{hex_id(1)}"), encoding="utf-8"
    )
    ran = load_json(folder, "--table", "sellers", "--on-conflict", "update")
    assert ran.counts["sellers"] == {"read": 4, "inserted": 3, "rejected": 1}
    assert ran.report["tables"]["sellers"]["repaired"] == {"byte_order_mark": 1}  # of the two, the one that counts
    reject = RejectedRecord.objects.get()
    assert (reject.position, reject.line, bytes(reject.raw)[:3]) == (2, 3, MARK.encode())
    assert query("select seller_city from olist_sellers where seller_id = %s", hex_id(1)) == [("rio",)]


def test_an_orphan_with_a_mark_is_healed_without_it(tmp_path: Path) -> None:
    row = {"order_id": hex_id(1), "customer_id": hex_id(7)}
    folder = joined(tmp_path / "first", "orders", [row])
    path = folder / FILES["orders"]
    path.write_text(
        path.read_text(encoding="utf-8").replace(f"\n{hex_id(1)}", f"\n{MARK}{hex_id(1)}"), encoding="utf-8"
    )
    load_json(folder, "--table", "orders", code=1)
    assert bytes(RejectedRecord.objects.get().raw).startswith(MARK.encode() + hex_id(1).encode())
    load_json(write_files(tmp_path / "second", {"customers": [{"customer_id": hex_id(7)}]}), "--table", "customers")
    moment = BY_NAME["orders"].names[3]
    assert query(f"select order_id, {moment}::text from olist_orders") == [(hex_id(1), MOMENT)]


def test_no_category_is_added_from_a_name_with_an_invisible_character(tmp_path: Path) -> None:
    products = [{"product_category_name": f"{MARK}bebes"}, {"product_id": hex_id(2), "product_category_name": "bebes"}]
    folder = write_files(tmp_path, {"products": products})
    ran = load_json(folder, "--table", "products")
    assert ran.counts["products"] == {"read": 2, "inserted": 1, "rejected": 1}
    assert query("select product_category_name from olist_product_category_name_translation") == [("bebes",)]
    (reason,) = RejectedRecord.objects.get().reasons
    assert "U+FEFF" in reason["message"]
