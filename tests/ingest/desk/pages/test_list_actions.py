"""Dismissal, replay and export of many, and what Django's log keeps of it."""

import csv
import io
import json
from collections import Counter
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import IntegrityError
from django.db.models import QuerySet
from django.test import Client

from ingest.desk.actions import export
from ingest.desk.bulk import chunk
from ingest.desk.pages import list_actions
from ingest.models import Batch, BulkJob, RejectedRecord
from tests.support.api.parcels import stored
from tests.support.desk.admin_pages import page
from tests.support.desk.people import refused, send
from tests.support.loading.loads import hex_id

pytestmark = pytest.mark.django_db
LIST = "/admin/ingest/rejectedrecord/"


def act(client: Client, action: str, *rejects: RejectedRecord, **data: Any) -> Any:
    chosen = [str(reject.pk) for reject in rejects]
    return client.post(LIST, {"action": action, "_selected_action": chosen, **data}, secure=True)


def text(answer: Any) -> str:
    return b"".join(answer.streaming_content).decode()


def log() -> list[tuple[str, str]]:
    return [(str(entry.object_id), entry.change_message) for entry in LogEntry.objects.order_by("pk")]


@pytest.fixture
def open_and_closed() -> tuple[RejectedRecord, RejectedRecord]:
    """A reject that is open, and one that is closed."""
    reject, closed = refused("sellers", seller_state="XX"), refused("orders", order_status="x")
    RejectedRecord.objects.filter(pk=closed.pk).update(status="replayed")
    return reject, closed


def test_a_dismissal_asks_first(ana: Client, open_and_closed: tuple[RejectedRecord, RejectedRecord]) -> None:
    assert "Dismiss 2 records" in act(ana, "dismiss_selected", *open_and_closed).content.decode()


def test_a_dismissal_asks_why(ana: Client, open_and_closed: tuple[RejectedRecord, RejectedRecord]) -> None:
    assert "Say why" in act(ana, "dismiss_selected", *open_and_closed, why=" ").content.decode()


def test_a_dismissal_says_what_it_did_and_what_it_left_out(
    ana: Client, open_and_closed: tuple[RejectedRecord, RejectedRecord]
) -> None:
    act(ana, "dismiss_selected", *open_and_closed, why="a test client")
    html = page(ana, "ingest/rejectedrecord/")
    assert "Dismissed 1." in html
    assert "Left out 1: closed already (replayed)." in html


def test_a_dismissal_keeps_why_and_by_whom(ana: Client, open_and_closed: tuple[RejectedRecord, RejectedRecord]) -> None:
    act(ana, "dismiss_selected", *open_and_closed, why="a test client")
    reject, _ = open_and_closed
    reject.refresh_from_db()
    assert (reject.status, reject.closed_why, str(reject.closed_by)) == ("dismissed", "a test client", "ana")
    assert log() == [(str(reject.pk), "Dismissed: a test client")]


def test_a_dismissed_reject_says_why_and_by_whom(
    ana: Client, open_and_closed: tuple[RejectedRecord, RejectedRecord]
) -> None:
    act(ana, "dismiss_selected", *open_and_closed, why="a test client")
    html = page(ana, f"ingest/rejectedrecord/{open_and_closed[0].pk}/change/")
    assert "Closed as dismissed: a test client by ana" in html


@pytest.fixture
def replayed(ana: Client) -> list[RejectedRecord]:
    """Three orphans, a bad one and a group of two, which were replayed at once, and one that cannot be beside them."""
    orphans = [refused("orders", order_id=hex_id(number)) for number in range(3)]
    bad = refused("sellers", seller_state="XX")
    send(("orders", {"order_id": hex_id(7)}), ("order_payments", {"order_id": hex_id(7)}), group="g")
    grouped = list(RejectedRecord.objects.filter(group="g"))
    send(("sellers", {"seller_id": "no"}), mode="atomic")
    atomic = RejectedRecord.objects.latest("pk")
    send(("customers", {}))
    act(ana, "replay_selected", *orphans, bad, *grouped, atomic)
    return [*orphans, bad, *grouped]


