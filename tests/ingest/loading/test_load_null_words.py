"""A word for NULL is NULL where the files show it; where they do not, it is text, or a question."""

from pathlib import Path

import pytest

from ingest.desk.actions.export import to_post_as_csv
from ingest.models import Account, RejectedRecord
from ingest.replaying.as_sent import json_lines
from tests.support.loading.loads import (
    FILES,
    MOMENT,
    ONE_OF_EACH,
    PLAIN,
    Row,
    assert_clear_error,
    hex_id,
    load,
    load_json,
    nothing_stored,
    query,
    write_files,
)

pytestmark = pytest.mark.usefixtures("committed")

CASE = Path(__file__).resolve().parents[3].parent / "shared" / "cases" / "null-marks"
WEIGHT, CATEGORY = "product_weight_g", "product_category_name"
TITLE, MESSAGE = "review_comment_title", "review_comment_message"


def products(*weights: str, **change: str) -> list[Row]:
    return [{"product_id": hex_id(number), WEIGHT: weight, **change} for number, weight in enumerate(weights, 1)]


def reviews(*titles: str) -> list[Row]:
    return [{"review_id": hex_id(number), TITLE: title} for number, title in enumerate(titles, 1)]


def written(folder: Path, **tables: list[Row]) -> Path:
    return write_files(folder, {**ONE_OF_EACH, **tables})


def titles() -> list[str | None]:
    return [title for (title,) in query(f"select {TITLE} from olist_order_reviews order by review_id")]


def quoted(folder: Path, table: str, word: str) -> None:
    """Put quotes around every cell of a file that is ``word``."""
    path = folder / FILES[table]
    path.write_text(path.read_text("utf-8").replace(f",{word}", f',"{word}"'), "utf-8")


@pytest.mark.parametrize("word", [r"\N", "NA"])
def test_a_word_without_quotes_where_a_number_may_be_null_is_null_in_every_file(word: str, tmp_path: Path) -> None:
    folder = written(tmp_path, products=products("7", word, **{CATEGORY: word}), order_reviews=reviews(word, "bom"))
    tables = load_json(folder).report["tables"]
    assert (tables["products"]["repaired"], tables["order_reviews"]["repaired"]) == ({"null_word": 3}, {"null_word": 1})
    assert query(f"select {CATEGORY}, {WEIGHT} from olist_products order by 2") == [(None, 7), (None, None)]
    assert titles() == [None, "bom"]


def test_a_moment_shows_the_word_too_and_the_sign_is_kept_with_its_evidence(tmp_path: Path) -> None:
    orders: list[Row] = [{"order_approved_at": r"\N"}, {"order_id": hex_id(2), "order_delivered_carrier_date": r"\N"}]
    folder = written(tmp_path, orders=orders, order_reviews=reviews(r"\N"))
    told = "products, orders, order_reviews: null \\N (it stands where numbers and times belong ("
    assert f"{told}orders.order_approved_at: 1, " in load(folder).out
    assert titles() == [None]
    kept = {account.table: account.signs for account in Account.objects.all()}
    assert {table for table, signs in kept.items() if "null" in signs} == {
        "product_category_name_translation", "products", "orders", "order_reviews",
    }  # fmt: skip
    assert (kept["orders"]["null"]["value"], kept["orders"]["null"]["asked"]) == (r"\N", False)


def test_an_empty_cell_in_any_file_says_that_the_word_is_text(tmp_path: Path) -> None:
    orders: list[Row] = [{"order_approved_at": ""}]
    folder = written(tmp_path, orders=orders, products=products("7", r"\N"), order_reviews=reviews(r"\N", "bom"))
    ran = load_json(folder)
    assert ran.counts["products"] == {"read": 2, "inserted": 1, "rejected": 1}
    assert titles() == [r"\N", "bom"]


@pytest.fixture
def short_beginnings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take a file's first kilobyte for its beginning."""
    monkeypatch.setattr("ingest.loading.find_signs.FIRST_BYTES", 1024)


@pytest.mark.usefixtures("short_beginnings")
def test_an_empty_cell_far_behind_the_beginning_says_so_too(tmp_path: Path) -> None:
    orders = [{"order_id": hex_id(number)} for number in range(1, 99)]
    orders.append({"order_id": hex_id(99), "order_approved_at": ""})
    folder = written(tmp_path, orders=orders, products=products("7", r"\N"), order_reviews=reviews(r"\N", "bom"))
    tables = load_json(folder, "--dry-run").report["tables"]
    assert (tables["products"]["rejected"], tables["order_reviews"]["signs"]) == (1, {})


