"""Zones on times: what they mean is asked for once, before anything is written, and then known with the file."""

from pathlib import Path

import pytest

from ingest.models import Account
from tests.support.loading.loads import (
    MOMENT,
    ONE_OF_EACH,
    Ran,
    Row,
    assert_clear_error,
    hex_id,
    load,
    load_json,
    nothing_stored,
    order_moments,
    write_files,
)

pytestmark = pytest.mark.usefixtures("committed")

COLUMN, ESTIMATED = "order_purchase_timestamp", "order_estimated_delivery_date"
BEHIND = 60  # records that fill more than the beginning that is looked at before the load, of so many bytes
BEGINNING = 2_000


PLAIN = {
    "order_status": "created",
    "order_purchase_timestamp": MOMENT,
    "order_approved_at": "",
    "order_delivered_carrier_date": "",
    "order_delivered_customer_date": "",
    "order_estimated_delivery_date": "2019-12-01 00:00:00",
}


def orders(*times: str, column: str = COLUMN, **change: str) -> list[Row]:
    return [{**PLAIN, "order_id": hex_id(number), column: time, **change} for number, time in enumerate(times, 1)]


def written(folder: Path, *times: str, **change: str) -> Path:
    return write_files(folder, {"customers": [{}], "orders": orders(*times, **change)})


def stored(column: str = COLUMN) -> list[str]:
    return order_moments(column)


def repaired(ran: Ran) -> dict[str, int]:
    found: dict[str, int] = ran.report["tables"]["orders"]["repaired"]
    return found


STAMPED = ("2018-03-01T10:00:00Z", "2018-03-02 11:00:00+00:00")


def test_zones_that_would_move_times_are_asked_about_before_anything_is_written(tmp_path: Path) -> None:
    ran = load(written(tmp_path, *STAMPED, MOMENT))
    assert_clear_error(
        ran,
        2,
        "olist_orders_dataset.csv: its times carry zones",
        "order_purchase_timestamp: 2 of 3 values, Z, +00:00",
        "line 2, order_purchase_timestamp: 2018-03-01T10:00:00Z is 2018-03-01 10:00:00 as wall time, "
        "2018-03-01 07:00:00 as an instant",
        "--times wall",
        "--times instant",
    )
    assert nothing_stored()


def test_a_column_that_is_at_midnight_only_as_wall_time_is_named(tmp_path: Path) -> None:
    dates = ("2018-03-01T00:00:00Z", "2018-03-02T00:00:00Z")
    ran = load(written(tmp_path, *dates, column=ESTIMATED))
    assert "all values of order_estimated_delivery_date are at midnight, and stay so only as wall time" in ran.err


def test_a_column_that_is_at_midnight_only_as_instants_is_named(tmp_path: Path) -> None:
    dates = ("2018-03-01T03:00:00Z", "2018-12-02T02:00:00Z")  # winter and summer in Brazil
    ran = load(written(tmp_path, *dates, column=ESTIMATED))
    assert "all values of order_estimated_delivery_date are at midnight only as instants" in ran.err


def test_as_wall_time_zones_are_taken_off_and_counted(tmp_path: Path) -> None:
    ran = load_json(written(tmp_path, *STAMPED, MOMENT), "--times", "wall")
    assert stored() == ["2018-03-01 10:00:00", "2018-03-02 11:00:00", MOMENT]
    assert repaired(ran) == {"wall_time": 2}


def test_as_instants_times_are_those_of_the_local_clock(tmp_path: Path) -> None:
    ran = load_json(written(tmp_path, *STAMPED, MOMENT), "--times", "instant")
    assert stored() == ["2018-03-01 07:00:00", "2018-03-02 08:00:00", MOMENT]
    assert repaired(ran) == {"local_time": 2}


@pytest.mark.parametrize(
    "times", [("2018-03-01 10:00:00-03:00", "2018-12-01 10:00:00-02:00"), (*STAMPED, MOMENT, MOMENT)]
)
def test_zones_of_the_local_clock_or_of_no_more_than_half_are_read_without_a_question(
    times: tuple[str, ...], tmp_path: Path
) -> None:
    assert repaired(load_json(written(tmp_path, *times))) == {"local_time": 2}


def test_a_fixed_offset_that_is_wrong_in_summer_is_asked_about(tmp_path: Path) -> None:
    ran = load(written(tmp_path, "2018-03-01 10:00:00-03:00", "2018-12-01 10:00:00-03:00"))
    assert "2018-12-01 10:00:00-03:00 is 2018-12-01 10:00:00 as wall time, 2018-12-01 11:00:00 as an instant" in ran.err


def test_only_the_files_that_are_to_be_loaded_are_asked_about(tmp_path: Path) -> None:
    reviews: list[Row] = [{"review_creation_date": "2018-03-01T10:00:00Z"}]
    folder = write_files(tmp_path, {**ONE_OF_EACH, "orders": orders(*STAMPED), "order_reviews": reviews})
    ran = load(folder, "--table", "orders")
    assert "olist_orders_dataset.csv" in ran.err
    assert "olist_order_reviews_dataset.csv" not in ran.err
    everything = load(folder)
    assert everything.err.count("--times wall") == 2  # with all that is wrong with the others
    assert nothing_stored()


def test_a_dry_run_asks_too(tmp_path: Path) -> None:
    folder = written(tmp_path, *STAMPED)
    assert load(folder, "--dry-run").code == 2
    dry = load_json(folder, "--dry-run", "--times", "wall")
    assert (dry.code, repaired(dry)) == (0, {"wall_time": 2})


