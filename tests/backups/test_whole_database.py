"""Everything that a load leaves, backed up as one run and brought back table by table."""

from pathlib import Path

import pytest

from backups.backing_up.backup import backup
from backups.models import Backup
from backups.restoring.restore import RestoreOrder, restore
from backups.tables import all_tables
from olist.sample import write_sample
from tests.support.backups.runs import built, content, run
from tests.support.loading.loads import query


@pytest.fixture
def loaded(committed: None, tmp_path: Path) -> None:
    """The nine tables with rows, and batches, accounts and rejects of a dirty load."""
    write_sample(tmp_path / "files", scale=0.002, seed=3, dirty=0.05)
    run("load_olist", tmp_path / "files")
    assert query("select count(*) > 0 from ingest_rejectedrecord") == [(True,)]


@pytest.mark.usefixtures("loaded")
def test_a_lost_database_comes_back_from_one_run(store: Path) -> None:
    tables = all_tables()
    before, structures = {table: content(table) for table in tables}, built(*tables)
    assert {result.table: result.rows for result in backup()} == {table: was.rows for table, was in before.items()}
    run("verify_backup", "--all")
    query(f"truncate {', '.join(tables)} cascade")
    for head in ("product_category_name_translation", "geolocation", "customers", "sellers", "ingest_batch"):
        run("restore_table", head)
    for table in ("products", "orders", "order_items", "order_payments", "order_reviews"):
        restore(RestoreOrder(table))
    run("restore_table", "ingest_account")
    run("restore_table", "ingest_rejectedrecord")
    assert ({table: content(table) for table in tables}, built(*tables)) == (before, structures)
    assert Backup.objects.filter(origin="safety").count() == 0


@pytest.mark.slow
@pytest.mark.usefixtures("loaded")
def test_the_head_of_a_family_brings_all_of_it_back(store: Path) -> None:
    tables = all_tables()
    before = {table: content(table) for table in tables}
    backup()
    query("truncate olist_customers, olist_products cascade")
    run("restore_table", "customers")
    run("restore_table", "products")
    run("restore_table", "orders", "--with-children")
    query("delete from olist_order_items where order_item_id = 1")
    query("update olist_orders set order_status = 'canceled'")
    query("update olist_customers set customer_city = 'x' where customer_state = 'SP'")
    run("restore_table", "customers", "--with-children", "--mode", "merge", "--no-safety-backup")
    assert {table: content(table) for table in tables} == before
