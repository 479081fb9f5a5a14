"""The options of `load_olist`, and what it prints."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyarrow import fs

from ingest.models import Account, Batch, RejectedRecord
from olist.sample import write_sample
from tests.support.aws.moto import amazon, buckets, name_by_environment
from tests.support.loading.loads import (
    FILES,
    ONE_OF_EACH,
    Ran,
    fingerprints,
    hex_id,
    load,
    load_json,
    nothing_stored,
    query,
    structures,
    write_files,
)

pytestmark = pytest.mark.usefixtures("committed")
MEMBERS = {"read", "inserted", "updated", "unchanged", "duplicates", "rejected", "rolled_back", "repaired"}
# Four customers of whom one is wrong, with an order each.
FOUR = {
    **ONE_OF_EACH,
    "customers": [
        {"customer_id": hex_id(1)},
        {"customer_id": hex_id(2), "customer_state": "XX"},
        {"customer_id": hex_id(3)},
        {"customer_id": hex_id(4)},
    ],
    "orders": [{"order_id": hex_id(number), "customer_id": hex_id(number)} for number in (1, 2, 3, 4)],
}


@pytest.fixture
def four(tmp_path: Path) -> Path:
    return write_files(tmp_path / "four", FOUR)


def test_json_is_one_object_with_the_whole_account(four: Path) -> None:
    ran = load_json(four)
    report = ran.report
    assert ran.err == ""
    assert list(report) == ["batch", "status", "seconds", "tables", "notes"]
    assert list(report["tables"]) == list(FILES)
    for counts in report["tables"].values():
        assert set(counts) == {*MEMBERS, "skipped", "signs"}
        assert counts["read"] == sum(counts[part] for part in MEMBERS - {"read", "repaired"})
    assert ran.counts["customers"] == {"read": 4, "inserted": 3, "rejected": 1}


def test_the_batch_of_a_load_says_what_the_load_said(four: Path) -> None:
    report = load_json(four).report
    batch = Batch.objects.get()
    assert (str(batch.id), batch.status, batch.origin, batch.source) == (
        report["batch"],
        "partial",
        "load",
        str(four),
    )
    assert batch.finished_at is not None


def test_the_child_of_a_record_that_is_rejected_waits_for_it(four: Path) -> None:
    load_json(four)
    child = RejectedRecord.objects.get(table="orders")
    assert child.parent == RejectedRecord.objects.get(table="customers")
    assert child.waits_for == [f"customers/{hex_id(2)}"]


def test_text_shows_every_table_and_says_what_it_means(four: Path) -> None:
    ran = load(four)
    assert (ran.code, ran.err) == (0, "")
    lines = {line.split()[0]: line.split()[1:] for line in ran.out.splitlines()}
    assert lines["customers"] == ["4", "3", "0", "0", "0", "1", "0"]
    assert lines["order_reviews"] == ["1", "1", "0", "0", "0", "0", "0"]
    assert "12 rows written, 2 records rejected. 14 records in " not in ran.out  # the sum is of all nine tables
    assert "13 rows written, 2 records rejected. 15 records in " in ran.out
    assert "admin under Ingest > Rejected records" in ran.out


def test_text_says_that_a_dry_run_wrote_nothing(four: Path) -> None:
    assert "Dry run: nothing was written." in load(four, "--dry-run").out


@pytest.mark.parametrize("limit", ["0", "24%"])
@pytest.mark.parametrize("stored", [False, True])
def test_a_file_with_more_rejects_than_allowed_is_refused_with_its_children_and_no_other(
    limit: str, *, stored: bool, four: Path, tmp_path: Path
) -> None:
    if stored:
        load_json(write_files(tmp_path / "before", {"customers": [{"customer_id": hex_id(9)}]}))
    before, built = fingerprints(), structures()
    ran = load(four, "--max-rejects", limit)
    assert (ran.code, ran.err) == (1, "")
    assert "customers: refused, more than --max-rejects (1); nothing of it was kept." in ran.out
    for child in ("orders", "order_items", "order_payments", "order_reviews"):
        assert f"{child}: not loaded, because a table that it refers to was refused." in ran.out
    others = {"product_category_name_translation", "geolocation", "sellers", "products"}
    assert {table for table, now in fingerprints().items() if now != before[table]} == {
        f"olist_{name}" for name in others
    }
    assert structures() == built


@pytest.mark.parametrize(("limit", "stored"), [("0", True), ("24%", False)])
def test_a_file_that_is_refused_has_its_account_and_the_reject_for_which_it_was(
    limit: str, *, stored: bool, four: Path, tmp_path: Path
) -> None:
    if stored:
        load_json(write_files(tmp_path / "before", {"customers": [{"customer_id": hex_id(9)}]}))
    load(four, "--max-rejects", limit)
    account = Account.objects.exclude(file_name="").get(batch__source=str(four), table="customers")
    assert (account.read, account.rejected, account.rolled_back, account.status) == (4, 1, 3, "rejected")
    reject = RejectedRecord.objects.get()
    assert (reject.table, reject.position, reject.line, reject.codes) == ("customers", 2, 3, ["invalid_choice"])
    assert Batch.objects.get(source=str(four)).status == "rejected"


def test_what_was_refused_can_be_loaded_with_a_higher_limit_and_its_reject_is_seen_twice(four: Path) -> None:
    load(four, "--max-rejects", "0")
    reject = RejectedRecord.objects.get()
    again = load_json(four, "--max-rejects", "1")
    assert again.counts["customers"] == {"read": 4, "inserted": 3, "rejected": 1}
    assert again.counts["geolocation"] == {"read": 1, "unchanged": 1}
    assert RejectedRecord.objects.get(id=reject.id).times_seen == 2
    assert RejectedRecord.objects.count() == 2


@pytest.mark.parametrize("limit", ["1", "25%", "100%"])
def test_as_many_rejects_as_allowed_are_accepted(limit: str, four: Path) -> None:
    assert load_json(four, "--max-rejects", limit).report["status"] == "partial"


def test_a_refused_load_prints_its_account_as_json_too(four: Path) -> None:
    ran = load_json(four, "--max-rejects", "0", code=1)
    assert ran.report["status"] == "rejected"
    assert ran.counts["customers"] == {"read": 4, "rejected": 1, "rolled_back": 3}
    assert ran.counts["orders"] == {}


@pytest.fixture(scope="module")
def dirty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dirty")
    write_sample(folder, scale=0.001, seed=3, dirty=0.2)
    return folder


def test_a_dry_run_counts_as_the_real_run_and_writes_nothing(dirty: Path, tmp_path: Path) -> None:
    dry = load_json(dirty, "--dry-run")
    assert dry.report["batch"] is None
    assert nothing_stored()
    real = load_json(dirty)
    assert real.report["tables"] == dry.report["tables"]
    assert real.report["status"] == dry.report["status"]


def test_a_dry_run_over_its_own_rows_counts_as_the_real_run(dirty: Path) -> None:
    load_json(dirty)
    dry = load_json(dirty, "--dry-run")
    assert dry.report["tables"] == load_json(dirty).report["tables"]


@pytest.fixture
def over_stored(committed: None, tmp_path: Path) -> Path:
    """Files with every outcome over what is stored: new, changed, the same, twice, wrong, and a category to fill."""
    load_json(write_files(tmp_path / "before", {**FOUR, "products": [{"product_category_name": "agro"}]}))
    return write_files(
        tmp_path / "changed",
        {
            **FOUR,
            "product_category_name_translation": [{}, {"product_category_name": "agro"}],
            "customers": [
                *FOUR["customers"][:2],
                {"customer_id": hex_id(3), "customer_city": "rio"},
                {},
                {"customer_id": hex_id(5)},
            ],
            "products": [{"product_category_name": "arte"}, {"product_id": hex_id(2), "product_category_name": "arte"}],
        },
    )


@pytest.mark.parametrize("on_conflict", ["reject", "update"])
def test_a_dry_run_over_stored_rows_writes_nothing(on_conflict: str, over_stored: Path) -> None:
    before, rejects, batches = fingerprints(), RejectedRecord.objects.count(), Batch.objects.count()
    load_json(over_stored, "--on-conflict", on_conflict, "--dry-run")
    assert (fingerprints(), RejectedRecord.objects.count(), Batch.objects.count()) == (before, rejects, batches)


@pytest.mark.parametrize("on_conflict", ["reject", "update"])
def test_a_dry_run_over_stored_rows_counts_as_the_real_run(on_conflict: str, over_stored: Path) -> None:
    dry, real = (load_json(over_stored, "--on-conflict", on_conflict, *options) for options in (["--dry-run"], []))
    assert dry.report["tables"] == real.report["tables"]
    updated = on_conflict == "update"
    assert real.counts["customers"] == {
        "read": 5,
        "inserted": 1,
        "unchanged": 1,
        "duplicates": 1,
        **({"rejected": 1, "updated": 1} if updated else {"rejected": 2}),
    }
    assert real.counts["product_category_name_translation"] == {"read": 2, "updated": 1, "unchanged": 1}
    assert real.report["tables"]["products"]["repaired"] == {"missing_parent": 1}


def test_a_dry_run_keeps_the_limit_too(four: Path) -> None:
    dry = load_json(four, "--dry-run", "--max-rejects", "0", code=1)
    assert nothing_stored()
    assert dry.report["tables"] == load_json(four, "--max-rejects", "0", code=1).report["tables"]


@pytest.fixture
def two_tables(committed: None, four: Path) -> Ran:
    """A load of two tables by their names, without files that it does not need."""
    for name in ("geolocation", "order_reviews"):
        (four / FILES[name]).unlink()
    return load_json(four, "--table", "sellers", "--table", "customers")


def test_only_the_named_tables_are_loaded_and_only_their_files_needed(two_tables: Ran) -> None:
    assert list(two_tables.report["tables"]) == ["customers", "sellers"]
    assert query("select (select count(*) from olist_customers), (select count(*) from olist_orders)") == [(3, 0)]


@pytest.mark.usefixtures("two_tables")
def test_tables_named_later_find_the_parents_that_were_loaded_before(four: Path) -> None:
    ran = load_json(four, "--table", "order_items", "--table", "orders", "--table", "products")
    assert ran.counts == {
        "products": {"read": 1, "inserted": 1},
        "orders": {"read": 4, "inserted": 3, "rejected": 1},
        "order_items": {"read": 1, "inserted": 1},
    }
    # Nobody refused the customer in this load: it is simply not there.
    assert RejectedRecord.objects.get(table="orders").codes == ["does_not_exist"]


def test_a_child_file_alone_finds_its_stored_parents_and_names_the_missing_ones(four: Path, tmp_path: Path) -> None:
    load_json(four)
    items = [{}, {"order_item_id": "2", "seller_id": hex_id(7), "product_id": hex_id(8)}]
    ran = load_json(write_files(tmp_path / "items", {"order_items": items}), "--table", "order_items")
    assert ran.counts == {"order_items": {"read": 2, "unchanged": 1, "rejected": 1}}
    reject = RejectedRecord.objects.get(table="order_items")
    assert sorted(reject.fields) == ["product_id", "seller_id"]
    assert reject.codes == ["does_not_exist"] * 2
    assert sorted(reject.waits_for) == [f"products/{hex_id(8)}", f"sellers/{hex_id(7)}"]
    assert (reject.natural_key, reject.stage) == (f"{hex_id(1)} 2", "references")


def test_rejects_out_says_of_every_reject_where_it_is_and_why(four: Path, tmp_path: Path) -> None:
    out = tmp_path / "rejects.ndjson"
    load_json(four, "--rejects-out", str(out))
    customer, order = map(json.loads, out.read_text("utf-8").splitlines())
    assert (customer["table"], customer["file"]) == ("customers", FILES["customers"])
    assert (customer["record"], customer["line"], customer["key"]) == (2, 3, hex_id(2))
    assert customer["raw"] == f"{hex_id(2)},{hex_id(1)},01037,sao paulo,XX"
    (reason,) = customer["reasons"]
    assert (reason["field"], reason["code"], reason["value"]) == ("customer_state", "invalid_choice", "XX")
    assert [reason["code"] for reason in order["reasons"]] == ["parent_rejected"]


def test_rejects_out_of_a_file_that_is_refused_holds_the_same(four: Path, tmp_path: Path) -> None:
    kept, refused = tmp_path / "kept.ndjson", tmp_path / "refused.ndjson"
    load_json(four, "--rejects-out", str(kept))
    load_json(four, "--rejects-out", str(refused), "--max-rejects", "0", code=1)  # still the way to mend them
    assert refused.read_text("utf-8").splitlines() == kept.read_text("utf-8").splitlines()[:1]


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[fs.S3FileSystem]:
    """An S3 server with the bucket `data`."""
    with amazon() as address:
        name_by_environment(monkeypatch, address)
        files = buckets(address)
        files.create_dir("data")
        yield files


def test_an_s3_prefix_loads_as_a_folder_does(four: Path, bucket: fs.S3FileSystem) -> None:
    for name in FILES.values():
        with bucket.open_output_stream(f"data/olist/{name}") as stream:
            stream.write((four / name).read_bytes())
    ran = load_json("s3://data/olist/")
    assert ran.counts["customers"] == {"read": 4, "inserted": 3, "rejected": 1}
    assert Batch.objects.get().source == "s3://data/olist/"
    before = fingerprints()
    assert load_json(four).counts["customers"] == {"read": 4, "unchanged": 3, "rejected": 1}
    assert fingerprints() == before
    assert load("s3://data/nothing").code == 2
