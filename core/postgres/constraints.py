"""Constraints and indexes of a table, as the statements that drop them and make them again under their own names."""

from dataclasses import dataclass

from core.postgres.tables import Cursor, Table

# Foreign keys first, since they depend on keys, and plain indexes last; made again the other way round.
_CONSTRAINTS = """
SELECT c.contype, format('constraint %%I on %%s', c.conname, c.conrelid::regclass),
       format('ALTER TABLE %%s DROP CONSTRAINT %%I', c.conrelid::regclass, c.conname),
       format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', c.conrelid::regclass, c.conname, pg_get_constraintdef(c.oid)),
       CASE WHEN d.description IS NOT NULL THEN
           format('COMMENT ON CONSTRAINT %%I ON %%s IS %%L', c.conname, c.conrelid::regclass, d.description) END,
       CASE WHEN c.contype <> 'f' THEN c.conindid END
FROM pg_constraint c
LEFT JOIN pg_description d ON d.objoid = c.oid AND d.classoid = 'pg_constraint'::regclass AND d.objsubid = 0
WHERE c.contype IN ('p', 'u', 'x', 'f') AND %(table)s IN (c.conrelid, c.confrelid) AND c.conparentid = 0
ORDER BY c.contype <> 'f', c.contype = 'p', c.conrelid::regclass::text, c.conname
"""
_INDEXES = """
SELECT 'i', format('index %%s', i.indexrelid::regclass), format('DROP INDEX %%s', i.indexrelid::regclass),
       pg_get_indexdef(i.indexrelid), NULL, i.indexrelid
FROM pg_index i
WHERE i.indrelid = %(table)s
  AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid AND c.contype IN ('p', 'u', 'x'))
ORDER BY i.indexrelid::regclass::text
"""
# What no definition tells, as statements that set it on the new index.
_SETTINGS = """
SELECT i.indexrelid, s.statement
FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid
CROSS JOIN LATERAL (
    SELECT format('ALTER TABLE %%s CLUSTER ON %%I', i.indrelid::regclass, c.relname) WHERE i.indisclustered
    UNION ALL
    SELECT format('ALTER TABLE %%s REPLICA IDENTITY USING INDEX %%I', i.indrelid::regclass, c.relname)
    WHERE i.indisreplident
    UNION ALL
    SELECT format('ALTER INDEX %%s SET (%%I = %%L)', c.oid::regclass, o.option_name, o.option_value)
    FROM pg_options_to_table(c.reloptions) o
    UNION ALL
    SELECT format('COMMENT ON INDEX %%s IS %%L', c.oid::regclass, d.description) FROM pg_description d
    WHERE d.objoid = c.oid AND d.classoid = 'pg_class'::regclass AND d.objsubid = 0
    UNION ALL
    SELECT format('ALTER INDEX %%s ALTER COLUMN %%s SET STATISTICS %%s', c.oid::regclass, a.attnum, a.attstattarget)
    FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attstattarget >= 0
) AS s(statement)
WHERE i.indrelid = %(table)s
"""
_OBSTACLES = """
SELECT 'it is partitioned or has a parent or child table' FROM pg_class c
WHERE c.oid = %(table)s AND (c.relkind = 'p' OR c.relispartition
      OR EXISTS (SELECT FROM pg_inherits WHERE c.oid IN (inhrelid, inhparent)))
UNION ALL
SELECT format('index %%s is in tablespace %%s', c.oid::regclass, s.spcname)
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_tablespace s ON s.oid = c.reltablespace
WHERE i.indrelid = %(table)s
UNION ALL
SELECT format('index %%s is invalid', i.indexrelid::regclass) FROM pg_index i
WHERE i.indrelid = %(table)s AND NOT (i.indisvalid AND i.indisready)
UNION ALL
SELECT format('view %%s depends on constraint %%I', r.ev_class::regclass, c.conname)
FROM pg_constraint c JOIN pg_depend d ON d.refclassid = 'pg_constraint'::regclass AND d.refobjid = c.oid
JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
WHERE c.conrelid = %(table)s AND c.contype IN ('p', 'u', 'x')
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
    found = []
    for query in (_CONSTRAINTS, _INDEXES):
        cursor.execute(query, {"table": table.oid})
        for kind, title, drop, create, comment, index in cursor.fetchall():
            extras = ([comment] if comment else []) + settings.get(index, [])
            found.append(Part(kind=kind, title=title, drop=drop, create=(create, *extras)))
    return tuple(found)


def obstacles(cursor: Cursor, table: Table) -> list[str]:
    """Say what about ``table`` would be lost if its constraints and indexes were dropped and made again."""
    cursor.execute(_OBSTACLES, {"table": table.oid})
    return [reason for (reason,) in cursor.fetchall()]
