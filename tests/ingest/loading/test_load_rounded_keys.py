"""Keys with a float beside content, of another team: the key is known at fifteen digits, the content to the letter."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest.loading.load import load
from ingest.loading.options import LoadOptions
from ingest.models import OUTCOMES, Account
from ingest.rules.on_conflict import OnConflict
from tests.support.api.client import trusted
from tests.support.loading.loads import query
from tests.support.rules.other_team import other_sources

AT = "2018-03-01 10:00:00"
LONG, CUT, ROUNDED = "0.12345678901234567", "0.123456789012345", "0.123456789012346"


@pytest.fixture(autouse=True)
def other_team(committed: None) -> Iterator[None]:
    with other_sources():
        yield


def by_load(folder: Path, readings: list[tuple[str, int]], on_conflict: OnConflict) -> None:
    lines = [f"{AT},{size},{depth}" for size, depth in readings]
    (folder / "rounds.csv").write_text(f"at,guard\n{AT},ann\n")
    (folder / "readings.csv").write_text("\n".join(["round_id,size,depth", *lines, ""]))
    load(str(folder), LoadOptions(on_conflict=on_conflict))


def by_endpoint(_folder: Path, readings: list[tuple[str, int]], on_conflict: OnConflict) -> None:
    records: list[Any] = [{"table": "rounds", "data": {"at": AT, "guard": "ann"}}]
    for size, depth in readings:
        records.append({"table": "readings", "data": {"round_id": AT, "size": size, "depth": depth}})
    trusted().post({"records": records, "on_conflict": on_conflict})


def account() -> tuple[dict[str, int], dict[str, int]]:
    found = Account.objects.filter(table="readings").latest("batch__started_at")
    return {name: count for name in OUTCOMES if (count := getattr(found, name))}, found.repaired


@pytest.mark.parametrize("way", [by_load, by_endpoint])
@pytest.mark.parametrize(
    ("on_conflict", "sent", "counts", "rounded", "depth"),
    [
        ("reject", [(CUT, 1)], {"unchanged": 1}, 1, 1),
        ("reject", [(ROUNDED, 2)], {"rejected": 1}, 0, 1),
        ("reject", [(CUT, 1), (ROUNDED, 1), (LONG, 2)], {"unchanged": 1, "duplicates": 1, "rejected": 1}, 2, 1),
        ("update", [(ROUNDED, 2)], {"updated": 1}, 1, 2),
        ("update", [(CUT, 3), (ROUNDED, 2)], {"updated": 1, "rejected": 1}, 1, 2),
    ],
)
def test_content_under_a_key_of_fewer_digits_is_that_of_the_stored_key(
    way: Any,
    on_conflict: OnConflict,
    sent: list[tuple[str, int]],
    counts: dict[str, int],
    rounded: int,
    depth: int,
    tmp_path: Path,
) -> None:
    by_load(tmp_path, [(LONG, 1)], "reject")
    way(tmp_path, sent, on_conflict)
    assert account() == (counts, {"rounded": rounded} if rounded else {})
    assert query("select size, depth from other_reading") == [(float(LONG), depth)]


@pytest.mark.parametrize("way", [by_load, by_endpoint])
def test_other_content_under_the_same_key_of_a_file_is_refused(way: Any, tmp_path: Path) -> None:
    way(tmp_path, [(LONG, 1), (ROUNDED, 2), (CUT, 1)], "reject")
    assert account() == ({"inserted": 1, "duplicates": 1, "rejected": 1}, {"rounded": 1})
    assert query("select size, depth from other_reading") == [(float(LONG), 1)]
