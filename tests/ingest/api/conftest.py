"""Calls of the WSGI application itself, past Django's test client."""

import pytest
from django.db import connection


@pytest.fixture
def one_connection(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep a request from closing the test's connection, and with it the transaction."""
    monkeypatch.setattr(connection, "close_if_unusable_or_obsolete", lambda: None)
