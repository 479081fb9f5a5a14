"""What the site needs of its database, asked of the catalogue alone: no table is locked, and none is waited for."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from core.postgres.tables import Cursor

# By oids alone: has_table_privilege(oid, ...) and the like read the catalogue's caches, and lock nothing.
# to_regclass gives NULL for what is missing, and for what is in a schema that the role may not use.
_TABLES = """
select n.name, t.oid is null,
       array(select r from unnest(string_to_array(n.rights, ' ')) as r where not has_table_privilege(t.oid, r)),
       coalesce(row_security_active(t.oid), false),
       array(select s.oid::regclass::text from pg_depend d join pg_class s on s.oid = d.objid
             where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass and d.refobjid = t.oid
               and d.deptype in ('a', 'i') and 'INSERT' = any (string_to_array(n.rights, ' '))
               and case when s.relkind = 'S' then not has_sequence_privilege(s.oid, 'USAGE') else false end)
from unnest(%(names)s::text[], %(rights)s::text[]) as n(name, rights)
cross join lateral (select to_regclass(quote_ident(n.name))::oid as oid) as t
order by n.name
"""
_SERVER = """
select pg_is_in_recovery(), current_setting('transaction_read_only') = 'on',
       has_database_privilege(current_database(), 'TEMPORARY'),
       quote_ident(current_user), quote_ident(current_database())
"""


@dataclass(frozen=True)
class Lack:
    """What is missing: writes (``server``), a ``table``, or a right (``rights``); in words, with what to do."""

    kind: Literal["server", "table", "rights"]
    text: str
    table: str = ""


def reads_only(cursor: Cursor) -> bool:
    """Tell that the server takes no writes: a standby, or one whose transactions only read. The cheapest look."""
    cursor.execute("select pg_is_in_recovery() or current_setting('transaction_read_only') = 'on'")
    return cursor.fetchone() == (True,)


def lacks(cursor: Cursor, needed: Mapping[str, Iterable[str]]) -> list[Lack]:
    """Say what the role lacks to work with the tables ``needed`` (bare names, and the rights on each).

    Also the right to number rows (the sequences of a table that is inserted into), and to make temporary tables.
    """
    found = []
    cursor.execute(_SERVER)
    ((recovers, reads, temporary, role, database),) = cursor.fetchall()
    if recovers:
        found.append(Lack("server", "the server is a standby, which takes no writes: name the primary in DATABASE_URL"))
    elif reads:
        found.append(Lack("server", f"{role} only reads in {database}: reset default_transaction_read_only"))
    if not temporary:
        found.append(Lack("rights", f"no temporary tables: GRANT TEMPORARY ON DATABASE {database} TO {role};"))
    names = sorted(needed)
    cursor.execute(_TABLES, {"names": names, "rights": [" ".join(needed[name]) for name in names]})
    for row in cursor.fetchall():
        found += _of_table(role, *row)
    return found


def _of_table(role: str, name: str, *row: bool | list[str]) -> Iterator[Lack]:
    missing, rights, hidden, sequences = row
    if missing:
        yield Lack("table", f"table {name} is missing, or in no schema that {role} sees: run `manage.py migrate`", name)
    if isinstance(rights, list) and rights:
        yield Lack("rights", f"table {name}: GRANT {', '.join(rights)} ON {name} TO {role};", name)
    if hidden:
        remedy = f"ALTER TABLE {name} OWNER TO {role}; or ALTER ROLE {role} BYPASSRLS;"
        yield Lack("rights", f"row level security hides rows of {name}: {remedy}", name)
    for sequence in sequences if isinstance(sequences, list) else ():
        yield Lack(
            "rights", f"sequence {sequence}: GRANT USAGE, SELECT, UPDATE ON SEQUENCE {sequence} TO {role};", name
        )
