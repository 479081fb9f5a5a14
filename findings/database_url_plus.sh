#!/usr/bin/env bash
# One database URL, two databases: django-environ 0.14.0 reads a `+` in the name of the database as a blank, libpq (by
# psycopg2 2.9.13) reads it as a plus. In user and password both read a plus. Seen on Python 3.13:
#   django-environ: user='a+b' password='c+d' name='e f'
#   libpq:          user='a+b' password='c+d' name='e+f'
# Guessed before: that both decode a URL's path alike, or that all three parts are treated alike by either of them.
# Write %2B for a plus: both read that as one. Fails where this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check django-environ==0.14.0 psycopg2-binary==2.9.13
"$folder/venv/bin/python" - <<'PYTHON'
import environ
from psycopg2.extensions import parse_dsn

URL = "postgres://a+b:c+d@localhost/e+f"
read = environ.Env.db_url_config(URL)
libpq = parse_dsn(URL)
print(f"django-environ: user={read['USER']!r} password={read['PASSWORD']!r} name={read['NAME']!r}")
print(f"libpq:          user={libpq['user']!r} password={libpq['password']!r} name={libpq['dbname']!r}")
assert (read["USER"], read["PASSWORD"], read["NAME"]) == ("a+b", "c+d", "e f")
assert (libpq["user"], libpq["password"], libpq["dbname"]) == ("a+b", "c+d", "e+f")
escaped = URL.replace("e+f", "e%2Bf")
assert environ.Env.db_url_config(escaped)["NAME"] == parse_dsn(escaped)["dbname"] == "e+f"
PYTHON
