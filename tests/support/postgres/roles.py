"""Roles of the server that may do less than the owner of the tables, and work done as one of them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from tests.support.loading.loads import query

EVERYTHING = "select, insert, update, delete"


@contextmanager
def limited_role(*statements: str) -> Iterator[str]:
    """Make a role that owns nothing and may do all to tables and sequences, then run ``statements``, and take it away.

    In each statement, ``{role}`` is the role's name. Needs a test that commits.
    """
    role = (
        f"limited_in_{connection.settings_dict['NAME']}"  # roles are of the server, and tests run in several databases
    )
    _drop(role)  # of a run that was killed
    query(f"create role {role} login")
    try:
        query(f"grant {EVERYTHING} on all tables in schema public to {role}")
        query(f"grant usage, select, update on all sequences in schema public to {role}")
        for statement in statements:
            query(statement.format(role=role))
        yield role
    finally:
        _drop(role)


def _drop(role: str) -> None:
    if query("select 1 from pg_roles where rolname = %s", role):
        query(f"drop owned by {role}; drop role {role}")


@contextmanager
def connected_as(role: str) -> Iterator[Callable[[str], None]]:
    """Have all new connections of this process log in as ``role``, as those of a site of that role do.

    Gives a function that runs a statement as the owner of the tables.
    """
    wrapper = type(connections[DEFAULT_DB_ALIAS])
    usual = wrapper.get_connection_params
    owner = connection.copy()

    def as_role(self: BaseDatabaseWrapper) -> dict[str, Any]:
        return {**usual(self), "user": role}

    def run(statement: str) -> None:
        with owner.cursor() as cursor:
            cursor.execute(statement)

    owner.connect()
    connection.close()
    try:
        with mock.patch.object(wrapper, "get_connection_params", as_role):
            yield run
    finally:
        connection.close()
        owner.close()
