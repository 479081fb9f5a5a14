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


def test_a_corrected_record_is_accepted_and_its_reject_closed(api: ApiClient) -> None:
    reject = refused(api, "sellers", seller_state="XX")
    raw = bytes(reject.raw)
    answer = replay(api, reject, {"record": record("sellers", seller_state="rj")})
    assert (answer.status, answer.counts) == (201, {"read": 1, "inserted": 1})
    assert query("select seller_state from olist_sellers") == [("RJ",)]
    reject.refresh_from_db()
    assert (reject.status, reject.attempts, bytes(reject.raw)) == ("replayed", 1, raw)
    assert (reject.closed_by.username, reject.closed_at is not None) == ("root", True)  # type: ignore[union-attr]
    assert reject.correction == record("sellers", seller_state="rj")
    batch = Batch.objects.get(pk=answer.json["id"])
    assert (batch.origin, reject.last_batch_id) == ("replay", batch.pk)


def test_a_replay_that_fails_again_leaves_the_reject_open_with_its_new_reasons(api: ApiClient) -> None:
    reject = refused(api, "sellers", seller_state="XX")
    answer = replay(api, reject, {"record": record("sellers", seller_id="no id", seller_city="")})
    assert answer.status == 422
    assert answer.codes == [(0, "seller_id", "invalid"), (0, "seller_city", "blank")]
    assert answer.json["results"][0]["reject_id"] == str(reject.pk)
    assert answer.json["results"][0]["reasons"][0]["pointer"] == "/record/seller_id"
    (again,) = RejectedRecord.objects.all()
    assert (again.status, again.attempts, again.times_seen, again.codes) == ("open", 1, 1, ["invalid", "blank"])
    assert again.correction == record("sellers", seller_id="no id", seller_city="")
    assert bytes(again.raw) == bytes(reject.raw)


def test_an_orphan_is_accepted_as_it_came_once_its_parent_is_there(api: ApiClient) -> None:
    reject = refused(api, "orders")
    assert replay(api, reject).codes == [(0, "customer_id", "does_not_exist")]
    api.post(one_table("customers", record("customers")))
    assert replay(api, reject).status == 201
    assert stored("orders") == 1


def test_a_parameter_that_a_replay_does_not_know_is_refused(api: ApiClient) -> None:
    reject = refused(api, "sellers", seller_state="XX")
    answer = api.post({"record": record("sellers")}, to=f"/api/v1/rejects/{reject.pk}/replay/?dry_run=true")
    assert (answer.status, stored("sellers")) == (400, 0)


def test_without_a_new_correction_the_last_one_counts(api: ApiClient) -> None:
    reject = refused(api, "orders", order_status="teleported")
    assert replay(api, reject, {"record": record("orders")}).codes == [(0, "customer_id", "does_not_exist")]
    api.post(one_table("customers", record("customers")))
    assert replay(api, reject).status == 201


@pytest.mark.parametrize(
    "value",
    ["true", '"\\u0000"', '"\\ud800"', "NaN", '{"a": [1]}', "1e400", '"٣"'],
)
def test_a_replay_finds_the_same_reasons_in_the_raw_bytes(api: ApiClient, value: str) -> None:
    sent = f'{{"seller_id": "{hex_id(1)}", "seller_zip_code_prefix": {value}, "x": 1}}'
    first = api.post(f'{{"table": "sellers", "records": [{sent}]}}')
    reject = RejectedRecord.objects.get()
    again = replay(api, reject)
    told = [
        [
            (reason["field"], reason["code"], reason["message"], reason["value"])
            for reason in answer.json["results"][0]["reasons"]
        ]
        for answer in (first, again)
    ]
    assert told[0] == told[1]
    assert (first.status, again.status) == (422, 422)


@pytest.mark.parametrize(
    "correction",
    ['"review_comment_message": "a\\ud800b"', '"review_comment_title": "x", "review_comment_title": "y"'],
)
def test_a_correction_that_cannot_be_kept_to_the_letter_lets_nothing_else_in(api: ApiClient, correction: str) -> None:
    for table in ("customers", "orders"):
        api.post(one_table(table, record(table)))
    reject = refused(api, "order_reviews", review_score="9")
    good = json.dumps(record("order_reviews", review_comment_message=None, review_comment_title=None))
    sent = good.replace('"review_comment_message": null', '"order_id": ' + json.dumps(hex_id(1)), 1)
    sent = '{"record": ' + sent.removesuffix("}") + f", {correction}" + "}}"
    assert replay(api, reject, sent).status == 422
    assert replay(api, reject).codes == [(0, "review_score", "max_value")]
    assert stored("order_reviews") == 0


