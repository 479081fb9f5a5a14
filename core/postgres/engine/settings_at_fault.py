"""Errors that come of how the server is set, and of nothing else: the setting, and what to do about it."""

from django.db import connection
from psycopg2 import errorcodes

# What the server ends for the time that it takes. psycopg2 has no name for all of these codes.
_TIMEOUTS = {
    "57014": "statement_timeout",
    "25P03": "idle_in_transaction_session_timeout",
    "25P04": "transaction_timeout",
    "57P05": "idle_session_timeout",
}
ENDING_SESSIONS = ("transaction_timeout", "idle_in_transaction_session_timeout", "idle_session_timeout")
_CUT = "closed the connection unexpectedly"
_BY_SOMEBODY = "user request"  # the same code as of statement_timeout, by pg_cancel_backend
_READ_ONLY = (
    "the setting default_transaction_read_only is on for the database user, the database or the server: have it set off"
)
_STANDBY = "the server is a standby in recovery: name its primary in DATABASE_URL"


def setting_at_fault(error: BaseException) -> str | None:
    """Say which setting ended what failed with ``error`` (of Django, or one that was raised from it), or None."""
    found = _first_with_code(error)
    code = getattr(found, "pgcode", None)
    if code == errorcodes.READ_ONLY_SQL_TRANSACTION:
        return _why_read_only()
    if code in _TIMEOUTS and _BY_SOMEBODY not in str(found):
        return (
            f"the setting {_TIMEOUTS[code]} of the database user, the database or the server ended it: have it raised"
        )
    if code is None and _CUT in str(error) and (timeouts := getattr(connection, "session_timeouts", ())):
        # psycopg2 often keeps only the last words of a session that the server ended.
        return (
            f"it may be that a setting of the database user, the database or the server ended it: {', '.join(timeouts)}"
        )
    return None


def _first_with_code(error: BaseException | None) -> BaseException | None:
    """Go back to what the server said: a session that it ended fails again where it is rolled back."""
    while error is not None and getattr(error, "pgcode", None) is None:
        error = error.__cause__ or error.__context__
    return error


def _why_read_only() -> str:
    """Ask the connection, which the server tells so much of itself; a pooler may not hand it on."""
    session = connection.connection
    standby = None if session is None else session.info.parameter_status("in_hot_standby")
    if standby == "on":
        return _STANDBY
    return _READ_ONLY if standby == "off" else f"{_READ_ONLY}; or {_STANDBY}"
