"""``make screenshots``: the desk's pages in light and dark, wide and narrow, on a fortnight of made-up work."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from ingest.desk.bulk.jobs import do_at_once
from ingest.models import Batch, BulkJob, RejectedRecord
from olist.sample import write_sample
from tests.support.desk.people import refused, send, staff
from tests.support.desk.site import Site
from tests.support.loading.loads import PROJECT, hex_id, load

FOLDER = PROJECT / "var" / "screenshots"
WIDTHS = (1440, 800)
LIST = "ingest/rejectedrecord/"


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_screenshots(chromium: Any, live_server: Any, settings: Any, tmp_path: Path, scheme: str, width: int) -> None:
    settings.SECURE_SSL_REDIRECT = settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = False
    fortnight(staff("ana", superuser=True), tmp_path)
    FOLDER.mkdir(parents=True, exist_ok=True)
    look = {"color_scheme": scheme, "viewport": {"width": width, "height": 900}}
    with Site.opened(chromium, live_server.url, **look) as site:
        site.log_in("ana")
        for name, path in pages().items():
            assert site.go(path) == 200
            whole = name not in ("list", "list-filtered", "groups")  # a hundred lines say no more than the first twenty
            site.page.screenshot(path=str(FOLDER / f"{name}-{scheme}-{width}.png"), full_page=whole)
        site.go(f"{LIST}{wrong().pk}/repair/")
        site.page.fill("[name=record-seller_zip_code_prefix]", "")
        site.page.click("text=Save and replay")
        site.see("It was refused again")
        site.page.screenshot(path=str(FOLDER / f"form-wrong-{scheme}-{width}.png"), full_page=True)
        for name in recipe(site):
            site.page.screenshot(path=str(FOLDER / f"{name}-{scheme}-{width}.png"), full_page=True)


def recipe(site: Site) -> Iterator[str]:
    """Go from the list to a recipe that was applied, by way of a job at work; name what is on the page."""
    page = site.page
    site.go(f"{LIST}?status=open&table=orders")
    page.click("#action-toggle")
    page.click(".actions .question a")
    yield "list-selected"
    page.select_option("select[name=action]", "repair_selected")
    page.click("text=Run")
    page.select_option("#field", "order_status")
    page.click("text=Choose")
    page.check("[name=how][value=map]")
    page.fill("[name=pairs]", "sent => shipped\nposted => delivered")
    yield "recipe"
    page.click("text=Preview")
    site.see("would pass")
    yield "preview"
    job = BulkJob.objects.latest("pk")
    BulkJob.objects.filter(pk=job.pk).update(status="running", done=job.passed + job.failed, touched_at=timezone.now())
    site.go(f"ingest/bulkjob/{job.pk}/change/")
    yield "progress"
    BulkJob.objects.filter(pk=job.pk).update(status="done", done=job.done)
    site.go(f"ingest/bulkjob/{job.pk}/change/")
    page.click("text=Apply the recipe")
    site.see("are in")
    yield "applied"
    site.go("ingest/bulkjob/")
    yield "jobs"


def wrong() -> RejectedRecord:
    return RejectedRecord.objects.get(table="sellers", natural_key=hex_id(0xABC))


def pages() -> dict[str, str]:
    orphan = RejectedRecord.objects.filter(table="orders", codes=["does_not_exist"], status="open").latest("pk")
    load_batch = Batch.objects.filter(origin="load").latest("started_at")
    return {
        "dashboard": "",
        "list": LIST,
        "list-filtered": f"{LIST}?status=open&table=orders",
        "groups": f"{LIST}?by=group&status=open",
        "detail": f"{LIST}{wrong().pk}/change/",
        "detail-orphan": f"{LIST}{orphan.pk}/change/",
        "form": f"{LIST}{wrong().pk}/repair/",
        "batches": "ingest/batch/",
        "batch": f"ingest/batch/{load_batch.pk}/change/",
    }


def fortnight(ana: User, folder: Path) -> None:
    """Load a dirty sample, have clients post good and bad records on several days, replay some."""
    write_sample(folder, scale=0.01, seed=7, dirty=0.01)
    for days in (13, 10, 7, 3, 1):
        load(folder, "--max-rejects", "50%")
        _move_back(days, hours=7)
    for days in (12, 11, 9, 8, 6, 5, 4, 2, 0):
        good = [("customers", {"customer_id": hex_id(days * 1000 + n)}) for n in range((days * 7 % 31 + 4) * 40)]
        bad = [
            ("orders", {"order_id": hex_id(days * 1000 + n), "order_status": "sent"})
            for n in range((days * 5 % 11) * 12)
        ]
        send(*good, *bad)
        _move_back(days, hours=days % 5)
    send(*[("orders", {"order_id": hex_id(90_000 + n), "customer_id": hex_id(80_000)}) for n in range(9)])
    refused("customers", customer_id=hex_id(80_000), customer_state="Rio", customer_zip_code_prefix="1037")
    some = RejectedRecord.objects.filter(table="orders", codes=["invalid_choice"]).values_list("pk", flat=True)[:5]
    do_at_once("replay", user=ana, numbers=list(some))
    changes = {"seller_state": "XX", "seller_zip_code_prefix": "1037", "seller_city": " São Paulo ", "phone": "11 5555"}
    refused("sellers", seller_id=hex_id(0xABC).upper(), **changes)


def _move_back(days: int, *, hours: int) -> None:
    """Move what was done in the last minute into the past."""
    with connection.cursor() as cursor:
        back, since = timedelta(days=days, hours=hours), timezone.now() - timedelta(minutes=5)
        facts: dict[str, Any] = {"back": back, "since": since}
        for table, columns in (
            ("ingest_batch", ("started_at", "finished_at")),
            ("ingest_rejectedrecord", ("last_seen_at", "first_seen_at")),
        ):
            moved = ", ".join(f"{column} = {column} - %(back)s" for column in columns)
            cursor.execute(f"update {table} set {moved} where {columns[0]} > %(since)s", facts)
