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
from tests.support.loading.loads import PLAIN, query

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


@pytest.fixture
def bad_seller() -> RejectedRecord:
    return refused("sellers", seller_state="XX")


def test_the_list_leads_to_the_reject(ana: Client, bad_seller: RejectedRecord) -> None:
    assert f"{LIST}{bad_seller.pk}/change/" in get(ana, f"{LIST}?status=open&table=sellers")


def test_the_reject_leads_to_the_form(ana: Client, bad_seller: RejectedRecord) -> None:
    assert f"{LIST}{bad_seller.pk}/repair/" in get(ana, f"{LIST}{bad_seller.pk}/change/")


def test_the_form_shows_what_came(ana: Client, bad_seller: RejectedRecord) -> None:
    assert "XX (as it came)" in get(ana, f"{LIST}{bad_seller.pk}/repair/")


def test_the_form_leads_to_an_accepted_record(ana: Client, bad_seller: RejectedRecord) -> None:
    answer = save(ana, bad_seller, form(bad_seller, seller_state="rj"))
    assert answer.status_code == 302
    assert stored("sellers") == 1


def test_the_form_takes_no_apostrophe_off(ana: Client) -> None:
    reject = refused("sellers", seller_state="XX", seller_city="'=1+1")
    save(ana, reject, form(reject, seller_state="RJ"))
    assert query("select seller_city from olist_sellers") == [("'=1+1",)]


def test_a_correction_is_kept_with_its_author_and_logged(ana: Client, bad_seller: RejectedRecord) -> None:
    save(ana, bad_seller, form(bad_seller, seller_state="rj"))
    bad_seller.refresh_from_db()
    assert (bad_seller.status, bad_seller.correction["seller_state"]) == ("replayed", "rj")  # type: ignore[index]
    (kept,) = bad_seller.corrections.all()
    assert (kept.user.username, kept.record["seller_state"]) == ("ana", "rj")  # type: ignore[union-attr]
    assert "Repaired seller_state, and replayed: inserted" in LogEntry.objects.get().change_message


def test_a_reject_whose_record_is_in_says_so(ana: Client, bad_seller: RejectedRecord) -> None:
    save(ana, bad_seller, form(bad_seller, seller_state="rj"))
    assert "is in: inserted" in get(ana, f"{LIST}{bad_seller.pk}/change/")


def save_wrong(client: Client, reject: RejectedRecord) -> str:
    """Save a correction with two faults."""
    page: str = save(client, reject, form(reject, seller_state="YY", seller_city="")).content.decode()
    return page


def test_a_wrong_correction_is_explained_beside_its_field(ana: Client, bad_seller: RejectedRecord) -> None:
    html = save_wrong(ana, bad_seller)
    assert "It was refused again" in html
    assert 'id="id_record-seller_city_error"' in html
    assert html.index("id_record-seller_city_error") > html.index("id_record-seller_city")
    assert "This field is required." in html
    assert '<option value="YY" selected>' in html
    assert '<input type="hidden" name="tries" value="1">' in html


def test_a_wrong_correction_leaves_the_reject_open_with_its_new_reasons(
    ana: Client, bad_seller: RejectedRecord
) -> None:
    save_wrong(ana, bad_seller)
    bad_seller.refresh_from_db()
    assert (bad_seller.status, bad_seller.attempts) == ("open", 1)
    assert bad_seller.codes == ["required", "invalid_choice"]


def test_the_form_shows_the_last_correction_beside_what_came(ana: Client, bad_seller: RejectedRecord) -> None:
    save_wrong(ana, bad_seller)
    again = get(ana, f"{LIST}{bad_seller.pk}/repair/")
    assert "XX (as it came)" in again
    assert "YY (as entered)" in again
    assert '<option value="YY" selected>' in again


def test_a_wrong_correction_can_be_corrected(ana: Client, bad_seller: RejectedRecord) -> None:
    save_wrong(ana, bad_seller)
    assert save(ana, bad_seller, form(bad_seller, tries=1, seller_state="SP")).status_code == 302


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


