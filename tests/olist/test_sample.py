"""A clean sample: the publisher's files in shape, proportions, habits and rules."""

import csv
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from django.core.management import CommandError, call_command

from core.errors import SourceUnreadable
from olist.sample import SampleReport, write_sample
from olist.sample.clean.places import STATES
from olist.sample.clean.words import UNTRANSLATED
from olist.sample.layout import TABLES
from olist.sources import SOURCES

SCALE = 0.02
PROJECT = Path(__file__).resolve().parents[2]

type Frames = dict[str, pd.DataFrame]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sample")


@pytest.fixture(scope="module")
def report(folder: Path) -> SampleReport:
    return write_sample(folder, scale=SCALE)


@pytest.fixture(scope="module")
def frames(folder: Path, report: SampleReport) -> Frames:
    assert report.rows
    return {
        table.name: pd.read_csv(folder / table.file_name, dtype=str, keep_default_na=False, encoding="utf-8-sig")
        for table in TABLES
    }


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def moment(frame: pd.DataFrame, name: str) -> "pd.Series[Any]":
    return pd.to_datetime(frame[name], format="%Y-%m-%d %H:%M:%S")


@pytest.mark.parametrize("dirty", [0.0, 0.1])
def test_the_same_seed_gives_the_same_bytes_and_another_seed_gives_others(tmp_path: Path, dirty: float) -> None:
    for name, seed in (("one", 5), ("same", 5), ("other", 6)):
        write_sample(tmp_path / name, scale=0.001, seed=seed, dirty=dirty)
    one, same, other = (contents(tmp_path / name) for name in ("one", "same", "other"))
    assert one == same
    assert {name for name in one if one[name] == other[name]} <= {"product_category_name_translation.csv"}


def test_a_sample_replaces_an_earlier_one_but_never_files_of_another_origin(tmp_path: Path) -> None:
    write_sample(tmp_path, scale=0.001, dirty=0.1)
    write_sample(tmp_path, scale=0.001)
    assert '"records": [\n]' in (tmp_path / "truth.json").read_text("utf-8")
    (tmp_path / "truth.json").unlink()
    before = contents(tmp_path)
    with pytest.raises(SourceUnreadable, match="no sample wrote it"):
        write_sample(tmp_path, scale=0.001)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("wrong", [{"scale": 0}, {"scale": float("nan")}, {"seed": -1}, {"dirty": 0.6}])
def test_arguments_out_of_range_are_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be above 0"):
        write_sample(tmp_path, **wrong)


def test_the_layout_names_the_files_and_columns_that_can_be_loaded() -> None:
    assert [(table.name, table.file_name, set(table.names)) for table in TABLES] == [
        (source.table, source.file_name, set(source.contract.names)) for source in SOURCES
    ]


def test_a_strict_reader_counts_the_reported_records_in_the_published_proportions(
    folder: Path, report: SampleReport
) -> None:
    for table in TABLES:
        with (folder / table.file_name).open(encoding="utf-8-sig", newline="") as file:
            header, *records = csv.reader(file, strict=True)
        assert header == table.names
        assert {len(record) for record in records} == {len(header)}
        assert len(records) == report.rows[table.name]
        wanted = 71 if table.name == "product_category_name_translation" else table.full_rows * SCALE
        assert len(records) == pytest.approx(wanted, rel=0.01, abs=1)
    assert report.seconds < 10


def test_bytes_are_laid_out_as_the_publisher_does_it(folder: Path, frames: Frames) -> None:
    translation = (folder / "product_category_name_translation.csv").read_bytes()
    assert translation.startswith(b"\xef\xbb\xbfproduct_category_name,product_category_name_english\r\n")
    assert translation.count(b"\r\n") == 71
    assert not translation.endswith(b"\n")
    customers = (folder / "olist_customers_dataset.csv").read_bytes().splitlines()[1:]
    for line, record in zip(customers, frames["customers"].itertuples(index=False), strict=True):
        first, second, zip_code, city, state = record
        ids = [f'"{value}"' if value[0].isdigit() else value for value in (first, second)]
        assert line.decode() == ",".join([*ids, f'"{zip_code}"', city, state])
    reviews = (folder / "olist_order_reviews_dataset.csv").read_bytes()
    assert reviews.startswith(b'"review_id","order_id",')
    assert reviews.endswith(b"\n")


def test_keys_are_unique_and_every_reference_is_there(frames: Frames) -> None:
    for table in TABLES:
        if table.name != "geolocation":
            assert not frames[table.name].duplicated(list(table.key)).any()
        for column, parent in table.references.items():
            assert frames[table.name][column].isin(frames[parent][column]).all()
    used = set(frames["products"]["product_category_name"]) - {""}
    assert used - set(frames["product_category_name_translation"]["product_category_name"]) == set(UNTRANSLATED)


