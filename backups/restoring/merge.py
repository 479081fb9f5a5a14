"""Merge: only what differs is deleted, updated, inserted. Readers are not kept out."""

from collections.abc import Collection, Iterable, Sequence

from psycopg2 import sql

from backups.foreign_keys import ForeignKey, Orphans, find_orphans
from backups.restoring.difference import Difference
from backups.restoring.examples import same
from backups.tables import Shape
from core.errors import BackupRefused
from core.postgres.tables import Cursor

NOTHING_MOVES = sql.SQL("false")
# Columns whose value another row may want: an index on an expression or a generated column, or on a part of the table,
# speaks of any of them.
_UNIQUE_COLUMNS = """
select a.attname, i.indexprs is not null or i.indpred is not null or coalesce(a.attgenerated <> '', false)
from pg_index i left join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
where i.indrelid = %(table)s and not i.indisprimary and (i.indisunique or i.indisexclusion)
"""
# The rows of a child that refer to a parent that goes or changes, and that no row of the file takes the place of.
_LEFT_BEHIND = sql.SQL("""
{child} as c
where exists (select from {changes} as g join {parent} as p on {same} where {to_parent})
  and not exists (select from {rows} as w where {to_wanted})
""")
# Whether any row has to be deleted and inserted again, since a unique value of it moves to or from another row.
_ANY_MOVES = sql.SQL("""
select exists (
    select from {changes} as c join {table} as t on {same_there} join {rows} as w on {same} where {moving}
)
""")
# The rows of the file that the table lacks; their numbers are the file's, also where the table gives its own.
_INSERT_MISSING = sql.SQL("""
insert into {table} ({columns}) overriding system value
select {values} from {rows} as w where not exists (select from {table} as t where {same})
""")


def merge(cursor: Cursor, differences: Sequence[Difference], keys: Collection[ForeignKey]) -> None:
    """Write ``differences`` (parents first) into their tables.

    BackupRefused where a unique value moves from one row to another in a table whose referring rows would go with it.
    """
    for difference in reversed(differences):
        _delete(cursor, difference, keys)
    for difference in differences:
        _update(cursor, difference)
        _insert(cursor, difference)


def orphans_after(cursor: Cursor, keys: Iterable[ForeignKey], differences: Sequence[Difference]) -> tuple[Orphans, ...]:
    """Find the rows that the merge would leave without their parent, by ``keys`` with one end outside of it."""
    by_table = {difference.fit.shape.table.oid: difference for difference in differences}
    orphans = []
    for key in keys:
        if key.parent.oid in by_table:
            orphans.append(_left_behind(cursor, key, by_table[key.parent.oid]))
        else:
            orphans.append(_without_parent(cursor, key, by_table[key.child.oid]))
    return tuple(filter(None, orphans))


def _left_behind(cursor: Cursor, key: ForeignKey, parent: Difference) -> Orphans | None:
    condition = _LEFT_BEHIND.format(
        child=key.child.identifier,
        changes=sql.Identifier(parent.changes),
        parent=key.parent.identifier,
        rows=sql.Identifier(parent.rows),
        same=same(parent.fit.shape.key, "g", "p"),
        to_parent=key.join("c", "p"),
        to_wanted=key.join("c", "w"),
    )
    return find_orphans(cursor, key, condition)


def _without_parent(cursor: Cursor, key: ForeignKey, child: Difference) -> Orphans | None:
    if not set(key.columns) <= set(child.fit.schema.names):
        return None  # a column that the file has not, and that is filled with NULL
    condition = sql.SQL("{} as c where {} and not exists (select from {} as p where {})").format(
        sql.Identifier(child.rows), key.refers("c"), key.parent.identifier, key.join("c", "p")
    )
    return find_orphans(cursor, key, condition)


def _delete(cursor: Cursor, difference: Difference, keys: Collection[ForeignKey]) -> None:
    """Delete what the file has not, and what has to make room for a unique value of another row."""
    shape = difference.fit.shape
    moving = _moving(cursor, difference)
    names: dict[str, sql.Composable] = {
        "table": shape.identifier,
        "changes": sql.Identifier(difference.changes),
        "rows": sql.Identifier(difference.rows),
        "same": difference.same_key,
        "same_there": same(shape.key, "t", "c"),
        "moving": moving,
    }
    if moving != NOTHING_MOVES:
        _assert_may_move(cursor, shape, names, keys)
    stays = sql.SQL("exists (select from {rows} as w where {same} and not ({moving}))")
    cursor.execute(
        sql.SQL("delete from {table} as t using {changes} as c where {same_there} and not {stays}").format(
            **names, stays=stays.format(**names)
        )
    )


def _moving(cursor: Cursor, difference: Difference) -> sql.Composable:
    """Say that a unique value differs between ``t`` and ``w``."""
    shape, names = difference.fit.shape, difference.fit.schema.names
    cursor.execute(_UNIQUE_COLUMNS, {"table": shape.table.oid})
    columns = cursor.fetchall()
    unique = names if any(anything for _, anything in columns) else [name for name, _ in columns if name in names]
    if not unique:
        return NOTHING_MOVES
    return sql.SQL(" or ").join(
        sql.SQL("t.{0} is distinct from w.{0}").format(sql.Identifier(name)) for name in sorted(set(unique))
    )


def _assert_may_move(
    cursor: Cursor, shape: Shape, names: dict[str, sql.Composable], keys: Collection[ForeignKey]
) -> None:
    """Refuse to delete and insert a row again where that would reach the rows that refer to it."""
    if all(key.may_wait for key in keys if key.parent.oid == shape.table.oid):
        return
    cursor.execute(_ANY_MOVES.format(**names))
    if cursor.fetchall() == [(True,)]:
        raise BackupRefused(
            what=shape.name,
            problem="a unique value moves between rows that others refer to by a foreign key that cannot wait",
            remedy="Restore it with --mode replace.",
        )


def _update(cursor: Cursor, difference: Difference) -> None:
    fit = difference.fit
    columns = [name for name in fit.schema.names if name not in fit.shape.key]
    if not columns or not difference.changed:
        return
    assignments = sql.SQL(", ").join(sql.SQL("{0} = w.{0}").format(sql.Identifier(name)) for name in columns)
    cursor.execute(
        sql.SQL("update {} as t set {} from {} as w where {}").format(
            fit.shape.identifier, assignments, sql.Identifier(difference.rows), difference.same_key
        )
    )


def _insert(cursor: Cursor, difference: Difference) -> None:
    fit = difference.fit
    names = (*fit.schema.names, *fit.filled)
    values: list[sql.Composable] = [sql.SQL("w.{}").format(sql.Identifier(name)) for name in fit.schema.names]
    values += [sql.SQL("null")] * len(fit.filled)
    cursor.execute(
        _INSERT_MISSING.format(
            table=fit.shape.identifier,
            columns=sql.SQL(", ").join(map(sql.Identifier, names)),
            values=sql.SQL(", ").join(values),
            rows=sql.Identifier(difference.rows),
            same=same(fit.shape.key, "t", "w"),
        )
    )
