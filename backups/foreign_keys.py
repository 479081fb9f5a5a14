"""Foreign keys around tables that are restored, and the rows that would be left without their parent."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from psycopg2 import sql

from backups.tables import Shape
from core.postgres.tables import Cursor, Table

EXAMPLES = 5
_NO_ACTION = "a"
# The foreign keys from and to some tables, with both their ends and the columns of each.
_FOREIGN_KEYS = """
select c.conname, c.confdeltype::text, c.condeferrable,
       c.conrelid, cn.nspname, cc.relname, c.confrelid, pn.nspname, pc.relname,
       array(select a.attname::text from unnest(c.conkey) with ordinality as k(number, place)
             join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.number order by k.place),
       array(select a.attname::text from unnest(c.confkey) with ordinality as k(number, place)
             join pg_attribute a on a.attrelid = c.confrelid and a.attnum = k.number order by k.place)
from pg_constraint c
join pg_class cc on cc.oid = c.conrelid join pg_namespace cn on cn.oid = cc.relnamespace
join pg_class pc on pc.oid = c.confrelid join pg_namespace pn on pn.oid = pc.relnamespace
where c.contype = 'f' and (c.conrelid = any (%(tables)s) or c.confrelid = any (%(tables)s))
order by cc.relname, c.conname
"""
# How many rows (alias c) a condition finds, and some of the keys by which they refer to nobody.
_COUNT_ORPHANS = sql.SQL("""
with lost as materialized (select concat_ws(' ', {key}) as reference from {condition})
select (select count(*) from lost), array(select distinct reference from lost order by reference limit {examples})
""")


@dataclass(frozen=True, kw_only=True)
class ForeignKey:
    """``columns`` of ``child`` refer to ``parent_columns`` of ``parent``."""

    name: str
    child: Table
    parent: Table
    columns: tuple[str, ...]
    parent_columns: tuple[str, ...]
    may_wait: bool  # a parent may be deleted and put in again before the end of the transaction

    def join(self, child: str, parent: str) -> sql.Composable:
        """Say that a row with alias ``child`` refers to one with alias ``parent``."""
        pairs = zip(self.columns, self.parent_columns, strict=True)
        return sql.SQL(" and ").join(
            sql.SQL("{}.{} = {}.{}").format(*map(sql.Identifier, (child, mine, parent, theirs)))
            for mine, theirs in pairs
        )

    def refers(self, child: str) -> sql.Composable:
        """Say that a row refers to anything at all (MATCH SIMPLE)."""
        return sql.SQL(" and ").join(
            sql.SQL("{}.{} is not null").format(sql.Identifier(child), sql.Identifier(name)) for name in self.columns
        )


@dataclass(frozen=True, kw_only=True)
class Orphans:
    """``rows`` of ``table`` that refer by ``columns`` to rows of ``parent`` that would not be there."""

    table: str
    columns: tuple[str, ...]
    parent: str
    rows: int
    examples: tuple[str, ...]

    def __str__(self) -> str:
        named = ", ".join(self.columns)
        shown = ", ".join(self.examples)
        return f"{self.rows:,} rows of {self.table} ({named}) without a row of {self.parent}: {shown}"


def foreign_keys(cursor: Cursor, tables: Iterable[Table]) -> tuple[ForeignKey, ...]:
    """Read the foreign keys from and to ``tables``."""
    cursor.execute(_FOREIGN_KEYS, {"tables": [table.oid for table in tables]})
    return tuple(
        ForeignKey(
            name=name,
            child=Table(*ends[:3]),
            parent=Table(*ends[3:6]),
            columns=tuple(ends[6]),
            parent_columns=tuple(ends[7]),
            may_wait=on_delete == _NO_ACTION and deferrable,
        )
        for name, on_delete, deferrable, *ends in cursor.fetchall()
    )


def descendants(cursor: Cursor, table: Table) -> tuple[Table, ...]:
    """Find all tables that refer to ``table``, and to these, and so on, without itself; sorted by name."""
    family = {table.oid: table}
    while True:
        children = {
            key.child.oid: key.child for key in foreign_keys(cursor, family.values()) if key.parent.oid in family
        }
        if children.keys() <= family.keys():
            break
        family |= children
    others = (other for other in family.values() if other.oid != table.oid)
    return tuple(sorted(others, key=lambda other: other.name))


def border(keys: Iterable[ForeignKey], inside: Collection[Shape]) -> list[ForeignKey]:
    """Return the foreign keys with only one end among the tables of ``inside``: one snapshot vouches for the others."""
    oids = {shape.table.oid for shape in inside}
    return [key for key in keys if (key.child.oid in oids) != (key.parent.oid in oids)]


def orphans_now(cursor: Cursor, keys: Iterable[ForeignKey]) -> tuple[Orphans, ...]:
    """Find the rows that have no parent as the tables stand."""
    return tuple(
        orphans
        for key in keys
        if (
            orphans := find_orphans(
                cursor,
                key,
                sql.SQL("{} as c where {} and not exists (select from {} as p where {})").format(
                    key.child.identifier, key.refers("c"), key.parent.identifier, key.join("c", "p")
                ),
            )
        )
    )


def find_orphans(cursor: Cursor, key: ForeignKey, condition: sql.Composable) -> Orphans | None:
    """Count the rows ``FROM condition`` (alias c), with some of their references; None where there are none."""
    values = sql.SQL(", ").join(sql.SQL("c.{}::text").format(sql.Identifier(name)) for name in key.columns)
    cursor.execute(_COUNT_ORPHANS.format(key=values, condition=condition, examples=sql.Literal(EXAMPLES)))
    ((rows, examples),) = cursor.fetchall()
    if not rows:
        return None
    return Orphans(
        table=key.child.name, columns=key.columns, parent=key.parent.name, rows=rows, examples=tuple(examples)
    )
