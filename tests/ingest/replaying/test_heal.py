"""Orphans heal when their parents come, and rejects whose key came in good are superseded."""

import io
from pathlib import Path
from unittest import mock

import pytest
from django.core.management import call_command

from core.errors import TableBusy
from core.postgres.engine.session_settings import is_unhurried
from ingest.models import Batch, RejectedRecord
from ingest.replaying import heal
from ingest.rules.sources import sources
from tests.support.api.client import Answered, ApiClient
from tests.support.api.parcels import one_table, order_with_parts, record, stored, tagged
from tests.support.loading.loads import PLAIN, hex_id, load_json, query, write_files

pytestmark = pytest.mark.usefixtures("committed")


def statuses() -> dict[str, list[str]]:
    """Return the statuses of all rejects, by table."""
    found: dict[str, list[str]] = {}
    for reject in RejectedRecord.objects.order_by("pk"):
        found.setdefault(reject.table, []).append(reject.status)
    return found


def sweep(*arguments: str) -> str:
    out = io.StringIO()
    call_command("replay_rejects", *arguments, stdout=out)
    return out.getvalue()


def test_no_timeout_of_the_server_ends_a_sweep() -> None:
    unhurried: list[bool] = []

    def look(_: object) -> int:
        unhurried.append(is_unhurried())
        return 0

    with mock.patch.object(heal._Replays, "run", autospec=True, side_effect=look):
        sweep()
    assert unhurried == [True]


@pytest.fixture
def parent(api: ApiClient, committed: None) -> Answered:
    """The answer to a customer whose order, and then its items and payments, have been waiting."""
    parts = {part["table"]: part["data"] for part in order_with_parts()}
    for table in ("sellers", "products"):
        api.post(one_table(table, parts[table]))
    orphans = [tagged(table, **parts[table]) for table in ("order_items", "order_payments", "orders")]
    assert api.post({"records": orphans}).counts == {"read": 3, "rejected": 3}
    return api.post(one_table("customers", parts["customers"]))


def test_orphans_are_accepted_when_their_parent_comes_and_theirs_in_turn(parent: Answered) -> None:
    assert parent.counts == {"read": 1, "inserted": 1}
    assert statuses() == {"orders": ["replayed"], "order_items": ["replayed"], "order_payments": ["replayed"]}
    assert [stored(table) for table in ("orders", "order_items", "order_payments")] == [1, 1, 1]


def test_each_turn_of_orphans_is_a_batch_caused_by_the_one_before(parent: Answered) -> None:
    first, second = Batch.objects.filter(origin="replay").order_by("started_at")
    assert (str(first.caused_by_id), second.caused_by) == (parent.json["id"], first)
    assert [account.inserted for account in (*first.accounts.all(), *second.accounts.all())] == [1, 1, 1]


def test_an_orphan_with_another_fault_or_another_missing_parent_stays_open(api: ApiClient) -> None:
    for table in ("sellers", "products"):
        api.post(one_table(table, {part["table"]: part["data"] for part in order_with_parts()}[table]))
    api.post(
        one_table(
            "orders", record("orders", order_status="x"), record("orders", order_id=hex_id(2), customer_id=hex_id(9))
        )
    )
    api.post(one_table("customers", record("customers")))
    assert statuses() == {"orders": ["open", "open"]}
    assert not Batch.objects.filter(origin="replay").exists()


def test_a_group_heals_whole_or_not_at_all(api: ApiClient) -> None:
    whole = [tagged("orders", group="a"), tagged("order_payments", group="a")]
    broken = [
        tagged("orders", group="b", order_id=hex_id(2)),
        tagged("order_payments", group="b", order_id=hex_id(2), payment_type="cheque"),
    ]
    assert api.post({"records": [*whole, *broken]}).counts == {"read": 4, "rejected": 4}
    api.post(one_table("customers", record("customers")))
    assert statuses() == {"orders": ["replayed", "open"], "order_payments": ["replayed", "open"]}
    assert (stored("orders"), stored("order_payments")) == (1, 1)


def test_a_load_heals_what_waited_for_its_rows(api: ApiClient, tmp_path: Path) -> None:
    api.post(one_table("orders", *(record("orders", order_id=hex_id(number)) for number in range(1500, 2500))))
    api.post(one_table("orders", *(record("orders", order_id=hex_id(number)) for number in range(2500, 2600))))
    load_json(write_files(tmp_path / "files", {"customers": [{}]}))
    assert stored("orders") == 1100
    assert set(RejectedRecord.objects.values_list("status", flat=True)) == {"replayed"}
    causes = {batch.caused_by.origin for batch in Batch.objects.filter(origin="replay") if batch.caused_by}
    assert causes == {"load"}


