"""Replaying rejects over HTTP: as they came, or corrected, alone or with their group."""

import json
from typing import Any

import pytest

from ingest.models import Batch, RejectedRecord
from tests.support.api.client import Answered, ApiClient, client_of
from tests.support.api.parcels import one_table, order_with_parts, record, stored, tagged
from tests.support.loading.loads import hex_id, query

pytestmark = pytest.mark.django_db


def replay(api: ApiClient, reject: RejectedRecord, body: Any = b"") -> Answered:
    return api.post(body, to=f"/api/v1/rejects/{reject.pk}/replay/")


def refused(api: ApiClient, table: str, **changes: Any) -> RejectedRecord:
    """Have a record refused, and return its reject."""
    assert api.post(one_table(table, record(table, **changes))).status == 422
    return RejectedRecord.objects.get(table=table)


def test_a_corrected_record_is_accepted(api: ApiClient) -> None:
    answer = replay(api, refused(api, "sellers", seller_state="XX"), {"record": record("sellers", seller_state="rj")})
    assert (answer.status, answer.counts) == (201, {"read": 1, "inserted": 1})
    assert query("select seller_state from olist_sellers") == [("RJ",)]


def test_the_reject_of_a_corrected_record_is_closed_and_keeps_what_was_sent(api: ApiClient) -> None:
    reject = refused(api, "sellers", seller_state="XX")
    raw = bytes(reject.raw)
    replay(api, reject, {"record": record("sellers", seller_state="rj")})
    reject.refresh_from_db()
    assert (reject.status, reject.attempts, bytes(reject.raw)) == ("replayed", 1, raw)
    assert (reject.closed_by.username, reject.closed_at is not None) == ("root", True)  # type: ignore[union-attr]
    assert reject.correction == record("sellers", seller_state="rj")


def test_a_replay_is_a_batch_of_its_own(api: ApiClient) -> None:
    reject = refused(api, "sellers", seller_state="XX")
    answer = replay(api, reject, {"record": record("sellers")})
    reject.refresh_from_db()
    batch = Batch.objects.get(pk=answer.json["id"])
    assert (batch.origin, reject.last_batch_id) == ("replay", batch.pk)


def test_a_replay_that_fails_again_is_answered_with_its_new_reasons(api: ApiClient) -> None:
    reject = refused(api, "sellers", seller_state="XX")
    answer = replay(api, reject, {"record": record("sellers", seller_id="no id", seller_city="")})
    assert answer.status == 422
    assert answer.codes == [(0, "seller_id", "invalid"), (0, "seller_city", "blank")]
    assert answer.json["results"][0]["reject_id"] == str(reject.pk)
    assert answer.json["results"][0]["reasons"][0]["pointer"] == "/record/seller_id"


def test_a_replay_that_fails_again_leaves_the_reject_open_with_its_new_reasons(api: ApiClient) -> None:
    reject = refused(api, "sellers", seller_state="XX")
    replay(api, reject, {"record": record("sellers", seller_id="no id", seller_city="")})
    (again,) = RejectedRecord.objects.all()
    assert (again.status, again.attempts, again.times_seen, again.codes) == ("open", 1, 1, ["invalid", "blank"])
    assert again.correction == record("sellers", seller_id="no id", seller_city="")
    assert bytes(again.raw) == bytes(reject.raw)


def test_an_orphan_is_refused_again_while_its_parent_is_missing(api: ApiClient) -> None:
    assert replay(api, refused(api, "orders")).codes == [(0, "customer_id", "does_not_exist")]


def test_an_orphan_that_was_replayed_in_vain_is_accepted_as_it_came_once_its_parent_is_there(api: ApiClient) -> None:
    reject = refused(api, "orders")
    replay(api, reject)
    api.post(one_table("customers", record("customers")))
    assert replay(api, reject).status == 201
    assert stored("orders") == 1


def test_a_parameter_that_a_replay_does_not_know_is_refused(api: ApiClient) -> None:
    reject = refused(api, "sellers", seller_state="XX")
    answer = api.post({"record": record("sellers")}, to=f"/api/v1/rejects/{reject.pk}/replay/?dry_run=true")
    assert (answer.status, stored("sellers")) == (400, 0)


def test_a_correction_can_leave_a_parent_missing(api: ApiClient) -> None:
    reject = refused(api, "orders", order_status="teleported")
    assert replay(api, reject, {"record": record("orders")}).codes == [(0, "customer_id", "does_not_exist")]


