"""Constraints and indexes of a table, as the statements that drop them and make them again under their own names."""

from collections.abc import Iterable
from dataclasses import dataclass

from core.postgres.tables import Cursor, Table

# Keys, exclusions and foreign keys (own and incoming) of a table: what drops them, makes them again, comments on them.
# Foreign keys first, since they depend on keys, and plain indexes last; made again the other way round.
_CONSTRAINTS = """
select c.oid, c.contype, format('constraint %%I on %%s', c.conname, c.conrelid::regclass),
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
select i.indexrelid, 'i', format('index %%s', i.indexrelid::regclass), format('drop index %%s', i.indexrelid::regclass),
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
# Why nothing of a table can be dropped and made again as it was: one line of text each.
_TABLE_STAYS = """
select format('%%s is partitioned, or has a parent or child table', c.oid::regclass) from pg_class c
where c.oid = %(table)s and (c.relkind = 'p' or c.relispartition
      or exists (select from pg_inherits where c.oid in (inhrelid, inhparent)))
union all
select format('%%s belongs to another role', c.oid::regclass) from pg_class c
where c.oid = %(table)s and not pg_has_role(c.relowner, 'USAGE')
"""
# Which parts (oids of constraints and indexes) have to stay, and why. What depends on a key: views that group by it,
# rules, functions with a body of SQL; and foreign keys that stay themselves, since another role owns their other table.
_PARTS_STAY = """
with keys as (
    select i.indexrelid as index, coalesce(c.oid, i.indexrelid) as part, i.indisvalid and i.indisready as valid
    from pg_index i left join pg_constraint c on c.conindid = i.indexrelid and c.contype in ('p', 'u', 'x')
    where i.indrelid = %(table)s
), foreign_keys as (
    select c.oid as part, c.conindid as index, format('%%s belongs to another role', o.oid::regclass) as why
    from pg_constraint c join pg_class o on o.oid in (c.conrelid, c.confrelid) and o.oid <> %(table)s
    where c.contype = 'f' and %(table)s in (c.conrelid, c.confrelid) and not pg_has_role(o.relowner, 'USAGE')
)
select part, why from foreign_keys
union all
select k.part, format('the foreign key %%I of %%s depends on it', c.conname, c.conrelid::regclass)
from keys k join foreign_keys f using (index) join pg_constraint c on c.oid = f.part
union all
select k.part, format('its index is in tablespace %%s', s.spcname)
from keys k join pg_class c on c.oid = k.index join pg_tablespace s on s.oid = c.reltablespace
union all
select part, 'its index is invalid' from keys where not valid
union all
select k.part, coalesce(
    (select format('%%s %%s depends on it', case v.relkind when 'm' then 'materialized view' when 'v' then 'view'
                   else 'a rule of' end, v.oid::regclass)
     from pg_rewrite r join pg_class v on v.oid = r.ev_class
     where d.classid = 'pg_rewrite'::regclass and r.oid = d.objid),
    format('%%s depends on it', pg_describe_object(d.classid, d.objid, d.objsubid)))
from keys k join pg_depend d on d.deptype = 'n' and d.classid <> 'pg_constraint'::regclass
     and (d.refclassid, d.refobjid) in (('pg_constraint'::regclass, k.part), ('pg_class'::regclass, k.index))
"""


# Why some tables cannot be emptied by TRUNCATE together: one line of text each.
_NOT_EMPTIED = """
select format('foreign key %%I of %%s has to stay', c.conname, child.oid::regclass)
from pg_constraint c join pg_class child on child.oid = c.conrelid join pg_class parent on parent.oid = c.confrelid
where c.contype = 'f' and c.conparentid = 0 and parent.oid = any (%(tables)s) and not child.oid = any (%(tables)s)
  and (not pg_has_role(child.relowner, 'USAGE') or not pg_has_role(parent.relowner, 'USAGE')
       or parent.relkind = 'p' or parent.relispartition
       or exists (select from pg_inherits where parent.oid in (inhrelid, inhparent)))
union all
select format('%%s has child tables, which would be emptied with it', c.oid::regclass)
from pg_class c where c.oid = any (%(tables)s) and c.relkind = 'r' and exists (
    select from pg_inherits where inhparent = c.oid)
union all
select format('TRUNCATE of %%s is not granted to %%I', c.oid::regclass, current_user)
from pg_class c where c.oid = any (%(tables)s) and not has_table_privilege(c.oid, 'TRUNCATE')
"""

EVERYTHING = "*"


@dataclass(frozen=True)
class Part:
    """A constraint or index: what it is called, the statement that drops it, and those that make it again.

    ``stays``: why it cannot be dropped and made again as it was; empty where it can.
    """

    kind: str  # contype of the constraint (p, u, x, f), or i; or EVERYTHING, which can only stay
    title: str
    drop: str
    create: tuple[str, ...]
    stays: str = ""


def parts(cursor: Cursor, table: Table) -> tuple[Part, ...]:
    """List the foreign keys (own and incoming), keys, exclusions and indexes of ``table`` in the order to drop them."""
    cursor.execute(_TABLE_STAYS, {"table": table.oid})
    if whole := "; ".join(reason for (reason,) in cursor.fetchall()):
        return (Part(kind=EVERYTHING, title="every constraint and index", drop="", create=(), stays=whole),)
    cursor.execute(_SETTINGS, {"table": table.oid})
    settings: dict[int, list[str]] = {}
    for index, statement in cursor.fetchall():
        settings.setdefault(index, []).append(statement)
    cursor.execute(_PARTS_STAY, {"table": table.oid})
    stays = dict(cursor.fetchall())
    table_parts = []
    for query in (_CONSTRAINTS, _INDEXES):
        cursor.execute(query, {"table": table.oid})
        for oid, kind, title, drop, definition, comment, index in cursor.fetchall():
            create = (definition, *([comment] if comment else []), *settings.get(index, []))
            table_parts.append(Part(kind=kind, title=title, drop=drop, create=create, stays=stays.get(oid, "")))
    return tuple(table_parts)


def not_emptied(cursor: Cursor, tables: Iterable[Table]) -> tuple[str, ...]:
    """Say why ``tables`` cannot be emptied by one TRUNCATE with what ``parts`` can be dropped away; mostly nothing."""
    cursor.execute(_NOT_EMPTIED, {"tables": [table.oid for table in tables]})
    return tuple(reason for (reason,) in cursor.fetchall())
