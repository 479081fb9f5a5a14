"""Poolers that refuse what a session is to be started with: this process asks each of them only once."""

from typing import Any

from psycopg2 import OperationalError

_WORDS = ("unsupported startup parameter", "command-line options")  # of PgBouncer, and of the proxy of RDS

_refusing: set[tuple[str, ...]] = set()


def refuses_options(settings: dict[str, Any]) -> bool:
    """Tell whether the server in Django's ``settings`` is known to take no ``options``."""
    return _server(settings) in _refusing


def note_refusal(settings: dict[str, Any], error: OperationalError) -> bool:
    """Take note of it, if that is what ``error`` says."""
    if refuses_options(settings) or not any(words in str(error) for words in _WORDS):
        return False
    _refusing.add(_server(settings))
    return True


def _server(settings: dict[str, Any]) -> tuple[str, ...]:
    names = ("HOST", "PORT", "NAME", "USER")
    return (*(str(settings[name]) for name in names), str(settings["OPTIONS"].get("service", "")))