def test_the_same_line_below_another_header_is_another_record(api: ApiClient) -> None:
    a, b, rest = hex_id(1), hex_id(2), "customer_zip_code_prefix,customer_city,customer_state"
    for names in ("customer_id,customer_unique_id", "customer_unique_id,customer_id", "customer_id,customer_unique_id"):
        body = f"{names},{rest}\n{a},{b},01037,rio,XX\n".encode()
        assert api.post(body, to="/api/v1/batches/?table=customers", kind="text/csv").status == 422
    first, second = RejectedRecord.objects.order_by("pk")
    assert [(each.natural_key, each.times_seen) for each in (first, second)] == [(a, 2), (b, 1)]
    for reject, key in ((first, a), (second, b)):
        answer = replay(api, reject)
        assert answer.codes == [(0, "customer_state", "invalid_choice")]
        corrected = record("customers", customer_id=key, customer_unique_id=key)
        assert replay(api, reject, {"record": corrected}).status == 201
    assert stored("customers") == 2


def test_a_line_of_csv_is_read_again_by_the_header_it_came_with(api: ApiClient) -> None:
    body = f'seller_state,seller_city,seller_id,seller_zip_code_prefix\r\nSP,"são\npaulo",{hex_id(1)},01037\r\nSP,x\r\n'
    api.post(body.encode(), to="/api/v1/batches/?table=sellers", kind="text/csv")
    misfit, ragged = RejectedRecord.objects.order_by("position")
    assert replay(api, misfit).codes == [(0, "seller_city", "invalid")]
    assert replay(api, ragged).codes == [(0, None, "ragged_row")]
    assert replay(api, ragged, {"record": record("sellers")}).status == 201


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


def test_an_orphan_that_comes_again_in_an_atomic_batch_still_heals(api: ApiClient) -> None:
    reject = refused(api, "orders")
    assert api.post({**one_table("orders", record("orders")), "mode": "atomic"}).status == 422
    reject.refresh_from_db()
    assert (reject.times_seen, reject.status) == (2, "open")
    api.post(one_table("customers", record("customers")))
    assert replay(api, reject).status == 201


def test_a_group_is_replayed_whole(api: ApiClient) -> None:
    parts = order_with_parts(group="order 1")
    parts[1]["data"]["payment_value"] = "-1"
    assert api.post({"records": parts}).status == 422
    reject = RejectedRecord.objects.get(table="order_payments")
    assert replay(api, reject).counts == {"read": 7, "rejected": 7}
    answer = replay(api, reject, {"record": record("order_payments")})
    assert (answer.status, answer.counts) == (201, {"read": 7, "inserted": 7})
    assert set(RejectedRecord.objects.values_list("status", flat=True)) == {"replayed"}


def test_a_reject_of_an_atomic_batch_is_for_reading(api: ApiClient) -> None:
    api.post({"records": [tagged("sellers", seller_state="XX")], "mode": "atomic"})
    answer = replay(api, RejectedRecord.objects.get(), {"record": record("sellers")})
    assert (answer.status, answer.json["code"]) == (409, "not_replayable")
    assert "post it again whole" in answer.json["detail"]


def test_a_closed_reject_is_not_replayed_and_the_same_record_again_does_not_reopen_it(api: ApiClient) -> None:
    reject = refused(api, "sellers", seller_state="XX")
    replay(api, reject, {"record": record("sellers")})
    assert replay(api, reject).status == 409
    assert api.post(one_table("sellers", record("sellers", seller_state="XX"))).status == 422
    reject.refresh_from_db()
    assert (reject.status, reject.times_seen) == ("replayed", 2)


def test_a_replay_may_update_a_stored_row_if_asked(api: ApiClient) -> None:
    api.post(one_table("sellers", record("sellers")))
    reject = refused(api, "sellers", seller_city="rio")
    assert replay(api, reject).codes == [(0, "seller_id", "unique")]
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
    assert (
        replay(client_of("clerk", rights={"seller": ("change",)}), reject, {"record": record("sellers")}).status == 201
    )
    assert api.post(b"", to="/api/v1/rejects/999999999/replay/").status == 404


def test_a_correction_is_kept_as_it_was_given_and_judged_the_same_again(api: ApiClient) -> None:
    reject = refused(api, "sellers", seller_state="XX")
    wrong = {**record("sellers"), "seller_zip_code_prefix": True, "colour": ["red", "\ufffd"]}
    told: list[Any] = []
    for body in ({"record": wrong}, b""):
        answer = replay(api, reject, body)
        told.append((answer.status, sorted(answer.codes, key=str)))
    assert told[0] == told[1] == (422, [(0, "colour", "unknown_field"), (0, "seller_zip_code_prefix", "invalid")])
    reject.refresh_from_db()
    assert reject.correction == wrong
