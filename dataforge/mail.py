"""The mail server that a URL names."""

from typing import Any
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

SECURITY = {"smtp": {}, "smtp+tls": {"use_tls": True}, "smtp+ssl": {"use_ssl": True}}
URL_FORM = "smtp+tls://USER:PASSWORD@HOST:587 (or smtp+ssl://, or smtp:// for a server that encrypts nothing)"
TIMEOUT_SECONDS = 20


def mail_server(url: str, *, name: str) -> dict[str, Any]:
    """Return the options of Django's SMTP mailer; none for an empty URL. ImproperlyConfigured names the variable."""
    if not url:
        return {}
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:  # its message quotes the URL, and so perhaps a part of the password
        host, port = None, None
    if not host or parts.scheme not in SECURITY or parts.path.strip("/") or parts.query or parts.fragment:
        raise ImproperlyConfigured(f"{name} names no mail server. It must look like {URL_FORM}.")
    user, password = (unquote(part) if part else None for part in (parts.username, parts.password))
    known = {"port": port, "username": user, "password": password}
    return {"host": host, **known, **SECURITY[parts.scheme], "timeout": TIMEOUT_SECONDS}
