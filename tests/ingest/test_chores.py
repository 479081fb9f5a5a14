"""What happens by itself: each routine when it is due, by one process of many, and again after a lost database."""

import io
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from core.errors import DatabaseUnavailable
from ingest import chores
from ingest.chores import tend
from ingest.models import BulkJob, RejectedRecord
from olist.models import Customer
from tests.support.desk.people import refused
from tests.support.loading.loads import PLAIN

pytestmark = pytest.mark.django_db


def an_orphan_whose_parent_came() -> None:
    refused("orders")
    Customer.objects.create(**PLAIN["customers"])


def test_orphans_are_healed_and_old_rejects_and_bulk_jobs_go() -> None:
    old = refused("sellers", seller_state="XX")
    then = timezone.now() - timedelta(days=366)
    RejectedRecord.objects.filter(pk=old.pk).update(status="dismissed", closed_at=then)
    for created, status, finished in ((then, "draft", None), (then, "done", then), (timezone.now(), "draft", None)):
        BulkJob.objects.create(action="replay", created_at=created, status=status, finished_at=finished)
    an_orphan_whose_parent_came()
    assert tend() == (
        "sweep: 1 orphans whose parents are there were replayed: 1 are in.",
        "pruning: closed rejects older than 365 days went: 1 dismissed.",
    )
    assert BulkJob.objects.count() == 1


@pytest.mark.parametrize("later", [timedelta(), timedelta(minutes=9)])
def test_no_routine_runs_again_before_its_time(later: timedelta) -> None:
    tend()
    an_orphan_whose_parent_came()
    assert tend(now=timezone.now() + later) == ()


def test_each_routine_runs_again_in_its_own_time() -> None:
    tend()
    an_orphan_whose_parent_came()
    said = tend(now=timezone.now() + timedelta(minutes=10, seconds=1))
    assert [line.partition(":")[0] for line in said] == ["sweep"]


def test_of_many_processes_one_does_what_is_due() -> None:
    (routine, *_), now = chores.ROUTINES, timezone.now()
    assert [chores._claimed(routine, now) for _ in range(3)] == [True, False, False]
    assert not chores._claimed(routine, now + timedelta(minutes=5))
    assert chores._claimed(routine, now + timedelta(minutes=11))


def test_the_loop_outlives_a_lost_database_and_ends_when_told(monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[Any] = [
        DatabaseUnavailable(problem="it is gone", remedy="Start it."),
        ("sweep: 1",),
        KeyboardInterrupt(),
    ]

    def answer(**_given: Any) -> Any:
        found = answers.pop(0)
        if isinstance(found, BaseException):
            raise found
        return found

    monkeypatch.setattr("ingest.management.commands.tend_rejects.tend", answer)
    monkeypatch.setattr("core.loops.time.sleep", lambda seconds: None)
    monkeypatch.setattr("core.loops.connection.close", lambda: None)
    monkeypatch.setattr("core.loops.signal.signal", lambda *given: None)
    out, err = io.StringIO(), io.StringIO()
    with pytest.raises(KeyboardInterrupt):
        call_command("tend_rejects", "--loop", stdout=out, stderr=err)
    assert "it is gone" in err.getvalue()
    assert out.getvalue() == "sweep: 1\n"
