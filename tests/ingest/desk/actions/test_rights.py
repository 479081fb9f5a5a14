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


@pytest.fixture
def blind() -> Client:
    """The browser of one who may repair, and not view."""
    return browser(staff("eva", "olist.view_seller", "ingest.repair_rejectedrecord"))


@pytest.mark.parametrize("path", ["", "{pk}/change/", "{pk}/repair/"])
def test_without_the_right_to_view_there_is_no_desk(blind: Client, mine: RejectedRecord, path: str) -> None:
    assert blind.get(f"{LIST}{path.format(pk=mine.pk)}", secure=True).status_code == 403


@pytest.mark.usefixtures("mine")
def test_without_the_right_to_view_the_front_page_counts_no_rejects(blind: Client) -> None:
    assert "open rejects" not in page(blind, "")


@pytest.fixture
def eva() -> Client:
    """The browser of one who may view the rejects of sellers."""
    return browser(staff("eva", *VIEW))


@pytest.mark.usefixtures("mine")
@pytest.mark.parametrize(
    "query", ["", "?by=group", "?q=XX", "?q={0.natural_key}", "?batch={0.batch_id}", "?table=orders"]
)
def test_a_table_s_rejects_are_not_listed_for_those_who_may_not_see_its_rows(
    eva: Client, others: RejectedRecord, query: str
) -> None:
    html = page(eva, f"ingest/rejectedrecord/{query.format(others)}")
    assert f"/{others.pk}/change/" not in html
    assert "teleported" not in html
    assert "orders (1)" not in html


@pytest.mark.usefixtures("others")
def test_a_table_s_rejects_are_listed_for_those_who_may_see_its_rows(eva: Client, mine: RejectedRecord) -> None:
    assert f"/{mine.pk}/change/" in page(eva, "ingest/rejectedrecord/")


@pytest.mark.parametrize(("path", "statuses"), [("change", {404}), ("history", {302, 404})])
def test_a_reject_is_not_shown_to_those_who_may_not_see_its_table(
    eva: Client, others: RejectedRecord, path: str, statuses: set[int]
) -> None:
    assert eva.get(f"{LIST}{others.pk}/{path}/", secure=True).status_code in statuses


@pytest.mark.usefixtures("mine", "others")
def test_the_front_page_counts_the_rejects_of_tables_that_one_may_see(eva: Client) -> None:
    front = page(eva, "")
    assert "<strong>1</strong> open rejects" in front
    assert "orders" not in front


DEEDS = {
    "repair": ("{pk}/repair/", "replay_selected"),
    "replay": ("{pk}/replay/", "replay_selected"),
    "dismiss": ("{pk}/dismiss/", "dismiss_selected"),
    "export": ("", "export_selected"),
}
EVERY_DEED = pytest.mark.parametrize("deed", DEEDS)


def right_to(deed: str) -> str:
    return f"ingest.{'repair' if deed == 'replay' else deed}_rejectedrecord"


def all_but(deed: str) -> Client:
    """Return the browser of one who may do each deed but this."""
    rights = {right_to(other) for other in DEEDS} - {right_to(deed)}
    return browser(staff("eva", *VIEW, "olist.change_seller", *rights))


def chosen(reject: RejectedRecord, deed: str) -> dict[str, str]:
    """Fill in what asks for a deed, of one reject in a list or by its own button."""
    why = {"why": "a test"} if deed == "dismiss" else {}
    return {"action": DEEDS[deed][1], "_selected_action": str(reject.pk), **why}


@EVERY_DEED
@pytest.mark.parametrize("where", ["by itself", "in the list"])
def test_each_deed_needs_its_own_right(mine: RejectedRecord, deed: str, where: str) -> None:
    path = DEEDS[deed][0].format(pk=mine.pk) if where == "by itself" else ""
    assert post(all_but(deed), path, **chosen(mine, deed)) == 403
    mine.refresh_from_db()
    assert (mine.status, mine.attempts) == ("open", 0)


@EVERY_DEED
def test_a_deed_without_its_right_is_not_offered_in_the_list(mine: RejectedRecord, deed: str) -> None:
    html = page(all_but(deed), "ingest/rejectedrecord/")
    assert f"/{mine.pk}/change/" in html
    assert f'value="{DEEDS[deed][1]}"' not in html


@EVERY_DEED
def test_a_deed_without_its_right_is_not_offered_with_the_reject(mine: RejectedRecord, deed: str) -> None:
    html = page(all_but(deed), f"ingest/rejectedrecord/{mine.pk}/change/")
    assert f"/{mine.pk}/{deed}/" not in html


@EVERY_DEED
def test_a_deed_with_its_right_alone_is_done(mine: RejectedRecord, deed: str) -> None:
    able = browser(staff("udo", *VIEW, "olist.change_seller", right_to(deed)))
    assert post(able, "", **chosen(mine, deed)) in (200, 302)


@pytest.fixture
def unable() -> Client:
    """The browser of one who may repair, and not change the table."""
    return browser(staff("eva", *VIEW, "ingest.repair_rejectedrecord"))


def test_to_see_the_form_one_must_be_able_to_change_the_table(unable: Client, mine: RejectedRecord) -> None:
    assert unable.get(f"{LIST}{mine.pk}/repair/", secure=True).status_code == 403


def test_to_replay_one_must_be_able_to_change_the_table(unable: Client, mine: RejectedRecord) -> None:
    assert post(unable, f"{mine.pk}/replay/") == 403
    assert stored("sellers") == 0


def test_the_form_is_not_offered_to_those_who_may_not_change_the_table(unable: Client, mine: RejectedRecord) -> None:
    assert f"/{mine.pk}/repair/" not in page(unable, f"ingest/rejectedrecord/{mine.pk}/change/")


def test_what_one_may_not_change_is_left_out_of_many_and_that_is_said(unable: Client, mine: RejectedRecord) -> None:
    post(unable, "", action="replay_selected", _selected_action=str(mine.pk))
    assert "that you may not change" in page(unable, "ingest/rejectedrecord/")
    assert stored("sellers") == 0


def test_a_group_with_a_record_of_another_table_is_not_replayed_by_half() -> None:
    send(("sellers", {"seller_state": "XX"}), ("product_category_name_translation", {}), group="g")
    mine = RejectedRecord.objects.get(table="sellers")
    client = browser(staff("eva", *VIEW, "olist.change_seller", "ingest.repair_rejectedrecord"))
    assert post(client, f"{mine.pk}/replay/") == 403
    assert set(RejectedRecord.objects.values_list("attempts", flat=True)) == {0}
