"""psycopg2's connection and cursor, which can put what a transaction needs into the message of its first statement."""

import re
from typing import Any

from psycopg2 import extensions, sql

from core.postgres.engine.session_settings import is_unhurried

# What PostgreSQL runs only by itself, never beside another statement in a message.
_ALONE = re.compile(
    r"\s*(vacuum|cluster|reindex|alter\s+system|(create|drop|alter)\s+(database|tablespace)|"
    r"(create|drop)\s+(unique\s+)?index\s+concurrently|alter\s+table\b.*\bdetach\b.*\bconcurrently)\b",
    re.IGNORECASE | re.DOTALL,
)


class Session(extensions.connection):
    """A connection whose transactions may have to begin with statements of ours."""

    local_settings = ""  # empty where the session has them for itself
    no_timeouts = ""

    def lead(self) -> str:
        """Return what goes before the next statement; nothing within a transaction."""
        statements = self.local_settings + self.no_timeouts if is_unhurried() else self.local_settings
        if statements and self.info.transaction_status == extensions.TRANSACTION_STATUS_IDLE:
            return statements
        return ""


class SessionCursor(extensions.cursor):
    """A cursor that sends the lead of its session in the message of a statement, which costs no round trip.

    Several statements in one message are one transaction, so that is right in autocommit too.
    """

    connection: Session

    def execute(self, query: Any, vars: Any = None) -> None:  # noqa: A002 - psycopg2's name
        """Run a statement."""
        super().execute(self._led(query, escaped=vars is not None), vars)

    def copy_expert(self, sql: Any, file: Any, size: int = 8192) -> None:
        """Run a COPY."""
        super().copy_expert(self._led(sql, escaped=False), file, size)

    def _led(self, query: Any, *, escaped: bool) -> Any:
        lead = self.connection.lead()
        if not lead or self.name:  # the cursors of the server's own kind that psycopg2 writes the statement for
            return query
        text = query.as_string(self.connection) if isinstance(query, sql.Composable) else query
        if self.connection.autocommit and _ALONE.match(text):
            return query
        return (lead.replace("%", "%%") if escaped else lead) + text
