"""The site as a whole, seen from outside."""

import pytest
from django.apps import apps

from dataforge import readiness as asked
from dataforge.readiness import readiness


@pytest.fixture
def unready(monkeypatch: pytest.MonkeyPatch) -> None:
    """Know nothing of the database yet, and need no tables of models that only tests have."""
    of_tests = {model._meta.db_table for model in apps.get_models() if model.__module__.startswith("tests.")}
    needed = {table: rights for table, rights in asked._needed().items() if table not in of_tests}
    monkeypatch.setattr(asked, "_needed", lambda: needed)
    readiness.forget()
