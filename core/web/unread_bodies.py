"""A body that was not read when its answer is due, such as one of 20 MB behind a wrong token.

Its rest would be taken for the next request, so a short rest is read and the connection kept; before a long one the
connection is closed, and the answer says so. Not at once: what is closed with unread bytes in it is reset, and a client
that is still sending loses its answer. So what still comes is passed over for a while.
"""

import socket
import time
from contextlib import suppress

# Of a rest that is read before the answer. A thread waits for it.
READ_BYTES = 1 << 16
READ_SECONDS = 1.0
# Of a rest that is passed over after the answer: whichever comes first.
LINGER_BYTES = 1 << 26
LINGER_SECONDS = 30.0
LINGER_IDLE_SECONDS = 5.0
PIECE_BYTES = 1 << 18


def linger(client: socket.socket) -> None:
    """Pass over what a client still sends, on this thread, until it ends or has had its time."""
    client.shutdown(socket.SHUT_WR)
    waste, bytes_left, end = bytearray(PIECE_BYTES), LINGER_BYTES, time.monotonic() + LINGER_SECONDS
    with suppress(TimeoutError):
        while bytes_left > 0 and (seconds := end - time.monotonic()) > 0:
            client.settimeout(min(seconds, LINGER_IDLE_SECONDS))
            passed_over = client.recv_into(waste)
            if not passed_over:
                return
            bytes_left -= passed_over
