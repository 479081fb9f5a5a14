"""Rights at the desk: a permission for each deed, and each table's own rights beside it."""

from typing import Any

import pytest
from django.test import Client

from ingest.models import RejectedRecord
from tests.support.access.people import browser
from tests.support.api.parcels import stored
from tests.support.desk.admin_pages import page
from tests.support.desk.people import refused, send, staff

pytestmark = pytest.mark.django_db
LIST = "/admin/ingest/rejectedrecord/"
VIEW = ("ingest.view_rejectedrecord", "olist.view_seller")


@pytest.fixture
def mine() -> RejectedRecord:
    return refused("sellers", seller_state="XX")


@pytest.fixture
def others() -> RejectedRecord:
    return refused("orders", order_status="teleported")


def post(client: Client, path: str, **data: Any) -> int:
    return int(client.post(f"{LIST}{path}", data, secure=True).status_code)


def test_without_the_right_to_view_there_is_no_desk(mine: RejectedRecord) -> None:
    client = browser(staff("eva", "olist.view_seller", "ingest.repair_rejectedrecord"))
    for path in ("", f"{mine.pk}/change/", f"{mine.pk}/repair/"):
        assert client.get(f"{LIST}{path}", secure=True).status_code == 403
    assert "open rejects" not in page(client, "")


def test_a_table_s_rejects_are_seen_by_those_who_may_see_its_rows(mine: RejectedRecord, others: RejectedRecord) -> None:
    client = browser(staff("eva", *VIEW))
    for query in ("", "?by=group", "?q=XX", f"?q={others.natural_key}", f"?batch={others.batch_id}", "?table=orders"):
        html = page(client, f"ingest/rejectedrecord/{query}")
        assert f"/{others.pk}/change/" not in html
        assert "teleported" not in html
        assert "orders (1)" not in html
    assert f"/{mine.pk}/change/" in page(client, "ingest/rejectedrecord/")
    assert client.get(f"{LIST}{others.pk}/change/", secure=True).status_code == 404
    assert client.get(f"{LIST}{others.pk}/history/", secure=True).status_code in (302, 404)
    front = page(client, "")
    assert "<strong>1</strong> open rejects" in front
    assert "orders" not in front


@pytest.mark.parametrize(
    ("deed", "path", "action", "data"),
    [
        ("repair", "{pk}/repair/", "replay_selected", {}),
        ("repair", "{pk}/replay/", "replay_selected", {}),
        ("dismiss", "{pk}/dismiss/", "dismiss_selected", {"why": "a test"}),
        ("export", "", "export_csv", {}),
    ],
)
def test_each_deed_needs_its_own_right(
    mine: RejectedRecord, deed: str, path: str, action: str, data: dict[str, str]
) -> None:
    every = {"repair", "dismiss", "export"}
    rights = [f"ingest.{other}_rejectedrecord" for other in every - {deed}]
    client = browser(staff("eva", *VIEW, "olist.change_seller", *rights))
    chosen = {"action": action, "_selected_action": str(mine.pk), **data}
    assert post(client, path.format(pk=mine.pk), **chosen) == 403
    assert post(client, "", **chosen) == 403
    assert f'value="{action}"' not in page(client, "ingest/rejectedrecord/")
    html = page(client, f"ingest/rejectedrecord/{mine.pk}/change/")
    assert (f"/{mine.pk}/{deed}/" in html) is False
    mine.refresh_from_db()
    assert (mine.status, mine.attempts) == ("open", 0)
    able = browser(staff("udo", *VIEW, "olist.change_seller", f"ingest.{deed}_rejectedrecord"))
    assert post(able, "", **chosen) in (200, 302)


def test_to_replay_one_must_be_able_to_change_the_table(mine: RejectedRecord) -> None:
    client = browser(staff("eva", *VIEW, "ingest.repair_rejectedrecord"))
    assert client.get(f"{LIST}{mine.pk}/repair/", secure=True).status_code == 403
    assert post(client, f"{mine.pk}/replay/") == 403
    assert f"/{mine.pk}/repair/" not in page(client, f"ingest/rejectedrecord/{mine.pk}/change/")
    post(client, "", action="replay_selected", _selected_action=str(mine.pk))
    assert "that you may not change" in page(client, "ingest/rejectedrecord/")
    assert stored("sellers") == 0


def test_a_group_with_a_record_of_another_table_is_not_replayed_by_half() -> None:
    send(("sellers", {"seller_state": "XX"}), ("product_category_name_translation", {}), group="g")
    mine = RejectedRecord.objects.get(table="sellers")
    client = browser(staff("eva", *VIEW, "olist.change_seller", "ingest.repair_rejectedrecord"))
    assert post(client, f"{mine.pk}/replay/") == 403
    assert set(RejectedRecord.objects.values_list("attempts", flat=True)) == {0}
