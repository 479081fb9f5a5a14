"""The list of rejects by when they were seen and by the batch that refused them, with counts of both."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from ingest.models import Batch, RejectedRecord
from tests.support.desk.admin_pages import page
from tests.support.desk.people import refused, send
from tests.support.desk.reject_list import LIST, choices, shown
from tests.support.loading.loads import hex_id

pytestmark = pytest.mark.django_db


@pytest.fixture
def of_yesterday() -> RejectedRecord:
    """A reject that was last seen yesterday."""
    reject = refused("sellers", seller_state="XX")
    RejectedRecord.objects.filter(pk=reject.pk).update(last_seen_at=timezone.now() - timedelta(days=1))
    return reject


@pytest.fixture
def of_today() -> RejectedRecord:
    """A reject that was last seen today."""
    return refused("orders", order_status="x")


@pytest.fixture
def yesterday() -> date:
    return timezone.localtime(timezone.now() - timedelta(days=1)).date()


@pytest.mark.usefixtures("of_today")
def test_a_day_finds_what_was_last_seen_on_it(ana: Client, of_yesterday: RejectedRecord, yesterday: date) -> None:
    assert shown(page(ana, f"{LIST}?day={yesterday}")) == {of_yesterday.pk}


@pytest.mark.usefixtures("of_yesterday")
def test_days_from_one_on_find_what_was_last_seen_in_them(
    ana: Client, of_today: RejectedRecord, yesterday: date
) -> None:
    assert shown(page(ana, f"{LIST}?day={yesterday + timedelta(days=1)}..")) == {of_today.pk}


@pytest.mark.usefixtures("of_yesterday")
def test_a_batch_finds_what_it_refused(ana: Client, of_today: RejectedRecord) -> None:
    assert shown(page(ana, f"{LIST}?batch={of_today.batch_id}")) == {of_today.pk}


@pytest.mark.usefixtures("of_yesterday")
def test_a_batch_is_named_by_its_way_and_its_moment(ana: Client, of_today: RejectedRecord) -> None:
    assert f"api, {timezone.localtime(of_today.batch.started_at):%d %b %H:%M} (1)" in choices(page(ana, LIST))


@dataclass(frozen=True)
class LongAgo:
    """A batch of five rejects of a day long ago, four of them sellers, and the batch of another seller of today."""

    batch: Batch
    other: RejectedRecord
    at: datetime

    @property
    def day(self) -> str:
        """How the list calls its day."""
        return f"{timezone.localtime(self.at):%a, %-d %b}"

    @property
    def named(self) -> str:
        """How the list calls the batch."""
        return f"api, {timezone.localtime(self.batch.started_at):%d %b %H:%M}"


@pytest.fixture
def long_ago() -> LongAgo:
    batch = send(
        *[("sellers", {"seller_id": hex_id(n), "seller_state": "XX"}) for n in range(4)], ("orders", {"order_id": "x"})
    )
    other = refused("sellers", seller_id=hex_id(9), seller_city="")
    at = timezone.localtime(timezone.now() - timedelta(days=40))
    RejectedRecord.objects.filter(batch=batch).update(last_seen_at=at, first_seen_at=at)
    return LongAgo(batch, other, at)


def test_days_and_batches_have_counts(ana: Client, long_ago: LongAgo) -> None:
    assert {f"{long_ago.day} (5)", f"{long_ago.named} (5)", f"{long_ago.named} (1)"} <= choices(page(ana, LIST))


def test_batches_have_counts_with_the_other_filters_applied(ana: Client, long_ago: LongAgo) -> None:
    narrow = page(ana, f"{LIST}?table=sellers&code=invalid_choice&q=XX&batch={long_ago.other.batch_id}")
    assert f"{long_ago.named} (4)" in choices(narrow)


def test_days_have_counts_with_the_other_filters_applied(ana: Client, long_ago: LongAgo) -> None:
    assert f"{long_ago.day} (4)" in choices(page(ana, f"{LIST}?table=sellers&code=invalid_choice"))


def test_a_batch_with_more_rejects_than_are_looked_at_is_estimated(
    ana: Client, monkeypatch: pytest.MonkeyPatch, long_ago: LongAgo
) -> None:
    monkeypatch.setattr("ingest.desk.search.batches.LOOKED_AT", 2)
    assert f"{long_ago.named} (about 5)" in choices(page(ana, LIST))


def test_open_records_are_found_by_when_they_were_first_seen(ana: Client) -> None:
    old, again = refused("sellers", seller_state="XX"), refused("orders", order_status="x")
    then = timezone.now() - timedelta(days=40)
    RejectedRecord.objects.update(first_seen_at=then)
    RejectedRecord.objects.filter(pk=old.pk).update(last_seen_at=then)
    refused("customers", customer_state="Rio")
    last = (timezone.localdate() - timedelta(days=31)).isoformat()
    assert f"first=..{last}" in page(ana, "").replace("%3D", "=")
    html = page(ana, f"{LIST}?status=open&first=..{last}")
    assert shown(html) == {old.pk, again.pk}
    assert f"Open records first seen … to {last}." in html
