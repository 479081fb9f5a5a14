"""The page of one reject: everything that helps to understand it."""

from typing import Any

import pytest
from django.test import Client

from ingest.desk.pages.reject_lines import lines_of
from ingest.models import RejectedRecord
from ingest.rules.sources import find_source
from tests.support.desk.admin_pages import page
from tests.support.desk.people import refused, send
from tests.support.loading.loads import MOMENT, hex_id

pytestmark = pytest.mark.django_db
LIST = "ingest/rejectedrecord/"
EVIL = "<script>alert(1)</script>"


def lines(reject: RejectedRecord) -> dict[str, Any]:
    source = find_source(reject.table)
    assert source
    return {line.name: line for line in lines_of(reject, source)}


def test_a_line_for_every_field_says_what_came_what_was_made_of_it_and_what_is_wrong() -> None:
    found = lines(
        refused("sellers", seller_id=hex_id(0xABC).upper(), seller_zip_code_prefix=1037, seller_state="XX", phone="11")
    )
    assert list(found) == ["seller_id", "seller_zip_code_prefix", "seller_city", "seller_state", "phone"]
    assert (found["seller_id"].normal, found["seller_id"].repairs) == (hex_id(0xABC), ("lower",))
    assert (found["seller_zip_code_prefix"].came, found["seller_zip_code_prefix"].normal) == ("1037", "01037")
    assert found["seller_city"].normal is None
    assert [line.name for line in found.values() if line.wrong] == ["seller_state", "phone"]
    assert found["seller_state"].reasons[0]["code"] == "invalid_choice"
    assert "Choose one of: SP, RJ" in found["seller_state"].rule
    assert not found["phone"].known


def test_all_fields_of_a_broken_rule_between_them_are_marked() -> None:
    found = lines(refused("orders", order_approved_at="2017-01-01 00:00:00"))
    marked = [line.name for line in found.values() if line.wrong]
    assert "order_purchase_timestamp" in marked
    assert "order_approved_at" in marked
    assert "order_status" not in marked


@pytest.mark.parametrize("value", ["true", '{"a": ["x"]}', "null"])
def test_what_was_no_text_is_shown_as_it_came(ana: Client, value: str) -> None:
    send(("sellers", f'{{"seller_id": "{hex_id(1)}", "seller_state": {value}, "seller_city": 1}}'))
    reject = RejectedRecord.objects.get()
    found = lines(reject)
    assert found["seller_state"].came == (None if value == "null" else value)
    assert found["seller_city"].came == "1"
    assert (found["seller_zip_code_prefix"].came, found["seller_zip_code_prefix"].absent) == (None, True)
    assert "not sent" in page(ana, f"{LIST}{reject.pk}/change/")


@pytest.fixture
def orphan() -> str:
    """The path of an order whose customer is missing."""
    return f"{LIST}{refused('orders', customer_id=hex_id(5)).pk}/change/"


def test_a_parent_that_is_nowhere_is_said_to_be_missing(ana: Client, orphan: str) -> None:
    assert "There is no such record yet." in page(ana, orphan)


def test_a_missing_parent_is_looked_for_among_rejects(ana: Client, orphan: str) -> None:
    parent = refused("customers", customer_id=hex_id(5), customer_state="XX")
    assert f"/{parent.pk}/change/" in page(ana, orphan)


def test_a_missing_parent_is_looked_for_among_rows(ana: Client, orphan: str) -> None:
    refused("customers", customer_id=hex_id(5), customer_state="XX")
    send(("customers", {"customer_id": hex_id(5)}))
    html = page(ana, orphan)
    assert "It has come by now" in html
    assert f"/admin/olist/customer/{hex_id(5)}/change/" in html


@pytest.fixture
def parent() -> RejectedRecord:
    """A refused customer, with an order that was refused for its sake."""
    send(("customers", {"customer_state": "XX"}), ("orders", {}))
    return RejectedRecord.objects.get(table="customers")


