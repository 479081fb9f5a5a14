"""A dirty sample against its truth file: every damage is found, and nothing else is touched."""

import hashlib
import json
import secrets
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ingest.models import Account, RejectedRecord
from olist.sample import write_sample
from olist.sample.layout import TABLES, FileLayout
from tests.support.loading.loads import BY_NAME, ONE_OF_EACH, Ran, Row, load_json, query, read_csv, write_files
from tests.support.loading.published import canonical, stored

pytestmark = pytest.mark.usefixtures("committed")
SCALE, DIRTY, SEED = 0.004, 0.1, 11

type Place = tuple[str, int]  # table and record number


@dataclass(frozen=True)
class Dirty:
    """A dirty folder, its truth by place, and the orphans: children that lose their parent."""

    folder: Path
    truth: dict[Place, dict[str, Any]]
    meta: dict[str, Any]
    orphans: dict[Place, set[str]]  # the parents waited for, as table/key
    clean: dict[str, list[Row]]  # the records before the damage; record n is item n - 1

    def outcomes(self, table: str, outcome: str) -> list[dict[str, Any]]:
        return [entry for (name, _), entry in self.truth.items() if name == table and entry["outcome"] == outcome]


@pytest.fixture(scope="module")
def dirty(tmp_path_factory: pytest.TempPathFactory) -> Dirty:
    folder, clean = tmp_path_factory.mktemp("dirty"), tmp_path_factory.mktemp("clean")
    write_sample(folder, scale=SCALE, seed=SEED, dirty=DIRTY)
    write_sample(clean, scale=SCALE, seed=SEED)
    told = json.loads((folder / "truth.json").read_text("utf-8"))
    truth = {(entry["table"], entry["record"]): entry for entry in told["records"]}
    rows = {table.name: read_csv(clean, table) for table in TABLES}
    return Dirty(folder=folder, truth=truth, meta=told["meta"], orphans=orphans_of(rows, truth), clean=rows)


def orphans_of(rows: dict[str, list[Row]], truth: dict[Place, dict[str, Any]]) -> dict[Place, set[str]]:
    """Follow the rejected parents down, table after table: which records go with them."""
    lost: dict[str, set[str]] = defaultdict(set)
    orphans: dict[Place, set[str]] = {}
    for table in TABLES:
        for number, row in enumerate(rows[table.name], 1):
            place = (table.name, number)
            missing = {
                f"{parent}/{row[name]}" for name, parent in table.references.items() if row[name] in lost[parent]
            }
            rejected = truth.get(place, {}).get("outcome") == "rejected"
            if missing and not rejected:
                orphans[place] = missing
            if missing or rejected:
                lost[table.name].add(row[table.key[0]])
    return orphans


def places(rejects: Any) -> dict[Place, RejectedRecord]:
    return {(reject.table, reject.position): reject for reject in rejects}


def assert_exact(reject: RejectedRecord, folder: Path) -> None:
    """Assert that the reject's bytes are those of its line (and the lines that follow) in its file."""
    raw = bytes(reject.raw)
    assert reject.file_name == BY_NAME[reject.table].file_name
    lines = (folder / reject.file_name).read_bytes().split(b"\n")
    assert reject.line is not None
    assert b"\n".join(lines[reject.line - 1 : reject.line + raw.count(b"\n")]).removesuffix(b"\r") == raw, reject
    assert bytes(reject.raw_sha256) == hashlib.sha256(raw).digest()


def assert_account(ran: Ran, dirty: Dirty, table: FileLayout, *, again: bool) -> None:
    counts = ran.report["tables"][table.name]
    orphans = sum(name == table.name for name, _ in dirty.orphans)
    habits = dirty.meta["habits"].get(table.name, {})
    assert counts["read"] == dirty.meta["rows"][table.name]
    assert counts["rejected"] == len(dirty.outcomes(table.name, "rejected")) + orphans
    assert counts["duplicates"] == len(dirty.outcomes(table.name, "duplicate")) + habits.get("duplicates", 0)
    good = counts["read"] - counts["rejected"] - counts["duplicates"]
    assert (counts["unchanged" if again else "inserted"], counts["updated"], counts["rolled_back"]) == (good, 0, 0)
    repairs = Counter(entry["rule"] for entry in dirty.outcomes(table.name, "repaired"))
    found = Counter(counts["repaired"])
    added = found.pop("missing_parent", 0)
    assert found == repairs + Counter(habits.get("repaired", {}))
    assert added == 0 or (table.name == "products" and not again)


def assert_rejects(dirty: Dirty, *, times_seen: int) -> None:
    rejects = places(RejectedRecord.objects.select_related("parent"))
    damaged = {place: entry for place, entry in dirty.truth.items() if entry["outcome"] == "rejected"}
    assert set(rejects) == set(damaged) | set(dirty.orphans)
    for place, reject in rejects.items():
        assert reject.times_seen == times_seen
        assert_exact(reject, dirty.folder)
        if place in damaged:
            assert_found(reject, damaged[place])
        else:
            assert set(reject.codes) == {"parent_rejected"}, (place, reject.reasons)
            assert set(reject.waits_for) == dirty.orphans[place]
            assert reject.parent is not None
            assert f"{reject.parent.table}/{reject.parent.natural_key}" in reject.waits_for


