"""The same thing asked for twice, by a client that repeats itself or by two people at once: done once, and told."""

from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone

from access.models import IdempotencyKey
from ingest.models import Batch, RejectedRecord
from tests.support.api.client import Answered, ApiClient, Json, client_of
from tests.support.api.parcels import assert_accounts_exact, one_table, record, stored, tagged
from tests.support.loading.loads import hex_id, query
from tests.support.postgres.sessions import aside, transaction_elsewhere, wait_for_waiting

pytestmark = pytest.mark.usefixtures("committed")
SELLER = one_table("sellers", record("sellers"))
OTHER_SELLER = one_table("sellers", record("sellers", seller_id=hex_id(2)))
INSERT = "insert into olist_sellers values (%s, '01037', 'rio', 'RJ')"


# A key


@contextmanager
def in_flight(api: ApiClient) -> Iterator[Future[Answered]]:
    """Let a batch with the key ``k`` be at work during the block, and have it answered at its end."""
    with transaction_elsewhere() as other, aside(partial(api.post, SELLER, Idempotency_Key="k")) as (posting,):
        other.execute(INSERT, [hex_id(1)])
        wait_for_waiting()
        yield posting
        other.connection.rollback()
        posting.result()


@pytest.mark.parametrize("body", [SELLER, OTHER_SELLER], ids=["the same request", "another request"])
def test_a_key_in_flight_is_refused(api: ApiClient, body: Json) -> None:
    with in_flight(api):
        busy = api.post(body, Idempotency_Key="k")
    assert (busy.status, busy.json["code"], busy.headers["Retry-After"]) == (409, "in_flight", "1")


def test_a_key_in_flight_is_free_for_another_token(api: ApiClient) -> None:
    somebody = client_of("somebody", superuser=True)
    with in_flight(api):
        assert somebody.post(OTHER_SELLER, Idempotency_Key="k").status == 201
    assert (Batch.objects.count(), stored("sellers")) == (2, 2)
    assert_accounts_exact()


def test_a_batch_whose_key_was_refused_to_others_meanwhile_is_answered_itself(api: ApiClient) -> None:
    with in_flight(api) as posting:
        api.post(SELLER, Idempotency_Key="k")
    first = posting.result()
    assert (first.status, first.counts) == (201, {"read": 1, "inserted": 1})
    assert (Batch.objects.count(), stored("sellers")) == (1, 1)
    assert_accounts_exact()


def test_a_key_that_was_in_flight_gets_the_stored_answer_afterwards(api: ApiClient) -> None:
    with in_flight(api) as posting:
        api.post(SELLER, Idempotency_Key="k")
    first, again = posting.result(), api.post(SELLER, Idempotency_Key="k")
    assert (again.status, again.text) == (first.status, first.text)
    assert (again.headers["Idempotency-Replayed"], "Idempotency-Replayed" in first.headers) == ("true", False)
    assert [again.headers[name] for name in ("Location", "Forge-Rejected")] == [first.headers["Location"], "0"]


def test_a_key_of_another_request_is_refused(api: ApiClient) -> None:
    api.post(SELLER, Idempotency_Key="k")
    reused = api.post(OTHER_SELLER, Idempotency_Key="k")
    assert (reused.status, reused.json["code"]) == (422, "key_reused")
    assert (Batch.objects.count(), stored("sellers")) == (1, 1)


def test_the_answer_to_a_batch_that_was_refused_is_kept_too(api: ApiClient) -> None:
    bad = one_table("sellers", record("sellers", seller_state="XX"))
    first, again = (api.post(bad, Idempotency_Key="k") for _ in range(2))
    assert (first.status, again.text, again.headers["Idempotency-Replayed"]) == (422, first.text, "true")
    assert RejectedRecord.objects.get().times_seen == 1


def test_a_key_is_kept_for_24_hours(api: ApiClient) -> None:
    first = api.post(SELLER, Idempotency_Key="k")
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(hours=23, minutes=59))
    assert api.post(SELLER, Idempotency_Key="k").text == first.text


