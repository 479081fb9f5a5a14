"""Constraints and indexes of a table, as the statements that drop them and make them again under their own names."""

from dataclasses import dataclass

from core.postgres.tables import Cursor, Table

# Keys, exclusions and foreign keys (own and incoming) of a table: what drops them, makes them again, comments on them.
# Foreign keys first, since they depend on keys, and plain indexes last; made again the other way round.
_CONSTRAINTS = """
select c.contype, format('constraint %%I on %%s', c.conname, c.conrelid::regclass),
       format('alter table %%s drop constraint %%I', c.conrelid::regclass, c.conname),
       format('alter table %%s add constraint %%I %%s', c.conrelid::regclass, c.conname, pg_get_constraintdef(c.oid)),
       case when d.description is not null then
           format('comment on constraint %%I on %%s is %%L', c.conname, c.conrelid::regclass, d.description) end,
       case when c.contype <> 'f' then c.conindid end
from pg_constraint c
left join pg_description d on d.objoid = c.oid and d.classoid = 'pg_constraint'::regclass and d.objsubid = 0
where c.contype in ('p', 'u', 'x', 'f') and %(table)s in (c.conrelid, c.confrelid) and c.conparentid = 0
order by c.contype <> 'f', c.contype = 'p', c.conrelid::regclass::text, c.conname
"""
# The indexes that belong to no constraint, likewise.
_INDEXES = """
select 'i', format('index %%s', i.indexrelid::regclass), format('drop index %%s', i.indexrelid::regclass),
       pg_get_indexdef(i.indexrelid), null, i.indexrelid
from pg_index i
where i.indrelid = %(table)s
  and not exists (select from pg_constraint c where c.conindid = i.indexrelid and c.contype in ('p', 'u', 'x'))
order by i.indexrelid::regclass::text
"""
# What no definition tells, as statements that set it on the new index.
_SETTINGS = """
select i.indexrelid, s.statement
from pg_index i
join pg_class c on c.oid = i.indexrelid
cross join lateral (
    select format('alter table %%s cluster on %%I', i.indrelid::regclass, c.relname) where i.indisclustered
    union all
    select format('alter table %%s replica identity using index %%I', i.indrelid::regclass, c.relname)
    where i.indisreplident
    union all
    select format('alter index %%s set (%%I = %%L)', c.oid::regclass, o.option_name, o.option_value)
    from pg_options_to_table(c.reloptions) o
    union all
    select format('comment on index %%s is %%L', c.oid::regclass, d.description) from pg_description d
    where d.objoid = c.oid and d.classoid = 'pg_class'::regclass and d.objsubid = 0
    union all
    select format('alter index %%s alter column %%s set statistics %%s', c.oid::regclass, a.attnum, a.attstattarget)
    from pg_attribute a where a.attrelid = c.oid and a.attstattarget >= 0
) as s(statement)
where i.indrelid = %(table)s
"""
# What about a table, its indexes and constraints could not be made again as it was: one line of text each.
_OBSTACLES = """
select 'it is partitioned or has a parent or child table' from pg_class c
where c.oid = %(table)s and (c.relkind = 'p' or c.relispartition
      or exists (select from pg_inherits where c.oid in (inhrelid, inhparent)))
union all
select format('index %%s is in tablespace %%s', c.oid::regclass, s.spcname)
from pg_index i join pg_class c on c.oid = i.indexrelid join pg_tablespace s on s.oid = c.reltablespace
where i.indrelid = %(table)s
union all
select format('index %%s is invalid', i.indexrelid::regclass) from pg_index i
where i.indrelid = %(table)s and not (i.indisvalid and i.indisready)
union all
select format('view %%s depends on constraint %%I', r.ev_class::regclass, c.conname)
from pg_constraint c join pg_depend d on d.refclassid = 'pg_constraint'::regclass and d.refobjid = c.oid
join pg_rewrite r on d.classid = 'pg_rewrite'::regclass and r.oid = d.objid
where c.conrelid = %(table)s and c.contype in ('p', 'u', 'x')
"""


@dataclass(frozen=True)
class Part:
    """A constraint or index: what it is called, the statement that drops it, and those that make it again."""

    kind: str  # contype of the constraint (p, u, x, f), or i
    title: str
    drop: str
    create: tuple[str, ...]


def parts(cursor: Cursor, table: Table) -> tuple[Part, ...]:
    """List the foreign keys (own and incoming), keys, exclusions and indexes of ``table`` in the order to drop them."""
    cursor.execute(_SETTINGS, {"table": table.oid})
    settings: dict[int, list[str]] = {}
    for index, statement in cursor.fetchall():
        settings.setdefault(index, []).append(statement)
    table_parts = []
    for query in (_CONSTRAINTS, _INDEXES):
        cursor.execute(query, {"table": table.oid})
        for kind, title, drop, create, comment, index in cursor.fetchall():
            extras = ([comment] if comment else []) + settings.get(index, [])
            table_parts.append(Part(kind=kind, title=title, drop=drop, create=(create, *extras)))
    return tuple(table_parts)


def obstacles(cursor: Cursor, table: Table) -> list[str]:
    """Say what about ``table`` would be lost if its constraints and indexes were dropped and made again."""
    cursor.execute(_OBSTACLES, {"table": table.oid})
    return [reason for (reason,) in cursor.fetchall()]