def test_without_a_new_correction_the_last_one_counts(api: ApiClient) -> None:
    reject = refused(api, "orders", order_status="teleported")
    replay(api, reject, {"record": record("orders")})
    api.post(one_table("customers", record("customers")))
    assert replay(api, reject).status == 201


def told(answer: Answered) -> list[tuple[Any, ...]]:
    """Return all that an answer says of its first record, but for where it stands."""
    reasons = answer.json["results"][0]["reasons"]
    return [(reason["field"], reason["code"], reason["message"], reason["value"]) for reason in reasons]


@pytest.mark.parametrize(
    "value",
    ["true", '"\\u0000"', '"\\ud800"', "NaN", '{"a": [1]}', "1e400", '"٣"'],
)
def test_a_replay_finds_the_same_reasons_in_the_raw_bytes(api: ApiClient, value: str) -> None:
    sent = f'{{"seller_id": "{hex_id(1)}", "seller_zip_code_prefix": {value}, "x": 1}}'
    first = api.post(f'{{"table": "sellers", "records": [{sent}]}}')
    again = replay(api, RejectedRecord.objects.get())
    assert (again.status, told(again)) == (first.status, told(first))
    assert first.status == 422


ODD_MEMBERS = ['"review_comment_message": "a\\ud800b"', '"review_comment_title": "x", "review_comment_title": "y"']


def review_with(members: str) -> str:
    """Write a correction of a review that holds ``members`` to the letter."""
    good = json.dumps(record("order_reviews", review_comment_message=None, review_comment_title=None))
    sent = good.replace('"review_comment_message": null', '"order_id": ' + json.dumps(hex_id(1)), 1)
    return '{"record": ' + sent.removesuffix("}") + f", {members}" + "}}"


@pytest.fixture
def bad_review(api: ApiClient) -> RejectedRecord:
    """A review of an order that is there, refused for its score."""
    for table in ("customers", "orders"):
        api.post(one_table(table, record(table)))
    return refused(api, "order_reviews", review_score="9")


@pytest.mark.parametrize("correction", ODD_MEMBERS)
def test_a_correction_that_cannot_be_kept_to_the_letter_is_refused(
    api: ApiClient, bad_review: RejectedRecord, correction: str
) -> None:
    assert replay(api, bad_review, review_with(correction)).status == 422
    assert stored("order_reviews") == 0


@pytest.mark.parametrize("correction", ODD_MEMBERS)
def test_a_correction_that_was_not_kept_lets_nothing_else_in(
    api: ApiClient, bad_review: RejectedRecord, correction: str
) -> None:
    replay(api, bad_review, review_with(correction))
    assert replay(api, bad_review).codes == [(0, "review_score", "max_value")]
    assert stored("order_reviews") == 0


ONE_WAY, OTHER_WAY = "customer_id,customer_unique_id", "customer_unique_id,customer_id"


@pytest.fixture
def same_lines(api: ApiClient) -> list[RejectedRecord]:
    """The rejects of a line that came three times, the second time below another header."""
    rest = "customer_zip_code_prefix,customer_city,customer_state"
    for names in (ONE_WAY, OTHER_WAY, ONE_WAY):
        body = f"{names},{rest}\n{hex_id(1)},{hex_id(2)},01037,rio,XX\n".encode()
        assert api.post(body, to="/api/v1/batches/?table=customers", kind="text/csv").status == 422
    return list(RejectedRecord.objects.order_by("pk"))


def test_the_same_line_below_another_header_is_another_record(same_lines: list[RejectedRecord]) -> None:
    assert [(each.natural_key, each.times_seen) for each in same_lines] == [(hex_id(1), 2), (hex_id(2), 1)]


@pytest.mark.parametrize("which", [0, 1])
def test_a_line_is_replayed_below_its_own_header(api: ApiClient, same_lines: list[RejectedRecord], which: int) -> None:
    answer = replay(api, same_lines[which])
    assert answer.codes == [(0, "customer_state", "invalid_choice")]


def test_the_same_lines_below_two_headers_are_corrected_each_by_itself(
    api: ApiClient, same_lines: list[RejectedRecord]
) -> None:
    for reject, key in zip(same_lines, (hex_id(1), hex_id(2)), strict=True):
        corrected = record("customers", customer_id=key, customer_unique_id=key)
        assert replay(api, reject, {"record": corrected}).status == 201
    assert stored("customers") == 2


