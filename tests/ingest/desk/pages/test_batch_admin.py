"""Batches at the desk: the account, what was refused and why, files, causes and effects, filters."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from ingest.models import Account, Batch
from tests.support.access.people import browser
from tests.support.desk.admin_pages import page
from tests.support.desk.people import refused, send, staff
from tests.support.loading.loads import PLAIN, hex_id

pytestmark = pytest.mark.django_db


@pytest.fixture
def cause() -> Batch:
    """A batch of three refused sellers, which caused another batch."""
    batch = send(*[("sellers", {"seller_id": hex_id(number), "seller_state": "XX"}) for number in range(3)])
    Batch.objects.create(origin="replay", app_version="1", caused_by=batch)
    return batch


def test_a_batch_says_what_it_refused_and_why(ana: Client, cause: Batch) -> None:
    html = page(ana, f"ingest/batch/{cause.pk}/change/")
    assert f"?batch={cause.pk}&amp;table=sellers" in html
    assert "3 of sellers" in html
    assert "<b>seller_state</b> invalid_choice" in html


def test_a_replay_that_took_a_record_does_not_say_it_refused_it(ana: Client) -> None:
    reject = refused("sellers", seller_state="XX")
    ana.post(
        f"/admin/ingest/rejectedrecord/{reject.pk}/repair/",
        {"tries": "0", **{f"record-{name}": value for name, value in PLAIN["sellers"].items()}},
        secure=True,
    )
    reject.refresh_from_db()
    assert reject.status == "replayed"
    html = page(ana, f"ingest/batch/{reject.last_batch_id}/change/")
    assert '<th scope="row">sellers</th>' in html
    assert "1 of sellers" not in html


def test_a_batch_leads_to_what_it_caused(ana: Client, cause: Batch) -> None:
    effect = Batch.objects.get(caused_by=cause)
    assert f"/admin/ingest/batch/{effect.pk}/change/" in page(ana, f"ingest/batch/{cause.pk}/change/")


def test_a_batch_leads_to_its_cause(ana: Client, cause: Batch) -> None:
    effect = Batch.objects.get(caused_by=cause)
    assert f"/admin/ingest/batch/{cause.pk}/change/" in page(ana, f"ingest/batch/{effect.pk}/change/")


def test_a_load_names_its_files_with_their_hashes(ana: Client) -> None:
    batch = Batch.objects.create(origin="load", app_version="1")
    Account.objects.create(
        batch=batch, table="orders", status="accepted", file_name="o.csv", file_sha256="ab" * 32, file_bytes=1234
    )
    html = page(ana, f"ingest/batch/{batch.pk}/change/")
    assert f"o.csv, 1,234 bytes, SHA-256 <code>{'ab' * 32}</code>" in html


def test_who_may_not_see_rejects_sees_the_account_without_them() -> None:
    batch = send(("sellers", {"seller_state": "XX"}))
    html = page(browser(staff("eva", "ingest.view_batch", "olist.view_seller")), f"ingest/batch/{batch.pk}/change/")
    assert "1 of sellers" not in html
    assert '<th scope="row">sellers</th>' in html


@pytest.mark.parametrize("query", ["status__exact=failed", "origin__exact=load", "day={day}"])
def test_batches_are_filtered_by_status_origin_and_day(ana: Client, query: str) -> None:
    today = Batch.objects.create(origin="api", app_version="1")
    old = Batch.objects.create(origin="load", app_version="1")
    then = timezone.now() - timedelta(days=40)
    Batch.objects.filter(pk=old.pk).update(status="failed", started_at=then)
    html = page(ana, f"ingest/batch/?{query.format(day=timezone.localtime(then).date())}")
    assert str(old.pk) in html
    assert str(today.pk) not in html


@pytest.mark.parametrize("nonsense", ["nonsense", "9999-12-31", "0001-01-01"])
def test_on_a_day_that_is_none_there_are_no_batches(ana: Client, nonsense: str) -> None:
    Batch.objects.create(origin="api", app_version="1")
    assert "0 batches" in page(ana, f"ingest/batch/?day={nonsense}")


def test_a_batch_of_midnight_is_of_the_day_that_begins(ana: Client) -> None:
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    batch = Batch.objects.create(origin="api", status="accepted", app_version="1", started_at=midnight)
    today, yesterday = midnight.date(), midnight.date() - timedelta(days=1)
    assert str(batch.pk) in page(ana, f"ingest/batch/?day={today}")
    assert "0 batches" in page(ana, f"ingest/batch/?day={yesterday}")
