"""Objects of others that lean on our tables: loads and batches work beside them, or say in one sentence what to do."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.api.client import ApiClient
from tests.support.api.parcels import one_table, record, tagged
from tests.support.loading.loads import (
    ONE_OF_EACH,
    assert_clear_error,
    hex_id,
    load,
    load_json,
    query,
    structures,
    write_files,
)
from tests.support.postgres.roles import connected_as, limited_role

pytestmark = pytest.mark.usefixtures("committed")
VIEW = "select customer_id, customer_city, customer_state from olist_customers group by customer_id"
IN_PLACE = "customers: written with constraint olist_customers_pkey on olist_customers in place:"
HAS_CHILDREN = "olist_customers is partitioned, or has a parent or child table"
# What somebody made, what takes it away, and what a load says of it.
NEIGHBOURS = {
    "a view by a key": (f"create view theirs as {VIEW}", "drop view theirs", f"{IN_PLACE} view theirs depends on it"),
    "a materialized view by a key": (
        f"create materialized view theirs as {VIEW}",
        "drop materialized view theirs",
        f"{IN_PLACE} materialized view theirs depends on it",
    ),
    "a function by a key": (
        (
            "create function theirs() returns text begin atomic; select customer_city from olist_customers"
            " group by customer_id; end"
        ),
        "drop function theirs()",
        f"{IN_PLACE} function theirs() depends on it",
    ),
    "a foreign key of another table": (
        "create table theirs (customer varchar(32) references olist_customers on delete cascade)",
        "drop table theirs",
        "",
    ),
    "a publication": (
        "create publication theirs for table olist_customers, olist_orders",
        "drop publication theirs",
        "",
    ),
    "a replica identity": (
        "alter table olist_customers replica identity using index olist_customers_pkey",
        "alter table olist_customers replica identity default",
        "",
    ),
    "a generated column": (
        (
            "alter table olist_customers add theirs text generated always as (upper(customer_city)) stored;"
            "create index theirs on olist_customers (theirs)"
        ),
        "alter table olist_customers drop theirs",
        "",
    ),
    "an exclusion constraint": (
        "alter table olist_customers add constraint theirs exclude using btree (customer_id with =)",
        "alter table olist_customers drop constraint theirs",
        "",
    ),
    "an index and statistics": (
        (
            "create index theirs on olist_customers (lower(customer_city)) where customer_state = 'SP';"
            "create statistics theirs on customer_city, customer_state from olist_customers"
        ),
        "drop index theirs; drop statistics theirs",
        "",
    ),
    "a trigger": (
        (
            "create table theirs (n int); create function theirs() returns trigger language plpgsql as"
            " 'begin insert into theirs values (1); return new; end';"
            "create constraint trigger theirs after insert or update on olist_customers deferrable initially deferred"
            " for each row execute function theirs()"
        ),
        "drop trigger theirs on olist_customers; drop function theirs(); drop table theirs",
        "",
    ),
    "a rule that also does something": (
        (
            "create table theirs (n int); create rule theirs as on insert to olist_customers"
            " do also insert into theirs values (1)"
        ),
        "drop rule theirs on olist_customers; drop table theirs",
        "",
    ),
    "row level security that the owner passes by": (
        "alter table olist_customers enable row level security",
        "alter table olist_customers disable row level security",
        "",
    ),
    "a child table": (
        "create table theirs () inherits (olist_customers)",
        "drop table theirs",
        "customers: written with every constraint and index in place: " + HAS_CHILDREN,
    ),
}


QUICK = {"a view by a key", "a foreign key of another table", "a trigger", "a child table"}


@contextmanager
def beside(name: str) -> Iterator[str]:
    """Have an object of ``NEIGHBOURS`` in the database; gives what a load says of it."""
    made, taken_away, said = NEIGHBOURS[name]
    query(made)
    try:
        yield said
    finally:
        query(taken_away)


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in NEIGHBOURS]
)
def test_a_load_a_second_load_and_a_batch_work_beside(name: str, tmp_path: Path, api: ApiClient) -> None:
    folder = write_files(tmp_path / "files", ONE_OF_EACH)
    changed = {**ONE_OF_EACH, "customers": [{"customer_city": "santos"}, {"customer_id": hex_id(2)}]}
    with beside(name) as said:
        built = structures()
        first = load_json(folder)
        assert first.report["notes"] == ([said] if said else [])
        assert first.counts["customers"] == first.counts["orders"] == {"read": 1, "inserted": 1}
        again = load_json(write_files(tmp_path / "changed", changed), "--on-conflict", "update")
        assert again.counts["customers"] == {"read": 2, "inserted": 1, "updated": 1}
        answer = api.post(
            {"records": [tagged("customers", customer_id=hex_id(3)), tagged("customers")], "on_conflict": "update"}
        )
        assert answer.counts == {"read": 2, "inserted": 1, "updated": 1}
        assert structures() == built
        assert query("select count(*) from only olist_customers") == [(3,)]


def test_a_load_says_on_the_console_what_it_left_in_place(tmp_path: Path) -> None:
    with beside("a view by a key") as said:
        assert (
            f"{said}. That takes longer: with one key about 1.2 times as long, with all of them twice"
            in load(write_files(tmp_path / "files", ONE_OF_EACH)).out
        )


def test_a_role_that_owns_nothing_loads_with_everything_in_place(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "files", ONE_OF_EACH)
    with limited_role() as role, connected_as(role):
        ran = load_json(folder)
        assert ran.counts["order_items"] == {"read": 1, "inserted": 1}
        assert len(ran.report["notes"]) == 9
        assert (
            "orders: written with every constraint and index in place: olist_orders belongs to another role"
            in (ran.report["notes"])
        )


def test_missing_parents_are_added_where_their_foreign_key_stays_in_place(tmp_path: Path) -> None:
    orphan = {"products": [{"product_category_name": "nova"}]}
    with limited_role() as role, connected_as(role):
        ran = load_json(write_files(tmp_path / "files", {**ONE_OF_EACH, **orphan}))
    assert ran.counts["products"] == {"read": 1, "inserted": 1}
    assert ran.report["tables"]["products"]["repaired"] == {"missing_parent": 1}


def test_rows_that_a_trigger_refuses_are_rejects(tmp_path: Path, api: ApiClient) -> None:
    customers = [{"customer_city": "atlantis"}, {"customer_id": hex_id(2)}]
    query(
        "create function theirs() returns trigger language plpgsql as $$ begin"
        " if new.customer_city = 'atlantis' then raise exception 'it sank'; end if; return new; end $$;"
        "create trigger theirs before insert on olist_customers for each row execute function theirs()"
    )
    try:
        ran = load_json(write_files(tmp_path / "files", {**ONE_OF_EACH, "customers": customers, "orders": []}))
        answer = api.post(one_table("customers", record("customers", customer_city="atlantis")))
    finally:
        query("drop trigger theirs on olist_customers; drop function theirs()")
    assert ran.counts["customers"] == {"read": 2, "inserted": 1, "rejected": 1}
    assert answer.codes == [(0, None, "database")]
    assert "it sank" in answer.text


DROPPING = "create function theirs() returns trigger language plpgsql as 'begin return null; end'"
BY_TRIGGER = (
    f"{DROPPING}; create trigger theirs before insert on olist_customers for each row execute function theirs()"
)
BY_RULE = f"{DROPPING}; create rule theirs as on insert to olist_customers do instead nothing"


@pytest.mark.parametrize("made", [BY_TRIGGER, BY_RULE], ids=["trigger", "rule"])
def test_rows_that_the_database_drops_in_silence_stop_a_load_and_a_batch(
    made: str, tmp_path: Path, api: ApiClient
) -> None:
    api.post(
        one_table("customers", record("customers", customer_id=hex_id(9)))
    )  # a load inserts then, and does not copy
    accounts = query("select count(*) from ingest_account")
    query(made)
    try:
        ran = load(write_files(tmp_path / "files", {"customers": [{}]}), "--table", "customers")
        answer = api.post(one_table("customers", record("customers")))
    finally:
        query("drop function theirs cascade; drop rule if exists theirs on olist_customers")
    assert_clear_error(ran, 3, "of 1 good rows PostgreSQL says to have written 0", "A trigger or rule of that table")
    if made is BY_TRIGGER:
        assert answer.status == 503
        assert query("select count(*) from ingest_account") == accounts
    else:  # a batch copies, which passes by rules
        assert answer.counts == {"read": 1, "inserted": 1}


def test_rows_that_row_level_security_hides_stop_a_load(tmp_path: Path, api: ApiClient) -> None:
    query("alter table olist_customers enable row level security")
    try:
        with limited_role() as role, connected_as(role):
            ran = load(write_files(tmp_path / "files", ONE_OF_EACH))
            assert_clear_error(
                ran, 3, "row level security hides rows of it from", "ALTER TABLE olist_customers OWNER TO"
            )
            assert api.post(one_table("customers", record("customers"))).status == 503
    finally:
        query("alter table olist_customers disable row level security")
