"""Objects of others that lean on a table: a restore leaves them as they are, or says in one sentence what to do."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from backups.restoring.restore import RestoreOrder, restore
from core.errors import BackupRefused, DatabaseFailed
from tests.support.backups.runs import backup_file, built, content, library, run
from tests.support.loading.loads import query
from tests.support.postgres.roles import connected_as, limited_role

pytestmark = pytest.mark.usefixtures("committed")
MODES = pytest.mark.parametrize("mode", ["replace", "merge"])
BY_KEY = "select id, name from shelves group by id"
# What somebody made, and what takes it away.
NEIGHBOURS = {
    "a view by a key": (f"create view theirs as {BY_KEY}", "drop view theirs"),
    "a materialized view by a key": (f"create materialized view theirs as {BY_KEY}", "drop materialized view theirs"),
    "a function by a key": (
        "create function theirs() returns text begin atomic; select name from shelves group by id; end",
        "drop function theirs()",
    ),
    "a foreign key of another table": (
        "create table theirs (shelf bigint references shelves on delete cascade); insert into theirs values (1)",
        "drop table theirs",
    ),
    "a publication": ("create publication theirs for table shelves", "drop publication theirs"),
    "a replica identity": (
        "alter table shelves replica identity using index shelves_pkey",
        "alter table shelves replica identity default",
    ),
    "a generated column": (
        "alter table shelves add theirs text generated always as (upper(name)) stored unique",
        "alter table shelves drop theirs",
    ),
    "an exclusion constraint": (
        "alter table shelves add constraint theirs exclude using btree (name with =)",
        "alter table shelves drop constraint theirs",
    ),
    "an index": ("create index theirs on shelves (lower(name)) where size > 1", "drop index theirs"),
    "a trigger": (
        (
            "create function theirs() returns trigger language plpgsql as 'begin return new; end';"
            "create trigger theirs before insert or update on shelves for each row execute function theirs()"
        ),
        "drop trigger theirs on shelves; drop function theirs()",
    ),
}


@contextmanager
def beside(made: str, taken_away: str) -> Iterator[None]:
    """Have an object of somebody's in the database."""
    query(made)
    try:
        yield
    finally:
        query(taken_away)


@MODES
@pytest.mark.parametrize("name", NEIGHBOURS)
def test_a_restore_leaves_what_leans_on_the_table_as_it_is(name: str, mode: str, store: Path) -> None:
    library()
    path = backup_file("shelves", store)
    with beside(*NEIGHBOURS[name]):
        before, structure = content("shelves"), built("shelves")
        query("update shelves set name = 'x' where id = 2")
        query("update shelves set size = 9")
        if name.startswith("a foreign key") and mode == "merge":
            with pytest.raises(BackupRefused, match="--mode replace"):  # it would delete the rows of others
                restore(RestoreOrder("shelves", path=str(path), mode=mode))
            return
        (table,) = restore(RestoreOrder("shelves", path=str(path), mode=mode)).tables
        assert (content("shelves"), built("shelves")) == (before, structure)
        if name.endswith("by a key") and mode == "replace":
            (note,) = table.notes
            assert note.startswith("written with constraint shelves_pkey on shelves in place: ")
            assert note.endswith("depends on it")
        else:
            assert table.notes == ()
        if name.startswith("a foreign key"):
            assert query("select shelf from theirs") == [(1,)]


@pytest.fixture
def lent(store: Path) -> Iterator[tuple[str, Path]]:
    """A role that owns the shelves, while a table of the administrator's refers to them; and a backup of them."""
    library()
    path = backup_file("shelves", store)
    query("create table theirs (shelf bigint references shelves on delete cascade)")
    query("insert into theirs values (1)")
    with limited_role("alter table shelves owner to {role}", "alter table books owner to {role}") as role:
        try:
            yield role, path
        finally:
            query("alter table shelves owner to current_user; alter table books owner to current_user")
            query("drop table theirs")


def test_what_cannot_be_replaced_is_merged_by_itself_and_says_so(lent: tuple[str, Path]) -> None:
    role, path = lent
    before = content("shelves")
    query("update shelves set size = 9")
    with connected_as(role):
        dry = run("restore_table", "shelves", "--dry-run").out
        said = run("restore_table", "shelves", "--from", path).out
    for text in (dry, said):
        assert "by merge from" in text
        assert "merged, since it cannot be replaced: foreign key theirs_shelf_fkey of theirs has to stay" in text
    assert content("shelves") == before
    assert query("select shelf from theirs") == [(1,)]


def test_what_cannot_be_replaced_is_refused_where_that_was_asked_for(lent: tuple[str, Path]) -> None:
    role, path = lent
    query("update shelves set size = 9")
    damaged = content("shelves")
    with connected_as(role):
        for more in ((), ("--dry-run",)):
            refused = run("restore_table", "shelves", "--from", path, "--mode", "replace", *more, code=1)
            assert "cannot be replaced: foreign key theirs_shelf_fkey of theirs has to stay" in refused.err
            assert "Restore it with --mode merge" in refused.err
    assert content("shelves") == damaged
    assert query("select shelf from theirs") == [(1,)]


def test_a_table_with_child_tables_is_not_emptied(store: Path) -> None:
    library()
    path = backup_file("shelves", store)
    with beside("create table theirs (mine text) inherits (shelves)", "drop table theirs"):
        query("insert into theirs (id, name, size, mine) values (9, 'mine', 1, 'kept')")
        with pytest.raises(BackupRefused, match="shelves has child tables, which would be emptied with it"):
            restore(RestoreOrder("shelves", path=str(path), mode="replace"))
        assert query("select mine from theirs") == [("kept",)]


@MODES
def test_a_trigger_that_changes_rows_on_their_way_in_keeps_a_restore_from_being_committed(
    mode: str, store: Path
) -> None:
    library()
    path = backup_file("shelves", store)
    made = (
        "create function theirs() returns trigger language plpgsql as 'begin new.size := 77; return new; end';"
        "create trigger theirs before insert or update on shelves for each row execute function theirs()"
    )
    with beside(made, "drop trigger theirs on shelves; drop function theirs()"):
        query("delete from loans; delete from books; delete from shelves where id = 1")
        damaged = content("shelves")
        with pytest.raises(DatabaseFailed, match="A trigger on the table may have changed the rows"):
            restore(RestoreOrder("shelves", path=str(path), mode=mode))
        assert content("shelves") == damaged


def test_rows_that_row_level_security_hides_are_not_left_out_of_a_backup_or_restore(store: Path) -> None:
    library()
    path = backup_file("shelves", store)
    made = "alter table shelves enable row level security; create policy theirs on shelves using (id = 1)"
    with (
        beside(made, "drop policy theirs on shelves; alter table shelves disable row level security"),
        limited_role() as role,
        connected_as(role),
    ):
        for command in (("backup_table", "shelves"), ("restore_table", "shelves", "--from", path)):
            said = run(*command, code=3).err
            assert "row level security hides rows of it from" in said
            assert "ALTER TABLE shelves OWNER TO" in said
