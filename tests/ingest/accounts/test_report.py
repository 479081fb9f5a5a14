"""The account of a table, and the status that follows from it, the same for a file and for a batch over HTTP."""

from typing import Any

import pytest

from ingest.accounts.report import TableReport, status_of


def report(**counts: Any) -> TableReport:
    facts = {"read": 0, "accepted": 0, "written": (0, 0, 0), "duplicates": 0, "rejected": 0, "repaired": {}}
    return TableReport.of("orders", seconds=0.5, **{**facts, **counts})


@pytest.mark.parametrize(
    ("counts", "status"),
    [
        ({}, "accepted"),
        ({"read": 3, "accepted": 2, "written": (1, 0, 1), "duplicates": 1}, "accepted"),
        ({"read": 3, "accepted": 2, "written": (2, 0, 0), "rejected": 1}, "partial"),
        ({"read": 3, "duplicates": 1, "rejected": 2}, "partial"),
        ({"read": 2, "rejected": 2}, "rejected"),
        ({"read": 3, "accepted": 2, "written": None, "rejected": 1}, "rejected"),
    ],
)
def test_the_status_follows_from_the_counts(counts: dict[str, Any], status: str) -> None:
    table = report(**counts)
    assert table.status == status
    assert table.read == sum(getattr(table, name) for name in table.counts() if name not in {"read", "repaired"})


def test_a_refused_table_rolls_its_good_records_back() -> None:
    refused = report(read=3, accepted=2, written=None, rejected=1)
    assert (refused.rolled_back, refused.inserted, refused.refused) == (2, 0, True)


def test_a_batch_is_rejected_as_a_whole_only_where_nothing_of_it_was_kept_or_a_table_was_refused() -> None:
    good, bad = report(read=1, accepted=1, written=(1, 0, 0)), report(read=1, rejected=1)
    skipped = TableReport(table="orders", refused=True, skipped=True)
    assert [status_of(tables) for tables in ([good], [good, bad], [bad], [bad, report()], [good, skipped])] == [
        "accepted",
        "partial",
        "rejected",
        "rejected",
        "rejected",
    ]
