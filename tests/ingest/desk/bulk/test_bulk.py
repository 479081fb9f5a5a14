"""Bulk jobs: tried out first, carried out in chunks, found again, gone on with; every reject is counted once."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from core.postgres.retry import in_transaction
from ingest.desk.bulk import jobs, select, worker
from ingest.desk.bulk.recipe import Recipe
from ingest.models import Batch, BulkJob, Correction, RejectedRecord
from olist.models import Customer
from tests.support.api.parcels import stored
from tests.support.desk.admin_pages import page
from tests.support.desk.bulk_jobs import RIO, begun, press, seen, sellers, totals
from tests.support.desk.people import refused, send, staff
from tests.support.loading.loads import PLAIN, hex_id

pytestmark = pytest.mark.django_db


@pytest.fixture
def four(ana: Client) -> str:
    """The page of a job of four sellers: two of which a recipe mends, one in part, one not at all."""
    sellers("Rio", "Rio", "XX")
    refused("sellers", seller_id=hex_id(7), seller_state="Rio", seller_city="a" * 200)
    return begun(ana, "?table=sellers")


def test_a_recipe_is_asked_for_with_what_is_wrong_in_the_records(ana: Client, four: str) -> None:
    asked = page(ana, four.removeprefix("/admin/"))
    assert "for 4 open records" in asked
    assert "seller_state (4 wrong)" in asked
    assert "Rio =&gt;" in asked


def test_a_recipe_is_previewed_without_doing_anything(ana: Client, four: str) -> None:
    found = press(ana, four, **RIO)
    assert '<strong class="forge-counts-good">2</strong> would pass' in found
    assert '<strong class="forge-counts-bad">1</strong> would still fail' in found
    assert "<b>seller_city</b> max_length" in found
    assert "<strong>1</strong> left alone: the recipe changes nothing in them" in found
    assert stored("sellers") == 0
    assert not Batch.objects.filter(origin="replay").exists()
    assert set(RejectedRecord.objects.values_list("attempts", "status", "correction")) == {(0, "open", None)}


def test_a_recipe_that_was_previewed_is_applied(ana: Client, four: str) -> None:
    press(ana, four, **RIO)
    done = press(ana, four, deed="carry_out")
    job = BulkJob.objects.get()
    (made,) = job.chunks.values_list("batches", flat=True)
    assert '<strong class="forge-counts-good">2</strong> are in' in done
    assert stored("sellers") == 2
    assert totals(job) == (4, 4, 2, 1, 1)
    assert (job.status, job.dry_run, (job.dry or {})["passed"]) == ("done", False, 2)
    assert Correction.objects.count() == 3
    assert RejectedRecord.objects.get(natural_key=hex_id(2)).attempts == 0
    assert LogEntry.objects.filter(change_message__startswith="Repaired by a recipe").count() == 3
    assert list(Batch.objects.filter(origin="replay").values_list("pk", flat=True)) == made
    assert "in seller_state, “Rio” → “RJ”" in page(ana, "ingest/bulkjob/")


def test_only_the_open_records_of_the_list_are_taken_and_later_ones_are_not(ana: Client) -> None:
    sellers("Rio", "Rio", "Rio")
    refused("sellers", seller_id=hex_id(8), seller_city="")
    RejectedRecord.objects.filter(natural_key=hex_id(0)).update(status="dismissed")
    path = begun(ana, "?code=invalid_choice")
    press(ana, path, **RIO)
    sellers("Rio", first=20)
    press(ana, path, deed="carry_out")
    assert totals(BulkJob.objects.get()) == (2, 2, 2, 0, 0)
    assert RejectedRecord.objects.get(natural_key=hex_id(20)).status == "open"


def test_those_closed_between_the_preview_and_the_work_are_told(ana: Client) -> None:
    sellers("Rio", "Rio")
    path = begun(ana)
    press(ana, path, **RIO)
    RejectedRecord.objects.filter(natural_key=hex_id(0)).update(status="dismissed")
    press(ana, path, deed="carry_out")
    job = BulkJob.objects.get()
    assert totals(job) == (2, 2, 1, 0, 1)
    assert job.left == {"closed already (dismissed)": 1}


def test_a_button_works_only_on_what_was_seen(ana: Client) -> None:
    sellers("Rio", "XX")
    path = begun(ana)
    press(ana, path, **RIO)
    old = seen(ana, path)
    assert old
    press(ana, path, **{**RIO, "pairs": "XX => SP"})
    answer = ana.post(path, {"seen": old, "deed": "carry_out"}, secure=True, follow=True)
    assert "Somebody has changed this since" in answer.content.decode()
    assert stored("sellers") == 0


def test_a_job_is_not_carried_out_as_somebody_saw_it_who_saw_another_preview(ana: Client) -> None:
    sellers("Rio", "XX")
    press(ana, begun(ana), **RIO)
    job = BulkJob.objects.get()
    job.finished_at = None
    assert not jobs.carry_out(job)
    assert stored("sellers") == 0


@pytest.fixture
def of_two_tables(ana: Client) -> str:
    """The page of a job of a seller and an order."""
    sellers("Rio")
    refused("orders", order_status="x")
    return begun(ana)


def test_a_job_of_several_tables_asks_for_one(ana: Client, of_two_tables: str) -> None:
    assert "For which table?" in page(ana, of_two_tables.removeprefix("/admin/"))


def test_a_recipe_for_no_table_of_several_is_not_tried(ana: Client, of_two_tables: str) -> None:
    press(ana, of_two_tables, **RIO)
    assert BulkJob.objects.get().status == "draft"


def test_a_recipe_is_for_one_table(ana: Client, of_two_tables: str) -> None:
    press(ana, of_two_tables, **RIO, table="sellers")
    assert totals(BulkJob.objects.get()) == (1, 1, 1, 0, 0)


def test_a_group_stands_or_falls_together_and_is_in_one_chunk(ana: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(select, "CHUNK_RECORDS", 2)
    for name in ("g", "h"):
        first = 10 * ord(name)
        rows = [("sellers", {"seller_id": hex_id(first + n), "seller_state": "Rio"}) for n in range(3)]
        send(
            *rows,
            *([("sellers", {"seller_id": hex_id(first + 5), "seller_city": ""})] if name == "h" else []),
            group="x",
        )
    sellers("Rio", first=1)
    path = begun(ana)
    press(ana, path, **RIO)
    job = BulkJob.objects.get()
    assert sorted(len(numbers) for numbers in job.chunks.values_list("numbers", flat=True)) == [1, 3, 4]
    assert totals(job) == (8, 8, 4, 4, 0)
    press(ana, path, deed="carry_out")
    assert totals(job) == (8, 8, 4, 4, 0)
    assert stored("sellers") == 4


def test_groups_of_one_name_from_two_batches_never_meet(ana: Client) -> None:
    for first, city in ((10, "rio"), (20, "")):
        send(
            ("sellers", {"seller_id": hex_id(first), "seller_state": "Rio"}),
            ("sellers", {"seller_id": hex_id(first + 1), "seller_state": "Rio", "seller_city": city}),
            group="same",
        )
    path = begun(ana)
    press(ana, path, **RIO)
    assert totals(BulkJob.objects.get()) == (4, 4, 2, 2, 0)
    press(ana, path, deed="carry_out")
    assert totals(BulkJob.objects.get()) == (4, 4, 2, 2, 0)


def test_all_that_a_list_shows_is_replayed_or_dismissed_in_chunks(ana: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(select, "CHUNK_RECORDS", 2)
    monkeypatch.setattr("ingest.desk.pages.list_actions.SMALL_RECORDS", 2)
    send(*[("orders", {"order_id": hex_id(n)}) for n in range(5)])
    Customer.objects.create(**PLAIN["customers"])
    path = begun(ana, "?code=does_not_exist", "replay_selected")
    assert '<strong class="forge-counts-good">5</strong> would pass' in press(ana, path, deed="try")
    assert stored("orders") == 0
    assert '<strong class="forge-counts-good">5</strong> are in' in press(ana, path, deed="carry_out")
    assert stored("orders") == 5
    assert Batch.objects.filter(origin="replay").count() == 3
    sellers("A", "B", "C")
    path = begun(ana, "?table=sellers", "dismiss_selected")
    assert "Say why" in press(ana, path, deed="carry_out")
    assert "<strong>3</strong> dismissed" in press(ana, path, deed="carry_out", why="a test client")
    assert set(RejectedRecord.objects.filter(table="sellers").values_list("status", "closed_why")) == {
        ("dismissed", "a test client")
    }


def working_job(monkeypatch: pytest.MonkeyPatch, *, chunks: int) -> BulkJob:
    monkeypatch.setattr(select, "CHUNK_RECORDS", 1)
    sellers(*["Rio"] * chunks)
    job = jobs.draft("repair", user=staff("eva", superuser=True), asked={}, numbers=None)
    recipe = Recipe(field="seller_state", how="set", put="RJ")
    BulkJob.objects.filter(pk=job.pk).update(table="sellers", recipe=recipe.as_json())
    job.refresh_from_db()
    return job


@pytest.fixture
def abandoned(monkeypatch: pytest.MonkeyPatch) -> BulkJob:
    """A job of four chunks, whose worker died in the third."""
    job = working_job(monkeypatch, chunks=4)
    jobs.carry_out(job)
    deal, dealt = worker._deal, []

    def die(*given: Any) -> Any:
        dealt.append(given)
        summary = deal(*given)
        if len(dealt) == 3:
            raise KeyboardInterrupt
        return summary

    with monkeypatch.context() as patch:
        patch.setattr(worker, "_deal", die)
        with pytest.raises(KeyboardInterrupt):
            worker.carry_on(job.pk)
    return job


def test_a_worker_that_dies_loses_nothing_of_what_it_did(abandoned: BulkJob) -> None:
    assert totals(abandoned) == (4, 2, 2, 0, 0)
    assert stored("sellers") == 2


@pytest.mark.usefixtures("abandoned")
def test_a_job_that_gave_a_sign_of_life_just_now_is_left_to_its_worker() -> None:
    assert worker.resume_stalled() == 0


def test_a_job_whose_worker_died_is_gone_on_with_by_another(
    abandoned: BulkJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "STALLED", -worker.STALLED)
    assert worker.resume_stalled() == 1
    assert totals(abandoned) == (4, 4, 4, 0, 0)
    assert abandoned.status == "done"
    assert stored("sellers") == 4


@pytest.mark.usefixtures("abandoned")
def test_a_job_that_another_worker_ended_is_gone_on_with_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "STALLED", -worker.STALLED)
    worker.resume_stalled()
    assert worker.resume_stalled() == 0


def test_a_fault_stands_on_the_job_which_can_be_gone_on_with(ana: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    job = working_job(monkeypatch, chunks=2)
    jobs.carry_out(job)
    with monkeypatch.context() as patch:
        patch.setattr(worker, "_deal", lambda *given: 1 / 0)
        worker.carry_on(job.pk)
    path = f"/admin/ingest/bulkjob/{job.pk}/change/"
    assert "It could not go on: division by zero. What was done is kept" in page(ana, path.removeprefix("/admin/"))
    assert '<strong class="forge-counts-good">2</strong> are in' in press(ana, path, deed="go_on")
    assert totals(job) == (2, 2, 2, 0, 0)


def test_a_job_can_be_stopped_and_its_progress_be_asked_for(ana: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    job = working_job(monkeypatch, chunks=3)
    jobs.carry_out(job)
    for _ in range(2):  # gathering, and a chunk
        in_transaction(lambda cursor: worker._step(cursor, job.pk))
    answer = ana.get(f"/admin/ingest/bulkjob/{job.pk}/progress/", secure=True)
    assert "1 of 3" in answer.content.decode()
    assert "Forge-Finished" not in answer.headers
    assert "This page may be closed" in page(ana, f"ingest/bulkjob/{job.pk}/change/")
    assert "It is stopped" in press(ana, f"/admin/ingest/bulkjob/{job.pk}/change/", deed="stop")
    worker.carry_on(job.pk)
    assert totals(job) == (3, 1, 1, 0, 0)
    assert ana.get(f"/admin/ingest/bulkjob/{job.pk}/progress/", secure=True)["Forge-Finished"] == "yes"


@pytest.fixture
def long_work(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """Three sellers that are too many for a request, and no worker for the time being."""
    settings.TASKS = {"default": {"BACKEND": "django.tasks.backends.dummy.DummyBackend"}}
    monkeypatch.setattr("ingest.desk.bulk.preview.LOOKED_AT", 2)
    sellers("Rio", "Rio", "Rio")


@pytest.mark.usefixtures("long_work")
def test_long_work_waits_for_the_worker(ana: Client) -> None:
    assert "Gathering the records" in press(ana, begun(ana), **RIO)
    assert BulkJob.objects.get().status == "queued"


@pytest.mark.usefixtures("long_work")
def test_long_work_is_done_by_the_worker(ana: Client) -> None:
    press(ana, begun(ana), **RIO)
    job = BulkJob.objects.get()
    worker.carry_on(job.pk)
    assert totals(job) == (3, 3, 3, 0, 0)