@pytest.mark.usefixtures("replayed")
def test_many_are_replayed_with_their_groups_as_one_batch() -> None:
    assert (stored("orders"), stored("order_payments")) == (4, 1)
    assert Batch.objects.filter(origin="replay").count() == 1


@pytest.mark.usefixtures("replayed")
def test_a_replay_of_many_says_what_it_did_and_what_it_left_out(ana: Client) -> None:
    html = page(ana, "ingest/rejectedrecord/")
    assert "Replayed 6: 5 are in, 1 were refused again." in html
    assert "Left out 1: of an atomic batch" in html


def test_a_replay_of_many_is_in_the_log_with_each_of_them(replayed: list[RejectedRecord]) -> None:
    entries = log()
    assert {number for number, _ in entries} == {str(reject.pk) for reject in replayed}
    outcomes = Counter(message.partition(" (batch ")[0] for _, message in entries)
    assert outcomes == {"Replayed: inserted": 5, "Replayed: rejected": 1}


def test_one_of_a_group_is_replayed_with_the_others_and_they_are_counted_beside(ana: Client) -> None:
    send(("orders", {"order_id": hex_id(7)}), ("order_payments", {"order_id": hex_id(7)}), group="g")
    send(("customers", {}))
    act(ana, "replay_selected", RejectedRecord.objects.get(table="orders"))
    html = page(ana, "ingest/rejectedrecord/")
    assert "Replayed 1: 1 are in, 0 were refused again. 1 more of their groups went with them." in html
    assert (stored("orders"), stored("order_payments")) == (1, 1)


def test_what_was_done_to_many_stands_in_the_list_of_bulk_jobs(ana: Client) -> None:
    bad = refused("sellers", seller_state="XX")
    act(ana, "replay_selected", bad)
    assert "1 of 1" in page(ana, "ingest/bulkjob/")
    job = page(ana, f"ingest/bulkjob/{BulkJob.objects.get().pk}/change/")
    assert '<strong class="forge-counts-bad">1</strong> were refused again' in job
    assert "<b>seller_state</b> invalid_choice" in job


def test_a_fault_of_the_database_is_not_taken_for_somebody_else(ana: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any, **options: Any) -> None:
        raise IntegrityError("a bug")

    reject = refused("orders")
    with monkeypatch.context() as patch:
        patch.setattr(chunk, "run", broken)
        path = act(ana, "replay_selected", reject).headers["Location"].removeprefix("/admin/")
    html = page(ana, path)
    assert "It could not go on: a bug. What was done is kept" in html
    assert "Go on where it was left" in html
    assert "Somebody else" not in html
    reject.refresh_from_db()
    assert (reject.status, reject.attempts, stored("orders")) == ("open", 0, 0)


@pytest.mark.parametrize(("action", "asks"), [("dismiss_selected", "Dismiss 3 open"), ("replay_selected", "Replay 3")])
def test_more_than_a_thousand_become_a_job_that_asks_first(
    ana: Client, monkeypatch: pytest.MonkeyPatch, action: str, asks: str
) -> None:
    monkeypatch.setattr(list_actions, "SMALL_RECORDS", 2)
    send(*[("sellers", {"seller_id": hex_id(number), "seller_state": "XX"}) for number in range(3)])
    rejects = RejectedRecord.objects.all()
    address = act(ana, action, *rejects, why="x", select_across="1").headers["Location"]
    assert asks in page(ana, address.removeprefix("/admin/"))
    assert set(rejects.values_list("status", flat=True)) == {"open"}


