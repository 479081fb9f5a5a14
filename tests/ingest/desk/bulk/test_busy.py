"""Many are replayed or dismissed while others are at work on some: these are left, the rest is done and said."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from core.postgres.locks.held_locks import exclusive
from core.postgres.retry import in_transaction
from ingest.desk.actions import replay
from ingest.desk.bulk import jobs
from ingest.models import RejectedRecord
from olist.models import Customer
from tests.support.access.people import browser
from tests.support.api.parcels import stored
from tests.support.desk.admin_pages import page
from tests.support.desk.people import refused, send, staff
from tests.support.loading.loads import PLAIN, hex_id

LIST = "/admin/ingest/rejectedrecord/"
BUSY = "at work elsewhere at this moment; try again."


@pytest.fixture
def ana(committed: None) -> Client:
    return browser(staff("ana", superuser=True))


def run(client: Client, action: str, *rejects: RejectedRecord, **data: str) -> Any:
    """Tick the boxes of some records, and run an action on them."""
    chosen = [str(reject.pk) for reject in rejects]
    return client.post(LIST, {"action": action, "_selected_action": chosen, **data}, secure=True)


@contextmanager
def locked(reject: RejectedRecord) -> Iterator[None]:
    """Have another session hold a reject, as somebody who replays it does."""
    other = connection.copy()
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute("select from ingest_rejectedrecord where id = %s for update", [reject.pk])
            yield
    finally:
        other.close()


def test_a_group_of_which_others_hold_a_record_is_left_and_the_rest_is_replayed(ana: Client) -> None:
    single = refused("orders")
    for number in (7, 8):
        send(
            ("order_payments", {"order_id": hex_id(number)}),
            ("order_payments", {"order_id": hex_id(number), "payment_sequential": "2"}),
            group=f"group {number}",
        )
    first, other_of_first, second, other_of_second = RejectedRecord.objects.exclude(group="").order_by("pk")
    Customer.objects.create(**PLAIN["customers"])
    with locked(other_of_first):
        run(ana, "replay_selected", single, first, second, other_of_second)
    html = page(ana, "ingest/rejectedrecord/")
    assert "Replayed 3: 1 are in, 2 were refused again." in html
    assert f"Left out 1: {BUSY}" in html
    assert stored("orders") == 1
    first.refresh_from_db()
    assert (first.status, first.attempts) == ("open", 0)


def test_records_of_a_table_that_a_load_holds_are_left_and_the_rest_is_replayed(ana: Client) -> None:
    order = refused("orders")
    bad = refused("sellers", seller_state="XX")
    send(("sellers", {"seller_id": hex_id(7), "seller_state": "YY"}), ("orders", {"order_id": hex_id(7)}), group="g")
    group = RejectedRecord.objects.filter(group="g")
    Customer.objects.create(**PLAIN["customers"])
    other = connection.copy()
    try:
        with exclusive(other, ["olist_sellers"], what="a load", timeout_seconds=1):
            run(ana, "replay_selected", order, bad, *group)
    finally:
        other.close()
    html = page(ana, "ingest/rejectedrecord/")
    assert "Replayed 1: 1 are in, 0 were refused again." in html
    assert f"Left out 3: {BUSY}" in html
    assert stored("orders") == 1
    assert set(RejectedRecord.objects.exclude(pk=order.pk).values_list("status", "attempts")) == {("open", 0)}


def test_a_dismissal_that_others_hold_up_says_so_and_can_be_gone_on_with(
    ana: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay, "in_transaction", partial(in_transaction, lock_timeout_seconds=0.1))
    reject = refused("sellers", seller_state="XX")
    with locked(reject):
        path = run(ana, "dismiss_selected", reject, why="a test client").headers["Location"]
    html = page(ana, path.removeprefix("/admin/"))
    assert "It could not go on: Somebody else is at work on the same records." in html
    assert RejectedRecord.objects.get().status == "open"
    (seen,) = re.findall(r'name="seen" value="([^"]*)"', html)
    answer = ana.post(path, {"seen": seen, "deed": "go_on"}, secure=True, follow=True)
    assert "<strong>1</strong> dismissed" in answer.content.decode()
    assert RejectedRecord.objects.get().closed_why == "a test client"


def test_a_job_that_is_driven_at_its_page_leaves_none_alone_but_can_be_gone_on_with(ana: Client) -> None:
    reject = refused("orders")
    Customer.objects.create(**PLAIN["customers"])
    job = jobs.draft("replay", user=User.objects.get(), asked={}, numbers=[reject.pk])
    jobs.carry_out(job)
    other = connection.copy()
    try:
        with exclusive(other, ["olist_orders"], what="a load", timeout_seconds=1):
            jobs.hand_over(job, small=True)
    finally:
        other.close()
    job.refresh_from_db()
    assert (job.status, job.done, job.left) == ("failed", 0, {})
    assert "olist_orders: held by" in job.error
    jobs.go_on(job)
    jobs.hand_over(job, small=True)
    job.refresh_from_db()
    assert (job.status, job.passed, job.left) == ("done", 1, {})