@pytest.fixture
def two_lines(api: ApiClient) -> list[RejectedRecord]:
    """The rejects of two lines below a header of their own order: a city in two lines, and a line that is too short."""
    body = f'seller_state,seller_city,seller_id,seller_zip_code_prefix\r\nSP,"são\npaulo",{hex_id(1)},01037\r\nSP,x\r\n'
    api.post(body.encode(), to="/api/v1/batches/?table=sellers", kind="text/csv")
    return list(RejectedRecord.objects.order_by("position"))


@pytest.mark.parametrize(("line", "reason"), [(0, (0, "seller_city", "invalid")), (1, (0, None, "ragged_row"))])
def test_a_line_of_csv_is_read_again_by_the_header_it_came_with(
    api: ApiClient, two_lines: list[RejectedRecord], line: int, reason: tuple[int, str | None, str]
) -> None:
    assert replay(api, two_lines[line]).codes == [reason]


def test_a_line_of_csv_that_was_too_short_can_be_corrected(api: ApiClient, two_lines: list[RejectedRecord]) -> None:
    assert replay(api, two_lines[1], {"record": record("sellers")}).status == 201


@pytest.mark.parametrize("again", ["alone", "in the same batch", "in an atomic batch"])
def test_a_record_that_comes_again_stays_with_its_group(api: ApiClient, again: str) -> None:
    bad = tagged("customers", customer_state="XX")
    alone = {"table": "customers", "records": [bad["data"]]}
    group = [{**each, "group": "g"} for each in (bad, tagged("customers", customer_id=hex_id(2)))]
    first = [bad] if again == "in the same batch" else []
    assert api.post({"records": [*first, *group]}).status == 422
    if not first:
        assert api.post({**alone, "mode": "atomic" if "atomic" in again else "partial"}).status == 422
    mate = RejectedRecord.objects.get(codes=["group_rejected"])
    assert replay(api, mate).counts == {"read": 2, "rejected": 2}
    assert stored("customers") == 0


def test_an_orphan_that_comes_again_in_an_atomic_batch_stays_open(api: ApiClient) -> None:
    reject = refused(api, "orders")
    assert api.post(one_table("orders", record("orders"), mode="atomic")).status == 422
    reject.refresh_from_db()
    assert (reject.times_seen, reject.status) == (2, "open")


def test_an_orphan_that_came_again_in_an_atomic_batch_can_still_be_replayed(api: ApiClient) -> None:
    reject = refused(api, "orders")
    api.post(one_table("orders", record("orders"), mode="atomic"))
    api.post(one_table("customers", record("customers")))
    assert replay(api, reject).status == 201


@pytest.fixture
def bad_payment(api: ApiClient) -> RejectedRecord:
    """A payment for whose sake a whole order was refused."""
    parts = order_with_parts(group="order 1")
    parts[1]["data"]["payment_value"] = "-1"
    assert api.post({"records": parts}).status == 422
    return RejectedRecord.objects.get(table="order_payments")


def test_a_group_with_a_fault_is_refused_again_whole(api: ApiClient, bad_payment: RejectedRecord) -> None:
    assert replay(api, bad_payment).counts == {"read": 7, "rejected": 7}


def test_a_group_that_was_replayed_in_vain_is_corrected_whole(api: ApiClient, bad_payment: RejectedRecord) -> None:
    replay(api, bad_payment)
    answer = replay(api, bad_payment, {"record": record("order_payments")})
    assert (answer.status, answer.counts) == (201, {"read": 7, "inserted": 7})
    assert set(RejectedRecord.objects.values_list("status", flat=True)) == {"replayed"}


def test_a_reject_of_an_atomic_batch_is_for_reading(api: ApiClient) -> None:
    api.post({"records": [tagged("sellers", seller_state="XX")], "mode": "atomic"})
    answer = replay(api, RejectedRecord.objects.get(), {"record": record("sellers")})
    assert (answer.status, answer.json["code"]) == (409, "not_replayable")
    assert "post it again whole" in answer.json["detail"]


@pytest.fixture
def closed(api: ApiClient) -> RejectedRecord:
    """A reject that was corrected."""
    reject = refused(api, "sellers", seller_state="XX")
    replay(api, reject, {"record": record("sellers")})
    return reject


