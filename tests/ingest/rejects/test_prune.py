"""Old rejects go, closed ones only, and only when asked for."""

import io
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from ingest.models import Batch, RejectedRecord
from tests.support.rejects.store import store_reject

pytestmark = pytest.mark.django_db


def reject(number: int, status: str, *, days: int, parent: RejectedRecord | None = None) -> RejectedRecord:
    """Store a reject that was closed so many days ago."""
    batch, _ = Batch.objects.get_or_create(origin="api", app_version="")
    then = timezone.now() - timedelta(days=days)
    return store_reject(
        batch,
        table="orders",
        raw=str(number).encode(),
        position=number,
        first_seen_at=then,
        last_seen_at=then,
        status=status,
        closed_at=None if status == "open" else then,
        parent=parent,
    )


def prune(*arguments: str) -> str:
    out = io.StringIO()
    call_command("prune_rejects", *arguments, stdout=out)
    return out.getvalue()


def kept() -> set[int]:
    return set(RejectedRecord.objects.values_list("position", flat=True))


def test_closed_rejects_go_when_their_time_is_over_and_open_ones_stay() -> None:
    for number, (status, days) in enumerate(
        [("open", 1000), ("replayed", 400), ("replayed", 300), ("dismissed", 400), ("superseded", 366)]
    ):
        reject(number, status, days=days)
    assert "would be deleted (give --yes): 1 replayed, 1 superseded, 1 dismissed." in prune()
    assert kept() == {0, 1, 2, 3, 4}
    assert "UTC deleted: 1 replayed, 1 superseded, 1 dismissed." in prune("--yes")
    assert kept() == {0, 2}
    assert "deleted: 1 replayed." in prune("--yes", "--older-than", "30d", "--status", "replayed")
    assert kept() == {0}


def test_all_that_is_closed_goes_where_no_day_is_to_be_kept() -> None:
    reject(1, "dismissed", days=1)
    assert "deleted: 1 dismissed." in prune("--yes", "--older-than", "0d", "--status", "dismissed")
    assert kept() == set()


def test_the_children_of_a_reject_that_goes_stay() -> None:
    parent = reject(1, "dismissed", days=400)
    reject(2, "open", days=400, parent=parent)
    reject(3, "dismissed", days=400, parent=parent)
    prune("--yes")
    (child,) = RejectedRecord.objects.all()
    assert (child.position, child.parent) == (2, None)


@pytest.mark.parametrize("age", ["180", "1.5d", "xd", "d"])
def test_an_age_that_is_none_is_refused(age: str) -> None:
    with pytest.raises(CommandError, match="no number of days"):
        prune("--older-than", age)
