"""What the desk does not tell of tables that one may not view."""

from unittest import mock

import pytest
from django.test import Client

from ingest.desk.search import listing
from ingest.models import Batch, BulkJob, RejectedRecord
from tests.support.access.people import browser
from tests.support.api.parcels import stored
from tests.support.desk.admin_pages import page
from tests.support.desk.people import DESK, refused, send, staff
from tests.support.loading.loads import PLAIN, hex_id

pytestmark = pytest.mark.django_db
REJECTS = "ingest/rejectedrecord/"


@pytest.fixture
def eva() -> Client:
    """The browser of one who may do everything at the desk, with sellers and orders alone."""
    rights = [f"olist.{verb}_{model}" for verb in ("view", "change") for model in ("seller", "order")]
    return browser(staff("eva", *DESK, "ingest.view_batch", *rights))


@pytest.fixture
def mixed() -> Batch:
    """A batch of a refused seller and a refused customer."""
    return send(("sellers", {"seller_state": "XX"}), ("customers", {"customer_state": "XX"}))


@pytest.mark.parametrize("path", ["", "ingest/batch/"])
def test_a_batch_with_a_table_that_one_may_not_view_is_in_no_list(eva: Client, mixed: Batch, path: str) -> None:
    seen = send(("sellers", {"seller_state": "YY"}))
    html = page(eva, path)
    assert f"/admin/ingest/batch/{seen.pk}/change/" in html
    assert f"/admin/ingest/batch/{mixed.pk}/change/" not in html


def test_a_reject_does_not_lead_to_a_batch_that_one_may_not_view(eva: Client, mixed: Batch) -> None:
    reject = RejectedRecord.objects.get(table="sellers")
    assert f"/admin/ingest/batch/{mixed.pk}/" not in page(eva, f"{REJECTS}{reject.pk}/change/")


def test_whether_a_parent_has_come_is_told_to_those_who_may_view_its_table(eva: Client, ana: Client) -> None:
    orphan = refused("orders")
    send(("customers", {}))
    told = {who: page(who, f"{REJECTS}{orphan.pk}/change/") for who in (ana, eva)}
    assert "It has come by now" in told[ana]
    assert "It has come by now" not in told[eva]
    assert "You may not view this table" in told[eva]


@pytest.mark.parametrize("query", ["?q=XX", "?batch={batch}"])
def test_that_many_rejects_of_other_tables_are_found_is_not_told(eva: Client, query: str) -> None:
    customers = [("customers", {"customer_id": hex_id(number), "customer_state": "XX"}) for number in range(5)]
    batch = send(("sellers", {"seller_state": "XX"}), *customers)
    with mock.patch.object(listing, "REACH_ROWS", 2):
        html = page(eva, f"{REJECTS}{query.format(batch=batch.pk)}")
    assert "1 rejected record" in html
    assert "over 1" not in html


def test_the_number_of_a_hidden_reject_finds_none_that_wait_for_it(eva: Client) -> None:
    send(("customers", {"customer_state": "XX"}), ("orders", {}))
    customer, order = (RejectedRecord.objects.get(table=table) for table in ("customers", "orders"))
    assert order.parent_id == customer.pk
    assert f"/{order.pk}/change/" in page(eva, f"{REJECTS}?q={order.pk}")
    assert f"/{order.pk}/change/" not in page(eva, f"{REJECTS}?q={customer.pk}")


def test_a_group_with_a_record_that_one_may_not_view_is_replayed_by_neither_page_nor_job(eva: Client) -> None:
    send(("sellers", {"seller_state": "XX"}), ("customers", {}), group="g")
    mine = RejectedRecord.objects.get(table="sellers")
    assert eva.post(f"/admin/{REJECTS}{mine.pk}/replay/", secure=True).status_code == 403
    eva.post(f"/admin/{REJECTS}", {"action": "replay_selected", "_selected_action": str(mine.pk)}, secure=True)
    assert "Left out 1" in page(eva, REJECTS)
    assert set(RejectedRecord.objects.values_list("attempts", flat=True)) == {0}


def test_a_job_tells_no_reasons_of_a_table_that_its_owner_may_not_view_any_more(eva: Client) -> None:
    reject = refused("customers", customer_state="XX")
    user = eva.get("/admin/", secure=True).context["user"]
    reasons = [["customer_state", "invalid_choice", "It is no state.", 1, [[reject.pk, "XX"]]]]
    job = BulkJob.objects.create(
        action="replay", status="done", user=user, numbers=[reject.pk], total=1, done=1, failed=1, reasons=reasons
    )
    assert "It is no state." not in page(eva, f"ingest/bulkjob/{job.pk}/change/")


def test_whoever_may_change_a_table_and_not_view_it_is_shown_no_rows() -> None:
    send(("sellers", PLAIN["sellers"]))
    assert stored("sellers") == 1
    writer = browser(staff("udo", "olist.change_seller"))
    assert writer.get("/admin/olist/seller/", secure=True).status_code == 403


def test_a_row_names_its_parent_by_the_key_alone(eva: Client) -> None:
    send(("customers", {}), ("orders", {}))
    with mock.patch("olist.models.Customer.__str__", return_value="the customer's name"):
        html = page(eva, f"olist/order/{PLAIN['orders']['order_id']}/change/")
    assert PLAIN["orders"]["customer_id"] in html
    assert "the customer's name" not in html


def test_what_goes_with_a_user_is_counted_and_not_named() -> None:
    reject = refused("sellers", seller_state="XX")
    udo = staff("udo", *DESK, "olist.view_seller")
    browser(udo).post(f"/admin/{REJECTS}{reject.pk}/dismiss/", {"why": "a test"}, secure=True)
    udo.user_permissions.clear()
    manager = browser(staff("max", "auth.view_user", "auth.change_user", "auth.delete_user"))
    html = page(manager, f"auth/user/{udo.pk}/delete/")
    assert "log entries: 1" in html.lower()
    assert reject.natural_key not in html
