"""Django's server for a developer's machine, which answers bodies as production does.

Django's own takes the chunks of a body that it does not read for the next request, and reads any other body whole.
"""

from contextlib import suppress
from typing import Any
from wsgiref import simple_server

from django.core.servers import basehttp

from core.web.unread_bodies import READ_BYTES, READ_SECONDS, linger

_LINE_BYTES = 1 << 16


class DevelopmentServer(basehttp.WSGIServer):
    """Answers by our handler, whatever handler it is given."""

    def __init__(self, address: tuple[str, int], _handler: type, **options: Any) -> None:
        super().__init__(address, RequestHandler, **options)


class RequestHandler(basehttp.WSGIRequestHandler):
    """One connection."""

    connection: Any  # a socket, which the stubs take for a request
    server: Any

    def handle(self) -> None:
        """Answer its requests, and let it go in a way that loses no answer."""
        super().handle()
        with suppress(OSError):  # the client is gone, and nothing is left to do for it
            linger(self.connection)

    def handle_one_request(self) -> None:
        """Answer one request, as Django does but for the body."""
        self.raw_requestline = self.rfile.readline(_LINE_BYTES + 1)
        if len(self.raw_requestline) > _LINE_BYTES:
            self.requestline = self.request_version = self.command = ""
            self.send_error(414)
        elif self.parse_request():
            handler = ServerHandler(self.rfile, self.wfile, self.get_stderr(), self.get_environ())
            handler.request_handler = self
            handler.run(self.server.get_app())


class ServerHandler(basehttp.ServerHandler):
    """One request."""

    request_handler: RequestHandler
    environ: Any
    headers: Any

    def cleanup_headers(self) -> None:
        """Before the answer goes out, read the rest of the body, or say that the connection is closed."""
        super().cleanup_headers()
        if not self._read_rest():
            self.headers["Connection"] = "close"
            self.request_handler.close_connection = True

    def close(self) -> None:
        """End the request, without Django's reading of all that may still come."""
        simple_server.ServerHandler.close(self)

    def _read_rest(self) -> bool:
        if "HTTP_TRANSFER_ENCODING" in self.environ:  # nobody here knows where it ends
            return False
        client = self.request_handler.connection
        client.settimeout(READ_SECONDS)
        try:
            return len(self.get_stdin().read(READ_BYTES + 1)) <= READ_BYTES
        except OSError:
            return False
        finally:
            client.settimeout(None)