def stamped(behind: int) -> list[Row]:
    times = orders(*[MOMENT] * behind, *["2018-03-01T10:00:00Z"] * (behind + 1))
    return [{name: row[name] for name in ("order_id", COLUMN)} for row in times]


@pytest.fixture
def zones_come_late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("ingest.loading.find_signs.FIRST_BYTES", BEGINNING)
    filled = dict.fromkeys(
        ("order_approved_at", "order_delivered_carrier_date", "order_delivered_customer_date"), MOMENT
    )
    rows = orders(*[MOMENT] * BEHIND, *["2018-03-01T10:00:00Z"] * (BEHIND + 1), **filled)
    return write_files(tmp_path, {**ONE_OF_EACH, "orders": rows})


def test_zones_that_come_late_roll_their_file_back_with_its_children_and_leave_the_others(
    zones_come_late: Path,
) -> None:
    ran = load_json(zones_come_late, code=1)
    assert ran.counts["orders"] == {"read": 2 * BEHIND + 1, "rolled_back": 2 * BEHIND + 1}
    assert (ran.counts["customers"]["inserted"], ran.counts["order_items"]) == (1, {})
    assert "orders: refused, its times carry zones" in ran.report["notes"][0]
    assert not stored()


def test_zones_that_come_late_are_told_like_others(zones_come_late: Path) -> None:
    ran = load(zones_come_late)
    assert ran.code == 1
    for part in (
        "orders: refused, its times carry zones, and may be wall-clock times",
        f"order_purchase_timestamp: {BEHIND + 1} of {2 * BEHIND + 1} values, Z",
        f"line {BEHIND + 2}, order_purchase_timestamp: 2018-03-01T10:00:00Z is 2018-03-01 10:00:00 as wall time",
        "load it with --times wall",
    ):
        assert part in ran.out


def test_zones_that_come_late_are_read_as_they_are_said_to_be_meant(zones_come_late: Path) -> None:
    assert repaired(load_json(zones_come_late, "--times", "wall")) == {"wall_time": BEHIND + 1}
    assert set(stored()) == {MOMENT}


def test_the_same_file_is_read_as_it_was_when_nothing_is_said(tmp_path: Path) -> None:
    folder = written(tmp_path, *STAMPED)
    load_json(folder, "--times", "wall")
    again = load(folder)
    assert again.code == 0
    assert "orders, order_items, order_reviews: times wall (as for the same file on 20" in again.out
    assert "Nothing changed" in again.out
    assert (
        "orders, order_items, order_reviews: times wall (as for the same file on 20" in load(folder).out
    )  # the second time knows it too
    sign = Account.objects.filter(table="orders").latest("batch__started_at").signs["times"]
    assert (sign["value"], sign["asked"]) == ("wall", True)
    assert "times" not in Account.objects.filter(table="customers").latest("batch__started_at").signs


def test_the_same_file_keeps_its_answer_when_something_else_is_said(tmp_path: Path) -> None:
    folder = written(tmp_path, *STAMPED)
    load_json(folder, "--times", "wall")
    again = load(folder, "--encoding", "utf-8")
    assert (again.code, again.err) == (0, "")
    assert "orders, order_items, order_reviews: times wall (as for the same file on 20" in again.out


def test_the_same_file_is_known_after_another_one_was_loaded(tmp_path: Path) -> None:
    folder = written(tmp_path / "first", *STAMPED)
    load_json(folder, "--times", "wall")
    load_json(write_files(tmp_path / "second", {"orders": orders(MOMENT, order_id=hex_id(9))}))
    again = load(folder)
    assert again.code == 0
    assert "orders, order_items, order_reviews: times wall (as for the same file on 20" in again.out


def test_another_file_is_asked_about_again(tmp_path: Path) -> None:
    load_json(written(tmp_path, *STAMPED), "--times", "wall")
    changed = written(tmp_path, *STAMPED[::-1])
    assert load(changed).code == 2


def test_another_answer_for_the_same_file_is_no_unchanged_file(tmp_path: Path) -> None:
    folder = written(tmp_path, *STAMPED)
    load_json(folder, "--times", "wall")
    ran = load_json(folder, "--times", "instant", "--on-conflict", "update")
    assert ran.counts["orders"] == {"read": 2, "updated": 2}
    assert stored() == ["2018-03-01 07:00:00", "2018-03-02 08:00:00"]


def test_bare_dates_beside_zones_are_midnights(tmp_path: Path) -> None:
    dates = [{**row, ESTIMATED: f"2018-09-{number:02}"} for number, row in enumerate(orders(*STAMPED), 10)]
    ran = load_json(write_files(tmp_path, {"customers": [{}], "orders": dates}), "--times", "wall")
    assert stored(ESTIMATED) == ["2018-09-10 00:00:00", "2018-09-11 00:00:00"]
    assert repaired(ran) == {"midnight": 2, "wall_time": 2}


def test_words_for_null_are_no_values_that_a_zone_could_be_missing_on(tmp_path: Path) -> None:
    words = [{**row, "order_approved_at": "NULL"} for row in orders(*[MOMENT] * 3)]
    stamped = orders("2018-03-01T10:00:00Z", column="order_approved_at", order_id=hex_id(9))
    ran = load(write_files(tmp_path, {"customers": [{}], "orders": [*words, *stamped]}), "--table", "orders")
    assert "order_approved_at: 1 of 1 values, Z" in ran.err
