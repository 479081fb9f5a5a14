"""A file from before a migration: what can be filled is filled and said, all else is refused by name."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection

from backups.restoring.restore import RestoreOrder, restore
from tests.support.backups.models import MODELS
from tests.support.backups.runs import backup_file, library, run
from tests.support.loading.loads import query

pytestmark = pytest.mark.usefixtures("committed")


@contextmanager
def migrated(statement: str) -> Iterator[None]:
    """Change the table of shelves, and make the tables anew after it."""
    query(statement)
    try:
        yield
    finally:
        with connection.schema_editor() as editor:
            for model in reversed(MODELS):
                editor.delete_model(model)
            for model in MODELS:
                editor.create_model(model)


@pytest.fixture
def shelves(store: Path) -> Path:
    library()
    return backup_file("shelves", store)


@pytest.mark.parametrize("mode", ["replace", "merge"])
def test_a_new_column_that_may_be_null_is_filled_and_said(mode: str, shelves: Path) -> None:
    with migrated("alter table shelves add colour text default 'red'"):
        query("update shelves set size = 8 where id = 1")
        query("delete from shelves where id = 3")
        said = run("restore_table", "shelves", "--mode", mode).out
        assert "note: column colour is not in the file: NULL" in said
        ((first, third),) = query(
            "select (select colour from shelves where id = 1), (select colour from shelves where id = 3)"
        )
        assert third is None
        assert first == (None if mode == "replace" else "red")  # a merge leaves alone what the file does not speak of


def test_a_merge_minds_no_unique_column_that_came_after_the_file(store: Path) -> None:
    query("insert into specimens (text, number) values ('first', 1), ('second', 2)")
    backup_file("specimens", store)
    with migrated("alter table specimens add badge text unique"):
        query("update specimens set number = 7 where text = 'first'; delete from specimens where text = 'second'")
        run("restore_table", "specimens", "--mode", "merge")
        assert query("select text, number, badge from specimens order by number") == [
            ("first", 1, None),
            ("second", 2, None),
        ]


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("alter table shelves add colour text not null default 'red'", "column colour is not in the file, and may not"),
        ("alter table shelves drop column size cascade", "column size is not in the table"),
        ("alter table shelves rename column name to title", "column name is not in the table"),
        (
            "alter table shelves drop column twice; alter table shelves alter column size type bigint",
            "column size was integer, and is bigint",
        ),
    ],
)
def test_what_does_not_fit_is_refused_by_name(statement: str, problem: str, shelves: Path) -> None:
    with migrated(statement):
        refused = run("restore_table", "shelves", "--from", shelves, code=1)
        assert problem in refused.err
        assert "its manifest names the migration" in refused.err


def test_a_wider_text_fits_and_is_said(shelves: Path) -> None:
    with migrated("alter table shelves alter column name type varchar(50)"):
        (table,) = restore(RestoreOrder("shelves", mode="replace")).tables
        assert table.notes == ("column name was character varying(20), and is character varying(50)",)


def test_rows_that_break_a_new_rule_are_refused(shelves: Path) -> None:
    with migrated("alter table shelves add constraint small check (size < 3) not valid"):
        for mode in ("replace", "merge"):
            query("delete from shelves where id = 3")
            refused = run("restore_table", "shelves", "--mode", mode, code=1)
            assert 'violates check constraint "small"' in refused.err
            assert query("select count(*) from shelves") == [(2,)]


def test_null_in_a_column_that_must_not_be_null_any_more_is_refused(store: Path) -> None:
    query("insert into specimens (id, text) values (1, null)")
    path = backup_file("specimens", store)
    query("truncate specimens")
    with migrated("alter table specimens alter column text set not null"):
        refused = run("restore_table", "specimens", "--from", path, code=1)
        assert "column text is NULL in 1 rows, and may not be NULL" in refused.err
