"""Repair and replay at the desk: the form, the verdict beside its fields, and two people at once."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from core.errors import TableBusy
from ingest.models import Batch, Correction, RejectedRecord
from ingest.rejects.prune import prune
from tests.support.access.people import browser
from tests.support.api.parcels import stored
from tests.support.desk.people import refused, send, staff
from tests.support.loading.loads import PLAIN

pytestmark = pytest.mark.django_db
LIST = "/admin/ingest/rejectedrecord/"


def get(client: Client, path: str, status: int = 200) -> str:
    response = client.get(path, secure=True)
    assert response.status_code == status, response.content.decode()[:3000]
    return response.content.decode()


def form(reject: RejectedRecord, tries: int = 0, **values: str) -> dict[str, str]:
    """Fill in the form: what came, changed in so many ways."""
    entered = {**{name: value or "" for name, value in (reject.record or {}).items()}, **values}
    return {"tries": str(tries), **{f"record-{name}": value for name, value in entered.items()}}


def save(client: Client, reject: RejectedRecord, data: dict[str, str]) -> Any:
    return client.post(f"{LIST}{reject.pk}/repair/", data, secure=True)


def test_list_detail_and_form_lead_to_an_accepted_record(ana: Client) -> None:
    reject = refused("sellers", seller_state="XX")
    assert f"{LIST}{reject.pk}/change/" in get(ana, f"{LIST}?status=open&table=sellers")
    html = get(ana, f"{LIST}{reject.pk}/change/")
    assert f"{LIST}{reject.pk}/repair/" in html
    assert "XX (as it came)" in get(ana, f"{LIST}{reject.pk}/repair/")
    answer = save(ana, reject, form(reject, seller_state="rj"))
    assert answer.status_code == 302
    assert stored("sellers") == 1
    reject.refresh_from_db()
    assert (reject.status, reject.correction["seller_state"]) == ("replayed", "rj")  # type: ignore[index]
    (kept,) = reject.corrections.all()
    assert (kept.user.username, kept.record["seller_state"]) == ("ana", "rj")  # type: ignore[union-attr]
    assert "Repaired seller_state, and replayed: inserted" in LogEntry.objects.get().change_message
    assert "is in: inserted" in get(ana, f"{LIST}{reject.pk}/change/")


def test_a_wrong_correction_is_explained_beside_its_field_and_kept(ana: Client) -> None:
    reject = refused("sellers", seller_state="XX")
    html = save(ana, reject, form(reject, seller_state="YY", seller_city="")).content.decode()
    assert "It was refused again" in html
    assert 'id="id_record-seller_city_error"' in html
    assert html.index("id_record-seller_city_error") > html.index("id_record-seller_city")
    assert "This field is required." in html
    assert '<option value="YY" selected>' in html
    assert '<input type="hidden" name="tries" value="1">' in html
    reject.refresh_from_db()
    assert (reject.status, reject.attempts, reject.codes) == ("open", 1, ["required", "invalid_choice"])
    again = get(ana, f"{LIST}{reject.pk}/repair/")
    assert "XX (as it came)" in again
    assert "YY (as entered)" in again
    assert '<option value="YY" selected>' in again
    assert save(ana, reject, form(reject, tries=1, seller_state="SP")).status_code == 302


def test_a_broken_rule_between_fields_is_said_beside_one_of_them(ana: Client) -> None:
    send(("customers", {}))
    reject = refused("orders", order_status="x")
    data = form(reject, order_status="delivered", order_approved_at="2017-01-01 00:00:00")
    html = save(ana, reject, data).content.decode()
    assert 'id="id_record-order_approved_at_error"' in html


def test_of_two_people_at_once_one_wins_and_the_other_is_told(ana: Client) -> None:
    eva = browser(staff("eva", superuser=True))
    reject = refused("sellers", seller_state="XX")
    assert save(ana, reject, form(reject, seller_state="SP")).status_code == 302
    html = save(eva, reject, form(reject, seller_state="RJ")).content.decode()
    assert f"The reject {reject.pk} is closed already: replayed." in html
    assert stored("sellers") == 1


def test_who_opened_the_form_before_somebody_s_failed_replay_is_told(ana: Client) -> None:
    eva = browser(staff("eva", superuser=True))
    reject = refused("sellers", seller_state="XX")
    save(ana, reject, form(reject, seller_state="YY"))
    html = save(eva, reject, form(reject, seller_state="RJ")).content.decode()
    assert "Somebody else replayed this record after you had opened it." in html
    reject.refresh_from_db()
    assert (reject.status, reject.attempts) == ("open", 1)


def test_a_group_is_replayed_whole(ana: Client) -> None:
    send(("customers", {}), ("orders", {"order_status": "x"}), group="g")
    assert stored("customers") == 0
    reject = RejectedRecord.objects.get(table="orders")
    assert "replayed with it as a whole" in get(ana, f"{LIST}{reject.pk}/repair/")
    assert save(ana, reject, form(reject, order_status="delivered")).status_code == 302
    assert (stored("customers"), stored("orders")) == (1, 1)
    assert "with 1 other records of its group" in get(ana, f"{LIST}{reject.pk}/change/")
    assert set(RejectedRecord.objects.values_list("status", flat=True)) == {"replayed"}


def test_a_record_unchanged_in_the_form_is_replayed_as_it_came(ana: Client) -> None:
    reject = refused("orders", order_delivered_carrier_date="")
    send(("customers", {}))
    assert save(ana, reject, form(reject)).status_code == 302
    reject.refresh_from_db()
    assert (reject.status, reject.correction) == ("replayed", None)
    assert Batch.objects.filter(origin="replay").count() == 1


def test_line_breaks_of_a_text_survive_the_browser(ana: Client) -> None:
    send(("customers", {}), ("orders", {}))
    review = refused("order_reviews", review_comment_message=" um\n dois ", review_score="9")
    data = form(review, review_score="5", review_comment_message=" um\r\n dois ")
    assert save(ana, review, data).status_code == 302
    review.refresh_from_db()
    assert review.correction["review_comment_message"] == " um\n dois "  # type: ignore[index]


def test_a_line_that_had_no_fields_can_be_written_anew(ana: Client) -> None:
    send(("sellers", "[1]"))
    reject = RejectedRecord.objects.get()
    data = {"tries": "0", **{f"record-{name}": value for name, value in PLAIN["sellers"].items()}}
    assert save(ana, reject, data).status_code == 302
    assert stored("sellers") == 1


@pytest.mark.parametrize("status", ["replayed", "dismissed", "superseded"])
def test_a_closed_reject_has_no_form(ana: Client, status: str) -> None:
    reject = refused("sellers", seller_state="XX")
    RejectedRecord.objects.filter(pk=reject.pk).update(status=status)
    assert ana.get(f"{LIST}{reject.pk}/repair/", secure=True).status_code == 302
    html = get(ana, f"{LIST}{reject.pk}/change/")
    assert "/repair/" not in html
    assert "/dismiss/" not in html
    ana.post(f"{LIST}{reject.pk}/dismiss/", {"why": "x"}, secure=True)
    assert "was closed already, by somebody else" in get(ana, f"{LIST}{reject.pk}/change/")


def test_a_reject_of_an_atomic_batch_is_for_reading(ana: Client) -> None:
    send(("sellers", {"seller_state": "XX"}), mode="atomic")
    reject = RejectedRecord.objects.get()
    html = get(ana, f"{LIST}{reject.pk}/change/")
    assert "post it again whole" in html
    assert "/repair/" not in html
    ana.post(f"{LIST}{reject.pk}/replay/", {}, secure=True)
    assert "of an atomic batch" in get(ana, f"{LIST}{reject.pk}/change/")


def test_a_single_one_is_replayed_and_dismissed_by_its_buttons(ana: Client) -> None:
    reject, other = refused("orders"), refused("sellers", seller_state="XX")
    ana.post(f"{LIST}{reject.pk}/replay/", {}, secure=True)
    assert "was refused again" in get(ana, f"{LIST}{reject.pk}/change/")
    ana.post(f"{LIST}{other.pk}/dismiss/", {"why": " "}, secure=True)
    assert "Say why" in get(ana, f"{LIST}{other.pk}/change/")
    ana.post(f"{LIST}{other.pk}/dismiss/", {"why": "a test"}, secure=True)
    assert "Closed as dismissed: a test by ana" in get(ana, f"{LIST}{other.pk}/change/")
    assert {entry.object_id for entry in LogEntry.objects.all()} == {str(reject.pk), str(other.pk)}


def test_a_load_that_holds_the_table_is_named_and_nothing_is_lost(ana: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: Any, **__: Any) -> None:
        raise TableBusy(tables="sellers", holder="a load", remedy="Send it again.")

    monkeypatch.setattr("ingest.desk.actions.replay.run", busy)
    reject = refused("sellers", seller_state="XX")
    html = save(ana, reject, form(reject, seller_state="SP", seller_city="rio bonito")).content.decode()
    assert "Sellers: held by a load" in html
    assert 'value="rio bonito"' in html


def test_corrections_go_with_their_reject(ana: Client) -> None:
    reject = refused("sellers", seller_state="XX")
    save(ana, reject, form(reject, seller_state="SP"))
    prune(older_than=timedelta(days=-1), really=True)
    assert not RejectedRecord.objects.exists()
    assert not Correction.objects.exists()
