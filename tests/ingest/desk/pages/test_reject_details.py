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


def test_a_missing_parent_is_looked_for_among_rows_and_rejects(ana: Client) -> None:
    orphan = refused("orders", customer_id=hex_id(5))
    path = f"{LIST}{orphan.pk}/change/"
    assert "There is no such record yet." in page(ana, path)
    parent = refused("customers", customer_id=hex_id(5), customer_state="XX")
    assert f"/{parent.pk}/change/" in page(ana, path)
    send(("customers", {"customer_id": hex_id(5)}))
    html = page(ana, path)
    assert "It has come by now" in html
    assert f"/admin/olist/customer/{hex_id(5)}/change/" in html


def test_kin_are_a_click_away(ana: Client) -> None:
    send(("customers", {"customer_state": "XX"}), ("orders", {}))
    parent, child = RejectedRecord.objects.get(table="customers"), RejectedRecord.objects.get(table="orders")
    assert child.parent_id == parent.pk
    html = page(ana, f"{LIST}{child.pk}/change/")
    for link in (f"?group={child.fingerprint}", f"?batch={child.batch_id}", f"/batch/{child.batch_id}/change/"):
        assert link in html
    assert f"/{parent.pk}/change/" in html
    assert f"/{child.pk}/change/" in page(ana, f"{LIST}{parent.pk}/change/")


def test_the_records_of_a_group_are_named(ana: Client) -> None:
    send(("sellers", {"seller_state": "XX"}), ("product_category_name_translation", {}), group="g 7")
    mine, other = RejectedRecord.objects.get(table="sellers"), RejectedRecord.objects.exclude(table="sellers").get()
    html = page(ana, f"{LIST}{mine.pk}/change/")
    assert "which is replayed whole" in html
    assert f"/{other.pk}/change/" in html


def test_the_history_tells_who_changed_what_and_when(ana: Client) -> None:
    reject = refused("sellers", seller_state="XX")
    for tries, state in enumerate(("YY", "RJ")):
        data = {"tries": str(tries), **{f"record-{name}": value for name, value in (reject.record or {}).items()}}
        ana.post(f"/admin/{LIST}{reject.pk}/repair/", {**data, "record-seller_state": state}, secure=True)
    html = page(ana, f"{LIST}{reject.pk}/change/")
    assert html.count("Repaired and replayed: ") == 2
    for change in ("<del>XX</del> → <ins>YY</ins>", "<del>YY</del> → <ins>RJ</ins>", "Closed as replayed by ana"):
        assert change in html
    assert "Repaired seller_state, and replayed: inserted" in page(ana, f"{LIST}{reject.pk}/history/")


def test_markup_in_a_record_stays_text_on_every_page(ana: Client) -> None:
    reject = refused("orders", order_status=EVIL, customer_id=EVIL, order_approved_at=MOMENT, **{EVIL: EVIL})
    for path in ("", f"?q={EVIL}", "?by=group", f"{reject.pk}/change/", f"{reject.pk}/repair/", f"?field={EVIL}"):
        html = page(ana, f"{LIST}{path}")
        assert EVIL not in html
        assert "&lt;script&gt;" in html


def test_a_record_s_invisible_characters_are_shown(ana: Client) -> None:
    reject = refused("sellers", seller_state="XX", seller_city="rio\u202e\u0007x")
    assert "rio\\u202e␇x" in page(ana, f"{LIST}{reject.pk}/change/")


def test_a_reject_of_a_table_that_is_gone_can_still_be_read(ana: Client) -> None:
    reject = refused("sellers", seller_state="XX")
    RejectedRecord.objects.filter(pk=reject.pk).update(table="shops")
    assert "There is no such table any more." in page(ana, f"{LIST}{reject.pk}/change/")
    page(ana, f"{LIST}{reject.pk}/repair/", status=403)
    page(ana, f"{LIST}999999999/change/", status=404)