def test_a_key_is_free_again_after_24_hours_even_for_another_request(api: ApiClient) -> None:
    api.post(SELLER, Idempotency_Key="k")
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(hours=24))
    later = api.post(OTHER_SELLER, Idempotency_Key="k")
    assert (later.status, "Idempotency-Replayed" in later.headers) == (201, False)
    assert later.json["id"] == str(Batch.objects.latest("started_at").pk) in IdempotencyKey.objects.get().answer


def test_a_dry_run_claims_no_key(api: ApiClient) -> None:
    assert api.post({**SELLER, "dry_run": True}, Idempotency_Key="k").status == 200
    assert not IdempotencyKey.objects.exists()


def test_the_key_of_a_dry_run_is_free_for_another_request(api: ApiClient) -> None:
    api.post({**SELLER, "dry_run": True}, Idempotency_Key="k")
    assert api.post(OTHER_SELLER, Idempotency_Key="k").status == 201


def test_two_requests_that_take_away_each_others_expired_keys_do_not_wait_for_each_other(api: ApiClient) -> None:
    for key in "ab":
        api.post(SELLER, Idempotency_Key=key)
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(hours=25))
    with transaction_elsewhere() as other, aside(partial(api.post, SELLER, Idempotency_Key="b")) as (posting,):
        other.execute("set local lock_timeout = '300ms'")
        other.execute("delete from access_idempotencykey where key = 'b'")
        wait_for_waiting()
        other.execute("delete from access_idempotencykey where key = 'a'")
        other.connection.commit()
        assert posting.result().status == 200
    assert IdempotencyKey.objects.get().key == "b"


# A replay


def replay_path(reject: RejectedRecord) -> str:
    return f"/api/v1/rejects/{reject.pk}/replay/"


def group_of_two(api: ApiClient, mode: str = "partial") -> tuple[RejectedRecord, RejectedRecord]:
    """Post a bad customer and, with it, a good seller; return the rejects of both."""
    pair = [tagged("customers", group="g", customer_state="XX"), tagged("sellers", group="g")]
    assert api.post({"records": pair, "mode": mode}).status == 422
    customer = RejectedRecord.objects.get(table="customers")
    return customer, RejectedRecord.objects.filter(table="sellers").first() or customer


def test_of_two_people_who_replay_the_same_reject_one_wins_and_the_other_is_told(api: ApiClient) -> None:
    api.post(one_table("sellers", record("sellers", seller_state="XX")))
    reject = RejectedRecord.objects.get()
    replays = [partial(api.post, {"record": record("sellers")}, to=replay_path(reject))] * 2
    with transaction_elsewhere() as other:
        other.execute(INSERT, [hex_id(1)])
        with aside(*replays) as replaying:
            wait_for_waiting(2)
            other.connection.rollback()
            won, lost = sorted((each.result() for each in replaying), key=lambda answer: answer.status)
    assert (won.status, won.counts) == (201, {"read": 1, "inserted": 1})
    assert (lost.status, lost.json["code"]) == (409, "not_replayable")
    assert list(RejectedRecord.objects.values_list("status", "attempts")) == [("replayed", 1)]
    assert Batch.objects.filter(origin="replay").count() == stored("sellers") == 1
    assert_accounts_exact()


def test_a_group_with_a_fault_stays_as_it_is(api: ApiClient) -> None:
    _, seller = group_of_two(api)
    failed = api.post({}, to=replay_path(seller))
    assert (failed.status, failed.counts) == (422, {"read": 2, "rejected": 2})
    assert stored("sellers") == 0


def test_a_group_is_replayed_whole(api: ApiClient) -> None:
    customer, seller = group_of_two(api)
    api.post({}, to=replay_path(seller))
    done = api.post({"record": record("customers")}, to=replay_path(customer))
    assert (done.status, done.counts) == (201, {"read": 2, "inserted": 2})
    assert set(RejectedRecord.objects.values_list("status", "attempts")) == {("replayed", 2)}
    assert_accounts_exact()


def test_a_group_that_was_replayed_is_not_replayed_again(api: ApiClient) -> None:
    customer, seller = group_of_two(api)
    api.post({"record": record("customers")}, to=replay_path(customer))
    assert api.post({}, to=replay_path(seller)).status == 409
    assert_accounts_exact()