def test_all_that_a_filter_finds_can_be_taken(ana: Client) -> None:
    send(*[("sellers", {"seller_id": hex_id(number), "seller_state": "XX"}) for number in range(120)])
    other = refused("orders", order_status="x")
    first = RejectedRecord.objects.earliest("pk")
    data = {"action": "dismiss_selected", "_selected_action": str(first.pk), "select_across": "1", "why": "x"}
    ana.post(f"{LIST}?table=sellers", data, secure=True)
    assert RejectedRecord.objects.filter(status="dismissed").count() == 120
    other.refresh_from_db()
    assert other.status == "open"


@pytest.fixture
def like_formulas() -> QuerySet[RejectedRecord]:
    """Two rejects with cells that begin like formulas."""
    refused("sellers", seller_state="XX", seller_city="=1+1")
    refused("sellers", seller_id=hex_id(2), seller_state="YY", seller_city="-rio")
    return RejectedRecord.objects.all()


def test_an_export_first_says_which_files_there_are_and_what_each_is_for(
    ana: Client, like_formulas: QuerySet[RejectedRecord]
) -> None:
    send(("sellers", "[1]"), ("sellers", "[]"))
    html = " ".join(act(ana, "export_selected", *like_formulas.all()).content.decode().split())
    assert "Export 4 records of sellers" in html
    assert "an apostrophe, so this file is not to be loaded or posted" in html
    assert "Unescaped: a spreadsheet may run what stands in it." in html
    assert "Without 2 that could not be split into fields." in html
    assert log() == []


@pytest.mark.parametrize(
    ("form", "name", "said", "cities"),
    [
        ("spreadsheet", "for_a_spreadsheet.csv", "CSV for a spreadsheet", ["'=1+1", "'-rio"]),
        ("csv", "to_post_unescaped.csv", "CSV, unescaped", ["=1+1", "-rio"]),
    ],
)
def test_an_export_as_csv_says_in_its_name_whether_it_is_escaped(
    ana: Client, like_formulas: QuerySet[RejectedRecord], form: str, name: str, said: str, cities: list[str]
) -> None:
    answer = act(ana, "export_selected", *like_formulas, form=form)
    rows = list(csv.DictReader(io.StringIO(text(answer))))
    assert answer["Content-Disposition"] == f'attachment; filename="sellers_rejects_{name}"'
    assert [row["seller_city"] for row in rows] == cities
    assert {message for _, message in log()} == {f"Exported as {said}."}


def test_an_export_as_ndjson_holds_the_records_as_they_can_be_posted_back(
    ana: Client, like_formulas: QuerySet[RejectedRecord]
) -> None:
    answer = act(ana, "export_selected", *like_formulas, form="ndjson")
    assert [json.loads(line)["seller_city"] for line in text(answer).splitlines()] == ["=1+1", "-rio"]
    assert answer["Content-Disposition"] == 'attachment; filename="sellers_rejects_to_post.ndjson"'
    assert {message for _, message in log()} == {"Exported as NDJSON."}


def test_an_export_holds_the_whole_list_however_long(ana: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "PART_RECORDS", 3)
    monkeypatch.setattr(list_actions, "SMALL_RECORDS", 2)
    send(*[("sellers", {"seller_id": hex_id(number), "seller_state": "XX"}) for number in range(8)])
    refused("orders", order_status="x")
    data = {"action": "export_selected", "_selected_action": "1", "select_across": "1", "form": "csv"}
    answer = ana.post(f"{LIST}?table=sellers&code=invalid_choice", data, secure=True)
    rows = list(csv.DictReader(io.StringIO(text(answer))))
    assert sorted(row["seller_id"] for row in rows) == [hex_id(number) for number in range(8)]
    assert LogEntry.objects.get().object_repr == "8 rejected records (table sellers, code invalid_choice)"


def test_a_file_is_for_one_table(ana: Client) -> None:
    rejects = refused("sellers", seller_state="XX"), refused("orders", order_status="x")
    act(ana, "export_selected", *rejects)
    assert "filter by table first" in page(ana, "ingest/rejectedrecord/")
