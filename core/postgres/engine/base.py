"""The database engine: Django's own for PostgreSQL, with sessions that are set as the program needs them."""

from collections.abc import Sequence
from typing import Any

import psycopg2
from django.db.backends.postgresql import base

from core.errors import DatabaseUnavailable
from core.postgres.engine import poolers, session_settings
from core.postgres.engine.client import ShellClient
from core.postgres.engine.sessions import Session, SessionCursor
from core.postgres.engine.settings_at_fault import ENDING_SESSIONS

# Whether the session was started as we asked; then its commits are raised to durable ones in the same breath.
_STARTED = """
with found as (select coalesce(current_setting(%(evidence)s, true), '') = 'reached' as started,
                      current_setting('synchronous_commit') as synchronous_commit)
select started, array(select concat(name, ' (', current_setting(name), ')') from unnest(%(timeouts)s) as name
                      where current_setting(name, true) <> '0'),
       case when started and synchronous_commit = any (%(not_durable)s)
            then set_config('synchronous_commit', 'on', false) end
from found
"""
# What a session of this user has before a client of a pooler sets it otherwise.
_OF_THE_SERVER = "select reset_val from pg_settings where name = 'synchronous_commit'"


class DatabaseWrapper(base.DatabaseWrapper):
    """PostgreSQL, reached directly or through a pooler."""

    client_class = ShellClient
    session_timeouts: Sequence[str] = ()  # by which the server may end a session of ours, with their values

    def get_connection_params(self) -> dict[str, Any]:
        """Return what psycopg2 connects with."""
        parameters: dict[str, Any] = super().get_connection_params()
        given = session_settings.given_options(self.settings_dict)
        options = session_settings.startup_options(given, time_zone=self.timezone_name)
        return parameters | {"options": options, "connection_factory": Session, "cursor_factory": SessionCursor}

    def get_new_connection(self, conn_params: dict[str, Any]) -> Session:
        """Connect, and see to it that the session, or else each of its transactions, is set as the program needs it."""
        session = self._connected(conn_params)
        session.autocommit = True
        with session.cursor() as cursor:
            facts = {"evidence": session_settings.EVIDENCE, "not_durable": list(session_settings.NOT_DURABLE)}
            cursor.execute(_STARTED, {**facts, "timeouts": list(ENDING_SESSIONS)})
            ((ours_alone, self.session_timeouts, _),) = cursor.fetchall()
            session.no_timeouts = session_settings.no_timeouts(session.info.server_version, pooled=not ours_alone)
            if not ours_alone:
                _assert_escaping(session)
                cursor.execute(_OF_THE_SERVER)
                ((synchronous_commit,),) = cursor.fetchall()
                session.local_settings = session_settings.local_settings(
                    session_settings.given_options(self.settings_dict),
                    time_zone=self.timezone_name,
                    synchronous_commit=synchronous_commit,
                )
        return session

    def create_cursor(self, name: str | None = None) -> SessionCursor:
        """Return a cursor; of the server's own kind only where the session is not handed on under it."""
        cursor: SessionCursor = super().create_cursor(None if self.connection.local_settings else name)
        return cursor

    def _connected(self, parameters: dict[str, Any]) -> Session:
        without = parameters | {"options": ""}
        try:
            session: Session = super().get_new_connection(
                without if poolers.refuses_options(self.settings_dict) else parameters
            )
        except psycopg2.OperationalError as error:
            if not poolers.note_refusal(self.settings_dict, error):
                raise
            session = super().get_new_connection(without)
        return session


def _assert_escaping(session: Session) -> None:
    """Refuse a session whose strings psycopg2 would escape in one way and the server read in another.

    psycopg2 asks for that only as it connects: set to on later, a backslash would be written as half of an escape.
    """
    if session.info.parameter_status("standard_conforming_strings") == "off":
        session.close()
        raise DatabaseUnavailable(
            problem="standard_conforming_strings is off for the database user, the database or the server, and the "
            "pooler before it takes no options",
            remedy="Have it set on there, as in: alter role NAME set standard_conforming_strings = on",
        )
