"""``python -m dataforge.prepare_database``: makes the role and the database that DATABASE_URL names.

It works as DATABASE_MASTER_USER, who need be no superuser: CREATEROLE and CREATEDB are enough, as the master user of
RDS has them. Run again, it gives the role the password of today and leaves the rest alone.
"""

import sys
from typing import Any

import psycopg2
from django.core.exceptions import ImproperlyConfigured
from psycopg2 import sql
from psycopg2.extensions import connection, cursor, encrypt_password

from core.errors import DatabaseUnavailable, DataForgeError

_WRONG_USE = 2
_DATABASE = 3
_CONNECT_TIMEOUT_SECONDS = 10


def prepare(database: dict[str, Any], *, master_user: str, master_password: str) -> tuple[str, ...]:
    """Make role and database of Django's settings ``database`` where they are missing; say what was done.

    The role owns its database and nothing else; others may not even connect. Raises DatabaseUnavailable, and
    psycopg2.Error where the master user may not do this.
    """
    owner, name = database["USER"], database["NAME"]
    master = _connect(database, master_user, master_password)
    try:
        master.autocommit = True  # a database cannot be made in a transaction
        with master.cursor() as work:
            return (_make_role(work, owner, database["PASSWORD"]), *_make_database(work, name, owner))
    finally:
        master.close()


def _connect(database: dict[str, Any], user: str, password: str) -> connection:
    try:
        made: connection = psycopg2.connect(
            host=database["HOST"],
            port=database["PORT"] or None,
            user=user,
            password=password,
            dbname="postgres",
            **{"connect_timeout": _CONNECT_TIMEOUT_SECONDS, **database.get("OPTIONS", {})},
        )
        return made
    except psycopg2.OperationalError as error:
        raise DatabaseUnavailable(
            problem=str(error).strip().splitlines()[0],
            remedy="See whether DATABASE_URL, DATABASE_CA, DATABASE_MASTER_USER and its password are right.",
        ) from error


def _make_role(work: cursor, owner: str, password: str) -> str:
    work.execute("select 1 from pg_roles where rolname = %s", [owner])
    role = work.fetchone()
    # The server sees, and could log, only what the password is checked by.
    verifier = encrypt_password(password, owner, work.connection, "scram-sha-256")
    verb = sql.SQL("create" if role is None else "alter")
    statement = sql.SQL("{} role {} login password {}").format(verb, sql.Identifier(owner), sql.Literal(verifier))
    work.execute(statement)
    # Since PostgreSQL 16, who makes a role may not act as it by that alone.
    work.execute(sql.SQL("grant {} to current_user").format(sql.Identifier(owner)))
    return f"role {owner}: {'made' if role is None else 'there; it has the password of today'}"


def _make_database(work: cursor, name: str, owner: str) -> tuple[str, ...]:
    work.execute("select 1 from pg_database where datname = %s", [name])
    if work.fetchone() is not None:
        return (f"database {name}: there",)
    names = {"name": sql.Identifier(name), "owner": sql.Identifier(owner)}
    work.execute(sql.SQL("create database {name} owner {owner}").format(**names))
    work.execute(sql.SQL("revoke all on database {name} from public").format(**names))
    return (f"database {name}: made, owned by {owner}",)


def main() -> int:
    """Read the settings, prepare, print; return the exit code."""
    try:
        for line in _prepare_as_told():
            print(line)
    except (DataForgeError, ImproperlyConfigured) as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code if isinstance(error, DataForgeError) else _WRONG_USE
    except psycopg2.Error as error:
        print(f"error: the master user may not do this: {str(error).strip().splitlines()[0]}", file=sys.stderr)
        return _DATABASE
    return 0


def _prepare_as_told() -> tuple[str, ...]:
    from dataforge.settings import DATABASES, env

    database = DATABASES["default"]
    user, password = env.text("DATABASE_MASTER_USER"), env.text("DATABASE_MASTER_PASSWORD")
    if not (database.get("USER") and database.get("PASSWORD") and user and password):
        raise ImproperlyConfigured(
            "Set DATABASE_URL with the role to be made, DATABASE_PASSWORD with its password, and DATABASE_MASTER_USER "
            "and DATABASE_MASTER_PASSWORD."
        )
    if database["USER"] == user:
        raise ImproperlyConfigured(
            f"DATABASE_URL names {user}, the master user: name there a role of the service's own, which this makes."
        )
    return prepare(database, master_user=user, master_password=password)


if __name__ == "__main__":
    sys.exit(main())