@pytest.mark.usefixtures("short_beginnings")
def test_a_word_that_stands_first_far_behind_the_beginning_is_one_too(tmp_path: Path) -> None:
    orders = [{"order_id": hex_id(number)} for number in range(1, 99)]
    orders.append({"order_id": hex_id(99), "order_approved_at": "NA"})
    tables = load_json(written(tmp_path, orders=orders, order_reviews=reviews("NA", "bom"))).report["tables"]
    assert (tables["orders"]["inserted"], tables["orders"]["repaired"]) == (99, {"null_word": 1})
    assert titles() == [None, "bom"]


def test_two_words_where_numbers_belong_are_none(tmp_path: Path) -> None:
    ran = load_json(written(tmp_path, products=products("7", r"\N", "NA"), order_reviews=reviews(r"\N", "bom")))
    assert ran.counts["products"] == {"read": 3, "inserted": 1, "rejected": 2}
    assert titles() == [r"\N", "bom"]


def test_a_word_in_quotes_is_text_and_no_number(tmp_path: Path) -> None:
    folder = written(tmp_path, products=products("7", "NA"))
    quoted(folder, "products", "NA")
    assert load_json(folder).counts["products"] == {"read": 2, "inserted": 1, "rejected": 1}
    ((reason,),) = RejectedRecord.objects.values_list("reasons", flat=True)
    assert (reason["field"], reason["code"], reason["value"]) == (WEIGHT, "invalid", "NA")


def test_beside_the_word_the_same_text_in_quotes_stays_text(tmp_path: Path) -> None:
    folder = written(tmp_path, products=products("7", r"\N"), order_reviews=reviews(r"\N", r"\N", "bom"))
    path = folder / FILES["order_reviews"]
    path.write_text(path.read_text("utf-8").replace(",\\N", ',"\\N"', 1), "utf-8")
    load_json(folder)
    assert titles() == [r"\N", None, "bom"]


def test_a_line_with_an_odd_quote_has_the_word_too(tmp_path: Path) -> None:
    folder = written(tmp_path, products=products("7", r"\N"), order_reviews=reviews(r"\N"))
    path = folder / FILES["order_reviews"]
    lines = path.read_text("utf-8").splitlines()
    cells = [hex_id(2), hex_id(1), "5", r"\N", 'um 5" bom', MOMENT, MOMENT]
    path.write_text("\n".join([lines[0], ",".join(cells), ""]), "utf-8")
    load_json(folder)
    assert query(f"select {TITLE}, {MESSAGE} from olist_order_reviews") == [(None, 'um 5" bom')]


def test_the_word_stays_text_where_null_may_not_be(tmp_path: Path) -> None:
    customers: list[Row] = [{"customer_city": "NA"}, {"customer_id": hex_id(2), "customer_state": "NA"}]
    sellers: list[Row] = [{"seller_city": "null"}]
    orders: list[Row] = [{}, {"order_id": hex_id(2), "order_purchase_timestamp": "NA"}]
    folder = written(tmp_path, products=products("7", "NA"), customers=customers, sellers=sellers, orders=orders)
    ran = load_json(folder)
    assert query("select customer_city from olist_customers") == [("NA",)]
    assert query("select seller_city from olist_sellers") == [("null",)]
    reasons = [reason for reject in RejectedRecord.objects.order_by("table") for reason in reject.reasons]
    assert [(why["field"], why["code"], why["value"]) for why in reasons] == [
        ("customer_state", "invalid_choice", "NA"),
        ("order_purchase_timestamp", "invalid", "NA"),
    ]
    assert ran.report["tables"]["customers"]["signs"] == {}


def test_bare_dates_are_midnights_beside_a_word_for_null(tmp_path: Path) -> None:
    dates = ["2018-03-10", r"\N", "2018-03-11"]
    orders = [{"order_id": hex_id(n), "order_delivered_customer_date": date} for n, date in enumerate(dates, 1)]
    report = load_json(written(tmp_path, orders=orders)).report["tables"]["orders"]
    assert (report["inserted"], report["repaired"]) == (3, {"null_word": 1, "midnight": 2})
    assert set(report["signs"]) == {"null", "midnight"}


