"""Transactions that last: no vanished machine keeps one open."""

from core.postgres.tables import Cursor

VANISHED_AFTER_SECONDS = 60
_IDLE_SECONDS, _INTERVAL_SECONDS, _PROBES = 30, 10, 3  # 60 in all
_MILLISECONDS = 1000

# How libpq notices that the server's machine is gone.
CLIENT_KEEPALIVES = {
    "keepalives": 1,
    "keepalives_idle": _IDLE_SECONDS,
    "keepalives_interval": _INTERVAL_SECONDS,
    "keepalives_count": _PROBES,
    "tcp_user_timeout": VANISHED_AFTER_SECONDS * _MILLISECONDS,
}
# How the server notices that the client's machine is gone; it passes over them on a Unix socket.
_SERVER_KEEPALIVES = {
    "tcp_keepalives_idle": _IDLE_SECONDS,
    "tcp_keepalives_interval": _INTERVAL_SECONDS,
    "tcp_keepalives_count": _PROBES,
    "tcp_user_timeout": VANISHED_AFTER_SECONDS * _MILLISECONDS,
}


def end_with_its_client(cursor: Cursor) -> None:
    """Have the server end this transaction 60 s after the client's machine vanished, not two hours after.

    Of a client that dies on a machine that lives the server learns at once. Until the transaction's end.
    """
    # No query, which would take the snapshot of a transaction that has yet to lock its tables.
    cursor.execute("; ".join(f"set local {name} = {value}" for name, value in _SERVER_KEEPALIVES.items()))