def test_texts_have_their_forms(frames: Frames) -> None:
    for table in TABLES:
        frame = frames[table.name]
        for column in frame.columns:
            if column == "order_item_id":
                continue
            if column.endswith("_id"):
                assert frame[column].str.fullmatch("[0-9a-f]{32}").all()
            elif column.endswith("zip_code_prefix"):
                assert frame[column].str.fullmatch("[0-9]{5}").all()
            elif column.endswith("_state"):
                assert set(frame[column]) <= {state.code for state in STATES}
            elif column.endswith(("_city", "_name", "_english")):
                assert not frame[column].str.contains("[\x00-\x1f\x7f-\x9f]").any()
                padded = (frame[column] != frame[column].str.strip()).sum()
                assert padded == (1 if column == "geolocation_city" else 0)
                assert (frame[column].str.normalize("NFC") == frame[column]).all()
    assert set(frames["orders"]["order_status"]) == {
        *("approved", "canceled", "created", "delivered", "invoiced", "processing", "shipped", "unavailable")
    }
    assert set(frames["order_payments"]["payment_type"]) == {
        *("boleto", "credit_card", "debit_card", "not_defined", "voucher")
    }
    assert set(frames["order_reviews"]["review_score"]) == set("12345")


def test_money_has_two_places_and_prices_are_of_some_size(frames: Frames) -> None:
    items, payments = frames["order_items"], frames["order_payments"]
    for money in (items["price"], items["freight_value"], payments["payment_value"]):
        assert money.str.fullmatch(r"[0-9]{1,8}\.[0-9]{2}").all()
    assert (items["price"].astype(float) >= 0.85).all()


def test_numbers_that_count_are_whole(frames: Frames) -> None:
    for whole in (frames["order_items"]["order_item_id"], frames["order_payments"]["payment_sequential"]):
        assert whole.str.fullmatch("[1-9][0-9]*").all()
    for name in frames["products"].columns[2:]:
        assert frames["products"][name].str.fullmatch("[0-9]*").all()


def test_places_are_on_the_globe_and_written_in_full(frames: Frames) -> None:
    geolocation = frames["geolocation"]
    digits = geolocation["geolocation_lat"].str.replace("[-.]", "", regex=True).str.len()
    assert geolocation["geolocation_lat"].astype(float).between(-90, 90).all()
    assert geolocation["geolocation_lng"].astype(float).between(-180, 180).all()
    assert digits.max() >= 16
    assert not geolocation["geolocation_lat"].str.contains("e").any()


def test_an_order_moves_forward_but_for_the_published_exceptions(frames: Frames) -> None:
    orders, reviews = frames["orders"], frames["order_reviews"]
    purchase, approved, carrier, delivered, estimated = (moment(orders, name) for name in orders.columns[3:])
    for later in (approved, delivered, estimated):
        assert not (later < purchase).any()
    assert 0 < (carrier < purchase).sum() < 0.01 * len(orders)
    assert (carrier < approved).sum() > (carrier < purchase).sum()
    assert (delivered < carrier).any()
    assert (delivered < approved).any()
    assert purchase.notna().all()
    assert estimated.notna().all()
    assert not (moment(reviews, "review_answer_timestamp") < moment(reviews, "review_creation_date")).any()


def dates(frames: Frames, status: str, name: str) -> Any:
    """Return the dates, so named, of all orders of a status."""
    orders = frames["orders"]
    found = orders[orders["order_status"] == status][name]
    assert len(found)
    return found


def test_an_order_that_is_created_only_has_no_date_of_approval(frames: Frames) -> None:
    assert (dates(frames, "created", "order_approved_at") == "").all()


@pytest.mark.parametrize("status", ["approved", "invoiced", "processing", "unavailable", "shipped"])
def test_what_has_not_happened_yet_has_no_date(frames: Frames, status: str) -> None:
    assert (dates(frames, status, "order_delivered_customer_date") == "").all()


def test_an_order_that_is_shipped_has_the_date_when_the_carrier_had_it(frames: Frames) -> None:
    assert (dates(frames, "shipped", "order_delivered_carrier_date") != "").all()


def test_a_few_orders_that_are_delivered_lack_a_date_on_the_way(frames: Frames) -> None:
    for name in frames["orders"].columns[4:7]:
        assert 0 < (dates(frames, "delivered", name) == "").sum() < 20


def test_products_lack_what_the_published_ones_lack(frames: Frames) -> None:
    products = frames["products"]
    bare = products["product_category_name"] == ""
    assert bare.mean() == pytest.approx(610 / 32_951, rel=0.1)
    for name in ("product_name_lenght", "product_description_lenght", "product_photos_qty"):
        assert ((products[name] == "") == bare).all()
    assert (products[list(products.columns[5:])] == "").all(axis=1).sum() == 2
    assert (products["product_weight_g"] == "0").any()


