"""Zones on times: what they mean is asked for once, before anything is written, and then known with the file."""

from pathlib import Path

import pytest

from tests.support.loading.loads import (
    MOMENT,
    Ran,
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

COLUMN, ESTIMATED = "order_purchase_timestamp", "order_estimated_delivery_date"
BEHIND = 12_000  # records fill more than the beginning that is looked at before the load


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
    return [str(moment) for (moment,) in query(f"select {column} from olist_orders order by order_id")]


def repaired(ran: Ran) -> dict[str, int]:
    found: dict[str, int] = ran.report["tables"]["orders"]["repaired"]
    return found


STAMPED = ("2018-03-01T10:00:00Z", "2018-03-02 11:00:00+00:00")


def test_zones_that_would_move_times_are_asked_about_before_anything_is_written(tmp_path: Path) -> None:
    ran = load(written(tmp_path, *STAMPED, MOMENT))
    assert_clear_error(
        ran,
        2,
        "olist_orders_dataset.csv: carries zones on its times",
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
    ("zoned", "instant"),
    [
        ("2018-03-01 10:00:00+00", "2018-03-01 07:00:00"),
        ("2018-03-01 10:00:00 UTC", "2018-03-01 07:00:00"),
        ("2018-03-01 10:00:00 GMT", "2018-03-01 07:00:00"),
        ("2018-03-01T10:00:00.000000000Z", "2018-03-01 07:00:00"),
        ("2018-03-01 10:00:00 +0000", "2018-03-01 07:00:00"),
        ("2018-03-01t10:00:00z", "2018-03-01 07:00:00"),
        ("2018-03-01T10:00Z", "2018-03-01 07:00:00"),
        ("20180301T100000Z", "2018-03-01 07:00:00"),
        ("20180301T1000+00", "2018-03-01 07:00:00"),
        (" 2018-03-01T10:00+00 ", "2018-03-01 07:00:00"),
        ("\u00a02018-03-01 10:00:00,000Z\u00a0", "2018-03-01 07:00:00"),
        ("2018-03-01 10:00:00+14:00", "2018-02-28 17:00:00"),
    ],
)
def test_every_spelling_of_a_zone_is_known_to_the_question_and_to_both_answers(
    zoned: str, instant: str, tmp_path: Path
) -> None:
    folder = written(tmp_path, zoned)
    assert "1 of 1 values" in load(folder).err
    load_json(folder, "--times", "wall")
    assert stored() == ["2018-03-01 10:00:00"]
    query("truncate olist_orders cascade")
    load_json(folder, "--times", "instant")
    assert stored() == [instant]


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
