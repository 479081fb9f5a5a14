"""A column of bare dates is one of midnights, as pandas writes it, where no value of the file says otherwise."""

from pathlib import Path

import pytest

from ingest.models import Account, RejectedRecord
from tests.support.loading.loads import MOMENT, ONE_OF_EACH, Row, hex_id, load, load_json, query, write_files

pytestmark = pytest.mark.usefixtures("committed")

COLUMN = "order_estimated_delivery_date"


def orders(*dates: str, **change: str) -> list[Row]:
    return [{"order_id": hex_id(number), COLUMN: date, **change} for number, date in enumerate(dates, 1)]


def written(folder: Path, *dates: str, **change: str) -> Path:
    return write_files(folder, {**ONE_OF_EACH, "orders": orders(*dates, **change)})


def stored() -> list[str]:
    return [str(moment) for (moment,) in query(f"select {COLUMN} from olist_orders order by order_id")]


def test_a_column_of_bare_dates_is_stored_as_midnights_and_counted(tmp_path: Path) -> None:
    report = load_json(written(tmp_path, "2018-03-10", "2018-03-11")).report["tables"]["orders"]
    assert (report["inserted"], report["repaired"]) == (2, {"midnight": 2})
    assert stored() == ["2018-03-10 00:00:00", "2018-03-11 00:00:00"]


def test_the_sign_is_kept_and_told_with_its_evidence(tmp_path: Path) -> None:
    folder = written(tmp_path, "2018-03-10", "2018-03-11")
    told = "orders: midnight order_estimated_delivery_date (every value is a date without a time"
    assert told in load(folder).out
    sign = Account.objects.get(table="orders").signs["midnight"]
    assert (sign["columns"], sign["asked"]) == ([COLUMN], False)
    assert load_json(folder).report["tables"]["orders"]["signs"]["midnight"] == sign


def test_one_time_in_the_column_makes_bare_dates_rejects_that_lack_theirs(tmp_path: Path) -> None:
    ran = load_json(written(tmp_path, "2018-03-10", MOMENT))
    assert ran.counts["orders"] == {"read": 2, "inserted": 1, "rejected": 1}
    (reason,) = RejectedRecord.objects.get(table="orders").reasons
    assert reason["message"] == "The time is missing. Enter a date and time as YYYY-MM-DD HH:MM:SS."


def test_a_time_far_behind_the_beginning_of_the_file_counts_too(tmp_path: Path) -> None:
    dates = ["2018-03-10"] * 12_000
    ran = load_json(written(tmp_path, *dates, MOMENT), "--dry-run")
    assert ran.report["tables"]["orders"]["signs"] == {}
    assert ran.counts["orders"]["rejected"] == len(dates)


def test_a_single_date_is_no_sign(tmp_path: Path) -> None:
    assert load_json(written(tmp_path, "2018-03-10"), code=1).counts["orders"]["rejected"] == 1


def test_an_orphan_is_healed_by_the_signs_of_its_file(tmp_path: Path) -> None:
    load_json(written(tmp_path / "first", "2018-03-10", "2018-03-11", customer_id=hex_id(7)), code=1)
    assert not stored()
    customers: dict[str, list[Row]] = {"customers": [{"customer_id": hex_id(7)}]}
    load_json(write_files(tmp_path / "second", customers), "--table", "customers")
    assert stored() == ["2018-03-10 00:00:00", "2018-03-11 00:00:00"]


def test_the_same_line_read_by_other_signs_is_another_reject(tmp_path: Path) -> None:
    load_json(written(tmp_path / "first", "2018-03-10", "2018-03-11", customer_id=hex_id(7)), code=1)
    load_json(written(tmp_path / "second", "2018-03-10", MOMENT, customer_id=hex_id(7)), code=1)
    lines = RejectedRecord.objects.filter(table="orders", natural_key=hex_id(1))
    assert sorted(reject.codes for reject in lines) == [["does_not_exist"], ["invalid"]]