def test_a_group_that_somebody_replays_in_vain_at_that_moment_is_still_replayed_whole(api: ApiClient) -> None:
    _, seller = group_of_two(api)
    in_vain = Batch.objects.create(origin="replay", status="rejected", app_version="1")
    with transaction_elsewhere() as other, aside(partial(api.post, {}, to=replay_path(seller))) as (replaying,):
        other.execute("update ingest_rejectedrecord set last_batch_id = %s", [in_vain.pk])
        wait_for_waiting()
        other.connection.commit()
        assert replaying.result().counts == {"read": 2, "rejected": 2}
    assert stored("sellers") == 0


def test_a_replay_and_a_batch_with_the_same_record_that_wait_for_each_other_are_both_answered(api: ApiClient) -> None:
    """The replay holds the reject and waits for the key; the batch holds the key and would close the reject."""
    api.post(one_table("sellers", record("sellers", seller_state="XX")))
    reject = RejectedRecord.objects.get()
    batch = {"records": [tagged("sellers"), tagged("customers")]}
    with transaction_elsewhere() as other, aside(partial(api.post, batch)) as (posting,):
        other.execute("lock table ingest_account in exclusive mode")
        wait_for_waiting()  # the batch, which has written its rows
        with aside(partial(api.post, {"record": record("sellers")}, to=replay_path(reject))) as (replaying,):
            wait_for_waiting(2)
            other.connection.commit()
            posted, replayed = posting.result(), replaying.result()
    assert (posted.status, posted.counts["read"]) == (201, 2)
    assert (replayed.status in {200, 201}) or (replayed.status, replayed.json["code"]) == (409, "not_replayable")
    assert RejectedRecord.objects.get().status == ("superseded" if replayed.status == 409 else "replayed")
    assert stored("sellers") == 1
    assert_accounts_exact()


def test_a_reject_of_an_atomic_batch_is_not_replayed(api: ApiClient) -> None:
    customer, _ = group_of_two(api, mode="atomic")
    answer = api.post({"record": record("customers")}, to=replay_path(customer))
    assert (answer.status, answer.json["code"]) == (409, "not_replayable")
    assert query("select status, attempts from ingest_rejectedrecord") == [("open", 0)]


def test_a_replay_that_is_asked_for_twice_with_a_key_is_made_once(api: ApiClient) -> None:
    api.post(one_table("sellers", record("sellers", seller_state="XX")))
    asked = partial(api.post, {"record": record("sellers")}, to=replay_path(RejectedRecord.objects.get()))
    first, again = (asked(Idempotency_Key="k") for _ in range(2))
    assert (first.status, again.text, again.headers["Location"]) == (201, first.text, first.headers["Location"])
    assert ("Idempotency-Replayed" in first.headers, again.headers["Idempotency-Replayed"]) == (False, "true")
    assert asked().status == 409
    assert Batch.objects.filter(origin="replay").count() == 1


def test_a_replay_that_failed_again_gets_its_answer_by_its_key(api: ApiClient) -> None:
    api.post(one_table("sellers", record("sellers", seller_state="XX")))
    asked = partial(api.post, "", to=replay_path(RejectedRecord.objects.get()), Idempotency_Key="k")
    first, again = asked(), asked()
    assert (first.status, again.text, RejectedRecord.objects.get().attempts) == (422, first.text, 1)


def test_a_key_of_another_replay_is_refused(api: ApiClient) -> None:
    customer, seller = group_of_two(api)
    api.post({}, to=replay_path(seller), Idempotency_Key="k")
    for path, body in ((replay_path(customer), {}), (replay_path(seller), {"on_conflict": "update"}), (None, SELLER)):
        reused = api.post(body, to=path or "/api/v1/batches/", Idempotency_Key="k")
        assert (reused.status, reused.json["code"]) == (422, "key_reused")


def test_a_refused_replay_leaves_its_key_free(api: ApiClient) -> None:
    customer, _ = group_of_two(api, mode="atomic")
    assert api.post({}, to=replay_path(customer), Idempotency_Key="k").status == 409
    assert api.post(SELLER, Idempotency_Key="k").status == 201
