"""The WSGI application that gunicorn serves."""

import codecs
import gc
import logging
import os
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

import pyarrow as pa
from django.core.wsgi import get_wsgi_application
from django.utils.http import parse_header_parameters

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dataforge.settings")
logging.captureWarnings(True)  # they are lines of the log, like all else
_django = get_wsgi_application()
_EVERY_BYTE = bytes(range(256))

# With its first array pyarrow imports pandas: now, and not while somebody's first batch waits.
pa.array([])
# What is loaded by now stays: no garbage collection in the middle of a request needs to look at it.
gc.collect()
gc.freeze()


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer a request. A media type that Django cannot read counts as none, and is answered with 415.

    Django raises where it makes the request, before its own handling of errors, which the server answers with 500.
    """
    if not _is_readable(environ.get("CONTENT_TYPE", "")):
        environ["CONTENT_TYPE"] = ""
    return _django(environ, start_response)


def _is_readable(media_type: str) -> bool:
    """Return whether Django can take a request of this type, and read its query and form in the charset it names."""
    try:
        charset = parse_header_parameters(media_type)[1].get("charset", "utf-8")
        try:
            codecs.lookup(charset)
        except LookupError:
            return True  # Django passes over it, and the API refuses it by name
        _EVERY_BYTE.decode(charset, "replace")
    except (LookupError, ValueError):  # no text (`zlib`), or no way to pass over a wrong byte (`idna`)
        return False
    return True
