"""The Django app."""

from django.apps import AppConfig


class IngestConfig(AppConfig):
    """Ingest."""

    name = "ingest"