def test_sales_have_the_published_oddities(frames: Frames) -> None:
    orders, items, payments = frames["orders"], frames["order_items"], frames["order_payments"]
    idle = ~orders["order_id"].isin(items["order_id"])
    assert idle.mean() == pytest.approx(775 / 99_441, rel=0.1)
    unpaid = orders[~orders["order_id"].isin(payments["order_id"])]
    assert len(unpaid) == 1
    assert unpaid["order_id"].isin(items["order_id"]).all()
    assert items["order_id"].is_monotonic_increasing
    assert items["order_item_id"].astype(int).max() > 2
    assert (items["freight_value"] == "0.00").any()
    assert (payments.loc[payments["payment_type"] == "not_defined", "payment_value"] == "0.00").all()
    assert (payments["payment_installments"] == "0").any()
    assert payments["payment_sequential"].astype(int).max() == 29
    assert moment(items, "shipping_limit_date").max() > moment(orders, "order_purchase_timestamp").max() + pd.Timedelta(
        days=100
    )


def test_reviews_hold_everything_that_people_type(frames: Frames) -> None:
    reviews = frames["order_reviews"]
    message = reviews["review_comment_message"]
    for habit in (",", '"', "\r\n", "[^\r]\n", "\r\n\r\n", "^ ", " $", "[\U0001f300-\U0001faff]", "[ãéç]"):
        assert message.str.contains(habit).any(), habit
    assert 0.3 < (message != "").mean() < 0.5
    assert message.str.len().max() <= 208
    assert reviews["review_id"].duplicated().any()
    repeated = reviews[reviews["review_id"].duplicated(keep=False)]
    assert (repeated.groupby("review_id")["order_id"].nunique() > 1).all()


def test_places_have_the_published_oddities(frames: Frames) -> None:
    geolocation, customers, sellers = frames["geolocation"], frames["customers"], frames["sellers"]
    assert geolocation.duplicated().mean() == pytest.approx(261_831 / 1_000_163, abs=0.001)
    assert geolocation["geolocation_lat"].astype(float).max() > 40
    assert geolocation["geolocation_lng"].astype(float).max() > 100
    for cities, habit in (
        (geolocation["geolocation_city"], "[ãéíç]"),
        (customers["customer_city"], "'"),
        (sellers["seller_city"], "^[0-9]{8}$"),
        (sellers["seller_city"], ","),
    ):
        assert cities.str.contains(habit).any(), habit
    zips = customers["customer_zip_code_prefix"]
    assert zips.str.startswith("0").any()
    assert 0 < (~zips.isin(geolocation["geolocation_zip_code_prefix"])).sum() < 0.02 * len(customers)


def test_the_command_writes_the_sample_and_prints_its_counts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("sample_olist", str(tmp_path / "new" / "folder"), scale=0.001, dirty=0.2, seed=3)
    assert "product_category_name_translation" in capsys.readouterr().out
    assert len(list((tmp_path / "new" / "folder").iterdir())) == 10


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        (["--scale", "0"], "0 is not above 0 and at most 1,000,000"),
        (["--scale", "nan"], "nan is not above 0 and at most 1,000,000"),
        (["--scale", "abc"], "'abc' is no number"),
        (["--dirty", "2"], "2 is not from 0 to 0.5"),
        (["--dirty", "-0.1"], "-0.1 is not from 0 to 0.5"),
        (["--dirty", "x"], "'x' is no number"),
        (["--seed", "-1"], "'-1' is no whole number from 0 on"),
        (["--seed", "x"], "'x' is no whole number from 0 on"),
    ],
)
def test_the_command_explains_wrong_options(tmp_path: Path, wrong: list[str], problem: str) -> None:
    with pytest.raises(CommandError, match=f"argument {wrong[0]}: {problem}"):
        call_command("sample_olist", str(tmp_path), *wrong)


def test_the_help_says_what_becomes_of_files_that_are_there(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        call_command("sample_olist", "--help")
    said = " ".join(capsys.readouterr().out.split())
    assert "A sample that lies in DIR already (truth.json tells) is overwritten; other files of these names are" in said


def test_make_load_names_the_truth_where_it_lies_and_makes_a_sample_that_was_cut_off_anew(tmp_path: Path) -> None:
    for name in ("Makefile", "requirements.txt", "constraints.txt"):
        shutil.copy(PROJECT / name, tmp_path)
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / ".runtime").touch()
    (tmp_path / ".env").touch()
    real = f'exec {sys.executable} {PROJECT}/manage.py "$@" --scale 0.001'
    (tmp_path / "manage").write_text(f'test "$1" != sample_olist || {real}')

    def load() -> str:
        command = ["make", "--no-print-directory", "load", "MANAGE=sh manage"]
        return subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True, timeout=60).stdout

    named = load().split()[-1]
    assert (tmp_path / named).read_text(encoding="utf-8").startswith('{"records"')
    assert load() == ""
    (tmp_path / "var" / "sample" / TABLES[-1].file_name).unlink()
    assert load().split()[-1] == named
    assert (tmp_path / "var" / "sample" / TABLES[-1].file_name).exists()


def test_the_command_names_a_place_that_it_cannot_write_to(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CommandError, match="Name a folder") as caught:
        call_command("sample_olist", str(tmp_path / "file"), scale=0.001)
    assert caught.value.returncode == 2