def test_a_word_in_less_than_half_of_a_text_column_is_text(tmp_path: Path) -> None:
    load_json(written(tmp_path, order_reviews=reviews("NA", "NA", "bom", "ruim")))
    assert titles() == ["NA", "NA", "bom", "ruim"]


def test_a_text_column_full_of_a_word_is_a_question(tmp_path: Path) -> None:
    folder = written(tmp_path, order_reviews=reviews("NA", "NA", "bom"))
    ran = load(folder)
    assert_clear_error(ran, 2, FILES["order_reviews"], "'NA' stands in 2 of 3 cells of review_comment_title")
    assert "Say --null NA if it means NULL, or --null none if it is text." in ran.err
    assert nothing_stored()
    load_json(folder, "--null", "NA")
    assert titles() == [None, None, "bom"]
    query("truncate olist_order_reviews")
    load_json(folder, "--null", "none")
    assert titles() == ["NA", "NA", "bom"]


def test_every_bad_file_is_told_with_the_question(tmp_path: Path) -> None:
    folder = written(tmp_path, order_reviews=reviews("NA", "NA", "bom"))
    (folder / FILES["sellers"]).unlink()
    ran = load(folder)
    assert ran.code == 2
    assert "2 files cannot be read" in ran.err
    assert "--null NA" in ran.err


@pytest.mark.usefixtures("short_beginnings")
def test_a_column_that_is_full_of_a_word_only_as_a_whole_rolls_its_file_back(tmp_path: Path) -> None:
    folder = written(tmp_path, order_reviews=reviews(*["bom"] * 40, *["NA"] * 41))
    ran = load(folder)
    assert ran.code == 1
    assert "order_reviews: refused, the word 'NA' stands in 41 of 81 cells of review_comment_title" in ran.out
    assert titles() == []
    assert query("select count(*) from olist_orders") == [(1,)]


@pytest.mark.usefixtures("short_beginnings")
def test_a_column_that_is_full_of_a_word_only_at_its_beginning_is_loaded(tmp_path: Path) -> None:
    folder = written(tmp_path, order_reviews=reviews(*["NA"] * 40, *["bom"] * 40))
    assert load_json(folder).counts["order_reviews"]["inserted"] == 80


def test_a_word_that_is_asked_for_but_stands_in_quotes_is_told(tmp_path: Path) -> None:
    folder = written(tmp_path, order_reviews=reviews("NA", "NA", "bom"))
    quoted(folder, "order_reviews", "NA")
    assert_clear_error(load(folder, "--null", "NA"), 2, "'NA' stands in quotes, which make it text, in 2 of 3 cells")
    load_json(folder, "--null", "none")
    assert titles() == ["NA", "NA", "bom"]


def test_one_table_alone_shows_its_word_and_another_none(tmp_path: Path) -> None:
    folder = written(tmp_path, products=products("7", r"\N", **{CATEGORY: r"\N"}), order_reviews=reviews(r"\N", r"\N"))
    ran = load_json(folder, "--table", "products")
    assert (ran.counts["products"], ran.report["tables"]["products"]["repaired"]) == (
        {"read": 2, "inserted": 2},
        {"null_word": 3},
    )
    assert_clear_error(load(folder, "--table", "order_reviews"), 2, r"Say --null '\N'")


@pytest.mark.parametrize("word", ["-999", "não há"])
def test_any_word_can_be_named(word: str, tmp_path: Path) -> None:
    folder = written(tmp_path, products=products("7", word), order_reviews=reviews(word, "bom"))
    assert load_json(folder, f"--null={word}").counts["products"] == {"read": 2, "inserted": 2}
    assert titles() == [None, "bom"]


@pytest.mark.parametrize("word", ["", "a,b", 'a"b', "a\nb", "\udcff", "x" * 101])
def test_a_word_that_no_cell_can_be_is_refused(word: str, tmp_path: Path) -> None:
    ran = load(written(tmp_path), f"--null={word}")
    assert ran.code == 2
    assert "--null" in ran.err
    assert nothing_stored()