def assert_found(reject: RejectedRecord, entry: dict[str, Any]) -> None:
    assert (reject.codes, reject.line) == ([entry["code"]], entry["line"]), (entry, reject.reasons)
    (reason,) = reject.reasons
    assert reason["message"]
    if entry["field"] and entry["damage"] != "same_key":
        assert reject.fields == [reason["field"]] == [entry["field"]], entry
    if entry["code"] == "does_not_exist":
        assert reject.waits_for == [f"{BY_NAME[reject.table].references[entry['field']]}/{reason['value']}"]
    else:
        assert not reject.waits_for
    assert reject.parent is None
    assert (reject.record is None) == (entry["code"] in {"ragged_row", "encoding"})


def test_every_damage_is_found_where_it_is_and_no_other_record_is_touched(dirty: Dirty) -> None:
    ran = load_json(dirty.folder)
    counts = ran.report["tables"]
    assert ran.report["status"] == "partial"
    for table in TABLES:
        assert_account(ran, dirty, table, again=False)
        account = Account.objects.get(table=table.name)
        assert {**counts[table.name]} == {name: getattr(account, name) for name in counts[table.name]}
        assert_stored(dirty, table, inserted=account.inserted)
    assert_rejects(dirty, times_seen=1)
    assert sum(name == "order_items" for name, _ in dirty.orphans) > 0
    assert query("select count(*) from olist_product_category_name_translation") == [
        (counts["product_category_name_translation"]["inserted"] + counts["products"]["repaired"]["missing_parent"],)
    ]


def assert_stored(dirty: Dirty, table: FileLayout, *, inserted: int) -> None:
    """Every record that was good, or could be repaired, is in the table with its content; nothing else is."""
    gone = {place for place, entry in dirty.truth.items() if entry["outcome"] == "rejected"} | set(dirty.orphans)
    expected = {
        tuple(canonical(column.kind, row[column.name]) for column in table.columns)
        for number, row in enumerate(dirty.clean[table.name], 1)
        if (table.name, number) not in gone
    }
    found = list(stored(table))
    missing = expected - set(found)
    assert not missing, (table.name, list(missing)[:3])
    if table.name != "product_category_name_translation":  # which also holds what the products brought
        assert len(found) == inserted


def test_a_dirty_file_loaded_again_finds_its_rejects_again_and_leaves_closed_ones_closed(dirty: Dirty) -> None:
    load_json(dirty.folder)
    before = dict(RejectedRecord.objects.values_list("id", "batch"))
    closed = RejectedRecord.objects.filter(codes=["min_value"]).order_by("id").values_list("id", flat=True)[:2]
    dismissed, replayed = closed
    RejectedRecord.objects.filter(id=dismissed).update(status="dismissed", closed_why="known", reasons=[])
    RejectedRecord.objects.filter(id=replayed).update(status="replayed")
    ran = load_json(dirty.folder)
    kept = RejectedRecord.objects.get(id=dismissed)
    others = RejectedRecord.objects.exclude(id__in=[dismissed, replayed])
    for table in TABLES:
        assert_account(ran, dirty, table, again=True)
    assert dict(RejectedRecord.objects.values_list("id", "batch")) == before
    assert (kept.status, kept.closed_why, kept.reasons, kept.times_seen) == ("dismissed", "known", [], 2)
    assert RejectedRecord.objects.get(id=replayed).status == "replayed"
    assert set(others.values_list("status", "times_seen")) == {("open", 2)}
    assert set(RejectedRecord.objects.values_list("last_batch", flat=True)) != set(before.values())


def test_rejects_out_holds_every_reject_file_by_file_in_the_order_of_the_records(dirty: Dirty, tmp_path: Path) -> None:
    out = tmp_path / "rejects.ndjson"
    load_json(dirty.folder, "--rejects-out", str(out), "--dry-run")
    told = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    files = list(dict.fromkeys(each["table"] for each in told))
    positions = [(files.index(each["table"]), each["record"]) for each in told]
    assert positions == sorted(positions)
    found = {(each["table"], each["record"]): [reason["code"] for reason in each["reasons"]] for each in told}
    for place, entry in dirty.truth.items():
        assert found.get(place, []) == ([entry["code"]] if entry["outcome"] == "rejected" else [])
    assert set(found) - set(dirty.truth) == set(dirty.orphans)


def test_a_record_with_an_endless_key_is_one_reject_and_does_not_stop_the_load(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "files", {**ONE_OF_EACH, "sellers": [{"seller_id": secrets.token_hex(20_000)}, {}]})
    report = load_json(folder).report["tables"]["sellers"]
    assert (report["inserted"], report["rejected"]) == (1, 1)
    reject = RejectedRecord.objects.get()
    assert len(bytes(reject.raw)) > 40_000
    assert len(reject.natural_key) == 500
