"""Connections of gunicorn that are over, but whose clients may still be sending: see ``core.web.unread_bodies``."""

import selectors
import socket
import time
from functools import partial
from typing import Any

from gunicorn.http import body
from gunicorn.http.errors import ParseException
from gunicorn.workers.gthread import TConn, ThreadWorker

from core.web.unread_bodies import (
    LINGER_BYTES,
    LINGER_IDLE_SECONDS,
    LINGER_SECONDS,
    PIECE_BYTES,
    READ_BYTES,
    READ_SECONDS,
)


class SettledBody(body.Body):  # type: ignore[misc]  # gunicorn has no types
    """The body of the request that ``parser`` has just read the head of."""

    def __init__(self, parser: Any) -> None:
        super().__init__(parser.mesg.body.reader)
        self._parser = parser

    def settle(self) -> None:
        """Read what is left, or let the connection be closed after the answer, which then says so."""
        if not self._read_rest():
            self._parser.mesg.force_close()

    def _read_rest(self) -> bool:
        if getattr(self.reader, "length", 0) > READ_BYTES:
            return False
        try:
            return bool(self._parser.finish_body(deadline=time.monotonic() + READ_SECONDS, max_bytes=READ_BYTES))
        except (ParseException, OSError):  # what is left is no body, or does not come
            return False


class LingeringWorker(ThreadWorker):  # type: ignore[misc]
    """Closes connections without losing answers. Its main loop does all of it: a slow client holds no thread.

    Gunicorn's own closing lets that loop itself wait, up to two seconds for each client that does not hang up.
    """

    wsgi: Any

    def init_process(self) -> None:
        """Work until the end, from when on there are connections."""
        self._waste = bytearray(PIECE_BYTES)
        self._lingering: dict[TConn, tuple[int, float]] = {}  # bytes that may still come, and until when at most
        super().init_process()

    def load_wsgi(self) -> None:
        """Let the application's answers begin when the body is settled."""
        super().load_wsgi()
        application = self.wsgi

        def settled(environ: dict[str, Any], start_response: Any) -> Any:
            sent = environ["wsgi.input"]

            def start(*answer: Any) -> Any:
                if isinstance(sent, SettledBody):
                    sent.settle()
                return start_response(*answer)

            return application(environ, start)

        self.wsgi = settled

    def handle_request(self, req: Any, conn: TConn) -> Any:
        """Answer a request whose head was read."""
        req.body = SettledBody(conn.parser)
        return super().handle_request(req, conn)

    def finish_request(self, conn: TConn, fs: Any) -> None:
        """Keep a connection, or begin to let go of it."""
        if fs.cancelled() or fs.exception() or fs.result():
            super().finish_request(conn, fs)
        else:
            self._linger(conn)

    def murder_pending(self) -> None:
        """Close connections whose time is over; the main loop calls it about once a second."""
        super().murder_pending()
        now = time.monotonic()
        for conn in [conn for conn in self._lingering if conn.timeout <= now]:
            self._close(conn)

    def _linger(self, conn: TConn) -> None:
        try:
            conn.sock.shutdown(socket.SHUT_WR)
            conn.sock.setblocking(False)
            self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._pass_over, conn))
        except (OSError, ValueError):  # the client is gone, or the socket was closed where its fault was noticed
            self.nr_conns -= 1
            conn.close()
            return
        now = time.monotonic()
        self._lingering[conn], conn.timeout = (LINGER_BYTES, now + LINGER_SECONDS), now + LINGER_IDLE_SECONDS

    def _pass_over(self, conn: TConn, _client: Any) -> None:
        bytes_left, end = self._lingering[conn]
        try:
            passed_over = conn.sock.recv_into(self._waste)
        except BlockingIOError:
            return
        except OSError:
            passed_over = 0
        if not passed_over or passed_over >= bytes_left:
            self._close(conn)
            return
        self._lingering[conn] = bytes_left - passed_over, end
        conn.timeout = min(end, time.monotonic() + LINGER_IDLE_SECONDS)

    def _close(self, conn: TConn) -> None:
        del self._lingering[conn]
        self.poller.unregister(conn.sock)
        self.nr_conns -= 1
        conn.close()