def test_records_that_refer_to_nothing_wait_for_nothing(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    api.post(one_table("orders", record("orders")))
    monkeypatch.setattr(heal, "sources", lambda: [each for each in sources() if not each.contract.references])
    assert "0 " in sweep()
    assert statuses() == {"orders": ["open"]}


def test_rejects_of_an_atomic_batch_do_not_heal(api: ApiClient) -> None:
    api.post({"records": [tagged("orders")], "mode": "atomic"})
    api.post(one_table("customers", record("customers")))
    assert statuses() == {"orders": ["open"]}


@pytest.fixture
def nobody_healed(committed: None, api: ApiClient) -> None:
    """Two orphans, one of whose parents has come past the endpoint."""
    api.post(one_table("orders", record("orders"), record("orders", order_id=hex_id(2), customer_id=hex_id(9))))
    names = ", ".join(PLAIN["customers"])
    query(f"insert into olist_customers ({names}) values (%s, %s, %s, %s, %s)", *PLAIN["customers"].values())


@pytest.mark.usefixtures("nobody_healed")
def test_the_sweep_finds_orphans_that_nobody_healed() -> None:
    assert sweep() == "1 rejects replayed: 1 accepted, 0 still open.\n"


@pytest.mark.usefixtures("nobody_healed")
def test_the_sweep_of_another_table_leaves_them_alone() -> None:
    assert sweep("--table", "sellers") == "0 rejects replayed: 0 accepted, 0 still open.\n"


@pytest.mark.usefixtures("nobody_healed")
def test_the_sweep_of_a_code_replays_also_what_is_still_an_orphan() -> None:
    sweep()
    assert sweep("--code", "does_not_exist") == "1 rejects replayed: 0 accepted, 1 still open.\n"
    assert RejectedRecord.objects.get(natural_key=hex_id(2)).attempts == 1


def test_a_reject_whose_key_comes_in_good_is_superseded(api: ApiClient) -> None:
    api.post(
        one_table(
            "sellers", record("sellers", seller_state="XX"), record("sellers", seller_id=hex_id(2), seller_state="XX")
        )
    )
    good = api.post(one_table("sellers", record("sellers")))
    closed, other = RejectedRecord.objects.order_by("natural_key")
    assert (closed.status, other.status) == ("superseded", "open")
    assert good.json["id"] in closed.closed_why
    assert closed.closed_at is not None


@pytest.fixture
def bad_after_good(committed: None, api: ApiClient) -> None:
    """A seller that is stored, and a bad one with its key."""
    api.post(one_table("sellers", record("sellers")))
    api.post(one_table("sellers", record("sellers", seller_state="XX")))


@pytest.mark.usefixtures("bad_after_good")
def test_a_record_that_was_there_already_supersedes_nothing(api: ApiClient) -> None:
    assert api.post(one_table("sellers", record("sellers"))).counts == {"read": 1, "unchanged": 1}
    assert statuses() == {"sellers": ["open"]}


@pytest.mark.usefixtures("bad_after_good")
def test_an_update_supersedes_the_reject_of_its_key(api: ApiClient) -> None:
    api.post(one_table("sellers", record("sellers", seller_city="rio"), on_conflict="update"))
    assert statuses() == {"sellers": ["superseded"]}


def test_a_reject_of_the_same_batch_is_not_superseded(api: ApiClient) -> None:
    answer = api.post(one_table("sellers", record("sellers"), record("sellers", seller_city="rio")))
    assert answer.counts == {"read": 2, "inserted": 1, "rejected": 1}
    assert statuses() == {"sellers": ["open"]}


@pytest.mark.parametrize("merged", [False, True])
def test_a_load_supersedes_rejects_whose_keys_it_brings(api: ApiClient, *, merged: bool, tmp_path: Path) -> None:
    if merged:
        api.post(one_table("sellers", record("sellers", seller_id=hex_id(5)), record("sellers", seller_id=hex_id(6))))
    bad = [record("sellers", seller_id=hex_id(number), seller_state="XX") for number in (1, 5, 6, 7)]
    api.post(one_table("sellers", *bad))
    rows = [{"seller_id": hex_id(1)}, {"seller_id": hex_id(5)}, {"seller_id": hex_id(6), "seller_city": "rio"}]
    load_json(write_files(tmp_path / "files", {"sellers": rows}), "--on-conflict", "update")
    found = {int(r.natural_key, 16): r.status for r in RejectedRecord.objects.all()}
    # 5 was there before, to the letter, where the load had to be merged
    assert found == {1: "superseded", 5: "open" if merged else "superseded", 6: "superseded", 7: "open"}


def test_a_healing_that_fails_leaves_the_load_as_done_and_says_what_heals_later(
    api: ApiClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(batch: object) -> None:
        raise TableBusy(tables="orders", holder="a restore", remedy="")

    api.post(one_table("orders", record("orders")))
    monkeypatch.setattr("ingest.loading.load.heal", busy)
    ran = load_json(write_files(tmp_path / "files", {"customers": [{}]}))
    assert ran.report["status"] == "accepted"
    assert "manage.py replay_rejects will" in ran.err
    assert sweep() == "1 rejects replayed: 1 accepted, 0 still open.\n"


def test_orphans_of_an_update_are_healed_as_one_the_last_of_a_key_counts(api: ApiClient) -> None:
    orders = [record("orders", order_status=status) for status in ("shipped", "delivered")]
    assert api.post(one_table("orders", *orders, on_conflict="update")).counts == {"read": 2, "rejected": 2}
    api.post(one_table("customers", record("customers")))
    assert query("select order_status from olist_orders") == [("delivered",)]
    assert statuses() == {"orders": ["superseded", "replayed"]}


def test_a_record_that_was_superseded_in_its_batch_is_never_healed(api: ApiClient) -> None:
    api.post(one_table("customers", record("customers")))
    orders = [record("orders", order_status=status) for status in ("shipped", "delivered")]
    api.post(one_table("orders", *orders, on_conflict="update"))
    query("delete from olist_orders")
    assert "0" in sweep("--code", "superseded_in_batch")
    assert (stored("orders"), statuses()) == (0, {"orders": ["superseded"]})
