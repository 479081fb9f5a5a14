"""Connections that end as by the death of the server."""

import os
import socket

from psycopg2 import extensions


def cut(connection: extensions.connection) -> None:
    """End a connection below psycopg2, which is not told."""
    with socket.socket(fileno=os.dup(connection.fileno())) as wire:
        wire.shutdown(socket.SHUT_RDWR)
