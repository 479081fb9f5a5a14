"""The Django app."""

from django.apps import AppConfig


class IngestConfig(AppConfig):
    """Ingest."""

    name = "ingest"

    def ready(self) -> None:
        """Register the system checks."""
        from ingest import system_checks  # noqa: F401 - importing is registering, Django's way