def test_its_kin_are_a_click_away_from_a_child(ana: Client, parent: RejectedRecord) -> None:
    child = RejectedRecord.objects.get(table="orders")
    assert child.parent_id == parent.pk
    html = page(ana, f"{LIST}{child.pk}/change/")
    for link in (f"?group={child.fingerprint}", f"?batch={child.batch_id}", f"/batch/{child.batch_id}/change/"):
        assert link in html
    assert f"/{parent.pk}/change/" in html


def test_its_child_is_a_click_away_from_a_parent(ana: Client, parent: RejectedRecord) -> None:
    child = RejectedRecord.objects.get(table="orders")
    assert f"/{child.pk}/change/" in page(ana, f"{LIST}{parent.pk}/change/")


def test_the_records_of_a_group_are_named(ana: Client) -> None:
    send(("sellers", {"seller_state": "XX"}), ("product_category_name_translation", {}), group="g 7")
    mine, other = RejectedRecord.objects.get(table="sellers"), RejectedRecord.objects.exclude(table="sellers").get()
    html = page(ana, f"{LIST}{mine.pk}/change/")
    assert "which is replayed whole" in html
    assert f"/{other.pk}/change/" in html


@pytest.fixture
def twice_repaired(ana: Client) -> RejectedRecord:
    """A reject that was repaired in vain, and then with success."""
    reject = refused("sellers", seller_state="XX")
    for tries, state in enumerate(("YY", "RJ")):
        data = {"tries": str(tries), **{f"record-{name}": value for name, value in (reject.record or {}).items()}}
        ana.post(f"/admin/{LIST}{reject.pk}/repair/", {**data, "record-seller_state": state}, secure=True)
    return reject


def test_a_reject_tells_who_changed_what(ana: Client, twice_repaired: RejectedRecord) -> None:
    html = page(ana, f"{LIST}{twice_repaired.pk}/change/")
    assert html.count("Repaired and replayed: ") == 2
    for change in ("<del>XX</del> → <ins>YY</ins>", "<del>YY</del> → <ins>RJ</ins>", "Closed as replayed by ana"):
        assert change in html


def test_the_history_tells_what_came_of_it(ana: Client, twice_repaired: RejectedRecord) -> None:
    html = page(ana, f"{LIST}{twice_repaired.pk}/history/")
    assert "Repaired seller_state, and replayed: inserted" in html


@pytest.mark.parametrize("path", ["", f"?q={EVIL}", "?by=group", "{pk}/change/", "{pk}/repair/", f"?field={EVIL}"])
def test_markup_in_a_record_stays_text_on_every_page(ana: Client, path: str) -> None:
    reject = refused("orders", order_status=EVIL, customer_id=EVIL, order_approved_at=MOMENT, **{EVIL: EVIL})
    html = page(ana, f"{LIST}{path.format(pk=reject.pk)}")
    assert EVIL not in html
    assert "&lt;script&gt;" in html


def test_a_record_s_invisible_characters_are_shown(ana: Client) -> None:
    reject = refused("sellers", seller_state="XX", seller_city="rio\u202e\u0007x")
    assert "rio\\u202e␇x" in page(ana, f"{LIST}{reject.pk}/change/")


@pytest.fixture
def of_a_gone_table() -> RejectedRecord:
    reject = refused("sellers", seller_state="XX")
    RejectedRecord.objects.filter(pk=reject.pk).update(table="shops")
    return reject


def test_a_reject_of_a_table_that_is_gone_can_still_be_read(ana: Client, of_a_gone_table: RejectedRecord) -> None:
    assert "There is no such table any more." in page(ana, f"{LIST}{of_a_gone_table.pk}/change/")


def test_a_reject_of_a_table_that_is_gone_has_no_form(ana: Client, of_a_gone_table: RejectedRecord) -> None:
    page(ana, f"{LIST}{of_a_gone_table.pk}/repair/", status=403)


def test_a_reject_that_is_not_there_is_not_found(ana: Client) -> None:
    page(ana, f"{LIST}999999999/change/", status=404)
