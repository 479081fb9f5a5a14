"""Batches and rejects in the admin: the account as a table, every reason, raw bytes of any kind, at any number."""

import hashlib
import unicodedata
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from core.postgres.locks.held_locks import exclusive
from ingest.accounts.load_batches import load_name
from ingest.models import Account, Batch, RejectedRecord
from ingest.table_admin.values import SHOWN_BYTES, bytes_as_text
from tests.support.desk.admin_pages import cost, page, signed_in
from tests.support.rejects.store import store_reject

pytestmark = pytest.mark.django_db


@pytest.fixture
def superuser() -> Client:
    return signed_in(superuser=True)


@pytest.fixture
def batch() -> Batch:
    batch = Batch.objects.create(origin="load", status="partial", source="/data/olist.zip", app_version="1")
    for number, table in enumerate(("orders", "order_items"), start=1):
        Account.objects.create(
            batch=batch,
            table=table,
            status="partial",
            read=1_000_163 * number,
            inserted=1_000_160 * number,
            rejected=3 * number,
            repaired={"trim": 1_234, "leading_zero": 5},
            contract_version="c",
            seconds=1234.567,
        )
    return batch


def a_reason(code: str = "invalid_choice", **facts: Any) -> dict[str, Any]:
    message = "Choose one of: delivered, shipped."
    return {"field": "order_status", "code": code, "message": message, "value": "teleported"} | facts


def reject(batch: Batch, **facts: Any) -> RejectedRecord:
    """Store a rejected order."""
    now = timezone.now()
    plain: dict[str, Any] = {
        "table": "orders",
        "raw": b"abc,teleported",
        "record": {"order_id": "abc", "order_status": "teleported"},
        "natural_key": "abc",
        "reasons": [a_reason()],
        "codes": ["invalid_choice"],
        "fields": ["order_status"],
        "file_name": "orders.csv",
        "position": 7,
        "line": 9,
        "first_seen_at": now - timedelta(days=3, hours=2),
        "last_seen_at": now,
    }
    return store_reject(batch, contract_version="c", app_version="1", **plain | facts)


def detail(client: Client, rejected: RejectedRecord) -> str:
    return page(client, f"ingest/rejectedrecord/{rejected.pk}/change/")


def test_who_may_view_batches_and_the_tables_of_one_sees_its_accounts(batch: Batch) -> None:
    client = signed_in(may_view=("ingest.batch", "olist.order", "olist.orderitem"))
    assert str(batch.pk) in page(client, "ingest/batch/")
    html = page(client, f"ingest/batch/{batch.pk}/change/")
    for shown in ("1,000,163", "2,000,320", "leading_zero 5, trim 1,234", "1,234.57", "order_items"):
        assert shown in html
    page(client, "ingest/rejectedrecord/", status=403)


def test_the_list_of_batches_shows_totals_with_the_same_few_queries_for_any_number(
    superuser: Client, batch: Batch
) -> None:
    one = cost(superuser, "ingest/batch/", table="ingest_batch")
    assert "3,000,489" in page(superuser, "ingest/batch/")
    Batch.objects.bulk_create(Batch(origin="api", app_version="1") for _ in range(150))
    # One of them looks for loads whose process was killed.
    assert len(cost(superuser, "ingest/batch/", table="ingest_batch").queries) == len(one.queries) == 6


def test_a_batch_that_still_runs_has_no_duration(superuser: Client) -> None:
    batch = Batch.objects.create(origin="load", app_version="1")
    with exclusive(connection, [load_name(batch.pk)], what="load", timeout_seconds=1):
        assert '<td class="field-seconds">-</td>' in page(superuser, "ingest/batch/")


@pytest.mark.parametrize("model", ["batch", "rejectedrecord"])
def test_nobody_adds_changes_or_deletes(superuser: Client, batch: Batch, model: str) -> None:
    key = batch.pk if model == "batch" else reject(batch).pk
    for path in ("add/", "", f"{key}/change/", f"{key}/delete/"):
        answer = superuser.post(f"/admin/ingest/{model}/{path}", {"action": "delete_selected"}, secure=True)
        assert answer.status_code == 403, path
    assert Batch.objects.count() == 1
    assert RejectedRecord.objects.count() == (model == "rejectedrecord")


