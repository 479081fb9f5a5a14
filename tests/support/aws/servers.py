"""Servers that are like S3, and in one thing not: WSGI applications on a port of their own."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ssl import SSLContext
from threading import Thread
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

type Application = Callable[[dict[str, Any], Any], Any]
type Answering = Callable[[Request], Response | None]


class _Silent(MotoRequestHandler):
    def log(self, *_args: Any) -> None:
        """Say nothing: it runs in this process, and its log is not the commands'."""


@contextmanager
def served(application: Application, tls: SSLContext | None = None) -> Iterator[str]:
    """Run it on a free port, and give its place: ``host:port``."""
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=_Silent, ssl_context=tls)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def moto() -> Application:
    """Return moto's server; all of them in one process have the same buckets."""
    return DomainDispatcherApplication(create_backend_app)


def below(path: str, application: Application) -> Application:
    """Return a server at one path of which, and nowhere else, another one answers."""

    def deeper(environ: dict[str, Any], start_response: Any) -> Any:
        if not environ["PATH_INFO"].startswith(f"{path}/"):
            return Response("Nothing here.", status=404)(environ, start_response)
        shorter = {name: environ[name].removeprefix(path) for name in ("PATH_INFO", "RAW_URI", "REQUEST_URI")}
        return application({**environ, **shorter}, start_response)

    return deeper


def but_for(answering: Answering, application: Application) -> Application:
    """Return a server in whose place ``answering`` answers the requests that it does not give None for."""

    def both(environ: dict[str, Any], start_response: Any) -> Any:
        other = answering(Request(environ))
        return (other or application)(environ, start_response)

    return both


def error(status: int, code: str, *, words: str = "Words of the server.", region: str = "", **headers: str) -> Response:
    """Return an answer as S3 gives it where something is wrong."""
    where = f"<Region>{region}</Region>" if region else ""
    text = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{words}</Message>{where}</Error>"
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(text, status=status, headers=named, content_type="application/xml")


def operation(request: Request) -> str:
    """Name what is asked of S3, as S3 does."""
    at, method = request.args, request.method
    if "uploads" in at:
        return "ListMultipartUploads" if method == "GET" else "CreateMultipartUpload"
    if "uploadId" in at:
        return {"PUT": "UploadPart", "POST": "CompleteMultipartUpload", "DELETE": "AbortMultipartUpload"}[method]
    if method == "GET":
        return "ListObjectsV2" if "list-type" in at else "GetObject"
    return {"HEAD": "HeadObject", "PUT": "PutObject", "DELETE": "DeleteObject"}[method]


def refusing(answer: Response, *operations: str) -> Answering:
    """Answer these operations so (a HEAD without a body), and leave all others to the server."""
    bare = Response(status=answer.status)
    return lambda request: (
        None if operation(request) not in operations else bare if request.method == "HEAD" else answer
    )
