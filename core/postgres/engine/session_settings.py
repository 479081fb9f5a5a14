"""What every session of ours has set: formats and isolation by which rows, reasons and fingerprints are the same.

A server that we reach directly hears of it as it is connected to. Behind a pooler that hands a session on after each
transaction that would be another client's session by then: there it goes before a transaction's first statement, in
the same message, and ends with the transaction.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

SETTINGS = {
    "client_encoding": "UTF8",
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    "extra_float_digits": "1",  # the shortest text that is the same number
    "bytea_output": "hex",
    "standard_conforming_strings": "on",
    "array_nulls": "on",
    "transform_null_equals": "off",
    "default_transaction_isolation": "read committed",
    "exit_on_error": "off",  # what is refused and tried in another way must not cost the session
    "gin_fuzzy_search_limit": "0",
    "quote_all_identifiers": "off",  # else the catalogue says "text" for text
}
NOT_DURABLE = ("off", "local")  # of synchronous_commit
# Told by a session whether what it was started with has come to the server, which no pooler in between can know.
EVIDENCE = "dataforge.session"
_TIMEOUTS = ("statement_timeout", "idle_in_transaction_session_timeout")
_TRANSACTION_TIMEOUT_SINCE = 17_00_00  # server_version
_OPTION = re.compile(r"(?:^|\s)(?:-c\s*|--)([\w.-]+)=((?:\\.|[^\\\s])*)")

_unhurried: ContextVar[bool] = ContextVar("unhurried", default=False)


@contextmanager
def without_timeouts() -> Iterator[None]:
    """Let no transaction that begins within the block be ended for the time that it takes.

    On all connections, by the context: a thread has its own, unless it is run in a copy of the caller's.
    """
    before = _unhurried.set(True)
    try:
        yield
    finally:
        _unhurried.reset(before)


def is_unhurried() -> bool:
    """Tell whether this is within ``without_timeouts``."""
    return _unhurried.get()


def given_options(settings: dict[str, Any]) -> str:
    """Return the ``options`` for libpq in Django's ``settings`` of a database, or else those of the environment."""
    return str(settings["OPTIONS"].get("options") or os.environ.get("PGOPTIONS", ""))


def startup_options(given: str, *, time_zone: str) -> str:
    """Return libpq's ``options``: what was given (such as a search_path), then ours."""
    ours = SETTINGS | {"TimeZone": time_zone, EVIDENCE: "reached"}
    return " ".join([given, *(f"-c {name}={_escaped(value)}" for name, value in ours.items())]).strip()


def local_settings(given: str, *, time_zone: str, synchronous_commit: str) -> str:
    """Return the statements that set the same until the end of a transaction, as its first: none of them is a query.

    So the transaction may still choose an isolation of its own. What a message is read by, before any of it is
    carried out, is not among them: poolers keep that for each client.
    ``synchronous_commit``: what the server would have.
    """
    theirs = {name.lower(): re.sub(r"\\(.)", r"\1", value) for name, value in _OPTION.findall(given)}
    ours = SETTINGS | {
        "TimeZone": time_zone,
        "transaction_isolation": SETTINGS["default_transaction_isolation"],
        "synchronous_commit": raised(theirs.get("synchronous_commit", synchronous_commit)),
    }
    for name in ("client_encoding", "standard_conforming_strings", "default_transaction_isolation"):
        del ours[name]
    known = {name.lower() for name in SETTINGS | ours}
    return _set_local(ours | {name: value for name, value in theirs.items() if name not in known})


def raised(synchronous_commit: str) -> str:
    """Return the setting by which a commit that was answered outlives a crash of the server; more stays more."""
    return "on" if synchronous_commit in NOT_DURABLE else synchronous_commit


def no_timeouts(server_version: int, *, pooled: bool) -> str:
    """Return the statements that put timeouts off until the end of a transaction.

    A session that is ours alone may also be idle between two, as one that holds a lock is.
    """
    names = [*_TIMEOUTS, "transaction_timeout"] if server_version >= _TRANSACTION_TIMEOUT_SINCE else _TIMEOUTS
    return _set_local(dict.fromkeys(names, "0")) + ("" if pooled else "set idle_session_timeout = 0; ")


def _escaped(value: str) -> str:
    return re.sub(r"([\\\s])", r"\\\1", value)


def _set_local(values: dict[str, str]) -> str:
    return "".join(f"set local {name} = {_written(name, value)}; " for name, value in values.items())


def _written(name: str, value: str) -> str:
    """Write a value as SET takes it: of a list of names, each name by itself."""
    if name.lower() != "search_path":
        return "'" + value.replace("'", "''") + "'"
    names = (part.strip() for part in value.split(","))
    return ", ".join(part if part.startswith('"') else f'"{part.lower()}"' for part in names)