def test_the_list_of_rejects_says_why_where_and_how_old(superuser: Client, batch: Batch) -> None:
    reject(batch, reasons=[a_reason(), *[a_reason("check", constraint="after_purchase")] * 4], times_seen=12)
    html = page(superuser, "ingest/rejectedrecord/")
    for shown in ("<b>order_status</b> invalid_choice", "<b>order_status</b> after_purchase", "and 2 more"):
        assert shown in html
    for shown in ("Choose one of", "orders.csv, line 9", ">12<", "3\xa0days", ">abc<", ">open<"):
        assert shown in html


def test_a_reject_of_a_request_says_which_record_it_was(superuser: Client, batch: Batch) -> None:
    reject(batch, file_name="", line=None, position=0)
    assert ">request, record 0<" in page(superuser, "ingest/rejectedrecord/")


def test_a_long_key_and_value_are_cut_in_the_list_and_whole_on_their_page(superuser: Client, batch: Batch) -> None:
    long = "x" * 500
    rejected = reject(batch, natural_key=long, reasons=[a_reason(value=long)])
    assert "x" * 100 not in page(superuser, "ingest/rejectedrecord/")
    assert detail(superuser, rejected).count(long) >= 2


def test_a_reject_shows_all_its_reasons_its_record_and_its_raw_bytes(superuser: Client, batch: Batch) -> None:
    rejected = reject(batch, reasons=[a_reason(value=str(number)) for number in range(6)])
    html = detail(superuser, rejected)
    assert all(f"Got: <code>{number}</code>" in html for number in range(6))
    assert '<code class="forge-value">teleported</code>' in html
    assert "abc,teleported</pre>" in html
    assert hashlib.sha256(b"abc,teleported").hexdigest() in html


def test_a_reject_that_is_no_utf_8_or_has_control_characters_can_be_read(superuser: Client, batch: Batch) -> None:
    rejected = reject(batch, raw=b"caf\xe9 \x00\x1b\xe2\x80\xae<script>\r\nend", record=None, natural_key="")
    html = detail(superuser, rejected)
    assert "caf\\xe9 ␀␛\\u202e&lt;script&gt;\nend" in html
    assert "<script>\n" not in html


def test_markup_in_a_reject_stays_text(superuser: Client, batch: Batch) -> None:
    evil = "<script>alert(1)</script>"
    rejected = reject(
        batch, natural_key=evil, record={evil: evil}, raw=evil.encode(), reasons=[a_reason(value=evil, field=evil)]
    )
    for html in (page(superuser, "ingest/rejectedrecord/"), detail(superuser, rejected)):
        assert evil not in html
        assert "&lt;script&gt;alert(1)" in html


def test_a_huge_raw_record_is_cut(superuser: Client, batch: Batch) -> None:
    html = detail(superuser, reject(batch, raw=b"x" * (SHOWN_BYTES + 1_234)))
    assert "[1,234 more bytes]" in html


@given(st.binary(max_size=200))
def test_any_bytes_become_text_that_a_page_can_hold(data: bytes) -> None:
    controls = [character for character in bytes_as_text(data) if unicodedata.category(character) in ("Cc", "Cs")]
    assert set(controls) <= {"\t", "\n"}


@given(st.text(st.characters(categories=("L", "N", "P", "Zs")), max_size=50))
def test_readable_text_is_shown_as_it_is(text: str) -> None:
    assert bytes_as_text(text.encode()) == text


@pytest.mark.parametrize("term", ["abc", "batch", "id"])
def test_a_reject_is_found_by_its_natural_key_its_batch_and_its_number(
    superuser: Client, batch: Batch, term: str
) -> None:
    rejected, other = reject(batch), reject(batch, raw=b"other", natural_key="other", record=None)
    html = page(superuser, f"ingest/rejectedrecord/?q={ {'batch': batch.pk, 'id': rejected.pk}.get(term, term) }")
    assert f"rejectedrecord/{rejected.pk}/change" in html
    assert (f"rejectedrecord/{other.pk}/change" in html) == (term == "batch")


def test_filters_keep_a_status_and_a_table(superuser: Client, batch: Batch) -> None:
    reject(batch)
    assert "1 rejected record\n" in page(superuser, "ingest/rejectedrecord/?status=open&table=orders")
    for query in ("status=dismissed", "table=order_items", "table=nonsense"):
        assert "0 rejected records" in page(superuser, f"ingest/rejectedrecord/?{query}")
    page(superuser, "ingest/rejectedrecord/?natural_key__contains=a", status=400)
    page(superuser, "ingest/rejectedrecord/?table=a%00", status=400)
