#!/bin/sh
# The first start of the compose file's PostgreSQL: the site's own role, which owns its database and nothing else.
# The superuser gets no password, so it can log in from inside the server's container only.
set -eu
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --set password="$POSTGRES_PASSWORD" --username postgres --dbname postgres <<'END'
create role dataforge login password :'password';
create database dataforge owner dataforge template template0 encoding 'UTF8';
revoke all on database dataforge from public;
alter role postgres password null;
END
