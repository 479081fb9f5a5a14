"""A reject is read by the signs of the file that it came with, by whatever door it goes in again."""

from pathlib import Path

import pytest

from ingest.desk.actions.export import FORMS
from ingest.models import RejectedRecord
from tests.support.access.people import browser, person
from tests.support.api.client import trusted
from tests.support.desk.bulk_jobs import begun, press
from tests.support.desk.forms import shown_in
from tests.support.loading.loads import Row, hex_id, load_json, query, write_files

pytestmark = pytest.mark.usefixtures("committed")

STORED = {"wall": "2018-03-01 10:00:00", "instant": "2018-03-01 07:00:00"}
MOMENTS = (
    "order_purchase_timestamp",
    "order_approved_at",
    "order_delivered_carrier_date",
    "order_delivered_customer_date",
    "order_estimated_delivery_date",
)
BAD: Row = {"order_status": "x"}
ORPHAN: Row = {"customer_id": hex_id(7)}
answers = pytest.mark.parametrize("answer", STORED)


def loaded(folder: Path, answer: str, change: Row, *options: str) -> None:
    stamped: Row = {**dict.fromkeys(MOMENTS, "2018-03-01T10:00:00Z"), **change}
    files: dict[str, list[Row]] = {"customers": [{}], "orders": [stamped]}
    load_json(write_files(folder, files), "--times", answer, *options, code=1)


def stored() -> set[str]:
    """Return every moment of the orders that are in."""
    return {str(moment) for row in query(f"select {', '.join(MOMENTS)} from olist_orders") for moment in row}


@answers
def test_an_orphan_is_healed_by_them(answer: str, tmp_path: Path) -> None:
    loaded(tmp_path / "first", answer, ORPHAN)
    parents: dict[str, list[Row]] = {"customers": [{"customer_id": hex_id(7)}]}
    load_json(write_files(tmp_path / "second", parents), "--table", "customers")
    assert stored() == {STORED[answer]}


@answers
def test_the_form_shows_what_was_read_and_moves_no_other_field(answer: str, tmp_path: Path) -> None:
    loaded(tmp_path, answer, BAD)
    desk, reject = browser(person(superuser=True)), RejectedRecord.objects.get()
    page = f"/admin/ingest/rejectedrecord/{reject.pk}/repair/"
    shown = shown_in(desk.get(page, secure=True).content.decode(), "forge-repair")
    zone = "Z" if answer == "instant" else ""
    assert {shown[f"record-{name}"] for name in MOMENTS} == {f"2018-03-01T10:00:00{zone}"}
    saved = desk.post(page, {**shown, "record-order_status": "delivered"}, secure=True)
    assert saved.status_code == 302
    assert stored() == {STORED[answer]}


@answers
def test_the_endpoint_replays_it_by_them(answer: str, tmp_path: Path) -> None:
    loaded(tmp_path, answer, ORPHAN)
    api = trusted()
    query("update olist_customers set customer_id = %s", hex_id(7))
    replayed = api.post("", to=f"/api/v1/rejects/{RejectedRecord.objects.get().pk}/replay/")
    assert replayed.status == 201, replayed
    assert stored() == {STORED[answer]}


@answers
def test_a_recipe_moves_no_other_field(answer: str, tmp_path: Path) -> None:
    loaded(tmp_path, answer, BAD)
    desk = browser(person(superuser=True))
    job = begun(desk, "?table=orders")
    press(desk, job, how="map", pairs="x => delivered", field="order_status", deed="try")
    press(desk, job, deed="carry_out")
    assert stored() == {STORED[answer]}


@answers
@pytest.mark.parametrize("name", ["csv", "ndjson"])
def test_an_export_that_is_posted_means_the_same(answer: str, name: str, tmp_path: Path) -> None:
    loaded(tmp_path, answer, ORPHAN)
    api = trusted()
    query("update olist_customers set customer_id = %s", hex_id(7))
    form, reject = FORMS[name], RejectedRecord.objects.get()
    sent = form.write([reject], list(reject.record or {}), first=True)
    assert api.post(sent, to="/api/v1/batches/?table=orders", kind=form.media_type).status == 201
    assert stored() == {STORED[answer]}


def test_a_record_that_is_refused_late_is_read_by_them(tmp_path: Path) -> None:
    stamped = dict.fromkeys(MOMENTS, "2018-03-01T10:00:00Z")
    rows: list[Row] = [{**stamped, "order_status": "created"}, {**stamped, "order_status": "delivered"}]
    folder = write_files(tmp_path, {"customers": [{}], "orders": rows})
    load_json(folder, "--times", "wall", "--on-conflict", "update")
    reject = RejectedRecord.objects.get()
    assert (reject.codes, (reject.record or {})["order_approved_at"]) == (
        ["superseded_in_batch"],
        "2018-03-01T10:00:00",
    )
    assert b"2018-03-01T10:00:00Z" in bytes(reject.raw)


def test_what_is_meant_as_instants_is_the_same_reject_as_if_nothing_was_said(tmp_path: Path) -> None:
    loaded(tmp_path, "instant", BAD)
    api, reject = trusted(), RejectedRecord.objects.get()
    text = (tmp_path / "olist_orders_dataset.csv").read_bytes()
    assert api.post(text, to="/api/v1/batches/?table=orders", kind="text/csv").status == 422
    assert api.post(text, to="/api/v1/batches/?table=orders&times=wall", kind="text/csv").status == 422
    assert RejectedRecord.objects.filter(reading=reject.reading).get().times_seen == 2
    assert RejectedRecord.objects.count() == 2
