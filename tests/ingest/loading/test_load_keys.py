"""Loads into another team's tables, whose keys hold moments and tiny floats: the rejects of their keys are found."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.loading.load import load
from ingest.loading.options import LoadOptions, LoadReport
from ingest.models import RejectedRecord
from tests.support.api.client import trusted
from tests.support.loading.loads import query
from tests.support.rules.other_team import other_sources

AT, TINY = "2018-03-01 10:00:00", "0.00001"
HEADER = {"rounds": "at,guard", "readings": "round_id,size,depth"}


@pytest.fixture(autouse=True)
def other_team(committed: None) -> Iterator[None]:
    with other_sources():
        yield


def load_lines(folder: Path, **lines: list[str]) -> LoadReport:
    """Load ``lines`` of each table, and none of others."""
    folder.mkdir(exist_ok=True)
    for table, header in HEADER.items():
        (folder / f"{table}.csv").write_text("\n".join([header, *lines.get(table, ())]) + "\n")
    return load(str(folder), LoadOptions())


def statuses() -> list[tuple[str, str]]:
    return list(RejectedRecord.objects.order_by("pk").values_list("natural_key", "status"))


@pytest.mark.parametrize("others", [[], [f"{AT},0.5,1"]], ids=["into an empty table", "beside other rows"])
def test_a_load_supersedes_the_reject_of_a_key_of_a_moment_and_a_tiny_float(tmp_path: Path, others: list[str]) -> None:
    load_lines(tmp_path, rounds=[f"{AT},ann"], readings=[*others, f"{AT},1e-05,12"])
    assert statuses() == [(f"{AT} {TINY}", "open")]
    load_lines(tmp_path, rounds=[f"{AT},ann"], readings=[f"{AT},0.000010,2"])
    assert query("select count(*) from other_reading") == [(len(others) + 1,)]
    assert statuses() == [(f"{AT} {TINY}", "superseded")]


def test_the_endpoint_supersedes_it_too() -> None:
    api = trusted()
    api.post({"records": [{"table": "rounds", "data": {"at": AT, "guard": "ann"}}]})
    reading = {"round_id": f"{AT}.0", "size": 1e-05}
    api.post({"records": [{"table": "readings", "data": {**reading, "depth": 12}}]})
    assert statuses() == [(f"{AT} {TINY}", "open")]
    api.post({"records": [{"table": "readings", "data": {**reading, "depth": 2}}]})
    assert statuses() == [(f"{AT} {TINY}", "superseded")]


def test_an_orphan_is_healed_when_a_moment_that_it_waits_for_has_come(tmp_path: Path) -> None:
    api = trusted()
    orphan = {"round_id": AT, "size": 1e-05, "depth": 2}
    answer = api.post({"records": [{"table": "readings", "data": orphan}]})
    assert answer.codes == [(0, "round_id", "does_not_exist")], answer
    assert RejectedRecord.objects.get().waits_for == [f"rounds/{AT}"]
    api.post({"records": [{"table": "rounds", "data": {"at": AT, "guard": "ann"}}]})
    assert statuses() == [(f"{AT} {TINY}", "replayed")]


def test_a_reject_is_linked_to_the_refused_parent_that_it_waits_for(tmp_path: Path) -> None:
    load_lines(tmp_path, rounds=[f"{AT},a guard of many letters"], readings=[f"{AT}.000,0.5,2"])
    parent, child = RejectedRecord.objects.order_by("table").reverse()
    assert (child.codes, child.waits_for, child.parent) == (["parent_rejected"], [f"rounds/{AT}"], parent)


@pytest.mark.parametrize("way", ["load", "endpoint"])
def test_a_conflict_names_the_same_key_on_every_way(tmp_path: Path, way: str) -> None:
    load_lines(tmp_path, rounds=[f"{AT},ann"], readings=[f"{AT},{TINY},1"])
    if way == "load":
        load_lines(tmp_path, readings=[f"{AT},1e-05,2"])
    else:
        data = {"round_id": AT, "size": 1e-05, "depth": 2}
        trusted().post({"records": [{"table": "readings", "data": data}]})
    (reason,) = RejectedRecord.objects.get().reasons
    assert (reason["code"], reason["value"]) == ("unique", f"{AT} {TINY}")
