"""The queue's table, in the transaction of a test."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection


@pytest.fixture
def queue(db: None, settings: Any) -> Iterator[Any]:
    """Its rows, with the queue's app and backend in the settings."""
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "django_tasks_db"]
    settings.TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
    from core.tasks.results import task_results

    with connection.schema_editor() as editor:
        editor.create_model(task_results().model)
    yield task_results()
    # The pages of an app that is installed outlast it: the admin of other tests would stumble over them.
    if admin.site.is_registered(task_results().model):
        admin.site.unregister(task_results().model)