@pytest.fixture
def of_a_group() -> RejectedRecord:
    """A bad order with a good customer in its group."""
    send(("customers", {}), ("orders", {"order_status": "x"}), group="g")
    return RejectedRecord.objects.get(table="orders")


def test_the_form_says_what_is_replayed_with_it(ana: Client, of_a_group: RejectedRecord) -> None:
    assert "replayed with it as a whole" in get(ana, f"{LIST}{of_a_group.pk}/repair/")


def test_a_group_is_replayed_whole(ana: Client, of_a_group: RejectedRecord) -> None:
    assert stored("customers") == 0
    assert save(ana, of_a_group, form(of_a_group, order_status="delivered")).status_code == 302
    assert (stored("customers"), stored("orders")) == (1, 1)
    assert set(RejectedRecord.objects.values_list("status", flat=True)) == {"replayed"}


def test_a_group_that_is_in_says_how_many_it_was(ana: Client, of_a_group: RejectedRecord) -> None:
    save(ana, of_a_group, form(of_a_group, order_status="delivered"))
    assert "with 1 other records of its group" in get(ana, f"{LIST}{of_a_group.pk}/change/")


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


@pytest.fixture(params=["replayed", "dismissed", "superseded"])
def closed(request: pytest.FixtureRequest, bad_seller: RejectedRecord) -> RejectedRecord:
    """A reject that is closed in each way."""
    RejectedRecord.objects.filter(pk=bad_seller.pk).update(status=request.param)
    return bad_seller


def test_a_closed_reject_has_no_form(ana: Client, closed: RejectedRecord) -> None:
    assert ana.get(f"{LIST}{closed.pk}/repair/", secure=True).status_code == 302


def test_a_closed_reject_offers_no_deeds(ana: Client, closed: RejectedRecord) -> None:
    html = get(ana, f"{LIST}{closed.pk}/change/")
    assert "/repair/" not in html
    assert "/dismiss/" not in html


def test_who_dismisses_a_closed_reject_is_told(ana: Client, closed: RejectedRecord) -> None:
    ana.post(f"{LIST}{closed.pk}/dismiss/", {"why": "x"}, secure=True)
    assert "was closed already, by somebody else" in get(ana, f"{LIST}{closed.pk}/change/")


@pytest.fixture
def atomic() -> RejectedRecord:
    """A reject of an atomic batch."""
    send(("sellers", {"seller_state": "XX"}), mode="atomic")
    return RejectedRecord.objects.get()


def test_a_reject_of_an_atomic_batch_is_for_reading(ana: Client, atomic: RejectedRecord) -> None:
    html = get(ana, f"{LIST}{atomic.pk}/change/")
    assert "post it again whole" in html
    assert "/repair/" not in html


def test_who_replays_a_reject_of_an_atomic_batch_is_told(ana: Client, atomic: RejectedRecord) -> None:
    ana.post(f"{LIST}{atomic.pk}/replay/", {}, secure=True)
    assert "of an atomic batch" in get(ana, f"{LIST}{atomic.pk}/change/")


def test_a_single_one_is_replayed_by_its_button(ana: Client) -> None:
    reject = refused("orders")
    ana.post(f"{LIST}{reject.pk}/replay/", {}, secure=True)
    assert "was refused again" in get(ana, f"{LIST}{reject.pk}/change/")
    assert LogEntry.objects.get().object_id == str(reject.pk)


def test_a_dismissal_without_a_reason_is_asked_for_one(ana: Client, bad_seller: RejectedRecord) -> None:
    ana.post(f"{LIST}{bad_seller.pk}/dismiss/", {"why": " "}, secure=True)
    assert "Say why" in get(ana, f"{LIST}{bad_seller.pk}/change/")
    assert not LogEntry.objects.exists()


def test_a_single_one_is_dismissed_by_its_button(ana: Client, bad_seller: RejectedRecord) -> None:
    ana.post(f"{LIST}{bad_seller.pk}/dismiss/", {"why": "a test"}, secure=True)
    assert "Closed as dismissed: a test by ana" in get(ana, f"{LIST}{bad_seller.pk}/change/")
    assert LogEntry.objects.get().object_id == str(bad_seller.pk)


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
