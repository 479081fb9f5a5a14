"""Which server speaks S3: Amazon's, or another that ``AWS_ENDPOINT_URL_S3`` or ``AWS_ENDPOINT_URL`` names."""

import os
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from core.errors import SourceUnreadable

S3 = "s3://"  # how an address begins
_FORM = "Write it as https://HOST:PORT, as http://HOST:PORT where the server has no TLS, with /PATH if it has one."
_ODD = re.compile(r"[\s\x00-\x1f\x7f]")


@dataclass(frozen=True)
class Endpoint:
    """A server: ``scheme`` is http or https, ``place`` its host, port and path; empty ones mean Amazon's own."""

    scheme: str = ""
    place: str = ""

    @property
    def url(self) -> str:
        """The whole address; empty for Amazon's own."""
        return self.place and f"{self.scheme}://{self.place}"


def setting() -> str:
    """Name the variable that names the server, or that would."""
    return "AWS_ENDPOINT_URL_S3" if os.environ.get("AWS_ENDPOINT_URL_S3") else "AWS_ENDPOINT_URL"


def endpoint() -> Endpoint:
    """Return the server of the environment; SourceUnreadable where that names none. A path in it is kept."""
    url = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    if not url:
        return Endpoint()
    parts = _parts(url)
    if problem := _problem(url, parts):
        raise SourceUnreadable(path=setting(), problem=problem, remedy=_FORM)
    assert parts is not None  # noqa: S101 - else there is a problem
    return Endpoint(parts.scheme, f"{parts.netloc}{parts.path.rstrip('/')}")


def region() -> str | None:
    """Return the region of the environment; None leaves it to the profile of the credentials."""
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or None


def _parts(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts


def _problem(url: str, parts: SplitResult | None) -> str:
    """Say what is wrong; the value is not shown, which may hold a password."""
    if _ODD.search(url):
        return "holds a blank"
    if "://" not in url:
        return "does not begin with https:// or http://"
    if parts is None or not parts.hostname:
        return "names no host, or no number for its port"
    if parts.scheme not in ("http", "https"):
        return f"begins with {parts.scheme}://, neither https:// nor http://"
    if "@" in parts.netloc:
        return "names a user, who belongs into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    if "?" in url or "#" in url:
        return "goes on behind its path"
    return ""
