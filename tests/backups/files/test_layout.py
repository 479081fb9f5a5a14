"""How files lie in a store: a table's folder is one state of it, names sort by time, and format 1 is known for ever."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from backups.files.layout import (
    backup_name,
    described_by,
    manifest_name,
    parted,
    plain_name,
    sibling_name,
    unfinished,
)

RUN = UUID("c0585e71-0000-4000-8000-000000000000")
AT = datetime(2026, 11, 30, 8, 0, 51, 123456, tzinfo=UTC)
NEW = "20261130T080051.123456Z-c0585e71/olist_orders/olist_orders.parquet"
OLD = "olist_orders/olist_orders-20261124T195750Z-9b7ddba8.parquet"
ROOTS = ["", "_safety/", "deep/er/", "a=b/"]


def test_a_table_lies_alone_in_a_folder_of_its_run() -> None:
    assert backup_name("olist_orders", AT, RUN) == NEW
    assert backup_name("olist_orders", AT, RUN, safety=True) == f"_safety/{NEW}"


def test_a_moment_of_another_zone_is_written_as_utc() -> None:
    sao_paulo = AT.astimezone(datetime.strptime("-0300", "%z").tzinfo)
    assert backup_name("olist_orders", sao_paulo, RUN) == NEW


def test_runs_sort_by_time() -> None:
    later = [AT + timedelta(microseconds=1), AT + timedelta(seconds=1), AT + timedelta(days=40)]
    names = [backup_name("a", moment, UUID(int=2**128 - 1 - place)) for place, moment in enumerate([AT, *later])]
    assert names == sorted(names)


def test_two_runs_of_one_moment_do_not_share_a_folder() -> None:
    assert backup_name("a", AT, RUN) != backup_name("a", AT, UUID(int=1))


@pytest.mark.parametrize("root", ROOTS)
def test_a_manifest_and_its_backup_name_each_other(root: str) -> None:
    told = f"{root}_manifests/20261130T080051.123456Z-c0585e71/olist_orders.json"
    assert manifest_name(root + NEW) == told
    assert described_by(told) == root + NEW
    assert manifest_name(root + OLD) == f"{root}{OLD}.manifest.json"
    assert described_by(f"{root}{OLD}.manifest.json") == root + OLD


@pytest.mark.parametrize("name", [NEW, OLD, "a.json", "_manifests/a.json", "_manifests/run/a.json", "a/_manifests"])
def test_what_is_no_manifest_describes_nothing(name: str) -> None:
    assert described_by(name) is None


@pytest.mark.parametrize(
    "root", ["s3://bucket", "s3://bucket/some, thing", "/data", "relative", "/data/_safety", "/a\nb"]
)
def test_a_path_is_parted_at_the_root_of_its_layout(root: str) -> None:
    assert parted(f"{root}/{NEW}") == (root, NEW)
    assert parted(f"{root}/{manifest_name(NEW)}") == (root, manifest_name(NEW))
    folder, _, file = OLD.rpartition("/")
    assert parted(f"{root}/{OLD}") == (f"{root}/{folder}", file)


def test_a_path_from_here_has_no_root() -> None:
    assert parted(NEW) == ("", NEW)
    assert parted("a.parquet") == ("", "a.parquet")


def test_a_sibling_is_another_table_of_the_same_run() -> None:
    assert sibling_name(f"_safety/{NEW}", "books") == f"_safety/{NEW.replace('olist_orders', 'books')}"
    assert sibling_name(OLD, "books") is None


@pytest.mark.parametrize(
    "table",
    ["a=b", "_hidden", ".hidden", "Orders", "a/b", "../up", "a*b", "a b", "São", "a%3Db", "", "a-0a1b2c3d", "con{1,2}"],
)
def test_a_strange_table_has_a_name_that_no_reader_takes_for_something_else(table: str) -> None:
    plain = plain_name(table)
    assert plain.replace("_", "").replace("-", "").isalnum()
    assert plain.isascii()
    assert plain == plain.lower()
    assert plain[0] not in "_-."


def test_no_two_tables_share_a_name_also_where_case_does_not_count() -> None:
    tables = ["orders", "Orders", "ORDERS", "or=ders", "or_ders", "or ders", "_orders", "orders_", plain_name("Orders")]
    assert len({plain_name(table) for table in tables}) == len(tables)


def test_what_a_backup_left_is_told_from_what_others_put_there() -> None:
    left = [
        "20261130T080051.123456Z-c0585e71/a/a.parquet",
        "_safety/20261130T080051.123456Z-c0585e71/a/.a.parquet.part",
        "_manifests/20261130T080051.123456Z-c0585e71/.a.json.part",
        OLD,
        ".".join(["olist_orders/", OLD.partition("/")[2], "part"]),
    ]
    finished = [NEW, manifest_name(NEW), f"deep/{OLD}", manifest_name(f"deep/{OLD}")]
    strange = [
        "a.parquet",
        "a/a.parquet",
        ".x.part",
        "a/.a.parquet.part",
        "20261130T080051.123456Z-c0585e71/a/b.parquet",
    ]
    assert list(unfinished([*left, *finished, *strange])) == left