def test_a_closed_reject_is_not_replayed(api: ApiClient, closed: RejectedRecord) -> None:
    assert replay(api, closed).status == 409


def test_the_same_record_again_does_not_reopen_a_closed_reject(api: ApiClient, closed: RejectedRecord) -> None:
    assert api.post(one_table("sellers", record("sellers", seller_state="XX"))).status == 422
    closed.refresh_from_db()
    assert (closed.status, closed.times_seen) == ("replayed", 2)


def test_a_replay_does_not_update_a_stored_row_unasked(api: ApiClient) -> None:
    api.post(one_table("sellers", record("sellers")))
    reject = refused(api, "sellers", seller_city="rio")
    assert replay(api, reject).codes == [(0, "seller_id", "unique")]


def test_a_replay_may_update_a_stored_row_if_asked(api: ApiClient) -> None:
    api.post(one_table("sellers", record("sellers")))
    reject = refused(api, "sellers", seller_city="rio")
    answer = replay(api, reject, {"on_conflict": "update"})
    assert (answer.status, answer.counts) == (201, {"read": 1, "updated": 1})


@pytest.mark.parametrize(
    ("body", "status"),
    [({"record": 1}, 400), ({"record": []}, 400), ({"recrod": {}}, 400), ([], 400), (b"{", 400), ({"record": {}}, 422)],
)
def test_a_replay_that_is_none_is_explained(api: ApiClient, body: Any, status: int) -> None:
    assert replay(api, refused(api, "sellers", seller_state="XX"), body).status == status


def test_whoever_may_not_change_a_table_may_not_replay_its_rejects(api: ApiClient) -> None:
    reject = refused(api, "sellers", seller_state="XX")
    clerk = client_of(rights={"seller": ("add", "view"), "order": ("change",)})
    answer = replay(clerk, reject, {"record": record("sellers")})
    assert (answer.status, answer.json["table"], answer.json["permission"]) == (403, "sellers", "change")


def test_whoever_may_change_a_table_may_replay_its_rejects(api: ApiClient) -> None:
    reject = refused(api, "sellers", seller_state="XX")
    clerk = client_of(rights={"seller": ("change", "view")})
    assert replay(clerk, reject, {"record": record("sellers")}).status == 201


def test_whoever_may_not_view_a_table_is_not_told_that_its_reject_is_there(api: ApiClient) -> None:
    reject = refused(api, "sellers", seller_state="XX")
    writer = client_of(rights={"seller": ("add", "change")})
    assert replay(writer, reject, {"record": record("sellers")}).status == 404
    reject.refresh_from_db()
    assert (reject.attempts, stored("sellers")) == (0, 0)


def test_a_group_with_a_record_that_one_may_not_view_is_not_replayed_and_its_table_not_named(api: ApiClient) -> None:
    api.post({"records": [tagged("customers", group="g", customer_state="XX"), tagged("sellers", group="g")]})
    clerk = client_of(rights={"seller": ("change", "view"), "customer": ("change",)})
    answer = replay(clerk, RejectedRecord.objects.get(table="sellers"))
    assert (answer.status, answer.json["code"]) == (403, "permission_denied")
    assert "customer" not in answer.text
    assert set(RejectedRecord.objects.values_list("attempts", flat=True)) == {0}


def test_a_reject_that_is_not_there_is_not_found(api: ApiClient) -> None:
    assert api.post(b"", to="/api/v1/rejects/999999999/replay/").status == 404


WRONG = {**record("sellers"), "seller_zip_code_prefix": True, "colour": ["red", "\ufffd"]}
WHY_WRONG = [(0, "colour", "unknown_field"), (0, "seller_zip_code_prefix", "invalid")]


def test_a_wrong_correction_is_kept_as_it_was_given(api: ApiClient) -> None:
    reject = refused(api, "sellers", seller_state="XX")
    answer = replay(api, reject, {"record": WRONG})
    assert (answer.status, sorted(answer.codes, key=str)) == (422, WHY_WRONG)
    reject.refresh_from_db()
    assert reject.correction == WRONG


def test_a_correction_that_was_kept_is_judged_the_same_again(api: ApiClient) -> None:
    reject = refused(api, "sellers", seller_state="XX")
    replay(api, reject, {"record": WRONG})
    again = replay(api, reject)
    assert (again.status, sorted(again.codes, key=str)) == (422, WHY_WRONG)
    reject.refresh_from_db()
    assert reject.correction == WRONG