def test_the_word_that_was_named_is_remembered_with_the_file(tmp_path: Path) -> None:
    folder = written(tmp_path, order_reviews=reviews("NA", "NA", "bom"))
    load_json(folder, "--null", "NA")
    again = load_json(folder).report["tables"]["order_reviews"]
    assert (again["unchanged"], again["signs"]["null"]["value"]) == (3, "NA")


def test_none_is_added_from_a_named_word_in_quotes_or_where_no_word_is_null(tmp_path: Path) -> None:
    folder = written(tmp_path, products=products("7", "8", **{CATEGORY: "fehlt"}))
    quoted(folder, "products", "fehlt")
    path = folder / FILES["products"]
    path.write_text(path.read_text("utf-8").replace('"fehlt",1', "outro,1", 1), "utf-8")
    ran = load_json(folder, "--null", "fehlt")
    assert ran.counts["products"] == {"read": 2, "inserted": 1, "rejected": 1}
    assert query("select product_category_name from olist_product_category_name_translation order by 1") == [
        ("livros",),
        ("outro",),
    ]
    other = written(tmp_path / "other", products=products("7", "8", **{CATEGORY: "NULL"}))
    assert load_json(other, "--table", "products", "--null", "none").counts["products"]["rejected"] == 2


def test_the_shared_case_invents_no_category_and_keeps_titles_as_text(tmp_path: Path) -> None:
    tables = [name for name, file in FILES.items() if (CASE / file).exists()]
    options = [option for table in tables for option in ("--table", table)]
    ran = load_json(CASE, *options)
    assert ran.counts["products"] == {"read": 9, "inserted": 1, "rejected": 8}
    assert query("select product_category_name from olist_product_category_name_translation") == [("beleza",)]
    assert {tuple(codes) for codes in RejectedRecord.objects.values_list("codes", flat=True)} == {("does_not_exist",)}
    assert titles() == [r"\N", "NULL", "null", "nan", "None", "<NA>", "N/A", "(null)", None]
    query("truncate olist_order_reviews, olist_products cascade")
    load_json(CASE, *options, "--null", r"\N")
    assert titles()[:2] == [None, "NULL"]
    assert query("select count(*) from olist_products") == [(2,)]


def test_an_orphan_is_healed_by_the_word_of_its_file_and_shown_as_null(tmp_path: Path) -> None:
    orders: list[Row] = [{"order_id": hex_id(n), "order_approved_at": r"\N", "customer_id": hex_id(7)} for n in (1, 2)]
    load_json(written(tmp_path / "first", orders=orders, order_items=[], order_payments=[], order_reviews=[]), code=1)
    rejects = list(RejectedRecord.objects.filter(table="orders"))
    names = list(PLAIN["orders"])
    assert all('"order_approved_at": null' in line for line in json_lines(rejects))
    assert f'"delivered","{MOMENT}","","{MOMENT}"' in to_post_as_csv(rejects, names, first=True)
    customers: dict[str, list[Row]] = {"customers": [{"customer_id": hex_id(7)}]}
    load_json(write_files(tmp_path / "second", customers), "--table", "customers")
    assert query("select order_approved_at from olist_orders") == [(None,), (None,)]


def test_wall_times_with_a_zone_are_a_question_beside_the_word_too(tmp_path: Path) -> None:
    folder = written(tmp_path, orders=[{"order_approved_at": r"\N", "order_purchase_timestamp": f"{MOMENT}Z"}])
    assert_clear_error(load(folder), 2, "order_purchase_timestamp: 1 of 1 values, Z")
    report = load_json(folder, "--times", "wall").report["tables"]["orders"]
    assert report["repaired"] == {"null_word": 1, "wall_time": 1}


def test_a_file_of_mariadb_is_read_by_its_escapes_and_its_word(tmp_path: Path) -> None:
    folder = written(tmp_path, products=products("7", r"\N"), order_reviews=reviews(r"\N"))
    path = folder / FILES["order_reviews"]
    header = path.read_text("utf-8").splitlines()[0]
    line = f'"{hex_id(1)}","{hex_id(1)}",5,\\N,"disse \\"bom\\"","{MOMENT}","{MOMENT}"'
    path.write_text(f"{header}\n{line}\n", "utf-8")
    assert_clear_error(load(folder), 2, "--escape backslash")
    load_json(folder, "--escape", "backslash")
    assert query(f"select {TITLE}, {MESSAGE} from olist_order_reviews") == [(None, 'disse "bom"')]
